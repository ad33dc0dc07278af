//! `jobpolicy schedule`.

use super::clock::{self, Clock};
use super::console::{Console, OutputArgs};
use super::stream::{self, StreamArgs};
use super::{Failure, Outcome, Verdict};
use crate::diagnostic::Diagnostic;
use crate::manifest::{self, Manifest, Source};
use crate::{render, wire};
use policy_core::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Print when a schedule fires, as the CronJob controller reads it
///
/// Takes schedule lines of the five-field dialect of Kubernetes, or files with CronJobs. An argument with a space in
/// it, or with `@` at its start, is a line; any other is a file.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  jobpolicy schedule \"*/5 * * * *\" --time-zone Europe/Berlin --next 10
  jobpolicy schedule @daily --from 2026-03-28T00:00:00Z
  jobpolicy schedule cronjob.yaml --output json
  kubectl get cronjobs -A -o yaml | jobpolicy schedule -")]
pub(super) struct Args {
    /// Schedule lines, or files of CronJobs; `-` is standard input
    #[arg(value_name = "LINE|FILE", required_unless_present = "stream", conflicts_with = "stream")]
    schedules: Vec<OsString>,
    /// The time zone of lines, and of CronJobs that name none, like `Europe/Berlin`; without it, UTC
    #[arg(long, value_name = "ZONE", conflicts_with = "stream")]
    time_zone: Option<String>,
    /// How many times to print
    #[arg(long, short, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10_000), conflicts_with = "stream")]
    next: u32,
    /// Start after this time instead of now, like `2026-03-28T00:00:00Z`
    #[arg(long, value_name = "TIME", value_parser = clock::parse_time, conflicts_with = "stream")]
    from: Option<Timestamp>,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    stream: StreamArgs,
}

/// A schedule and where it came from.
struct Asked {
    schedule: String,
    time_zone: Option<String>,
    /// The CronJob, for schedules from files.
    cron_job: Option<Manifest>,
}

/// An answer of the line protocol.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    times: Vec<Timestamp>,
    exhausted: bool,
    error: Option<String>,
    stage: Option<String>,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Outcome {
    if args.stream.stream {
        return stream::run(wire::schedule::answer);
    }
    let clock = Clock::new(args.from);
    let asked = collect(args)?;
    let mut answered = Vec::new();
    for asked in asked {
        answered.push((answer(&asked, clock.now, args.next)?, asked));
    }
    console.result(
        args.output.output,
        || as_value(&answered, clock),
        |color| as_text(&answered, clock, color),
    );
    let refused = answered.iter().any(|(answer, _)| answer.error.is_some());
    Ok(if refused { Verdict::No } else { Verdict::Yes })
}

fn collect(args: &Args) -> Result<Vec<Asked>, Failure> {
    let (mut asked, mut problems) = (Vec::new(), Vec::new());
    for argument in &args.schedules {
        if let Some(line) = as_line(argument) {
            asked.push(Asked {
                schedule: line.to_owned(),
                time_zone: args.time_zone.clone(),
                cron_job: None,
            });
            continue;
        }
        let (manifests, refused) = manifest::read_all(&[PathBuf::from(argument)]);
        let before = asked.len();
        asked.extend(
            manifests.into_iter().filter_map(|manifest| of_cron_job(manifest, args.time_zone.as_ref())),
        );
        if refused.is_empty() && asked.len() == before {
            let name = argument.to_string_lossy();
            problems.push(
                Diagnostic::error(format!("there is no CronJob in `{name}`"))
                    .help("expected `apiVersion: batch/v1` and `kind: CronJob`"),
            );
        }
        problems.extend(refused.into_iter().map(|problem| hint_at_line(argument, problem)));
    }
    if problems.is_empty() { Ok(asked) } else { Err(Failure::Problems(problems)) }
}

/// A line has spaces or starts with `@`; files that look so must exist to be taken for files.
fn as_line(argument: &OsStr) -> Option<&str> {
    let text = argument.to_str()?;
    let looks_like_line = text.is_empty() || text.contains(char::is_whitespace) || text.starts_with('@');
    (looks_like_line && !Path::new(argument).is_file()).then_some(text)
}

fn hint_at_line(argument: &OsStr, problem: Diagnostic) -> Diagnostic {
    if argument.to_string_lossy().contains(['*', '/', ',']) && problem.place.is_none() {
        return problem.help("a schedule is one argument with five fields, in quotes: \"*/5 * * * *\"");
    }
    problem
}

