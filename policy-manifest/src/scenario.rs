//! Scenarios from YAML; problems are shown at their line.

use crate::diagnostic::Diagnostic;
use crate::manifest::{self, Manifest, Source};
use policy_sim::scenario::{Document, FieldPath, PathStep, Problem};
use std::sync::Arc;

/// A scenario with its text.
#[derive(Debug)]
pub struct Loaded {
    /// The text.
    pub source: Arc<Source>,
    /// The scenario and its variants.
    pub document: Document,
    manifest: Manifest,
}

/// Reads and checks a scenario.
///
/// # Errors
/// Everything that is wrong with it, each at its line.
pub fn load(source: &Arc<Source>) -> Result<Loaded, Vec<Diagnostic>> {
    let mut manifests = manifest::parse(source).map_err(|problem| vec![problem])?.into_iter();
    let (Some(manifest), None) = (manifests.next(), manifests.next()) else {
        return Err(vec![
            Diagnostic::error(format!("`{}` holds several documents", source.name))
                .help("a scenario is one document; its objects go into the list `manifests`"),
        ]);
    };
    if manifest.object.get("apiVersion").is_some() && manifest.object.get("kind").is_some() {
        return Err(vec![
            Diagnostic::error(format!("`{}` is a manifest, not a scenario", source.name))
                .help(format!("run it with `jobpolicy simulate {}`", source.name)),
        ]);
    }
    match Document::load(manifest.object.clone()) {
        Ok(document) => Ok(Loaded { source: source.clone(), document, manifest }),
        Err(problems) => Err(problems.iter().map(|problem| diagnose_at(&manifest, problem)).collect()),
    }
}

impl Loaded {
    /// The document as JSON.
    pub fn value(&self) -> &serde_json::Value {
        &self.manifest.object
    }

    /// Where an assertion of a variant stands: its bytes in the text.
    pub fn locate_assertion(&self, variant: &str, place: usize) -> std::ops::Range<usize> {
        let path = FieldPath::default().key("assertions").index(place).key("text");
        self.manifest.locate_steps(steps(&self.document.origin(variant, &path))).range
    }
}

fn steps(path: &FieldPath) -> Vec<manifest::path::Step> {
    let step = |step: &PathStep| match step {
        PathStep::Key(key) => manifest::path::Step::Field(key.clone()),
        PathStep::Index(index) => manifest::path::Step::Bracket(index.to_string()),
    };
    path.0.iter().map(step).collect()
}

/// A problem at its place in the text.
pub fn diagnose_at(manifest: &Manifest, problem: &Problem) -> Diagnostic {
    let located = manifest.locate_steps(steps(&problem.path));
    // An unknown key is pointed at itself, not at what it holds.
    let range = key_range(manifest, problem).unwrap_or(located.range);
    let label = problem.path.to_string();
    let diagnostic = Diagnostic::error(&problem.message).at(&manifest.source, range, label);
    match &problem.help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

/// The bytes of a key that is not known: right before its value, which is where its path leads.
fn key_range(manifest: &Manifest, problem: &Problem) -> Option<std::ops::Range<usize>> {
    let key = problem.message.strip_prefix("unknown key `")?.strip_suffix('`')?;
    let value = manifest.locate_steps(steps(&problem.path)).range;
    let text = &manifest.source.text;
    if text.get(value.clone())? == key {
        return Some(value);
    }
    let start = text.get(..value.start)?.rfind(key)?;
    let between = text.get(start + key.len()..value.start)?;
    between.trim_matches(['"', '\'']).trim().starts_with(':').then_some(start..start + key.len())
}

#[cfg(test)]
mod tests;
