//! Answers about a plain list of facts, found in one pass.

use super::{Census, CountRules, Known, Recorded, Removal, Tally, Visit};
use crate::Timestamp;
use crate::job::Action;
use crate::job::counts::is_new;
use crate::job::facts::{Phase, PodFacts, UNKNOWN_INDEX};
use crate::job::indexes::IndexCollector;
use crate::job::pod_failure_policy::counts;
use crate::job::progress::by_progress;
use crate::job::sync::Sync;
use crate::spec::JobStatus;
use alloc::borrow::Cow;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// Facts in the order of the view.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listed<'a>(pub(crate) &'a [PodFacts]);

/// What a pass found that later answers need.
#[derive(Clone, Debug, Default)]
pub(crate) struct Noted {
    /// Places of the Pods that have ended or failed and still carry the finalizer, unless its removal is under way.
    ended: Vec<u32>,
    /// The failed Pod of each index that is kept until its replacement exists: indexes and places, by index.
    kept_for_index: Vec<(i64, u32)>,
}

impl Noted {
    fn kept_for(&self, index: i64) -> Option<u32> {
        let found = self.kept_for_index.binary_search_by_key(&index, |(index, _)| *index).ok()?;
        self.kept_for_index.get(found).map(|(_, place)| *place)
    }
}

/// What one pass gathers.
#[derive(Default)]
struct Pass {
    tally: Tally<'static>,
    active: IndexCollector,
    terminating: IndexCollector,
    succeeded: IndexCollector,
    failed: IndexCollector,
}

impl Pass {
    fn count_present(&mut self, indexed: bool, pod: &PodFacts) {
        let tally = &mut self.tally;
        if pod.is_active() {
            tally.active = tally.active.wrapping_add(1);
            tally.ready = tally.ready.wrapping_add(i32::from(pod.ready));
            if indexed && pod.index != UNKNOWN_INDEX {
                self.active.push(pod.index);
            }
        } else if pod.is_terminating() {
            tally.terminating = tally.terminating.wrapping_add(1);
            if indexed && pod.index != UNKNOWN_INDEX {
                self.terminating.push(pod.index);
            }
        }
        if matches!(pod.phase, Phase::Running | Phase::Pending) {
            tally.restarts = tally.restarts.wrapping_add(pod.restarts);
        }
    }

    fn count_succeeded(&mut self, known: &Known<'_>, pod: &PodFacts) {
        if known.rules.indexed && known.rules.counts_end(pod) {
            self.succeeded.push(pod.index);
        }
        if is_new(known, &known.uncounted.succeeded, pod) {
            self.tally.new_succeeded = self.tally.new_succeeded.wrapping_add(1);
            self.tally.last_success = self.tally.last_success.max(Some(pod.finished_at));
        }
    }

    fn count_failed(&mut self, known: &Known<'_>, pod: &PodFacts, place: u32) {
        let action = pod.policy_match.as_deref().map(|m| m.action);
        if action == Some(Action::FailJob) && self.tally.fail_job.is_none() {
            self.tally.fail_job = Some(place);
        }
        if is_new(known, &known.uncounted.failed, pod) {
            self.tally.count_failure(pod.finished_at);
            let counted = counts(pod.policy_match.as_deref());
            self.tally.new_failed = self.tally.new_failed.wrapping_add(i32::from(counted));
        }
        if known.rules.fails_index(pod) {
            self.failed.push(pod.index);
        }
    }

    fn finish(self) -> Tally<'static> {
        let mut tally = self.tally;
        let active = self.active.into_intervals();
        tally.active_are_distinct = i64::from(tally.active) == active.total();
        tally.active_indexes = Cow::Owned(active);
        tally.terminating_indexes = Cow::Owned(self.terminating.into_intervals());
        tally.succeeded_indexes = Cow::Owned(self.succeeded.into_intervals());
        tally.failed_indexes = Cow::Owned(self.failed.into_intervals());
        tally
    }
}

impl Tally<'_> {
    fn count_failure(&mut self, at: Timestamp) {
        self.failures_after_success = self.failures_after_success.wrapping_add(1);
        self.last_failure = self.last_failure.max(Some(at));
    }
}