fn of_cron_job(manifest: Manifest, zone: Option<&String>) -> Option<Asked> {
    if manifest.kind() != "CronJob" {
        return None;
    }
    let text = |pointer: &str| manifest.object.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let schedule = text("/spec/schedule").unwrap_or_default();
    let time_zone = text("/spec/timeZone").or_else(|| zone.cloned());
    Some(Asked { schedule, time_zone, cron_job: Some(manifest) })
}

fn answer(asked: &Asked, from: Timestamp, n: u32) -> Result<Answer, Failure> {
    let line = json!({
        "id": 0,
        "schedule": asked.schedule,
        "timeZone": asked.time_zone,
        "from": from.to_rfc3339_nano(),
        "n": n,
    });
    let mut bytes = Vec::new();
    wire::schedule::answer(line.to_string().as_bytes(), &mut bytes)
        .map_err(|error| Diagnostic::error(error.message))?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Diagnostic::error(format!("internal error: the answer cannot be read: {error}")).into()
    })
}

fn as_value(answered: &[(Answer, Asked)], clock: Clock) -> Value {
    let schedules: Vec<Value> = answered
        .iter()
        .map(|(answer, asked)| {
            let mut value = json!({
                "schedule": asked.schedule,
                "timeZone": asked.time_zone,
                "times": answer.times,
                "exhausted": answer.exhausted,
                "error": answer.error,
                "stage": answer.stage,
            });
            if let Some(cron_job) = &asked.cron_job {
                value["cronJob"] = json!({
                    "namespace": cron_job.namespace(),
                    "name": cron_job.name(),
                    "suspend": is_suspended(cron_job),
                    "file": cron_job.source.name,
                    "line": cron_job.position("spec.schedule").line,
                });
            }
            value
        })
        .collect();
    json!({ "from": clock.now.to_rfc3339_nano(), "clock": clock.name(), "schedules": schedules })
}

fn is_suspended(cron_job: &Manifest) -> bool {
    cron_job.object.pointer("/spec/suspend") == Some(&Value::Bool(true))
}

fn as_text(answered: &[(Answer, Asked)], clock: Clock, color: bool) -> String {
    let parts: Vec<String> =
        answered.iter().map(|(answer, asked)| one_as_text(answer, asked, clock, color)).collect();
    parts.join("\n")
}

fn one_as_text(answer: &Answer, asked: &Asked, clock: Clock, color: bool) -> String {
    if let Some(error) = &answer.error {
        return refused(asked, answer, error).render(color) + "\n";
    }
    let zone = asked.time_zone.as_deref().unwrap_or("UTC");
    let mut text = match &asked.cron_job {
        Some(cron_job) => {
            let suspended = if is_suspended(cron_job) { ", suspended" } else { "" };
            format!("CronJob {}/{}{suspended}: ", cron_job.namespace(), cron_job.name())
        }
        None => String::new(),
    };
    text.push_str(&format!("`{}` in {zone}, after {}\n\n", asked.schedule, clock.described()));
    let mut header = vec!["UTC"];
    let zone_header = zone.to_uppercase();
    let local = asked.time_zone.as_deref().filter(|zone| *zone != "UTC").and_then(clock::local_times_in);
    if local.is_some() {
        header.push(&zone_header);
    }
    header.push("IN");
    let rows = answer.times.iter().map(|time| {
        let mut row = vec![time.to_string()];
        row.extend(local.as_ref().map(|local| local(*time)));
        row.push(render::duration(time.nanos_since(clock.now) / 1_000_000));
        row
    });
    if !answer.times.is_empty() {
        text.push_str(&render::table(&header, rows));
    }
    if answer.exhausted {
        text.push_str("no further times: the schedule has none within five years\n");
    }
    text
}

fn refused(asked: &Asked, answer: &Answer, error: &str) -> Diagnostic {
    let of_zone = answer.stage.as_deref() == Some("timeZone");
    let (title, help) = if of_zone {
        (format!("invalid time zone: {error}"), "names are those of the tz database, like `Europe/Berlin`")
    } else {
        let help =
            "expected five fields: minute, hour, day of month, month, day of week; or `@daily` and the like";
        (format!("invalid schedule: {error}"), help)
    };
    let diagnostic = Diagnostic::error(title).help(help);
    match &asked.cron_job {
        Some(cron_job) => {
            let located = cron_job.locate(if of_zone { "spec.timeZone" } else { "spec.schedule" });
            diagnostic.at(&cron_job.source, located.range, "")
        }
        None => {
            let (name, text) = match &asked.time_zone {
                Some(zone) if of_zone => ("--time-zone", zone),
                _ => ("schedule", &asked.schedule),
            };
            diagnostic.at(&Source::new(name, text.as_str()), 0..text.len(), "")
        }
    }
}
