//! Counting ended Pods exactly once: their UIDs go into the status, then their finalizers, then the counters move.

use super::census::{Census, Known, places};
use super::counters::{Counters, count_finished_pods};
use super::counts::{Uncounted, contains};
use super::facts::{Phase, PodFacts};
use super::indexes::Intervals;
use super::outcome::{JobVerdict, SyncError};
use super::pod_failure_policy::counts;
use super::sync::{Cx, Sync, new_condition};
use super::{Action, Call, Stage};
use crate::explain::{Recorder, Rule};
use crate::memory::BackoffChange;
use crate::spec::{Job, JobStatus, UidList, condition};
use crate::step::{CallErrorKind, Expect, Outcome, Wave};
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;
use core::ops::ControlFlow;

mod end;

pub(crate) use end::after_final_write;
use end::declare_end;

/// What is left to do once the first status is written.
#[derive(Clone, Debug)]
pub(crate) struct Tracking {
    /// Places of Pods whose finalizer goes.
    remove: Vec<u32>,
    /// The calls for it, until they go out.
    removals: Vec<Call>,
    /// How many UIDs are new in the status.
    listed: usize,
    reached_max_uncounted: bool,
    /// What was written last, if anything was.
    counters_before: Option<Counters>,
    /// Why a finalizer stayed.
    error: Option<SyncError>,
}

/// What follows a stage: a wave, or the end of the sync.
pub(crate) type Next = Result<(Wave<Call>, Stage), (JobVerdict, Option<SyncError>)>;

/// Takes newly ended Pods into the status and plans their finalizers' removal, up to a limit (the first half of
/// upstream `trackJobStatusAndRemoveFinalizers`).
pub(crate) fn begin<R: Recorder>(cx: &mut Cx<'_, R>, sync: &mut Sync) -> Next {
    flush_counts(cx.job, sync);
    settle_listed(cx, sync);
    let tracking = record_ended_pods(cx, sync);
    record_failed_indexes(cx.job, sync);
    add_interim_condition(cx, sync);
    if sync.flush.any() {
        let wave = write_status(cx, sync);
        return Ok((wave, Stage::FirstWrite(tracking)));
    }
    remove_finalizers(cx, sync, tracking)
}

/// The counts of Pods that are there.
fn flush_counts(job: &Job, sync: &mut Sync) {
    let status = sync.status.get(job);
    let (ready, terminating) = (Some(sync.ready), Some(sync.terminating));
    let changes = [
        (sync.active != status.active, Rule::ActiveCountChanged),
        (status.ready != ready, Rule::ReadyCountChanged),
        (status.terminating != terminating, Rule::TerminatingCountChanged),
    ];
    if changes.iter().any(|(changed, _)| *changed) {
        let status = sync.status.edit(job);
        (status.active, status.ready, status.terminating) = (sync.active, ready, terminating);
        changes.into_iter().for_each(|(changed, rule)| sync.flush.add_if(changed, rule));
    }
}

/// UIDs that were listed before and whose Pod has lost its finalizer, or is gone.
fn settle_listed<R>(cx: &Cx<'_, R>, sync: &mut Sync) {
    let uncounted = Uncounted::of(cx.job.status.uncounted_terminated_pods.as_ref());
    if uncounted.is_empty() {
        return;
    }
    let known =
        Known { rules: sync.rules, uncounted: &uncounted, being_removed: &sync.finalizers_being_removed };
    let with_finalizer = cx.pods.listed_with_finalizer(&known);
    settle_uncounted(cx.job, sync, |uid| with_finalizer.contains(uid));
}

/// How many UIDs a status lists.
fn listed_now(status: &JobStatus) -> usize {
    let lists = status.uncounted_terminated_pods.as_ref();
    lists.map_or(0, |lists| lists.succeeded.len().saturating_add(lists.failed.len()))
}

/// Moves UIDs from the lists into the counters, but for those that stay (upstream
/// `cleanUncountedPodsWithoutFinalizers`).
fn settle_uncounted(job: &Job, sync: &mut Sync, stays: impl Fn(&str) -> bool) {
    let lists = sync.status.get(job).uncounted_terminated_pods.iter();
    if lists.flat_map(|lists| [&lists.succeeded, &lists.failed]).all(|list| list.iter().all(&stays)) {
        return;
    }
    sync.flush.add(Rule::UncountedPodsSettled);
    let status = sync.status.edit(job);
    let Some(lists) = &mut status.uncounted_terminated_pods else { return };
    let settle = |list: &mut UidList, counter: &mut i32| {
        let before = list.len();
        list.retain(&stays);
        let settled = before.saturating_sub(list.len());
        *counter = counter.wrapping_add(i32::try_from(settled).unwrap_or(i32::MAX));
    };
    settle(&mut lists.succeeded, &mut status.succeeded);
    settle(&mut lists.failed, &mut status.failed);
}

