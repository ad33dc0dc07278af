//! How many Pods there should be: which to delete, which to create, and when creation waits.

use super::backoff::{remaining_nanos, remaining_nanos_for_index};
use super::census::{Removal, Tally, places};
use super::ending::delete_event;
use super::indexes::{Intervals, first_missing_in_all};
use super::outcome::SyncAction;
use super::sync::{Cx, Sync};
use super::{Call, Stage, create};
use crate::explain::{Recorder, Rule};
use crate::step::{CallErrorKind, Expect, Outcome, Wave};
use alloc::format;
use alloc::vec::Vec;

/// Pods that are being deleted by suspension or as surplus.
#[derive(Clone, Debug)]
pub(crate) struct Deletion {
    rule: Rule,
    /// Places of Pods whose deletion is under way or next.
    targets: Vec<u32>,
    /// Pods that count as removed so far.
    removed: i32,
}

/// Creates or deletes Pods, never both in one sync (upstream `manageJob`).
pub(crate) fn manage<R: Recorder>(
    cx: &mut Cx<'_, R>,
    sync: &mut Sync,
    tally: &Tally<'_>,
) -> Option<(Wave<Call>, Stage)> {
    cx.rec.note(Rule::ExpectationsUnsatisfied, !sync.expectations_satisfied, |evidence| {
        evidence.value("expectations satisfied", sync.expectations_satisfied);
    });
    cx.rec.note(Rule::JobBeingDeleted, sync.shape.deleting, |evidence| {
        evidence.value("metadata.deletionTimestamp", if sync.shape.deleting { "set" } else { "not set" });
    });
    if !sync.expectations_satisfied || sync.shape.deleting {
        return None;
    }
    sync.manage_called = true;
    if sync.shape.suspended {
        sync.counted.action = SyncAction::PodsDeleted;
        // Deletions by suspension ignore the limit per sync.
        let targets = pods_for_removal(cx, sync, tally, usize::MAX, usize::MAX);
        return delete(cx, sync, Rule::JobSuspended, targets);
    }
    cx.rec.note(Rule::JobSuspended, false, |evidence| {
        evidence.value("spec.suspend", false);
    });
    let want_active = want_active(sync);
    let surplus = usize::try_from(sync.active.wrapping_sub(want_active).max(0)).unwrap_or(0);
    let limit = usize::try_from(cx.settings.max_pod_create_delete_per_sync).unwrap_or(0);
    let targets = pods_for_removal(cx, sync, tally, surplus, limit);
    if !targets.is_empty() {
        sync.counted.action = SyncAction::PodsDeleted;
        return delete(cx, sync, Rule::SurplusPodsDeleted, targets);
    }
    cx.rec.note(Rule::SurplusPodsDeleted, false, |evidence| {
        evidence.compared("active Pods", sync.active, format!("wanted {want_active}"));
    });
    create_missing(cx, sync, tally, want_active)
}

/// How many Pods should be active. Failed indexes are not taken off, as upstream has it.
fn want_active(sync: &Sync) -> i32 {
    let parallelism = sync.shape.parallelism;
    match sync.shape.completions {
        None if sync.succeeded > 0 => sync.active,
        None => parallelism,
        Some(completions) => completions.wrapping_sub(sync.succeeded).min(parallelism).max(0),
    }
}

