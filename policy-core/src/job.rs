//! Job decisions (upstream `pkg/controller/job`).
//!
//! One sync is several decisions with calls between them: claim Pods → create or delete Pods → write the status →
//! remove finalizers → write the status again. Later values depend on how earlier calls went, so a sync is a machine:
//! [`begin`] returns the first wave of calls, [`Paused::resume`] takes their outcomes and returns the next, until
//! [`Step::Finished`]. [`decide`] is its reading in which every call succeeds.

use crate::explain::{Recorder, Rule};
use crate::memory::JobMemory;
use crate::spec::{Job, JobStatus, condition};
use crate::step::{Event, Outcome};
use crate::{Settings, Timestamp};
use alloc::boxed::Box;
use alloc::vec::Vec;

mod backoff;
pub(crate) mod census;
mod claim;
mod counters;
mod counts;
mod create;
mod draft;
mod ending;
mod facts;
mod flush;
mod guard;
mod indexes;
mod manage;
mod outcome;
mod plan;
mod pod_failure_policy;
mod pod_ref;
mod pods;
mod progress;
mod roll;
mod success_policy;
mod sync;
mod tracking;

pub use backoff::delay_nanos as backoff_delay_nanos;
pub use create::{IndexFailures, PodCreate};
pub use draft::PodDraft;
pub use facts::{Claim, Phase, PodDigester, PodFacts, UNKNOWN_INDEX};
pub use guard::external_controller;
pub use indexes::{Interval, Intervals};
pub use outcome::{Counted, Finished, JobVerdict, SyncAction, SyncError, Wake};
pub use plan::{Plan, decide};
pub use pod_failure_policy::{Action, Cause, PolicyMatch, match_pod_failure_policy};
pub use pod_ref::PodRef;
pub use pods::Pods;
pub use success_policy::matched_rule as matched_success_rule;

pub(crate) use pods::Source;

use sync::{Cx, Sync, changes, ensure_condition, new_condition};
use tracking::{Next, Tracking};

/// What a decision looks at: a Job, the Pods in its namespace that are or may become its own, and the settings.
#[derive(Clone, Copy, Debug)]
pub struct JobView<'a> {
    /// The Job.
    pub job: &'a Job,
    /// Its Pods, digested by a [`PodDigester`] for this Job.
    pub pods: Pods<'a>,
    /// Limits, periods and gates.
    pub settings: &'a Settings,
}

impl<'a> JobView<'a> {
    /// A view of a Job and a list of its Pods, or of those that a cache keeps.
    pub fn new(job: &'a Job, pods: impl Into<Pods<'a>>, settings: &'a Settings) -> Self {
        JobView { job, pods: pods.into(), settings }
    }
}

/// A call to the API server.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Call {
    /// Read the Job live; answer with [`Outcome::Read`].
    ReadJob,
    /// Make the Job the Pod's controller and add the tracking finalizer, in one patch.
    Adopt(PodRef),
    /// Take the Job off the Pod's owners and the tracking finalizer off the Pod, in one patch.
    Release(PodRef),
    /// Create a Pod; a [`PodDraft`] renders it.
    CreatePod(PodCreate),
    /// Delete a Pod.
    DeletePod(PodRef),
    /// Take the tracking finalizer off a Pod.
    RemoveFinalizer(PodRef),
    /// Write the Job's status, on the version that was read (or last written in this sync).
    WriteStatus(Box<JobStatus>),
}

/// A step of a Job's sync.
pub type Step = crate::step::Step<Paused, Call, Finished>;

/// A sync that waits for the outcomes of a wave.
#[derive(Clone, Debug)]
pub struct Paused {
    /// Boxed: a machine is moved at every wave.
    sync: Box<Sync>,
    stage: Stage,
    /// The claimed Pods, where they are not just all of the view's.
    claimed: Option<Vec<PodFacts>>,
}

/// Whose outcomes a paused sync waits for.
#[derive(Clone, Debug)]
pub(crate) enum Stage {
    Claim(claim::Claims),
    Adopt(claim::Claims),
    DeleteActive(Vec<u32>),
    StripFinalizers(manage::Deletion),
    Delete(manage::Deletion),
    Create(create::Creation),
    FirstWrite(Tracking),
    RemoveFinalizers(Tracking),
    PartialWrite(Tracking),
    FinalWrite(Tracking, bool),
}

