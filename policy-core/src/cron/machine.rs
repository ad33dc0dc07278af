//! The state of one sync and what all its stages share: active list, events, waves, the end.

use super::Step;
use super::call::{Call, CronJobView, Finished, Outcome, Requeue, SyncError};
use super::create::Due;
use super::missed::next_delay_nanos;
use super::schedule::Schedule;
use super::zone::TimeZones;
use crate::Timestamp;
use crate::explain::{Recorder, Rule};
use crate::spec::{CronJob, CronJobStatus, ObjectMeta, ObjectReference};
use crate::step::{CallError, CallErrorKind, Event, Expect, Wave};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

/// A sync that waits for the outcomes of a wave.
#[derive(Clone, Debug)]
pub struct Paused {
    pub(super) sync: Sync,
    pub(super) stage: Stage,
}

/// What a sync waits for.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    /// Deletions of Jobs beyond the history limits.
    Cleanup(Vec<JobKey>),
    /// A fresh copy of the CronJob, on account of the Job at this place in the view.
    FreshCopy { index: usize },
    /// Reads of the active Jobs that the view does not have.
    ActiveJobs(Vec<ObjectReference>),
    /// A read of the next Job to replace.
    ReplacedJob { due: Box<Due>, rest: alloc::vec::IntoIter<ObjectReference> },
    /// The deletion of a Job to replace.
    Replacement { due: Box<Due>, job: JobKey, rest: alloc::vec::IntoIter<ObjectReference> },
    /// The creation of the run's Job.
    Create(Box<Due>),
    /// A read of the Job that already has the name of the run's.
    ExistingJob(Box<Due>),
    /// The status write that ends the sync.
    StatusWrite(Box<Finished>),
}

/// What identifies a Job.
#[derive(Clone, Debug)]
pub(super) struct JobKey {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
}

impl From<&ObjectMeta> for JobKey {
    fn from(job: &ObjectMeta) -> Self {
        JobKey { namespace: job.namespace.clone(), name: job.name.clone(), uid: job.uid.clone() }
    }
}

impl JobKey {
    pub(super) fn deletion(&self) -> Call {
        Call::DeleteJob { namespace: self.namespace.clone(), name: self.name.clone() }
    }
}

/// What a sync has done so far.
#[derive(Clone, Debug)]
pub(super) struct Sync {
    /// The sync's instant, read once clean-up is over.
    now: Timestamp,
    /// The status that is written in the end.
    status: CronJobStatus,
    /// The fresh copy that has taken the CronJob's place, if one has. Upstream then changes the copy's status and
    /// writes the old one, so that what follows is lost (`cronJob = cjCopy` in `syncCronJob`).
    copy: Option<Box<CronJob>>,
    status_changed: bool,
    creation_skew_nanos: Option<i64>,
    events: Vec<Event>,
    next_call: u32,
}

impl Sync {
    pub(super) fn new(view: CronJobView<'_>, now: Timestamp) -> Self {
        Sync {
            now,
            status: view.cron_job.status.clone(),
            copy: None,
            status_changed: false,
            creation_skew_nanos: None,
            events: Vec::new(),
            next_call: 0,
        }
    }

    /// The CronJob that decides: the view's, or the fresh copy that has taken its place. Its status is out of date in
    /// the first case: [`Sync::status`] is the one to ask.
    pub(super) fn cron_job<'s>(&'s self, view: CronJobView<'s>) -> &'s CronJob {
        self.copy.as_deref().unwrap_or(view.cron_job)
    }

    pub(super) fn status(&self) -> &CronJobStatus {
        self.copy.as_ref().map_or(&self.status, |copy| &copy.status)
    }

    fn status_mut(&mut self) -> &mut CronJobStatus {
        self.copy.as_mut().map_or(&mut self.status, |copy| &mut copy.status)
    }

    /// Since when no Job was scheduled: the last scheduled time, or the creation.
    pub(super) fn unscheduled_since(&self, view: CronJobView<'_>) -> Timestamp {
        let created = self.cron_job(view).metadata.creation_timestamp;
        self.status().last_schedule_time.or(created).unwrap_or(Timestamp::ZERO)
    }
}

/// A sync at work.
pub(super) struct Machine<'a, R> {
    pub(super) view: CronJobView<'a>,
    pub(super) zones: &'a dyn TimeZones,
    pub(super) rec: &'a mut R,
    pub(super) sync: Sync,
}

impl<'a, R: Recorder> Machine<'a, R> {
    pub(super) fn now(&self) -> Timestamp {
        self.sync.now
    }

    /// Upstream reads its clock after clean-up.
    pub(super) fn set_now(&mut self, now: Timestamp) {
        self.sync.now = now;
    }

    /// Takes note that the status has to be written.
    pub(super) fn change_status(&mut self) -> &mut CronJobStatus {
        self.sync.status_changed = true;
        self.sync.status_mut()
    }

    pub(super) fn replace_cron_job(&mut self, copy: Box<CronJob>) {
        self.sync.copy = Some(copy);
    }

