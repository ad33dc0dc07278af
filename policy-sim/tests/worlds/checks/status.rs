//! What must hold between two versions of a Job's status.

use super::book::{JobBook, action, acts, ends, fails, has, indexes};
use super::{Check, Checked, Fate, PodSeen, ensure};
use policy_core::Timestamp;
use policy_core::spec::{Condition, Job, JobStatus, UidList, UncountedTerminatedPods, condition};
use std::collections::BTreeMap;
use std::sync::Arc;

type Pods = BTreeMap<Arc<str>, PodSeen>;

pub(super) fn lists(status: &JobStatus) -> UncountedTerminatedPods {
    status.uncounted_terminated_pods.clone().unwrap_or_default()
}

impl JobBook {
    /// Checks a status that was committed.
    pub(super) fn status_written(&mut self, old: &Job, new: &Job, pods: &Pods) -> Checked {
        let (before, after) = (&old.status, &new.status);
        ensure(before.finished().is_none(), Check::EndIsFinal, || {
            format!("a finished Job's status changes from {before:?} to {after:?}")
        })?;
        check_succession(new.spec.is_indexed(), before, after)?;
        ensure(after.ready.unwrap_or(0) <= after.active, Check::ReadyExceedsActive, || format!("{after:?}"))?;
        self.check_lists(old, new, pods)?;
        if new.spec.is_indexed() {
            self.check_indexes(new, before)?;
        }
        [condition::FAILURE_TARGET, condition::SUCCESS_CRITERIA_MET]
            .into_iter()
            .filter(|kind| has(after, kind) && !has(before, kind))
            .try_for_each(|kind| self.check_cause(new, kind, pods))
    }

    /// Each UID is listed once in the Job's life, as what the Pod became.
    fn check_lists(&mut self, old: &Job, new: &Job, pods: &Pods) -> Checked {
        let (before, after) = (lists(&old.status), lists(&new.status));
        let both = [(before.succeeded, after.succeeded, true), (before.failed, after.failed, false)];
        for (before, after, success) in both {
            for (place, uid) in after.iter().enumerate() {
                ensure(!after.iter().take(place).any(|earlier| earlier == uid), Check::CountedTwice, || {
                    format!("{uid} is listed twice")
                })?;
                if before.contains(uid) {
                    continue;
                }
                let forgotten = self.forgotten.contains(uid);
                ensure(forgotten || !self.is_listed(uid), Check::CountedTwice, || {
                    format!("{uid} is listed a second time: {:?}", new.status)
                })?;
                self.check_fate(uid, success, new, pods)?;
                let listed = if success { &mut self.listed_succeeded } else { &mut self.listed_failed };
                listed.insert(uid.to_owned());
            }
        }
        Ok(())
    }

    fn check_fate(&self, uid: &str, success: bool, job: &Job, pods: &Pods) -> Checked {
        let Some(pod) = pods.get(uid) else {
            return ensure(false, Check::CountedWrongly, || format!("{uid} never was"));
        };
        let early = pod.deleting && !job.spec.only_replaces_failed_pods() || fails(&job.status);
        let right = match success {
            true => pod.fate == Fate::Succeeded,
            false => pod.fate == Fate::Failed || early,
        };
        ensure(right, Check::CountedWrongly, || format!("{uid} is listed with success {success}: {pod:?}"))?;
        let viewed = self.sync.as_ref().and_then(|sync| sync.pods.iter().find(|seen| &*seen.uid == uid));
        let ignored = !success
            && viewed.is_some_and(|seen| seen.fate == Fate::Failed)
            && acts(pod, &job.spec, "Ignore");
        ensure(!ignored, Check::CountedWrongly, || format!("{uid} is ignored and counted: {pod:?}"))
    }

    fn check_indexes(&mut self, new: &Job, before: &JobStatus) -> Checked {
        let status = &new.status;
        let bound = i64::from(new.spec.completions.unwrap_or(0));
        let done = indexes(&status.completed_indexes);
        ensure(status.succeeded as usize == done.len(), Check::CountedWrongly, || {
            format!("succeeded and completedIndexes differ: {status:?}")
        })?;
        let lost = self.done.iter().find(|index| !done.contains(index));
        ensure(lost.is_none(), Check::SucceededDecreases, || {
            format!("index {lost:?} is not done any more: {status:?}")
        })?;
        let false_one = done.iter().find(|index| !self.succeeded_indexes.contains(index));
        ensure(false_one.is_none(), Check::CountedWrongly, || {
            format!("index {false_one:?} is done and no Pod succeeded for it")
        })?;
        self.done = done;
        let failed = |status: &JobStatus| indexes(status.failed_indexes.as_deref().unwrap_or_default());
        let now_failed = failed(status);
        let healed = failed(before).into_iter().find(|index| *index < bound && !now_failed.contains(index));
        ensure(healed.is_none(), Check::FailedDecreases, || {
            format!("index {healed:?} has failed no more: {status:?}")
        })
    }

