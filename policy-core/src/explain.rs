//! Why a decision came out as it did: rules, findings, and the recorder that takes them.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;
use serde::Serialize;

mod rules;
mod stages;

pub use rules::Rule;

/// What became of a rule in one decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// Its condition held, so it acted.
    Held,
    /// It was looked at and its condition did not hold.
    NotHeld,
    /// Another rule decided first, so it was not looked at.
    NotReached,
}

/// A value that a rule looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// Where the value stands, as a field path (`spec.backoffLimit`, `pod/NAME.status.phase`).
    pub path: String,
    /// The value found there.
    pub value: String,
    /// What it was compared with; empty where there is nothing to compare.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub bound: String,
}

/// One rule's part in a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// Whether it held.
    pub verdict: Verdict,
    /// The values it looked at.
    pub evidence: Vec<Evidence>,
    /// The numbers of the calls that it caused (see [`Wave::first_call`](crate::step::Wave::first_call)). Creations that
    /// do not go out, because one before them was refused, keep their numbers.
    pub calls: Range<u32>,
}

/// Takes findings while a decision is made. `()` takes none and costs nothing.
pub trait Recorder {
    /// Whether findings are wanted; evidence is built only then.
    const ENABLED: bool = true;

    /// Takes one finding.
    fn record(&mut self, finding: Finding);

    /// Records that `rule` was looked at; `evidence` is only called when findings are wanted.
    fn note(&mut self, rule: Rule, held: bool, evidence: impl FnOnce(&mut EvidenceList)) {
        self.note_calls(rule, held, 0..0, evidence);
    }

    /// As [`Recorder::note`], for a rule that caused the calls with these numbers.
    fn note_calls(
        &mut self,
        rule: Rule,
        held: bool,
        calls: Range<u32>,
        evidence: impl FnOnce(&mut EvidenceList),
    ) {
        if Self::ENABLED {
            let mut list = EvidenceList(Vec::new());
            evidence(&mut list);
            let verdict = if held { Verdict::Held } else { Verdict::NotHeld };
            self.record(Finding { rule, verdict, evidence: list.0, calls });
        }
    }
}

/// Collects the evidence of one finding.
#[derive(Debug)]
pub struct EvidenceList(Vec<Evidence>);

impl EvidenceList {
    /// Adds a value and where it stands.
    pub fn value(&mut self, path: impl Into<String>, value: impl core::fmt::Display) -> &mut Self {
        self.0.push(Evidence { path: path.into(), value: alloc::format!("{value}"), bound: String::new() });
        self
    }

    /// Adds a value, where it stands, and what it was compared with.
    pub fn compared(
        &mut self,
        path: impl Into<String>,
        value: impl core::fmt::Display,
        bound: impl core::fmt::Display,
    ) -> &mut Self {
        let (value, bound) = (alloc::format!("{value}"), alloc::format!("{bound}"));
        self.0.push(Evidence { path: path.into(), value, bound });
        self
    }
}

impl Recorder for () {
    const ENABLED: bool = false;
    fn record(&mut self, _: Finding) {}
}

/// Keeps every finding in the order in which rules were decided.
///
/// ```
/// use policy_core::explain::{Recorder, Rule, Trace, Verdict};
/// let mut trace = Trace::default();
/// trace.note(Rule::JobSuspended, true, |e| { e.value("spec.suspend", true); });
/// assert_eq!(trace.findings()[0].verdict, Verdict::Held);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Trace {
    findings: Vec<Finding>,
}

impl Recorder for Trace {
    fn record(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
}

impl Trace {
    /// What was recorded, in order.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The rules of a [domain](Rule::domain) that were not looked at.
    pub fn not_reached(&self, domain: &str) -> impl Iterator<Item = Rule> + '_ {
        let domain = String::from(domain);
        Rule::ALL
            .iter()
            .copied()
            .filter(move |rule| rule.domain() == domain)
            .filter(|rule| !self.findings.iter().any(|finding| finding.rule == *rule))
    }
}
