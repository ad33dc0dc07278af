//! The Pods of one Job with everything that rules ask about them, kept up to date as each Pod comes, changes and goes.
//!
//! What a change costs depends on the Pod, not on how many there are. Answers are those that [`Listed`] gives about the
//! same Pods in the same order; `census/kept.rs` gives them.
//!
//! [`Listed`]: super::census::Listed

use super::census::CountRules;
use super::facts::{Claim, Phase, PodFacts, UNKNOWN_INDEX};
use super::progress::by_progress;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::cmp::Ordering;

mod counted;
mod ends;
mod index_counts;
mod slab;
mod sorted;

use counted::{Change, Counted, End};
use ends::Ends;
use index_counts::IndexCounts;
use slab::{Entry, Slab};
use sorted::Sorted;

/// See the [module](self).
#[derive(Clone, Debug)]
pub(crate) struct Roll {
    pub(crate) rules: CountRules,
    slab: Slab,
    /// Every Pod in the order of the view.
    in_order: Sorted,
    /// Slots by a hash of the UID: a fixed one, and only for finding.
    by_uid: BTreeSet<(u32, u32)>,
    /// Pods that are not the Job's own, by their place in the order.
    pub(crate) not_owned: BTreeMap<u64, u32>,
    // What follows is about the Job's own Pods.
    pub(crate) owned: u32,
    pub(crate) active: i32,
    pub(crate) ready: i32,
    pub(crate) terminating: i32,
    pub(crate) restarts: i32,
    pub(crate) active_without_index: u32,
    pub(crate) active_indexes: IndexCounts,
    pub(crate) terminating_indexes: IndexCounts,
    pub(crate) succeeded_indexes: IndexCounts,
    pub(crate) failed_indexes: IndexCounts,
    pub(crate) succeeded: Ends,
    pub(crate) failed: Ends,
    /// How many of `failed` count against `backoffLimit`.
    pub(crate) failed_counting: i32,
    /// Failed Pods that a FailJob rule matches, by their place in the order.
    pub(crate) fail_job: BTreeMap<u64, u32>,
    /// Active Pods, the one that has got the least far first.
    by_progress: Sorted,
    /// Active Pods of an Indexed Job, by index.
    active_by_index: Sorted,
    /// Pods with the finalizer, in the order in which they are counted.
    tracked: Sorted,
    /// Of those, the ended ones that lose it whatever the status says.
    removable: Sorted,
    /// And the failed ones whose index no Pod has taken up since: the last of an index waits for its replacement.
    waiting: Sorted,
    /// Indexes with more than one Pod in `waiting`.
    pub(crate) crowded: BTreeSet<i64>,
}

