//! Answers out of a [`Roll`]: what they cost depends on what is new, not on how many Pods there are.

use super::listed::takes_over;
use super::{Census, CountRules, Known, Noted, Recorded, Removal, Tally, Visit};
use crate::Timestamp;
use crate::job::facts::{Phase, PodFacts, UNKNOWN_INDEX};
use crate::job::pod_failure_policy::counts;
use crate::job::roll::Roll;
use crate::job::sync::Sync;
use crate::spec::{Job, JobStatus};
use alloc::borrow::Cow;
use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::iter::Peekable;
use core::ops::ControlFlow;

/// A Job and the roll of its Pods.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) job: Arc<Job>,
    pub(crate) roll: Roll,
    recorded: Recorded,
}

impl Kept {
    pub(crate) fn new(job: Arc<Job>) -> Self {
        let roll = Roll::new(CountRules::of(&job.spec));
        Kept { recorded: Recorded::of(&job.status, &roll.rules), job, roll }
    }

    pub(crate) fn set_job(&mut self, job: Arc<Job>) {
        self.job = job;
        self.roll.set_rules(CountRules::of(&self.job.spec));
        self.recorded = Recorded::of(&self.job.status, &self.roll.rules);
    }

    pub(crate) fn set_status(&mut self, status: JobStatus) {
        Arc::make_mut(&mut self.job).status = status;
        self.recorded = Recorded::of(&self.job.status, &self.roll.rules);
    }

    /// Whether the answers fit: they are about this Job, and its index lists are such as controllers write them.
    /// Upstream's searches in other lists find whatever the order of the list lets them find.
    pub(crate) fn answers_for(&self, job: &Job) -> bool {
        let ordered = || self.recorded.completed.is_ordered() && self.recorded.failed.is_ordered();
        core::ptr::eq(job, &*self.job) && (self.roll.rules.limit_per_index.is_none() || ordered())
    }

    /// The Pod with this UID, if it is the Job's own.
    fn own(&self, uid: &str) -> Option<&PodFacts> {
        let pod = self.roll.slot_of(uid).and_then(|slot| self.roll.facts(slot));
        pod.filter(|pod| pod.claim == crate::job::Claim::Owned)
    }

    /// The Pods whose end was counted before: their UID is listed, or their finalizer's removal is under way.
    fn counted_before<'k>(
        &'k self,
        known: &'k Known<'_>,
        listed: &'k [&str],
    ) -> impl Iterator<Item = &'k PodFacts> {
        let removed = known.being_removed.iter().map(|uid| &**uid);
        let listed = listed.iter().copied().filter(|uid| !known.being_removed.contains(*uid));
        removed.chain(listed).filter_map(|uid| self.own(uid)).filter(|pod| known.rules.counts_end(pod))
    }

    /// The last failed Pod of an index, as upstream goes from one to the next.
    fn last_waiting(&self, being_removed: &BTreeSet<Arc<str>>, index: i64) -> Option<u32> {
        let left = |slot: &u32| self.pod(*slot).is_some_and(|pod| !being_removed.contains(pod.pod.uid()));
        let waiting = self.roll.waiting_of(index).filter(left);
        waiting.reduce(|earlier, later| if takes_over(self, earlier, later) { later } else { earlier })
    }

    /// Waiting Pods that need not wait, in the order in which they are counted: the status says that their index has
    /// ended, or another Pod of the index failed later.
    fn done_waiting(&self, sync: &Sync) -> Vec<u32> {
        let mut done = Vec::new();
        for list in [&self.recorded.completed, &self.recorded.failed] {
            for interval in list.as_slice() {
                done.extend(self.roll.waiting_between(interval.first, interval.last));
            }
        }
        for index in self.roll.crowded.iter().copied().filter(|index| !self.has_ended(*index)) {
            let last = self.last_waiting(&sync.finalizers_being_removed, index);
            done.extend(self.roll.waiting_of(index).filter(|slot| Some(*slot) != last));
        }
        done.sort_unstable_by_key(|slot| self.roll.count_order(*slot));
        done.dedup();
        done
    }

    fn has_ended(&self, index: i64) -> bool {
        self.recorded.completed.has(index) || self.recorded.failed.has(index)
    }

    /// What must go of an Indexed Job's active Pods (upstream `appendDuplicatedIndexPodsForRemoval`).
    fn repeats(&self, bound: i64) -> Vec<u32> {
        let roll = &self.roll;
        if bound <= UNKNOWN_INDEX {
            return roll.active_from(UNKNOWN_INDEX).collect();
        }
        let last_inside = roll.active_indexes.set().last_below(bound).unwrap_or(UNKNOWN_INDEX);
        let of = |index: i64| roll.active_from(index).take_while(move |slot| roll.index_of(*slot) == index);
        let all_but_the_furthest = |index: i64| {
            let mut group: Vec<u32> = of(index).collect();
            group.sort_by(|a, b| roll.compare_progress(*a, *b));
            group.pop();
            group
        };
        let mut remove = Vec::new();
        // Upstream takes what is beyond the Job's indexes before it closes the last group.
        if last_inside != UNKNOWN_INDEX {
            remove.extend(of(UNKNOWN_INDEX));
        }
        for index in roll.active_indexes.repeated().filter(|index| *index < last_inside) {
            remove.append(&mut all_but_the_furthest(index));
        }
        remove.extend(roll.active_from(bound));
        if last_inside == UNKNOWN_INDEX {
            remove.extend(of(UNKNOWN_INDEX));
        } else if roll.active_indexes.repeated().any(|index| index == last_inside) {
            remove.append(&mut all_but_the_furthest(last_inside));
        }
        remove
    }
}

