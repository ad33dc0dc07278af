//! When Pods ended that are still to be counted.

use crate::Timestamp;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Bound;

/// How many Pods ended at each instant. Kubernetes writes whole seconds, so instants are few.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ends {
    by_time: BTreeMap<Timestamp, u32>,
    total: u32,
}

impl Ends {
    pub(crate) fn add(&mut self, at: Timestamp) {
        let count = self.by_time.entry(at).or_default();
        *count = count.saturating_add(1);
        self.total = self.total.saturating_add(1);
    }

    pub(crate) fn remove(&mut self, at: Timestamp) {
        if let Some(count) = self.by_time.get_mut(&at) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.by_time.remove(&at);
            }
            self.total = self.total.saturating_sub(1);
        }
    }

    /// These ends without some of them, which were counted before.
    pub(crate) fn without(&self, mut counted: Vec<Timestamp>) -> NewEnds<'_> {
        counted.sort_unstable();
        NewEnds { all: self, counted }
    }
}

/// The ends that are new.
#[derive(Debug)]
pub(crate) struct NewEnds<'a> {
    all: &'a Ends,
    /// In ascending order.
    counted: Vec<Timestamp>,
}

impl NewEnds<'_> {
    pub(crate) fn count(&self) -> i32 {
        let counted = i32::try_from(self.counted.len()).unwrap_or(i32::MAX);
        i32::try_from(self.all.total).unwrap_or(i32::MAX).wrapping_sub(counted)
    }

    /// The latest.
    pub(crate) fn latest(&self) -> Option<Timestamp> {
        let mut later = self.all.by_time.iter().rev();
        later.find(|(at, count)| self.counted_at(**at) < **count as usize).map(|(at, _)| *at)
    }

    /// How many came later than `after`, which is none of theirs.
    pub(crate) fn count_after(&self, after: Option<Timestamp>) -> i32 {
        let Some(after) = after else { return self.count() };
        let later = self.all.by_time.range((Bound::Excluded(after), Bound::Unbounded));
        let later = later.fold(0_u32, |sum, (_, count)| sum.saturating_add(*count)) as usize;
        let counted = self.counted.partition_point(|at| *at <= after);
        let counted = self.counted.len().saturating_sub(counted);
        i32::try_from(later.saturating_sub(counted)).unwrap_or(i32::MAX)
    }

    fn counted_at(&self, at: Timestamp) -> usize {
        let from = self.counted.partition_point(|counted| *counted < at);
        let to = self.counted.partition_point(|counted| *counted <= at);
        to.saturating_sub(from)
    }
}
