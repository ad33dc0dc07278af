//! A Job's calls, outcomes and ends.

use super::{EventJson, FailureJson, MemoryDeltaJson};
use policy_core::Timestamp;
use policy_core::job::{Call, Counted, Finished, IndexFailures, JobVerdict, PodDraft, PodRef, Wake};
use policy_core::spec::JobStatus;
use policy_core::step::Outcome;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A call of a Job's sync.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum CallJson {
    /// Read the Job live.
    ReadJob,
    /// Make the Job the Pod's controller and add the finalizer.
    Adopt(PodJson),
    /// Take the Job off the Pod's owners and the finalizer off the Pod.
    Release(PodJson),
    /// Create a Pod.
    CreatePod {
        /// Its completion index.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        index: Option<i64>,
        /// Failures of its index so far.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        index_failures: Option<IndexFailuresJson>,
        /// The Pod to send, unless it was not to be written out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pod: Option<Value>,
    },
    /// Delete a Pod.
    DeletePod(PodJson),
    /// Take the finalizer off a Pod.
    RemoveFinalizer(PodJson),
    /// Write the status on the version that was read.
    WriteStatus {
        /// The status.
        status: Box<JobStatus>,
    },
}

/// A Pod by name and UID.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodJson {
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
}

impl From<&PodRef> for PodJson {
    fn from(pod: &PodRef) -> Self {
        PodJson { name: pod.name().to_owned(), uid: pod.uid().to_owned() }
    }
}

/// Failures of an index so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexFailuresJson {
    /// Those that count.
    pub counted: i32,
    /// Those that the failure policy ignored.
    pub ignored: i32,
}

impl From<IndexFailures> for IndexFailuresJson {
    fn from(failures: IndexFailures) -> Self {
        IndexFailuresJson { counted: failures.counted, ignored: failures.ignored }
    }
}

/// A call; Pods are written out by the draft, if there is one. `None` for a call that this version does not know.
pub fn call(call: &Call, draft: Option<&PodDraft>) -> Option<CallJson> {
    Some(match call {
        Call::ReadJob => CallJson::ReadJob,
        Call::Adopt(pod) => CallJson::Adopt(pod.into()),
        Call::Release(pod) => CallJson::Release(pod.into()),
        Call::DeletePod(pod) => CallJson::DeletePod(pod.into()),
        Call::RemoveFinalizer(pod) => CallJson::RemoveFinalizer(pod.into()),
        Call::WriteStatus(status) => CallJson::WriteStatus { status: status.clone() },
        Call::CreatePod(create) => CallJson::CreatePod {
            index: create.index,
            index_failures: create.index_failures.map(IndexFailuresJson::from),
            pod: draft.map(|draft| draft.pod(create)),
        },
        _ => return None,
    })
}

/// How a call went.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum OutcomeJson {
    /// It was carried out.
    Done {
        /// The name of the object, where the server chose it.
        #[serde(default)]
        name: String,
    },
    /// The Job that was read.
    Read {
        /// Its UID.
        uid: String,
        /// When its deletion was asked for.
        #[serde(default)]
        deletion_timestamp: Option<Timestamp>,
    },
    /// It failed.
    Failed(FailureJson),
}

impl From<OutcomeJson> for Outcome {
    fn from(json: OutcomeJson) -> Self {
        match json {
            OutcomeJson::Done { name } => Outcome::Done { name },
            OutcomeJson::Read { uid, deletion_timestamp } => Outcome::Read { uid, deletion_timestamp },
            OutcomeJson::Failed(failure) => Outcome::Failed(failure.into()),
        }
    }
}

/// The end of a Job's sync.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FinishedJson {
    /// What to change in the memory.
    pub memory: MemoryDeltaJson,
    /// When to decide again.
    pub wake: WakeJson,
    /// What became of the Job, in camel case.
    pub verdict: String,
    /// Who manages it, if another controller does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<String>,
    /// Events to publish.
    pub events: Vec<EventJson>,
    /// What metrics count.
    pub counted: CountedJson,
    /// Why the sync failed.
    pub error: Option<String>,
}

/// When to decide again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WakeJson {
    /// At this instant.
    pub at: Option<Timestamp>,
    /// When the back-off ends.
    pub backoff_ends_at: Option<Timestamp>,
    /// When the deadline is.
    pub deadline_at: Option<Timestamp>,
    /// After the work queue's delay.
    pub retry: bool,
}

impl From<Wake> for WakeJson {
    fn from(wake: Wake) -> Self {
        let Wake { at, backoff_ends_at, deadline_at, retry } = wake;
        WakeJson { at, backoff_ends_at, deadline_at, retry }
    }
}

/// What metrics count of one sync.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CountedJson {
    /// `Indexed` or `NonIndexed`.
    pub completion_mode: String,
    /// `perIndex` or `global`.
    pub backoff_limit: String,
    /// What the sync did.
    pub action: String,
    /// Pods counted as succeeded.
    pub pods_succeeded: i64,
    /// Pods counted as failed.
    pub pods_failed: i64,
    /// Indexes that newly succeeded.
    pub indexes_succeeded: i64,
    /// Indexes that newly failed.
    pub indexes_failed: i64,
    /// Pods created.
    pub creations_succeeded: i64,
    /// Pods whose creation failed.
    pub creations_failed: i64,
    /// The label `reason` of creations.
    pub creation_reason: String,
    /// Failures by the failure policy's action: FailJob, FailIndex, Ignore, Count.
    pub policy_actions: [i64; 4],
    /// The reason of the Job's end.
    pub finished_reason: Option<String>,
}

impl From<Counted> for CountedJson {
    fn from(counted: Counted) -> Self {
        CountedJson {
            completion_mode: counted.completion_mode.to_owned(),
            backoff_limit: counted.backoff_limit.to_owned(),
            action: counted.action.as_str().to_owned(),
            pods_succeeded: counted.pods_succeeded,
            pods_failed: counted.pods_failed,
            indexes_succeeded: counted.indexes_succeeded,
            indexes_failed: counted.indexes_failed,
            creations_succeeded: counted.creations_succeeded,
            creations_failed: counted.creations_failed,
            creation_reason: counted.creation_reason.to_owned(),
            policy_actions: counted.policy_actions,
            finished_reason: counted.finished_reason,
        }
    }
}

impl From<Finished> for FinishedJson {
    fn from(finished: Finished) -> Self {
        let managed_by = match &finished.verdict {
            JobVerdict::ManagedElsewhere(manager) => Some(manager.clone()),
            _ => None,
        };
        FinishedJson {
            memory: finished.memory.into(),
            wake: finished.wake.into(),
            verdict: verdict(&finished.verdict).to_owned(),
            managed_by,
            events: finished.events.into_iter().map(EventJson::from).collect(),
            counted: finished.counted.into(),
            error: finished.error.map(|error| error.message),
        }
    }
}

fn verdict(verdict: &JobVerdict) -> &'static str {
    match verdict {
        JobVerdict::Continues => "continues",
        JobVerdict::Completed => "completed",
        JobVerdict::Failed => "failed",
        JobVerdict::AlreadyFinished => "alreadyFinished",
        JobVerdict::FinishNotSeenYet => "finishNotSeenYet",
        JobVerdict::OwnWritesNotSeenYet => "ownWritesNotSeenYet",
        JobVerdict::ManagedElsewhere(_) => "managedElsewhere",
        JobVerdict::UnknownCompletionMode => "unknownCompletionMode",
        JobVerdict::Errored => "errored",
        _ => "other",
    }
}
