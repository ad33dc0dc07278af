//! What decisions changed in the status of Jobs, told by comparing it before and after.

use policy_core::spec::{Job, JobStatus};
use policy_sim::World;
use policy_sim::store::Object;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A field of a Job's status that has another value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatusChange {
    /// `active`, `failed`, …, or a condition's type.
    pub field: String,
    /// The value before.
    pub from: String,
    /// The value after.
    pub to: String,
}

/// For each decision the step at whose end it was made and what it changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    decisions: Vec<(usize, Arc<[StatusChange]>)>,
    /// Statuses as they were last seen, by the Job's name.
    seen: BTreeMap<String, Arc<JobStatus>>,
}

impl Changes {
    /// Looks at the Jobs of decisions that are new.
    pub(super) fn note(&mut self, world: &World, step: usize) {
        while let Some(decision) = world.record.decisions.get(self.decisions.len()) {
            let name = decision.object.strip_prefix("Job/");
            let job = name.and_then(|name| job_named(world, name));
            let changes = job.map(|job| self.compare(job)).unwrap_or_default();
            self.decisions.push((step, changes.into()));
        }
    }

    fn compare(&mut self, job: &Job) -> Vec<StatusChange> {
        let name = &job.metadata.name;
        let none = JobStatus::default();
        let before = self.seen.get(name);
        let changes = differences(before.map_or(&none, |before| before), &job.status);
        if !changes.is_empty() || before.is_none() {
            self.seen.insert(name.clone(), Arc::new(job.status.clone()));
        }
        changes
    }

    /// What a decision changed.
    pub(super) fn of(&self, decision: usize) -> &[StatusChange] {
        self.decisions.get(decision).map_or(&[], |(_, changes)| changes)
    }

    /// The last step before this one at which a decision was made, or the start.
    pub(super) fn decision_before(&self, step: usize) -> usize {
        let earlier = self.decisions.iter().rev().map(|(at, _)| *at);
        earlier.into_iter().find(|at| *at < step).unwrap_or(0)
    }
}

/// The Job of that name; the first one, if namespaces have several.
pub(super) fn job_named<'w>(world: &'w World, name: &str) -> Option<&'w Job> {
    // Most are there, and looking through all of them for each decision would take too long.
    if let Some(job) = world.store.job("default", name) {
        return Some(job);
    }
    world.store.objects().find_map(|object| match object {
        Object::Job(job) if job.metadata.name == name => Some(&**job),
        _ => None,
    })
}

/// The counts of a status by their names.
pub(super) fn counts(status: &JobStatus) -> [(&'static str, i64); 6] {
    let uncounted = status.uncounted_terminated_pods.as_ref();
    let uncounted = uncounted.map_or(0, |lists| lists.succeeded.len() + lists.failed.len());
    [
        ("active", status.active.into()),
        ("ready", status.ready.unwrap_or(0).into()),
        ("succeeded", status.succeeded.into()),
        ("failed", status.failed.into()),
        ("terminating", status.terminating.unwrap_or(0).into()),
        ("uncounted", i64::try_from(uncounted).unwrap_or(i64::MAX)),
    ]
}

fn differences(before: &JobStatus, after: &JobStatus) -> Vec<StatusChange> {
    let mut changes = Vec::new();
    for ((field, from), (_, to)) in counts(before).into_iter().zip(counts(after)) {
        if from != to {
            changes.push(StatusChange { field: field.into(), from: from.to_string(), to: to.to_string() });
        }
    }
    for condition in &after.conditions {
        let from = before.condition(&condition.kind).map_or("", |before| &before.status);
        if from != condition.status {
            let (from, to) = (from.to_owned(), condition.status.clone());
            changes.push(StatusChange { field: condition.kind.clone(), from, to });
        }
    }
    changes
}
