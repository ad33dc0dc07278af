//! Objects that are not from a cluster, as they would be right after they were created.

use crate::diagnostic::Diagnostic;
use crate::manifest::Manifest;
use crate::wire;
use policy_core::Timestamp;
use policy_manifest::findings;
use serde_json::{Value, json};

/// The object as the API server would store it if it were created now.
///
/// # Errors
/// The API server would not take it.
pub(super) fn created(subject: &Manifest, now: Timestamp) -> Result<Value, Vec<Diagnostic>> {
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
