//! What drivers ask.

use policy_core::Timestamp;
use policy_core::spec::{CronJob, Job, JobStatus, ObjectMeta, Pod};
use policy_json::step::{CronOutcomeJson, MemoryJson, OutcomeJson, SettingsJson};
use serde::Deserialize;

/// `apply`: takes in what the watch has shown of a Job and its Pods.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Apply {
    /// The cache; a new one when left out.
    #[serde(default)]
    pub(crate) cache: Option<u32>,
    /// The Job, new or changed.
    #[serde(default)]
    pub(crate) job: Option<Job>,
    /// What was shown of Pods, in order.
    #[serde(default)]
    pub(crate) events: Vec<EventIn>,
    /// What is remembered of the Job: comes back lowered by what was shown.
    #[serde(default)]
    pub(crate) memory: Option<MemoryJson>,
    /// Whether the cache goes.
    #[serde(default)]
    pub(crate) drop: bool,
}

/// What the watch has shown of a Pod.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum EventIn {
    /// It is new or has changed.
    Applied(Box<Pod>),
    /// The Pod with this UID is gone.
    Deleted(String),
}

/// `begin`: starts a sync of a Job, from a cache or from all its Pods, or of a CronJob.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Begin {
    pub(crate) now: Timestamp,
    #[serde(default)]
    pub(crate) cache: Option<u32>,
    #[serde(default)]
    pub(crate) job: Option<Job>,
    #[serde(default)]
    pub(crate) pods: Vec<Pod>,
    #[serde(default)]
    pub(crate) memory: MemoryJson,
    #[serde(default)]
    pub(crate) settings: SettingsJson,
    #[serde(default)]
    pub(crate) cron_job: Option<CronJob>,
    #[serde(default)]
    pub(crate) jobs: Vec<ChildIn>,
    /// Whether findings are wanted.
    #[serde(default)]
    pub(crate) trace: bool,
    /// Whether Pods to create are written out.
    #[serde(default = "yes")]
    pub(crate) render: bool,
}

fn yes() -> bool {
    true
}

/// What a CronJob's sync reads of a Job.
#[derive(Debug, Deserialize)]
pub(crate) struct ChildIn {
    #[serde(default)]
    pub(crate) metadata: ObjectMeta,
    #[serde(default)]
    pub(crate) status: JobStatus,
}

/// `resume`: goes on with a sync.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resume<'a> {
    pub(crate) paused: u32,
    #[serde(default)]
    pub(crate) now: Option<Timestamp>,
    /// One for each call, in their order.
    #[serde(default, borrow)]
    pub(crate) outcomes: Option<&'a serde_json::value::RawValue>,
    /// Whether the sync goes, without going on.
    #[serde(default)]
    pub(crate) drop: bool,
}

/// Outcomes of a Job's wave.
pub(crate) type Outcomes = Vec<OutcomeJson>;
/// Outcomes of a CronJob's wave.
pub(crate) type CronOutcomes = Vec<CronOutcomeJson>;
