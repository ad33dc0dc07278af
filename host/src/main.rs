//! The `jobpolicy` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    jobpolicy::cli::main(std::env::args_os())
}
