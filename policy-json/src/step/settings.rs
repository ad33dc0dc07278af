//! Settings as JSON.

use policy_core::{Manages, NANOS_PER_SECOND, Settings};
use serde::{Deserialize, Serialize};

/// Settings that differ from Kubernetes' own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SettingsJson {
    /// The wait after the first failure, in milliseconds.
    pub pod_failure_backoff_ms: Option<i64>,
    /// The longest such wait.
    pub pod_failure_backoff_max_ms: Option<i64>,
    /// The shortest delay of a back-off.
    pub sync_batch_period_ms: Option<i64>,
    /// How many ended Pods one status may list.
    pub max_uncounted_pods: Option<u32>,
    /// How many Pods one sync may create or delete.
    pub max_pod_create_delete_per_sync: Option<i32>,
    /// Whether `spec.managedBy` is heeded. A policy that runs for another controller sets it to false.
    pub job_managed_by: Option<bool>,
    /// Whether suspending clears `status.startTime`.
    pub mutable_scheduling_directives_for_suspended_jobs: Option<bool>,
    /// Which Jobs are decided about.
    pub manages: Option<ManagesJson>,
}

/// Which Jobs a controller manages ([`Manages`]): `"likeBuiltIn"`, `{"insteadOfBuiltIn": "NAME"}` or
/// `{"besideBuiltIn": "NAME"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ManagesJson {
    /// Those that name nobody or the built-in controller.
    #[serde(rename = "likeBuiltIn")]
    Like,
    /// Those, and those that name this one.
    #[serde(rename = "insteadOfBuiltIn")]
    Instead(String),
    /// Only those that name this one.
    #[serde(rename = "besideBuiltIn")]
    Beside(String),
}

impl From<ManagesJson> for Manages {
    fn from(json: ManagesJson) -> Self {
        match json {
            ManagesJson::Like => Manages::LikeBuiltIn,
            ManagesJson::Instead(name) => Manages::InsteadOfBuiltIn(name),
            ManagesJson::Beside(name) => Manages::BesideBuiltIn(name),
        }
    }
}

impl From<SettingsJson> for Settings {
    fn from(json: SettingsJson) -> Self {
        let default = Settings::DEFAULT;
        let nanos = |millis: Option<i64>, default: i64| {
            millis.map_or(default, |millis| millis.saturating_mul(NANOS_PER_SECOND / 1000))
        };
        let mut gates = default.gates;
        gates.job_managed_by = json.job_managed_by.unwrap_or(gates.job_managed_by);
        gates.mutable_scheduling_directives_for_suspended_jobs = json
            .mutable_scheduling_directives_for_suspended_jobs
            .unwrap_or(gates.mutable_scheduling_directives_for_suspended_jobs);
        Settings {
            pod_failure_backoff_nanos: nanos(json.pod_failure_backoff_ms, default.pod_failure_backoff_nanos),
            pod_failure_backoff_max_nanos: nanos(
                json.pod_failure_backoff_max_ms,
                default.pod_failure_backoff_max_nanos,
            ),
            sync_batch_period_nanos: nanos(json.sync_batch_period_ms, default.sync_batch_period_nanos),
            max_uncounted_pods: json
                .max_uncounted_pods
                .and_then(|most| usize::try_from(most).ok())
                .unwrap_or(default.max_uncounted_pods),
            max_pod_create_delete_per_sync: json
                .max_pod_create_delete_per_sync
                .unwrap_or(default.max_pod_create_delete_per_sync),
            gates,
            manages: json.manages.map_or(default.manages, Manages::from),
        }
    }
}
