//! Syncs of CronJobs against the real controller.

use conformance::{Case, Report, first_difference};
use jobpolicy::wire;
use serde_json::{Value, json};

fn answer(line: &[u8]) -> Result<Value, String> {
    let mut out = Vec::new();
    wire::cron_job::answer(line, &mut out).map_err(|error| error.message)?;
    serde_json::from_slice(&out).map_err(|error| error.to_string())
}

/// Events in a fixed order. Upstream goes through a CronJob's Jobs in Go's map order, so theirs is none.
fn as_multiset(events: &Value) -> Value {
    let mut events: Vec<Value> = events.as_array().cloned().unwrap_or_default();
    events.sort_by_key(Value::to_string);
    Value::Array(events)
}

/// The whole plan, events as a multiset, and whether there was an error: its words are for the log only and come from
/// the server.
fn comparable(answer: &Value) -> Value {
    let mut plan = answer["plan"].clone();
    plan["events"] = as_multiset(&plan["events"]);
    json!({ "plan": plan, "failed": answer["error"].is_string() })
}

fn same_plan(case: &Case, answer: &Result<Value, String>) -> Option<String> {
    match answer {
        Ok(answer) if answer["id"] != case.input["id"] => Some(format!("id: ours {}", answer["id"])),
        Ok(answer) => first_difference(&comparable(answer), &comparable(&case.expect)),
        Err(error) => Some(format!("no answer: {error}")),
    }
}

#[test]
fn every_sync_does_what_upstream_does() {
    let report = Report::run("sync", &mut answer, same_plan);
    println!("{} cases, {} mismatches", report.cases, report.mismatches.len());
    report.assert_parity("sync", "decide");
}
