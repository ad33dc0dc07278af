//! From the objects of the input to a line of the `decide` protocol.

use crate::cli::created;
use crate::diagnostic::Diagnostic;
use crate::manifest::path::Step;
use crate::manifest::{Manifest, json};
use policy_core::Timestamp;
use serde_json::{Value, json};

/// A line and what it was made from, in the order of its list.
pub(super) struct Line<'m> {
    pub(super) text: String,
    subject: &'m Manifest,
    others: Vec<&'m Manifest>,
}

/// The line that asks about a Job with the Pods, or a CronJob with the Jobs, of its namespace.
///
/// # Errors
/// The manifest is not from a cluster and the API server would not take it.
pub(super) fn line<'m>(
    subject: &'m Manifest,
    all: &'m [Manifest],
    now: Timestamp,
) -> Result<Line<'m>, Vec<Diagnostic>> {
    let object = if subject.is_stored() { subject.object.clone() } else { created::created(subject, now)? };
    let (key, list, kind) = match subject.kind() {
        "CronJob" => ("cronJob", "jobs", "Job"),
        _ => ("job", "pods", "Pod"),
    };
    let others: Vec<&Manifest> =
        all.iter().filter(|m| m.kind() == kind && m.namespace() == subject.namespace()).collect();
    let objects: Vec<&Value> = others.iter().map(|m| &m.object).collect();
    let text = json!({ "id": 0, "now": now.to_rfc3339_nano(), key: object, list: objects }).to_string();
    Ok(Line { text, subject, others })
}

impl Line<'_> {
    /// A message about the line, at the field of the object that it is about.
    pub(super) fn diagnose(&self, message: &str) -> Diagnostic {
        let (what, path) = json::place_of_error(&self.text, message);
        let mut steps = path.into_iter();
        let list = steps.next();
        let manifest = match list.as_ref().map(Step::text) {
            Some("pods" | "jobs") => steps.next().and_then(|step| self.others.get(step.index()?).copied()),
            _ => None,
        };
        let manifest = manifest.unwrap_or(self.subject);
        manifest.cannot_be_read(steps.collect(), what)
    }
}
