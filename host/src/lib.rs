//! The library behind the `jobpolicy` command.

pub mod wire;
pub mod zones;
