//! Counting the Pods: what is active, what has newly ended, which indexes are taken.

use super::backoff;
use super::census::{Known, Tally};
use super::facts::PodFacts;
use super::pod_failure_policy::counts;
use super::sync::{Cx, Sync};
use crate::explain::{Recorder, Rule};
use crate::spec::UidList;
use alloc::format;
use alloc::vec::Vec;

/// Counts the Pods into the sync (the start of upstream `syncJob`).
pub(crate) fn count<'a, R: Recorder>(cx: &mut Cx<'a, R>, sync: &mut Sync) -> Tally<'a> {
    let uncounted = Uncounted::of(cx.job.status.uncounted_terminated_pods.as_ref());
    let known =
        Known { rules: sync.rules, uncounted: &uncounted, being_removed: &sync.finalizers_being_removed };
    let tally = cx.pods.tally(&known, &mut sync.noted);
    (sync.active, sync.ready, sync.terminating) = (tally.active, tally.ready, tally.terminating);
    let in_status = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let status = &cx.job.status;
    sync.succeeded = status.succeeded.wrapping_add(tally.new_succeeded);
    sync.succeeded = sync.succeeded.wrapping_add(in_status(uncounted.succeeded.len()));
    sync.failed =
        status.failed.wrapping_add(tally.new_failed).wrapping_add(in_status(uncounted.failed.len()));
    sync.backoff = backoff::next_record(sync.previous_backoff.as_ref(), &tally);
    if R::ENABLED {
        note_counts(cx, sync, &uncounted);
    }
    tally
}

/// The indexes of an Indexed Job after this pass (upstream `calculateSucceededIndexes`, `calculateFailedIndexes`,
/// `getPodsWithDelayedDeletionPerIndex`).
pub(crate) fn count_indexes<R: Recorder>(cx: &mut Cx<'_, R>, sync: &mut Sync, tally: &Tally<'_>) {
    let recorded = cx.pods.recorded(&cx.job.status, &sync.rules);
    sync.succeeded_indexes = recorded.completed.merge(&tally.succeeded_indexes);
    sync.previously_succeeded_indexes = recorded.completed;
    sync.succeeded = sync.succeeded_indexes.total() as i32;
    if sync.rules.limit_per_index.is_some() {
        let failed = recorded.failed.merge(&tally.failed_indexes);
        let succeeded = &sync.succeeded_indexes;
        let open = |index| !succeeded.has(index) && !failed.has(index) && !tally.active_indexes.has(index);
        cx.pods.note_last_failed(&sync.rules, &open, &mut sync.noted);
        sync.failed_indexes = Some(failed);
    }
}

/// Whether the Pod's end is still to be counted (upstream `getValidPodsWithFilter`).
pub(crate) fn is_new(known: &Known<'_>, uncounted: &[&str], pod: &PodFacts) -> bool {
    known.rules.counts_end(pod)
        && !contains(uncounted, pod.pod.uid())
        && !known.being_removed.contains(pod.pod.uid())
}

/// The UIDs in `status.uncountedTerminatedPods`, sorted.
#[derive(Debug, Default)]
pub(crate) struct Uncounted<'a> {
    pub(crate) succeeded: Vec<&'a str>,
    pub(crate) failed: Vec<&'a str>,
}

impl<'a> Uncounted<'a> {
    /// As sets: a UID listed twice counts once.
    pub(crate) fn of(lists: Option<&'a crate::spec::UncountedTerminatedPods>) -> Self {
        let Some(lists) = lists else { return Uncounted::default() };
        let set = |list: &'a UidList| {
            let mut set: Vec<&str> = list.iter().collect();
            set.sort_unstable();
            set.dedup();
            set
        };
        Uncounted { succeeded: set(&lists.succeeded), failed: set(&lists.failed) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.succeeded.is_empty() && self.failed.is_empty()
    }

    pub(crate) fn has(&self, uid: &str) -> bool {
        contains(&self.succeeded, uid) || contains(&self.failed, uid)
    }
}

/// Whether a sorted list has `uid`.
pub(crate) fn contains(sorted: &[&str], uid: &str) -> bool {
    !sorted.is_empty() && sorted.binary_search(&uid).is_ok()
}

fn note_counts<R: Recorder>(cx: &mut Cx<'_, R>, sync: &Sync, uncounted: &Uncounted<'_>) {
    let known = Known { rules: sync.rules, uncounted, being_removed: &sync.finalizers_being_removed };
    let (pods, has_policy) = (cx.pods, cx.job.spec.pod_failure_policy.is_some());
    pods.each(&mut |pod| {
        if known.rules.is_failed(pod) {
            note_failed(cx.rec, &known, has_policy, pod);
        }
    });
    let status = &cx.job.status;
    cx.rec.note(Rule::PodsCounted, true, |evidence| {
        evidence.value("pods", pods.len());
        evidence.compared("status.active", status.active, sync.active);
        evidence.compared("status.ready", status.ready.unwrap_or(0), sync.ready);
        evidence.compared("status.terminating", status.terminating.unwrap_or(0), sync.terminating);
        evidence.compared("status.succeeded", status.succeeded, sync.succeeded);
        evidence.compared("status.failed", status.failed, sync.failed);
    });
}

fn note_failed<R: Recorder>(rec: &mut R, known: &Known<'_>, has_policy: bool, pod: &PodFacts) {
    let name = pod.pod.name();
    if let Some(found) = &pod.policy_match {
        rec.note(Rule::PodFailurePolicyRuleMatched, true, |evidence| {
            let rule = format!("spec.podFailurePolicy.rules[{}].action", found.rule);
            evidence.value(rule, found.action.as_str());
            match &found.cause {
                super::Cause::ExitCode { container, code } => {
                    evidence.value(format!("pod/{name}.containers[{container}].exitCode"), code)
                }
                super::Cause::Condition { kind } => {
                    evidence.value(format!("pod/{name}.status.conditions"), kind)
                }
            };
        });
    } else if has_policy {
        rec.note(Rule::PodFailurePolicyRuleMatched, false, |evidence| {
            evidence.value(format!("pod/{name}.status.phase"), pod.phase.as_str());
        });
    }
    let new = is_new(known, &known.uncounted.failed, pod);
    rec.note(Rule::NewFailureCounted, new && counts(pod.policy_match.as_deref()), |evidence| {
        evidence.value(format!("pod/{name}.status.phase"), pod.phase.as_str());
        evidence.value(format!("pod/{name} is still to be counted"), new);
    });
}
