//! The `jobpolicy` command.

fn main() {}
