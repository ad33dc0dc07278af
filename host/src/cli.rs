//! The command line. Each command is a module with its arguments and a `run`; `docs/cli.md` describes what they print.
//!
//! A new command takes a module, a variant of `Command` and an arm in `run`.

use crate::diagnostic::Diagnostic;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use console::Console;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::ExitCode;

mod clock;
#[cfg(feature = "controller")]
mod cluster;
mod completions;
pub mod console;
#[cfg(feature = "controller")]
mod controller;
mod created;
mod decide;
mod demo;
mod expand;
mod explain;
mod lint;
mod only;
mod playground;
pub mod quartz;
#[cfg(feature = "controller")]
mod record;
mod replay;
mod scenario;
mod schedule;
mod simulate;
mod stream;
#[cfg(feature = "controller")]
mod uninstall;
mod validate;
mod version;
mod worst_case;

/// Kubernetes Jobs and CronJobs without a cluster: what the controllers would do next, when a schedule fires, and
/// whether a manifest is valid. The rules are those of Kubernetes v1.37.
#[derive(Debug, Parser)]
#[command(name = "jobpolicy", version = version::TEXT, after_long_help = EXIT_CODES)]
struct Cli {
    #[command(flatten)]
    color: colors::Args,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Decide(decide::Args),
    Explain(explain::Args),
    Schedule(schedule::Args),
    Validate(validate::Args),
    Lint(lint::Args),
    Scenario(scenario::Args),
    Simulate(simulate::Args),
    WorstCase(worst_case::Args),
    Expand(expand::Args),
    Replay(replay::Args),
    Playground(playground::Args),
    #[cfg(feature = "controller")]
    Record(record::Args),
    // Boxed: its flags outnumber all others.
    #[cfg(feature = "controller")]
    Controller(Box<controller::Args>),
    #[cfg(feature = "controller")]
    Uninstall(uninstall::Args),
    Completions(completions::Args),
    Version(version::Args),
}

const EXIT_CODES: &str = "\
Exit codes:
  0  yes: it ran and found nothing wrong
  1  no: it ran, and a manifest is invalid or has findings, a line had no answer or a write is not explained
  2  it could not run: something could not be read, or the command line is wrong

As a kubectl plugin: install it as `kubectl-jobpolicy` in the PATH and call `kubectl jobpolicy`.";

/// How a command ended, when it ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Exit code 0.
    Yes,
    /// Exit code 1: it ran and the answer is no.
    No,
}

/// Why a command could not run.
#[derive(Debug)]
pub enum Failure {
    /// What to tell the user; exit code 2.
    Problems(Vec<Diagnostic>),
    /// Output could not be written.
    Output(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Output(error)
    }
}

impl From<Diagnostic> for Failure {
    fn from(problem: Diagnostic) -> Self {
        Failure::Problems(vec![problem])
    }
}

/// What a command's `run` returns.
pub type Outcome = Result<Verdict, Failure>;

/// Runs a command line.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let cli = match parse(&args) {
        Ok(cli) => cli,
        Err(error) => {
            // Nothing is left to tell if even this cannot be written.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let mut console = Console::new(cli.color.color);
    let outcome = run(cli.command.as_ref(), &mut console).and_then(|verdict| {
        console.finish()?;
        Ok(verdict)
    });
    ExitCode::from(exit_code(outcome, &console))
}

fn exit_code(outcome: Outcome, console: &Console) -> u8 {
    match outcome {
        Ok(Verdict::Yes) => 0,
        Ok(Verdict::No) => 1,
        // The reader has seen enough (`jobpolicy … | head`).
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(Failure::Output(error)) => {
            console.report(&[Diagnostic::error(format!("cannot write standard output: {error}"))]);
            2
        }
        Err(Failure::Problems(problems)) => {
            console.report(&problems);
            2
        }
    }
}

fn parse(args: &[OsString]) -> Result<Cli, clap::Error> {
    let mut command = Cli::command().color(colors::for_help(args));
    if is_kubectl_plugin(args) {
        command = command.bin_name("kubectl jobpolicy");
    }
    Cli::from_arg_matches(&command.try_get_matches_from(args)?)
}

/// `kubectl jobpolicy …` runs the file `kubectl-jobpolicy`.
fn is_kubectl_plugin(args: &[OsString]) -> bool {
    let program = args.first().and_then(|arg| Path::new(arg).file_stem());
    program.is_some_and(|name| name == "kubectl-jobpolicy" || name == "kubectl_jobpolicy")
}

fn run(command: Option<&Command>, console: &mut Console) -> Outcome {
    let Some(command) = command else { return demo::run(console) };
    match command {
        Command::Decide(args) => decide::run(args, console),
        Command::Explain(args) => explain::run(args, console),
        Command::Schedule(args) => schedule::run(args, console),
        Command::Validate(args) => validate::run(args, console),
        Command::Lint(args) => lint::run(args, console),
        Command::Scenario(args) => scenario::run(args, console),
        Command::Simulate(args) => simulate::run(args, console),
        Command::WorstCase(args) => worst_case::run(args, console),
        Command::Expand(args) => expand::run(args, console),
        Command::Replay(args) => replay::run(args, console),
        Command::Playground(args) => playground::run(args, console),
        #[cfg(feature = "controller")]
        Command::Record(args) => record::run(args, console),
        #[cfg(feature = "controller")]
        Command::Controller(args) => controller::run(args, console),
        #[cfg(feature = "controller")]
        Command::Uninstall(args) => uninstall::run(args, console),
        Command::Completions(args) => completions::run(args, console),
        Command::Version(args) => version::run(args, console),
    }
}

/// The full command line, for completions.
fn command() -> clap::Command {
    Cli::command()
}

mod colors {
    use clap::ColorChoice;
    use std::ffi::OsString;

    #[derive(Debug, clap::Args)]
    pub(super) struct Args {
        /// When to use colours; `auto` is in a terminal, unless NO_COLOR is set
        #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
        pub(super) color: ColorChoice,
    }

    /// The choice for help and usage errors, which are printed before arguments are known.
    pub(super) fn for_help(args: &[OsString]) -> ColorChoice {
        let after_flag = args.windows(2).find(|pair| pair[0] == "--color").map(|pair| pair[1].clone());
        let joined = args.iter().find_map(|arg| arg.to_str()?.strip_prefix("--color=").map(OsString::from));
        match after_flag.or(joined) {
            Some(choice) if choice == "always" => ColorChoice::Always,
            Some(choice) if choice == "never" => ColorChoice::Never,
            _ => ColorChoice::Auto,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn knows_when_it_is_a_kubectl_plugin() {
        let plugin = |program: &str| is_kubectl_plugin(&[program.into()]);
        assert!(plugin("/usr/bin/kubectl-jobpolicy"));
        assert!(plugin("kubectl-jobpolicy.exe"));
        assert!(!plugin("jobpolicy"));
        assert!(!is_kubectl_plugin(&[]));
    }
}
