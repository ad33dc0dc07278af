//! The client's own rate limit (client-go `flowcontrol`): so many calls a second, some of them at once.

use policy_core::Timestamp;

/// A token bucket.
#[derive(Clone, Debug, Default)]
pub struct Throttle {
    interval_nanos: i64,
    burst_nanos: i64,
    /// When the calls let through so far have had their time.
    busy_until: Option<Timestamp>,
}

impl Throttle {
    /// `qps` calls a second, `burst` of them at once; no limit when `qps` is not positive.
    pub fn new(qps: f64, burst: u32) -> Self {
        if qps <= 0.0 {
            return Throttle::default();
        }
        let interval_nanos = (1e9 / qps) as i64;
        let others = i64::from(burst.max(1) - 1);
        Throttle { interval_nanos, burst_nanos: interval_nanos.saturating_mul(others), busy_until: None }
    }

    /// When the next call may go out; it counts as gone.
    pub fn next(&mut self, now: Timestamp) -> Timestamp {
        let busy_until = self.busy_until.map_or(now, |until| until.max(now));
        self.busy_until = Some(busy_until.plus_nanos(self.interval_nanos));
        busy_until.plus_nanos(-self.burst_nanos).max(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_goes_out_at_once_and_the_rest_at_the_rate() {
        let now = Timestamp::from_unix(1_767_225_600, 0).unwrap();
        let mut throttle = Throttle::new(20.0, 30);
        assert!((0..30).all(|_| throttle.next(now) == now));
        assert_eq!(throttle.next(now).nanos_since(now), 50_000_000);
        assert_eq!(throttle.next(now).nanos_since(now), 100_000_000);
        let mut unlimited = Throttle::new(0.0, 1);
        assert!((0..1000).all(|_| unlimited.next(now) == now));
    }
}
