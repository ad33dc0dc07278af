//! The library behind the `jobpolicy` command.

pub mod cli;
#[cfg(feature = "controller")]
pub mod controller;
pub mod diagnostic;
pub mod expand;
pub mod explain;
pub mod manifest;
pub mod render;
pub mod replay;
pub mod scenario;
pub mod stream;
pub mod wire;
pub use policy_sim::zones;
