//! Syncs of CronJobs against the real controller.

use conformance::{Case, Report, first_difference};
use jobpolicy::wire;
use policy_core::explain::{Trace, Verdict};
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

/// Explanations are an addition: with and without them a sync does the same.
#[test]
fn tracing_never_changes_a_plan() {
    for case in conformance::cases("sync") {
        let plain = wire::cron_job::plan(&case.line, &mut ()).unwrap();
        let traced = wire::cron_job::plan(&case.line, &mut Trace::default()).unwrap();
        assert_eq!(format!("{plain:?}"), format!("{traced:?}"), "{}", case.id);
    }
}

/// Whoever asks why a call was made finds a rule that held.
#[test]
fn every_call_is_cited_by_a_rule_that_held() {
    for case in conformance::cases("sync") {
        let mut trace = Trace::default();
        let plan = wire::cron_job::plan(&case.line, &mut trace).unwrap();
        let held = || trace.findings().iter().filter(|finding| finding.verdict == Verdict::Held);
        for number in 0..u32::try_from(plan.calls.len()).unwrap() {
            let rules = held().filter(|finding| finding.calls.contains(&number)).count();
            assert_eq!(rules, 1, "{}: call {number} of {:?}", case.id, plan.calls);
        }
        for finding in trace.findings() {
            assert_eq!(finding.rule.domain(), "cronjob", "{}", case.id);
            assert!(!finding.evidence.is_empty(), "{}: {finding:?} looked at nothing", case.id);
            assert!(finding.verdict == Verdict::Held || finding.calls.is_empty(), "{}: {finding:?}", case.id);
            assert!(finding.calls.end as usize <= plan.calls.len(), "{}: {finding:?}", case.id);
        }
    }
}
