//! What one sync works on and has worked out so far (upstream `syncJobCtx`).

use super::census::{Census, CountRules, Noted};
use super::facts::PodFacts;
use super::indexes::Intervals;
use super::outcome::{Counted, JobVerdict, SyncError, Wake};
use super::{Call, JobView};
use crate::memory::{BackoffRecord, JobMemory, MemoryDelta};
use crate::spec::{Condition, Job, JobStatus};
use crate::step::{Event, Expect, Wave};
use crate::{Settings, Timestamp};
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

/// What the rules read: the Job, the Pods it has claimed, and the instant.
pub(crate) struct Cx<'a, R> {
    pub(crate) job: &'a Job,
    pub(crate) pods: &'a dyn Census,
    pub(crate) settings: &'a Settings,
    pub(crate) now: Timestamp,
    pub(crate) rec: &'a mut R,
}

/// The parts of the spec that rules read again and again, with upstream's defaults filled in so that a Job that never
/// went through an API server is decided too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) indexed: bool,
    pub(crate) completions: Option<i32>,
    pub(crate) parallelism: i32,
    pub(crate) backoff_limit: i32,
    pub(crate) backoff_limit_per_index: Option<i32>,
    pub(crate) only_replaces_failed_pods: bool,
    pub(crate) suspended: bool,
    pub(crate) deleting: bool,
}

impl Shape {
    fn of(job: &Job) -> Self {
        let spec = &job.spec;
        let default_limit = if spec.backoff_limit_per_index.is_some() { i32::MAX } else { 6 };
        Shape {
            indexed: spec.is_indexed(),
            completions: spec.completions,
            parallelism: spec.parallelism.unwrap_or(1),
            backoff_limit: spec.backoff_limit.unwrap_or(default_limit),
            backoff_limit_per_index: spec.backoff_limit_per_index,
            only_replaces_failed_pods: spec.only_replaces_failed_pods(),
            suspended: spec.is_suspended(),
            deleting: job.metadata.is_deleting(),
        }
    }

    /// `completions` as indexes are compared with it; an Indexed Job without completions has no valid index.
    pub(crate) fn index_bound(&self) -> i64 {
        self.completions.unwrap_or(0).into()
    }
}

/// The status as it will be written: the Job's own until something in it changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct StatusDraft(Option<Box<JobStatus>>);

impl StatusDraft {
    pub(crate) fn get<'s>(&'s self, job: &'s Job) -> &'s JobStatus {
        self.0.as_deref().unwrap_or(&job.status)
    }

    /// To change it. A status that is written has the lists of uncounted Pods, be they empty.
    pub(crate) fn edit(&mut self, job: &Job) -> &mut JobStatus {
        let status = self.0.get_or_insert_with(|| Box::new(job.status.clone()));
        status.uncounted_terminated_pods.get_or_insert_default();
        status
    }
}

/// The state of a sync between its waves.
#[derive(Clone, Debug)]
pub(crate) struct Sync {
    pub(crate) shape: Shape,
    pub(crate) rules: CountRules,
    /// UIDs whose finalizer removal is under way (upstream `expectedRmFinalizers`).
    pub(crate) finalizers_being_removed: BTreeSet<Arc<str>>,
    pub(crate) expectations_satisfied: bool,
    pub(crate) previous_backoff: Option<BackoffRecord>,

    pub(crate) status: StatusDraft,
    pub(crate) finished: Option<Condition>,
    pub(crate) active: i32,
    pub(crate) ready: i32,
    pub(crate) terminating: i32,
    pub(crate) succeeded: i32,
    pub(crate) failed: i32,
    pub(crate) previously_succeeded_indexes: Intervals,
    pub(crate) succeeded_indexes: Intervals,
    pub(crate) failed_indexes: Option<Intervals>,
    pub(crate) backoff: BackoffRecord,
    /// What answers about the Pods need later on.
    pub(crate) noted: Noted,
    pub(crate) manage_called: bool,
    pub(crate) flush: super::flush::FlushCauses,

    next_call: u32,
    pub(crate) events: Vec<Event>,
    pub(crate) delta: MemoryDelta,
    pub(crate) wake: Wake,
    pub(crate) counted: Counted,
    pub(crate) manage_error: Option<SyncError>,
}

