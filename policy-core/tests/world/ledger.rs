//! What really happened, against which every written status is held.

use policy_core::job::{Intervals, PodDigester};
use policy_core::spec::{
    JOB_TRACKING_FINALIZER, Job, JobStatus, Pod, UidList, UncountedTerminatedPods, condition,
};
use std::collections::{BTreeMap, BTreeSet};

/// The books: every Pod that ever was, as it was last, and every UID that was ever listed as ended.
#[derive(Default)]
pub(crate) struct Ledger {
    pods: BTreeMap<String, Pod>,
    listed: BTreeSet<String>,
    /// The Job's indexes that a Pod really succeeded for.
    succeeded_indexes: BTreeSet<i64>,
    /// Whether the Job was ever made smaller, which takes indexes off.
    pub(crate) scaled: bool,
}

fn lists(status: &JobStatus) -> UncountedTerminatedPods {
    status.uncounted_terminated_pods.clone().unwrap_or_default()
}

fn set(uids: &UidList) -> BTreeSet<String> {
    uids.iter().map(str::to_owned).collect()
}

impl Ledger {
    pub(crate) fn pod_changed(&mut self, pod: &Pod) {
        self.pods.insert(pod.metadata.uid.clone(), pod.clone());
        if pod.status.phase == "Succeeded" {
            self.succeeded_indexes.insert(index_of(pod));
        }
    }

    /// How many Pods have ended, or are ending.
    fn ended(&self, job_fails: bool) -> usize {
        let ended = |pod: &&Pod| job_fails || has_ended(pod) || pod.metadata.is_deleting();
        self.pods.values().filter(ended).count()
    }

    /// Holds a status that is being written against what really happened.
    pub(crate) fn status_written(&mut self, job: &Job, new: &JobStatus) {
        let old = &job.status;
        assert!(old.finished().is_none(), "the status of a finished Job is written: {new:?}");
        self.check_lists(job, new);
        check_counters(job, old, new);
        self.check_indexes(job, old, new);
        check_conditions(new);
        let uncounted = lists(new);
        // An indexed Pod that was counted as failed because it was being deleted may still complete its index.
        let succeeded = if job.spec.is_indexed() { 0 } else { new.succeeded as usize };
        let sum = succeeded + new.failed as usize + uncounted.succeeded.len() + uncounted.failed.len();
        let ended = self.ended(fails(new));
        assert!(sum <= ended, "{sum} Pods are counted and {ended} ended: {new:?}");
    }

    /// Each UID is listed once in the Job's life, and only when its Pod has ended.
    fn check_lists(&mut self, job: &Job, new: &JobStatus) {
        let (before, after) = (lists(&job.status), lists(new));
        for (before, after, success) in
            [(&before.succeeded, &after.succeeded, true), (&before.failed, &after.failed, false)]
        {
            assert_eq!(set(after).len(), after.len(), "a UID is listed twice: {after:?}");
            for uid in set(after).difference(&set(before)) {
                assert!(self.listed.insert(uid.clone()), "{uid} is counted a second time");
                let pod = &self.pods[uid];
                let ends = pod.metadata.is_deleting() && !job.spec.only_replaces_failed_pods();
                let right = match success {
                    true => pod.status.phase == "Succeeded",
                    false => pod.status.phase == "Failed" || ends || fails(new),
                };
                assert!(right, "{uid} is listed as ended (success: {success}): {pod:?}");
            }
        }
    }

    fn check_indexes(&self, job: &Job, old: &JobStatus, new: &JobStatus) {
        if !job.spec.is_indexed() {
            return;
        }
        let bound = i64::from(job.spec.completions.unwrap_or(0));
        let (before, after) =
            (indexes(&old.completed_indexes, bound), indexes(&new.completed_indexes, bound));
        assert_eq!(new.succeeded as usize, after.len(), "succeeded and completedIndexes differ: {new:?}");
        assert!(
            after.is_subset(&self.succeeded_indexes),
            "an index is done that no Pod succeeded for: {new:?}"
        );
        assert!(before.is_subset(&after), "a done index is taken back: {old:?} {new:?}");
        if !self.scaled {
            let failed = indexes(new.failed_indexes.as_deref().unwrap_or_default(), bound);
            // Upstream lets an index do both when it had two Pods, or one that was counted while it was being deleted.
            let twice = |index: &i64| {
                let pods = self.pods.values().filter(|pod| index_of(pod) == *index);
                let pods: Vec<bool> = pods.map(|pod| pod.metadata.is_deleting()).collect();
                pods.len() > 1 || pods == [true]
            };
            let both: Vec<_> = failed.intersection(&after).filter(|index| !twice(index)).collect();
            assert!(both.is_empty(), "indexes {both:?} have failed and succeeded: {new:?}");
        }
    }

    /// The finalizer of a Pod is going because it is counted: what the view knows to have ended must be in the stored
    /// status by now.
    pub(crate) fn finalizer_goes(&self, job: &Job, stored: &JobStatus, seen: &Pod, deleting: bool) {
        let facts = PodDigester::new(job).digest(seen);
        let uid = &seen.metadata.uid;
        let bound = i64::from(job.spec.completions.unwrap_or(0));
        let valid = !job.spec.is_indexed() || (0..bound).contains(&facts.index);
        let ignored =
            facts.policy_match.as_ref().is_some_and(|m| m.action == policy_core::job::Action::Ignore);
        if deleting || !valid || self.listed.contains(uid) {
            return;
        }
        if seen.status.phase == "Succeeded" && job.spec.is_indexed() {
            let done = Intervals::parse(&stored.completed_indexes, bound);
            assert!(done.has(facts.index), "{uid} succeeded and its index is not recorded: {stored:?}");
            return;
        }
        let ended = has_ended(seen) || facts.is_failed(job.spec.only_replaces_failed_pods()) || fails(stored);
        assert!(!ended || ignored, "{uid} loses its finalizer and is not recorded: {seen:?} {stored:?}");
    }

