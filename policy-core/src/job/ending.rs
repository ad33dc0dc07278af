//! Whether the Job is to end, and why: the criteria in upstream's order, the first that holds decides.

use super::census::{Tally, places};
use super::counts::count_indexes;
use super::success_policy;
use super::sync::{Cx, Sync, new_condition};
use super::{Call, Stage};
use crate::explain::{Recorder, Rule};
use crate::seconds_to_nanos;
use crate::spec::{Condition, condition, reason};
use crate::step::{CallErrorKind, Event, Expect, Outcome, Wave};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Looks for a reason to end the Job (the middle of upstream `syncJob`).
pub(crate) fn evaluate<R: Recorder>(cx: &mut Cx<'_, R>, sync: &mut Sync, tally: &Tally<'_>) {
    sync.finished = success_criteria_already_met(cx)
        .or_else(|| failure_target_already_set(cx))
        .or_else(|| pod_failure_policy_fails_job(cx, tally))
        .or_else(|| backoff_limit_exceeded(cx, sync, tally))
        .or_else(|| deadline_exceeded(cx, sync));
    if sync.finished.is_none() {
        wake_at_deadline(cx, sync);
    }
    if !sync.shape.indexed {
        return;
    }
    count_indexes(cx, sync, tally);
    if sync.finished.is_none() {
        sync.finished = failed_indexes_end_job(cx, sync).or_else(|| success_policy_met(cx, sync));
    }
}

fn success_criteria_already_met<R: Recorder>(cx: &mut Cx<'_, R>) -> Option<Condition> {
    let found = cx.job.status.condition(condition::SUCCESS_CRITERIA_MET).filter(|c| c.is_true());
    cx.rec.note(Rule::SuccessCriteriaAlreadyMet, found.is_some(), |evidence| {
        evidence.value("status.conditions[SuccessCriteriaMet]", status_of(found));
    });
    found.cloned()
}

fn failure_target_already_set<R: Recorder>(cx: &mut Cx<'_, R>) -> Option<Condition> {
    let found = cx.job.status.condition(condition::FAILURE_TARGET).filter(|c| c.is_true());
    cx.rec.note(Rule::FailureTargetAlreadySet, found.is_some(), |evidence| {
        evidence.value("status.conditions[FailureTarget]", status_of(found));
    });
    found.map(|c| new_condition(condition::FAILED, "True", c.reason.as_str(), c.message.as_str(), cx.now))
}

fn status_of(found: Option<&Condition>) -> &str {
    found.map_or("not set", |c| c.status.as_str())
}

/// Upstream `getFailJobMessage`: Pods that were counted already are looked at too.
fn pod_failure_policy_fails_job<R: Recorder>(cx: &mut Cx<'_, R>, tally: &Tally<'_>) -> Option<Condition> {
    let pod = tally.fail_job.and_then(|place| cx.pods.pod(place));
    cx.rec.note(Rule::PodFailurePolicyFailsJob, pod.is_some(), |evidence| match pod {
        Some(pod) => {
            let rule = pod.policy_match.as_deref().map_or(0, |m| m.rule);
            evidence.value(format!("spec.podFailurePolicy.rules[{rule}].action"), "FailJob");
            evidence.value("pod", pod.pod.name());
        }
        None => {
            let rules = cx.job.spec.pod_failure_policy.as_ref().map_or(0, |policy| policy.rules.len());
            evidence.value("spec.podFailurePolicy.rules", rules);
        }
    });
    let pod = pod?;
    let message = pod.policy_match.as_deref()?.fail_job_message(&cx.job.metadata.namespace, pod.pod.name());
    Some(new_condition(condition::FAILURE_TARGET, "True", reason::POD_FAILURE_POLICY, message, cx.now))
}

fn failure_target(reason: &str, message: &str, now: crate::Timestamp) -> Option<Condition> {
    Some(new_condition(condition::FAILURE_TARGET, "True", reason, message, now))
}

