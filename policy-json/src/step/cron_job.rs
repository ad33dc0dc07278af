//! A CronJob's calls, outcomes and ends.

use super::{EventJson, FailureJson};
use policy_core::Timestamp;
use policy_core::cron::{Call, Finished, Outcome};
use policy_core::spec::{CronJob, CronJobStatus, ObjectMeta};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A call of a CronJob's sync.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum CronCallJson {
    /// Read a Job.
    GetJob {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// Read the CronJob afresh.
    GetCronJob {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// Delete a Job, its Pods in the background.
    DeleteJob {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// Create a Job.
    CreateJob {
        /// The namespace.
        namespace: String,
        /// The Job.
        job: Value,
    },
    /// Replace the CronJob's status.
    UpdateStatus {
        /// The status.
        status: Box<CronJobStatus>,
    },
}

impl From<Call> for CronCallJson {
    fn from(call: Call) -> Self {
        match call {
            Call::GetJob { namespace, name } => CronCallJson::GetJob { namespace, name },
            Call::GetCronJob { namespace, name } => CronCallJson::GetCronJob { namespace, name },
            Call::DeleteJob { namespace, name } => CronCallJson::DeleteJob { namespace, name },
            Call::CreateJob { namespace, job } => {
                // What was read from JSON can be written as JSON.
                CronCallJson::CreateJob { namespace, job: serde_json::to_value(&job).unwrap_or_default() }
            }
            Call::UpdateStatus(status) => CronCallJson::UpdateStatus { status },
        }
    }
}

/// How a call went.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CronOutcomeJson {
    /// It was carried out.
    Done {},
    /// The metadata of the Job that was read or created.
    Job(Box<ObjectMeta>),
    /// The CronJob that was read.
    CronJob(Box<CronJob>),
    /// It failed.
    Failed(FailureJson),
}

impl From<CronOutcomeJson> for Outcome {
    fn from(json: CronOutcomeJson) -> Self {
        match json {
            CronOutcomeJson::Done {} => Outcome::Done,
            CronOutcomeJson::Job(meta) => Outcome::Job(meta),
            CronOutcomeJson::CronJob(cron_job) => Outcome::CronJob(cron_job),
            CronOutcomeJson::Failed(failure) => Outcome::Failed(failure.into()),
        }
    }
}

/// The end of a CronJob's sync.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CronFinishedJson {
    /// When to look again.
    pub requeue_at: Option<Timestamp>,
    /// The same as a delay; hugely negative when an exhausted schedule has no next time.
    pub requeue_after_ms: Option<i64>,
    /// Why the sync failed.
    pub error: Option<String>,
    /// Events to publish.
    pub events: Vec<EventJson>,
    /// How long after its time the Job was created, for the metric.
    pub creation_skew_ms: Option<i64>,
}

impl From<Finished> for CronFinishedJson {
    fn from(finished: Finished) -> Self {
        let millis = |nanos: i64| nanos / 1_000_000;
        CronFinishedJson {
            requeue_at: finished.requeue.map(|requeue| requeue.at),
            requeue_after_ms: finished.requeue.map(|requeue| millis(requeue.after_nanos)),
            error: finished.error.map(|error| error.to_string()),
            events: finished.events.into_iter().map(EventJson::from).collect(),
            creation_skew_ms: finished.creation_skew_nanos.map(millis),
        }
    }
}
