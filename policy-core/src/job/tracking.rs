//! Counting ended Pods exactly once: their UIDs go into the status, then their finalizers, then the counters move.

use super::counters::{Counters, count_finished_pods};
use super::counts::{Uncounted, contains};
use super::facts::{Phase, PodFacts, PodRef};
use super::indexes::Intervals;
use super::outcome::{JobVerdict, SyncError};
use super::pod_failure_policy::counts;
use super::sync::{Cx, Sync, ensure_condition, new_condition};
use super::{Action, Call, Stage};
use crate::explain::{Recorder, Rule};
use crate::memory::{BackoffChange, FinishChange};
use crate::spec::{JobStatus, condition};
use crate::step::{CallErrorKind, Event, Expect, Outcome, Wave};
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

/// What is left to do once the first status is written.
#[derive(Clone, Debug)]
pub(crate) struct Tracking {
    remove: Vec<PodRef>,
    reached_max_uncounted: bool,
    counters_before: Counters,
    /// Why a finalizer stayed.
    error: Option<SyncError>,
}

/// What follows a stage: a wave, or the end of the sync.
pub(crate) type Next = Result<(Wave<Call>, Stage), (JobVerdict, Option<SyncError>)>;

/// Takes newly ended Pods into the status and plans their finalizers' removal, up to a limit (the first half of
/// upstream `trackJobStatusAndRemoveFinalizers`).
pub(crate) fn begin<R: Recorder>(cx: &mut Cx<'_, R>, sync: &mut Sync) -> Next {
    let counters_before = Counters::of(&sync.status);
    flush_counts(sync);
    let with_finalizer = uncounted_with_finalizer(cx.pods, sync);
    let settled = settle_uncounted(&mut sync.status, &with_finalizer);
    sync.flush.add_if(settled, Rule::UncountedPodsSettled);
    let (remove, reached_max_uncounted) = record_ended_pods(cx, sync);
    record_failed_indexes(sync);
    add_interim_condition(cx, sync);
    let tracking = Tracking { remove, reached_max_uncounted, counters_before, error: None };
    if sync.flush.any() {
        let wave = write_status(cx, sync);
        return Ok((wave, Stage::FirstWrite(tracking)));
    }
    remove_finalizers(cx, sync, tracking)
}

/// The counts of Pods that are there.
fn flush_counts(sync: &mut Sync) {
    let status = &mut sync.status;
    sync.flush.add_if(sync.active != status.active, Rule::ActiveCountChanged);
    sync.flush.add_if(status.ready != Some(sync.ready), Rule::ReadyCountChanged);
    sync.flush.add_if(status.terminating != Some(sync.terminating), Rule::TerminatingCountChanged);
    status.active = sync.active;
    status.ready = Some(sync.ready);
    status.terminating = Some(sync.terminating);
}

/// The UIDs listed as uncounted whose Pod still has its finalizer.
fn uncounted_with_finalizer(pods: &[PodFacts], sync: &Sync) -> BTreeSet<Arc<str>> {
    let lists = Uncounted::of(sync.status.uncounted_terminated_pods.as_ref());
    if lists.succeeded.is_empty() && lists.failed.is_empty() {
        return BTreeSet::new();
    }
    let listed = |uid: &str| contains(&lists.succeeded, uid) || contains(&lists.failed, uid);
    pods.iter()
        .filter(|pod| pod.has_finalizer && listed(&pod.pod.uid) && !sync.finalizer_is_being_removed(pod))
        .map(|pod| pod.pod.uid.clone())
        .collect()
}

/// Moves UIDs that have lost their finalizer from the lists into the counters (upstream
/// `cleanUncountedPodsWithoutFinalizers`).
fn settle_uncounted(status: &mut JobStatus, with_finalizer: &BTreeSet<Arc<str>>) -> bool {
    let Some(lists) = &mut status.uncounted_terminated_pods else { return false };
    let settle = |list: &mut Vec<String>, counter: &mut i32| {
        let before = list.len();
        list.retain(|uid| with_finalizer.contains(uid.as_str()));
        let settled = before.saturating_sub(list.len());
        *counter = counter.wrapping_add(i32::try_from(settled).unwrap_or(i32::MAX));
        settled > 0
    };
    let succeeded = settle(&mut lists.succeeded, &mut status.succeeded);
    settle(&mut lists.failed, &mut status.failed) || succeeded
}

