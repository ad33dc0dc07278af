//! One pass over the Pods: what is active, what has newly ended, which indexes are taken.

use super::Action;
use super::backoff;
use super::facts::{Phase, PodFacts, UNKNOWN_INDEX};
use super::indexes::Intervals;
use super::pod_failure_policy::counts;
use super::sync::{Cx, Sync};
use crate::Timestamp;
use crate::explain::{Recorder, Rule};
use alloc::format;
use alloc::vec::Vec;

/// What the pass found beyond what it stores in the [`Sync`].
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) restarts: i32,
    /// The first failed Pod in list order that a FailJob rule matches, counted already or not.
    pub(crate) fail_job: Option<u32>,
    new_succeeded: i32,
    new_failed_counted: i32,
    new_failure_times: Vec<Timestamp>,
    last_success: Option<Timestamp>,
    succeeded_indexes: Vec<i64>,
    failed_indexes: Vec<i64>,
}

/// Counts the Pods into the sync (the start of upstream `syncJob`).
pub(crate) fn count<R: Recorder>(cx: &mut Cx<'_, R>, sync: &mut Sync) -> Tally {
    let uncounted = Uncounted::of(cx.job.status.uncounted_terminated_pods.as_ref());
    let mut tally = Tally::default();
    for (place, pod) in (0_u32..).zip(cx.pods) {
        tally.count_present(sync, pod);
        if pod.phase == Phase::Succeeded {
            sync.note_ended(pod, place);
            tally.count_succeeded(sync, &uncounted, pod);
        } else if pod.is_failed(sync.shape.only_replaces_failed_pods) {
            sync.note_ended(pod, place);
            tally.count_failed(sync, &uncounted, pod, place);
        }
    }
    let in_status = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let status = &sync.status;
    sync.succeeded = status.succeeded.wrapping_add(tally.new_succeeded);
    sync.succeeded = sync.succeeded.wrapping_add(in_status(uncounted.succeeded.len()));
    sync.failed =
        status.failed.wrapping_add(tally.new_failed_counted).wrapping_add(in_status(uncounted.failed.len()));
    let failures = tally.new_failure_times.iter().copied();
    sync.backoff = backoff::next_record(sync.previous_backoff.as_ref(), tally.last_success, failures);
    note_counts(cx, sync, &uncounted);
    tally
}

impl Tally {
    fn count_present(&mut self, sync: &mut Sync, pod: &PodFacts) {
        if pod.is_active() {
            sync.active = sync.active.wrapping_add(1);
            sync.ready = sync.ready.wrapping_add(i32::from(pod.ready));
            if sync.shape.indexed && pod.index != UNKNOWN_INDEX {
                sync.active_indexes.push(pod.index);
            }
        } else if pod.is_terminating() {
            sync.terminating = sync.terminating.wrapping_add(1);
            if sync.shape.indexed && pod.index != UNKNOWN_INDEX {
                sync.terminating_indexes.push(pod.index);
            }
        }
        if matches!(pod.phase, Phase::Running | Phase::Pending) {
            self.restarts = self.restarts.wrapping_add(pod.restarts);
        }
    }

    fn count_succeeded(&mut self, sync: &Sync, uncounted: &Uncounted<'_>, pod: &PodFacts) {
        if sync.shape.indexed && pod.has_finalizer && sync.shape.has_index(pod.index) {
            self.succeeded_indexes.push(pod.index);
        }
        if is_new(sync, &uncounted.succeeded, pod) {
            self.new_succeeded = self.new_succeeded.wrapping_add(1);
            self.last_success = self.last_success.max(Some(pod.finished_at));
        }
    }

    fn count_failed(&mut self, sync: &Sync, uncounted: &Uncounted<'_>, pod: &PodFacts, place: u32) {
        let action = pod.policy_match.as_deref().map(|m| m.action);
        if action == Some(Action::FailJob) && self.fail_job.is_none() {
            self.fail_job = Some(place);
        }
        if is_new(sync, &uncounted.failed, pod) {
            self.new_failure_times.push(pod.finished_at);
            let counted = counts(pod.policy_match.as_deref());
            self.new_failed_counted = self.new_failed_counted.wrapping_add(i32::from(counted));
        }
        if let Some(limit) = sync.shape.backoff_limit_per_index
            && sync.shape.indexed
            && pod.has_finalizer
            && sync.shape.has_index(pod.index)
            && index_has_failed(pod, limit)
        {
            self.failed_indexes.push(pod.index);
        }
    }
}

/// The indexes of an Indexed Job after this pass (upstream `calculateSucceededIndexes`, `calculateFailedIndexes`,
/// `getPodsWithDelayedDeletionPerIndex`).
pub(crate) fn count_indexes<R: Recorder>(cx: &mut Cx<'_, R>, sync: &mut Sync, tally: Tally) {
    let bound = sync.shape.index_bound();
    sync.previously_succeeded_indexes = Intervals::parse(&sync.status.completed_indexes, bound);
    sync.succeeded_indexes = sync.previously_succeeded_indexes.with_ordered(sorted(tally.succeeded_indexes));
    sync.succeeded = sync.succeeded_indexes.total() as i32;
    sync.active_indexes = sorted(core::mem::take(&mut sync.active_indexes));
    sync.terminating_indexes = sorted(core::mem::take(&mut sync.terminating_indexes));
    if sync.shape.backoff_limit_per_index.is_some() {
        let previous = sync.status.failed_indexes.as_deref().unwrap_or_default();
        let failed = Intervals::parse(previous, bound).with_ordered(sorted(tally.failed_indexes));
        keep_last_failed(cx, sync, &failed);
        sync.failed_indexes = Some(failed);
    }
}

