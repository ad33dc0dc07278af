//! Bringing `status.active` in line with the Jobs that exist (the first half of upstream `syncCronJob`).

use super::call::{Call, ChildJob, Outcome};
use super::history::{Ended, children, ended, is_child};
use super::machine::{Machine, Stage, has_active};
use super::{Step, due};
use crate::explain::{Recorder, Rule};
use crate::spec::{ObjectReference, condition};
use crate::step::{CallErrorKind, Event};
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec::Vec;

/// Goes through the CronJob's Jobs from `index` in the view on.
pub(super) fn reconcile<R: Recorder>(mut machine: Machine<'_, R>, index: usize) -> Step {
    for (index, job) in machine.view.jobs.iter().enumerate().skip(index) {
        if !is_child(machine.view, job) {
            continue;
        }
        let end = ended(job.status);
        let is_active = machine.is_active(&job.metadata.uid);
        let is_unknown = end.is_none() && !is_active;
        let calls = if is_unknown { machine.next_calls(1) } else { 0..0 };
        machine.rec.note_calls(Rule::ChildNotInActiveList, is_unknown, calls, |e| {
            e.value(format!("job/{}.metadata.uid", job.metadata.name), &job.metadata.uid).compared(
                "status.active",
                is_active,
                true,
            );
        });
        if is_unknown {
            let cron_job = &machine.sync.cron_job(machine.view).metadata;
            let (namespace, name) = (cron_job.namespace.clone(), cron_job.name.clone());
            return machine
                .wait_for(alloc::vec![Call::GetCronJob { namespace, name }], Stage::FreshCopy { index });
        }
        if let Some(end) = end {
            take_end(&mut machine, *job, end, is_active);
        }
    }
    find_missing(machine)
}

/// Goes on with a fresh copy of the CronJob, or with the news that it does not know the Job either.
pub(super) fn fresh_copy<R: Recorder>(mut machine: Machine<'_, R>, index: usize, outcome: Outcome) -> Step {
    let copy = match outcome.into_cron_job() {
        Ok(copy) => copy,
        Err(error) => return machine.fail(error),
    };
    let Some(job) = machine.view.jobs.get(index) else { return find_missing(machine) };
    let is_listed = has_active(&copy.status, &job.metadata.uid);
    let evidence = |e: &mut crate::explain::EvidenceList| {
        e.value(format!("job/{}.metadata.uid", job.metadata.name), &job.metadata.uid).compared(
            "fresh copy: status.active",
            is_listed,
            true,
        );
    };
    machine.rec.note(Rule::ActiveListStale, is_listed, evidence);
    machine.rec.note(Rule::UnexpectedJob, !is_listed, evidence);
    if is_listed {
        machine.replace_cron_job(copy);
    } else {
        let name = &job.metadata.name;
        let message = format!("Saw a job that the controller did not create or forgot: {name}");
        machine.emit(Event::warning("UnexpectedJob", message));
    }
    reconcile(machine, index.saturating_add(1))
}

/// Takes a finished Job out of the active list and its completion into `status.lastSuccessfulTime`.
fn take_end<R: Recorder>(machine: &mut Machine<'_, R>, job: ChildJob<'_>, end: Ended, is_active: bool) {
    let ChildJob { metadata, status } = job;
    machine.rec.note(Rule::ActiveJobFinished, is_active, |e| {
        e.value(format!("job/{}.status.conditions[{}]", metadata.name, end.condition()), "True").compared(
            "status.active",
            is_active,
            true,
        );
    });
    if is_active {
        machine.remove_active(&metadata.uid);
        let message = format!("Saw completed job: {}, condition: {}", metadata.name, end.condition());
        machine.emit(Event::normal("SawCompletedJob", message));
    }
    // A Job may carry both conditions; any Complete counts here (upstream `IsJobSucceeded`).
    let succeeded = status.conditions.iter().any(|c| c.kind == condition::COMPLETE && c.is_true());
    if !succeeded {
        return;
    }
    let (last, completed) = (machine.sync.status().last_successful_time, status.completion_time);
    let is_later = last.is_none() || completed > last;
    machine.rec.note(Rule::LastSuccessfulTime, is_later, |e| {
        let show =
            |time: Option<crate::Timestamp>| time.map_or("unset".into(), |time| time.to_rfc3339_nano());
        e.compared(format!("job/{}.status.completionTime", metadata.name), show(completed), show(last));
    });
    if is_later {
        // Also when neither is set: upstream writes the status for it.
        machine.change_status().last_successful_time = completed;
    }
}

/// Asks for the active Jobs that the view does not have.
fn find_missing<R: Recorder>(machine: Machine<'_, R>) -> Step {
    let known: BTreeSet<&str> = children(machine.view).map(|job| job.metadata.uid.as_str()).collect();
    let active = &machine.sync.status().active;
    let unseen: Vec<ObjectReference> =
        active.iter().filter(|reference| !known.contains(reference.uid.as_str())).cloned().collect();
    let numbers = machine.next_calls(unseen.len());
    machine.rec.note_calls(Rule::ActiveJobNotSeen, !unseen.is_empty(), numbers, |e| {
        e.value("status.active", active.len());
        for reference in &unseen {
            e.value(format!("status.active[{}].uid", reference.name), &reference.uid);
        }
    });
    if unseen.is_empty() {
        return due::check(machine);
    }
    let read = |reference: &ObjectReference| Call::GetJob {
        namespace: reference.namespace.clone(),
        name: reference.name.clone(),
    };
    let calls = unseen.iter().map(read).collect();
    machine.wait_for(calls, Stage::ActiveJobs(unseen))
}

/// Takes active Jobs that the server does not have either out of the list.
pub(super) fn active_jobs_read<R: Recorder>(
    mut machine: Machine<'_, R>,
    references: &[ObjectReference],
    outcomes: Vec<Outcome>,
) -> Step {
    let outcomes = outcomes.into_iter().chain(core::iter::repeat_with(Outcome::missing));
    for (reference, outcome) in references.iter().zip(outcomes) {
        let error = match outcome {
            Outcome::Failed(error) if error.kind != CallErrorKind::NotFound => return machine.fail(error),
            Outcome::Failed(error) => Some(error),
            Outcome::Done | Outcome::Job(_) | Outcome::CronJob(_) => None,
        };
        machine.rec.note(Rule::ActiveJobMissing, error.is_some(), |e| {
            let answer = error.as_ref().map_or("found", |error| &error.message);
            e.value(format!("status.active[{}]", reference.name), answer);
        });
        if error.is_some() {
            let message = format!("Active job went missing: {}", reference.name);
            machine.emit(Event::normal("MissingJob", message));
            machine.remove_active(&reference.uid);
        }
    }
    due::check(machine)
}
