//! The library behind the `jobpolicy` command.

pub mod diagnostic;
pub mod manifest;
pub mod wire;
pub mod zones;
