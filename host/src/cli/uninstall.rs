//! `jobpolicy uninstall`.

use super::cluster::KubeconfigArgs;
use super::console::{Console, Format, OutputArgs};
use super::controller::duration;
use super::{Outcome, Verdict};
use crate::controller::MANAGED_BY;
use crate::controller::uninstall::{self, Action, Left, Observer, Options, Report, Standing};
use crate::diagnostic::Diagnostic;
use crate::render::table;
use clap::ColorChoice;
use indicatif::{ProgressBar, ProgressStyle};
use std::fmt::Write;
use std::io::{self, IsTerminal};
use std::time::Duration;

/// Find out whether the controller can be taken away, and finish or delete its Jobs first
///
/// `spec.managedBy` cannot be changed: a Job that names the controller stays its own. Without the controller nobody
/// runs such a Job, and its Pods cannot be deleted. This lists the Jobs that are not finished, those that are being
/// deleted and hang on the controller, and what makes new ones. It changes nothing but with --delete, and it does not
/// take the controller away: it prints how.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Exit codes:
  0  nothing needs the controller any more
  1  something does
  2  it could not be found out

Examples:
  jobpolicy uninstall
  jobpolicy uninstall --wait --timeout 2h
  jobpolicy uninstall -n shop --delete")]
pub(super) struct Args {
    /// Wait until the Jobs are finished
    #[arg(long, conflicts_with = "delete")]
    wait: bool,
    /// Delete the Jobs that are not finished, and wait until nothing hangs; the controller must be running
    #[arg(long)]
    delete: bool,
    /// How long to wait, such as 30m; else until it is done, or Ctrl-C
    #[arg(long, value_name = "DURATION", value_parser = duration::nanos)]
    timeout: Option<i64>,
    /// The value of `spec.managedBy` that means the controller
    #[arg(long, value_name = "NAME", default_value = MANAGED_BY)]
    managed_by: String,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    kubeconfig: KubeconfigArgs,
    /// Look at this namespace only; else at all
    #[arg(long, short, value_name = "NAMESPACE", help_heading = "Cluster")]
    namespace: Option<String>,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Outcome {
    let action = match (args.wait, args.delete) {
        (_, true) => Action::Delete,
        (true, _) => Action::Wait,
        _ => Action::List,
    };
    if args.timeout.is_some() && action == Action::List {
        return Err(Diagnostic::error("--timeout means nothing without --wait or --delete").into());
    }
    let options = Options {
        cluster: args.kubeconfig.cluster(args.namespace.as_deref()),
        managed_by: args.managed_by.clone(),
        action,
        timeout: args.timeout.map(|nanos| Duration::from_nanos(nanos.unsigned_abs())),
    };
    let screen = Screen::new(action);
    let report = uninstall::uninstall(&options, &screen);
    screen.bar.finish_and_clear();
    let report = report?;
    console.result(args.output.output, || value(&report), |_| text(&report, action));
    if args.output.output != Format::Table && action != Action::List && !report.jobs.is_empty() {
        screen.warning(Diagnostic::warning(format!("{} still need the controller", jobs(report.jobs.len()))));
    }
    Ok(if report.is_ready() { Verdict::Yes } else { Verdict::No })
}

fn value(report: &Report) -> serde_json::Value {
    let mut value = serde_json::to_value(report).unwrap_or_default();
    value["ready"] = report.is_ready().into();
    value
}

/// `1 Job`, `2 Jobs`.
fn jobs(count: usize) -> String {
    format!("{count} Job{}", if count == 1 { "" } else { "s" })
}

fn text(report: &Report, action: Action) -> String {
    let mut text = String::new();
    if !report.jobs.is_empty() {
        let rows = report.jobs.iter().map(|job| {
            vec![job.namespace.clone(), job.name.clone(), state(job).to_owned(), job.held_pods.to_string()]
        });
        text = table(&["NAMESPACE", "JOB", "STATE", "HELD PODS"], rows);
        text.push('\n');
    }
    // Writing to a string cannot fail.
    let _ = write!(text, "{}", steps(report, action));
    text
}

fn state(job: &Left) -> &'static str {
    match job.standing {
        Standing::Unfinished => "not finished",
        Standing::Suspended => "suspended",
        Standing::Deleting => "being deleted",
        Standing::Finished => "finished",
    }
}

