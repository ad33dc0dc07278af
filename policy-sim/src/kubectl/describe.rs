//! `kubectl describe`, from objects as the API shows them (`describe.go` of kubectl).

use super::age::{human_duration, rfc1123, since};
use super::{get, tabs};
use crate::World;
use policy_core::Timestamp;
use policy_core::spec::{LabelSelector, Selector};
use serde_json::Value;
use std::fmt::Write;

mod pod;

/// Characters of a list of indexes that are shown, up to the next comma.
const INDEXES_SHOWN: usize = 50;
/// Characters of an annotation that are shown on one line.
const ANNOTATION_SHOWN: usize = 140;
/// What `kubectl apply` leaves, which nobody wants to read.
const HIDDEN_ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Lines with cells, made one after the other.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn line(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }

    /// A word and what it is.
    fn field(&mut self, name: &str, value: impl std::fmt::Display) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "{name}:\t{value}");
    }

    /// As [`Lines::field`], if there is a value; else `otherwise`, if that is wanted.
    fn perhaps(&mut self, name: &str, value: &Value, unit: &str, otherwise: Option<&str>) {
        match (value, otherwise) {
            (Value::Null, None) => {}
            (Value::Null, Some(otherwise)) => self.field(name, otherwise),
            (Value::String(text), _) => self.field(name, format_args!("{text}{unit}")),
            (value, _) => self.field(name, format_args!("{value}{unit}")),
        }
    }

    /// Labels, or what is like them, one below the other.
    fn labels(&mut self, indent: &str, name: &str, labels: &Value) {
        let all = labels.as_object().into_iter().flatten();
        let all = all.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()));
        self.several(indent, name, all.collect());
    }

    fn several(&mut self, indent: &str, name: &str, values: Vec<String>) {
        let values = if values.is_empty() { vec!["<none>".to_owned()] } else { values };
        for (place, value) in values.iter().enumerate() {
            let name = if place == 0 { format!("{name}:") } else { String::new() };
            self.line(&format!("{indent}{name}\t{value}"));
        }
    }

    fn annotations(&mut self, indent: &str, annotations: &Value) {
        let mut lines = Vec::new();
        let all = annotations.as_object().into_iter().flatten();
        for (key, value) in all.filter(|(key, _)| *key != HIDDEN_ANNOTATION) {
            let value = value.as_str().unwrap_or_default();
            let value = value.strip_suffix('\n').unwrap_or(value);
            if value.len() + key.len() + 2 <= ANNOTATION_SHOWN && !value.contains('\n') {
                lines.push(format!("{key}: {value}"));
                continue;
            }
            lines.push(format!("{key}:"));
            lines.extend(value.split('\n').map(|line| match line.get(..ANNOTATION_SHOWN - 2) {
                Some(start) if line.len() > start.len() => format!("  {start}..."),
                _ => format!("  {line}"),
            }));
        }
        self.several(indent, "Annotations", lines);
    }
}

/// One object and its events.
pub(super) fn text(world: &World, now: Timestamp, object: &Value) -> String {
    let mut lines = Lines::default();
    let kind = object["kind"].as_str().unwrap_or_default();
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    lines.field("Name", name);
    lines.perhaps("Namespace", &object["metadata"]["namespace"], "", Some(""));
    match kind {
        "Job" => job(&mut lines, object),
        "CronJob" => cron_job(&mut lines, object),
        _ => pod::pod(&mut lines, object, now),
    }
    let about = format!("{kind}/{name}");
    events(world, now, &about, lines)
}

/// Ends with the events; they are lined up by themselves.
fn events(world: &World, now: Timestamp, about: &str, mut lines: Lines) -> String {
    let seen = get::seen(world, |event| event.object() == about);
    if seen.is_empty() {
        lines.field("Events", "<none>");
        return tabs::aligned(&lines.0, 2);
    }
    let mut table = Lines::default();
    table.line("Events:\n  Type\tReason\tAge\tFrom\tMessage");
    table.line("  ----\t------\t----\t----\t-------");
    for get::Seen { event, count, first } in seen {
        let (last, first) = (since(event.at, now), since(first, now));
        let age = if count > 1 { format!("{last} (x{count} over {first})") } else { last };
        let (kind, reason, message) = (event.kind(), event.reason(), event.message());
        table.line(&format!("  {kind}\t{reason}\t{age}\t{}\t{}", event.component(), message.trim()));
    }
    tabs::aligned(&lines.0, 2) + &tabs::aligned(&table.0, 2)
}