    /// Upstream `inActiveList`.
    pub(super) fn is_active(&self, uid: &str) -> bool {
        has_active(self.sync.status(), uid)
    }

    /// Upstream `deleteFromActiveList`.
    pub(super) fn remove_active(&mut self, uid: &str) {
        self.change_status().active.retain(|reference| reference.uid != uid);
    }

    pub(super) fn emit(&mut self, event: Event) {
        self.sync.events.push(event);
    }

    /// The numbers that the next `count` calls will have.
    pub(super) fn next_calls(&self, count: usize) -> Range<u32> {
        let first = self.sync.next_call;
        first..first.saturating_add(u32::try_from(count).unwrap_or(u32::MAX))
    }

    pub(super) fn note_creation_skew(&mut self, nanos: i64) {
        self.sync.creation_skew_nanos = Some(nanos);
    }

    /// Pauses the sync until `calls` have been carried out.
    pub(super) fn wait_for(mut self, calls: Vec<Call>, stage: Stage) -> Step {
        let numbers = self.next_calls(calls.len());
        self.sync.next_call = numbers.end;
        let events = core::mem::take(&mut self.sync.events);
        let wave = Wave { calls, first_call: numbers.start, expect: Expect::default(), events };
        Step::Wave(wave, Paused { sync: self.sync, stage })
    }

    /// Ends the sync without another look planned.
    pub(super) fn stop(self) -> Step {
        self.finish(Finished::default())
    }

    /// Ends the sync because a call failed.
    pub(super) fn fail(self, error: CallError) -> Step {
        self.finish(Finished { error: Some(SyncError::Call(error)), ..Finished::default() })
    }

    /// Ends the sync until the schedule's next time.
    pub(super) fn stop_until_next_run(self, schedule: &Schedule) -> Step {
        let (now, since) = (self.now(), self.sync.unscheduled_since(self.view));
        let after_nanos = next_delay_nanos(since, now, schedule, self.zones);
        let at = now.plus_nanos(after_nanos);
        let cron_job = self.sync.cron_job(self.view);
        self.rec.note(Rule::NextRun, true, |e| {
            e.value("spec.schedule", &cron_job.spec.schedule).value("requeueAt", at.to_rfc3339_nano());
        });
        self.finish(Finished { requeue: Some(Requeue { after_nanos, at }), ..Finished::default() })
    }

    /// Writes the status if it has changed, then ends the sync.
    pub(super) fn finish(mut self, finished: Finished) -> Step {
        let finished = Finished { creation_skew_nanos: self.sync.creation_skew_nanos, ..finished };
        let calls = if self.sync.status_changed { self.next_calls(1) } else { 0..0 };
        let changed = self.sync.status_changed;
        self.rec.note_calls(Rule::CronJobStatusChanged, changed, calls, |e| {
            e.value("status.active", self.sync.status.active.len());
        });
        if changed {
            let status = core::mem::take(&mut self.sync.status);
            let call = Call::UpdateStatus(Box::new(status));
            return self.wait_for(alloc::vec![call], Stage::StatusWrite(Box::new(finished)));
        }
        let events = core::mem::take(&mut self.sync.events);
        Step::Finished(Finished { events, ..finished })
    }

    /// The end, once the status write has been answered: without the status upstream does not wait for the next
    /// time but tries again.
    pub(super) fn status_written(mut self, finished: Finished, outcome: Outcome) -> Step {
        let events = core::mem::take(&mut self.sync.events);
        Step::Finished(match outcome {
            Outcome::Failed(error) => {
                Finished { requeue: None, error: Some(SyncError::Call(error)), events, ..finished }
            }
            Outcome::Done | Outcome::Job(_) | Outcome::CronJob(_) => Finished { events, ..finished },
        })
    }
}

/// Whether a status lists a Job as active.
pub(super) fn has_active(status: &CronJobStatus, uid: &str) -> bool {
    status.active.iter().any(|reference| reference.uid == uid)
}

/// An answer that does not fit its call: the driver lost it.
fn no_answer() -> CallError {
    CallError { kind: CallErrorKind::Other, message: "the call was not answered".into() }
}

impl Outcome {
    /// The Job of an answer to a read or a creation.
    pub(super) fn into_job(self) -> Result<Box<ObjectMeta>, CallError> {
        match self {
            Outcome::Job(job) => Ok(job),
            Outcome::Failed(error) => Err(error),
            Outcome::Done | Outcome::CronJob(_) => Err(no_answer()),
        }
    }

    /// The CronJob of an answer to a read.
    pub(super) fn into_cron_job(self) -> Result<Box<CronJob>, CallError> {
        match self {
            Outcome::CronJob(cron_job) => Ok(cron_job),
            Outcome::Failed(error) => Err(error),
            Outcome::Done | Outcome::Job(_) => Err(no_answer()),
        }
    }

    /// The outcome that stands in for one that the driver did not hand over.
    pub(super) fn missing() -> Self {
        Outcome::Failed(no_answer())
    }
}
