//! A plan as a table: one row for each thing the controller would do.

use crate::cli::clock::Clock;
use crate::manifest::Manifest;
use crate::render;
use serde_json::{Map, Value};

/// Rows shown of one action before the rest is summed up.
const SHOWN: usize = 20;

type Row = Vec<String>;

/// A headline and the table of a decision.
pub(super) fn as_text(subject: &Manifest, answer: &Value, clock: Clock) -> String {
    let (kind, namespace, name) = (subject.kind(), subject.namespace(), subject.name());
    let mut text = format!("{kind} {namespace}/{name} at {}\n\n", clock.described());
    let plan = answer.get("plan").unwrap_or(&Value::Null);
    let rows = rows(kind, name, plan, clock);
    if rows.is_empty() {
        text.push_str("nothing to do\n");
    } else {
        text.push_str(&render::table(&["ACTION", "OBJECT", "DETAIL"], rows));
    }
    if let Some(error) = answer.get("error").and_then(Value::as_str) {
        text.push_str(&format!("\nthe sync ends with an error and is tried again: {error}\n"));
    }
    text
}

fn rows(kind: &str, name: &str, plan: &Value, clock: Clock) -> Vec<Row> {
    let mut rows = Vec::new();
    let subject = format!("{}/{name}", kind.to_lowercase());
    named(&mut rows, "adopt", "pod", plan.get("adopt"));
    named(&mut rows, "release", "pod", plan.get("release"));
    named(&mut rows, "delete", "pod", plan.get("delete"));
    created_pods(&mut rows, name, plan);
    created_jobs(&mut rows, plan);
    named(&mut rows, "delete", "job", plan.get("deleteJobs"));
    named(&mut rows, "remove finalizer", "pod", plan.get("removeFinalizer"));
    let statuses = plan.get("statusUpdates").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let status = plan.get("status").filter(|status| !status.is_null());
    for status in statuses.iter().chain(status) {
        rows.push(vec!["update status".to_owned(), subject.clone(), status_in_words(status)]);
    }
    for event in list(plan, "events") {
        let text = |key: &str| event.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        rows.push(vec![
            "event".to_owned(),
            subject.clone(),
            format!("{} {}: {}", text("type"), text("reason"), text("message")),
        ]);
    }
    if let Some(millis) = plan.get("requeueAfterMs").and_then(Value::as_i64) {
        let at = clock.now.plus_nanos(millis.saturating_mul(1_000_000));
        rows.push(vec![
            "look again".to_owned(),
            subject,
            format!("in {}, at {at}", render::duration(millis)),
        ]);
    }
    rows
}

fn list<'p>(plan: &'p Value, key: &str) -> &'p [Value] {
    plan.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn named(rows: &mut Vec<Row>, action: &str, kind: &str, names: Option<&Value>) {
    let names = names.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let objects = names.iter().map(|name| format!("{kind}/{}", name.as_str().unwrap_or_default()));
    limited(rows, action, objects.map(|object| (object, String::new())).collect());
}

fn created_pods(rows: &mut Vec<Row>, job: &str, plan: &Value) {
    let pods = list(plan, "create").iter().map(|pod| {
        let prefix = match pod.get("generateName").and_then(Value::as_str) {
            None | Some("") => format!("{job}-"),
            Some(prefix) => prefix.to_owned(),
        };
        let index = pod.get("index").and_then(Value::as_i64).map(|index| format!("index {index}"));
        (format!("pod/{prefix}*"), index.unwrap_or_default())
    });
    limited(rows, "create", pods.collect());
}

fn created_jobs(rows: &mut Vec<Row>, plan: &Value) {
    let jobs = list(plan, "createJobs").iter().map(|job| {
        let text = |pointer: &str| job.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let scheduled = text("/metadata/annotations/batch.kubernetes.io~1cronjob-scheduled-timestamp");
        let detail = if scheduled.is_empty() { String::new() } else { format!("scheduled for {scheduled}") };
        (format!("job/{}", text("/metadata/name")), detail)
    });
    limited(rows, "create", jobs.collect());
}

fn limited(rows: &mut Vec<Row>, action: &str, objects: Vec<(String, String)>) {
    let more = objects.len().saturating_sub(SHOWN);
    let shown = if more == 1 { objects.len() } else { SHOWN };
    rows.extend(
        objects.into_iter().take(shown).map(|(object, detail)| vec![action.to_owned(), object, detail]),
    );
    if more > 1 {
        rows.push(vec![action.to_owned(), format!("and {more} more"), "all with --output json".to_owned()]);
    }
}

/// The counts and conditions of a status on one line.
fn status_in_words(status: &Value) -> String {
    let empty = Map::new();
    let fields = status.as_object().unwrap_or(&empty);
    let mut parts = Vec::new();
    for key in ["active", "ready", "terminating", "succeeded", "failed"] {
        match fields.get(key) {
            Some(Value::Number(count)) => parts.push(format!("{key} {count}")),
            Some(Value::Array(jobs)) => parts.push(format!("{key} {}", jobs.len())),
            _ => {}
        }
    }
    for (key, words) in [
        ("completedIndexes", "completed indexes"),
        ("failedIndexes", "failed indexes"),
        ("lastScheduleTime", "last scheduled"),
        ("lastSuccessfulTime", "last successful"),
    ] {
        if let Some(text) = fields.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()) {
            parts.push(format!("{words} {text}"));
        }
    }
    let uncounted =
        |kind: &str| status.pointer(&format!("/uncountedTerminatedPods/{kind}")).and_then(Value::as_array);
    let waiting: usize =
        ["succeeded", "failed"].iter().filter_map(|kind| uncounted(kind)).map(Vec::len).sum();
    if waiting > 0 {
        parts.push(format!("uncounted {waiting}"));
    }
    parts.extend(list(status, "conditions").iter().map(condition_in_words));
    if parts.is_empty() { "no counts".to_owned() } else { parts.join(", ") }
}

fn condition_in_words(condition: &Value) -> String {
    let text = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
    let reason = if text("reason").is_empty() { String::new() } else { format!(" ({})", text("reason")) };
    format!("{}={}{reason}", text("type"), text("status"))
}
