//! The decisions of the Kubernetes Job and CronJob controllers (v1.37) as pure, explained functions.
//!
//! No clock, no randomness, no I/O, no `std`: a decision is a function of a Job (or CronJob), what it owns, what
//! the controller remembers, and an instant.
#![no_std]
// Tests may panic: that is how they fail.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

extern crate alloc;

#[cfg(test)]
extern crate std;

mod cache;
pub mod cron;
pub mod explain;
pub mod job;
mod memory;
pub mod orphan;
mod settings;
pub mod spec;
pub mod step;
mod time;
pub mod ttl;
pub mod watch;

pub use cache::{DigestedEvent, JobCache, PodEvent};
pub use memory::{
    BackoffChange, BackoffRecord, EXPECTATIONS_TIMEOUT_NANOS, Expectations, FinishChange, JobMemory,
    MemoryDelta,
};
pub use settings::{Gates, Manages, Settings};
pub use time::{NANOS_PER_SECOND, Timestamp, seconds_to_nanos};

/// The Kubernetes version whose decisions these are.
pub const KUBERNETES_VERSION: &str = "v1.37.2";