/// Goes through the Pods whose finalizer can go, those of an Indexed Job by index, until as many as the limit are
/// new in the status.
fn record_ended_pods<R: Recorder>(cx: &mut Cx<'_, R>, sync: &mut Sync) -> (Vec<PodRef>, bool) {
    let lists = Uncounted::of(cx.job.status.uncounted_terminated_pods.as_ref());
    let mut ended = Ended::default();
    let mut remove = Vec::new();
    let mut reached_max = false;
    for place in removable(cx, sync) {
        let Some(pod) = cx.pods.get(place as usize) else { continue };
        remove.push(pod.pod.clone());
        if pod.phase == Phase::Succeeded && !contains(&lists.failed, &pod.pod.uid) {
            ended.record_success(sync, &lists, pod);
        } else {
            ended.record_failure(cx, sync, &lists, pod);
        }
        if ended.total(sync) >= cx.settings.max_uncounted_pods {
            reached_max = true;
            break;
        }
    }
    cx.rec.note(Rule::MaxUncountedPodsReached, reached_max, |evidence| {
        evidence.compared("new in the status", ended.total(sync), cx.settings.max_uncounted_pods);
    });
    ended.record_indexes(sync);
    (remove, reached_max)
}

/// Places of the Pods whose finalizer can go now, in the order in which they are counted (upstream
/// `canRemoveFinalizer`).
fn removable<R: Recorder>(cx: &mut Cx<'_, R>, sync: &Sync) -> Vec<u32> {
    let mut kept: Vec<&PodFacts> = Vec::new();
    let mut found: Vec<(i64, u32)> = Vec::new();
    // When the whole Job ends, Pods that have not ended lose their finalizer too.
    let all = sync.shape.deleting || sync.finished.is_some();
    let everything = if all { 0..u32::try_from(cx.pods.len()).unwrap_or(u32::MAX) } else { 0..0 };
    let ended = if all { &[][..] } else { &sync.ended };
    for place in everything.chain(ended.iter().copied()) {
        let Some(pod) = cx.pods.get(place as usize) else { continue };
        if !pod.has_finalizer || sync.finalizer_is_being_removed(pod) {
            continue;
        }
        if all || pod.phase == Phase::Succeeded || sync.kept_for(pod.index) != Some(place) {
            found.push((pod.index, place));
        } else if R::ENABLED {
            kept.push(pod);
        }
    }
    cx.rec.note(Rule::FinalizerKeptForIndex, !kept.is_empty(), |evidence| {
        evidence.value("failed Pods that wait for a replacement", kept.len());
        for pod in kept {
            evidence.value(format!("pod/{}", pod.pod.name), format!("last failure of index {}", pod.index));
        }
    });
    if sync.shape.indexed {
        // Places break ties, so the order is that of the list within an index.
        found.sort_unstable();
    }
    found.into_iter().map(|(_, place)| place).collect()
}

/// Pods that this sync adds to the status.
#[derive(Clone, Debug, Default)]
struct Ended {
    indexes: Vec<i64>,
}

impl Ended {
    /// For an Indexed Job the index is enough to avoid counting twice; other Pods are listed by UID.
    fn record_success(&mut self, sync: &mut Sync, lists: &Uncounted<'_>, pod: &PodFacts) {
        if sync.shape.indexed {
            if sync.shape.has_index(pod.index) && !sync.previously_succeeded_indexes.has(pod.index) {
                self.indexes.push(pod.index);
                sync.flush.add(Rule::IndexSucceeded);
            }
        } else if !contains(&lists.succeeded, &pod.pod.uid) {
            sync.flush.add(Rule::PodSuccessRecorded);
            if let Some(uncounted) = &mut sync.status.uncounted_terminated_pods {
                uncounted.succeeded.push(pod.pod.uid.to_string());
            }
        }
    }

    /// When the Job fails, every Pod that has not ended counts as failed.
    fn record_failure<R>(&self, cx: &Cx<'_, R>, sync: &mut Sync, lists: &Uncounted<'_>, pod: &PodFacts) {
        let job_fails = sync.finished.as_ref().is_some_and(|c| c.kind != condition::SUCCESS_CRITERIA_MET);
        let counts_as_failed = pod.is_failed(sync.shape.only_replaces_failed_pods) || job_fails;
        let valid = !sync.shape.indexed || sync.shape.has_index(pod.index);
        if !counts_as_failed || !valid || contains(&lists.failed, &pod.pod.uid) {
            return;
        }
        if cx.job.spec.pod_failure_policy.is_some() {
            count_policy_action(sync, pod);
        }
        if counts(pod.policy_match.as_deref()) {
            sync.flush.add(Rule::PodFailureRecorded);
            if let Some(uncounted) = &mut sync.status.uncounted_terminated_pods {
                uncounted.failed.push(pod.pod.uid.to_string());
            }
        }
    }

