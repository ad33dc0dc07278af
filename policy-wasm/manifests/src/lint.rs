//! What would be accepted and still goes wrong.

use crate::place::{Place, Placed, problem};
use crate::read::NAME;
use policy_core::Timestamp;
use policy_manifest::manifest::{self, Manifest, Source};
use policy_sim::lint::{self, Finding, Options};
use policy_wasm::{Answer, Code};
use serde::Serialize;
use serde_json::Value;

/// A finding and where it is.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// What is said at its place.
    #[serde(flatten)]
    pub said: Placed,
    /// The object's place among those of the text, from 0.
    pub document: usize,
    /// A scenario whose assertions hold because of it.
    pub scenario: Value,
}

/// Finds what will go wrong with the Jobs and CronJobs of a text. Schedules are looked at from an instant on.
///
/// # Errors
/// The text is neither YAML nor JSON.
pub fn lint(text: &str, from: Timestamp) -> Answer<Vec<Found>> {
    let read = manifest::parse(&Source::new(NAME, text));
    let manifests = read.map_err(|diagnostic| vec![problem(Code::MalformedYaml, &diagnostic)])?;
    let objects: Vec<Value> = manifests.iter().map(|manifest| manifest.object.clone()).collect();
    let found = lint::lint(&objects, &Options { from }).into_iter().filter_map(|finding| {
        let manifest = manifests.get(finding.object.document)?;
        let (said, document) = (placed(manifest, &finding), finding.object.document);
        Some(Found { said, document, scenario: finding.proof })
    });
    Ok(found.collect())
}

/// What a finding says at its place.
pub(crate) fn placed(manifest: &Manifest, finding: &Finding) -> Placed {
    let range = manifest.locate(&finding.path).range;
    Placed {
        severity: finding.severity.as_str(),
        code: finding.code.name.to_owned(),
        message: finding.message.clone(),
        path: finding.path.clone(),
        place: Some(Place::of(&manifest.source, &range)),
        help: Some(finding.instead.clone()),
    }
}
