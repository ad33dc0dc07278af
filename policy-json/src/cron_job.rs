//! CronJob lines of `decide`.

use super::LineError;
use super::fields::{Field, is, read_object, unwritable};
use policy_core::Timestamp;
use policy_core::cron::{
    Call, ChildJob, CronJobView, LiveObjects, NewJob, Outcome, Plan, Server, TimeZones, run,
};
use policy_core::explain::Recorder;
use policy_core::spec::{CronJob, CronJobStatus, JobStatus, ObjectMeta};
use policy_core::step::{CallError, CallErrorKind, Event};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    now: Timestamp,
    cron_job: CronJob,
    jobs: Vec<LineJob>,
    #[serde(default)]
    api_jobs: Option<Vec<LineJob>>,
    /// Absent: as `cron_job`. Null: not found.
    #[serde(default, deserialize_with = "present")]
    api_cron_job: Option<Option<CronJob>>,
    #[serde(default)]
    faults: Option<Faults>,
}

const FIELDS: &[Field] = &[
    ("now", is::<Timestamp>),
    ("cronJob", is::<CronJob>),
    ("jobs", is::<Vec<LineJob>>),
    ("apiJobs", is::<Option<Vec<LineJob>>>),
    ("apiCronJob", is::<Option<CronJob>>),
    ("faults", is::<Option<Faults>>),
];

/// Tells a null from a field that is not there.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<CronJob>>, D::Error> {
    Option::<CronJob>::deserialize(deserializer).map(Some)
}

/// What a CronJob's sync reads of a Job; its spec is skipped.
#[derive(Deserialize)]
struct LineJob {
    #[serde(default)]
    metadata: Option<ObjectMeta>,
    #[serde(default)]
    status: Option<JobStatus>,
}

/// Calls that fail.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Faults {
    create_job: Option<CreateFault>,
    delete_job: Option<Vec<String>>,
    get_job: Option<Vec<String>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum CreateFault {
    NsTerminating,
    Forbidden,
}

/// The API server of a line: its objects, and the calls that it refuses.
struct FaultyServer<'a> {
    objects: LiveObjects<'a>,
    faults: &'a Faults,
}

impl Server for FaultyServer<'_> {
    fn carry_out(&mut self, call: &Call) -> Outcome {
        match self.refusal(call) {
            Some(error) => Outcome::Failed(error),
            None => self.objects.carry_out(call),
        }
    }
}

impl FaultyServer<'_> {
    fn refusal(&self, call: &Call) -> Option<CallError> {
        let injected = |names: &Option<Vec<String>>, name: &String, what: &str| {
            let message = format!("Internal error occurred: injected {what} failure");
            names
                .as_ref()
                .is_some_and(|names| names.contains(name))
                .then_some((CallErrorKind::Other, message))
        };
        let (kind, message) = match call {
            Call::GetJob { name, .. } => injected(&self.faults.get_job, name, "get")?,
            Call::DeleteJob { name, .. } => injected(&self.faults.delete_job, name, "delete")?,
            Call::CreateJob { namespace, job } => {
                let name = &job.metadata.name;
                match self.faults.create_job? {
                    CreateFault::Forbidden => (
                        CallErrorKind::Other,
                        format!(
                            "jobs.batch \"{name}\" is forbidden: exceeded quota: q, requested: count/jobs.batch=1, used: count/jobs.batch=5, limited: count/jobs.batch=5"
                        ),
                    ),
                    CreateFault::NsTerminating => (
                        CallErrorKind::NamespaceTerminating,
                        format!(
                            "jobs.batch \"{name}\" is forbidden: unable to create new content in namespace {namespace} because it is being terminated"
                        ),
                    ),
                }
            }
            Call::GetCronJob { .. } | Call::UpdateStatus(_) => return None,
        };
        Some(CallError { kind, message })
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    id: Option<&'a RawValue>,
    plan: AnswerPlan<'a>,
    error: Option<String>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct AnswerPlan<'a> {
    create_jobs: Vec<&'a NewJob>,
    delete_jobs: Vec<&'a str>,
    status: Option<&'a CronJobStatus>,
    events: Vec<AnswerEvent<'a>>,
    requeue_after_ms: Option<i64>,
}

#[derive(Serialize)]
struct AnswerEvent<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    reason: &'a str,
    message: &'a str,
}

impl<'a> From<&'a Event> for AnswerEvent<'a> {
    fn from(event: &'a Event) -> Self {
        AnswerEvent { kind: event.kind, reason: &event.reason, message: &event.message }
    }
}

/// Appends the answer to one line: what a sync of the CronJob does.
///
/// # Errors
/// When the line is not an object with the fields that are needed; the text names the field.
pub fn answer(line: &[u8], zones: &dyn TimeZones, out: &mut Vec<u8>) -> Result<(), LineError> {
    let input = read(line)?;
    let plan = sync(&input, zones, &mut ());
    serde_json::to_writer(&mut *out, &Answer::new(input.id, &plan))
        .map_err(|error| unwritable(input.id, &error))
}