fn job(lines: &mut Lines, job: &Value) {
    let (spec, status, metadata) = (&job["spec"], &job["status"], &job["metadata"]);
    lines.field("Selector", selector(&spec["selector"]));
    lines.labels("", "Labels", &metadata["labels"]);
    lines.annotations("", &metadata["annotations"]);
    controlled_by(lines, metadata);
    lines.perhaps("Parallelism", &spec["parallelism"], "", None);
    lines.perhaps("Completions", &spec["completions"], "", Some("<unset>"));
    lines.perhaps("Completion Mode", &spec["completionMode"], "", None);
    lines.perhaps("Suspend", &spec["suspend"], "", None);
    lines.perhaps("Backoff Limit", &spec["backoffLimit"], "", None);
    lines.perhaps("TTL Seconds After Finished", &spec["ttlSecondsAfterFinished"], "", None);
    let (start, end) = (instant(&status["startTime"]), instant(&status["completionTime"]));
    if let Some(start) = start {
        lines.field("Start Time", rfc1123(start));
    }
    if let Some(end) = end {
        lines.field("Completed At", rfc1123(end));
    }
    if let (Some(start), Some(end)) = (start, end) {
        lines.field("Duration", human_duration(end.nanos_since(start)));
    }
    lines.perhaps("Active Deadline Seconds", &spec["activeDeadlineSeconds"], "s", None);
    let count = |field: &str| status[field].as_i64().unwrap_or(0);
    let ready = status["ready"].as_i64().map(|ready| format!(" ({ready} Ready)")).unwrap_or_default();
    let (active, succeeded, failed) = (count("active"), count("succeeded"), count("failed"));
    let counts = format!("{active} Active{ready} / {succeeded} Succeeded / {failed} Failed");
    lines.field("Pods Statuses", counts);
    if spec["completionMode"] == "Indexed" {
        lines.field("Completed Indexes", indexes(status["completedIndexes"].as_str().unwrap_or_default()));
    }
    pod::template(lines, &spec["template"]);
}

fn cron_job(lines: &mut Lines, cron_job: &Value) {
    let (spec, status, metadata) = (&cron_job["spec"], &cron_job["status"], &cron_job["metadata"]);
    let unset = Some("<unset>");
    lines.labels("", "Labels", &metadata["labels"]);
    lines.annotations("", &metadata["annotations"]);
    lines.perhaps("Schedule", &spec["schedule"], "", Some(""));
    lines.perhaps("Concurrency Policy", &spec["concurrencyPolicy"], "", Some(""));
    lines.field(
        "Suspend",
        match spec["suspend"].as_bool() {
            Some(true) => "True",
            Some(false) => "False",
            None => "<unset>",
        },
    );
    lines.perhaps("Time Zone", &spec["timeZone"], "", unset);
    lines.perhaps("Successful Job History Limit", &spec["successfulJobsHistoryLimit"], "", unset);
    lines.perhaps("Failed Job History Limit", &spec["failedJobsHistoryLimit"], "", unset);
    lines.perhaps("Starting Deadline Seconds", &spec["startingDeadlineSeconds"], "s", unset);
    let job = &spec["jobTemplate"]["spec"];
    match &job["selector"] {
        Value::Null => lines.field("Selector", "<unset>"),
        given => lines.field("Selector", selector(given)),
    }
    lines.perhaps("Parallelism", &job["parallelism"], "", unset);
    lines.perhaps("Completions", &job["completions"], "", unset);
    lines.perhaps("Active Deadline Seconds", &job["activeDeadlineSeconds"], "s", None);
    pod::template(lines, &job["template"]);
    let last = instant(&status["lastScheduleTime"]).map(rfc1123);
    lines.field("Last Schedule Time", last.as_deref().unwrap_or("<unset>"));
    let active = status["active"].as_array().into_iter().flatten();
    let active: Vec<&str> = active.filter_map(|job| job["name"].as_str()).collect();
    lines.field("Active Jobs", if active.is_empty() { "<none>".to_owned() } else { active.join(", ") });
}

fn controlled_by(lines: &mut Lines, metadata: &Value) {
    let mut owners = metadata["ownerReferences"].as_array().into_iter().flatten();
    if let Some(owner) = owners.find(|owner| owner["controller"] == true) {
        let (kind, name) = (&owner["kind"], &owner["name"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        lines.field("Controlled By", format_args!("{}/{}", text(kind), text(name)));
    }
}

/// A label selector as text, `a=b,c in (d,e)` (`labels.Selector.String`).
fn selector(value: &Value) -> String {
    let Ok(selector) = crate::typed::typed::<LabelSelector>(value) else { return String::new() };
    if Selector::new(Some(&selector)).is_err() {
        return "Failed to get selector: it is invalid".to_owned();
    }
    let mut parts: Vec<String> =
        selector.match_labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    parts.extend(selector.match_expressions.iter().map(|wanted| {
        let key = &wanted.key;
        let mut values = wanted.values.clone();
        values.sort();
        match wanted.operator.as_str() {
            "In" => format!("{key} in ({})", values.join(",")),
            "NotIn" => format!("{key} notin ({})", values.join(",")),
            "Exists" => key.clone(),
            _ => format!("!{key}"),
        }
    }));
    parts.sort();
    parts.join(",")
}

/// The start of a list of indexes, up to a comma.
fn indexes(list: &str) -> String {
    if list.is_empty() {
        return "<none>".to_owned();
    }
    let cut = list.get(INDEXES_SHOWN..).and_then(|rest| rest.find(','));
    match cut.and_then(|at| list.get(..=INDEXES_SHOWN + at)) {
        Some(start) => format!("{start}..."),
        None => list.to_owned(),
    }
}

fn instant(value: &Value) -> Option<Timestamp> {
    value.as_str().and_then(|text| Timestamp::parse(text).ok())
}