impl Listed<'_> {
    /// Counts new failures again when there was a success: only the later ones count, and which those are the pass
    /// could not know.
    fn recount_failures(&self, known: &Known<'_>, noted: &Noted, tally: &mut Tally<'_>) {
        let Some(success) = tally.last_success else { return };
        (tally.failures_after_success, tally.last_failure) = (0, None);
        let ended = noted.ended.iter().filter_map(|place| self.pod(*place));
        let failed = ended.filter(|pod| known.rules.is_failed(pod) && pod.finished_at > success);
        for pod in failed.filter(|pod| is_new(known, &known.uncounted.failed, pod)) {
            tally.count_failure(pod.finished_at);
        }
    }
}

impl Census for Listed<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn pod(&self, place: u32) -> Option<&PodFacts> {
        self.0.get(place as usize)
    }

    fn each(&self, visit: &mut dyn FnMut(&PodFacts)) {
        self.0.iter().for_each(visit);
    }

    fn tally(&self, known: &Known<'_>, noted: &mut Noted) -> Tally<'_> {
        let mut pass = Pass::default();
        for (place, pod) in (0_u32..).zip(self.0) {
            pass.count_present(known.rules.indexed, pod);
            if pod.phase == Phase::Succeeded {
                pass.count_succeeded(known, pod);
            } else if known.rules.is_failed(pod) {
                pass.count_failed(known, pod, place);
            } else {
                continue;
            }
            if pod.has_finalizer && !known.being_removed.contains(pod.pod.uid()) {
                noted.ended.push(place);
            }
        }
        let mut tally = pass.finish();
        self.recount_failures(known, noted, &mut tally);
        tally
    }

    fn recorded(&self, status: &JobStatus, rules: &CountRules) -> Recorded {
        Recorded::of(status, rules)
    }

    fn note_last_failed(&self, rules: &CountRules, open: &dyn Fn(i64) -> bool, noted: &mut Noted) {
        let mut kept = Vec::new();
        for place in &noted.ended {
            let Some(pod) = self.pod(*place) else { continue };
            if rules.is_failed(pod) && rules.has_index(pod.index) && open(pod.index) {
                kept.push((pod.index, *place));
            }
        }
        // The sort is stable in effect: places break ties, so Pods of an index stay in list order.
        kept.sort_unstable();
        kept.dedup_by(|(index, place), (kept_index, kept_place)| {
            if index == kept_index && takes_over(self, *kept_place, *place) {
                *kept_place = *place;
            }
            index == kept_index
        });
        noted.kept_for_index = kept;
    }

    fn with_last_failed(&self, sync: &Sync, indexes: Vec<i64>) -> Vec<(i64, Option<u32>)> {
        indexes.into_iter().map(|index| (index, sync.noted.kept_for(index))).collect()
    }

    fn active(&self) -> Vec<u32> {
        (0_u32..).zip(self.0).filter(|(_, pod)| pod.is_active()).map(|(place, _)| place).collect()
    }

    fn for_removal(&self, removal: Removal) -> Vec<u32> {
        let mut left = self.active();
        let at_least = removal.at_least.min(left.len());
        let mut remove = Vec::new();
        if removal.rules.indexed {
            (remove, left) = split_repeated_indexes(self.0, left, removal.rules.index_bound);
        }
        if remove.len() < at_least {
            sort_by_progress(self.0, &mut left);
            left.truncate(at_least.saturating_sub(remove.len()));
            remove.append(&mut left);
        }
        remove.truncate(removal.limit);
        remove
    }

    fn each_removable(&self, sync: &Sync, all: bool, visit: Visit<'_>) {
        let mut found: Vec<(i64, u32)> = Vec::new();
        let everything = if all { 0..u32::try_from(self.0.len()).unwrap_or(u32::MAX) } else { 0..0 };
        let ended = if all { &[][..] } else { &sync.noted.ended };
        for place in everything.chain(ended.iter().copied()) {
            let Some(pod) = self.pod(place) else { continue };
            let kept = || pod.phase != Phase::Succeeded && sync.noted.kept_for(pod.index) == Some(place);
            if pod.has_finalizer && !sync.finalizer_is_being_removed(pod) && (all || !kept()) {
                found.push((pod.index, place));
            }
        }
        if sync.rules.indexed {
            // Places break ties, so the order is that of the list within an index.
            found.sort_unstable();
        }
        for (_, place) in found {
            if self.pod(place).is_some_and(|pod| visit(place, pod).is_break()) {
                return;
            }
        }
    }

    fn each_kept(&self, sync: &Sync, visit: &mut dyn FnMut(&PodFacts)) {
        for place in &sync.noted.ended {
            let pod = self.pod(*place).filter(|pod| pod.phase != Phase::Succeeded);
            if let Some(pod) = pod.filter(|pod| sync.noted.kept_for(pod.index) == Some(*place)) {
                visit(pod);
            }
        }
    }

    fn listed_with_finalizer(&self, known: &Known<'_>) -> BTreeSet<&str> {
        if known.uncounted.is_empty() {
            return BTreeSet::new();
        }
        let listed = self.0.iter().filter(|pod| pod.has_finalizer && known.uncounted.has(pod.pod.uid()));
        let listed = listed.filter(|pod| !known.being_removed.contains(pod.pod.uid()));
        listed.map(|pod| pod.pod.uid()).collect()
    }
}

