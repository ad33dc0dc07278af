//! Checks the manifests of a scenario as the API server would.

use super::problem::{FieldPath, Problem};
use crate::zones::TzDatabase;
use policy_core::spec::validation::{CreateContext, Rules, validate_create};
use serde_json::{Map, Value};

/// What the API server would refuse about one manifest.
pub(super) fn problems(manifest: &Value, path: &FieldPath) -> Vec<Problem> {
    if !matches!(manifest["kind"].as_str(), Some("Job" | "CronJob")) {
        return named(manifest, path);
    }
    let rules = Rules { time_zones: TzDatabase::shared(), allow_privileged: true };
    let raw = match serde_json::value::to_raw_value(manifest) {
        Ok(raw) => raw,
        Err(error) => return vec![Problem::new(path, error.to_string())],
    };
    let review = validate_create(&raw, &CreateContext::default(), &rules);
    let mut problems = Vec::new();
    problems.extend(review.decode_error.iter().map(|error| Problem::new(path, error.as_str())));
    if let Some(unknown) = &review.strict_errors {
        problems.extend(strict(unknown, path));
    }
    problems.extend(review.errors.iter().map(|error| {
        let detail = error.to_string();
        Problem::new(&path.field(&error.field), detail)
    }));
    problems
}

fn named(manifest: &Value, path: &FieldPath) -> Vec<Problem> {
    let metadata = &manifest["metadata"];
    let has = |key: &str| metadata[key].as_str().is_some_and(|name| !name.is_empty());
    if has("name") || has("generateName") {
        return Vec::new();
    }
    vec![Problem::new(&path.key("metadata"), "`name` is missing")]
}

/// Unknown and duplicate fields, which upstream lists as `unknown field "spec.x", unknown field "spec.y"`.
fn strict<'t>(text: &'t str, path: &'t FieldPath) -> impl Iterator<Item = Problem> + 't {
    text.split(", ").map(|part| {
        let field = part.split('"').nth(1).unwrap_or_default();
        Problem::new(&path.field(field), part)
    })
}

/// The object as it would be created anew: what a cluster has added to it is not part of a manifest.
pub fn as_new(object: &Value) -> Value {
    let mut object = object.clone();
    let stored = object.pointer("/metadata/uid").is_some();
    if let Some(fields) = object.as_object_mut().filter(|_| stored) {
        fields.remove("status");
        if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
            for key in [
                "uid",
                "resourceVersion",
                "creationTimestamp",
                "generation",
                "managedFields",
                "ownerReferences",
            ] {
                metadata.remove(key);
            }
        }
        remove_controller_labels(fields);
    }
    object
}

/// A Job's selector and the labels that go with it are made for each Job.
fn remove_controller_labels(fields: &mut Map<String, Value>) {
    const MADE: &[&str] =
        &["controller-uid", "batch.kubernetes.io/controller-uid", "job-name", "batch.kubernetes.io/job-name"];
    let Some(spec) = fields.get_mut("spec").and_then(Value::as_object_mut) else { return };
    if spec.get("manualSelector").and_then(Value::as_bool) == Some(true) {
        return;
    }
    spec.remove("selector");
    if let Some(labels) = spec
        .get_mut("template")
        .and_then(|t| t.pointer_mut("/metadata/labels"))
        .and_then(Value::as_object_mut)
    {
        labels.retain(|key, _| !MADE.contains(&key.as_str()));
    }
}
