//! Job: spec, status, and the policies in the spec.

use super::{LabelSelector, ObjectMeta, UidList, is_zero, null_default, time_or_unset};
use crate::Timestamp;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// Types of Job conditions (`batch.JobConditionType`).
pub mod condition {
    /// The Job completed.
    pub const COMPLETE: &str = "Complete";
    /// The Job failed.
    pub const FAILED: &str = "Failed";
    /// The Job is suspended.
    pub const SUSPENDED: &str = "Suspended";
    /// The Job is about to fail: its Pods are being ended.
    pub const FAILURE_TARGET: &str = "FailureTarget";
    /// The Job has met what counts as success: its Pods are being ended.
    pub const SUCCESS_CRITERIA_MET: &str = "SuccessCriteriaMet";
}

/// Reasons of Job conditions (`batch.JobReason…`).
pub mod reason {
    /// A FailJob rule matched.
    pub const POD_FAILURE_POLICY: &str = "PodFailurePolicy";
    /// More failures than `backoffLimit`.
    pub const BACKOFF_LIMIT_EXCEEDED: &str = "BackoffLimitExceeded";
    /// Active for longer than `activeDeadlineSeconds`.
    pub const DEADLINE_EXCEEDED: &str = "DeadlineExceeded";
    /// More failed indexes than `maxFailedIndexes`.
    pub const MAX_FAILED_INDEXES_EXCEEDED: &str = "MaxFailedIndexesExceeded";
    /// Every index has ended and some failed.
    pub const FAILED_INDEXES: &str = "FailedIndexes";
    /// A success policy rule matched.
    pub const SUCCESS_POLICY: &str = "SuccessPolicy";
    /// As many successes as completions.
    pub const COMPLETIONS_REACHED: &str = "CompletionsReached";
}

/// `batch/v1` Job.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Job {
    /// Metadata.
    #[serde(deserialize_with = "null_default")]
    pub metadata: ObjectMeta,
    /// Desired state.
    #[serde(deserialize_with = "null_default")]
    pub spec: JobSpec,
    /// Observed state.
    #[serde(deserialize_with = "null_default")]
    pub status: JobStatus,
}

/// `batch.JobSpec`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct JobSpec {
    /// How many Pods may run at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallelism: Option<i32>,
    /// How many must succeed; unset: any success ends the Job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completions: Option<i32>,
    /// For how long the Job may be active, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_deadline_seconds: Option<i64>,
    /// What failures of Pods mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_failure_policy: Option<PodFailurePolicy>,
    /// When an Indexed Job counts as successful before all indexes are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_policy: Option<SuccessPolicy>,
    /// How many failures are tolerated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff_limit: Option<i32>,
    /// How many failures are tolerated for each index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff_limit_per_index: Option<i32>,
    /// How many indexes may fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_failed_indexes: Option<i32>,
    /// Which Pods are the Job's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,
    /// Whether the user made the selector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manual_selector: Option<bool>,
    /// What a Pod is made from.
    #[serde(deserialize_with = "null_default")]
    pub template: PodTemplate,
    /// After how many seconds a finished Job is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_seconds_after_finished: Option<i32>,
    /// `NonIndexed` or `Indexed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_mode: Option<String>,
    /// Whether the Job is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    /// `TerminatingOrFailed` or `Failed`: when a Pod may be replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_replacement_policy: Option<String>,
    /// The controller that owns the Job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<String>,
}

impl JobSpec {
    /// Whether the Job is Indexed (upstream `isIndexedJob`).
    pub fn is_indexed(&self) -> bool {
        self.completion_mode.as_deref() == Some("Indexed")
    }

    /// Whether the Job is suspended (upstream `jobSuspended`).
    pub fn is_suspended(&self) -> bool {
        self.suspend == Some(true)
    }

    /// Whether Pods are replaced only once they have ended (upstream `onlyReplaceFailedPods`).
    pub fn only_replaces_failed_pods(&self) -> bool {
        self.pod_replacement_policy.as_deref() == Some("Failed")
    }
}

/// `v1.PodTemplateSpec` as raw JSON, so that nothing in it is lost, with the one field that decides something.
#[derive(Clone, Debug, Default)]
pub struct PodTemplate {
    raw: Option<Box<RawValue>>,
    restart_policy: Option<Box<str>>,
}

impl PodTemplate {
    /// The template as JSON text; `{}` when unset.
    pub fn json(&self) -> &str {
        self.raw.as_ref().map_or("{}", |raw| raw.get())
    }

    /// `spec.restartPolicy`; empty when unset.
    pub fn restart_policy(&self) -> &str {
        self.restart_policy.as_deref().unwrap_or_default()
    }
}