impl Sync {
    pub(crate) fn new(view: JobView<'_>, memory: &JobMemory, now: Timestamp) -> Self {
        Sync {
            shape: Shape::of(view.job),
            rules: CountRules::of(&view.job.spec),
            finalizers_being_removed: memory.finalizers_being_removed.clone(),
            expectations_satisfied: memory.expectations.satisfied(now),
            previous_backoff: memory.backoff.clone(),
            status: StatusDraft::default(),
            finished: None,
            active: 0,
            ready: 0,
            terminating: 0,
            succeeded: 0,
            failed: 0,
            previously_succeeded_indexes: Intervals::default(),
            succeeded_indexes: Intervals::default(),
            failed_indexes: None,
            backoff: BackoffRecord::default(),
            noted: Noted::default(),
            manage_called: false,
            flush: super::flush::FlushCauses::default(),
            next_call: 0,
            events: Vec::new(),
            delta: MemoryDelta::default(),
            wake: Wake::default(),
            counted: Counted::new(view.job),
            manage_error: None,
        }
    }

    /// Whether the removal of the Pod's finalizer is under way.
    pub(crate) fn finalizer_is_being_removed(&self, pod: &PodFacts) -> bool {
        !self.finalizers_being_removed.is_empty() && self.finalizers_being_removed.contains(pod.pod.uid())
    }

    /// The numbers that the next `count` calls will have.
    pub(crate) fn next_calls(&self, count: usize) -> core::ops::Range<u32> {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.next_call..self.next_call.saturating_add(count)
    }

    /// Passes over the numbers of calls that were announced and are not going out, so that no other call gets them.
    pub(crate) fn skip_calls(&mut self, count: usize) {
        self.next_call = self.next_calls(count).end;
    }

    /// A wave of these calls, with the events gathered so far.
    pub(crate) fn wave(&mut self, calls: Vec<Call>, expect: Expect) -> Wave<Call> {
        let numbers = self.next_calls(calls.len());
        self.next_call = numbers.end;
        Wave { calls, first_call: numbers.start, expect, events: core::mem::take(&mut self.events) }
    }

    /// Asks for a sync at `at`; the earliest such wish counts.
    pub(crate) fn wake_at(&mut self, at: Timestamp) {
        self.wake.at = Some(self.wake.at.map_or(at, |earlier| earlier.min(at)));
    }

    /// The first error of managing Pods is the one that the sync reports.
    pub(crate) fn keep_manage_error(&mut self, message: &str) {
        if self.manage_error.is_none() {
            self.manage_error = Some(SyncError { message: message.to_string() });
        }
    }

    /// Ends the sync.
    pub(crate) fn finish(self, verdict: JobVerdict, error: Option<SyncError>) -> super::Finished {
        let wake = Wake { retry: error.is_some(), ..self.wake };
        super::Finished {
            memory: self.delta,
            wake,
            verdict,
            events: self.events,
            counted: self.counted,
            error,
        }
    }
}

/// A condition that starts to hold now (upstream `newCondition`).
pub(crate) fn new_condition(
    kind: &str,
    status: &str,
    reason: impl Into<String>,
    message: impl Into<String>,
    now: Timestamp,
) -> Condition {
    Condition {
        kind: kind.into(),
        status: status.into(),
        last_probe_time: Some(now),
        last_transition_time: Some(now),
        reason: reason.into(),
        message: message.into(),
    }
}

/// Whether [`ensure_condition`] would change the list, for a condition's status, reason and message.
pub(crate) fn changes(list: &[Condition], kind: &str, [status, reason, message]: [&str; 3]) -> bool {
    match list.iter().find(|condition| condition.kind == kind) {
        Some(found) => (&*found.status, &*found.reason, &*found.message) != (status, reason, message),
        None => status != "False",
    }
}

/// Upstream `ensureJobConditionStatus`: changes the condition of that type, or adds it unless it would be false.
pub(crate) fn ensure_condition(list: &mut Vec<Condition>, wanted: Condition) {
    if changes(list, &wanted.kind, [&wanted.status, &wanted.reason, &wanted.message]) {
        match list.iter_mut().find(|condition| condition.kind == wanted.kind) {
            Some(found) => *found = wanted,
            None => list.push(wanted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_false_condition_is_changed_but_never_added() {
        let mut list = Vec::new();
        let mut ensured = |status: &str| {
            let changes = changes(&list, "Suspended", [status, "r", "m"]);
            ensure_condition(&mut list, new_condition("Suspended", status, "r", "m", Timestamp::ZERO));
            (changes, list.len())
        };
        assert_eq!(ensured("False"), (false, 0));
        assert_eq!(ensured("True"), (true, 1));
        assert_eq!(ensured("True"), (false, 1));
        assert_eq!(ensured("False"), (true, 1));
    }
}