fn create_missing<R: Recorder>(
    cx: &mut Cx<'_, R>,
    sync: &mut Sync,
    tally: &Tally<'_>,
    want_active: i32,
) -> Option<(Wave<Call>, Stage)> {
    sync.counted.action = SyncAction::Tracking;
    let awaited = if sync.shape.only_replaces_failed_pods { sync.terminating } else { 0 };
    let missing = want_active.wrapping_sub(sync.active);
    let mut count = missing.wrapping_sub(awaited);
    cx.rec.note(Rule::CreationWaitsForTerminatingPods, missing > 0 && awaited > 0, |evidence| {
        evidence.value("spec.podReplacementPolicy Failed", sync.shape.only_replaces_failed_pods);
        evidence.compared("terminating Pods", sync.terminating, format!("missing {missing}"));
    });
    if count <= 0 {
        cx.rec.note(Rule::PodsCreated, false, |evidence| {
            evidence.compared("active Pods", sync.active, format!("wanted {want_active}"));
        });
        return None;
    }
    sync.counted.action = SyncAction::PodsCreated;
    let per_index = sync.shape.backoff_limit_per_index.is_some();
    if !per_index
        && waits(cx, sync, Rule::CreationWaitsForBackoff, remaining_nanos(&sync.backoff, cx.now, cx.settings))
    {
        return None;
    }
    count = count.min(cx.settings.max_pod_create_delete_per_sync);
    let count = usize::try_from(count).unwrap_or(0);
    if !sync.shape.indexed {
        return create::begin(cx, sync, create::unindexed(count), want_active);
    }
    let mut indexes = cx.pods.with_last_failed(sync, first_pending_indexes(sync, tally, count));
    if per_index {
        let wait_nanos = keep_ready_indexes(cx, &mut indexes);
        if waits(cx, sync, Rule::CreationWaitsForIndexBackoff, wait_nanos) {
            return None;
        }
    }
    let creates = create::indexed(cx.pods, sync, indexes);
    create::begin(cx, sync, creates, want_active)
}

/// Whether creation waits; then the next sync is due at the end of the wait, a batch period away at least (upstream
/// `enqueueSyncJobWithDelay`).
fn waits<R: Recorder>(cx: &mut Cx<'_, R>, sync: &mut Sync, rule: Rule, wait_nanos: i64) -> bool {
    cx.rec.note(rule, wait_nanos > 0, |evidence| {
        if rule == Rule::CreationWaitsForBackoff {
            evidence.value("failures since the last success", sync.backoff.failures_after_last_success);
        }
        evidence.value("remaining wait", format!("{} ms", wait_nanos / 1_000_000));
    });
    if wait_nanos > 0 {
        let at = cx.now.plus_nanos(wait_nanos.max(cx.settings.sync_batch_period_nanos));
        sync.wake.backoff_ends_at = Some(at);
        sync.wake_at(at);
    }
    wait_nanos > 0
}

/// Upstream `firstPendingIndexes`.
fn first_pending_indexes(sync: &Sync, tally: &Tally<'_>, count: usize) -> Vec<i64> {
    let terminating = sync.shape.only_replaces_failed_pods.then_some(&*tally.terminating_indexes);
    let lists = [Some(&*tally.active_indexes), terminating, sync.failed_indexes.as_ref()];
    let lists = lists.into_iter().flatten();
    let bound = sync.rules.index_bound;
    if sync.succeeded_indexes.is_ordered() && sync.failed_indexes.iter().all(Intervals::is_ordered) {
        let all: Vec<&Intervals> = lists.chain([&sync.succeeded_indexes]).collect();
        return first_missing_in_all(&all, count, bound);
    }
    // Lists that are out of order depend on how upstream merges them.
    let taken = lists.fold(sync.succeeded_indexes.clone(), |taken, list| taken.merge(list));
    taken.first_missing(count, bound)
}

/// Leaves the indexes that need not wait; where all wait, the shortest wait is returned (upstream
/// `getPodCreationInfoForIndependentIndexes`).
fn keep_ready_indexes<R>(cx: &Cx<'_, R>, indexes: &mut Vec<(i64, Option<u32>)>) -> i64 {
    let mut shortest_nanos: Option<i64> = None;
    indexes.retain(|(_, last_failed)| {
        let kept = last_failed.and_then(|place| cx.pods.pod(place));
        let nanos = remaining_nanos_for_index(kept, cx.now, cx.settings);
        if nanos != 0 {
            shortest_nanos = Some(shortest_nanos.map_or(nanos, |shortest| shortest.min(nanos)));
        }
        nanos == 0
    });
    if indexes.is_empty() { shortest_nanos.unwrap_or(0) } else { 0 }
}

/// Which active Pods go when at least so many must; usually none does, which the counts tell.
fn pods_for_removal<R>(
    cx: &Cx<'_, R>,
    sync: &Sync,
    tally: &Tally<'_>,
    at_least: usize,
    limit: usize,
) -> Vec<u32> {
    let last = tally.active_indexes.as_slice().last();
    let indexes_are_fine =
        tally.active_are_distinct && last.is_none_or(|last| last.last < sync.rules.index_bound);
    if at_least == 0 && (!sync.rules.indexed || indexes_are_fine) {
        return Vec::new();
    }
    cx.pods.for_removal(Removal { rules: sync.rules, at_least, limit })
}

