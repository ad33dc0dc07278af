//! The CronJob controller's part of a recording: one CronJob, the Jobs around it, and what was decided about them.

use super::difference::{self, between};
use super::recording::{Recording, Version};
use super::search::{Answer, Cache, Controller, Reached, Sync};
use super::writes::{Change, Write};
use crate::zones::TzDatabase;
use policy_core::cron::{Call, ChildJob, CronJobView, Outcome, Step, begin};
use policy_core::spec::{CronJob, CronJobStatus, Job};
use policy_core::step::{CallError, CallErrorKind};
use std::collections::HashMap;
use std::ops::Range;

/// The versions of all Jobs, by namespace and name.
pub(super) type JobIndex<'r> = HashMap<(&'r str, &'r str), Vec<&'r Version>>;

pub(super) fn index_jobs(recording: &Recording) -> JobIndex<'_> {
    let mut index = JobIndex::new();
    for version in recording.versions.iter().filter(|version| version.job().is_some()) {
        index.entry((&version.namespace, &version.name)).or_default().push(version);
    }
    index
}

/// The Job of that name as the server had it before a revision.
pub(super) fn live_job<'r>(
    index: &JobIndex<'r>,
    namespace: &str,
    name: &str,
    revision: u64,
) -> Option<&'r Job> {
    let versions = index.get(&(namespace, name))?;
    let place = versions.partition_point(|version| version.resource_version < revision);
    let newest = versions.get(place.checked_sub(1)?)?;
    newest.job().filter(|_| !newest.is_deleted())
}

/// One CronJob in a recording.
pub(super) struct CronJobHistory<'r> {
    versions: Vec<&'r Version>,
    /// The versions of the Jobs that it controls, in order.
    children: Vec<&'r Version>,
    jobs: &'r JobIndex<'r>,
}

/// What a sync of a CronJob looks at.
pub(super) struct View<'r> {
    cron_job: &'r CronJob,
    jobs: Vec<ChildJob<'r>>,
}

impl<'r> CronJobHistory<'r> {
    /// The history of a CronJob from its versions.
    pub(super) fn new(versions: Vec<&'r Version>, jobs: &'r JobIndex<'r>) -> Self {
        let uid = versions.first().map_or("", |version| &*version.uid);
        let controlled = |version: &&Version| {
            let owner = version.job().and_then(|job| job.metadata.controller());
            owner.is_some_and(|owner| owner.uid == uid)
        };
        let mut children: Vec<&Version> = jobs.values().flatten().copied().filter(controlled).collect();
        children.sort_by_key(|version| version.resource_version);
        CronJobHistory { versions, children, jobs }
    }

    fn cron_job(&self, own: usize) -> Option<&'r CronJob> {
        let version = self.versions.get(own.checked_sub(1)?)?;
        version.cron_job().filter(|_| !version.is_deleted())
    }

    fn versions_until(&self, revision: u64) -> usize {
        self.versions.partition_point(|version| version.resource_version < revision)
    }

    /// How reading a Job comes out.
    fn read_job(&self, namespace: &str, name: &str, revision: u64) -> Outcome {
        match live_job(self.jobs, namespace, name, revision) {
            Some(job) => Outcome::Job(Box::new(job.metadata.clone())),
            None => failed(CallErrorKind::NotFound, "the Job is gone"),
        }
    }

    fn unseen_status(&self, status: &CronJobStatus, before: u64, base: usize) -> Option<Outcome> {
        let newest = self.versions_until(before);
        match self.cron_job(newest) {
            None => Some(failed(CallErrorKind::NotFound, "the CronJob is gone")),
            Some(_) if newest > base => {
                Some(failed(CallErrorKind::Conflict, "the CronJob has been modified"))
            }
            Some(cron_job) => (cron_job.status == *status).then_some(Outcome::Done),
        }
    }
}

impl<'r> Controller for CronJobHistory<'r> {
    type View = View<'r>;
    type Memory = ();
    type Call = Call;
    type Outcome = Outcome;

