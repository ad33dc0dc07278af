//! The decisions of the Kubernetes Job and CronJob controllers (v1.37) as pure, explained functions.
//!
//! No clock, no randomness, no I/O, no `std`: a decision is a function of a Job (or CronJob), what it owns, what
//! the controller remembers, and an instant.
#![no_std]

extern crate alloc;

pub mod cron;
pub mod explain;
pub mod job;
pub mod spec;
pub mod step;
mod time;

pub use time::{NANOS_PER_SECOND, Timestamp, seconds_to_nanos};
