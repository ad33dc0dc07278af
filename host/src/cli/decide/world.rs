//! From the objects of the input to lines of the `decide` protocol.

use crate::cli::validate::findings;
use crate::diagnostic::Diagnostic;
use crate::manifest::path::{self, Step};
use crate::manifest::{Manifest, json};
use crate::wire;
use policy_core::Timestamp;
use serde_json::{Value, json};
use std::collections::HashMap;

/// The objects of the input, by what may own them.
pub(super) struct World<'m> {
    /// By kind, namespace and the owner's name or UID; without a controlling owner, by an empty string.
    owned: HashMap<(&'m str, &'m str, &'m str), Vec<usize>>,
    all: &'m [Manifest],
}

/// A line and what it was made from, in the order of its list.
pub(super) struct Line<'m> {
    pub(super) text: String,
    subject: &'m Manifest,
    others: Vec<&'m Manifest>,
}

impl<'m> World<'m> {
    /// Sorts the objects by owner, so that each Job is shown its own Pods and not those of a whole cluster.
    pub(super) fn new(all: &'m [Manifest]) -> Self {
        let mut owned: HashMap<_, Vec<usize>> = HashMap::new();
        for (index, manifest) in all.iter().enumerate() {
            // Upstream finds the Pods of a Job by UID and the Jobs of a CronJob by name.
            let owner = match manifest.kind() {
                "Pod" => manifest.controller("uid"),
                "Job" => manifest.controller("name"),
                _ => continue,
            };
            owned.entry((manifest.kind(), manifest.namespace(), owner)).or_default().push(index);
        }
        World { owned, all }
    }

    /// The objects of a kind that an owner controls, and those without a controller, in the order of the input.
    fn of(&self, kind: &'m str, namespace: &'m str, owner: &'m str) -> Vec<&'m Manifest> {
        let listed =
            |owner: &'m str| self.owned.get(&(kind, namespace, owner)).map(Vec::as_slice).unwrap_or_default();
        let mut indexes = [listed(owner), listed("")].concat();
        indexes.sort_unstable();
        indexes.dedup();
        indexes.into_iter().filter_map(|index| self.all.get(index)).collect()
    }

    /// The line that asks about a Job with its Pods, or a CronJob with its Jobs.
    ///
    /// # Errors
    /// The manifest is not from a cluster and the API server would not take it.
    pub(super) fn line(&self, subject: &'m Manifest, now: Timestamp) -> Result<Line<'m>, Vec<Diagnostic>> {
        let object = if subject.is_stored() { subject.object.clone() } else { created(subject, now)? };
        let (key, list, others) = match subject.kind() {
            "CronJob" => ("cronJob", "jobs", self.of("Job", subject.namespace(), subject.name())),
            _ => ("job", "pods", self.of("Pod", subject.namespace(), subject.uid())),
        };
        let objects: Vec<&Value> = others.iter().map(|m| &m.object).collect();
        let text = json!({ "id": 0, "now": now.to_rfc3339_nano(), key: object, list: objects }).to_string();
        Ok(Line { text, subject, others })
    }
}

impl Line<'_> {
    /// A message about the line, at the field of the object that it is about.
    pub(super) fn diagnose(&self, message: &str) -> Diagnostic {
        let (what, column) = match message.rsplit_once(" at line 1 column ") {
            Some((what, column)) => (what, column.parse::<usize>().unwrap_or_default()),
            None => (message, 0),
        };
        let mut steps = json::path_at(&self.text, column.saturating_sub(1)).into_iter();
        let list = steps.next();
        let manifest = match list.as_ref().map(Step::text) {
            Some("pods" | "jobs") => steps.next().and_then(|step| self.others.get(step.index()?).copied()),
            _ => None,
        };
        let manifest = manifest.unwrap_or(self.subject);
        let field: Vec<Step> = steps.collect();
        let (kind, name, path) = (manifest.kind(), manifest.name(), path::to_string(&field));
        let colon = if path.is_empty() { "" } else { ": " };
        let range = manifest.locate_steps(field).range;
        let diagnostic = Diagnostic::error(format!("{kind} `{name}` cannot be read: {path}{colon}{what}"));
        let help =
            (kind != "Pod").then(|| "`jobpolicy validate` checks Jobs and CronJobs in full".to_owned());
        Diagnostic { help, ..diagnostic }.at(&manifest.source, range, "")
    }
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
