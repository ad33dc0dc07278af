//! Scenarios: a cluster, what containers do, what people do to it and when, what has to be seen, and variants.
//!
//! A scenario is data: YAML for people, JSON for everything else. It is checked as JSON, so that every problem has a
//! path that the reader of the YAML can turn into a line and a column.
//!
//! ```
//! use policy_sim::scenario::Document;
//! let document = serde_json::json!({
//!     "name": "pi", "title": "One Pod",
//!     "manifests": [{"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "pi"}, "spec": {
//!         "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "pi", "image": "perl"}]}}}}],
//!     "behaviours": [{"matches": {"job": "pie"}, "script": [{"run": "3s"}]}],
//! });
//! let problems = Document::load(document).unwrap_err();
//! assert_eq!(
//!     problems[0].to_string(),
//!     "behaviours[0].matches.job: there is no Job `pie` in this scenario (did you mean `pi`?)",
//! );
//! ```

use serde_json::Value;

pub mod action;
pub mod assertion;
mod duration;
mod eval;
pub mod fault;
mod judge;
mod manifests;
mod model;
mod overlay;
mod perform;
mod problem;
mod quantity;
mod references;
mod report;
mod run;
pub mod schema;
pub mod select;
mod source;
mod timeline;
mod why;

pub use duration::Duration;
pub use manifests::as_new;
pub use model::{Behaviour, Cluster, Controller, Image, Node, Scenario, Step, Variant};
pub use perform::{Done, described as describe};
pub use problem::{FieldPath, PathStep, Problem};

pub use report::RunReport;
pub use run::{Held, Options, Run};
pub use source::Source;
pub use timeline::{PodLife, Stage, Timeline};

/// The name under which the scenario without a variant is run.
pub const BASE: &str = "base";

/// A checked document: a scenario and its variants.
#[derive(Clone, Debug)]
pub struct Document {
    value: Value,
    scenario: Scenario,
    variants: Vec<(Variant, Scenario)>,
}

impl Document {
    /// Checks a document with all its variants.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with the path at which it was written.
    pub fn load(value: Value) -> Result<Self, Vec<Problem>> {
        let problems = schema::problems(&value);
        if !problems.is_empty() {
            return Err(problems);
        }
        let scenario = read(&value, |path| path.clone())?;
        // A value that was left out is shown where it is missing, as `origin` does for variants.
        let place = |path: &FieldPath| overlay::origin(&value, &Value::Null, &FieldPath::default(), path);
        let mut problems = placed(references::problems(&scenario, &value), place);
        let mut variants = Vec::new();
        for (index, variant) in scenario.variants.iter().enumerate() {
            match laid_over(&value, index, variant) {
                Ok(merged) => variants.push((variant.clone(), merged)),
                // What the scenario itself has wrong is told once.
                Err(more) => problems.extend(more),
            }
        }
        let mut seen: Vec<Problem> = Vec::new();
        problems.retain(|problem| {
            let new = !seen.contains(problem);
            seen.push(problem.clone());
            new
        });
        if problems.is_empty() { Ok(Document { value, scenario, variants }) } else { Err(problems) }
    }

    /// The scenario without a variant.
    pub fn base(&self) -> &Scenario {
        &self.scenario
    }

    /// The variants, in order.
    pub fn variants(&self) -> impl Iterator<Item = &Variant> {
        self.variants.iter().map(|(variant, _)| variant)
    }

    /// A variant's scenario; [`BASE`] is the one without a variant.
    ///
    /// # Errors
    /// There is no such variant; the message suggests one.
    pub fn scenario(&self, variant: &str) -> Result<&Scenario, Problem> {
        if variant == BASE {
            return Ok(&self.scenario);
        }
        self.variants
            .iter()
            .find(|(known, _)| known.name == variant)
            .map(|(_, scenario)| scenario)
            .ok_or_else(|| {
                let names = std::iter::once(BASE).chain(self.variants().map(|known| known.name.as_str()));
                let message = format!("`{}` has no variant `{variant}`", self.scenario.name);
                Problem::new(&FieldPath::default(), message).suggest(variant, names)
            })
    }

    /// A variant's scenario as a document of its own, without variants.
    ///
    /// # Errors
    /// As [`Document::scenario`].
    pub fn document_of(&self, variant: &str) -> Result<Value, Problem> {
        self.scenario(variant)?;
        let index = self.variants.iter().position(|(known, _)| known.name == variant);
        let mut document = match index {
            Some(index) => overlay::merged(&self.value, &self.value["variants"][index]["patch"]),
            None => self.value.clone(),
        };
        if let Some(fields) = document.as_object_mut() {
            fields.remove("variants");
        }
        Ok(document)
    }

    /// Where a value of a variant's scenario was written.
    pub fn origin(&self, variant: &str, path: &FieldPath) -> FieldPath {
        match self.variants.iter().position(|(known, _)| known.name == variant) {
            Some(index) => written_at(&self.value, index, path),
            None => path.clone(),
        }
    }
}

/// What the API server would refuse about a manifest, with paths in it.
pub fn check_manifest(manifest: &Value) -> Vec<Problem> {
    manifests::problems(manifest, &FieldPath::default())
}

fn patch_path(index: usize) -> FieldPath {
    FieldPath::default().key("variants").index(index).key("patch")
}

fn written_at(base: &Value, index: usize, path: &FieldPath) -> FieldPath {
    overlay::origin(base, &base["variants"][index]["patch"], &patch_path(index), path)
}

fn laid_over(base: &Value, index: usize, variant: &Variant) -> Result<Scenario, Vec<Problem>> {
    let at = patch_path(index);
    if variant.patch.get("variants").is_some() {
        return Err(vec![Problem::new(&at.key("variants"), "a variant cannot have variants")]);
    }
    let idle = overlay::idle_deletions(base, &variant.patch, &at);
    if !idle.is_empty() {
        let problem = |path| Problem::new(path, "there is nothing of this name to delete");
        return Err(idle.iter().map(problem).collect());
    }
    let mut merged = overlay::merged(base, &variant.patch);
    if let Some(fields) = merged.as_object_mut() {
        fields.remove("variants");
    }
    let place = |path: &FieldPath| written_at(base, index, path);
    let problems = schema::problems(&merged);
    if !problems.is_empty() {
        return Err(placed(problems, place));
    }
    let scenario = read(&merged, place)?;
    match references::problems(&scenario, &merged) {
        problems if problems.is_empty() => Ok(scenario),
        problems => Err(placed(problems, place)),
    }
}

fn placed(problems: Vec<Problem>, place: impl Fn(&FieldPath) -> FieldPath) -> Vec<Problem> {
    problems.into_iter().map(|problem| Problem { path: place(&problem.path), ..problem }).collect()
}

/// Reads what the schema has accepted.
fn read(value: &Value, place: impl Fn(&FieldPath) -> FieldPath) -> Result<Scenario, Vec<Problem>> {
    crate::typed::typed(value)
        .map_err(|error| vec![Problem::new(&place(&FieldPath::default()), error.to_string())])
}

#[cfg(test)]
mod tests;
