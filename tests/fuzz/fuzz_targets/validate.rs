//! A line of `validate`: any bytes get an answer that is JSON or an error; what defaults give is taken again.
#![no_main]

use jobpolicy::wire::validate::answer;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

fuzz_target!(|line: &[u8]| {
    let mut bytes = Vec::new();
    if answer(line, &mut bytes).is_err() {
        return;
    }
    let verdict: Value = serde_json::from_slice(&bytes).expect("answers are JSON");
    let has_errors = verdict["errors"].as_array().is_some_and(|errors| !errors.is_empty());
    if verdict["defaulted"].is_object() && !has_errors && verdict["decodeError"].is_null() {
        let again = json!({ "id": 0, "object": verdict["defaulted"] });
        let mut bytes = Vec::new();
        answer(again.to_string().as_bytes(), &mut bytes).expect("a defaulted object can be read");
    }
});
