//! Job decisions against the answers of the real Job controller.

use conformance::{Case, Report, first_difference};
use serde_json::Value;

fn ours(line: &[u8]) -> Result<Value, String> {
    let mut out = Vec::new();
    jobpolicy::wire::job::answer(line, &mut out).map_err(|error| error.message)?;
    Ok(serde_json::from_slice(&out).expect("an answer is JSON"))
}

/// The plan is compared as JSON, unset values left out. Of an error only its presence counts: its text holds the
/// words of Go's libraries.
fn plan_and_error(case: &Case, answer: &Result<Value, String>) -> Option<String> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Some(format!("refused: {error}")),
    };
    if answer["error"].is_null() != case.expect["error"].is_null() {
        return Some(format!("error: ours {}, upstream {}", answer["error"], case.expect["error"]));
    }
    first_difference(&answer["plan"], &case.expect["plan"])
}

#[test]
fn random_states() {
    Report::run("job-random", &mut ours, plan_and_error).assert_parity("job-random", "decide");
}

#[test]
fn trajectories() {
    Report::run("job-trajectory", &mut ours, plan_and_error).assert_parity("job-trajectory", "decide");
}