/// Whether a later Pod of the list takes an earlier one's place as the last failure of their index.
pub(super) fn takes_over(pods: &dyn Census, earlier: u32, later: u32) -> bool {
    let (Some(earlier), Some(later)) = (pods.pod(earlier), pods.pod(later)) else { return false };
    earlier.index_absolute_failure_count() <= later.index_absolute_failure_count()
        && later.finished_at >= earlier.finished_at
}

/// Upstream `appendDuplicatedIndexPodsForRemoval`: what must go, and what may stay.
fn split_repeated_indexes(pods: &[PodFacts], mut active: Vec<u32>, bound: i64) -> (Vec<u32>, Vec<u32>) {
    let index_of = |place: &u32| pods.get(*place as usize).map_or(UNKNOWN_INDEX, |pod| pod.index);
    active.sort_by_key(index_of);
    let valid = active.partition_point(|place| index_of(place) < bound);
    let (inside, beyond) = active.split_at_checked(valid).unwrap_or((&active, &[]));
    let (mut remove, mut keep) = (Vec::new(), Vec::new());
    let mut groups = inside.chunk_by(|a, b| index_of(a) == index_of(b)).peekable();
    while let Some(group) = groups.next() {
        // Upstream takes what is beyond the Job's indexes before it closes the last group.
        if groups.peek().is_none() {
            remove.extend_from_slice(beyond);
        }
        let mut group = group.to_vec();
        if group.first().map(index_of) != Some(UNKNOWN_INDEX) {
            sort_by_progress(pods, &mut group);
            keep.extend(group.pop());
        }
        remove.append(&mut group);
    }
    if inside.is_empty() {
        remove.extend_from_slice(beyond);
    }
    (remove, keep)
}

fn sort_by_progress(pods: &[PodFacts], list: &mut [u32]) {
    list.sort_by(|a, b| match (pods.get(*a as usize), pods.get(*b as usize)) {
        (Some(a), Some(b)) => by_progress(a, b),
        _ => Ordering::Equal,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::PodDigester;
    use crate::job::counts::Uncounted;
    use crate::spec::Job;
    use alloc::string::ToString;
    use serde_json::json;

    #[test]
    fn only_failures_after_the_latest_success_count() {
        let at = |seconds: i64| Timestamp::from_unix(1_700_000_000 + seconds, 0).unwrap();
        let job = json!({"metadata": {"name": "j", "namespace": "n", "uid": "u"}});
        let digester = PodDigester::new(&serde_json::from_str::<Job>(&job.to_string()).unwrap());
        let pod = |phase: &str, seconds: i64| {
            let pod = json!({
                "metadata": {"uid": seconds.to_string(), "creationTimestamp": at(seconds),
                    "finalizers": ["batch.kubernetes.io/job-tracking"]},
                "status": {"phase": phase},
            });
            digester.digest(&serde_json::from_value(pod).unwrap())
        };
        let pods =
            [pod("Failed", 5), pod("Failed", 12), pod("Succeeded", 10), pod("Failed", 10), pod("Failed", 11)];
        let (uncounted, being_removed) = (Uncounted::default(), BTreeSet::new());
        let rules = CountRules::of(&Job::default().spec);
        let known = Known { rules, uncounted: &uncounted, being_removed: &being_removed };
        let of = |pods: &[PodFacts]| {
            let listed = Listed(pods);
            let tally = listed.tally(&known, &mut Noted::default());
            (tally.new_failed, tally.failures_after_success, tally.last_failure)
        };
        assert_eq!(of(&pods), (4, 2, Some(at(12))));
        assert_eq!(of(&pods[..2]), (2, 2, Some(at(12))));
    }
}
