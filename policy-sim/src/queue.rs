//! A controller's work queue: each key at most once, never two workers on one key, delays and rate-limited retries
//! (client-go `workqueue`).

use crate::map::{Map, Set};
use policy_core::Timestamp;
use std::collections::VecDeque;

/// A queue of keys.
#[derive(Clone, Debug)]
pub struct WorkQueue<K> {
    ready: VecDeque<K>,
    /// Keys that are to be worked on, whether or not somebody is at work on them.
    dirty: Set<K>,
    processing: Set<K>,
    /// When a key is added by itself; the earliest wish counts.
    delayed: Map<K, Timestamp>,
    /// The same, the earliest first.
    by_time: Set<(Timestamp, K)>,
    failures: Map<K, u32>,
    first_delay_nanos: i64,
    longest_delay_nanos: i64,
}

impl<K: Ord + Clone> WorkQueue<K> {
    /// An empty queue; retries are delayed by `first_delay_nanos`, doubling up to `longest_delay_nanos`.
    pub fn new(first_delay_nanos: i64, longest_delay_nanos: i64) -> Self {
        WorkQueue {
            ready: VecDeque::new(),
            dirty: Set::default(),
            processing: Set::default(),
            delayed: Map::default(),
            by_time: Set::default(),
            failures: Map::default(),
            first_delay_nanos,
            longest_delay_nanos,
        }
    }

    /// Adds a key now. One that is being worked on comes up again afterwards.
    pub fn add(&mut self, key: K) {
        if self.dirty.insert(key.clone()) && !self.processing.contains(&key) {
            self.ready.push_back(key);
        }
    }

    /// Adds a key at an instant; returns whether the caller has to call [`WorkQueue::due`] then.
    #[must_use]
    pub fn add_at(&mut self, key: K, at: Timestamp, now: Timestamp) -> bool {
        if at <= now {
            self.add(key);
            return false;
        }
        match self.delayed.get(&key) {
            Some(earlier) if *earlier <= at => return false,
            Some(later) => drop(self.by_time.remove(&(*later, key.clone()))),
            None => {}
        }
        self.delayed.insert(key.clone(), at);
        self.by_time.insert((at, key));
        true
    }

    /// When a key that failed is to be tried again; counts the failure.
    pub fn retry_delay_nanos(&mut self, key: &K) -> i64 {
        let failures = self.failures.get_or_default(key.clone());
        let delay = 1_i64.checked_shl(*failures).and_then(|times| self.first_delay_nanos.checked_mul(times));
        *failures = failures.saturating_add(1).min(62);
        delay.map_or(self.longest_delay_nanos, |delay| delay.min(self.longest_delay_nanos))
    }

    /// Forgets the failures of a key.
    pub fn forget(&mut self, key: &K) {
        self.failures.remove(key);
    }

    /// Whether the key is delayed until `at` or sooner.
    pub fn waits(&self, key: &K, at: Timestamp) -> bool {
        self.delayed.get(key).is_some_and(|delayed| *delayed <= at)
    }

    /// Adds the key if its delay is over by now.
    pub fn due(&mut self, key: &K, now: Timestamp) {
        if let Some(at) = self.delayed.get(key).copied().filter(|at| *at <= now) {
            self.delayed.remove(key);
            self.by_time.remove(&(at, key.clone()));
            self.add(key.clone());
        }
    }

    /// Adds every key whose delay is over by now.
    pub fn all_due(&mut self, now: Timestamp) {
        while let Some((at, key)) = self.by_time.first().filter(|(at, _)| *at <= now).cloned() {
            self.by_time.remove(&(at, key.clone()));
            self.delayed.remove(&key);
            self.add(key);
        }
    }

    /// When the next delay is over.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// The next key to work on.
    pub fn take(&mut self) -> Option<K> {
        let key = self.ready.pop_front()?;
        self.dirty.remove(&key);
        self.processing.insert(key.clone());
        Some(key)
    }

    /// Ends the work on a key.
    pub fn done(&mut self, key: &K) {
        self.processing.remove(key);
        if self.dirty.contains(key) {
            self.ready.push_back(key.clone());
        }
    }

    /// How many keys are being worked on.
    pub fn at_work(&self) -> usize {
        self.processing.len()
    }

    /// Whether nobody works on anything and nothing is to be worked on now.
    pub fn is_idle(&self) -> bool {
        self.ready.is_empty() && self.processing.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(1_767_225_600 + seconds, 0).unwrap()
    }

    #[test]
    fn a_key_that_is_worked_on_comes_up_again_afterwards() {
        let mut queue = WorkQueue::new(1, 60);
        queue.add("a");
        queue.add("a");
        assert_eq!(queue.take(), Some("a"));
        queue.add("a");
        assert_eq!(queue.take(), None);
        queue.done(&"a");
        assert_eq!(queue.take(), Some("a"));
        queue.done(&"a");
        assert!(queue.is_idle());
    }

    #[test]
    fn the_earliest_wish_counts() {
        let mut queue = WorkQueue::new(1, 60);
        assert!(queue.add_at("a", at(5), at(0)));
        assert!(!queue.add_at("a", at(9), at(0)));
        assert!(queue.add_at("a", at(2), at(0)));
        queue.due(&"a", at(1));
        assert_eq!(queue.take(), None);
        queue.due(&"a", at(2));
        assert_eq!(queue.take(), Some("a"));
        queue.done(&"a");
        queue.due(&"a", at(5));
        assert_eq!(queue.take(), None);
    }

    #[test]
    fn the_earliest_wish_counts_and_all_that_is_due_comes_up() {
        let at = |seconds| Timestamp::from_unix(seconds, 0).unwrap();
        let mut queue = WorkQueue::new(1, 60);
        assert!(queue.add_at("a", at(9), at(0)) && queue.add_at("b", at(5), at(0)));
        assert!(queue.add_at("a", at(3), at(0)) && !queue.add_at("a", at(4), at(0)));
        assert_eq!(queue.next_due(), Some(at(3)));
        queue.all_due(at(5));
        assert_eq!((queue.take(), queue.take(), queue.take()), (Some("a"), Some("b"), None));
        assert_eq!(queue.next_due(), None);
    }

    #[test]
    fn retries_double_until_the_longest_delay() {
        let mut queue = WorkQueue::new(1, 60);
        let delays: Vec<_> = (0..8).map(|_| queue.retry_delay_nanos(&"a")).collect();
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 60, 60]);
        queue.forget(&"a");
        assert_eq!(queue.retry_delay_nanos(&"a"), 1);
    }
}