/// FNV-1a: a fixed hash, so that nothing depends on chance.
fn hash(uid: &str) -> u32 {
    uid.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

impl Roll {
    pub(crate) fn new(rules: CountRules) -> Self {
        Roll {
            rules,
            slab: Slab::default(),
            in_order: Sorted::default(),
            by_uid: BTreeSet::new(),
            not_owned: BTreeMap::new(),
            owned: 0,
            active: 0,
            ready: 0,
            terminating: 0,
            restarts: 0,
            active_without_index: 0,
            active_indexes: IndexCounts::default(),
            terminating_indexes: IndexCounts::default(),
            succeeded_indexes: IndexCounts::default(),
            failed_indexes: IndexCounts::default(),
            succeeded: Ends::default(),
            failed: Ends::default(),
            failed_counting: 0,
            fail_job: BTreeMap::new(),
            by_progress: Sorted::default(),
            active_by_index: Sorted::default(),
            tracked: Sorted::default(),
            removable: Sorted::default(),
            waiting: Sorted::default(),
            crowded: BTreeSet::new(),
        }
    }

    /// Counts every Pod anew by other rules; the order stays.
    pub(crate) fn set_rules(&mut self, rules: CountRules) {
        if self.rules == rules {
            return;
        }
        let old = core::mem::replace(self, Roll::new(rules));
        let mut slab = old.slab;
        for slot in old.in_order.iter() {
            if let Some(facts) = slab.take(slot) {
                self.add(facts);
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.by_uid.len()
    }

    /// Every Pod in the order of the view.
    pub(crate) fn slots(&self) -> impl Iterator<Item = u32> + '_ {
        self.in_order.iter()
    }

    pub(crate) fn facts(&self, slot: u32) -> Option<&PodFacts> {
        self.slab.facts(slot)
    }

    pub(crate) fn slot_of(&self, uid: &str) -> Option<u32> {
        let hash = hash(uid);
        let mut found = self.by_uid.range((hash, 0)..=(hash, u32::MAX)).map(|(_, slot)| *slot);
        found.find(|slot| self.facts(*slot).is_some_and(|pod| pod.pod.uid() == uid))
    }

    /// Takes in a Pod as it is now; returns it as it was. A Pod that is known keeps its place in the order.
    pub(crate) fn apply(&mut self, facts: PodFacts) -> Option<PodFacts> {
        let Some(slot) = self.slot_of(facts.pod.uid()) else {
            self.add(facts);
            return None;
        };
        if self.facts(slot) == Some(&facts) {
            return Some(facts);
        }
        self.count_out(slot);
        let before = self.slab.replace(slot, facts);
        self.count_in(slot);
        before
    }

    /// Takes out the Pod with this UID.
    pub(crate) fn remove(&mut self, uid: &str) -> Option<PodFacts> {
        let slot = self.slot_of(uid)?;
        self.count_out(slot);
        let seq = self.seq(slot);
        self.in_order.remove(|other| self.slab.get(other).map(|e| e.seq).cmp(&seq));
        self.by_uid.remove(&(hash(uid), slot));
        self.slab.take(slot)
    }

    fn add(&mut self, facts: PodFacts) {
        let hash = hash(facts.pod.uid());
        let slot = self.slab.add(facts);
        self.by_uid.insert((hash, slot));
        let seq = self.seq(slot);
        self.in_order.insert(slot, |other| self.slab.get(other).map(|e| e.seq).cmp(&seq));
        self.count_in(slot);
    }

    fn seq(&self, slot: u32) -> Option<u64> {
        self.slab.get(slot).map(|entry| entry.seq)
    }

    fn count_in(&mut self, slot: u32) {
        self.change(slot, Change::In);
    }

    /// Undoes `count_in`, as long as the slot holds what was counted.
    fn count_out(&mut self, slot: u32) {
        self.change(slot, Change::Out);
    }

    fn change(&mut self, slot: u32, change: Change) {
        let Some(Entry { facts, seq }) = self.slab.get(slot) else { return };
        let (facts, seq) = (Counted::of(facts, &self.rules), *seq);
        if facts.claim != Claim::Owned {
            change.in_map(&mut self.not_owned, seq, slot);
            return;
        }
        change.number(&mut self.owned);
        self.change_present(slot, &facts, change);
        if facts.tracked {
            let (slab, key) = (&self.slab, Some((facts.key, seq)));
            let indexed = self.rules.indexed;
            change.in_list(&mut self.tracked, slot, |other| count_key(slab, indexed, other).cmp(&key));
        }
        if facts.fails_job {
            change.in_map(&mut self.fail_job, seq, slot);
        }
        self.change_end(slot, seq, &facts, change);
    }

    /// What is active or about to go.
    fn change_present(&mut self, slot: u32, facts: &Counted, change: Change) {
        if facts.runs {
            change.sum(&mut self.restarts, facts.restarts);
        }
        if facts.active {
            change.sum(&mut self.active, 1);
            change.sum(&mut self.ready, i32::from(facts.ready));
            let (slab, indexed) = (&self.slab, self.rules.indexed);
            change
                .in_list(&mut self.by_progress, slot, |other| order_of_progress(slab, indexed, other, slot));
            if indexed {
                let key = count_key(slab, true, slot);
                change
                    .in_list(&mut self.active_by_index, slot, |other| count_key(slab, true, other).cmp(&key));
                if facts.index == UNKNOWN_INDEX {
                    change.number(&mut self.active_without_index);
                } else {
                    change.index(&mut self.active_indexes, facts.index);
                }
            }
        } else if facts.terminating {
            change.sum(&mut self.terminating, 1);
            if self.rules.indexed && facts.index != UNKNOWN_INDEX {
                change.index(&mut self.terminating_indexes, facts.index);
            }
        }
    }

    /// What has ended and is to be counted, and whose finalizer can go.
    fn change_end(&mut self, slot: u32, seq: u64, facts: &Counted, change: Change) {
        let end = facts.end;
        if end == Some(End::Succeeded) {
            change.end(&mut self.succeeded, facts);
            if self.rules.indexed && facts.counts_end {
                change.index(&mut self.succeeded_indexes, facts.index);
            }
        }
        if end == Some(End::Failed) {
            change.end(&mut self.failed, facts);
            if facts.counts_end {
                change.sum(&mut self.failed_counting, i32::from(facts.counts));
            }
            if facts.fails_index {
                change.index(&mut self.failed_indexes, facts.index);
            }
        }
        if self.rules.limit_per_index.is_some() && self.rules.has_index(facts.index) {
            // Whether the index is open may have changed with this Pod: look at its other Pods first.
            if matches!(change, Change::Out) {
                self.leave_ended(slot, seq, facts);
            }
            self.resettle(facts.index);
            if matches!(change, Change::In) {
                self.join_ended(slot, seq, facts);
            }
        } else if matches!(change, Change::In) {
            self.join_ended(slot, seq, facts);
        } else {
            self.leave_ended(slot, seq, facts);
        }
    }

    fn join_ended(&mut self, slot: u32, seq: u64, facts: &Counted) {
        if facts.tracked && facts.end.is_some() {
            let waits = facts.end == Some(End::Failed) && self.is_open(facts.index);
            let list = if waits { &mut self.waiting } else { &mut self.removable };
            let (slab, indexed, key) = (&self.slab, self.rules.indexed, Some((facts.key, seq)));
            list.insert(slot, |other| count_key(slab, indexed, other).cmp(&key));
            if waits {
                self.note_crowd(facts.index);
            }
        }
    }

    fn leave_ended(&mut self, slot: u32, seq: u64, facts: &Counted) {
        if facts.tracked && facts.end.is_some() {
            let (slab, indexed, key) = (&self.slab, self.rules.indexed, Some((facts.key, seq)));
            let order = |other| count_key(slab, indexed, other).cmp(&key);
            // It is in one of them; which one depends on Pods that may have changed meanwhile.
            self.removable.remove(order);
            self.waiting.remove(order);
            debug_assert!(slab.get(slot).is_some(), "a Pod is taken out of lists before it goes");
            if self.rules.limit_per_index.is_some() {
                self.note_crowd(facts.index);
            }
        }
    }

    /// Whether no Pod says that the index is taken or has ended.
    fn is_open(&self, index: i64) -> bool {
        let among = |counts: &IndexCounts| counts.set().has(index);
        self.rules.limit_per_index.is_some()
            && self.rules.has_index(index)
            && !among(&self.active_indexes)
            && !among(&self.succeeded_indexes)
            && !among(&self.failed_indexes)
    }

    /// Moves the failed Pods of an index to where they belong now.
    fn resettle(&mut self, index: i64) {
        let open = self.is_open(index);
        let failed = |slot: &u32| self.facts(*slot).is_some_and(|pod| pod.phase != Phase::Succeeded);
        let moving: Vec<u32> = if open {
            self.in_index(&self.removable, index).filter(failed).collect()
        } else {
            self.in_index(&self.waiting, index).collect()
        };
        let (slab, indexed) = (&self.slab, self.rules.indexed);
        for slot in &moving {
            let key = count_key(slab, indexed, *slot);
            let order = |other| count_key(slab, indexed, other).cmp(&key);
            let (from, to) = if open {
                (&mut self.removable, &mut self.waiting)
            } else {
                (&mut self.waiting, &mut self.removable)
            };
            from.remove(order);
            to.insert(*slot, order);
        }
        if !moving.is_empty() {
            self.note_crowd(index);
        }
    }

    fn note_crowd(&mut self, index: i64) {
        if self.waiting_of(index).nth(1).is_some() {
            self.crowded.insert(index);
        } else {
            self.crowded.remove(&index);
        }
    }

    fn in_index<'a>(&'a self, list: &'a Sorted, index: i64) -> impl Iterator<Item = u32> + 'a {
        self.starting_at(list, index).take_while(move |slot| self.index_of(*slot) == index)
    }

    /// The slots of a list that is sorted by index, from an index on.
    fn starting_at<'a>(&'a self, list: &'a Sorted, index: i64) -> impl Iterator<Item = u32> + 'a {
        list.from(move |other| count_key(&self.slab, true, other).cmp(&Some((index, 0))))
    }

    pub(crate) fn index_of(&self, slot: u32) -> i64 {
        self.facts(slot).map_or(UNKNOWN_INDEX, |pod| pod.index)
    }

    /// The order in which ended Pods are counted; in a Job without indexes, that of the view.
    pub(crate) fn count_order(&self, slot: u32) -> Option<(i64, u64)> {
        count_key(&self.slab, self.rules.indexed, slot)
    }

    /// By their place in the view.
    pub(crate) fn sort_in_order(&self, slots: &mut [u32]) {
        slots.sort_by_cached_key(|slot| self.seq(*slot));
    }

    /// Active Pods, the one that has got the least far first; among equals the lower index, then the earlier place.
    pub(crate) fn active_by_progress(&self) -> impl Iterator<Item = u32> + '_ {
        self.by_progress.iter()
    }

    /// As [`Roll::active_by_progress`], for two Pods.
    pub(crate) fn compare_progress(&self, a: u32, b: u32) -> Ordering {
        order_of_progress(&self.slab, self.rules.indexed, a, b)
    }

    /// Active Pods of an Indexed Job by index, from an index on.
    pub(crate) fn active_from(&self, index: i64) -> impl Iterator<Item = u32> + '_ {
        self.starting_at(&self.active_by_index, index)
    }

    pub(crate) fn tracked(&self) -> impl Iterator<Item = u32> + '_ {
        self.tracked.iter()
    }

    pub(crate) fn removable(&self) -> impl Iterator<Item = u32> + '_ {
        self.removable.iter()
    }

    pub(crate) fn waiting(&self) -> impl Iterator<Item = u32> + '_ {
        self.waiting.iter()
    }

    /// The waiting Pods of an index, in the order of the view.
    pub(crate) fn waiting_of(&self, index: i64) -> impl Iterator<Item = u32> + '_ {
        self.in_index(&self.waiting, index)
    }

    /// The waiting Pods of indexes from `first` to `last`.
    pub(crate) fn waiting_between(&self, first: i64, last: i64) -> impl Iterator<Item = u32> + '_ {
        self.starting_at(&self.waiting, first).take_while(move |slot| self.index_of(*slot) <= last)
    }
}

/// What sorts Pods for counting: the index of an Indexed Job, then the place in the view.
fn count_key(slab: &Slab, indexed: bool, slot: u32) -> Option<(i64, u64)> {
    slab.get(slot).map(|entry| (if indexed { entry.facts.index } else { 0 }, entry.seq))
}

fn order_of_progress(slab: &Slab, indexed: bool, a: u32, b: u32) -> Ordering {
    match (slab.get(a), slab.get(b)) {
        (Some(x), Some(y)) => by_progress(&x.facts, &y.facts)
            .then_with(|| count_key(slab, indexed, a).cmp(&count_key(slab, indexed, b))),
        _ => Ordering::Equal,
    }
}
