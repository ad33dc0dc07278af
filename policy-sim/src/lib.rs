//! A virtual Kubernetes cluster on a virtual clock.
//!
//! The API server, the scheduler, the kubelets and what runs in containers are modelled here; what Jobs and CronJobs do
//! is decided by `policy-core`, called as the real controller would call it. Runs are deterministic for a seed: no wall
//! clock, no hash order, no I/O.

mod agenda;
pub mod config;
mod control;
mod data;
mod interner;
pub mod kubectl;
pub mod lint;
pub mod map;
pub mod object;
pub mod policy;
pub mod queue;
pub mod record;
pub mod report;
pub mod scenario;
pub mod store;
pub mod throttle;
mod typed;
mod world;
pub mod worst_case;

pub use agenda::Agenda;
pub use control::fault::{CallMatch, Fault, FaultCounts, InFlight, InjectedError};
pub use control::{Applied, Deletion, JobMind, Resource, Selection};
pub use data::{Coming, ContainerWait, Disturbance, NodeView, PodSelect, QueueView, Service, WaitsFor};
pub use policy_zones as zones;
pub use world::{Ending, World};
