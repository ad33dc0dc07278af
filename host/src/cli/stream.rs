//! `--stream`, the same for every command that has it.

use super::{Failure, Outcome, Verdict};
use crate::diagnostic::Diagnostic;
use crate::stream::{self, Answer, StreamError};
use std::io;

/// The argument of commands that answer lines.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct StreamArgs {
    /// Answer JSON lines from standard input, one line each, for programs
    #[arg(long, conflicts_with_all = ["output"])]
    pub(super) stream: bool,
}

/// Answers the lines of standard input on standard output.
pub(super) fn run(answer: impl Answer) -> Outcome {
    let mut output = io::stdout().lock();
    match stream::run(&mut io::stdin().lock(), &mut output, answer) {
        Ok(summary) if summary.refused == 0 => Ok(Verdict::Yes),
        Ok(_) => Ok(Verdict::No),
        Err(StreamError::Write(error)) => Err(Failure::Output(error)),
        Err(StreamError::Read(error)) => {
            Err(Diagnostic::error(format!("cannot read standard input: {error}")).into())
        }
    }
}
