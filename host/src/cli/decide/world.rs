//! From the objects of the input to a line of the `decide` protocol.

use crate::cli::validate::findings;
use crate::diagnostic::Diagnostic;
use crate::manifest::Manifest;
use crate::wire;
use policy_core::Timestamp;
use serde_json::{Value, json};

/// The line that asks about a Job with the Pods, or a CronJob with the Jobs, of its namespace.
///
/// # Errors
/// The manifest is not from a cluster and the API server would not take it.
pub(super) fn line(subject: &Manifest, all: &[Manifest], now: Timestamp) -> Result<Value, Vec<Diagnostic>> {
    let object = if subject.is_stored() { subject.object.clone() } else { created(subject, now)? };
    let of_kind = |kind: &str| -> Vec<&Value> {
        all.iter()
            .filter(|m| m.kind() == kind && m.namespace() == subject.namespace())
            .map(|m| &m.object)
            .collect()
    };
    let now = now.to_rfc3339_nano();
    Ok(match subject.kind() {
        "CronJob" => json!({ "id": 0, "now": now, "cronJob": object, "jobs": of_kind("Job") }),
        _ => json!({ "id": 0, "now": now, "job": object, "pods": of_kind("Pod") }),
    })
}

/// The object as the API server would store it if it were created now.
fn created(subject: &Manifest, now: Timestamp) -> Result<Value, Vec<Diagnostic>> {
    let line = json!({ "id": 0, "object": subject.object });
    let errors: Vec<Diagnostic> = findings::of(subject, &line)
        .into_iter()
        .filter(findings::Finding::is_error)
        .map(|finding| finding.diagnostic)
        .collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut bytes = Vec::new();
    let answer = wire::validate::answer(line.to_string().as_bytes(), &mut bytes)
        .map_err(|error| error.message)
        .and_then(|()| serde_json::from_slice::<Value>(&bytes).map_err(|error| error.to_string()));
    let mut object = match answer {
        Ok(mut answer) => answer["defaulted"].take(),
        Err(message) => {
            return Err(vec![Diagnostic::error(format!("internal error: no defaults: {message}"))]);
        }
    };
    object["metadata"]["creationTimestamp"] = json!(now);
    Ok(object)
}
