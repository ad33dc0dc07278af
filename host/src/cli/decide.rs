//! `jobpolicy decide`.

use super::clock::{self, Clock};
use super::console::{Console, OutputArgs};
use super::stream::{self, StreamArgs};
use super::{Failure, Outcome, Verdict};
use crate::diagnostic::Diagnostic;
use crate::manifest::{self, Manifest};
use policy_core::Timestamp;
use serde_json::{Value, json};
use std::path::PathBuf;
use world::{Line, World};

mod plan;
mod world;

/// Print what the controllers would do next with Jobs and CronJobs
///
/// Reads Jobs with their Pods and CronJobs with their Jobs, as `kubectl get` prints them, and decides about each Job
/// and CronJob. One without a UID is not from a cluster: it is checked and decided about as if just created.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  jobpolicy decide job.yaml
  kubectl get jobs,pods -o json | jobpolicy decide -
  kubectl get cronjobs,jobs -o yaml | jobpolicy decide - --only cronjob/hello
  jobpolicy decide jobs.yaml pods.yaml --now 2026-01-01T00:00:05Z --output json
  jobpolicy decide --stream < cases.jsonl")]
pub(super) struct Args {
    /// Files of YAML or JSON; `-` is standard input
    #[arg(value_name = "FILE", required_unless_present = "stream", conflicts_with = "stream")]
    files: Vec<PathBuf>,
    /// Decide as at this time instead of now, like `2026-01-01T00:00:05Z`
    #[arg(long, value_name = "TIME", value_parser = clock::parse_time, conflicts_with = "stream")]
    now: Option<Timestamp>,
    /// Decide about this object only, like `job/pi`
    #[arg(long, value_name = "KIND/NAME", value_parser = Only::parse, conflicts_with = "stream")]
    only: Option<Only>,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    stream: StreamArgs,
}

/// The object of `--only`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Only {
    kind: &'static str,
    name: String,
}

impl Only {
    fn parse(text: &str) -> Result<Self, String> {
        let refused = || format!("`{text}` is not like `job/NAME` or `cronjob/NAME`");
        let (kind, name) = text.split_once('/').filter(|(_, name)| !name.is_empty()).ok_or_else(refused)?;
        let kind = match kind.to_ascii_lowercase().as_str() {
            "job" | "jobs" | "job.batch" => "Job",
            "cronjob" | "cronjobs" | "cj" | "cronjob.batch" => "CronJob",
            _ => return Err(refused()),
        };
        Ok(Only { kind, name: name.to_owned() })
    }

    fn matches(&self, manifest: &Manifest) -> bool {
        self.kind == manifest.kind() && self.name == manifest.name()
    }
}

/// A decision about one object.
struct Decision<'m> {
    subject: &'m Manifest,
    /// The answer of the line protocol.
    answer: Value,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Outcome {
    if args.stream.stream {
        return stream::run(crate::stream::decide);
    }
    let (manifests, problems) = manifest::read_all(&args.files);
    if !problems.is_empty() {
        return Err(Failure::Problems(problems));
    }
    let clock = Clock::new(args.now);
    let subjects: Vec<&Manifest> = manifests
        .iter()
        .filter(|m| matches!(m.kind(), "Job" | "CronJob"))
        .filter(|m| args.only.as_ref().is_none_or(|only| only.matches(m)))
        .collect();
    if subjects.is_empty() {
        return Err(nothing_to_decide(args).into());
    }
    let (mut decisions, mut invalid) = (Vec::new(), Vec::new());
    let world = World::new(&manifests);
    for subject in subjects {
        match world.line(subject, clock.now) {
            Ok(line) => decisions.push(Decision { subject, answer: answer(&line)? }),
            Err(findings) => invalid.extend(findings),
        }
    }
    if !invalid.is_empty() {
        // An invalid manifest is an answer, but there is no plan to go with it.
        console.report(&invalid);
        return Ok(Verdict::No);
    }
    console.result(args.output.output, || as_value(&decisions, clock), |_| as_text(&decisions, clock));
    Ok(Verdict::Yes)
}

fn nothing_to_decide(args: &Args) -> Diagnostic {
    match &args.only {
        Some(only) => Diagnostic::error(format!("there is no {} `{}` in the input", only.kind, only.name))
            .help("check the name, or leave out `--only`"),
        None => Diagnostic::error("there is no Job or CronJob in the input")
            .help("expected `apiVersion: batch/v1` and `kind: Job` or `kind: CronJob`"),
    }
}

fn answer(line: &Line<'_>) -> Result<Value, Failure> {
    let mut bytes = Vec::new();
    crate::stream::decide(line.text.as_bytes(), &mut bytes).map_err(|error| line.diagnose(&error.message))?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Diagnostic::error(format!("internal error: the answer cannot be read: {error}")).into()
    })
}

fn as_value(decisions: &[Decision<'_>], clock: Clock) -> Value {
    let decisions: Vec<Value> = decisions
        .iter()
        .map(|Decision { subject, answer }| {
            json!({
                "kind": subject.kind(),
                "namespace": subject.namespace(),
                "name": subject.name(),
                "file": subject.source.name,
                "line": subject.position("").line,
                "plan": answer.get("plan"),
                "error": answer.get("error"),
            })
        })
        .collect();
    json!({ "now": clock.now.to_rfc3339_nano(), "clock": clock.name(), "decisions": decisions })
}

fn as_text(decisions: &[Decision<'_>], clock: Clock) -> String {
    let parts: Vec<String> = decisions.iter().map(|d| plan::as_text(d.subject, &d.answer, clock)).collect();
    parts.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_takes_kinds_as_kubectl_writes_them() {
        let parsed = |text: &str| Only::parse(text).map(|only| (only.kind, only.name));
        assert_eq!(parsed("job/pi"), Ok(("Job", "pi".to_owned())));
        assert_eq!(parsed("cronjob.batch/x"), Ok(("CronJob", "x".to_owned())));
        for text in ["pi", "job/", "pod/x", ""] {
            assert!(parsed(text).is_err(), "{text}");
        }
    }
}
