//! Set-up, checks and long runs of the project: `cargo xtask help`.

use std::process::ExitCode;

mod bench;
mod ci;
mod cluster;
mod fuzz;
mod playground;
mod steps;
mod tidy;
mod tools;
mod wasm;

const HELP: &str = "\
cargo xtask COMMAND

  ci [--quick]              everything CI runs; --quick leaves out other targets, docs and licences
  tidy                      the repository's own rules: sizes, leftovers, paths, documented checks, links
  wasm [--test]             the WebAssembly modules and the npm package, into target/; needs node 20 and npm
  playground [--test]       the page, into target/playground; --test checks it in a browser; needs node 20 and npm, and
                            chromium for the tests
  bench [--output json] [--large] [--check] [--record]
                            what decisions cost, beside the recorded baseline and the real controller; --check only
                            counts instructions and fails where they are more than recorded; needs valgrind
  fuzz [--seconds N] [NAME] each fuzz target (or one) for N seconds, 60 unless told; needs a nightly toolchain
  verify [--seconds N]      the long checks that CI has no time for: more random cases, then fuzz
  cluster up|down|status    a real Kubernetes control plane on loopback, with fake nodes, for tests
  help                      this text

tests/README.md says what each check proves.";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let result = match args.first().map(String::as_str) {
        Some("ci") => flags(&args[1..], &["--quick"]).and_then(|quick| ci::run(quick[0])),
        Some("tidy") => flags(&args[1..], &[]).and_then(|_| tidy::run()),
        Some("wasm") => {
            flags(&args[1..], &["--test"]).and_then(|test| if test[0] { wasm::test() } else { wasm::build() })
        }
        Some("playground") => flags(&args[1..], &["--test"])
            .and_then(|test| if test[0] { playground::test() } else { playground::build() }),
        Some("bench") => bench::run(&args[1..]),
        Some("fuzz") => fuzz::Args::parse(&args[1..]).and_then(|args| fuzz::run(&args)),
        Some("verify") => fuzz::Args::parse(&args[1..]).and_then(|args| ci::verify(&args)),
        Some("cluster") => cluster::run(&args[1..]),
        Some("help" | "--help" | "-h") => {
            println!("{HELP}");
            Ok(())
        }
        other => Err(format!("expected a command, found `{}`\n\n{HELP}", other.unwrap_or_default())),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("\nxtask: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Which of the known flags are set.
fn flags(args: &[String], known: &[&str]) -> Result<Vec<bool>, String> {
    match args.iter().find(|arg| !known.contains(&arg.as_str())) {
        Some(unknown) => Err(format!("unknown argument `{unknown}`\n\n{HELP}")),
        None => Ok(known.iter().map(|flag| args.iter().any(|arg| arg == flag)).collect()),
    }
}
