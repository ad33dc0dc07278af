//! The controller's memory as JSON, whole; and what a sync changes in it.

use policy_core::{
    BackoffChange, BackoffRecord, Expectations, FinishChange, JobMemory, MemoryDelta, Timestamp,
};
use serde::{Deserialize, Serialize};

/// All that is remembered of a Job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MemoryJson {
    /// Failures since the last success.
    pub backoff: Option<BackoffJson>,
    /// What the watch has not shown yet.
    pub expectations: ExpectationsJson,
    /// UIDs of Pods whose finalizer was removed.
    pub finalizers_being_removed: Vec<String>,
    /// The UID of the Job whose end was written and not seen yet.
    pub finish_recorded: Option<String>,
    /// Whether own writes are not in the cache yet.
    pub awaits_own_writes: bool,
}

/// Failures since the last success.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BackoffJson {
    /// How many.
    pub failures_after_last_success: i32,
    /// When the last one was.
    pub last_failure_time: Option<Timestamp>,
}

/// Creations and deletions that the watch has not shown yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExpectationsJson {
    /// Creations.
    pub creations: i64,
    /// Deletions.
    pub deletions: i64,
    /// When they were recorded.
    pub since: Option<Timestamp>,
}

impl From<&BackoffRecord> for BackoffJson {
    fn from(record: &BackoffRecord) -> Self {
        BackoffJson {
            failures_after_last_success: record.failures_after_last_success,
            last_failure_time: record.last_failure_time,
        }
    }
}

impl From<&JobMemory> for MemoryJson {
    fn from(memory: &JobMemory) -> Self {
        let Expectations { creations, deletions, since } = memory.expectations;
        MemoryJson {
            backoff: memory.backoff.as_ref().map(BackoffJson::from),
            expectations: ExpectationsJson { creations, deletions, since },
            finalizers_being_removed: memory
                .finalizers_being_removed
                .iter()
                .map(|uid| uid.to_string())
                .collect(),
            finish_recorded: memory.finish_recorded.clone(),
            awaits_own_writes: memory.awaits_own_writes,
        }
    }
}

impl From<MemoryJson> for JobMemory {
    fn from(json: MemoryJson) -> Self {
        let ExpectationsJson { creations, deletions, since } = json.expectations;
        let record = |backoff: BackoffJson| BackoffRecord {
            failures_after_last_success: backoff.failures_after_last_success,
            last_failure_time: backoff.last_failure_time,
        };
        JobMemory {
            backoff: json.backoff.map(record),
            expectations: Expectations { creations, deletions, since },
            finalizers_being_removed: json
                .finalizers_being_removed
                .iter()
                .map(|uid| uid.as_str().into())
                .collect(),
            finish_recorded: json.finish_recorded,
            awaits_own_writes: json.awaits_own_writes,
        }
    }
}

/// What a sync changes in the memory.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MemoryDeltaJson {
    /// The back-off record: `keep`, `remove` or `{"set": …}`.
    pub backoff: BackoffChangeJson,
    /// UIDs whose finalizer could not be removed.
    pub finalizers_kept: Vec<String>,
    /// Expected creations that will not come.
    pub creations_not_coming: i64,
    /// Expected deletions that will not come.
    pub deletions_not_coming: i64,
    /// The note that the end was written: `keep`, `seen` or `{"recorded": UID}`.
    pub finish: FinishChangeJson,
}

/// What becomes of the back-off record.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BackoffChangeJson {
    /// It stays.
    #[default]
    Keep,
    /// It is replaced.
    Set(BackoffJson),
    /// It is dropped.
    Remove,
}

/// What becomes of the note that a Job's end was written.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FinishChangeJson {
    /// It stays.
    #[default]
    Keep,
    /// The end of the Job with this UID was written.
    Recorded(String),
    /// The end was seen.
    Seen,
}

impl From<MemoryDelta> for MemoryDeltaJson {
    fn from(delta: MemoryDelta) -> Self {
        MemoryDeltaJson {
            backoff: match &delta.backoff {
                BackoffChange::Keep => BackoffChangeJson::Keep,
                BackoffChange::Set(record) => BackoffChangeJson::Set(record.into()),
                BackoffChange::Remove => BackoffChangeJson::Remove,
            },
            finalizers_kept: delta.finalizers_kept.iter().map(|uid| uid.to_string()).collect(),
            creations_not_coming: delta.creations_not_coming,
            deletions_not_coming: delta.deletions_not_coming,
            finish: match delta.finish {
                FinishChange::Keep => FinishChangeJson::Keep,
                FinishChange::Recorded(uid) => FinishChangeJson::Recorded(uid),
                FinishChange::Seen => FinishChangeJson::Seen,
            },
        }
    }
}

impl From<MemoryDeltaJson> for MemoryDelta {
    fn from(json: MemoryDeltaJson) -> Self {
        MemoryDelta {
            backoff: match json.backoff {
                BackoffChangeJson::Keep => BackoffChange::Keep,
                BackoffChangeJson::Set(record) => BackoffChange::Set(BackoffRecord {
                    failures_after_last_success: record.failures_after_last_success,
                    last_failure_time: record.last_failure_time,
                }),
                BackoffChangeJson::Remove => BackoffChange::Remove,
            },
            finalizers_kept: json.finalizers_kept.iter().map(|uid| uid.as_str().into()).collect(),
            creations_not_coming: json.creations_not_coming,
            deletions_not_coming: json.deletions_not_coming,
            finish: match json.finish {
                FinishChangeJson::Keep => FinishChange::Keep,
                FinishChangeJson::Recorded(uid) => FinishChange::Recorded(uid),
                FinishChangeJson::Seen => FinishChange::Seen,
            },
        }
    }
}
