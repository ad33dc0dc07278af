//! The two clocks: what time it is, for decisions, and how much time has passed, for queues and leases.

use policy_core::Timestamp;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// The wall clock, which may jump, and a steady one, which does not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    start: Instant,
}

impl Clock {
    pub(super) fn new() -> Self {
        Clock { start: Instant::now() }
    }

    /// The wall clock's time. Decisions are made at it, since statuses carry it.
    pub(super) fn wall(self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX);
        Timestamp::from_unix(seconds, since_epoch.subsec_nanos()).unwrap_or(Timestamp::ZERO)
    }

    /// The time passed since the start, as an instant after the Unix epoch, which is what queues reckon with.
    pub(super) fn steady(self) -> Timestamp {
        steady_of(self.start.elapsed())
    }

    /// The instant at which [`Clock::steady`] shows `at`.
    pub(super) fn instant(self, at: Timestamp) -> Instant {
        let nanos = at.nanos_since(steady_of(Duration::ZERO));
        self.start + Duration::from_nanos(u64::try_from(nanos).unwrap_or(0))
    }

    /// What the steady clock will show when the wall clock shows `at`, unless it jumps.
    pub(super) fn steady_at(self, at: Timestamp) -> Timestamp {
        self.steady().plus_nanos(at.nanos_since(self.wall()))
    }
}

fn steady_of(elapsed: Duration) -> Timestamp {
    let seconds = i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_unix(seconds, elapsed.subsec_nanos()).unwrap_or(Timestamp::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steady_clock_and_its_instants_agree() {
        let clock = Clock::new();
        let later = clock.steady().plus_nanos(5_000_000_000);
        let wait = clock.instant(later).duration_since(Instant::now());
        assert!(wait > Duration::from_secs(4) && wait <= Duration::from_secs(5), "{wait:?}");
        let at = clock.steady_at(clock.wall().plus_nanos(1_000_000_000)).nanos_since(clock.steady());
        assert!((900_000_000..=1_000_000_000).contains(&at), "{at}");
    }
}