    /// What the limit is compared with; UIDs that were listed before are included.
    fn total(&self, sync: &Sync) -> usize {
        let lists = sync.status.uncounted_terminated_pods.as_ref();
        let listed = lists.map_or(0, |lists| lists.succeeded.len().saturating_add(lists.failed.len()));
        self.indexes.len().saturating_add(listed)
    }

    fn record_indexes(self, sync: &mut Sync) {
        if !sync.shape.indexed {
            return;
        }
        sync.succeeded_indexes = sync.succeeded_indexes.with_ordered(self.indexes);
        let text = sync.succeeded_indexes.to_text();
        sync.flush.add_if(text != sync.status.completed_indexes, Rule::CompletedIndexesRewritten);
        sync.status.succeeded = sync.succeeded_indexes.total() as i32;
        sync.status.completed_indexes = text;
    }
}

fn count_policy_action(sync: &mut Sync, pod: &PodFacts) {
    let Some(action) = pod.policy_match.as_deref().map(|m| m.action) else { return };
    let [fail_job, fail_index, ignore, count] = &mut sync.counted.policy_actions;
    let counter = match action {
        Action::FailJob => fail_job,
        Action::FailIndex => fail_index,
        Action::Ignore => ignore,
        Action::Count => count,
    };
    *counter = counter.saturating_add(1);
}

