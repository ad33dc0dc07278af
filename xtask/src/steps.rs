//! Running steps: each prints its name and its time, and the first that fails ends the run.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// The workspace's root directory.
pub(crate) fn root() -> PathBuf {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().map_or(manifest.clone(), PathBuf::from)
}

/// A run of named steps.
pub(crate) struct Steps {
    done: Vec<(String, Duration)>,
    started: Instant,
}

impl Steps {
    pub(crate) fn new() -> Self {
        Steps { done: Vec::new(), started: Instant::now() }
    }

    /// Runs a step.
    pub(crate) fn step(
        &mut self,
        name: &str,
        work: impl FnOnce() -> Result<(), String>,
    ) -> Result<(), String> {
        println!("\n=== {name}");
        let started = Instant::now();
        let result = work();
        let time = started.elapsed();
        match &result {
            Ok(()) => println!("=== {name}: ok, {:.1} s", time.as_secs_f64()),
            Err(_) => println!("=== {name}: FAILED after {:.1} s", time.as_secs_f64()),
        }
        self.done.push((name.to_owned(), time));
        result.map_err(|message| format!("{name} failed: {message}"))
    }

    /// Runs a step that is one cargo command.
    pub(crate) fn cargo(&mut self, name: &str, args: &[&str]) -> Result<(), String> {
        self.step(name, || run(cargo(args)))
    }

    /// Prints what the steps took.
    pub(crate) fn summary(&self) {
        println!();
        for (name, time) in &self.done {
            println!("{:>7.1} s  {name}", time.as_secs_f64());
        }
        println!("{:>7.1} s  in all", self.started.elapsed().as_secs_f64());
    }
}

/// A cargo command in the workspace's root.
pub(crate) fn cargo(args: &[&str]) -> Command {
    // The cargo that runs xtask has its toolchain fixed; going through rustup keeps `+nightly` working.
    let mut command = Command::new("cargo");
    command.args(args).current_dir(root());
    command
}

/// Runs a command to its end, its output on ours.
pub(crate) fn run(mut command: Command) -> Result<(), String> {
    println!("$ {}", shown(&command));
    let status = command.status().map_err(|error| format!("cannot start `{}`: {error}", shown(&command)))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` ended with {status}", shown(&command))) }
}

/// The standard output of a command that must succeed.
pub(crate) fn output(mut command: Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("cannot start `{}`: {error}", shown(&command)))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("`{}` ended with {}\n{text}", shown(&command), output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
