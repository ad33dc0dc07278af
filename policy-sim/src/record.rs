//! What a run leaves behind: events, logs and decisions.

use crate::store::{ObjectChange, PodChange};
use policy_core::Timestamp;
use policy_core::explain::Finding;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An event, as `kubectl get events` shows it.
#[derive(Clone, Debug, Serialize)]
pub struct EventRecord {
    /// When it happened.
    pub at: Timestamp,
    /// `Normal` or `Warning`.
    pub kind: &'static str,
    /// One word for machines.
    pub reason: String,
    /// What it is about, as `Kind/name`.
    pub object: String,
    /// Words for people.
    pub message: String,
    /// The component that reported it.
    pub component: &'static str,
}

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
    #[serde(rename = "callList", skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<String>,
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

/// All that is recorded of a run.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Whether events, logs and decisions are left out, for runs of which only the objects matter.
    pub quiet: bool,
    /// Events, in order.
    pub events: Vec<EventRecord>,
    /// What containers printed, by Pod name.
    pub logs: BTreeMap<Arc<str>, Vec<String>>,
    /// Every change of a Pod, in watch order; kept only when there is a list from the start.
    pub pod_changes: Option<Vec<PodChange>>,
    /// The same of other objects.
    pub object_changes: Option<Vec<ObjectChange>>,
    /// Decisions, in order.
    pub decisions: Vec<Decision>,
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
        if !self.quiet {
            self.decisions.push(decision());
        }
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
        self.logs.entry(pod.clone()).or_default().push(line);
    }
}