fn backoff_limit_exceeded<R: Recorder>(
    cx: &mut Cx<'_, R>,
    sync: &Sync,
    tally: &Tally<'_>,
) -> Option<Condition> {
    let limit = sync.shape.backoff_limit;
    let failures_exceed = sync.failed > limit;
    cx.rec.note(Rule::BackoffLimitExceeded, failures_exceed, |evidence| {
        evidence.compared("failed Pods", sync.failed, format!("more than spec.backoffLimit {limit}"));
    });
    if !failures_exceed && !restart_limit_exceeded(cx, limit, tally) {
        return None;
    }
    failure_target(reason::BACKOFF_LIMIT_EXCEEDED, "Job has reached the specified backoff limit", cx.now)
}

/// Upstream `pastBackoffLimitOnFailure`: reaching the limit is enough, unless it is 0.
fn restart_limit_exceeded<R: Recorder>(cx: &mut Cx<'_, R>, limit: i32, tally: &Tally<'_>) -> bool {
    let restart_policy = cx.job.spec.template.restart_policy();
    let exceeded = restart_policy == "OnFailure"
        && if limit == 0 { tally.restarts > 0 } else { tally.restarts >= limit };
    cx.rec.note(Rule::RestartLimitExceeded, exceeded, |evidence| {
        evidence.value("spec.template.spec.restartPolicy", restart_policy);
        evidence.compared("container restarts", tally.restarts, format!("spec.backoffLimit {limit}"));
    });
    exceeded
}

/// Upstream `pastActiveDeadline`.
fn deadline_exceeded<R: Recorder>(cx: &mut Cx<'_, R>, sync: &Sync) -> Option<Condition> {
    let deadline_seconds = cx.job.spec.active_deadline_seconds;
    let elapsed_nanos = sync.status.get(cx.job).start_time.map(|start| cx.now.nanos_since(start));
    let exceeded = match (deadline_seconds, elapsed_nanos) {
        (Some(seconds), Some(elapsed)) => !sync.shape.suspended && elapsed >= seconds_to_nanos(seconds),
        _ => false,
    };
    cx.rec.note(Rule::DeadlineExceeded, exceeded, |evidence| {
        let shown = deadline_seconds.map_or("not set".into(), |seconds| format!("{seconds} s"));
        evidence.value("spec.activeDeadlineSeconds", shown);
        if let Some(elapsed) = elapsed_nanos {
            evidence.value("active for", format!("{} s", elapsed / crate::NANOS_PER_SECOND));
        }
    });
    if !exceeded {
        return None;
    }
    failure_target(reason::DEADLINE_EXCEEDED, "Job was active longer than specified deadline", cx.now)
}

fn wake_at_deadline<R: Recorder>(cx: &mut Cx<'_, R>, sync: &mut Sync) {
    let (Some(seconds), false) = (cx.job.spec.active_deadline_seconds, sync.shape.suspended) else { return };
    let Some(start) = sync.status.get(cx.job).start_time else { return };
    let remaining_nanos = seconds_to_nanos(seconds).wrapping_sub(cx.now.nanos_since(start));
    let at = cx.now.plus_nanos(remaining_nanos);
    sync.wake.deadline_at = Some(at);
    sync.wake_at(at);
}

fn failed_indexes_end_job<R: Recorder>(cx: &mut Cx<'_, R>, sync: &Sync) -> Option<Condition> {
    let failed = sync.failed_indexes.as_ref()?.total();
    let limit = cx.job.spec.max_failed_indexes;
    let too_many = limit.is_some_and(|limit| failed > limit.into());
    cx.rec.note(Rule::MaxFailedIndexesExceeded, too_many, |evidence| {
        let bound = limit.map_or("not set".into(), |limit| format!("{limit}"));
        evidence.compared("failed indexes", failed, format!("spec.maxFailedIndexes {bound}"));
    });
    if too_many {
        let message = "Job has exceeded the specified maximal number of failed indexes";
        return failure_target(reason::MAX_FAILED_INDEXES_EXCEEDED, message, cx.now);
    }
    let ended = failed.wrapping_add(sync.succeeded_indexes.total());
    let all_ended = failed > 0 && ended >= sync.shape.index_bound();
    cx.rec.note(Rule::FailedIndexes, all_ended, |evidence| {
        evidence.value("failed indexes", failed);
        evidence.compared("ended indexes", ended, format!("spec.completions {}", sync.shape.index_bound()));
    });
    if !all_ended {
        return None;
    }
    failure_target(reason::FAILED_INDEXES, "Job has failed indexes", cx.now)
}

