//! Waves, outcomes and ends of syncs as JSON: what crosses between a policy module and its driver.
//!
//! Both sides use these types, so all of them can be read and written.

use policy_core::explain::Finding;
use policy_core::job::Call;
use policy_core::step::{CallError, CallErrorKind, Event, Expect};
use serde::{Deserialize, Serialize};

mod cron_job;
mod job;
mod memory;
mod settings;

pub use cron_job::{CronCallJson, CronFinishedJson, CronOutcomeJson};
pub use job::{CallJson, CountedJson, FinishedJson, IndexFailuresJson, OutcomeJson, PodJson, WakeJson, call};
pub use memory::{BackoffJson, ExpectationsJson, MemoryDeltaJson, MemoryJson};
pub use settings::SettingsJson;

/// A wave.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WaveJson<C> {
    /// The calls.
    pub calls: Vec<C>,
    /// The number of the first one.
    pub first_call: u32,
    /// What to record before the first call goes out.
    pub expect: ExpectJson,
    /// Events to publish before the calls.
    pub events: Vec<EventJson>,
}

/// What a wave expects; see `policy_core::step::Expect`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExpectJson {
    /// Creations.
    pub creations: Option<i64>,
    /// Deletions.
    pub deletions: Option<i64>,
    /// UIDs of Pods whose finalizer is removed.
    pub finalizer_removals: Vec<String>,
}

impl ExpectJson {
    /// What a wave with these calls expects.
    pub fn of(expect: &Expect, calls: &[Call]) -> Self {
        let removed = calls.iter().filter(|_| expect.finalizer_removals).filter_map(|call| match call {
            Call::RemoveFinalizer(pod) => Some(pod.uid().to_owned()),
            _ => None,
        });
        ExpectJson {
            creations: expect.creations,
            deletions: expect.deletions,
            finalizer_removals: removed.collect(),
        }
    }
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventJson {
    /// `Normal` or `Warning`.
    pub r#type: String,
    /// One word for machines.
    pub reason: String,
    /// Words for people.
    pub message: String,
}

impl From<Event> for EventJson {
    fn from(event: Event) -> Self {
        EventJson { r#type: event.kind.to_owned(), reason: event.reason, message: event.message }
    }
}

/// Why a call failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FailureJson {
    /// The kind, as far as decisions depend on it.
    #[serde(default)]
    pub kind: FailureKind,
    /// The server's words.
    #[serde(default)]
    pub message: String,
}

/// The kinds of failure that decisions tell apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FailureKind {
    /// The object does not exist.
    NotFound,
    /// An object of that name exists.
    AlreadyExists,
    /// The object has changed since it was read.
    Conflict,
    /// The namespace is being deleted.
    NamespaceTerminating,
    /// Anything else, a lost answer among them.
    #[default]
    Other,
}

impl From<FailureJson> for CallError {
    fn from(failure: FailureJson) -> Self {
        let kind = match failure.kind {
            FailureKind::NotFound => CallErrorKind::NotFound,
            FailureKind::AlreadyExists => CallErrorKind::AlreadyExists,
            FailureKind::Conflict => CallErrorKind::Conflict,
            FailureKind::NamespaceTerminating => CallErrorKind::NamespaceTerminating,
            FailureKind::Other => CallErrorKind::Other,
        };
        CallError { kind, message: failure.message }
    }
}

/// What a step gives: a wave and the handle under which the sync waits, or the end.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepJson<C, F> {
    /// The wave, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wave: Option<WaveJson<C>>,
    /// The handle of the sync that waits for its outcomes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<u32>,
    /// The end, if there is no wave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished: Option<F>,
    /// The rules that were looked at in this step, if that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}
