//! Findings at their lines, for people and for programs.

use crate::cli::scenario::ci;
use crate::diagnostic::Diagnostic;
use crate::manifest::{Manifest, Position};
use crate::render;
use policy_sim::lint::{self, Code, Finding, Severity, prove};
use policy_sim::scenario::Held;
use serde_json::{Value, json};

/// A finding, with its place and what became of its proof.
pub(super) struct Found<'m> {
    manifest: &'m Manifest,
    pub(super) finding: Finding,
    position: Position,
    /// What became of the proof's assertions, if it was run.
    proof: Option<Vec<Held>>,
}

impl<'m> Found<'m> {
    pub(super) fn new(manifests: &'m [Manifest], finding: Finding, run: bool) -> Option<Self> {
        let manifest = manifests.get(finding.object.document)?;
        let position = manifest.position(&finding.path);
        let proof = run.then(|| proven(&finding));
        Some(Found { manifest, finding, position, proof })
    }

    /// Whether the proof showed it, or was not run.
    pub(super) fn is_shown(&self) -> bool {
        self.proof.iter().flatten().all(|assertion| assertion.held)
    }

    fn diagnostic(&self) -> Diagnostic {
        let Finding { code, path, message, instead, .. } = &self.finding;
        let title = format!("{}: {message}", code.name);
        let diagnostic = match self.finding.severity {
            Severity::Error => Diagnostic::error(title),
            Severity::Warning => Diagnostic::warning(title),
            Severity::Info => Diagnostic::info(title),
        };
        let range = self.manifest.locate(path).range;
        diagnostic.at(&self.manifest.source, range, path.as_str()).help(instead)
    }

    pub(super) fn annotation(&self) -> String {
        let level = match self.finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        let message = format!("{}\n{}: {}", self.finding.message, "instead", self.finding.instead);
        let title = format!("jobpolicy lint: {}", self.finding.code.name);
        ci::annotation(level, &self.manifest.source.name, Some(self.position), &title, &message)
    }

    fn shown(&self) -> Option<String> {
        let proof = self.proof.as_ref()?;
        let broken: Vec<String> = proof
            .iter()
            .filter(|assertion| !assertion.held)
            .map(|assertion| {
                format!("{} ({})", assertion.text, assertion.found.as_deref().unwrap_or_default())
            })
            .collect();
        Some(if broken.is_empty() {
            let claims: Vec<&str> = proof.iter().map(|assertion| assertion.text.as_str()).collect();
            format!("shown: {}", claims.join("; "))
        } else {
            format!("not shown: {}", broken.join("; "))
        })
    }

    fn to_json(&self) -> Value {
        let Finding { code, severity, object, path, message, instead, proof } = &self.finding;
        json!({
            "code": code.name, "severity": severity, "file": self.manifest.source.name,
            "line": self.position.line, "column": self.position.column,
            "kind": object.kind, "namespace": object.namespace, "name": object.name,
            "field": path, "message": message, "instead": instead, "proof": proof,
            "shown": self.proof.as_ref().map(|_| self.is_shown()),
        })
    }
}

/// What became of a proof's assertions. A proof that is no scenario shows nothing.
fn proven(finding: &Finding) -> Vec<Held> {
    prove(finding).unwrap_or_else(|problems| {
        let found = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        let text = "the proof is a scenario".to_owned();
        vec![Held { text, held: false, found: Some(found), at: None, place: None }]
    })
}

fn count(found: &[Found<'_>], severity: Severity) -> usize {
    found.iter().filter(|found| found.finding.severity == severity).count()
}

pub(super) fn as_value(found: &[Found<'_>]) -> Value {
    json!({
        "errors": count(found, Severity::Error),
        "warnings": count(found, Severity::Warning),
        "infos": count(found, Severity::Info),
        "findings": found.iter().map(Found::to_json).collect::<Vec<_>>(),
    })
}

pub(super) fn as_text(manifests: &[Manifest], found: &[Found<'_>], color: bool) -> String {
    let mut text = String::new();
    for found in found {
        text.push_str(&found.diagnostic().render(color));
        if let Some(shown) = found.shown() {
            text.push_str(&format!("\n{shown}"));
        }
        text.push_str("\n\n");
    }
    let linted = manifests.iter().filter(|manifest| matches!(manifest.kind(), "Job" | "CronJob")).count();
    let objects = counted(linted, "object");
    if found.is_empty() {
        return format!("{objects}, no findings\n");
    }
    let parts = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Info, "info")];
    let parts = parts.into_iter().map(|(severity, word)| (count(found, severity), word));
    let parts: Vec<String> = parts.filter(|(n, _)| *n > 0).map(|(n, word)| counted(n, word)).collect();
    text.push_str(&format!("{objects}, {}\n", parts.join(", ")));
    text
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// A suite for each object: a failure for each finding, or one case that went well.
pub(super) fn suites(manifests: &[Manifest], found: &[Found<'_>]) -> Vec<ci::Suite> {
    let linted = manifests.iter().enumerate();
    let linted = linted.filter(|(_, manifest)| matches!(manifest.kind(), "Job" | "CronJob"));
    let suite = |(document, manifest): (usize, &Manifest)| {
        let own = found.iter().filter(|found| found.finding.object.document == document);
        let case = |text: String, found: Option<String>| Held {
            text,
            held: found.is_none(),
            found,
            at: None,
            place: None,
        };
        let mut cases: Vec<Held> = own
            .map(|found| {
                let Position { line, column } = found.position;
                let Finding { message, instead, severity, .. } = &found.finding;
                let place = format!("{}:{line}:{column}", manifest.source.name);
                let failed = format!("{place}: {}: {message}; {instead}", severity.as_str());
                // An information is no failure.
                let failed = (*severity != Severity::Info).then_some(failed);
                case(found.finding.code.name.to_owned(), failed)
            })
            .collect();
        if cases.is_empty() {
            cases.push(case("no findings".to_owned(), None));
        }
        ci::Suite::new(format!("{}/{}", manifest.kind().to_lowercase(), manifest.name()), cases)
    };
    linted.map(suite).collect()
}

pub(super) fn codes_as_value() -> Value {
    let one = |code: &&Code| {
        json!({"code": code.name, "severity": code.severity, "what": code.what, "why": code.why,
            "upstream": code.upstream, "instead": code.instead})
    };
    json!({"codes": lint::ALL.iter().map(one).collect::<Vec<_>>()})
}

pub(super) fn codes_as_text() -> String {
    let row = |code: &&Code| {
        let text = format!("{}: {}. Instead: {}", code.what, code.why, code.instead);
        vec![code.name.to_owned(), code.severity.as_str().to_owned(), text]
    };
    render::table(&["CODE", "SEVERITY", "WHAT"], lint::ALL.iter().map(row))
}