fn success_policy_met<R: Recorder>(cx: &mut Cx<'_, R>, sync: &Sync) -> Option<Condition> {
    let policy = cx.job.spec.success_policy.as_ref()?;
    let rule = success_policy::matched_rule(policy, sync.shape.index_bound(), &sync.succeeded_indexes);
    cx.rec.note(Rule::SuccessPolicyMet, rule.is_some(), |evidence| {
        evidence.value("succeeded indexes", sync.succeeded_indexes.to_text());
        evidence.value(
            "spec.successPolicy.rules",
            rule.map_or("none matches".into(), |rule| format!("rule {rule}")),
        );
    });
    let message = format!("Matched rules at index {}", rule?);
    Some(new_condition(condition::SUCCESS_CRITERIA_MET, "True", reason::SUCCESS_POLICY, message, cx.now))
}

/// The Job is to end: its active Pods are deleted, finalizers stay (upstream `deleteActivePods`).
pub(crate) fn delete_active<R: Recorder>(cx: &mut Cx<'_, R>, sync: &mut Sync) -> Option<(Wave<Call>, Stage)> {
    let active = if sync.active == 0 { Vec::new() } else { cx.pods.active() };
    let calls: Vec<Call> = places(cx.pods, &active).map(|pod| Call::DeletePod(pod.pod.clone())).collect();
    cx.rec.note_calls(
        Rule::EndingDeletesActivePods,
        !calls.is_empty(),
        sync.next_calls(calls.len()),
        |evidence| {
            let ending = sync.finished.as_ref().map_or("", |finished| finished.kind.as_str());
            evidence.value("ending", ending).value("active Pods", calls.len());
        },
    );
    (!calls.is_empty()).then(|| (sync.wave(calls, Expect::default()), Stage::DeleteActive(active)))
}

/// After those deletions. The end cannot be declared while Pods may be left that this sync does not know of.
pub(crate) fn after_delete_active<R: Recorder>(
    cx: &mut Cx<'_, R>,
    sync: &mut Sync,
    active: &[u32],
    outcomes: &[Outcome],
) {
    let (mut deleted, mut deleted_ready) = (0_i32, 0_i32);
    for (pod, outcome) in places(cx.pods, active).zip(outcomes) {
        // A ready Pod counts as deleted even when its deletion failed, as upstream has it.
        deleted_ready = deleted_ready.wrapping_add(i32::from(pod.ready));
        let gone = delete_event(sync, pod.pod.name(), outcome);
        deleted = deleted.wrapping_add(i32::from(gone));
    }
    let waits = deleted != sync.active || !sync.expectations_satisfied;
    cx.rec.note(Rule::EndingWaitsForPods, waits, |evidence| {
        evidence.compared("deleted Pods", deleted, sync.active);
        evidence.value("expectations satisfied", sync.expectations_satisfied);
    });
    if waits {
        sync.finished = None;
    }
    sync.active = sync.active.wrapping_sub(deleted);
    sync.terminating = sync.terminating.wrapping_add(deleted);
    sync.ready = sync.ready.wrapping_sub(deleted_ready);
}

/// The event of one deletion; tells whether the Pod is gone or going.
pub(crate) fn delete_event(sync: &mut Sync, name: &str, outcome: &Outcome) -> bool {
    match outcome.error() {
        None => {
            sync.events.push(Event::normal("SuccessfulDelete", format!("Deleted pod: {name}")));
            true
        }
        Some(error) if error.kind == CallErrorKind::NotFound => true,
        Some(error) => {
            sync.events.push(Event::warning("FailedDelete", format!("Error deleting: {}", error.message)));
            let message: String = format!("unable to delete pods: {}", error.message);
            sync.keep_manage_error(&message);
            false
        }
    }
}
