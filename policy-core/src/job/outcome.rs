//! How a sync ends: what to remember, when to look again, what was counted.

use crate::Timestamp;
use crate::memory::MemoryDelta;
use crate::spec::Job;
use crate::step::Event;
use alloc::string::String;
use alloc::vec::Vec;

/// The end of a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// What to change in the memory.
    pub memory: MemoryDelta,
    /// When to decide again, without any event.
    pub wake: Wake,
    /// What became of the Job.
    pub verdict: JobVerdict,
    /// Events to publish.
    pub events: Vec<Event>,
    /// What metrics count.
    pub counted: Counted,
    /// Why the sync failed, if it did; it is retried.
    pub error: Option<SyncError>,
}

/// When to decide again. Both can be wanted: whichever comes first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wake {
    /// At this instant: a back-off ends or the deadline is reached, whichever is earlier.
    pub at: Option<Timestamp>,
    /// When the back-off ends that Pod creation waits for; at least a batch period from now.
    pub backoff_ends_at: Option<Timestamp>,
    /// When the Job will have been active for `spec.activeDeadlineSeconds`.
    pub deadline_at: Option<Timestamp>,
    /// After the work queue's rate-limited delay, because the sync failed.
    pub retry: bool,
}

/// What became of the Job in a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JobVerdict {
    /// It goes on.
    Continues,
    /// It has completed with this sync.
    Completed,
    /// It has failed with this sync.
    Failed,
    /// It had finished before.
    AlreadyFinished,
    /// Its end was written before and is not in the cache yet.
    FinishNotSeenYet,
    /// Own writes are not in the cache yet, so nothing was decided.
    OwnWritesNotSeenYet,
    /// Another controller manages it.
    ManagedElsewhere(String),
    /// Its completion mode is unknown.
    UnknownCompletionMode,
    /// A call failed, or the Job cannot be used; see the error.
    Errored,
}

/// Why a sync failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncError {
    /// Upstream's words around the server's.
    pub message: String,
}

/// What a sync did, as upstream's metrics label it (`job_syncs_total{action}`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncAction {
    /// Pods were not managed.
    Reconciling,
    /// Nothing was created or deleted.
    Tracking,
    /// Pods were created, or wait for back-off.
    PodsCreated,
    /// Pods were deleted.
    PodsDeleted,
}

impl SyncAction {
    /// The label's value.
    pub fn as_str(self) -> &'static str {
        match self {
            SyncAction::Reconciling => "reconciling",
            SyncAction::Tracking => "tracking",
            SyncAction::PodsCreated => "pods_created",
            SyncAction::PodsDeleted => "pods_deleted",
        }
    }
}

/// What metrics count of one sync, so that nothing is decided again outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// `Indexed` or `NonIndexed`.
    pub completion_mode: &'static str,
    /// `perIndex` or `global` (label `backoffLimit`).
    pub backoff_limit: &'static str,
    /// What the sync did.
    pub action: SyncAction,
    /// Pods counted as succeeded (`job_pods_finished_total`).
    pub pods_succeeded: i64,
    /// Pods counted as failed.
    pub pods_failed: i64,
    /// Indexes that newly succeeded (`job_finished_indexes_total`).
    pub indexes_succeeded: i64,
    /// Indexes that newly failed.
    pub indexes_failed: i64,
    /// Pods created (`job_pods_creation_total`). Upstream counts a failed creation here too.
    pub creations_succeeded: i64,
    /// Pods whose creation failed.
    pub creations_failed: i64,
    /// The label `reason` of creations.
    pub creation_reason: &'static str,
    /// Failures handled by a rule of the Pod failure policy, by action: FailJob, FailIndex, Ignore, Count.
    pub policy_actions: [i64; 4],
    /// The reason of the Job's end, if it ended (`jobs_finished_total`).
    pub finished_reason: Option<String>,
}

impl Counted {
    pub(crate) fn new(job: &Job) -> Self {
        Counted {
            completion_mode: if job.spec.is_indexed() { "Indexed" } else { "NonIndexed" },
            backoff_limit: if job.spec.backoff_limit_per_index.is_some() { "perIndex" } else { "global" },
            action: SyncAction::Reconciling,
            pods_succeeded: 0,
            pods_failed: 0,
            indexes_succeeded: 0,
            indexes_failed: 0,
            creations_succeeded: 0,
            creations_failed: 0,
            creation_reason: "new",
            policy_actions: [0; 4],
            finished_reason: None,
        }
    }
}