/// Deletes Pods that are not to be counted: their finalizers go first (upstream `deleteJobPods`).
fn delete<R: Recorder>(
    cx: &mut Cx<'_, R>,
    sync: &mut Sync,
    rule: Rule,
    targets: Vec<u32>,
) -> Option<(Wave<Call>, Stage)> {
    let tracked = places(cx.pods, &targets).filter(|pod| pod.has_finalizer);
    let calls: Vec<Call> = tracked.map(|pod| Call::RemoveFinalizer(pod.pod.clone())).collect();
    let expect = Expect { deletions: i64::try_from(targets.len()).ok(), ..Expect::default() };
    let removed = i32::try_from(targets.len()).unwrap_or(i32::MAX);
    cx.rec.note_calls(rule, true, sync.next_calls(calls.len()), |evidence| {
        evidence.value("spec.suspend", sync.shape.suspended);
        evidence.compared("active Pods", sync.active, format!("deleted {removed}"));
    });
    let deletion = Deletion { rule, targets, removed };
    if calls.is_empty() {
        return delete_untracked(cx, sync, deletion, expect);
    }
    Some((sync.wave(calls, expect), Stage::StripFinalizers(deletion)))
}

fn delete_untracked<R: Recorder>(
    cx: &mut Cx<'_, R>,
    sync: &mut Sync,
    deletion: Deletion,
    expect: Expect,
) -> Option<(Wave<Call>, Stage)> {
    let calls: Vec<Call> =
        places(cx.pods, &deletion.targets).map(|pod| Call::DeletePod(pod.pod.clone())).collect();
    if calls.is_empty() {
        settle_deletion(sync, &deletion, 0);
        return None;
    }
    cx.rec.note_calls(deletion.rule, true, sync.next_calls(calls.len()), |evidence| {
        evidence.value("Pods to delete", calls.len());
    });
    Some((sync.wave(calls, expect), Stage::Delete(deletion)))
}

/// After the finalizers: a Pod that is gone counts as removed, one whose finalizer stays is left alone.
pub(crate) fn after_strip<R: Recorder>(
    cx: &mut Cx<'_, R>,
    sync: &mut Sync,
    mut deletion: Deletion,
    outcomes: &[Outcome],
) -> Option<(Wave<Call>, Stage)> {
    let mut outcomes = outcomes.iter();
    let pods = cx.pods;
    let mut removed = deletion.removed;
    deletion.targets.retain(|place| {
        let tracked = pods.pod(*place).is_some_and(|pod| pod.has_finalizer);
        let Some(error) = tracked.then(|| outcomes.next()).flatten().and_then(Outcome::error) else {
            return true;
        };
        sync.delta.deletions_not_coming = sync.delta.deletions_not_coming.saturating_add(1);
        if error.kind != CallErrorKind::NotFound {
            removed = removed.wrapping_sub(1);
            sync.keep_manage_error(&format!("removing completion finalizer: {}", error.message));
        }
        false
    });
    deletion.removed = removed;
    delete_untracked(cx, sync, deletion, Expect::default())
}

/// After the deletions.
pub(crate) fn after_delete<R: Recorder>(
    cx: &mut Cx<'_, R>,
    sync: &mut Sync,
    mut deletion: Deletion,
    outcomes: &[Outcome],
) {
    let mut removed_ready = 0_i32;
    for (pod, outcome) in places(cx.pods, &deletion.targets).zip(outcomes) {
        // A ready Pod counts as removed even when its deletion failed, as upstream has it.
        removed_ready = removed_ready.wrapping_add(i32::from(pod.ready));
        if outcome.error().is_some() {
            sync.delta.deletions_not_coming = sync.delta.deletions_not_coming.saturating_add(1);
        }
        if !delete_event(sync, pod.pod.name(), outcome) {
            deletion.removed = deletion.removed.wrapping_sub(1);
        }
    }
    settle_deletion(sync, &deletion, removed_ready);
}

fn settle_deletion(sync: &mut Sync, deletion: &Deletion, removed_ready: i32) {
    sync.active = sync.active.wrapping_sub(deletion.removed);
    sync.terminating = sync.terminating.wrapping_add(deletion.removed);
    sync.ready = sync.ready.wrapping_sub(removed_ready);
}
