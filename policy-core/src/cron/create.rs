//! Starting a run: deleting what it replaces, creating its Job, recording it (the end of upstream `syncCronJob`).

use super::Step;
use super::call::{Call, Finished, Outcome, SyncError};
use super::history::deleted;
use super::machine::{JobKey, Machine, Stage};
use super::new_job::{NewJob, reference_to};
use super::schedule::Schedule;
use crate::Timestamp;
use crate::explain::{Recorder, Rule};
use crate::spec::{ObjectMeta, ObjectReference};
use crate::step::{CallError, CallErrorKind, Event};
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::IntoIter;

/// A run that is due.
#[derive(Clone, Debug)]
pub(super) struct Due {
    pub(super) schedule: Schedule,
    pub(super) scheduled: Timestamp,
}

/// Deletes the active Jobs first if the policy is Replace.
pub(super) fn replace_active<R: Recorder>(machine: Machine<'_, R>, due: Box<Due>) -> Step {
    let policy = &machine.sync.cron_job(machine.view).spec.concurrency_policy;
    let active = &machine.sync.status().active;
    if policy == "Replace" && !active.is_empty() {
        let references = active.clone();
        return replace_next(machine, due, references.into_iter());
    }
    machine.rec.note(Rule::ReplaceConcurrent, false, |e| {
        e.value("spec.concurrencyPolicy", policy).value("status.active", active.len());
    });
    create(machine, due)
}

/// Reads the next Job to replace, because only the server knows its UID for certain.
fn replace_next<R: Recorder>(
    machine: Machine<'_, R>,
    due: Box<Due>,
    mut rest: IntoIter<ObjectReference>,
) -> Step {
    let Some(ObjectReference { namespace, name, .. }) = rest.next() else { return create(machine, due) };
    machine.rec.note_calls(Rule::ReplaceConcurrent, true, machine.next_calls(1), |e| {
        e.value("spec.concurrencyPolicy", "Replace").value("status.active.name", &name);
    });
    machine.wait_for(alloc::vec![Call::GetJob { namespace, name }], Stage::ReplacedJob { due, rest })
}

/// Deletes the Job that was read.
pub(super) fn replaced_job_read<R: Recorder>(
    mut machine: Machine<'_, R>,
    due: Box<Due>,
    rest: IntoIter<ObjectReference>,
    outcome: Outcome,
) -> Step {
    let job = match outcome.into_job() {
        Ok(job) => JobKey::from(&*job),
        Err(error) => {
            machine.emit(Event::warning("FailedGet", format!("Get job: {}", error.message)));
            return machine.fail(error);
        }
    };
    machine.rec.note_calls(Rule::ReplaceConcurrent, true, machine.next_calls(1), |e| {
        e.value(format!("job/{}.metadata.uid", job.name), &job.uid);
    });
    machine.wait_for(alloc::vec![job.deletion()], Stage::Replacement { due, job, rest })
}

/// Goes on with the next Job to replace, if this one was deleted.
pub(super) fn replaced<R: Recorder>(
    mut machine: Machine<'_, R>,
    due: Box<Due>,
    job: JobKey,
    rest: IntoIter<ObjectReference>,
    outcome: Outcome,
) -> Step {
    if !deleted(&mut machine, &job, outcome) {
        let JobKey { namespace, name, .. } = job;
        let error = Some(SyncError::NotReplaced { namespace, name });
        return machine.finish(Finished { error, ..Finished::default() });
    }
    replace_next(machine, due, rest)
}

fn create<R: Recorder>(machine: Machine<'_, R>, due: Box<Due>) -> Step {
    let cron_job = machine.sync.cron_job(machine.view);
    let job = NewJob::new(cron_job, due.scheduled, machine.zones);
    let namespace = cron_job.metadata.namespace.clone();
    machine.rec.note_calls(Rule::RunDue, true, machine.next_calls(1), |e| {
        e.value("spec.schedule", &cron_job.spec.schedule)
            .value("scheduled", due.scheduled)
            .value("job.metadata.name", &job.metadata.name);
    });
    let call = Call::CreateJob { namespace, job: Box::new(job) };
    machine.wait_for(alloc::vec![call], Stage::Create(due))
}

/// Records the Job that was created, or finds out what is in its way.
pub(super) fn created<R: Recorder>(mut machine: Machine<'_, R>, due: Box<Due>, outcome: Outcome) -> Step {
    let result = outcome.into_job();
    let error = |kind| matches!(&result, Err(error) if error.kind == kind);
    let (is_terminating, exists) =
        (error(CallErrorKind::NamespaceTerminating), error(CallErrorKind::AlreadyExists));
    let calls = if exists { machine.next_calls(1) } else { 0..0 };
    let evidence = |e: &mut crate::explain::EvidenceList| {
        e.value("create", result.as_ref().map_or_else(|error| error.message.as_str(), |_| "created"));
    };
    machine.rec.note(Rule::NamespaceTerminating, is_terminating, evidence);
    machine.rec.note_calls(Rule::JobAlreadyExists, exists, calls, evidence);
    match result {
        Ok(job) => {
            let made = job.creation_timestamp.unwrap_or(Timestamp::ZERO);
            machine.note_creation_skew(made.nanos_since(due.scheduled));
            machine.emit(Event::normal("SuccessfulCreate", format!("Created job {}", job.name)));
            record(machine, &due, &job)
        }
        Err(_) if exists => {
            let cron_job = &machine.sync.cron_job(machine.view).metadata;
            let namespace = cron_job.namespace.clone();
            let name = super::new_job::job_name(&cron_job.name, due.scheduled);
            machine.wait_for(alloc::vec![Call::GetJob { namespace, name }], Stage::ExistingJob(due))
        }
        Err(error) => not_created(machine, error, is_terminating),
    }
}

/// Nothing can be created in a namespace that is being deleted, so that is not worth an event.
fn not_created<R: Recorder>(mut machine: Machine<'_, R>, error: CallError, is_terminating: bool) -> Step {
    if !is_terminating {
        machine.emit(Event::warning("FailedCreate", format!("Error creating job: {}", error.message)));
    }
    machine.fail(error)
}

/// Records a Job that an earlier sync created and could not record. Another controller's is left alone, and so is
/// one that is recorded already.
pub(super) fn existing_job<R: Recorder>(machine: Machine<'_, R>, due: Box<Due>, outcome: Outcome) -> Step {
    let job = match outcome.into_job() {
        Ok(job) => job,
        Err(error) => return machine.fail(error),
    };
    let owner = job.controller().map(|owner| owner.uid.as_str());
    let uid = machine.sync.cron_job(machine.view).metadata.uid.as_str();
    let is_foreign = owner != Some(uid);
    machine.rec.note(Rule::JobOfAnother, is_foreign, |e| {
        e.compared(format!("job/{}.metadata.ownerReferences", job.name), owner.unwrap_or("none"), uid);
    });
    if is_foreign {
        return machine.stop();
    }
    let is_active = machine.is_active(&job.uid);
    machine.rec.note(Rule::JobAlreadyRecorded, is_active, |e| {
        e.compared(format!("status.active[{}]", job.name), is_active, true);
    });
    if is_active {
        return machine.stop();
    }
    record(machine, &due, &job)
}

/// Adds the Job to the active list and moves `status.lastScheduleTime` on.
fn record<R: Recorder>(mut machine: Machine<'_, R>, due: &Due, job: &ObjectMeta) -> Step {
    let status = machine.change_status();
    status.active.push(reference_to(job));
    status.last_schedule_time = Some(due.scheduled);
    machine.stop_until_next_run(&due.schedule)
}