    /// The end of a Job's life: every Pod that ended under the Job's eyes was counted.
    pub(crate) fn check_end(&self, job: &Job) {
        let status = &job.status;
        let bound = i64::from(job.spec.completions.unwrap_or(0));
        for (uid, pod) in &self.pods {
            assert!(
                !pod.metadata.has_finalizer(JOB_TRACKING_FINALIZER),
                "{uid} keeps its finalizer after the Job's end: {pod:?}"
            );
        }
        let Some(end) = status.finished() else { return };
        if end.kind == condition::FAILED {
            return self.check_failed(job, &end.reason);
        }
        assert_eq!(end.kind, condition::COMPLETE);
        let succeeded = self.pods.values().filter(|pod| pod.status.phase == "Succeeded").count();
        match job.spec.completions {
            _ if end.reason == "SuccessPolicy" => assert!(!self.succeeded_indexes.is_empty()),
            Some(completions) if job.spec.is_indexed() => {
                let done = indexes(&status.completed_indexes, bound).len();
                assert_eq!(done, completions as usize, "complete without all indexes: {status:?}");
            }
            Some(completions) => {
                assert!(succeeded >= completions as usize, "{succeeded} succeeded: {status:?}")
            }
            None => assert!(succeeded > 0),
        }
    }

    fn check_failed(&self, job: &Job, reason: &str) {
        let (spec, status) = (&job.spec, &job.status);
        let failed_indexes = indexes(status.failed_indexes.as_deref().unwrap_or_default(), 1 << 40).len();
        let right = match reason {
            "BackoffLimitExceeded" => {
                let restarts = self.pods.values().flat_map(|pod| &pod.status.container_statuses);
                let restarts: i32 = restarts.map(|status| status.restart_count).sum();
                let limit = spec.backoff_limit.unwrap_or(6);
                status.failed > limit
                    || spec.template.restart_policy() == "OnFailure" && restarts >= limit.max(1)
            }
            "MaxFailedIndexesExceeded" => failed_indexes > spec.max_failed_indexes.unwrap() as usize,
            "FailedIndexes" => failed_indexes > 0,
            "PodFailurePolicy" => self.pods.values().any(|pod| {
                let matched = PodDigester::new(job).digest(pod).policy_match;
                matched.is_some_and(|m| m.action == policy_core::job::Action::FailJob)
            }),
            "DeadlineExceeded" => spec.active_deadline_seconds.is_some(),
            _ => false,
        };
        assert!(right, "the Job failed for {reason} without cause: {status:?}");
    }

    /// Pods that ended in the Job's care are counted exactly once; how often is what the status says.
    pub(crate) fn check_total(&self, status: &JobStatus, indexed: bool) {
        let counted = status.failed as usize + if indexed { 0 } else { status.succeeded as usize };
        assert_eq!(counted, self.listed.len(), "the counters and the UIDs ever listed differ: {status:?}");
    }
}

fn has_ended(pod: &Pod) -> bool {
    matches!(pod.status.phase.as_str(), "Succeeded" | "Failed")
}

fn fails(status: &JobStatus) -> bool {
    [condition::FAILURE_TARGET, condition::FAILED]
        .iter()
        .any(|kind| status.condition(kind).is_some_and(|condition| condition.is_true()))
}

fn index_of(pod: &Pod) -> i64 {
    let index = pod.metadata.annotations.get(policy_core::spec::JOB_COMPLETION_INDEX);
    index.and_then(|index| index.parse().ok()).unwrap_or(-1)
}

fn indexes(text: &str, bound: i64) -> BTreeSet<i64> {
    let intervals = Intervals::parse(text, bound);
    intervals.as_slice().iter().flat_map(|interval| interval.first..=interval.last).collect()
}

/// Counters move by exactly as many UIDs as leave the lists.
fn check_counters(job: &Job, old: &JobStatus, new: &JobStatus) {
    let (before, after) = (lists(old), lists(new));
    let left = |before: &UidList, after: &UidList| set(before).difference(&set(after)).count() as i32;
    assert_eq!(new.failed - old.failed, left(&before.failed, &after.failed), "failed moved: {old:?} {new:?}");
    if !job.spec.is_indexed() {
        let succeeded = left(&before.succeeded, &after.succeeded);
        assert_eq!(new.succeeded - old.succeeded, succeeded, "succeeded moved: {old:?} {new:?}");
    }
}

fn check_conditions(new: &JobStatus) {
    let kinds: Vec<&str> = new.conditions.iter().map(|condition| condition.kind.as_str()).collect();
    let distinct: BTreeSet<&str> = kinds.iter().copied().collect();
    assert_eq!(kinds.len(), distinct.len(), "a condition is there twice: {kinds:?}");
    let ends =
        new.conditions.iter().filter(|c| ["Complete", "Failed"].contains(&c.kind.as_str()) && c.is_true());
    assert!(ends.count() <= 1, "complete and failed: {new:?}");
    if new.finished().is_some() {
        let uncounted = lists(new);
        let open =
            (new.active, new.terminating.unwrap_or(0), uncounted.succeeded.len(), uncounted.failed.len());
        assert_eq!(open, (0, 0, 0, 0), "the Job ends with Pods open: {new:?}");
    }
}
