//! Lines of the vectors as the core's types.

use policy_core::spec::{Job, Pod};
use policy_core::{BackoffRecord, Expectations, JobMemory, Timestamp};
use serde::Deserialize;

/// The input of one Job decision.
#[derive(Deserialize)]
pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) now: Timestamp,
    pub(crate) job: Job,
    #[serde(default)]
    pub(crate) pods: Vec<Pod>,
    memory: Option<Memory>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Memory {
    backoff: Option<Backoff>,
    finalizers_being_removed: Option<Vec<String>>,
    expectations_satisfied: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Backoff {
    failures_after_last_success: i32,
    last_failure_time: Option<Timestamp>,
}

impl Line {
    pub(crate) fn memory(&mut self) -> JobMemory {
        let memory = self.memory.take().unwrap_or_default();
        let awaited = i64::from(memory.expectations_satisfied == Some(false));
        JobMemory {
            backoff: memory.backoff.map(|record| BackoffRecord {
                failures_after_last_success: record.failures_after_last_success,
                last_failure_time: record.last_failure_time,
            }),
            expectations: Expectations { creations: awaited, deletions: 0, since: Some(self.now) },
            finalizers_being_removed: memory
                .finalizers_being_removed
                .into_iter()
                .flatten()
                .map(|uid| uid.as_str().into())
                .collect(),
            ..JobMemory::default()
        }
    }
}
