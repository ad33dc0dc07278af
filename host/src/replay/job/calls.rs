//! How calls of the Job controller show in a recording.

use super::JobHistory;
use crate::replay::difference::{between, created_pod};
use crate::replay::search::Answer;
use crate::replay::writes::{Change, Write};
use policy_core::job::{Call, PodCreate, PodDraft, PodRef};
use policy_core::spec::{JOB_COMPLETION_INDEX, JOB_TRACKING_FINALIZER, JobStatus, Pod};
use policy_core::step::{CallError, CallErrorKind, Outcome};
use serde_json::Value;
use std::ops::Range;

/// Compares a call with a write; `pods` compares Pods to create with Pods created.
pub(super) fn answer(
    call: &Call,
    write: &Write<'_>,
    pods: impl FnOnce(&PodCreate, &Value) -> Option<Vec<String>>,
) -> Answer<Outcome> {
    let same_pod = |pod: &PodRef| pod.uid() == &*write.version.uid;
    let of =
        |differences| Answer::Of { differences, outcome: Outcome::Done { name: write.version.name.clone() } };
    match (call, write.change) {
        (Call::WriteStatus(decided), Change::JobStatus(written)) => of(status_differences(decided, written)),
        (Call::CreatePod(create), Change::CreatePod(written)) => {
            pods(create, written).map_or(Answer::Other, of)
        }
        (Call::DeletePod(pod), Change::DeletePod)
        | (Call::RemoveFinalizer(pod), Change::RemoveFinalizer)
        | (Call::Adopt(pod), Change::AdoptPod)
        | (Call::Release(pod), Change::ReleasePod)
            if same_pod(pod) =>
        {
            of(Vec::new())
        }
        _ => Answer::Other,
    }
}

fn status_differences(decided: &JobStatus, written: &JobStatus) -> Vec<String> {
    if decided == written { Vec::new() } else { between("status", decided, written) }
}

/// Pods of an Indexed Job are told apart by their index and name before they are compared as a whole.
pub(super) fn pod_differences(draft: &PodDraft, create: &PodCreate, written: &Value) -> Vec<String> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or("none").to_owned();
    let annotations = written.pointer("/metadata/annotations");
    let written_index = text(annotations.and_then(|annotations| annotations.get(JOB_COMPLETION_INDEX)));
    let decided_index = create.index.map_or("none".to_owned(), |index| index.to_string());
    let written_prefix = text(written.pointer("/metadata/generateName"));
    let decided_prefix = draft.generate_name(create);
    let pairs = [
        ("completion index", decided_index, written_index),
        ("metadata.generateName", decided_prefix, written_prefix),
    ];
    let differing = pairs.into_iter().filter(|(_, decided, written)| decided != written);
    let found: Vec<String> = differing
        .map(|(what, decided, written)| format!("{what}: decided {decided}, written {written}"))
        .collect();
    if found.is_empty() { created_pod(&draft.pod(create), written) } else { found }
}

/// The call in words.
pub(super) fn describe(call: &Call) -> String {
    match call {
        Call::ReadJob => "to read the Job".into(),
        Call::Adopt(pod) => format!("to adopt Pod {}", pod.name()),
        Call::Release(pod) => format!("to release Pod {}", pod.name()),
        Call::CreatePod(create) => match create.index {
            Some(index) => format!("to create a Pod of index {index}"),
            None => "to create a Pod".into(),
        },
        Call::DeletePod(pod) => format!("to delete Pod {}", pod.name()),
        Call::RemoveFinalizer(pod) => format!("to take the finalizer off Pod {}", pod.name()),
        Call::WriteStatus(status) => {
            let JobStatus { active, succeeded, failed, .. } = **status;
            format!("to write a status (active {active}, succeeded {succeeded}, failed {failed})")
        }
        _ => "something else".into(),
    }
}

/// What the server had between two revisions.
pub(super) struct Live<'h, 'r> {
    pub(super) history: &'h JobHistory<'r>,
}

impl Live<'_, '_> {
    /// How a call went that left no trace.
    pub(super) fn unseen(&self, call: &Call, between: Range<u64>, base: usize) -> Option<Outcome> {
        match call {
            Call::ReadJob => match self.history.jobs_between(&between).last()? {
                Some(job) => Some(Outcome::Read {
                    uid: job.metadata.uid.clone(),
                    deletion_timestamp: job.metadata.deletion_timestamp,
                }),
                None => Some(failed(CallErrorKind::NotFound, "the Job is gone")),
            },
            Call::WriteStatus(status) => self.unseen_status(status, between, base),
            Call::DeletePod(pod) => self.unseen_on_pod(pod, &between, |pod| pod.metadata.is_deleting()),
            Call::RemoveFinalizer(pod) => {
                self.unseen_on_pod(pod, &between, |pod| !pod.metadata.has_finalizer(JOB_TRACKING_FINALIZER))
            }
            Call::Release(pod) => {
                self.unseen_on_pod(pod, &between, |pod| pod.metadata.controller().is_none())
            }
            Call::Adopt(pod) => self.unseen_on_pod(pod, &between, |_| false),
            _ => None,
        }
    }

    /// A status is refused when the Job has changed, and changes nothing when it is the one that is there.
    fn unseen_status(&self, status: &JobStatus, between: Range<u64>, base: usize) -> Option<Outcome> {
        let mut jobs = self.history.jobs_between(&between);
        if jobs.any(|job| job.is_none()) {
            return Some(failed(CallErrorKind::NotFound, "the Job is gone"));
        }
        if self.history.shown_at(between.end) > base {
            return Some(failed(CallErrorKind::Conflict, "the Job has been modified"));
        }
        let unchanged = self.history.job(base).is_some_and(|job| job.status == *status);
        unchanged.then(Outcome::done)
    }

    /// Nothing is seen of a call on a Pod that is gone, or that is as the call would have it.
    fn unseen_on_pod(
        &self,
        pod: &PodRef,
        between: &Range<u64>,
        is_done: impl Fn(&Pod) -> bool,
    ) -> Option<Outcome> {
        let mut live = self.history.pods_between(pod.uid(), between);
        live.find_map(|pod| match pod {
            None => Some(failed(CallErrorKind::NotFound, "the Pod is gone")),
            Some(pod) if is_done(pod) => Some(Outcome::done()),
            Some(_) => None,
        })
    }
}

fn failed(kind: CallErrorKind, message: &str) -> Outcome {
    Outcome::Failed(CallError { kind, message: message.into() })
}