/// Starts a sync (upstream `syncJob`).
///
/// `memory` is what the controller remembers of the Job. Record a wave's `expect` before its calls, apply
/// [`Finished::memory`] at the end.
pub fn begin<R: Recorder>(view: JobView<'_>, memory: &JobMemory, now: Timestamp, rec: &mut R) -> Step {
    if let Some(finished) = guard::skip(view, memory, rec) {
        return Step::Finished(finished);
    }
    let mut sync = Sync::new(view, memory, now);
    let claims = claim::Claims::of(view.pods, sync.shape.deleting);
    match claim::begin(view, &mut sync, claims, rec) {
        Ok((wave, stage)) => Step::Wave(wave, Paused { sync: Box::new(sync), stage, claimed: None }),
        Err(claims) => after_claim(view, sync, &claims, now, rec),
    }
}

impl Paused {
    /// Goes on after a wave. `outcomes` answers the wave's calls in their order; `view` is the one that the sync began
    /// with: events that came in meanwhile belong to the next sync.
    pub fn resume<R: Recorder>(
        self,
        view: JobView<'_>,
        outcomes: &[Outcome],
        now: Timestamp,
        rec: &mut R,
    ) -> Step {
        let Paused { mut sync, stage, claimed } = self;
        let next = match stage {
            Stage::Claim(claims) => match claim::after_read(view, &mut sync, claims, outcomes, rec) {
                Ok(next) => Ok(next),
                Err(claims) => return after_claim(view, *sync, &claims, now, rec),
            },
            Stage::Adopt(claims) => {
                return after_claim(view, *sync, &claim::after_adopt(claims, outcomes), now, rec);
            }
            stage => {
                with_pods(view, claimed.as_deref(), now, rec, |cx| advance(cx, &mut sync, stage, outcomes))
            }
        };
        match next {
            Ok((wave, stage)) => Step::Wave(wave, Paused { sync, stage, claimed }),
            Err((verdict, error)) => Step::Finished(sync.finish(verdict, error)),
        }
    }
}

/// Decides about the Pods that the Job has claimed.
fn after_claim<R: Recorder>(
    view: JobView<'_>,
    mut sync: Sync,
    claims: &claim::Claims,
    now: Timestamp,
    rec: &mut R,
) -> Step {
    if let Some(error) = claim::error(claims) {
        return Step::Finished(sync.finish(JobVerdict::Errored, Some(error)));
    }
    let as_they_are = match view.pods.0 {
        Source::Listed(_) => !claims.has_others(),
        Source::Kept(kept) => claims.adopts_nothing() && kept.answers_for(view.job),
    };
    let claimed = (!as_they_are).then(|| claim::claimed(view.pods, claims));
    match with_pods(view, claimed.as_deref(), now, rec, |cx| reconcile(cx, &mut sync)) {
        Ok((wave, stage)) => Step::Wave(wave, Paused { sync: Box::new(sync), stage, claimed }),
        Err((verdict, error)) => Step::Finished(sync.finish(verdict, error)),
    }
}