/// Goes through the Pods whose finalizer can go, those of an Indexed Job by index, until as many as the limit are
/// new in the status.
fn record_ended_pods<R: Recorder>(cx: &mut Cx<'_, R>, sync: &mut Sync) -> Tracking {
    // When the whole Job ends, Pods that have not ended lose their finalizer too.
    let all = sync.shape.deleting || sync.finished.is_some();
    note_kept(cx, sync, all);
    let mut ended = Ended::new(cx.job, sync);
    let (mut remove, mut removals) = (Vec::new(), Vec::new());
    let (pods, limit) = (cx.pods, cx.settings.max_uncounted_pods);
    let at_most = pods.len().min(limit);
    let mut reached_max = false;
    pods.each_removable(sync, all, &mut |place, pod| {
        if remove.is_empty() {
            remove.reserve(at_most);
            removals.reserve(at_most);
        }
        remove.push(place);
        // Made in its place: a call that is made and then moved waits for itself to be stored.
        removals.extend(core::iter::once_with(|| Call::RemoveFinalizer(pod.pod.clone())));
        ended.record(cx.job, sync, pod);
        reached_max = ended.total() >= limit;
        if reached_max { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    cx.rec.note(Rule::MaxUncountedPodsReached, reached_max, |evidence| {
        evidence.compared("new in the status", ended.total(), limit);
    });
    let listed = ended.found.listed();
    ended.found.store(cx.job, sync);
    Tracking {
        remove,
        removals,
        listed,
        reached_max_uncounted: reached_max,
        counters_before: None,
        error: None,
    }
}

/// Failed Pods keep their finalizer until their index has a replacement, which carries the failure count on.
fn note_kept<R: Recorder>(cx: &mut Cx<'_, R>, sync: &Sync, all: bool) {
    if !R::ENABLED {
        return;
    }
    let mut kept = Vec::new();
    if !all {
        cx.pods.each_kept(sync, &mut |pod| kept.push((pod.pod.clone(), pod.index)));
    }
    cx.rec.note(Rule::FinalizerKeptForIndex, !kept.is_empty(), |evidence| {
        evidence.value("failed Pods that wait for a replacement", kept.len());
        for (pod, index) in kept {
            evidence.value(format!("pod/{}", pod.name()), format!("last failure of index {index}"));
        }
    });
}

/// Pods on their way into the status.
struct Ended<'j> {
    /// The UIDs in the status that the sync began with.
    listed: Uncounted<'j>,
    /// How many UIDs the status lists by now.
    listed_now: usize,
    found: Found,
}

/// What a sync adds to the status.
#[derive(Default)]
struct Found {
    indexes: Vec<i64>,
    succeeded: UidList,
    failed: UidList,
    policy_actions: [i64; 4],
}

impl<'j> Ended<'j> {
    fn new(job: &'j Job, sync: &Sync) -> Self {
        Ended {
            listed: Uncounted::of(job.status.uncounted_terminated_pods.as_ref()),
            listed_now: listed_now(sync.status.get(job)),
            found: Found::default(),
        }
    }

    /// What the limit is compared with; UIDs that were listed before are included.
    fn total(&self) -> usize {
        let found = &self.found;
        found.indexes.len().saturating_add(found.listed()).saturating_add(self.listed_now)
    }

    fn record(&mut self, job: &Job, sync: &Sync, pod: &PodFacts) {
        if pod.phase == Phase::Succeeded && !contains(&self.listed.failed, pod.pod.uid()) {
            self.record_success(sync, pod);
        } else {
            self.record_failure(job, sync, pod);
        }
    }

    /// For an Indexed Job the index is enough to avoid counting twice; other Pods are listed by UID.
    fn record_success(&mut self, sync: &Sync, pod: &PodFacts) {
        if sync.rules.indexed {
            if sync.rules.has_index(pod.index) && !sync.previously_succeeded_indexes.has(pod.index) {
                self.found.indexes.push(pod.index);
            }
        } else if !contains(&self.listed.succeeded, pod.pod.uid()) {
            self.found.succeeded.push(pod.pod.uid());
        }
    }

    /// When the Job fails, every Pod that has not ended counts as failed.
    fn record_failure(&mut self, job: &Job, sync: &Sync, pod: &PodFacts) {
        let job_fails = sync.finished.as_ref().is_some_and(|c| c.kind != condition::SUCCESS_CRITERIA_MET);
        let counts_as_failed = sync.rules.is_failed(pod) || job_fails;
        let valid = !sync.rules.indexed || sync.rules.has_index(pod.index);
        if !counts_as_failed || !valid || contains(&self.listed.failed, pod.pod.uid()) {
            return;
        }
        if job.spec.pod_failure_policy.is_some() {
            self.found.count_policy_action(pod);
        }
        if counts(pod.policy_match.as_deref()) {
            self.found.failed.push(pod.pod.uid());
        }
    }
}

impl Found {
    /// How many UIDs.
    fn listed(&self) -> usize {
        self.succeeded.len().saturating_add(self.failed.len())
    }

    fn count_policy_action(&mut self, pod: &PodFacts) {
        let Some(action) = pod.policy_match.as_deref().map(|m| m.action) else { return };
        let [fail_job, fail_index, ignore, count] = &mut self.policy_actions;
        let counter = match action {
            Action::FailJob => fail_job,
            Action::FailIndex => fail_index,
            Action::Ignore => ignore,
            Action::Count => count,
        };
        *counter = counter.saturating_add(1);
    }

    fn store(mut self, job: &Job, sync: &mut Sync) {
        sync.counted.policy_actions = self.policy_actions;
        sync.flush.add_if(!self.succeeded.is_empty(), Rule::PodSuccessRecorded);
        sync.flush.add_if(!self.failed.is_empty(), Rule::PodFailureRecorded);
        sync.flush.add_if(!self.indexes.is_empty(), Rule::IndexSucceeded);
        if !(self.succeeded.is_empty() && self.failed.is_empty())
            && let Some(lists) = &mut sync.status.edit(job).uncounted_terminated_pods
        {
            lists.succeeded.append(&mut self.succeeded);
            lists.failed.append(&mut self.failed);
        }
        if sync.rules.indexed {
            record_succeeded_indexes(job, sync, self.indexes);
        }
    }
}

fn record_succeeded_indexes(job: &Job, sync: &mut Sync, indexes: Vec<i64>) {
    sync.succeeded_indexes = sync.succeeded_indexes.with_ordered(indexes);
    let succeeded = sync.succeeded_indexes.total() as i32;
    let status = sync.status.get(job);
    let same = sync.succeeded_indexes.is_text(&status.completed_indexes);
    if same && status.succeeded == succeeded {
        return;
    }
    sync.flush.add_if(!same, Rule::CompletedIndexesRewritten);
    let status = sync.status.edit(job);
    status.succeeded = succeeded;
    if !same {
        status.completed_indexes = sync.succeeded_indexes.to_text();
    }
}

fn record_failed_indexes(job: &Job, sync: &mut Sync) {
    if !sync.rules.indexed {
        return;
    }
    let same = match (&sync.failed_indexes, &sync.status.get(job).failed_indexes) {
        (Some(indexes), Some(text)) => indexes.is_text(text),
        (indexes, text) => indexes.is_none() && text.is_none(),
    };
    if !same {
        sync.status.edit(job).failed_indexes = sync.failed_indexes.as_ref().map(Intervals::to_text);
        sync.flush.add(Rule::FailedIndexesRewritten);
    }
}

/// Adds FailureTarget or SuccessCriteriaMet, and turns the end into the condition that follows it.
fn add_interim_condition<R: Recorder>(cx: &mut Cx<'_, R>, sync: &mut Sync) {
    let Some(interim) = sync.finished.take() else { return };
    let follows = match interim.kind.as_str() {
        condition::FAILURE_TARGET => {
            sync.flush.add(Rule::FailureTargetAdded);
            condition::FAILED
        }
        condition::SUCCESS_CRITERIA_MET => {
            let there = criteria_met(sync.status.get(cx.job));
            sync.flush.add_if(!there, Rule::SuccessCriteriaAdded);
            condition::COMPLETE
        }
        _ => {
            sync.finished = Some(interim);
            return;
        }
    };
    let (reason, message) = (interim.reason.as_str(), interim.message.as_str());
    sync.finished = Some(new_condition(follows, "True", reason, message, cx.now));
    if !(follows == condition::COMPLETE && criteria_met(sync.status.get(cx.job))) {
        sync.status.edit(cx.job).conditions.push(interim);
    }
}

fn criteria_met(status: &JobStatus) -> bool {
    status.condition(condition::SUCCESS_CRITERIA_MET).is_some_and(|c| c.is_true())
}

/// A wave that writes the status as it stands; every cause is cited.
fn write_status<R: Recorder>(cx: &mut Cx<'_, R>, sync: &mut Sync) -> Wave<Call> {
    let calls = sync.next_calls(1);
    for rule in core::mem::take(&mut sync.flush).rules() {
        cx.rec.note_calls(rule, true, calls.clone(), |evidence| {
            super::flush::compare(rule, &cx.job.status, sync.status.get(cx.job), evidence);
        });
    }
    let call = Call::WriteStatus(Box::new(sync.status.edit(cx.job).clone()));
    sync.wave(alloc::vec![call], Expect::default())
}

/// After the first write: the back-off record is kept only now, since a write that failed is tried again.
pub(crate) fn after_first_write<R: Recorder>(
    cx: &mut Cx<'_, R>,
    sync: &mut Sync,
    mut tracking: Tracking,
    outcome: Option<&Outcome>,
) -> Next {
    if let Some(error) = write_error(outcome, "adding uncounted pods to status") {
        return Err((JobVerdict::Errored, Some(error)));
    }
    sync.delta.backoff = BackoffChange::Set(sync.backoff.clone());
    count_finished_pods(cx.job, sync, &mut tracking.counters_before);
    remove_finalizers(cx, sync, tracking)
}

fn write_error(outcome: Option<&Outcome>, doing: &str) -> Option<SyncError> {
    let why = match outcome {
        Some(outcome) => outcome.error()?.message.as_str(),
        None => "no outcome was given",
    };
    Some(SyncError { message: format!("tracking status: {doing}: {why}") })
}

fn remove_finalizers<R: Recorder>(cx: &mut Cx<'_, R>, sync: &mut Sync, mut tracking: Tracking) -> Next {
    if tracking.remove.is_empty() {
        return settle(cx, sync, tracking, &[]);
    }
    let (pods, calls) = (cx.pods, core::mem::take(&mut tracking.removals));
    cx.rec.note_calls(Rule::FinalizerRemoved, true, sync.next_calls(calls.len()), |evidence| {
        for pod in places(pods, &tracking.remove) {
            evidence.value(format!("pod/{}.metadata.finalizers", pod.pod.name()), "ended and recorded");
        }
    });
    let expect = Expect { finalizer_removals: true, ..Expect::default() };
    Ok((sync.wave(calls, expect), Stage::RemoveFinalizers(tracking)))
}

/// After the finalizers: Pods that lost theirs (or are gone) move into the counters (upstream
/// `flushUncountedAndRemoveFinalizers`).
pub(crate) fn settle<R: Recorder>(
    cx: &mut Cx<'_, R>,
    sync: &mut Sync,
    mut tracking: Tracking,
    outcomes: &[Outcome],
) -> Next {
    let went = outcomes.iter().take(tracking.remove.len()).filter(|outcome| outcome.is_done()).count();
    if went == tracking.remove.len() && listed_now(sync.status.get(cx.job)) == tracking.listed {
        // Nobody is listed whose finalizer did not go just now.
        settle_uncounted(cx.job, sync, |_| false);
    } else {
        let removed = removed_uids(cx.pods, sync, &mut tracking, outcomes);
        settle_uncounted(cx.job, sync, |uid| removed.binary_search(&uid).is_err());
    }
    if tracking.error.is_some() {
        if sync.flush.any() {
            let wave = write_status(cx, sync);
            return Ok((wave, Stage::PartialWrite(tracking)));
        }
        return Err((JobVerdict::Errored, tracking.error));
    }
    declare_end(cx, sync, tracking)
}

/// The UIDs of Pods without the finalizer by now, sorted.
fn removed_uids<'p>(
    pods: &'p dyn Census,
    sync: &mut Sync,
    tracking: &mut Tracking,
    outcomes: &[Outcome],
) -> Vec<&'p str> {
    let mut removed = Vec::with_capacity(outcomes.len());
    for (pod, outcome) in places(pods, &tracking.remove).zip(outcomes) {
        let error = outcome.error();
        if error.is_some() {
            sync.delta.finalizers_kept.push(pod.pod.uid().into());
        }
        match error.filter(|error| error.kind != CallErrorKind::NotFound) {
            None => removed.push(pod.pod.uid()),
            Some(error) if tracking.error.is_none() => {
                tracking.error = Some(SyncError { message: format!("tracking status: {}", error.message) });
            }
            Some(_) => {}
        }
    }
    removed.sort_unstable();
    removed
}

/// After a write of partial progress: the error of the removals ends the sync.
pub(crate) fn after_partial_write(tracking: Tracking, outcome: Option<&Outcome>) -> Next {
    Err((JobVerdict::Errored, write_error(outcome, "removing uncounted pods from status").or(tracking.error)))
}
