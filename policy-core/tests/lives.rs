//! Whole lives of Jobs in a world where calls fail, answers get lost, views are stale and the controller dies: each Pod
//! is counted exactly once and every Job comes to the right end.
//!
//! `JOBPOLICY_SEED=N cargo test -p policy-core --test lives` lives one life again, `JOBPOLICY_LIVES=N` lives so many.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Tests may panic: that is how they fail.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)]
#![allow(missing_docs)]

mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

#[test]
fn every_pod_is_counted_once_and_every_job_ends() {
    let seeds = match number("JOBPOLICY_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("JOBPOLICY_LIVES").unwrap_or(2_000),
    };
    for seed in seeds {
        if catch_unwind(AssertUnwindSafe(|| world::live(seed, number("JOBPOLICY_SEED").is_some()))).is_err() {
            panic!(
                "the life of seed {seed} goes wrong; live it again: JOBPOLICY_SEED={seed} cargo test -p policy-core --test lives"
            );
        }
    }
}
