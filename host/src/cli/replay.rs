//! `jobpolicy replay`.

use super::console::{Console, OutputArgs};
use super::{Failure, Outcome, Verdict};
use crate::diagnostic::Diagnostic;
use crate::render;
use crate::replay::{self, Count, Recording, Report};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal};
use std::path::PathBuf;

/// Check our decisions against what the real controllers did in recorded watch streams
///
/// Every status, creation, deletion and finalizer removal of the Job and CronJob controllers is explained if some state
/// of the controller's cache leads our decisions to just that. What is not explained is listed with the difference.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  for what in apis/batch/v1/jobs api/v1/pods apis/batch/v1/cronjobs api/v1/events; do
    kubectl get --raw \"/$what?watch=true\" > \"recording/${what##*/}.ndjson\" &
  done
  jobpolicy replay recording
  jobpolicy replay recording --output json")]
pub(super) struct Args {
    /// A directory with watch streams: `.ndjson`, `.jsonl` or `.json`, also with `.gz`
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// The manager in `managedFields` whose writes are the controllers'; without it, the one that wrote the status of
    /// Jobs most often
    #[arg(long, value_name = "NAME")]
    manager: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Outcome {
    let bar = progress_bar();
    let progress = |done: u64, total: u64| {
        bar.set_length(total);
        bar.set_position(done);
    };
    bar.set_message("reading");
    let mut recording =
        Recording::read(&args.directory, progress).map_err(|error| Diagnostic::error(error.to_string()))?;
    if let Some(manager) = &args.manager {
        recording.set_manager(manager);
    }
    bar.set_message("deciding");
    let report = replay::replay(&recording, progress);
    bar.finish_and_clear();
    let value = serde_json::to_value(&report).map_err(|error| Failure::Output(error.into()))?;
    console.result(args.output.output, || value, |_| as_text(&report, recording.manager()));
    Ok(if report.total().unexplained() == 0 { Verdict::Yes } else { Verdict::No })
}

/// A bar on standard error, in a terminal only.
fn progress_bar() -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    // The template is a constant that is well formed.
    let style = ProgressStyle::with_template("{msg:9} {wide_bar} {percent}%");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn as_text(report: &Report, manager: Option<&str>) -> String {
    let Some(manager) = manager else {
        return "Nobody wrote the status of a Job, so there is nothing to explain.\n".into();
    };
    let row = |name: &str, count: Count| {
        let counts = [count.all, count.explained, count.unexplained()];
        [name.to_owned()].into_iter().chain(counts.map(|count| count.to_string())).collect::<Vec<_>>()
    };
    let kinds = report.by_kind.iter().map(|(kind, count)| row(kind.as_str(), *count));
    let rows = kinds.chain([row("total", report.total())]);
    let mut text = format!("Writes of the manager `{manager}`\n\n");
    text.push_str(&render::table(&["KIND", "ALL", "EXPLAINED", "UNEXPLAINED"], rows));
    if !report.unexplained.is_empty() {
        let rows = report.unexplained.iter().map(|write| {
            let kind = write.kind.as_str().to_owned();
            vec![kind, write.object.clone(), write.resource_version.clone(), write.difference.clone()]
        });
        text.push('\n');
        text.push_str(&render::table(&["UNEXPLAINED", "OBJECT", "VERSION", "DIFFERENCE"], rows));
    }
    text
}
