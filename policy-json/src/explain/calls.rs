//! The calls of a sync in words, with the numbers by which findings cite them.

use policy_core::JobMemory;
use policy_core::Timestamp;
use policy_core::cron;
use policy_core::job::{Call, JobView, Step, begin};
use policy_core::spec::JobStatus;
use policy_core::step::Outcome;
use serde::Serialize;

/// One call.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallRow {
    /// Its number within the sync.
    pub number: u32,
    /// Which call: `createPod`, `deletePod`, `removeFinalizer`, `writeStatus`, `adopt`, `release`, `readJob`; of a
    /// CronJob `createJob`, `deleteJob`, `readJob`, `readCronJob`, `writeStatus`.
    pub call: &'static str,
    /// The object it is about, where that has a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The completion index of a Pod to create.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<i64>,
    /// The call in words.
    pub text: String,
}

impl CallRow {
    fn new(call: &'static str, object: Option<String>, text: String) -> Self {
        CallRow { number: 0, call, object, index: None, text }
    }
}

/// The calls of a Job's sync in which every call succeeds.
pub(super) fn of_job(view: JobView<'_>, memory: &JobMemory, now: Timestamp) -> Vec<CallRow> {
    let mut rows = Vec::new();
    let meta = &view.job.metadata;
    let mut step = begin(view, memory, now, &mut ());
    while let Step::Wave(wave, paused) = step {
        let answer = |call: &Call| match call {
            Call::ReadJob => {
                Outcome::Read { uid: meta.uid.clone(), deletion_timestamp: meta.deletion_timestamp }
            }
            _ => Outcome::done(),
        };
        let outcomes: Vec<Outcome> = wave.calls.iter().map(answer).collect();
        let numbered = (wave.first_call..).zip(&wave.calls);
        rows.extend(numbered.map(|(number, call)| CallRow { number, ..job_call(call) }));
        step = paused.resume(view, &outcomes, now, &mut ());
    }
    rows
}

fn job_call(call: &Call) -> CallRow {
    let about = |name: &'static str, pod: &policy_core::job::PodRef, verb: &str| {
        CallRow::new(name, Some(format!("pod/{}", pod.name())), format!("{verb} pod/{}", pod.name()))
    };
    match call {
        Call::ReadJob => CallRow::new("readJob", None, "read the Job live".to_owned()),
        Call::Adopt(pod) => about("adopt", pod, "adopt"),
        Call::Release(pod) => about("release", pod, "release"),
        Call::DeletePod(pod) => about("deletePod", pod, "delete"),
        Call::RemoveFinalizer(pod) => about("removeFinalizer", pod, "remove the finalizer of"),
        Call::WriteStatus(status) => {
            CallRow::new("writeStatus", None, format!("write the status: {}", status_in_words(status)))
        }
        Call::CreatePod(create) => {
            let index = create.index.map_or(String::new(), |index| format!(" with index {index}"));
            let row = CallRow::new("createPod", None, format!("create a Pod{index}"));
            CallRow { index: create.index, ..row }
        }
        // The core may learn calls that this version has no words for.
        other => CallRow::new("other", None, format!("{other:?}")),
    }
}

fn status_in_words(status: &JobStatus) -> String {
    let mut parts = vec![
        format!("active {}", status.active),
        format!("succeeded {}", status.succeeded),
        format!("failed {}", status.failed),
    ];
    if let Some(lists) = &status.uncounted_terminated_pods {
        let uncounted = lists.succeeded.len() + lists.failed.len();
        parts.extend((uncounted > 0).then(|| format!("uncounted {uncounted}")));
    }
    if !status.completed_indexes.is_empty() {
        parts.push(format!("completed indexes {}", status.completed_indexes));
    }
    if let Some(failed) = status.failed_indexes.as_ref().filter(|failed| !failed.is_empty()) {
        parts.push(format!("failed indexes {failed}"));
    }
    let holds = status.conditions.iter().filter(|condition| condition.is_true());
    parts.extend(holds.map(|condition| format!("{} ({})", condition.kind, condition.reason)));
    parts.join(", ")
}

/// The calls of a CronJob's sync.
pub(super) fn of_cron_job(plan: &cron::Plan) -> Vec<CallRow> {
    let numbered = (0..).zip(&plan.calls);
    numbered.map(|(number, (call, _))| CallRow { number, ..cron_call(call) }).collect()
}

fn cron_call(call: &cron::Call) -> CallRow {
    let about = |call: &'static str, kind: &str, name: &str, verb: &str| {
        CallRow::new(call, Some(format!("{kind}/{name}")), format!("{verb} {kind}/{name}"))
    };
    match call {
        cron::Call::GetJob { name, .. } => about("readJob", "job", name, "read"),
        cron::Call::GetCronJob { name, .. } => about("readCronJob", "cronjob", name, "read"),
        cron::Call::DeleteJob { name, .. } => about("deleteJob", "job", name, "delete"),
        cron::Call::CreateJob { job, .. } => about("createJob", "job", &job.metadata.name, "create"),
        cron::Call::UpdateStatus(status) => {
            let last = status.last_schedule_time.map_or("never".to_owned(), |time| time.to_string());
            let text = format!("write the status: {} active, last scheduled {last}", status.active.len());
            CallRow::new("writeStatus", None, text)
        }
    }
}
