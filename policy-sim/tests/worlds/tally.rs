//! What all worlds together amount to.

use super::run::Run;
use policy_core::explain::Rule;
use std::collections::BTreeMap;
use std::fmt;

/// Sums by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) worlds: u64,
    pub(crate) totals: BTreeMap<&'static str, u64>,
    pub(crate) ends: BTreeMap<String, u64>,
    pub(crate) rules: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub(crate) fn add(&mut self, run: &Run) {
        self.worlds += 1;
        let faults = run.faults;
        let totals = [
            ("pods", run.pods),
            ("calls", run.calls),
            ("conflicts", run.conflicts),
            ("edits", run.edits),
            ("crashes", faults.crashes),
            ("refused", faults.refused),
            ("answersLost", faults.answers_lost),
            ("heldUp", faults.held_up),
            ("coalesced", faults.coalesced),
            ("dropped", faults.dropped),
            ("clockSet", faults.clock_set),
        ];
        for (name, count) in totals {
            *self.totals.entry(name).or_default() += count;
        }
        for end in &run.ends {
            *self.ends.entry(end.clone()).or_default() += 1;
        }
        for (rule, count) in Rule::ALL.iter().zip(&run.rules.0) {
            if *count > 0 {
                *self.rules.entry(rule.code()).or_default() += count;
            }
        }
    }

    pub(crate) fn merge(&mut self, other: &Tally) {
        self.worlds += other.worlds;
        for (name, count) in &other.totals {
            *self.totals.entry(name).or_default() += count;
        }
        for (name, count) in &other.ends {
            *self.ends.entry(name.clone()).or_default() += count;
        }
        for (name, count) in &other.rules {
            *self.rules.entry(name).or_default() += count;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} worlds", self.worlds)?;
        for (name, count) in &self.totals {
            writeln!(f, "  {name} {count}")?;
        }
        for (name, count) in &self.ends {
            writeln!(f, "  ends: {name} {count}")?;
        }
        for (name, count) in &self.rules {
            writeln!(f, "  rule {name} {count}")?;
        }
        Ok(())
    }
}
