//! Job, CronJob and Pod as the API writes them: the fields a policy reads. Unknown fields are skipped on
//! reading; the Pod template is kept as raw JSON so that nothing in it is lost.

use alloc::string::String;
use serde::{Deserialize, Deserializer};

mod cron_job;
mod decode;
mod defaults;
mod job;
mod meta;
mod object;
mod pod;
mod quantity;
mod read;
mod schema;
mod selector;
mod uid_list;
pub mod validation;

pub use cron_job::{
    ConcurrencyPolicy, CronJob, CronJobSpec, CronJobStatus, JobTemplateSpec, ObjectReference,
};
pub use job::{
    Condition, Job, JobSpec, JobStatus, OnExitCodes, OnPodCondition, PodFailurePolicy, PodFailurePolicyRule,
    PodTemplate, SuccessPolicy, SuccessPolicyRule, UncountedTerminatedPods, condition, reason,
};
pub use meta::{ObjectMeta, OwnerReference};
pub use pod::{
    Container, ContainerState, ContainerStateTerminated, ContainerStatus, Pod, PodCondition, PodSpec,
    PodStatus,
};
pub use selector::{LabelSelector, LabelSelectorRequirement, Selector};
pub use uid_list::UidList;

/// The finalizer that holds a Pod until its end has been counted (`batch.JobTrackingFinalizer`).
pub const JOB_TRACKING_FINALIZER: &str = "batch.kubernetes.io/job-tracking";
/// The annotation and label with a Pod's completion index (`batch.JobCompletionIndexAnnotation`).
pub const JOB_COMPLETION_INDEX: &str = "batch.kubernetes.io/job-completion-index";
/// The annotation that carries an index's counted failures (`batch.JobIndexFailureCountAnnotation`).
pub const JOB_INDEX_FAILURE_COUNT: &str = "batch.kubernetes.io/job-index-failure-count";
/// The annotation that carries an index's ignored failures (`batch.JobIndexIgnoredFailureCountAnnotation`).
pub const JOB_INDEX_IGNORED_FAILURE_COUNT: &str = "batch.kubernetes.io/job-index-ignored-failure-count";
/// The value of `spec.managedBy` that names the built-in controller (`batch.JobControllerName`).
pub const JOB_CONTROLLER_NAME: &str = "kubernetes.io/job-controller";
/// The annotation with the scheduled time of a CronJob's Job (`batch.CronJobScheduledTimestampAnnotation`).
pub const CRON_JOB_SCHEDULED_TIMESTAMP: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/// Reads `null` as the default value, as Go's JSON decoder leaves a field untouched.
fn null_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a time, taking `null` and Go's zero time for unset.
fn time_or_unset<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<crate::Timestamp>, D::Error> {
    Ok(Option::<crate::Timestamp>::deserialize(deserializer)?.filter(|t| *t != crate::Timestamp::ZERO))
}

/// For `skip_serializing_if`: a false flag is left out, as `omitempty` does.
fn is_false(value: &bool) -> bool {
    !*value
}

/// For `skip_serializing_if`: a zero count is left out, as `omitempty` does.
fn is_zero(value: &i32) -> bool {
    *value == 0
}

/// Names, values and labels by key, in key order.
pub type StringMap = alloc::collections::BTreeMap<String, String>;