/// A plan as answers hold it.
pub fn plan_value(plan: &Plan) -> Value {
    // Only maps with keys that are not strings have no value, and a plan has none.
    serde_json::to_value(Answer::new(None, plan).plan).unwrap_or_default()
}

/// The whole plan of one line, reads and failed calls too, with its findings.
///
/// # Errors
/// As [`answer`].
pub fn plan(line: &[u8], zones: &dyn TimeZones, rec: &mut impl Recorder) -> Result<Plan, LineError> {
    Ok(sync(&read(line)?, zones, rec))
}

fn read(line: &[u8]) -> Result<Line<'_>, LineError> {
    read_object(line, FIELDS)
}

fn sync(input: &Line<'_>, zones: &dyn TimeZones, rec: &mut impl Recorder) -> Plan {
    let (no_metadata, no_status) = (ObjectMeta::default(), JobStatus::default());
    let jobs: Vec<ChildJob<'_>> = (input.jobs.iter())
        .map(|job| ChildJob {
            metadata: job.metadata.as_ref().unwrap_or(&no_metadata),
            status: job.status.as_ref().unwrap_or(&no_status),
        })
        .collect();
    let api_jobs = input.api_jobs.iter().flatten().filter_map(|job| job.metadata.as_ref());
    let live_jobs = jobs.iter().map(|job| job.metadata).chain(api_jobs).collect();
    let live_cron_job = match &input.api_cron_job {
        Some(cron_job) => cron_job.as_ref(),
        None => Some(&input.cron_job),
    };
    let no_faults = Faults::default();
    let faults = input.faults.as_ref().unwrap_or(&no_faults);
    let mut server = FaultyServer { objects: LiveObjects::new(live_cron_job, live_jobs), faults };
    let view = CronJobView { cron_job: &input.cron_job, jobs: &jobs };
    run(view, &mut server, input.now, zones, rec)
}

impl<'a> Answer<'a> {
    fn new(id: Option<&'a RawValue>, plan: &'a Plan) -> Self {
        let finished = &plan.finished;
        let mut answer = AnswerPlan {
            events: finished.events.iter().map(AnswerEvent::from).collect(),
            requeue_after_ms: finished.requeue.map(|requeue| requeue.after_nanos / 1_000_000),
            ..AnswerPlan::default()
        };
        for (call, _) in plan.calls.iter().filter(|(_, carried_out)| *carried_out) {
            match call {
                Call::CreateJob { job, .. } => answer.create_jobs.push(job),
                Call::DeleteJob { name, .. } => answer.delete_jobs.push(name),
                Call::UpdateStatus(status) => answer.status = Some(status),
                Call::GetJob { .. } | Call::GetCronJob { .. } => {}
            }
        }
        // The protocol sorts names.
        answer.delete_jobs.sort_unstable();
        Answer { id, plan: answer, error: finished.error.as_ref().map(ToString::to_string) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy_core::cron::UtcOnly;
    use serde_json::json;

    fn answer_to(line: &Value) -> Result<Value, LineError> {
        let mut out = Vec::new();
        answer(line.to_string().as_bytes(), &UtcOnly, &mut out)?;
        Ok(serde_json::from_slice(&out).unwrap())
    }

    fn line() -> Value {
        json!({
            "id": 7,
            "now": "2026-01-01T00:05:00Z",
            "cronJob": {
                "metadata": {"name": "hello", "namespace": "default", "uid": "u", "creationTimestamp": "2026-01-01T00:00:30Z"},
                "spec": {"schedule": "*/5 * * * *", "jobTemplate": {"spec": {"template": {"spec": {"unknown": [1]}}}}},
            },
            "jobs": [],
        })
    }

    #[test]
    fn a_due_run_is_created_and_recorded() {
        let answer = answer_to(&line()).unwrap();
        let plan = &answer["plan"];
        assert_eq!(answer["id"], 7);
        assert_eq!(plan["createJobs"][0]["spec"]["template"]["spec"]["unknown"], json!([1]));
        assert_eq!(plan["status"]["active"][0]["uid"], "uid-of-hello-29453765");
        assert_eq!(plan["requeueAfterMs"], 300_100);
        assert_eq!(answer["error"], Value::Null);
    }

    #[test]
    fn faults_are_the_servers_answers() {
        let mut line = line();
        line["faults"] = json!({"createJob": "forbidden"});
        let answer = answer_to(&line).unwrap();
        assert_eq!(answer["plan"]["createJobs"], json!([]));
        assert_eq!(answer["plan"]["events"][0]["reason"], "FailedCreate");
        assert!(answer["error"].as_str().unwrap().contains("exceeded quota"));
    }

    #[test]
    fn a_missing_or_ill_typed_field_is_named() {
        for (field, value) in [("now", json!("today")), ("cronJob", json!("")), ("jobs", json!(3))] {
            let mut missing = line();
            missing.as_object_mut().unwrap().remove(field);
            let mut wrong = line();
            wrong[field] = value;
            for line in [missing, wrong] {
                let error = answer_to(&line).unwrap_err();
                assert_eq!(error.id, json!(7));
                assert!(error.message.contains(&format!("`{field}`")), "{}", error.message);
            }
        }
    }
}
