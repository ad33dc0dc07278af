//! What the controller remembers about a Job between syncs. Losing it must be survivable.

use crate::Timestamp;
use crate::job::{Call, Claim, PodFacts};
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// After this long unmet expectations are given up (upstream `ExpectationsTimeout`, 5 minutes).
pub const EXPECTATIONS_TIMEOUT_NANOS: i64 = crate::NANOS_PER_SECOND.saturating_mul(300);

/// All that the controller remembers about one Job, keyed by namespace and name.
///
/// Expectations and awaited finalizer removals have a second writer, the watch: a driver records a wave's
/// [`Expect`](crate::step::Expect) before its calls, lowers them as events come in, and applies the sync's
/// [`MemoryDelta`] at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobMemory {
    /// Failures since the last success, for the delay before Pods are created again.
    pub backoff: Option<BackoffRecord>,
    /// Creations and deletions that the watch has not shown yet.
    pub expectations: Expectations,
    /// UIDs of Pods whose finalizer was removed, as far as the watch has not shown it yet.
    pub finalizers_being_removed: BTreeSet<Arc<str>>,
    /// The UID of the Job whose finished condition was written but not seen yet (`finishedJobExpectations`).
    pub finish_recorded: Option<String>,
    /// Whether own writes are not yet in the cache that the view was made from (`consistencyStore`).
    pub awaits_own_writes: bool,
}

impl JobMemory {
    /// Applies what a sync changed.
    pub fn apply(&mut self, delta: &MemoryDelta) {
        match &delta.backoff {
            BackoffChange::Keep => {}
            BackoffChange::Set(record) => self.backoff = Some(record.clone()),
            BackoffChange::Remove => self.backoff = None,
        }
        for uid in &delta.finalizers_kept {
            self.finalizers_being_removed.remove(uid);
        }
        self.expectations.lower(delta.creations_not_coming, delta.deletions_not_coming);
        match &delta.finish {
            FinishChange::Keep => {}
            FinishChange::Recorded(uid) => self.finish_recorded = Some(uid.clone()),
            FinishChange::Seen => self.finish_recorded = None,
        }
    }

    /// Lowers what is awaited as the watch shows a Pod of the Job: `before` as it was known, `after` as it is now
    /// (upstream `addPod`, `updatePod`, `deletePod`). `job_finished` is whether the cache shows the Job as finished:
    /// then deletions are not looked at.
    pub fn observe(&mut self, before: Option<&PodFacts>, after: Option<&PodFacts>, job_finished: bool) {
        let controlled = |pod: &PodFacts| matches!(pod.claim, Claim::Owned | Claim::NotSelected);
        let Some(pod) = after.or(before).filter(|pod| controlled(pod)) else { return };
        if after.is_none() || pod.deleting {
            if job_finished {
                return;
            }
            // Every event of a Pod that is being deleted counts as its deletion, as upstream has it.
            self.expectations.lower(0, 1);
        } else if before.is_none() {
            self.expectations.lower(1, 0);
            return;
        }
        if after.is_none_or(|pod| !pod.has_finalizer) {
            self.finalizers_being_removed.remove(pod.pod.uid());
        }
    }

    /// As [`JobMemory::observe`], for a Pod of the Job that is gone, of which nothing but the UID need be known. Not for
    /// a Job that has finished.
    pub fn observe_gone(&mut self, uid: &str) {
        self.expectations.lower(0, 1);
        self.finalizers_being_removed.remove(uid);
    }

    /// Records what is expected of a wave with these calls, before they go out.
    pub fn expect(&mut self, expect: &crate::step::Expect, calls: &[Call], now: Timestamp) {
        if let Some(creations) = expect.creations {
            self.expectations = Expectations { creations, deletions: 0, since: Some(now) };
        }
        if let Some(deletions) = expect.deletions {
            self.expectations = Expectations { creations: 0, deletions, since: Some(now) };
        }
        for call in calls.iter().filter(|_| expect.finalizer_removals) {
            if let Call::RemoveFinalizer(pod) = call {
                self.finalizers_being_removed.insert(pod.uid().into());
            }
        }
    }
}

/// Creations and deletions that the watch has not shown yet (upstream `ControlleeExpectations`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectations {
    /// Creations still to be seen; negative when more came than were expected.
    pub creations: i64,
    /// Deletions still to be seen.
    pub deletions: i64,
    /// When they were recorded; they expire after [`EXPECTATIONS_TIMEOUT_NANOS`].
    pub since: Option<Timestamp>,
}

impl Expectations {
    /// Whether nothing is awaited any more, or it has been for too long (upstream `SatisfiedExpectations`).
    pub fn satisfied(&self, now: Timestamp) -> bool {
        let Some(since) = self.since else { return true };
        let met = self.creations <= 0 && self.deletions <= 0;
        met || now.nanos_since(since) > EXPECTATIONS_TIMEOUT_NANOS
    }

    /// Takes off what was seen or will never come (upstream `LowerExpectations`).
    pub fn lower(&mut self, creations: i64, deletions: i64) {
        self.creations = self.creations.saturating_sub(creations);
        self.deletions = self.deletions.saturating_sub(deletions);
    }
}

/// Failures since the last success (upstream `backoffRecord`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackoffRecord {
    /// How many Pods failed after the last one that succeeded.
    pub failures_after_last_success: i32,
    /// When the last of them ended.
    pub last_failure_time: Option<Timestamp>,
}

/// What a sync changes in the memory: a delta, because the watch writes to the same memory meanwhile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryDelta {
    /// The back-off record.
    pub backoff: BackoffChange,
    /// UIDs whose finalizer could not be removed, so nothing is awaited for them.
    pub finalizers_kept: Vec<Arc<str>>,
    /// Expected creations that will not come: they failed or were not attempted.
    pub creations_not_coming: i64,
    /// Expected deletions that will not come.
    pub deletions_not_coming: i64,
    /// Whether the Job's end was recorded or seen.
    pub finish: FinishChange,
}

/// What becomes of the back-off record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BackoffChange {
    /// It stays.
    #[default]
    Keep,
    /// It is replaced: a status write has succeeded (upstream `updateBackoffRecord`).
    Set(BackoffRecord),
    /// It is dropped: the Job has finished (upstream `removeBackoffRecord`).
    Remove,
}

/// What becomes of the note that a Job's end was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FinishChange {
    /// It stays.
    #[default]
    Keep,
    /// The end of the Job with this UID was written.
    Recorded(String),
    /// The end was seen in the cache.
    Seen,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_expire_after_five_minutes() {
        let start = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        let expectations = Expectations { creations: 1, deletions: 0, since: Some(start) };
        assert!(!expectations.satisfied(start.plus_nanos(EXPECTATIONS_TIMEOUT_NANOS)));
        assert!(expectations.satisfied(start.plus_nanos(EXPECTATIONS_TIMEOUT_NANOS + 1)));
        assert!(Expectations::default().satisfied(start));
    }

    #[test]
    fn a_delta_undoes_what_will_not_come() {
        let now = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        let mut memory = JobMemory::default();
        let removal = Call::RemoveFinalizer(crate::job::PodRef::new("p", "u"));
        let expect =
            crate::step::Expect { creations: Some(3), finalizer_removals: true, ..Default::default() };
        memory.expect(&expect, &[removal], now);
        let delta = MemoryDelta {
            creations_not_coming: 3,
            finalizers_kept: alloc::vec!["u".into()],
            ..Default::default()
        };
        memory.apply(&delta);
        assert!(memory.expectations.satisfied(now));
        assert!(memory.finalizers_being_removed.is_empty());
    }
}
