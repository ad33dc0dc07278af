//! Everything that is wrong with a text, at its places, for editors.

use crate::place::Placed;
use crate::read::{ManifestAt, NAME};
use policy_core::Timestamp;
use policy_manifest::manifest::{self, Manifest, Source};
use policy_manifest::{findings, scenario};
use policy_sim::lint;
use serde::Serialize;
use serde_json::json;

/// What a text is, and what is wrong with it.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    /// `manifests` or `scenario`.
    pub kind: &'static str,
    /// The objects, or the scenario's document; none when the text cannot be read.
    pub documents: Vec<ManifestAt>,
    /// What is wrong, in the order of the text.
    pub diagnostics: Vec<Placed>,
}

/// Checks manifests as the API server and lint do, or a scenario. Schedules are looked at from an instant on.
pub fn check(text: &str, from: Timestamp) -> Checked {
    let source = Source::new(NAME, text);
    let mut checked = Checked { kind: "manifests", documents: Vec::new(), diagnostics: Vec::new() };
    let manifests = match manifest::parse(&source) {
        Ok(manifests) => manifests,
        Err(diagnostic) => {
            checked.diagnostics.push(Placed::of("syntax", "", &diagnostic));
            return checked;
        }
    };
    checked.documents = manifests.iter().map(ManifestAt::from).collect();
    if is_scenario(&manifests) {
        checked.kind = "scenario";
        if let Err(problems) = scenario::load(&source) {
            checked.diagnostics.extend(problems.iter().map(|problem| {
                let path = problem.place.as_ref().map_or("", |place| &place.label);
                Placed::of("scenario", path, problem)
            }));
        }
    } else {
        checked.diagnostics = about_manifests(&manifests, from);
    }
    checked.diagnostics.sort_by_key(|found| found.place.map(|place| place.from));
    checked
}

/// One mapping that is not of the Kubernetes API.
fn is_scenario(manifests: &[Manifest]) -> bool {
    matches!(manifests, [one] if one.kind().is_empty() && one.api_version().is_empty())
}

fn about_manifests(manifests: &[Manifest], from: Timestamp) -> Vec<Placed> {
    let mut found = Vec::new();
    let mut refused = vec![false; manifests.len()];
    for (manifest, refused) in manifests.iter().zip(&mut refused) {
        if !matches!(manifest.kind(), "Job" | "CronJob") {
            continue;
        }
        let stored = manifest.is_stored() && manifest.has_resource_version();
        let line = match stored {
            true => json!({ "id": 0, "old": manifest.object, "new": manifest.object }),
            false => json!({ "id": 0, "object": manifest.object }),
        };
        let own = findings::of(manifest, &line);
        *refused = own.iter().any(findings::Finding::is_error);
        found.extend(own.iter().map(|own| Placed::of(own.kind(), own.field(), &own.diagnostic)));
    }
    // What cannot be created cannot go wrong in other ways.
    let objects: Vec<_> = manifests.iter().map(|manifest| manifest.object.clone()).collect();
    let linted = lint::lint(&objects, &lint::Options { from }).into_iter();
    let linted = linted.filter(|own| !refused.get(own.object.document).is_some_and(|refused| *refused));
    found.extend(linted.filter_map(|own| {
        let manifest = manifests.get(own.object.document)?;
        Some(crate::lint::placed(manifest, &own))
    }));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: &str = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: é\nspec:\n  template:\n    spec:\n      restartPolicy: Never\n      containers:\n      - name: c\n        image: i\n";

    fn codes(text: &str) -> Vec<(String, usize, usize)> {
        let checked = check(text, Timestamp::ZERO);
        let one = |found: &Placed| {
            let place = found.place.unwrap();
            (found.code.clone(), place.line, place.column)
        };
        checked.diagnostics.iter().map(one).collect()
    }

    #[test]
    fn manifests_are_checked_at_their_lines() {
        let good = JOB.replace('é', "pi");
        assert_eq!(codes(&good)[0].0, "no-deadline");
        assert!(codes(JOB).contains(&("FieldValueInvalid".into(), 4, 9)), "{:?}", codes(JOB));
        let typo = good.replace("image:", "imagee:");
        assert!(codes(&typo).iter().any(|(code, line, _)| code == "StrictDecoding" && *line == 11));
        assert_eq!(codes("a: b: c")[0].0, "syntax");
    }

    #[test]
    fn scenarios_are_told_apart() {
        let checked = check("name: a\ntitle: A\nmanifests: []\nfoo: 1\n", Timestamp::ZERO);
        assert_eq!(checked.kind, "scenario");
        assert!(checked.diagnostics.iter().any(|found| found.place.unwrap().line == 4));
    }
}
