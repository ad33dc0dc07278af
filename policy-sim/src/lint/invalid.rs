//! Manifests that the API server would refuse. Nothing else is said about them: they never get to run.

use super::proof::Proof;
use super::subject::{Reason, Refused};
use super::{Code, Finding, codes};
use serde_json::{Value, json};

pub(super) fn findings(refused: &Refused) -> Vec<Finding> {
    refused.reasons.iter().map(|reason| finding(refused, reason)).collect()
}

fn finding(refused: &Refused, reason: &Reason) -> Finding {
    let unknown = unknown_container(refused, reason);
    let code: &'static Code =
        if unknown.is_some() { &codes::CONTAINER_NAME_UNKNOWN } else { &codes::INVALID_MANIFEST };
    let detail = reason.text.strip_prefix(&format!("{}: ", reason.path)).unwrap_or(&reason.text);
    let (message, instead) = match unknown {
        Some((given, names)) => (
            format!(
                "rule for container `{given}`, which the template does not have: the API server refuses it"
            ),
            format!("write one of the containers: {names}"),
        ),
        None => (
            format!("the API server refuses this: {detail}"),
            "change it as the message says; `jobpolicy validate` checks the same".to_owned(),
        ),
    };
    Finding {
        code,
        severity: code.severity,
        object: refused.object.clone(),
        path: reason.path.clone(),
        message,
        instead,
        proof: proof(code, refused, reason),
    }
}

/// The name that a rule gives, and the names that there are.
fn unknown_container(refused: &Refused, reason: &Reason) -> Option<(String, String)> {
    if !reason.path.contains("podFailurePolicy.rules") || !reason.path.ends_with("containerName") {
        return None;
    }
    let spec = &refused.manifest["spec"];
    let spec = spec.pointer("/jobTemplate/spec").unwrap_or(spec);
    let pod = &spec["template"]["spec"];
    let lists = ["containers", "initContainers"].into_iter();
    let containers = lists.flat_map(|list| pod[list].as_array()).flatten();
    let names: Vec<String> = containers.filter_map(|c| Some(format!("`{}`", c["name"].as_str()?))).collect();
    let given = reason.text.split('"').nth(1).unwrap_or_default();
    Some((given.to_owned(), names.join(", ")))
}

fn proof(code: &Code, refused: &Refused, reason: &Reason) -> Value {
    let refusal = json!({"name": "create", "at": "0s", "refused": format!("*{}*", reason.text), "apply": refused.manifest});
    Proof::new(code.name, "The API server refuses the manifest")
        .action(refusal)
        .asserts(json!({"text": "The manifest is refused", "refusals": {"count": 1}}))
        .asserts(json!({"text": "No Pod is ever made", "never": true, "pods": {"count": {"min": 1}}}))
        .build()
}
