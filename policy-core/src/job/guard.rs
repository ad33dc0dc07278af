//! Jobs that are not to be decided about, now or ever.

use super::JobView;
use super::facts::selector_error;
use super::outcome::{Counted, Finished, JobVerdict, SyncError, Wake};
use crate::explain::{Recorder, Rule};
use crate::memory::{BackoffChange, FinishChange, JobMemory, MemoryDelta};
use crate::spec::{JOB_CONTROLLER_NAME, Job};
use crate::step::Event;
use crate::{Manages, Settings};
use alloc::string::String;
use alloc::vec::Vec;

/// Ends the sync before it starts where there is nothing to decide (the start of upstream `syncJob`).
pub(crate) fn skip<R: Recorder>(view: JobView<'_>, memory: &JobMemory, rec: &mut R) -> Option<Finished> {
    let job = view.job;
    let end = |verdict| Some(finished(job, verdict, None));
    rec.note(Rule::OwnWritesNotSeenYet, memory.awaits_own_writes, |evidence| {
        evidence.value("own writes are in the cache", !memory.awaits_own_writes);
    });
    if memory.awaits_own_writes {
        let message = "own writes are not in the cache yet".into();
        return Some(finished(job, JobVerdict::OwnWritesNotSeenYet, Some(SyncError { message })));
    }
    if let Some(controller) = managed_elsewhere(view, rec) {
        return end(JobVerdict::ManagedElsewhere(controller));
    }
    let ended = job.status.finished();
    rec.note(Rule::JobAlreadyFinished, ended.is_some(), |evidence| {
        evidence.value("status.conditions", ended.map_or("neither Complete nor Failed", |c| c.kind.as_str()));
    });
    if ended.is_some() {
        let memory = MemoryDelta {
            backoff: BackoffChange::Remove,
            finish: FinishChange::Seen,
            ..MemoryDelta::default()
        };
        return Some(Finished { memory, ..finished(job, JobVerdict::AlreadyFinished, None) });
    }
    let recorded = memory.finish_recorded.as_deref().is_some_and(|uid| uid == job.metadata.uid);
    rec.note(Rule::FinishNotSeenYet, recorded, |evidence| {
        evidence.value("the Job's end was written before", recorded);
    });
    if recorded {
        return end(JobVerdict::FinishNotSeenYet);
    }
    if unknown_completion_mode(job, rec) {
        let message = "Skipped Job sync because completion mode is unknown";
        let events = alloc::vec![Event::warning("UnknownCompletionMode", message)];
        return Some(Finished { events, ..finished(job, JobVerdict::UnknownCompletionMode, None) });
    }
    let error = unusable(job);
    rec.note(Rule::JobUnusable, error.is_some(), |evidence| {
        evidence.value("spec.selector and metadata", error.as_deref().unwrap_or("usable"));
    });
    error.map(|message| finished(job, JobVerdict::Errored, Some(SyncError { message })))
}

fn managed_elsewhere<R: Recorder>(view: JobView<'_>, rec: &mut R) -> Option<String> {
    let elsewhere = external_controller(view.job, view.settings);
    rec.note(Rule::ManagedElsewhere, elsewhere.is_some(), |evidence| {
        let named = view.job.spec.managed_by.as_deref();
        let own = match &view.settings.manages {
            Manages::LikeBuiltIn => JOB_CONTROLLER_NAME,
            Manages::InsteadOfBuiltIn(own) | Manages::BesideBuiltIn(own) => own.as_str(),
        };
        evidence.compared("spec.managedBy", named.unwrap_or("not set"), own);
    });
    elsewhere.map(Into::into)
}

/// The controller that manages the Job instead of this one (upstream `managedByExternalController`).
pub fn external_controller<'j>(job: &'j Job, settings: &Settings) -> Option<&'j str> {
    let named = job.spec.managed_by.as_deref();
    let respected = named.filter(|_| settings.gates.job_managed_by);
    match &settings.manages {
        Manages::LikeBuiltIn => respected.filter(|name| *name != JOB_CONTROLLER_NAME),
        Manages::InsteadOfBuiltIn(own) => {
            respected.filter(|name| *name != JOB_CONTROLLER_NAME && *name != own.as_str())
        }
        // Beside the built-in controller a Job without a name is the other's, whatever the gate says.
        Manages::BesideBuiltIn(own) => {
            Some(named.unwrap_or(JOB_CONTROLLER_NAME)).filter(|name| *name != own.as_str())
        }
    }
}

/// The event goes out on every sync, as upstream has it.
fn unknown_completion_mode<R: Recorder>(job: &Job, rec: &mut R) -> bool {
    let mode = job.spec.completion_mode.as_deref();
    let unknown = mode.is_some_and(|mode| mode != "NonIndexed" && mode != "Indexed");
    rec.note(Rule::UnknownCompletionMode, unknown, |evidence| {
        evidence.value("spec.completionMode", mode.unwrap_or("not set"));
    });
    unknown
}

/// Upstream's errors of `LabelSelectorAsSelector` and `FilterPodsByOwner`.
fn unusable(job: &Job) -> Option<String> {
    let meta = &job.metadata;
    let missing = [(&meta.namespace, "namespace"), (&meta.name, "name"), (&meta.uid, "uid")];
    let missing = missing.iter().find(|(value, _)| value.is_empty());
    selector_error(job.spec.selector.as_ref())
        .or_else(|| missing.map(|(_, what)| alloc::format!("no owner {what} provided")))
}

fn finished(job: &Job, verdict: JobVerdict, error: Option<SyncError>) -> Finished {
    Finished {
        memory: MemoryDelta::default(),
        wake: Wake { retry: error.is_some(), ..Wake::default() },
        verdict,
        events: Vec::new(),
        counted: Counted::new(job),
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_managed_by_exactly_one_of_two_controllers_side_by_side() {
        let own = "jobpolicy.dev/controller";
        let beside = Settings { manages: Manages::BesideBuiltIn(own.into()), ..Settings::DEFAULT };
        let instead = Settings { manages: Manages::InsteadOfBuiltIn(own.into()), ..Settings::DEFAULT };
        for (named, is_own) in
            [(None, false), (Some(JOB_CONTROLLER_NAME), false), (Some(own), true), (Some("x/y"), false)]
        {
            let mut job = Job::default();
            job.spec.managed_by = named.map(Into::into);
            let manages = |settings: &Settings| external_controller(&job, settings).is_none();
            assert_eq!(manages(&beside), is_own, "{named:?}");
            assert!(!(manages(&beside) && manages(&Settings::DEFAULT)), "{named:?}");
            assert_eq!(manages(&instead), is_own || manages(&Settings::DEFAULT), "{named:?}");
        }
    }

    #[test]
    fn with_the_gate_off_every_job_is_the_one_controllers() {
        let mut settings = Settings { manages: Manages::InsteadOfBuiltIn("o/w".into()), ..Settings::DEFAULT };
        settings.gates.job_managed_by = false;
        let mut job = Job::default();
        job.spec.managed_by = Some("x/y".into());
        assert_eq!(external_controller(&job, &settings), None);
        settings.manages = Manages::BesideBuiltIn("o/w".into());
        assert_eq!(external_controller(&job, &settings), Some("x/y"));
    }
}
