//! Random numbers that a seed decides.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A source of random numbers (splitmix64).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The source of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// The source of `JOBPOLICY_FAULT_SEED`, or of the time; it says which, so that a failure can be run again.
    ///
    /// # Panics
    /// When the variable is no number.
    #[must_use]
    pub fn of_environment() -> Self {
        let given = std::env::var("JOBPOLICY_FAULT_SEED").ok();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let seed = given.map_or(now, |text| text.parse().expect("JOBPOLICY_FAULT_SEED is a number"));
        println!("JOBPOLICY_FAULT_SEED={seed}");
        Random(seed)
    }

    /// Any number.
    pub fn any(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    ///
    /// # Panics
    /// When `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.any() % end
    }

    /// Whether something of this probability happens.
    pub fn happens(&mut self, probability: f64) -> bool {
        (self.any() >> 11) as f64 / ((1u64 << 53) as f64) < probability
    }

    /// A time between two.
    ///
    /// # Panics
    /// When `most` is not longer than `least`.
    pub fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let range = u64::try_from((most - least).as_micros()).unwrap_or(u64::MAX);
        least + Duration::from_micros(self.below(range))
    }
}