impl Census for Kept {
    fn len(&self) -> usize {
        self.roll.owned as usize
    }

    fn pod(&self, place: u32) -> Option<&PodFacts> {
        self.roll.facts(place)
    }

    fn each(&self, visit: &mut dyn FnMut(&PodFacts)) {
        let pods = self.roll.slots().filter_map(|slot| self.pod(slot));
        pods.filter(|pod| pod.claim == crate::job::Claim::Owned).for_each(visit);
    }

    fn tally(&self, known: &Known<'_>, _: &mut Noted) -> Tally<'_> {
        let roll = &self.roll;
        let succeeded = self.counted_before(known, &known.uncounted.succeeded);
        let succeeded = succeeded.filter(|pod| pod.phase == Phase::Succeeded).map(|pod| pod.finished_at);
        let succeeded = roll.succeeded.without(succeeded.collect());
        let mut failed_counting = roll.failed_counting;
        let mut failed_before: Vec<Timestamp> = Vec::new();
        for pod in
            self.counted_before(known, &known.uncounted.failed).filter(|pod| known.rules.is_failed(pod))
        {
            failed_before.push(pod.finished_at);
            failed_counting = failed_counting.wrapping_sub(i32::from(counts(pod.policy_match.as_deref())));
        }
        let failed = roll.failed.without(failed_before);
        let last_success = succeeded.latest();
        Tally {
            active: roll.active,
            ready: roll.ready,
            terminating: roll.terminating,
            restarts: roll.restarts,
            fail_job: roll.fail_job.values().next().copied(),
            new_succeeded: succeeded.count(),
            new_failed: failed_counting,
            last_success,
            failures_after_success: failed.count_after(last_success),
            last_failure: failed.latest().filter(|at| last_success.is_none_or(|success| *at > success)),
            active_are_distinct: roll.active_without_index == 0 && !roll.active_indexes.has_repeated(),
            active_indexes: Cow::Borrowed(roll.active_indexes.set()),
            terminating_indexes: Cow::Borrowed(roll.terminating_indexes.set()),
            succeeded_indexes: Cow::Borrowed(roll.succeeded_indexes.set()),
            failed_indexes: Cow::Borrowed(roll.failed_indexes.set()),
        }
    }

    fn recorded(&self, _: &JobStatus, _: &CountRules) -> Recorded {
        self.recorded.clone()
    }

    /// The roll knows which Pods wait for their index; which one is the last, it is asked.
    fn note_last_failed(&self, _: &CountRules, _: &dyn Fn(i64) -> bool, _: &mut Noted) {}

    fn with_last_failed(&self, sync: &Sync, indexes: Vec<i64>) -> Vec<(i64, Option<u32>)> {
        let first = indexes.first().copied().unwrap_or(0);
        let waiting = self.roll.waiting_between(first, i64::MAX);
        let mut waiting = waiting.filter_map(|slot| Some((slot, self.pod(slot)?))).peekable();
        let mut last_failed = |index: i64| {
            // The others in between are those whose end the status knows: they are few, and on their way.
            while waiting.next_if(|(_, pod)| pod.index < index).is_some() {}
            let (only, pod) = waiting.peek().copied().filter(|(_, pod)| pod.index == index)?;
            if self.roll.crowded.contains(&index) {
                return self.last_waiting(&sync.finalizers_being_removed, index);
            }
            (!sync.finalizer_is_being_removed(pod)).then_some(only)
        };
        indexes
            .into_iter()
            .map(|index| (index, last_failed(index).filter(|_| !self.has_ended(index))))
            .collect()
    }

    fn active(&self) -> Vec<u32> {
        let mut active: Vec<u32> = self.roll.active_by_progress().collect();
        self.roll.sort_in_order(&mut active);
        active
    }

    fn for_removal(&self, removal: Removal) -> Vec<u32> {
        let mut remove =
            if removal.rules.indexed { self.repeats(removal.rules.index_bound) } else { Vec::new() };
        let more = removal.at_least.saturating_sub(remove.len());
        let mut repeats = remove.clone();
        repeats.sort_unstable();
        let left = self.roll.active_by_progress().filter(|slot| repeats.binary_search(slot).is_err());
        remove.extend(left.take(more.min(removal.limit)));
        remove.truncate(removal.limit);
        remove
    }

    fn each_removable(&self, sync: &Sync, all: bool, visit: Visit<'_>) {
        let mut visit = |slot: u32| match self.pod(slot) {
            Some(pod) if !sync.finalizer_is_being_removed(pod) => visit(slot, pod),
            _ => ControlFlow::Continue(()),
        };
        if all {
            let _ = self.roll.tracked().try_for_each(visit);
            return;
        }
        let mut done = self.done_waiting(sync).into_iter().peekable();
        let mut others = self.roll.removable().peekable();
        let mut merged = core::iter::from_fn(|| self.next_counted(&mut others, &mut done));
        let _ = merged.try_for_each(&mut visit);
    }

    fn each_kept(&self, sync: &Sync, visit: &mut dyn FnMut(&PodFacts)) {
        let mut done = self.done_waiting(sync);
        done.sort_unstable();
        let mut kept: Vec<u32> =
            self.roll.waiting().filter(|slot| done.binary_search(slot).is_err()).collect();
        self.roll.sort_in_order(&mut kept);
        let kept = kept.into_iter().filter_map(|slot| self.pod(slot));
        kept.filter(|pod| !sync.finalizer_is_being_removed(pod)).for_each(visit);
    }

    fn listed_with_finalizer(&self, known: &Known<'_>) -> BTreeSet<&str> {
        let listed = known.uncounted.succeeded.iter().chain(&known.uncounted.failed);
        let pods = listed.filter_map(|uid| self.own(uid)).filter(|pod| pod.has_finalizer);
        let left = pods.filter(|pod| !known.being_removed.contains(pod.pod.uid()));
        left.map(|pod| pod.pod.uid()).collect()
    }
}

impl Kept {
    /// The next of two lists in the order in which Pods are counted.
    fn next_counted(
        &self,
        a: &mut Peekable<impl Iterator<Item = u32>>,
        b: &mut Peekable<impl Iterator<Item = u32>>,
    ) -> Option<u32> {
        match (a.peek(), b.peek()) {
            (Some(x), Some(y)) if self.roll.count_order(*y) < self.roll.count_order(*x) => b.next(),
            (Some(_), _) => a.next(),
            (None, _) => b.next(),
        }
    }
}