/// What to do, in its order.
fn steps(report: &Report, action: Action) -> String {
    let Report { managed_by, jobs: left, cron_jobs, opted_in_namespaces } = report;
    let mut steps = Vec::new();
    if !opted_in_namespaces.is_empty() {
        steps.push(format!(
            "New Jobs become the controller's in namespaces that opt in ({}):\n     kubectl delete \
             mutatingadmissionpolicybinding,mutatingadmissionpolicy jobpolicy-opt-in",
            opted_in_namespaces.join(", ")
        ));
    }
    if !cron_jobs.is_empty() {
        steps.push(format!(
            "CronJobs go on making Jobs for it: take `managedBy: {managed_by}` out of the jobTemplate of {}",
            cron_jobs.join(", ")
        ));
    }
    if left.iter().any(|job| job.standing == Standing::Suspended) {
        steps.push(
            "Suspended Jobs do not finish by themselves: resume them (`spec.suspend: false`) or delete them"
                .into(),
        );
    }
    if !left.is_empty() {
        steps.push(match action {
            Action::List => {
                "Let the controller finish them, `jobpolicy uninstall --wait`, or delete them, `jobpolicy \
                             uninstall --delete`; both need it running"
                    .into()
            }
            Action::Wait | Action::Delete => {
                "They are not done with: does the controller run? `kubectl -n jobpolicy \
                                              get pods` shows it"
                    .into()
            }
        });
    }
    steps.push(
        "Take the controller away: kubectl delete -k deploy/base (or deploy/instead, whichever was applied)"
            .into(),
    );
    let head = match (report.is_ready(), left.len()) {
        (true, _) => format!("Nothing needs the controller `{managed_by}` any more."),
        (false, 0) => format!("No Job needs the controller `{managed_by}` now, but new ones come."),
        (false, count) => format!("{} of `{managed_by}` need the controller.", jobs(count)),
    };
    let steps = steps.iter().enumerate().map(|(place, step)| format!("  {}. {step}\n", place + 1));
    format!("{head} What to do:\n{}", steps.collect::<String>())
}

/// Standard error: progress in a terminal only, warnings always.
struct Screen {
    bar: ProgressBar,
}

impl Screen {
    fn new(action: Action) -> Self {
        if action == Action::List || !io::stderr().is_terminal() {
            return Screen { bar: ProgressBar::hidden() };
        }
        // The template is a constant that is well formed.
        let style = ProgressStyle::with_template(
            "{elapsed} {bar:30} {pos}/{len} Jobs done (Ctrl-C ends the waiting)",
        );
        let bar = ProgressBar::new(0);
        Screen { bar: bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())) }
    }
}

impl Observer for Screen {
    fn progress(&self, done: usize, seen: usize) {
        self.bar.set_length(seen as u64);
        self.bar.set_position(done as u64);
    }

    fn warning(&self, warning: Diagnostic) {
        self.bar.suspend(|| Console::new(ColorChoice::Auto).report(&[warning]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_told_in_their_order() {
        let ready = Report { managed_by: "a/b".into(), ..Report::default() };
        let told = steps(&ready, Action::List);
        assert!(
            told.starts_with("Nothing needs the controller `a/b` any more. What to do:\n  1. Take"),
            "{told}"
        );
        let comes = Report { cron_jobs: vec!["n/c".into()], ..ready };
        let told = steps(&comes, Action::List);
        assert!(told.contains("but new ones come") && told.contains("  1. CronJobs"), "{told}");
        assert_eq!(value(&comes)["ready"], false);
    }
}
