//! A sorted list of slots that takes about five bytes a slot: what the order is, the slots' Pods tell.

use alloc::vec::Vec;
use core::cmp::Ordering;

/// How many slots a chunk holds at most: moving that many is cheaper than finding the place.
const CHUNK: usize = 256;

/// Slots in an order that the caller knows.
///
/// Every method is told how the Pod of a slot stands to the one that is looked for; answers must not change while a Pod
/// is in the list, so a Pod is taken out before what it is sorted by changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sorted {
    chunks: Vec<Vec<u32>>,
}

impl Sorted {
    /// The chunk and the place in it of the first slot that does not come before what is looked for.
    fn position(&self, order: &impl Fn(u32) -> Ordering) -> (usize, usize) {
        let before = |slot: &u32| order(*slot) == Ordering::Less;
        let chunk = self.chunks.partition_point(|chunk| chunk.last().is_some_and(before));
        (chunk, self.chunks.get(chunk).map_or(0, |chunk| chunk.partition_point(before)))
    }

    /// Adds a slot.
    pub(crate) fn insert(&mut self, slot: u32, order: impl Fn(u32) -> Ordering) {
        let (chunk, place) = self.position(&order);
        let last = self.chunks.len().saturating_sub(1);
        match self.chunks.get_mut(chunk) {
            Some(list) if list.len() < CHUNK => list.insert(place, slot),
            Some(list) => {
                let mut upper = list.split_off(CHUNK / 2);
                match place.checked_sub(CHUNK / 2) {
                    Some(place) if place > 0 => upper.insert(place, slot),
                    _ => list.insert(place, slot),
                }
                self.chunks.insert(chunk.saturating_add(1), upper);
            }
            None => match self.chunks.get_mut(last) {
                Some(list) if list.len() < CHUNK => list.push(slot),
                Some(_) => {
                    let mut list = Vec::with_capacity(CHUNK);
                    list.push(slot);
                    self.chunks.push(list);
                }
                None => self.chunks.push(alloc::vec![slot]),
            },
        }
    }

    /// Takes out the slot that is looked for.
    pub(crate) fn remove(&mut self, order: impl Fn(u32) -> Ordering) {
        let (chunk, place) = self.position(&order);
        let Some(list) = self.chunks.get_mut(chunk) else { return };
        if list.get(place).is_none_or(|slot| order(*slot) != Ordering::Equal) {
            return;
        }
        list.remove(place);
        if list.is_empty() {
            self.chunks.remove(chunk);
        } else if list.len() < CHUNK / 4 {
            self.merge(chunk);
        }
    }

    /// Joins a short chunk with a neighbour, if both together leave room.
    fn merge(&mut self, chunk: usize) {
        for first in [Some(chunk), chunk.checked_sub(1)].into_iter().flatten() {
            let second = first.saturating_add(1);
            let len = |place: usize| self.chunks.get(place).map_or(CHUNK, Vec::len);
            if len(first).saturating_add(len(second)) <= CHUNK / 2 {
                let mut moved = self.chunks.remove(second);
                if let Some(list) = self.chunks.get_mut(first) {
                    list.append(&mut moved);
                }
                return;
            }
        }
    }

    /// All slots in order.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = u32> + '_ {
        self.chunks.iter().flatten().copied()
    }

    /// The slots from the first that does not come before what is looked for.
    pub(crate) fn from(&self, order: impl Fn(u32) -> Ordering) -> impl Iterator<Item = u32> + '_ {
        let (chunk, place) = self.position(&order);
        let rest = self.chunks.get(chunk..).unwrap_or_default();
        let (first, others) = rest.split_first().map_or((&[][..], &[][..]), |(f, o)| (f.as_slice(), o));
        first.get(place..).unwrap_or_default().iter().chain(others.iter().flatten()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn is_a_sorted_set(changes in prop::collection::vec((0_u32..2_000, prop::bool::weighted(0.6)), 0..6_000)) {
            let mut sorted = Sorted::default();
            let mut known = std::collections::BTreeSet::new();
            for (slot, comes) in changes {
                if comes && known.insert(slot) {
                    sorted.insert(slot, |other| other.cmp(&slot));
                } else if !comes {
                    known.remove(&slot);
                    sorted.remove(|other| other.cmp(&slot));
                }
            }
            prop_assert!(sorted.iter().eq(known.iter().copied()));
            prop_assert!(sorted.from(|other| other.cmp(&700)).eq(known.range(700..).copied()));
            prop_assert!(sorted.chunks.iter().all(|chunk| (1..=CHUNK).contains(&chunk.len())));
        }
    }
}