impl Serialize for PodTemplate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.raw {
            Some(raw) => raw.serialize(serializer),
            None => serde_json::Map::new().serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for PodTemplate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Template {
            #[serde(deserialize_with = "null_default")]
            spec: Spec,
        }
        #[derive(Deserialize, Default)]
        #[serde(rename_all = "camelCase", default)]
        struct Spec {
            restart_policy: Option<Box<str>>,
        }
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let template: Option<Template> = serde_json::from_str(raw.get()).map_err(serde::de::Error::custom)?;
        let Some(template) = template else { return Ok(PodTemplate::default()) };
        Ok(PodTemplate { raw: Some(raw), restart_policy: template.spec.restart_policy })
    }
}

/// `batch.PodFailurePolicy`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodFailurePolicy {
    /// Rules in order; the first that matches decides.
    #[serde(deserialize_with = "null_default")]
    pub rules: Vec<PodFailurePolicyRule>,
}

/// `batch.PodFailurePolicyRule`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodFailurePolicyRule {
    /// `FailJob`, `FailIndex`, `Ignore` or `Count`.
    #[serde(deserialize_with = "null_default")]
    pub action: String,
    /// Matches by exit code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_exit_codes: Option<OnExitCodes>,
    /// Matches by Pod condition; any of the patterns. Looked at only without `onExitCodes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_pod_conditions: Option<Vec<OnPodCondition>>,
}

/// `batch.PodFailurePolicyOnExitCodesRequirement`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OnExitCodes {
    /// The container looked at; unset: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_name: Option<String>,
    /// `In` or `NotIn`.
    #[serde(deserialize_with = "null_default")]
    pub operator: String,
    /// Exit codes.
    #[serde(deserialize_with = "null_default")]
    pub values: Vec<i32>,
}

/// `batch.PodFailurePolicyOnPodConditionsPattern`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OnPodCondition {
    /// Type of the Pod condition.
    #[serde(rename = "type", deserialize_with = "null_default")]
    pub kind: String,
    /// Status of the Pod condition.
    #[serde(deserialize_with = "null_default")]
    pub status: String,
}

/// `batch.SuccessPolicy`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SuccessPolicy {
    /// Rules in order; the first that matches decides.
    #[serde(deserialize_with = "null_default")]
    pub rules: Vec<SuccessPolicyRule>,
}

/// `batch.SuccessPolicyRule`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SuccessPolicyRule {
    /// The indexes that must succeed, like `0,2-4`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub succeeded_indexes: Option<String>,
    /// How many (of those) must succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub succeeded_count: Option<i32>,
}

/// `batch.JobStatus`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct JobStatus {
    /// Conditions, in the order in which they were added.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// When the Job became active.
    #[serde(deserialize_with = "time_or_unset", skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Timestamp>,
    /// When the Job completed.
    #[serde(deserialize_with = "time_or_unset", skip_serializing_if = "Option::is_none")]
    pub completion_time: Option<Timestamp>,
    /// Pods that are neither ended nor being deleted.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "is_zero")]
    pub active: i32,
    /// Pods that succeeded.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "is_zero")]
    pub succeeded: i32,
    /// Pods that failed.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "is_zero")]
    pub failed: i32,
    /// Pods that are being deleted and have not ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terminating: Option<i32>,
    /// Indexes that succeeded, like `0,2-4`.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "String::is_empty")]
    pub completed_indexes: String,
    /// Indexes that failed; set only with `backoffLimitPerIndex`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_indexes: Option<String>,
    /// Pods whose end is recorded here but not yet in the counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uncounted_terminated_pods: Option<UncountedTerminatedPods>,
    /// Active Pods that are ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready: Option<i32>,
}

impl JobStatus {
    /// The first condition of that type (upstream `findConditionByType`).
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|c| c.kind == kind)
    }

    /// The condition `Complete` or `Failed` that holds (upstream `util.FinishedCondition`).
    pub fn finished(&self) -> Option<&Condition> {
        self.conditions
            .iter()
            .find(|c| (c.kind == condition::COMPLETE || c.kind == condition::FAILED) && c.is_true())
    }
}

/// `batch.UncountedTerminatedPods`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UncountedTerminatedPods {
    /// UIDs of succeeded Pods.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "UidList::is_empty")]
    pub succeeded: UidList,
    /// UIDs of failed Pods.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "UidList::is_empty")]
    pub failed: UidList,
}

/// `batch.JobCondition`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    /// One of [`condition`]'s types.
    #[serde(rename = "type", deserialize_with = "null_default")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    #[serde(deserialize_with = "null_default")]
    pub status: String,
    /// When it was last looked at.
    #[serde(deserialize_with = "time_or_unset")]
    pub last_probe_time: Option<Timestamp>,
    /// When the status last changed.
    #[serde(deserialize_with = "time_or_unset")]
    pub last_transition_time: Option<Timestamp>,
    /// One of [`reason`]'s words.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Words for people.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "String::is_empty")]
    pub message: String,
}

impl Condition {
    /// Whether the status is `True`.
    pub fn is_true(&self) -> bool {
        self.status == "True"
    }
}