    fn view(&self, cache: Cache, _next: usize) -> Option<View<'r>> {
        let cron_job = self.cron_job(cache.own)?;
        let mut newest: HashMap<&str, &'r Version> = HashMap::new();
        for version in self.children.iter().take(cache.dependents) {
            newest.insert(&version.uid, version);
        }
        let mut newest: Vec<&Version> =
            newest.into_values().filter(|version| !version.is_deleted()).collect();
        newest.sort_by_key(|version| version.resource_version);
        let jobs = newest.into_iter().filter_map(Version::job).map(ChildJob::from).collect();
        Some(View { cron_job, jobs })
    }

    fn run(&self, sync: &Sync<Self>) -> Reached<Self> {
        let view = CronJobView { cron_job: sync.view.cron_job, jobs: &sync.view.jobs };
        let zones = TzDatabase::shared();
        let mut events = Vec::new();
        let mut waves = sync.waves.iter();
        let mut step = begin(view, sync.now, zones, &mut ());
        loop {
            match step {
                Step::Wave(wave, paused) => {
                    events.extend(wave.events);
                    let Some((outcomes, now)) = waves.next() else {
                        return Reached { memory: (), events, calls: Some(wave.calls) };
                    };
                    step = paused.resume(view, outcomes.to_vec(), *now, zones, &mut ());
                }
                Step::Finished(finished) => {
                    events.extend(finished.events);
                    return Reached { memory: (), events, calls: None };
                }
            }
        }
    }

    fn shown_before(&self, revision: u64) -> Cache {
        let dependents = self.children.partition_point(|version| version.resource_version < revision);
        Cache { own: self.versions_until(revision), dependents }
    }

    /// Upstream's CronJob controller does not wait for its own writes.
    fn shows(&self, _write: &Write<'_>) -> Cache {
        Cache::default()
    }

    fn distinct(&self, range: Range<usize>) -> Vec<usize> {
        range.collect()
    }

    fn observe(&self, _memory: &mut (), _shown: Range<usize>) {}

    fn versions_before(&self, write: &Write<'_>) -> Option<usize> {
        let own = matches!(write.change, Change::CronJobStatus(_));
        own.then(|| self.versions_until(write.version.resource_version))
    }

    fn answer(&self, call: &Call, write: &Write<'_>, _view: &View<'r>) -> Answer<Outcome> {
        let version = write.version;
        match (call, write.change) {
            (Call::UpdateStatus(decided), Change::CronJobStatus(written)) => {
                let same = **decided == *written;
                let differences = if same { Vec::new() } else { between("status", decided, written) };
                Answer::Of { differences, outcome: Outcome::Done }
            }
            (Call::CreateJob { job, .. }, Change::CreateJob(written)) => {
                let metadata = version.metadata().cloned().unwrap_or_default();
                let differences = difference::created_job(job, written);
                Answer::Of { differences, outcome: Outcome::Job(Box::new(metadata)) }
            }
            (Call::DeleteJob { namespace, name }, Change::DeleteJob)
                if *namespace == version.namespace && *name == version.name =>
            {
                Answer::Of { differences: Vec::new(), outcome: Outcome::Done }
            }
            _ => Answer::Other,
        }
    }

    fn unseen(&self, call: &Call, between: Range<u64>, base: usize) -> Option<Outcome> {
        let live = |namespace: &str, name: &str| live_job(self.jobs, namespace, name, between.end);
        match call {
            Call::GetJob { namespace, name } => Some(self.read_job(namespace, name, between.end)),
            Call::GetCronJob { .. } => Some(match self.cron_job(self.versions_until(between.end)) {
                Some(cron_job) => Outcome::CronJob(Box::new(cron_job.clone())),
                None => failed(CallErrorKind::NotFound, "the CronJob is gone"),
            }),
            Call::DeleteJob { namespace, name } => match live(namespace, name) {
                None => Some(failed(CallErrorKind::NotFound, "the Job is gone")),
                Some(job) => job.metadata.is_deleting().then_some(Outcome::Done),
            },
            Call::CreateJob { namespace, job } => live(namespace, &job.metadata.name)
                .map(|_| failed(CallErrorKind::AlreadyExists, "a Job of that name exists")),
            Call::UpdateStatus(status) => self.unseen_status(status, between.end, base),
        }
    }

    fn overlap(&self, _earlier: &Call, _later: &Call) -> bool {
        false
    }

    fn describe(&self, call: &Call) -> String {
        match call {
            Call::GetJob { name, .. } => format!("to read Job {name}"),
            Call::GetCronJob { .. } => "to read the CronJob".into(),
            Call::DeleteJob { name, .. } => format!("to delete Job {name}"),
            Call::CreateJob { job, .. } => format!("to create Job {}", job.metadata.name),
            Call::UpdateStatus(status) => format!("to write a status (active {})", status.active.len()),
        }
    }
}

fn failed(kind: CallErrorKind, message: &str) -> Outcome {
    Outcome::Failed(CallError { kind, message: message.into() })
}
