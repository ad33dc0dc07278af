//! What is due when: the heart of the virtual clock.

use policy_core::Timestamp;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Things that are due, by time and then in the order in which they were planned.
#[derive(Clone, Debug)]
pub struct Agenda<T> {
    heap: BinaryHeap<Reverse<Due<T>>>,
    planned: u64,
}

#[derive(Clone, Debug)]
struct Due<T> {
    at: Timestamp,
    order: u64,
    what: T,
}

impl<T> PartialEq for Due<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl<T> Eq for Due<T> {}

impl<T> PartialOrd for Due<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Due<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

impl<T> Default for Agenda<T> {
    fn default() -> Self {
        Agenda { heap: BinaryHeap::new(), planned: 0 }
    }
}

impl<T> Agenda<T> {
    /// Plans something. What is planned for one instant comes up in the order of planning.
    pub fn plan(&mut self, at: Timestamp, what: T) {
        self.heap.push(Reverse(Due { at, order: self.planned, what }));
        self.planned += 1;
    }

    /// When the next thing is due.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.heap.peek().map(|Reverse(due)| due.at)
    }

    /// Takes the next thing.
    pub fn take(&mut self) -> Option<(Timestamp, T)> {
        self.heap.pop().map(|Reverse(due)| (due.at, due.what))
    }

    /// Everything that is planned, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (Timestamp, &T)> {
        self.heap.iter().map(|Reverse(due)| (due.at, &due.what))
    }

    /// Whether nothing is planned.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_instants_things_keep_their_order() {
        let at = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        let mut agenda = Agenda::default();
        agenda.plan(at.plus_nanos(1), "later");
        agenda.plan(at, "first");
        agenda.plan(at, "second");
        let order: Vec<_> = std::iter::from_fn(|| agenda.take()).map(|(_, what)| what).collect();
        assert_eq!(order, ["first", "second", "later"]);
    }
}
