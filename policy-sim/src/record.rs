//! What a run leaves behind: events, logs and decisions.

use crate::store::PodChange;
use policy_core::Timestamp;
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

/// All that is recorded of a run.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Events, in order.
    pub events: Vec<EventRecord>,
    /// What containers printed, by Pod name.
    pub logs: BTreeMap<Arc<str>, Vec<String>>,
    /// Every change of a Pod, in watch order; kept only when there is a list from the start.
    pub pod_changes: Option<Vec<PodChange>>,
}

impl Record {
    /// Adds a line to a Pod's log.
    pub fn print(&mut self, pod: &Arc<str>, line: String) {
        self.logs.entry(pod.clone()).or_default().push(line);
    }
}
