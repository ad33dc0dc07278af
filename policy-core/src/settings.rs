//! What an operator may change about the controller: limits, periods, feature gates, and which Jobs are its own.

use crate::NANOS_PER_SECOND;
use alloc::string::String;

/// Limits, periods and gates of the Job controller. The default is Kubernetes v1.37's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Wait after the first failure; doubles with each further one (upstream `DefaultJobPodFailureBackOff`).
    pub pod_failure_backoff_nanos: i64,
    /// The longest such wait (upstream `MaxJobPodFailureBackOff`).
    pub pod_failure_backoff_max_nanos: i64,
    /// The shortest delay of a back-off requeue (upstream `SyncJobBatchPeriod`).
    pub sync_batch_period_nanos: i64,
    /// How many ended Pods one status may list as uncounted (upstream `MaxUncountedPods`).
    pub max_uncounted_pods: usize,
    /// How many Pods one sync may create or delete (upstream `MaxPodCreateDeletePerSync`).
    pub max_pod_create_delete_per_sync: i32,
    /// Feature gates.
    pub gates: Gates,
    /// Which Jobs are decided about.
    pub manages: Manages,
}

impl Settings {
    /// Kubernetes v1.37's values.
    pub const DEFAULT: Settings = Settings {
        pod_failure_backoff_nanos: NANOS_PER_SECOND.saturating_mul(10),
        pod_failure_backoff_max_nanos: NANOS_PER_SECOND.saturating_mul(600),
        sync_batch_period_nanos: NANOS_PER_SECOND,
        max_uncounted_pods: 500,
        max_pod_create_delete_per_sync: 500,
        gates: Gates::DEFAULT,
        manages: Manages::LikeBuiltIn,
    };
}

impl Default for Settings {
    fn default() -> Self {
        Settings::DEFAULT
    }
}

/// Which Jobs a controller manages, told by `spec.managedBy`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Manages {
    /// Those that name nobody or the built-in controller, as the built-in controller itself does.
    #[default]
    LikeBuiltIn,
    /// Those of the built-in controller and those that name this one, which takes its place.
    InsteadOfBuiltIn(String),
    /// Only those that name this one, which runs beside the built-in controller.
    BesideBuiltIn(String),
}

/// Feature gates that change decisions. The default is Kubernetes v1.37's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gates {
    /// `JobManagedBy`: Jobs whose `spec.managedBy` names another controller are left alone.
    pub job_managed_by: bool,
    /// `MutableSchedulingDirectivesForSuspendedJobs`: suspending clears `status.startTime`.
    pub mutable_scheduling_directives_for_suspended_jobs: bool,
}

impl Gates {
    /// Kubernetes v1.37's gates.
    pub const DEFAULT: Gates =
        Gates { job_managed_by: true, mutable_scheduling_directives_for_suspended_jobs: true };
}

impl Default for Gates {
    fn default() -> Self {
        Gates::DEFAULT
    }
}
