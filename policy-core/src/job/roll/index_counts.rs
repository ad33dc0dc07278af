//! How many Pods there are at each completion index.

use crate::job::indexes::Intervals;
use alloc::collections::BTreeMap;

/// Indexes that Pods have, with how many have each.
#[derive(Clone, Debug, Default)]
pub(crate) struct IndexCounts {
    set: Intervals,
    /// For indexes that more than one Pod has: how many more.
    repeated: BTreeMap<i64, u32>,
}

impl IndexCounts {
    pub(crate) fn add(&mut self, index: i64) {
        if !self.set.insert(index) {
            let more = self.repeated.entry(index).or_default();
            *more = more.saturating_add(1);
        }
    }

    pub(crate) fn remove(&mut self, index: i64) {
        match self.repeated.get_mut(&index) {
            Some(more) if *more > 1 => *more = more.saturating_sub(1),
            Some(_) => drop(self.repeated.remove(&index)),
            None => drop(self.set.remove(index)),
        }
    }

    /// The indexes that some Pod has.
    pub(crate) fn set(&self) -> &Intervals {
        &self.set
    }

    /// The indexes that more than one Pod has.
    pub(crate) fn repeated(&self) -> impl Iterator<Item = i64> + '_ {
        self.repeated.keys().copied()
    }

    pub(crate) fn has_repeated(&self) -> bool {
        !self.repeated.is_empty()
    }
}
