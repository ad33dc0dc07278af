//! Clean-up of finished Jobs beyond the history limits (upstream `cleanupFinishedJobs`).

use super::call::{ChildJob, CronJobView, Outcome};
use super::machine::{JobKey, Machine, Stage};
use super::{Step, children};
use crate::Timestamp;
use crate::explain::{Recorder, Rule};
use crate::spec::{JobStatus, condition};
use crate::step::Event;
use alloc::format;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// How a Job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Complete,
    Failed,
}

impl Ended {
    /// The type of the condition that says so.
    pub(super) fn condition(self) -> &'static str {
        match self {
            Ended::Complete => condition::COMPLETE,
            Ended::Failed => condition::FAILED,
        }
    }
}

/// How a Job ended, if it has (upstream `FinishedCondition`).
pub(super) fn ended(status: &JobStatus) -> Option<Ended> {
    let condition = status.finished()?;
    Some(if condition.kind == condition::COMPLETE { Ended::Complete } else { Ended::Failed })
}

/// The Jobs of the view that the CronJob controls.
pub(super) fn children<'a>(view: CronJobView<'a>) -> impl Iterator<Item = ChildJob<'a>> {
    view.jobs.iter().copied().filter(move |job| is_child(view, job))
}

/// Upstream's index by the UID of the controller: its kind and name are not looked at.
pub(super) fn is_child(view: CronJobView<'_>, job: &ChildJob<'_>) -> bool {
    job.metadata.controller().is_some_and(|owner| owner.uid == view.cron_job.metadata.uid)
}

/// Starts the sync: deletes what is beyond the limits. The rest comes after it, even for a suspended CronJob.
pub(super) fn begin<R: Recorder>(mut machine: Machine<'_, R>) -> Step {
    let spec = &machine.view.cron_job.spec;
    let limits = [
        (Rule::SuccessfulJobsHistoryLimit, Ended::Complete, spec.successful_jobs_history_limit),
        (Rule::FailedJobsHistoryLimit, Ended::Failed, spec.failed_jobs_history_limit),
    ];
    let mut surplus = Vec::new();
    for (rule, end, limit) in limits {
        let Some(limit) = limit else { continue };
        surplus_of(&mut machine, rule, end, limit, &mut surplus);
    }
    if surplus.is_empty() {
        return children::reconcile(machine, 0);
    }
    let calls = surplus.iter().map(JobKey::deletion).collect();
    machine.wait_for(calls, Stage::Cleanup(surplus))
}

/// Adds the oldest Jobs that ended so and are more than `limit` (upstream `removeOldestJobs`).
fn surplus_of<R: Recorder>(
    machine: &mut Machine<'_, R>,
    rule: Rule,
    end: Ended,
    limit: i32,
    surplus: &mut Vec<JobKey>,
) {
    let mut jobs: Vec<ChildJob<'_>> =
        children(machine.view).filter(|job| ended(job.status) == Some(end)).collect();
    // A negative limit, which validation refuses, deletes them all.
    let kept = usize::try_from(limit).unwrap_or(0);
    let count = jobs.len().saturating_sub(kept);
    let already = surplus.len();
    if count > 0 {
        jobs.sort_by(by_start_time);
        surplus.extend(jobs.iter().take(count).map(|job| JobKey::from(job.metadata)));
    }
    let numbers = machine.next_calls(surplus.len());
    let first = machine.next_calls(already).end;
    machine.rec.note_calls(rule, count > 0, first..numbers.end, |e| {
        let field = if end == Ended::Complete { "successful" } else { "failed" };
        e.compared(format!("jobs[{}]", end.condition()), jobs.len(), limit)
            .value(format!("spec.{field}JobsHistoryLimit"), limit);
    });
}

/// Oldest first, those that never started last, by name at the same time (upstream `byJobStartTime`).
fn by_start_time(a: &ChildJob<'_>, b: &ChildJob<'_>) -> Ordering {
    let key = |job: &ChildJob<'_>| (job.status.start_time.is_none(), job.status.start_time);
    key(a).cmp(&key(b)).then_with(|| a.metadata.name.cmp(&b.metadata.name))
}

/// Goes on after the deletions; one that failed is reported and left for the next sync.
pub(super) fn cleaned_up<R: Recorder>(
    mut machine: Machine<'_, R>,
    jobs: Vec<JobKey>,
    outcomes: Vec<Outcome>,
    now: Timestamp,
) -> Step {
    let outcomes = outcomes.into_iter().chain(core::iter::repeat_with(Outcome::missing));
    for (job, outcome) in jobs.iter().zip(outcomes) {
        deleted(&mut machine, job, outcome);
    }
    machine.set_now(now);
    children::reconcile(machine, 0)
}

/// Takes a deletion's outcome in; whether the Job was deleted (upstream `deleteJob`).
pub(super) fn deleted<R: Recorder>(machine: &mut Machine<'_, R>, job: &JobKey, outcome: Outcome) -> bool {
    if let Outcome::Failed(error) = outcome {
        machine.emit(Event::warning("FailedDelete", format!("Deleted job: {}", error.message)));
        return false;
    }
    machine.remove_active(&job.uid);
    machine.emit(Event::normal("SuccessfulDelete", format!("Deleted job {}", job.name)));
    true
}
