//! `cargo xtask bench`: what decisions cost. The measuring is done by the crate `bench`.

use crate::steps::cargo;

/// Runs the measuring program, optimised; its standard output is ours.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let mut bench = cargo(&["run", "--quiet", "--locked", "--profile", "bench", "--package", "bench", "--"]);
    bench.args(args);
    let status = bench.status().map_err(|error| format!("cannot start cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("the benchmark ended with {status}")) }
}
