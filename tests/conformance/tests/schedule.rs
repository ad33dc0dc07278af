//! Schedules and time zones against robfig/cron as upstream calls it.

use conformance::{Case, Report, first_difference};
use jobpolicy::wire;
use serde_json::{Value, json};

/// Of the rejections, how many may be worded differently: upstream's words come from three layers of Go's library,
/// and nobody acts on them. Whether a schedule is rejected, and at which stage, always counts.
const MAX_DIFFERENT_WORDS_PERCENT: usize = 3;

fn answer(line: &[u8]) -> Result<Value, String> {
    let mut out = Vec::new();
    wire::schedule::answer(line, &mut out).map_err(|error| error.message)?;
    serde_json::from_slice(&out).map_err(|error| error.to_string())
}

/// Everything but an error's words: the times, whether the schedule is exhausted, whether and at which stage it was
/// rejected. A schedule that is accepted here and rejected upstream would start Jobs that never ran, or the reverse.
fn outcome(answer: &Value) -> Value {
    json!({
        "times": answer["times"],
        "exhausted": answer["exhausted"],
        "rejected": answer["error"].is_string(),
        "stage": answer["stage"],
    })
}

fn same_outcome(case: &Case, answer: &Result<Value, String>) -> Option<String> {
    match answer {
        Ok(answer) if answer["id"] != case.input["id"] => Some(format!("id: ours {}", answer["id"])),
        Ok(answer) => first_difference(&outcome(answer), &outcome(&case.expect)),
        Err(error) => Some(format!("no answer: {error}")),
    }
}

/// The words of a rejection, compared apart from the verdict.
fn same_words(case: &Case, answer: &Result<Value, String>) -> Option<String> {
    let answer = answer.as_ref().ok()?;
    first_difference(&json!({ "error": answer["error"] }), &json!({ "error": case.expect["error"] }))
}

#[test]
fn every_schedule_has_upstreams_times_and_verdict() {
    let report = Report::run("schedule", &mut answer, same_outcome);
    println!("{} cases, {} mismatches", report.cases, report.mismatches.len());
    report.assert_parity("schedule", "schedule");
}

#[test]
fn rejections_have_upstreams_words() {
    let report = Report::run("schedule", &mut answer, same_words);
    let rejections = conformance::cases("schedule").filter(|case| case.expect["error"].is_string()).count();
    println!("{rejections} rejections, {} in other words", report.mismatches.len());
    let allowed = rejections * MAX_DIFFERENT_WORDS_PERCENT / 100;
    assert!(report.mismatches.len() <= allowed, "{:#?}", &report.mismatches);
}
