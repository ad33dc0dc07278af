//! Lines of the protocol, answered as results.

use crate::problem::{Problem, bytes};
use policy_json::LineError;
use policy_sim::zones::TzDatabase;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What to do next with a Job or a CronJob; the line's fields say which.
pub fn decide(line: &[u8]) -> Vec<u8> {
    let fields: BTreeMap<String, &serde_json::value::RawValue> =
        crate::problem::read(line).unwrap_or_default();
    if fields.contains_key("cronJob") {
        result(|out| policy_json::cron_job::answer(line, TzDatabase::shared(), out))
    } else {
        result(|out| policy_json::job::answer(line, out))
    }
}

/// The next times of a schedule.
pub fn schedule(line: &[u8]) -> Vec<u8> {
    result(|out| policy_json::schedule::answer(line, TzDatabase::shared(), out))
}

/// What the API server would say.
pub fn validate(line: &[u8]) -> Vec<u8> {
    result(|out| policy_json::validate::answer(line, TzDatabase::shared(), out))
}

/// Versions.
pub fn version() -> Value {
    json!({ "version": env!("CARGO_PKG_VERSION"), "kubernetes": policy_core::KUBERNETES_VERSION })
}

/// The protocol's answer within a result, copied as it is.
fn result(answer: impl FnOnce(&mut Vec<u8>) -> Result<(), LineError>) -> Vec<u8> {
    let mut out = br#"{"ok":true,"value":"#.to_vec();
    match answer(&mut out) {
        Ok(()) => {
            out.push(b'}');
            out
        }
        Err(error) => bytes(&json!({ "ok": false, "problems": [Problem::from(&error)] })),
    }
}
