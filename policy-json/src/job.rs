//! Job lines of `decide`.

use super::LineError;
use policy_core::job::{JobView, Plan, PodCreate, PodDigester, PodDraft, PodFacts, PodRef, decide};
use policy_core::spec::{Job, Pod, UidList};
use policy_core::{
    BackoffChange, BackoffRecord, Expectations, JobMemory, NANOS_PER_SECOND, Settings, Timestamp,
};
use serde::ser::{SerializeSeq, SerializeStruct};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

/// A Job line of `decide`: what one decision is given.
#[derive(Deserialize)]
pub struct Line {
    /// Names the line in its answer.
    pub id: Value,
    /// The instant of the decision.
    pub now: Timestamp,
    /// The Job.
    pub job: Job,
    /// Its Pods, and those that it may adopt.
    #[serde(default)]
    pub pods: Vec<Pod>,
    memory: Option<Memory>,
}

impl Line {
    /// Takes out what the controller remembers.
    pub fn memory(&mut self) -> JobMemory {
        self.memory.take().unwrap_or_default().into_memory(self.now)
    }
}

/// The controller's memory, as lines hold it.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Memory {
    backoff: Option<Backoff>,
    finalizers_being_removed: Option<Vec<String>>,
    expectations_satisfied: Option<bool>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Backoff {
    failures_after_last_success: i32,
    last_failure_time: Option<Timestamp>,
}

impl From<&BackoffRecord> for Backoff {
    fn from(record: &BackoffRecord) -> Self {
        Backoff {
            failures_after_last_success: record.failures_after_last_success,
            last_failure_time: record.last_failure_time,
        }
    }
}

impl Memory {
    fn into_memory(self, now: Timestamp) -> JobMemory {
        let expectations = match self.expectations_satisfied {
            Some(false) => Expectations { creations: 1, deletions: 0, since: Some(now) },
            _ => Expectations::default(),
        };
        JobMemory {
            backoff: self.backoff.map(|b| BackoffRecord {
                failures_after_last_success: b.failures_after_last_success,
                last_failure_time: b.last_failure_time,
            }),
            expectations,
            finalizers_being_removed: self
                .finalizers_being_removed
                .into_iter()
                .flatten()
                .map(|uid| uid.as_str().into())
                .collect(),
            ..JobMemory::default()
        }
    }
}

/// Appends the answer to a Job line.
///
/// # Errors
/// When the line is not JSON of the expected form.
pub fn answer(line: &[u8], out: &mut Vec<u8>) -> Result<(), LineError> {
    let mut line: Line = super::parse(line)?;
    let memory = line.memory();
    let digester = PodDigester::new(&line.job);
    let pods: Vec<PodFacts> = line.pods.iter().map(|pod| digester.digest(pod)).collect();
    let view = JobView::new(&line.job, &pods, &Settings::DEFAULT);
    let plan = decide(view, &memory, line.now, &mut ());
    let error = plan.end.error.as_ref().map(|error| error.message.as_str());
    let answer = Answer {
        id: &line.id,
        plan: PlanAnswer { plan: &plan, job: &line.job, now: line.now, before: memory.backoff.as_ref() },
        error,
    };
    serde_json::to_writer(out, &answer).map_err(|error| LineError { id: line.id, message: error.to_string() })
}

/// A plan as answers hold it; `before` is the back-off record that the decision was given.
pub fn plan_value(plan: &Plan, job: &Job, now: Timestamp, before: Option<&BackoffRecord>) -> Value {
    // Only maps with keys that are not strings have no value, and a plan has none.
    serde_json::to_value(PlanAnswer { plan, job, now, before }).unwrap_or_default()
}

#[derive(Serialize)]
struct Answer<'a> {
    id: &'a Value,
    plan: PlanAnswer<'a>,
    error: Option<&'a str>,
}

/// A plan as the line protocol writes it: names sorted, creations rendered.
struct PlanAnswer<'a> {
    plan: &'a Plan,
    job: &'a Job,
    now: Timestamp,
    before: Option<&'a BackoffRecord>,
}

impl Serialize for PlanAnswer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let plan = self.plan;
        let mut answer = serializer.serialize_struct("plan", 9)?;
        answer.serialize_field("adopt", &names(&plan.adopt))?;
        answer.serialize_field("release", &names(&plan.release))?;
        answer.serialize_field("create", &Creates { creates: &plan.create, job: self.job })?;
        answer.serialize_field("delete", &names(&plan.delete))?;
        answer.serialize_field("removeFinalizer", &names(&plan.remove_finalizer))?;
        answer.serialize_field("statusUpdates", &statuses(plan))?;
        let events: Vec<EventAnswer<'_>> = plan.events.iter().map(EventAnswer::from).collect();
        answer.serialize_field("events", &events)?;
        let requeue = plan.end.wake.at.map(|at| at.nanos_since(self.now) / (NANOS_PER_SECOND / 1000));
        answer.serialize_field("requeueAfterMs", &requeue)?;
        let backoff = match &plan.end.memory.backoff {
            BackoffChange::Keep => self.before,
            BackoffChange::Set(record) => Some(record),
            BackoffChange::Remove => None,
        };
        answer.serialize_field("memory", &MemoryAnswer { backoff: backoff.map(Backoff::from) })?;
        answer.end()
    }
}

#[derive(Serialize)]
struct MemoryAnswer {
    backoff: Option<Backoff>,
}

/// An event as the line protocol writes it.
#[derive(Serialize)]
pub struct EventAnswer<'a> {
    r#type: &'a str,
    reason: &'a str,
    message: &'a str,
}

impl<'a> From<&'a policy_core::step::Event> for EventAnswer<'a> {
    fn from(event: &'a policy_core::step::Event) -> Self {
        EventAnswer { r#type: event.kind, reason: &event.reason, message: &event.message }
    }
}

/// Sorted names, each once.
fn names(pods: &[PodRef]) -> Vec<&str> {
    let mut names: Vec<&str> = pods.iter().map(PodRef::name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The statuses, with the lists of uncounted Pods sorted.
fn statuses(plan: &Plan) -> Vec<policy_core::spec::JobStatus> {
    let mut statuses = plan.status_updates.clone();
    for lists in statuses.iter_mut().filter_map(|status| status.uncounted_terminated_pods.as_mut()) {
        lists.succeeded = sorted(&lists.succeeded);
        lists.failed = sorted(&lists.failed);
    }
    statuses
}

fn sorted(list: &UidList) -> UidList {
    let mut uids: Vec<&str> = list.iter().collect();
    uids.sort_unstable();
    uids.into_iter().collect()
}

struct Creates<'a> {
    creates: &'a [PodCreate],
    job: &'a Job,
}

impl Serialize for Creates<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Create {
            index: Option<i64>,
            generate_name: String,
            pod: Value,
        }
        let mut list = serializer.serialize_seq(Some(self.creates.len()))?;
        if !self.creates.is_empty() {
            let draft = PodDraft::new(self.job);
            for create in self.creates {
                // Upstream asks for a prefix of its own only for indexed Pods; the rest is left to Pod creation.
                let generate_name = create.index.map(|_| draft.generate_name(create)).unwrap_or_default();
                let pod = draft.template(create);
                list.serialize_element(&Create { index: create.index, generate_name, pod })?;
            }
        }
        list.end()
    }
}