fn record_failed_indexes(sync: &mut Sync) {
    if !sync.shape.indexed {
        return;
    }
    let text = sync.failed_indexes.as_ref().map(Intervals::to_text);
    if sync.status.failed_indexes != text {
        sync.status.failed_indexes = text;
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
            let there = sync.status.condition(condition::SUCCESS_CRITERIA_MET).is_some_and(|c| c.is_true());
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
    let criteria_there = follows == condition::COMPLETE
        && sync.status.condition(condition::SUCCESS_CRITERIA_MET).is_some_and(|c| c.is_true());
    if !criteria_there {
        sync.status.conditions.push(interim);
    }
}

/// A wave that writes the status as it stands; every cause is cited.
fn write_status<R: Recorder>(cx: &mut Cx<'_, R>, sync: &mut Sync) -> Wave<Call> {
    let calls = sync.next_calls(1);
    for rule in core::mem::take(&mut sync.flush).rules() {
        cx.rec.note_calls(rule, true, calls.clone(), |evidence| {
            super::flush::compare(rule, &cx.job.status, &sync.status, evidence);
        });
    }
    let call = Call::WriteStatus(Box::new(sync.status.clone()));
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
    count_finished_pods(sync, &mut tracking.counters_before);
    remove_finalizers(cx, sync, tracking)
}

fn write_error(outcome: Option<&Outcome>, doing: &str) -> Option<SyncError> {
    let why = match outcome {
        Some(outcome) => outcome.error()?.message.as_str(),
        None => "no outcome was given",
    };
    Some(SyncError { message: format!("tracking status: {doing}: {why}") })
}

fn remove_finalizers<R: Recorder>(cx: &mut Cx<'_, R>, sync: &mut Sync, tracking: Tracking) -> Next {
    if tracking.remove.is_empty() {
        return settle(cx, sync, tracking, &[]);
    }
    let calls: Vec<Call> = tracking.remove.iter().cloned().map(Call::RemoveFinalizer).collect();
    cx.rec.note_calls(Rule::FinalizerRemoved, true, sync.next_calls(calls.len()), |evidence| {
        for pod in &tracking.remove {
            evidence.value(format!("pod/{}.metadata.finalizers", pod.name), "ended and recorded");
        }
    });
    let expect = Expect {
        finalizer_removals: tracking.remove.iter().map(|pod| pod.uid.clone()).collect(),
        ..Expect::default()
    };
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
    let mut still = BTreeSet::new();
    let removed = removed_uids(sync, &mut tracking, outcomes);
    if let Some(lists) = &sync.status.uncounted_terminated_pods {
        let listed = lists.succeeded.iter().chain(&lists.failed);
        still.extend(listed.filter(|uid| !removed.contains(uid.as_str())).map(|uid| Arc::from(uid.as_str())));
    }
    let settled = settle_uncounted(&mut sync.status, &still);
    sync.flush.add_if(settled, Rule::UncountedPodsSettled);
    if tracking.error.is_some() {
        if sync.flush.any() {
            let wave = write_status(cx, sync);
            return Ok((wave, Stage::PartialWrite(tracking)));
        }
        return Err((JobVerdict::Errored, tracking.error));
    }
    declare_end(cx, sync, tracking)
}

fn removed_uids(sync: &mut Sync, tracking: &mut Tracking, outcomes: &[Outcome]) -> BTreeSet<Arc<str>> {
    let mut removed = BTreeSet::new();
    for (pod, outcome) in tracking.remove.iter().zip(outcomes) {
        let error = outcome.error();
        if error.is_some() {
            sync.delta.finalizers_kept.push(pod.uid.clone());
        }
        match error.filter(|error| error.kind != CallErrorKind::NotFound) {
            None => {
                removed.insert(pod.uid.clone());
            }
            Some(error) if tracking.error.is_none() => {
                tracking.error = Some(SyncError { message: format!("tracking status: {}", error.message) });
            }
            Some(_) => {}
        }
    }
    removed
}

/// After a write of partial progress: the error of the removals ends the sync.
pub(crate) fn after_partial_write(tracking: Tracking, outcome: Option<&Outcome>) -> Next {
    Err((JobVerdict::Errored, write_error(outcome, "removing uncounted pods from status").or(tracking.error)))
}

/// Writes the second status, with the final condition when nothing is left to wait for (upstream `enactJobFinished`).
fn declare_end<R: Recorder>(cx: &mut Cx<'_, R>, sync: &mut Sync, tracking: Tracking) -> Next {
    let ended = !tracking.reached_max_uncounted && enact_end(cx, sync);
    sync.flush.add_if(ended, Rule::JobEnded);
    if sync.flush.any() {
        let wave = write_status(cx, sync);
        return Ok((wave, Stage::FinalWrite(tracking, ended)));
    }
    Err(end_of_sync(sync))
}

fn enact_end<R: Recorder>(cx: &mut Cx<'_, R>, sync: &mut Sync) -> bool {
    let Some(finished) = &sync.finished else { return false };
    let lists = sync.status.uncounted_terminated_pods.as_ref();
    let uncounted = lists.map_or(0, |lists| lists.succeeded.len().saturating_add(lists.failed.len()));
    cx.rec.note(Rule::EndWaitsForUncountedPods, uncounted > 0, |evidence| {
        evidence.value("status.uncountedTerminatedPods", uncounted);
    });
    if uncounted > 0 {
        return false;
    }
    cx.rec.note(Rule::EndWaitsForTerminatingPods, sync.terminating > 0, |evidence| {
        evidence.value("terminating Pods", sync.terminating);
    });
    if sync.terminating > 0 {
        return false;
    }
    let enacted = new_condition(&finished.kind, "True", &*finished.reason, &*finished.message, cx.now);
    if finished.kind == condition::COMPLETE {
        sync.status.completion_time = finished.last_transition_time;
    }
    ensure_condition(&mut sync.status.conditions, enacted);
    true
}

/// After the last write.
pub(crate) fn after_final_write<R: Recorder>(
    cx: &mut Cx<'_, R>,
    sync: &mut Sync,
    mut tracking: Tracking,
    ended: bool,
    outcome: Option<&Outcome>,
) -> Next {
    if let Some(error) = write_error(outcome, "removing uncounted pods from status") {
        return Err((JobVerdict::Errored, Some(error)));
    }
    count_finished_pods(sync, &mut tracking.counters_before);
    if !ended {
        return Err(end_of_sync(sync));
    }
    let verdict = record_end(cx, sync);
    sync.delta.finish = FinishChange::Recorded(cx.job.metadata.uid.clone());
    Err((verdict, sync.manage_error.take()))
}

/// The events and the metric of the Job's end (upstream `recordJobFinished`).
fn record_end<R>(cx: &Cx<'_, R>, sync: &mut Sync) -> JobVerdict {
    let Some(finished) = &sync.finished else { return JobVerdict::Continues };
    sync.counted.finished_reason = Some(finished.reason.clone());
    if finished.kind != condition::COMPLETE {
        sync.events.push(Event::warning(finished.reason.as_str(), finished.message.as_str()));
        return JobVerdict::Failed;
    }
    if cx.job.spec.completions.is_some_and(|completions| sync.status.succeeded > completions) {
        let message = "Too many succeeded pods running after completion count reached";
        sync.events.push(Event::warning("TooManySucceededPods", message));
    }
    sync.events.push(Event::normal("Completed", "Job completed"));
    JobVerdict::Completed
}

/// The end of a sync that went well up to here: an error of managing Pods is what it reports.
fn end_of_sync(sync: &mut Sync) -> (JobVerdict, Option<SyncError>) {
    let error = sync.manage_error.take();
    let verdict = if error.is_some() { JobVerdict::Errored } else { JobVerdict::Continues };
    (verdict, error)
}
