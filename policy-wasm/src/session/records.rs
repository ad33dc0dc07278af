//! What has happened up to the time at which a session stands.

use super::{Answer, Code, Problem, Session, StatusChange};
use policy_core::Timestamp;
use policy_sim::kubectl::{self, Command};
use policy_sim::record::{Decision, EventRecord};
use policy_sim::scenario::{Done, Held};
use policy_sim::store::Object;
use serde::Serialize;
use serde_json::{Value, json};

/// A decision with its number and what it changed.
#[derive(Clone, Debug, Serialize)]
pub struct DecisionRow<'s> {
    /// Its number, from 0.
    pub number: usize,
    /// When, in seconds since the start.
    pub seconds: f64,
    /// The decision.
    #[serde(flatten)]
    pub decision: &'s Decision,
    /// What it changed in the Job's status.
    pub changes: &'s [StatusChange],
}

impl Session {
    /// Decisions, so many from that number on.
    pub fn decisions(&self, from: usize, count: usize) -> Vec<DecisionRow<'_>> {
        let end = self.state.run.world.record.decisions.len().min(from.saturating_add(count));
        (from..end).filter_map(|number| self.decision(number)).collect()
    }

    pub(super) fn decision(&self, number: usize) -> Option<DecisionRow<'_>> {
        let decision = self.state.run.world.record.decisions.get(number)?;
        let changes = self.state.changes.of(number);
        Some(DecisionRow { number, seconds: self.seconds(decision.at), decision, changes })
    }

    /// Events from that number on.
    pub fn events(&self, from: usize) -> Vec<&EventRecord> {
        self.state.run.world.record.events.from(from).collect()
    }

    /// What the containers of a Pod, or of all, have printed.
    pub fn logs(&self, pod: Option<&str>) -> Value {
        let logs = self.state.run.world.record.logs.iter();
        let wanted = logs.filter(|(name, _)| pod.is_none_or(|pod| pod == &***name));
        Value::Object(wanted.map(|(name, lines)| (name.to_string(), json!(**lines))).collect())
    }

    /// What `kubectl` prints now.
    ///
    /// # Errors
    /// What `kubectl` says when there is no such object.
    pub fn kubectl(&self, command: &Command) -> Answer<String> {
        let text = kubectl::text(&self.state.run.world, self.at, command);
        text.map_err(|message| vec![Problem::new(Code::UnknownObject, message)])
    }

    /// What was done to the cluster.
    pub fn done(&self) -> &[Done] {
        &self.state.run.done
    }

    /// The assertions as they stand.
    pub fn assertions(&self) -> Vec<Held> {
        self.state.run.assertions()
    }

    /// The objects as `kubectl get -o json` shows them.
    pub fn objects(&self) -> Value {
        let store = &self.state.run.world.store;
        let of = |wanted: fn(&Object) -> bool| -> Vec<Value> {
            store.objects().filter(|object| wanted(object)).map(Object::to_json).collect()
        };
        let deleted = store.deleted_jobs.iter().map(|job| Object::Job(job.clone()).to_json());
        json!({
            "jobs": of(|object| matches!(object, Object::Job(_))),
            "cronJobs": of(|object| matches!(object, Object::CronJob(_))),
            "pods": store.pods().map(policy_sim::object::Pod::to_json).collect::<Vec<_>>(),
            "deletedJobs": deleted.collect::<Vec<_>>(),
        })
    }

    pub(super) fn now(&self) -> Timestamp {
        self.at
    }
}