    /// The end that is announced has a cause that is really there.
    fn check_cause(&self, job: &Job, kind: &str, pods: &Pods) -> Checked {
        let (spec, status) = (&job.spec, &job.status);
        let Some(end) = status.condition(kind) else { return Ok(()) };
        let without = |holds: bool| {
            ensure(holds, Check::EndWithoutCause, || format!("{} for {}: {status:?}", end.kind, end.reason))
        };
        let failed_indexes = indexes(status.failed_indexes.as_deref().unwrap_or_default()).len();
        let succeeded = self.succeeded_pods.len();
        without(match end.reason.as_str() {
            "BackoffLimitExceeded" => {
                let restarts: i32 = self.pods(pods).map(|pod| pod.restarts).sum();
                let limit = spec.backoff_limit.unwrap_or(6);
                let on_failure = spec.template.restart_policy() == "OnFailure";
                // Not all failures are listed at once where few may be.
                let open =
                    |pod: &&PodSeen| (pod.fate == Fate::Failed || pod.deleting) && !self.is_listed(&pod.uid);
                let open = self.pods(pods).filter(open).count() + lists(status).failed.len();
                status.failed + open as i32 > limit || on_failure && restarts >= limit.max(1)
            }
            "MaxFailedIndexesExceeded" => {
                spec.max_failed_indexes.is_some_and(|most| failed_indexes > most as usize)
            }
            "FailedIndexes" => failed_indexes > 0,
            "PodFailurePolicy" => self.pods(pods).any(|pod| action(pod, spec) == Some("FailJob")),
            "DeadlineExceeded" => spec.active_deadline_seconds.is_some(),
            "SuccessPolicy" => spec.success_policy.is_some() && !self.done.is_empty(),
            "CompletionsReached" => match spec.completions {
                Some(completions) if spec.is_indexed() => self.done.len() >= completions as usize,
                Some(completions) => succeeded >= completions as usize,
                None => succeeded > 0,
            },
            _ => false,
        })
    }
}

/// What must hold between a status and the next, even before the API server has looked at it.
pub(super) fn check_succession(indexed: bool, before: &JobStatus, after: &JobStatus) -> Checked {
    check_conditions(before, after)?;
    check_start_time(before, after)?;
    check_counters(indexed, before, after)
}

/// Counters move by exactly as many UIDs as leave the lists; they never shrink.
fn check_counters(indexed: bool, old: &JobStatus, new: &JobStatus) -> Checked {
    let (before, after) = (lists(old), lists(new));
    let left =
        |before: &UidList, after: &UidList| before.iter().filter(|uid| !after.contains(uid)).count() as i32;
    ensure(new.failed >= old.failed, Check::FailedDecreases, || format!("{old:?} to {new:?}"))?;
    let failed = left(&before.failed, &after.failed);
    let moved = |kind: &str, by: i32, left: i32| {
        let check = if by > left { Check::CountedTwice } else { Check::CountedNever };
        ensure(by == left, check, || {
            format!("{kind} moves by {by} and {left} left the list: {old:?} to {new:?}")
        })
    };
    moved("failed", new.failed - old.failed, failed)?;
    if indexed {
        return Ok(());
    }
    ensure(new.succeeded >= old.succeeded, Check::SucceededDecreases, || format!("{old:?} to {new:?}"))?;
    moved("succeeded", new.succeeded - old.succeeded, left(&before.succeeded, &after.succeeded))
}

fn check_conditions(old: &JobStatus, new: &JobStatus) -> Checked {
    for (place, condition) in new.conditions.iter().enumerate() {
        let twice = new.conditions[..place].iter().any(|other| other.kind == condition.kind);
        ensure(!twice, Check::EndTooEarly, || format!("{} is there twice: {new:?}", condition.kind))?;
    }
    for kind in [condition::FAILURE_TARGET, condition::SUCCESS_CRITERIA_MET] {
        ensure(!has(old, kind) || has(new, kind), Check::EndIsFinal, || format!("{kind} is gone: {new:?}"))?;
    }
    let (complete, failed) = (has(new, condition::COMPLETE), has(new, condition::FAILED));
    let reason =
        |kind: &str| new.condition(kind).filter(|c| Condition::is_true(c)).map(|c| c.reason.as_str());
    let announced = match (complete, failed) {
        (false, false) => true,
        (true, false) => reason(condition::COMPLETE) == reason(condition::SUCCESS_CRITERIA_MET),
        (false, true) => reason(condition::FAILED) == reason(condition::FAILURE_TARGET),
        (true, true) => false,
    };
    ensure(announced, Check::EndTooEarly, || format!("the end was not announced: {new:?}"))?;
    ensure(complete == new.completion_time.is_some(), Check::EndTooEarly, || {
        format!("completion time and end differ: {new:?}")
    })?;
    let uncounted = lists(new);
    let open = new.active != 0
        || new.ready.unwrap_or(0) != 0
        || new.terminating.unwrap_or(0) != 0
        || !uncounted.succeeded.is_empty()
        || !uncounted.failed.is_empty();
    ensure(!(open && (complete || failed)), Check::EndTooEarly, || {
        format!("the Job ends with Pods open: {new:?}")
    })
}

/// Suspending clears the start time, resuming sets it anew, else it stays.
fn check_start_time(old: &JobStatus, new: &JobStatus) -> Checked {
    let suspended = |status: &JobStatus| has(status, condition::SUSPENDED);
    let toggled = suspended(old) != suspended(new);
    let kept = old.start_time.is_none()
        || old.start_time == new.start_time.map(Timestamp::truncated)
        || toggled
        || ends(old);
    ensure(kept, Check::StartTime, || format!("{:?} becomes {:?}", old.start_time, new.start_time))
}