/// Which failed Pods keep their finalizer until their index has a replacement that carries the failure count on.
fn keep_last_failed<R>(cx: &Cx<'_, R>, sync: &mut Sync, failed: &Intervals) {
    let only_failed = sync.shape.only_replaces_failed_pods;
    let mut kept = Vec::new();
    for place in &sync.ended {
        let Some(pod) = cx.pods.get(*place as usize) else { continue };
        let index = pod.index;
        let open = pod.is_failed(only_failed)
            && sync.shape.has_index(index)
            && !sync.succeeded_indexes.has(index)
            && !failed.has(index)
            && sync.active_indexes.binary_search(&index).is_err();
        if open {
            kept.push((index, *place));
        }
    }
    // The sort is stable in effect: places break ties, so Pods of an index stay in list order.
    kept.sort_unstable();
    kept.dedup_by(|(index, place), (kept_index, kept_place)| {
        if index == kept_index && replaces(cx.pods, *kept_place, *place) {
            *kept_place = *place;
        }
        index == kept_index
    });
    sync.kept_for_index = kept;
}

/// Whether a later Pod of the list takes an earlier one's place as the last failure of their index.
fn replaces(pods: &[PodFacts], earlier: u32, later: u32) -> bool {
    let (Some(earlier), Some(later)) = (pods.get(earlier as usize), pods.get(later as usize)) else {
        return false;
    };
    earlier.index_absolute_failure_count() <= later.index_absolute_failure_count()
        && later.finished_at >= earlier.finished_at
}

/// Upstream `isIndexFailed`, for a Pod that has failed.
fn index_has_failed(pod: &PodFacts, limit: i32) -> bool {
    let action = pod.policy_match.as_deref().map(|m| m.action);
    action == Some(Action::FailIndex)
        || (counts(pod.policy_match.as_deref()) && pod.index_failure_count >= limit)
}

/// Whether the Pod's end is still to be counted (upstream `getValidPodsWithFilter`).
fn is_new(sync: &Sync, uncounted: &[&str], pod: &PodFacts) -> bool {
    pod.has_finalizer
        && !contains(uncounted, &pod.pod.uid)
        && !sync.finalizer_is_being_removed(pod)
        && (!sync.shape.indexed || sync.shape.has_index(pod.index))
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
        let set = |list: &'a [alloc::string::String]| {
            let mut set: Vec<&str> = list.iter().map(|uid| uid.as_str()).collect();
            set.sort_unstable();
            set.dedup();
            set
        };
        Uncounted { succeeded: set(&lists.succeeded), failed: set(&lists.failed) }
    }
}

/// Whether a sorted list has `uid`.
pub(crate) fn contains(sorted: &[&str], uid: &str) -> bool {
    !sorted.is_empty() && sorted.binary_search(&uid).is_ok()
}

/// Ascending, without repeats. Pods mostly come in index order, so look before sorting.
fn sorted(mut indexes: Vec<i64>) -> Vec<i64> {
    if !indexes.is_sorted_by(|a, b| a < b) {
        indexes.sort_unstable();
        indexes.dedup();
    }
    indexes
}

fn note_counts<R: Recorder>(cx: &mut Cx<'_, R>, sync: &Sync, uncounted: &Uncounted<'_>) {
    if !R::ENABLED {
        return;
    }
    let only_failed = sync.shape.only_replaces_failed_pods;
    for pod in cx.pods.iter().filter(|pod| pod.is_failed(only_failed)) {
        let name = &pod.pod.name;
        if let Some(found) = &pod.policy_match {
            cx.rec.note(Rule::PodFailurePolicyRuleMatched, true, |evidence| {
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
        } else if cx.job.spec.pod_failure_policy.is_some() {
            cx.rec.note(Rule::PodFailurePolicyRuleMatched, false, |evidence| {
                evidence.value(format!("pod/{name}.status.phase"), pod.phase.as_str());
            });
        }
        let new = is_new(sync, &uncounted.failed, pod);
        cx.rec.note(Rule::NewFailureCounted, new && counts(pod.policy_match.as_deref()), |evidence| {
            evidence.value(format!("pod/{name}.status.phase"), pod.phase.as_str());
            evidence.value(format!("pod/{name} is still to be counted"), new);
        });
    }
    cx.rec.note(Rule::PodsCounted, true, |evidence| {
        evidence.value("pods", cx.pods.len());
        evidence.compared("status.active", sync.status.active, sync.active);
        evidence.compared("status.ready", sync.status.ready.unwrap_or(0), sync.ready);
        evidence.compared("status.terminating", sync.status.terminating.unwrap_or(0), sync.terminating);
        evidence.compared("status.succeeded", sync.status.succeeded, sync.succeeded);
        evidence.compared("status.failed", sync.status.failed, sync.failed);
    });
}
