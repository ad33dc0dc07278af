//! What one sync works on and has worked out so far (upstream `syncJobCtx`).

use super::facts::PodFacts;
use super::indexes::Intervals;
use super::outcome::{Counted, JobVerdict, SyncError, Wake};
use super::{Call, JobView};
use crate::memory::{BackoffRecord, JobMemory, MemoryDelta};
use crate::spec::{Condition, Job, JobStatus, UncountedTerminatedPods};
use crate::step::{Event, Expect, Wave};
use crate::{Settings, Timestamp};
use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

/// What the rules read: the Job, the Pods it has claimed, and the instant.
pub(crate) struct Cx<'a, R> {
    pub(crate) job: &'a Job,
    pub(crate) pods: &'a [PodFacts],
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

    /// Whether `index` is one that the Job has.
    pub(crate) fn has_index(&self, index: i64) -> bool {
        (0..self.index_bound()).contains(&index)
    }
}

/// The state of a sync between its waves.
#[derive(Clone, Debug)]
pub(crate) struct Sync {
    pub(crate) shape: Shape,
    /// UIDs whose finalizer removal is under way (upstream `expectedRmFinalizers`).
    pub(crate) finalizers_being_removed: BTreeSet<Arc<str>>,
    pub(crate) expectations_satisfied: bool,
    pub(crate) previous_backoff: Option<BackoffRecord>,

    /// The status as it will be written.
    pub(crate) status: JobStatus,
    pub(crate) finished: Option<Condition>,
    pub(crate) active: i32,
    pub(crate) ready: i32,
    pub(crate) terminating: i32,
    pub(crate) succeeded: i32,
    pub(crate) failed: i32,
    pub(crate) active_indexes: Vec<i64>,
    pub(crate) terminating_indexes: Vec<i64>,
    pub(crate) previously_succeeded_indexes: Intervals,
    pub(crate) succeeded_indexes: Intervals,
    pub(crate) failed_indexes: Option<Intervals>,
    pub(crate) backoff: BackoffRecord,
    /// The failed Pod of each index that is kept until its replacement exists: indexes and places, by index.
    pub(crate) kept_for_index: Vec<(i64, u32)>,
    /// Places of the Pods that have ended or failed and still carry the finalizer.
    pub(crate) ended: Vec<u32>,
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
        let mut status = view.job.status.clone();
        status.uncounted_terminated_pods.get_or_insert_with(UncountedTerminatedPods::default);
        Sync {
            shape: Shape::of(view.job),
            finalizers_being_removed: memory.finalizers_being_removed.clone(),
            expectations_satisfied: memory.expectations.satisfied(now),
            previous_backoff: memory.backoff.clone(),
            status,
            finished: None,
            active: 0,
            ready: 0,
            terminating: 0,
            succeeded: 0,
            failed: 0,
            active_indexes: Vec::new(),
            terminating_indexes: Vec::new(),
            previously_succeeded_indexes: Intervals::default(),
            succeeded_indexes: Intervals::default(),
            failed_indexes: None,
            backoff: BackoffRecord::default(),
            kept_for_index: Vec::new(),
            ended: Vec::new(),
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
        !self.finalizers_being_removed.is_empty() && self.finalizers_being_removed.contains(&pod.pod.uid)
    }

    /// Takes note of a Pod that has ended, unless the removal of its finalizer is under way.
    pub(crate) fn note_ended(&mut self, pod: &PodFacts, place: u32) {
        if pod.has_finalizer && !self.finalizer_is_being_removed(pod) {
            self.ended.push(place);
        }
    }

    /// The place of the failed Pod that is kept for an index.
    pub(crate) fn kept_for(&self, index: i64) -> Option<u32> {
        let found = self.kept_for_index.binary_search_by_key(&index, |(index, _)| *index).ok()?;
        self.kept_for_index.get(found).map(|(_, place)| *place)
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

/// Upstream `ensureJobConditionStatus`: changes the condition of that type, or adds it unless it would be false. Tells
/// whether the list changed.
pub(crate) fn ensure_condition(list: &mut Vec<Condition>, wanted: Condition) -> bool {
    match list.iter_mut().find(|condition| condition.kind == wanted.kind) {
        Some(found) => {
            let differs = (&found.status, &found.reason, &found.message)
                != (&wanted.status, &wanted.reason, &wanted.message);
            if differs {
                *found = wanted;
            }
            differs
        }
        None if wanted.status == "False" => false,
        None => {
            list.push(wanted);
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_false_condition_is_changed_but_never_added() {
        let now = Timestamp::ZERO;
        let mut list = Vec::new();
        assert!(!ensure_condition(&mut list, new_condition("Suspended", "False", "r", "m", now)));
        assert!(ensure_condition(&mut list, new_condition("Suspended", "True", "r", "m", now)));
        assert!(!ensure_condition(&mut list, new_condition("Suspended", "True", "r", "m", now)));
        assert!(ensure_condition(&mut list, new_condition("Suspended", "False", "r", "m", now)));
        assert_eq!(list.len(), 1);
    }
}