/// Lets rules ask whoever knows the claimed Pods: the view's own source, unless they had to be listed.
fn with_pods<R, T>(
    view: JobView<'_>,
    claimed: Option<&[PodFacts]>,
    now: Timestamp,
    rec: &mut R,
    rules: impl FnOnce(&mut Cx<'_, R>) -> T,
) -> T {
    let JobView { job, pods, settings } = view;
    match (claimed, pods.0) {
        (Some(list), _) | (None, Source::Listed(list)) => {
            rules(&mut Cx { job, pods: &census::Listed(list), settings, now, rec })
        }
        (None, Source::Kept(kept)) => rules(&mut Cx { job, pods: kept, settings, now, rec }),
    }
}

/// The order of the rules.
fn reconcile<R: Recorder>(cx: &mut Cx<'_, R>, sync: &mut Sync) -> Next {
    let tally = counts::count(cx, sync);
    set_start_time(cx, sync);
    ending::evaluate(cx, sync, &tally);
    if sync.finished.is_some() {
        return match ending::delete_active(cx, sync) {
            Some(wave) => Ok(wave),
            None => advance(cx, sync, Stage::DeleteActive(Vec::new()), &[]),
        };
    }
    match manage::manage(cx, sync, &tally) {
        Some(wave) => Ok(wave),
        None => after_manage(cx, sync),
    }
}

/// What follows the stage whose outcomes have come in.
fn advance<R: Recorder>(cx: &mut Cx<'_, R>, sync: &mut Sync, stage: Stage, outcomes: &[Outcome]) -> Next {
    let more = match stage {
        Stage::DeleteActive(active) => {
            ending::after_delete_active(cx, sync, &active, outcomes);
            return tracking::begin(cx, sync);
        }
        Stage::StripFinalizers(deletion) => manage::after_strip(cx, sync, deletion, outcomes),
        Stage::Delete(deletion) => {
            manage::after_delete(cx, sync, deletion, outcomes);
            None
        }
        Stage::Create(creation) => create::after_batch(cx, sync, creation, outcomes),
        Stage::FirstWrite(tracking) => {
            return tracking::after_first_write(cx, sync, tracking, outcomes.first());
        }
        Stage::RemoveFinalizers(tracking) => return tracking::settle(cx, sync, tracking, outcomes),
        Stage::PartialWrite(tracking) => return tracking::after_partial_write(tracking, outcomes.first()),
        Stage::FinalWrite(tracking, ended) => {
            return tracking::after_final_write(cx, sync, tracking, ended, outcomes.first());
        }
        // Claiming is over before this function is reached; what is left of it is to count the Pods.
        Stage::Claim(_) | Stage::Adopt(_) => None,
    };
    match more {
        Some(wave) => Ok(wave),
        None => after_manage(cx, sync),
    }
}

/// The start time is set when the Job first runs; alone it does not cause a write.
fn set_start_time<R: Recorder>(cx: &mut Cx<'_, R>, sync: &mut Sync) {
    let started_at = cx.job.status.start_time;
    let starts = started_at.is_none() && !sync.shape.suspended;
    cx.rec.note(Rule::StartTimeSet, starts, |evidence| {
        let start = started_at.map_or("not set".into(), |t| alloc::format!("{t}"));
        evidence.value("status.startTime", start).value("spec.suspend", sync.shape.suspended);
    });
    if starts {
        sync.status.edit(cx.job).start_time = Some(cx.now);
    }
}

/// Whether the Job is complete by its completions, else whether it was suspended or resumed.
fn after_manage<R: Recorder>(cx: &mut Cx<'_, R>, sync: &mut Sync) -> Next {
    let enough = match sync.shape.completions {
        Some(completions) => sync.succeeded >= completions,
        None => sync.succeeded > 0,
    };
    let complete = enough && sync.active == 0;
    cx.rec.note(Rule::CompletionsReached, complete, |evidence| {
        let wanted =
            sync.shape.completions.map_or("any".into(), |completions| alloc::format!("{completions}"));
        evidence.compared("succeeded", sync.succeeded, alloc::format!("spec.completions {wanted}"));
        evidence.compared("active Pods", sync.active, "must be 0");
    });
    if complete {
        let message = "Reached expected number of succeeded pods";
        let reason = crate::spec::reason::COMPLETIONS_REACHED;
        sync.finished = Some(new_condition(condition::SUCCESS_CRITERIA_MET, "True", reason, message, cx.now));
    } else if sync.manage_called {
        record_suspension(cx, sync);
    }
    tracking::begin(cx, sync)
}

/// The condition Suspended. Resuming starts the time anew, since the deadline counts active time only; suspending
/// clears it under a gate.
fn record_suspension<R: Recorder>(cx: &mut Cx<'_, R>, sync: &mut Sync) {
    let suspended = sync.shape.suspended;
    let (status, reason, message, event, rule) = if suspended {
        ("True", "JobSuspended", "Job suspended", "Suspended", Rule::JobSuspendedRecorded)
    } else {
        ("False", "JobResumed", "Job resumed", "Resumed", Rule::JobResumedRecorded)
    };
    if !changes(&sync.status.get(cx.job).conditions, condition::SUSPENDED, [status, reason, message]) {
        return;
    }
    let job_status = sync.status.edit(cx.job);
    let wanted = new_condition(condition::SUSPENDED, status, reason, message, cx.now);
    ensure_condition(&mut job_status.conditions, wanted);
    if !suspended {
        job_status.start_time = Some(cx.now);
    } else if cx.settings.gates.mutable_scheduling_directives_for_suspended_jobs {
        job_status.start_time = None;
    }
    sync.flush.add(rule);
    sync.events.push(Event::normal(event, message));
}
