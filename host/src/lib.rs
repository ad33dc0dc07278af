//! The library behind the `jobpolicy` command.

pub mod replay;
pub mod wire;
pub mod zones;
