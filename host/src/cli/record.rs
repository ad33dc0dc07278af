//! `jobpolicy record`.

use super::console::Console;
use super::controller::duration;
use super::{Outcome, Verdict, cluster};
use crate::controller::record::{self, Observer, Options};
use crate::diagnostic::Diagnostic;
use clap::ColorChoice;
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::Duration;

/// Record the watch streams of a cluster, for `jobpolicy replay`
///
/// Jobs, CronJobs, Pods, Events and Nodes as they are and as they change, one gzipped file for each, until the time is
/// over or the command is interrupted. Files can be read at any moment, also after a kill: at most the last second is
/// missing. Specifications hold environment variables and arguments: look before you pass a recording on.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  jobpolicy record recording -n shop --for 5m
  jobpolicy record recording --all-namespaces
  jobpolicy replay recording")]
pub(super) struct Args {
    /// The directory, made if it is not there; it must be empty
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Record all namespaces
    #[arg(long, short = 'A', conflicts_with = "namespace")]
    all_namespaces: bool,
    /// How long, such as 5m; else until Ctrl-C or TERM
    #[arg(long = "for", value_name = "DURATION", value_parser = duration::nanos)]
    duration: Option<i64>,
    /// Only Jobs, CronJobs and Pods with these labels, such as `app=shop`; the Pods need them, too
    #[arg(long, short = 'l', value_name = "SELECTOR")]
    selector: Option<String>,
    /// Record into a directory that is not empty; streams of the same names are replaced
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    cluster: cluster::ClusterArgs,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Outcome {
    let options = Options {
        cluster: args.cluster.cluster(),
        all_namespaces: args.all_namespaces,
        directory: args.directory.clone(),
        duration: args.duration.map(|nanos| Duration::from_nanos(nanos.unsigned_abs())),
        selector: args.selector.clone(),
        force: args.force,
    };
    let screen = Screen::new();
    let counts = record::record(&options, &screen);
    screen.bar.finish_and_clear();
    let counts = counts?;
    let directory = args.directory.display();
    if counts.is_empty() {
        console.text("Nothing was recorded.\n");
        return Ok(Verdict::Yes);
    }
    console.text(&format!("Recorded into `{directory}`: {}\n", in_words(&counts)));
    if counts.get("jobs").is_none_or(|jobs| *jobs == 0) {
        let warning = Diagnostic::warning("no Job was there");
        screen.warning(warning.help("check the namespace (`-n`, `--all-namespaces`) and the selector"));
    }
    Ok(Verdict::Yes)
}

fn in_words(counts: &BTreeMap<&'static str, u64>) -> String {
    counts.iter().map(|(stream, count)| format!("{stream} {count}")).collect::<Vec<_>>().join(", ")
}

/// Standard error: progress in a terminal only, warnings always.
struct Screen {
    bar: ProgressBar,
}

impl Screen {
    fn new() -> Self {
        if !io::stderr().is_terminal() {
            return Screen { bar: ProgressBar::hidden() };
        }
        // The template is a constant that is well formed.
        let style = ProgressStyle::with_template("{spinner} {elapsed} {msg} (Ctrl-C ends the recording)");
        let bar = ProgressBar::new_spinner();
        Screen { bar: bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner())) }
    }
}

impl Observer for Screen {
    fn progress(&self, counts: &BTreeMap<&'static str, u64>) {
        self.bar.set_message(in_words(counts));
        self.bar.tick();
    }

    fn warning(&self, warning: Diagnostic) {
        self.bar.suspend(|| Console::new(ColorChoice::Auto).report(&[warning]));
    }
}
