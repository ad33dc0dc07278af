//! A schedule and its zone, as text: any two strings are read or refused, and times come in order.
#![no_main]

use jobpolicy::wire::schedule::answer;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

fuzz_target!(|input: (&str, Option<&str>, u32)| {
    let (schedule, zone, seconds) = input;
    let from = policy_core::Timestamp::from_unix(i64::from(seconds), 0).expect("within chrono's years");
    let line = json!({ "id": 1, "schedule": schedule, "timeZone": zone, "from": from, "n": 5 });
    let mut bytes = Vec::new();
    answer(line.to_string().as_bytes(), &mut bytes).expect("the line has all fields");
    let answer: Value = serde_json::from_slice(&bytes).expect("answers are JSON");
    let times: Vec<&str> = answer["times"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    assert!(times.is_sorted_by(|a, b| a < b), "{schedule:?} {zone:?}: {times:?}");
});
