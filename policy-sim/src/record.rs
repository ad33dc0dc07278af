//! What a run leaves behind: events, logs and decisions.

use crate::map::{List, Map};
use crate::store::{ObjectChange, PodChange};
pub use event::EventRecord;
use policy_core::Timestamp;
use policy_core::explain::{Finding, Verdict};
use serde::Serialize;
use std::sync::Arc;

mod calls;
mod event;

pub use calls::Calls;
pub(crate) use calls::{Of, Verb, Words};

/// A decision of a controller.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// When it was over.
    pub at: Timestamp,
    /// The controller.
    pub controller: &'static str,
    /// What it is about, as `Kind/name`.
    pub object: String,
    /// What became of it.
    pub verdict: &'static str,
    /// How many calls it made.
    pub calls: u32,
    /// The calls in words, in the order of their numbers, if the run is traced.
    #[serde(rename = "callList", skip_serializing_if = "Calls::is_empty")]
    pub told: Calls,
    /// When it wants to decide again without any event, by the controller's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wake: Option<Timestamp>,
    /// Why it failed and is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The rules that were looked at, if the run is traced.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

/// The first decisions that are not the same in two runs, if there are such; `None` where a run has none any more.
pub fn parting<'d>(a: &'d [Arc<Decision>], b: &'d [Arc<Decision>]) -> Option<[Option<&'d Decision>; 2]> {
    let same = |a: &Decision, b: &Decision| {
        (a.at, &a.object, a.verdict, a.calls, a.wake) == (b.at, &b.object, b.verdict, b.calls, b.wake)
    };
    let place = (0..a.len().max(b.len())).find(|place| match (a.get(*place), b.get(*place)) {
        (Some(a), Some(b)) => !same(a, b),
        _ => true,
    })?;
    Some([a.get(place).map(|decision| &**decision), b.get(place).map(|decision| &**decision)])
}

/// Of the evidence of a rule in a large run so much is kept: some rules name every Pod.
const EVIDENCE_KEPT: usize = 8;

/// All that is recorded of a run. Entries are shared, so that a copy of a world costs little.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Whether events, logs and decisions are left out, for runs of which only the objects matter.
    pub quiet: bool,
    /// Events, in order.
    pub events: List<EventRecord>,
    /// What containers printed, by Pod name.
    pub logs: Map<Arc<str>, Arc<Vec<String>>>,
    /// Every change of a Pod, in watch order; kept only when there is a list from the start.
    pub pod_changes: Option<Vec<PodChange>>,
    /// The same of other objects.
    pub object_changes: Option<Vec<ObjectChange>>,
    /// Whether of the rules that were looked at only those are kept that held, each with little evidence; the others
    /// follow from running the same again.
    pub only_rules_that_held: bool,
    /// Decisions, in order.
    pub decisions: Vec<Arc<Decision>>,
    printed: usize,
}

impl Record {
    /// Keeps an event.
    pub(crate) fn keep_event(&mut self, event: impl FnOnce() -> EventRecord) {
        if !self.quiet {
            self.events.push(event());
        }
    }

    /// Keeps a decision.
    pub(crate) fn keep_decision(&mut self, decision: impl FnOnce() -> Decision) {
        if self.quiet {
            return;
        }
        let mut decision = decision();
        if self.only_rules_that_held {
            decision.findings.retain(|finding| finding.verdict == Verdict::Held);
            decision.findings.shrink_to_fit();
            for finding in &mut decision.findings {
                finding.evidence.truncate(EVIDENCE_KEPT);
                finding.evidence.shrink_to_fit();
            }
        }
        push(&mut self.decisions, Arc::new(decision));
    }

    /// How many lines were printed.
    pub fn printed(&self) -> usize {
        self.printed
    }

    /// Adds a line to a Pod's log.
    pub fn print(&mut self, pod: &Arc<str>, line: String) {
        self.printed += 1;
        if self.quiet {
            return;
        }
        Arc::make_mut(self.logs.get_or_default(pod.clone())).push(line);
    }
}

/// Adds to a long list with little room to spare: it grows by a sixteenth, not by half of what it will be.
fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() == list.capacity() {
        list.reserve_exact((list.len() / 16).max(16));
    }
    list.push(item);
}
