//! What rules ask about the Job's own Pods, whoever answers: a plain list of facts ([`Listed`]) or a [`Roll`] whose
//! answers are kept up to date event by event.
//!
//! Rules know Pods by place. What a place is, only the answerer knows: the position in the list, or the slot in the roll.

use super::facts::PodFacts;
use super::indexes::Intervals;
use super::pod_failure_policy::counts;
use super::sync::Sync;
use super::{Action, counts::Uncounted};
use crate::Timestamp;
use crate::spec::{JobSpec, JobStatus};
use alloc::borrow::Cow;
use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::ControlFlow;

mod kept;
mod listed;

pub(crate) use kept::Kept;
pub(crate) use listed::{Listed, Noted};

#[cfg(doc)]
use super::roll::Roll;

/// Which Pods count as what: the parts of the spec by which Pods are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CountRules {
    pub(crate) indexed: bool,
    /// `completions` as indexes are compared with it; an Indexed Job without completions has no valid index.
    pub(crate) index_bound: i64,
    pub(crate) only_replaces_failed_pods: bool,
    /// `backoffLimitPerIndex` of an Indexed Job.
    pub(crate) limit_per_index: Option<i32>,
}

impl CountRules {
    pub(crate) fn of(spec: &JobSpec) -> Self {
        let indexed = spec.is_indexed();
        CountRules {
            indexed,
            // Without indexes neither is looked at, so that a change of them changes nothing.
            index_bound: if indexed { spec.completions.unwrap_or(0).into() } else { 0 },
            only_replaces_failed_pods: spec.only_replaces_failed_pods(),
            limit_per_index: spec.backoff_limit_per_index.filter(|_| indexed),
        }
    }

    /// Whether `index` is one that the Job has.
    pub(crate) fn has_index(&self, index: i64) -> bool {
        (0..self.index_bound).contains(&index)
    }

    pub(crate) fn is_failed(&self, pod: &PodFacts) -> bool {
        pod.is_failed(self.only_replaces_failed_pods)
    }

    /// Whether the Pod's end is one to count (from upstream `getValidPodsWithFilter`).
    pub(crate) fn counts_end(&self, pod: &PodFacts) -> bool {
        pod.has_finalizer && (!self.indexed || self.has_index(pod.index))
    }

    /// Whether a Pod that has failed fails its index (upstream `isIndexFailed`).
    pub(crate) fn fails_index(&self, pod: &PodFacts) -> bool {
        let Some(limit) = self.limit_per_index else { return false };
        let action = pod.policy_match.as_deref().map(|m| m.action);
        let fails = action == Some(Action::FailIndex)
            || (counts(pod.policy_match.as_deref()) && pod.index_failure_count >= limit);
        fails && pod.has_finalizer && self.has_index(pod.index)
    }
}

/// What was counted before, or is about to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'a> {
    pub(crate) rules: CountRules,
    pub(crate) uncounted: &'a Uncounted<'a>,
    /// UIDs whose finalizer removal is under way.
    pub(crate) being_removed: &'a BTreeSet<Arc<str>>,
}

/// The Pods in numbers.
#[derive(Debug, Default)]
pub(crate) struct Tally<'p> {
    pub(crate) active: i32,
    pub(crate) ready: i32,
    pub(crate) terminating: i32,
    /// Restarts of all containers of Running and Pending Pods.
    pub(crate) restarts: i32,
    /// The first failed Pod in list order that a FailJob rule matches, counted already or not.
    pub(crate) fail_job: Option<u32>,
    pub(crate) new_succeeded: i32,
    /// New failures that count against `backoffLimit`.
    pub(crate) new_failed: i32,
    /// When the latest of the new successes ended.
    pub(crate) last_success: Option<Timestamp>,
    /// New failures after that, ignored ones too.
    pub(crate) failures_after_success: i32,
    /// When the latest of these failed.
    pub(crate) last_failure: Option<Timestamp>,
    /// Whether every active Pod has an index of its own.
    pub(crate) active_are_distinct: bool,
    pub(crate) active_indexes: Cow<'p, Intervals>,
    pub(crate) terminating_indexes: Cow<'p, Intervals>,
    /// Of Pods that have succeeded and carry the finalizer.
    pub(crate) succeeded_indexes: Cow<'p, Intervals>,
    /// Of Pods that fail their index and carry the finalizer.
    pub(crate) failed_indexes: Cow<'p, Intervals>,
}

/// The indexes that the status holds, cut at the Job's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorded {
    pub(crate) completed: Intervals,
    pub(crate) failed: Intervals,
}

impl Recorded {
    pub(crate) fn of(status: &JobStatus, rules: &CountRules) -> Self {
        if !rules.indexed {
            return Recorded::default();
        }
        Recorded {
            completed: Intervals::parse(&status.completed_indexes, rules.index_bound),
            failed: Intervals::parse(status.failed_indexes.as_deref().unwrap_or_default(), rules.index_bound),
        }
    }
}

/// Which Pods to remove: at least so many of them, of which so many are wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Removal {
    pub(crate) rules: CountRules,
    pub(crate) at_least: usize,
    pub(crate) limit: usize,
}

/// Called for one Pod after the other, with its place, until it has seen enough.
pub(crate) type Visit<'v> = &'v mut dyn FnMut(u32, &PodFacts) -> ControlFlow<()>;

/// Answers what rules ask about the Job's own Pods.
pub(crate) trait Census {
    /// How many Pods there are.
    fn len(&self) -> usize;

    /// The Pod at a place.
    fn pod(&self, place: u32) -> Option<&PodFacts>;

    /// Every Pod in list order; only explanations need that.
    fn each(&self, visit: &mut dyn FnMut(&PodFacts));

    /// The Pods in numbers. `noted` is for what later answers need.
    fn tally(&self, known: &Known<'_>, noted: &mut Noted) -> Tally<'_>;

    /// The indexes that the status holds.
    fn recorded(&self, status: &JobStatus, rules: &CountRules) -> Recorded;

    /// Notes which failed Pods keep their finalizer until their index has a replacement: the last ones of indexes that
    /// are `open` (upstream `getPodsWithDelayedDeletionPerIndex`).
    fn note_last_failed(&self, rules: &CountRules, open: &dyn Fn(i64) -> bool, noted: &mut Noted);

    /// Indexes that are open, in ascending order, each with the place of the failed Pod that is kept for it.
    fn with_last_failed(&self, sync: &Sync, indexes: Vec<i64>) -> Vec<(i64, Option<u32>)>;

    /// The active Pods in list order.
    fn active(&self) -> Vec<u32>;

    /// Which active Pods go (upstream `activePodsForRemoval`): first those without a valid index and the repeats of an
    /// index, then the ones that have got the least far.
    fn for_removal(&self, removal: Removal) -> Vec<u32>;

    /// Visits the Pods whose finalizer can go, in the order in which they are counted (upstream `canRemoveFinalizer`);
    /// `all` of those that have it when the whole Job ends.
    fn each_removable(&self, sync: &Sync, all: bool, visit: Visit<'_>);

    /// Visits the failed Pods that are kept for their index, in list order; only explanations need that.
    fn each_kept(&self, sync: &Sync, visit: &mut dyn FnMut(&PodFacts));

    /// The UIDs listed as uncounted whose Pod still has its finalizer.
    fn listed_with_finalizer(&self, known: &Known<'_>) -> BTreeSet<&str>;
}

/// The Pods at these places.
pub(crate) fn places<'p>(pods: &'p dyn Census, places: &[u32]) -> impl Iterator<Item = &'p PodFacts> {
    places.iter().filter_map(|place| pods.pod(*place))
}
