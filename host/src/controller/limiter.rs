//! The client's own rate limit, shared by everything that calls the API server.

use super::clock::Clock;
use policy_sim::throttle::Throttle;
use std::sync::{Mutex, PoisonError};

/// A token bucket whose callers wait their turn, first come first served.
#[derive(Debug)]
pub(super) struct Limiter {
    throttle: Mutex<Throttle>,
    clock: Clock,
}

impl Limiter {
    pub(super) fn new(clock: Clock, qps: f64, burst: u32) -> Self {
        Limiter { throttle: Mutex::new(Throttle::new(qps, burst)), clock }
    }

    /// Waits for the next token.
    pub(super) async fn turn(&self) {
        let at = {
            let mut throttle = self.throttle.lock().unwrap_or_else(PoisonError::into_inner);
            throttle.next(self.clock.steady())
        };
        if at > self.clock.steady() {
            tokio::time::sleep_until(self.clock.instant(at)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn calls_beyond_the_burst_wait() {
        let clock = Clock::new();
        let limiter = Limiter::new(clock, 100.0, 2);
        for _ in 0..4 {
            limiter.turn().await;
        }
        let passed = clock.steady().nanos_since(policy_core::Timestamp::from_unix(0, 0).unwrap());
        assert!(passed >= 20_000_000, "{passed}");
    }
}
