//! `jobpolicy completions`.

use super::console::{Console, Format};
use super::{Outcome, Verdict};
use clap_complete::Shell;
use serde_json::Value;

/// Print a script that completes commands and options in a shell
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  jobpolicy completions bash > ~/.local/share/bash-completion/completions/jobpolicy
  jobpolicy completions zsh > \"${fpath[1]}/_jobpolicy\"
  jobpolicy completions fish > ~/.config/fish/completions/jobpolicy.fish")]
pub(super) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "jobpolicy", &mut script);
    console.result(Format::Table, || Value::Null, |_| String::from_utf8_lossy(&script).into_owned());
    Ok(Verdict::Yes)
}
