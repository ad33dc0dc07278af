//! Scenarios as documents.

use crate::problem::{Answer, Code, Problem};
use policy_sim::scenario::{Document, check_manifest};
use serde_json::{Value, json};

/// What a scenario is about and its variants.
///
/// # Errors
/// Everything that is wrong with it.
pub fn check_scenario(document: Value) -> Answer<Value> {
    let document =
        Document::load(document).map_err(|problems| of_scenario(&problems, Code::InvalidScenario))?;
    let base = document.base();
    let variants = document
        .variants()
        .map(|variant| json!({ "name": variant.name, "title": variant.title, "summary": variant.summary }));
    Ok(json!({
        "name": base.name,
        "title": base.title,
        "summary": base.summary,
        "tutorial": base.tutorial,
        "seed": base.seed,
        "until": base.until,
        "start": base.start,
        "variants": variants.collect::<Vec<_>>(),
    }))
}

/// A scenario that creates these objects.
///
/// # Errors
/// What the API server would refuse about them.
pub fn scenario_of(manifests: &[Value]) -> Answer<Value> {
    let mut problems = Vec::new();
    for (place, manifest) in manifests.iter().enumerate() {
        for problem in check_manifest(manifest) {
            let found = Problem::of_scenario(Code::InvalidObject, &problem, 0);
            let dot = if found.path.is_empty() { "" } else { "." };
            let path = format!("[{place}]{dot}{}", found.path);
            let steps = [vec![crate::Step::Index(place)], found.steps].concat();
            problems.push(Problem { path, steps, ..found });
        }
    }
    if manifests.is_empty() {
        problems.push(Problem::new(Code::WrongShape, "there is no manifest"));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(json!({ "name": "own", "title": "Your own manifests", "manifests": manifests }))
}

fn of_scenario(problems: &[policy_sim::scenario::Problem], code: Code) -> Vec<Problem> {
    problems.iter().map(|problem| Problem::of_scenario(code, problem, 0)).collect()
}
