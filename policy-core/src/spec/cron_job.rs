//! CronJob: spec and status.

use super::{ObjectMeta, null_default, time_or_unset};
use crate::Timestamp;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// `batch/v1` CronJob.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CronJob {
    /// Metadata.
    #[serde(deserialize_with = "null_default")]
    pub metadata: ObjectMeta,
    /// Desired state.
    #[serde(deserialize_with = "null_default")]
    pub spec: CronJobSpec,
    /// Observed state.
    #[serde(deserialize_with = "null_default")]
    pub status: CronJobStatus,
}

/// What happens when a run is due while an earlier one is active (`batch.ConcurrencyPolicy`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConcurrencyPolicy {
    /// Both run.
    Allow,
    /// The new run is skipped.
    Forbid,
    /// The active runs are deleted first.
    Replace,
}

/// `batch.CronJobSpec`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CronJobSpec {
    /// When to run, in the Kubernetes dialect of cron.
    #[serde(deserialize_with = "null_default")]
    pub schedule: String,
    /// The zone in which the schedule is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// How late a run may still start, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starting_deadline_seconds: Option<i64>,
    /// `Allow`, `Forbid` or `Replace`.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "String::is_empty")]
    pub concurrency_policy: String,
    /// Whether runs are held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    /// What a run's Job is made from.
    #[serde(deserialize_with = "null_default")]
    pub job_template: JobTemplateSpec,
    /// How many successful Jobs are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub successful_jobs_history_limit: Option<i32>,
    /// How many failed Jobs are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_jobs_history_limit: Option<i32>,
}

/// `batch.JobTemplateSpec`: metadata, and the Job's spec as raw JSON so that nothing in it is lost.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct JobTemplateSpec {
    /// Labels and annotations for the Job; the rest is ignored.
    #[serde(deserialize_with = "null_default")]
    pub metadata: ObjectMeta,
    /// The Job's spec as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<Box<RawValue>>,
}

/// `batch.CronJobStatus`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CronJobStatus {
    /// Jobs that are running.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "Vec::is_empty")]
    pub active: Vec<ObjectReference>,
    /// When a Job was last scheduled.
    #[serde(deserialize_with = "time_or_unset", skip_serializing_if = "Option::is_none")]
    pub last_schedule_time: Option<Timestamp>,
    /// When a Job last completed.
    #[serde(deserialize_with = "time_or_unset", skip_serializing_if = "Option::is_none")]
    pub last_successful_time: Option<Timestamp>,
}

/// `v1.ObjectReference`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectReference {
    /// Kind.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Namespace.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Name.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// UID.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// API version.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "String::is_empty")]
    pub api_version: String,
    /// The server's version of the object.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "String::is_empty")]
    pub resource_version: String,
    /// The part of the object referred to.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "String::is_empty")]
    pub field_path: String,
}
