//! Set-up, checks and benchmarks of the project.
fn main() {}
