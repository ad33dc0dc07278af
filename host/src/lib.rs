//! The library behind the `jobpolicy` command.

pub mod cli;
#[cfg(feature = "controller")]
pub mod controller;
pub mod explain;
#[cfg(any(feature = "playground", all(test, feature = "controller")))]
pub mod playground;
pub mod render;
pub mod replay;
pub mod scenario;
pub mod stream;
pub mod wire;
pub use policy_manifest::{diagnostic, expand, manifest};
pub use policy_sim::zones;
