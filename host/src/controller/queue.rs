//! A work queue that workers wait on.

use super::clock::Clock;
use policy_core::Timestamp;
use policy_sim::queue::WorkQueue;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// A [`WorkQueue`] on the steady clock.
#[derive(Debug)]
pub(super) struct Queue<K> {
    inner: Mutex<WorkQueue<K>>,
    ended: AtomicBool,
    changed: Notify,
    clock: Clock,
}

impl<K: Ord + Clone> Queue<K> {
    pub(super) fn new(clock: Clock, first_delay_nanos: i64, longest_delay_nanos: i64) -> Self {
        Queue {
            inner: Mutex::new(WorkQueue::new(first_delay_nanos, longest_delay_nanos)),
            ended: AtomicBool::new(false),
            changed: Notify::new(),
            clock,
        }
    }

    /// Adds a key now.
    pub(super) fn add(&self, key: K) {
        self.lock().add(key);
        self.changed.notify_one();
    }

    /// Adds a key after a delay; now if the delay is not positive (client-go `AddAfter`).
    pub(super) fn add_after(&self, key: K, delay_nanos: i64) {
        let now = self.clock.steady();
        self.add_at(key, now.plus_nanos(delay_nanos));
    }

    /// Adds a key when the steady clock shows `at`.
    pub(super) fn add_at(&self, key: K, at: Timestamp) {
        let now = self.clock.steady();
        if self.lock().add_at(key, at, now) || at <= now {
            self.changed.notify_one();
        }
    }

    /// Adds a key when the wall clock shows `at`.
    pub(super) fn add_at_wall(&self, key: K, at: Timestamp) {
        self.add_at(key, self.clock.steady_at(at));
    }

    /// Ends the queue: nobody gets a key any more.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    /// The next key, when there is one, unless the queue has ended. [`Queue::done`] or [`Queue::retry`] must follow.
    pub(super) async fn take(&self) -> Option<K> {
        loop {
            let changed = self.changed.notified();
            if self.ended.load(Ordering::Acquire) {
                // Others wait, too.
                self.changed.notify_one();
                return None;
            }
            let next_due = {
                let mut queue = self.lock();
                queue.all_due(self.clock.steady());
                if let Some(key) = queue.take() {
                    // Others may wait for what else is there.
                    self.changed.notify_one();
                    return Some(key);
                }
                queue.next_due()
            };
            match next_due {
                Some(at) => tokio::select! {
                    () = changed => {}
                    () = tokio::time::sleep_until(self.clock.instant(at)) => {}
                },
                None => changed.await,
            }
        }
    }

    /// Ends the work on a key that went well.
    pub(super) fn done(&self, key: &K) {
        let mut queue = self.lock();
        queue.forget(key);
        queue.done(key);
        drop(queue);
        self.changed.notify_one();
    }

    /// Ends the work on a key that is to be tried again after a rate-limited delay.
    pub(super) fn retry(&self, key: &K) {
        let mut queue = self.lock();
        let at = self.clock.steady().plus_nanos(queue.retry_delay_nanos(key));
        // Whoever takes next looks at the earliest delay.
        let _ = queue.add_at(key.clone(), at, self.clock.steady());
        queue.done(key);
        drop(queue);
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, WorkQueue<K>> {
        // A queue is whole after every call, also one that panicked.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keys_come_up_at_their_time_and_retries_wait() {
        let clock = Clock::new();
        let queue = Queue::new(clock, 10_000_000, 60_000_000_000);
        let passed = || clock.steady().nanos_since(Timestamp::from_unix(0, 0).unwrap());
        queue.add_after("later", 50_000_000);
        queue.add("now");
        assert_eq!(queue.take().await, Some("now"));
        queue.retry(&"now");
        assert_eq!(queue.take().await, Some("now"));
        assert!(passed() >= 10_000_000);
        queue.done(&"now");
        assert_eq!(queue.take().await, Some("later"));
        assert!(passed() >= 50_000_000);
        queue.add("last");
        queue.end();
        assert_eq!(queue.take().await, None);
    }
}
