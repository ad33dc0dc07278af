//! The end of a Job, written once nothing is left to count.

use super::{Next, Tracking, listed_now, write_error, write_status};
use crate::explain::{Recorder, Rule};
use crate::job::Stage;
use crate::job::counters::count_finished_pods;
use crate::job::outcome::{JobVerdict, SyncError};
use crate::job::sync::{Cx, Sync, ensure_condition, new_condition};
use crate::memory::FinishChange;
use crate::spec::condition;
use crate::step::{Event, Outcome};

/// Writes the second status, with the final condition when nothing is left to wait for (upstream `enactJobFinished`).
pub(super) fn declare_end<R: Recorder>(cx: &mut Cx<'_, R>, sync: &mut Sync, tracking: Tracking) -> Next {
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
    let uncounted = listed_now(sync.status.get(cx.job));
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
    let status = sync.status.edit(cx.job);
    if finished.kind == condition::COMPLETE {
        status.completion_time = finished.last_transition_time;
    }
    ensure_condition(&mut status.conditions, enacted);
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
    count_finished_pods(cx.job, sync, &mut tracking.counters_before);
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
    if cx.job.spec.completions.is_some_and(|completions| sync.status.get(cx.job).succeeded > completions) {
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
