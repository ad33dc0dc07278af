//! Checks the manifests of a scenario as the API server would.

use super::problem::{FieldPath, Problem};
use crate::zones::TzDatabase;
use policy_core::spec::validation::{CreateContext, Rules, validate_create};
use serde_json::Value;

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
