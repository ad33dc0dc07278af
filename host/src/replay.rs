//! Lining our decisions up with what the real controllers wrote in recorded watch streams.
//!
//! A write is explained if some state of the controller's cache, from its write before to this one, leads our decisions
//! to that very status or call. `docs/replay.md` tells what that means and how to record.
//!
//! From files to the report: `read` makes a [`Recording`] of versions in order, `authors` tells who wrote each,
//! `writes` picks those of the controllers, `search` looks for the cache states that explain them, with what
//! `job` and `cron_job` decide.

use cron_job::{CronJobHistory, JobIndex, index_jobs, live_job};
use events::Decided;
use job::{JobHistory, PodIndex};
use policy_core::Settings;
use policy_core::orphan::{self, OrphanDecision};
use recording::{Published, Version};
use search::{publishes, search};
use std::collections::BTreeMap;
use writes::{Write, Writes};

mod authors;
mod clock;
mod cron_job;
mod difference;
mod events;
mod job;
mod read;
mod recording;
mod report;
mod search;
mod writes;

pub use read::ReadError;
pub use recording::Recording;
pub use report::{Count, Kind, Report, Unexplained};

/// Lines up every write of the Job and CronJob controllers. `progress` is told how many of how many objects are done.
///
/// ```
/// use jobpolicy::replay::{Recording, replay};
/// let job = r#"{"type":"ADDED","object":{"kind":"Job","metadata":{"name":"j","uid":"u","resourceVersion":"1"}}}"#;
/// let recording = Recording::from_streams([("jobs.ndjson", job)]).unwrap();
/// let report = replay(&recording, |_, _| {});
/// assert_eq!(report.total().unexplained(), 0);
/// ```
pub fn replay(recording: &Recording, mut progress: impl FnMut(u64, u64)) -> Report {
    let mut report = Report::default();
    let writes = Writes::of(recording);
    let jobs = index_jobs(recording);
    let histories = Histories::of(recording, &writes, &jobs);
    let mut decided = Decided::new();
    let total = histories.by_uid.len() as u64;
    for (done, (uid, history)) in (0..).zip(&histories.by_uid) {
        progress(done, total);
        let writes = writes.by_owner.get(uid).map_or(&[][..], |writes| writes);
        let found = history.search(writes);
        for (write, difference) in writes.iter().zip(found.differences) {
            add(&mut report, write, difference);
        }
        decided.insert(uid, found.published);
    }
    progress(total, total);
    for write in &writes.of_orphans {
        add(&mut report, write, orphan_difference(recording, &jobs, write));
    }
    let idle = |version: &Version, event: &Published| histories.publishes(recording, version, event);
    events::line_up(&mut report, recording, decided, idle);
    report.sort();
    report
}

fn add(report: &mut Report, write: &Write<'_>, difference: Option<String>) {
    let version = write.version;
    report.add(write.change.kind(), version.full_name(), version.resource_version, difference);
}

/// What was decided about a Pod without a Job to count it, if not that its finalizer goes.
fn orphan_difference(recording: &Recording, jobs: &JobIndex<'_>, write: &Write<'_>) -> Option<String> {
    let pod = recording.before(write.version).and_then(Version::pod)?;
    let job = pod.metadata.controller().and_then(|owner| {
        live_job(jobs, &write.version.namespace, &owner.name, write.version.resource_version)
    });
    match orphan::decide(pod, job, &Settings::DEFAULT, &mut ()) {
        OrphanDecision::RemoveFinalizer(_) => None,
        OrphanDecision::Nothing => Some(format!("decided nothing, written {}", write.change.words())),
    }
}

/// What was recorded about each Job and CronJob.
struct Histories<'r> {
    by_uid: BTreeMap<&'r str, History<'r>>,
}

enum History<'r> {
    Job(Box<JobHistory<'r>>),
    CronJob(CronJobHistory<'r>),
}

impl<'r> Histories<'r> {
    fn of(recording: &'r Recording, writes: &Writes<'r>, jobs: &'r JobIndex<'r>) -> Self {
        let mut versions: BTreeMap<&str, Vec<&Version>> = BTreeMap::new();
        for version in &recording.versions {
            if version.job().is_some() || version.cron_job().is_some() {
                versions.entry(&version.uid).or_default().push(version);
            }
        }
        let pods = PodIndex::of(recording);
        let history = |(uid, versions): (&'r str, Vec<&'r Version>)| {
            let is_job = versions.iter().any(|version| version.job().is_some());
            let history = if is_job {
                let writes = writes.by_owner.get(uid).map_or(&[][..], |writes| writes);
                History::Job(Box::new(JobHistory::new(versions, &pods, writes)))
            } else {
                History::CronJob(CronJobHistory::new(versions, jobs))
            };
            (uid, history)
        };
        let by_uid = versions.into_iter().map(history).collect();
        Histories { by_uid }
    }

    /// Whether a sync that writes nothing publishes this event.
    fn publishes(&self, recording: &Recording, version: &Version, event: &Published) -> bool {
        let Some(seconds) = recording.clock.at(version) else { return false };
        let is_it = |decided: &policy_core::step::Event| {
            (decided.kind, &*decided.reason, &*decided.message)
                == (&*event.kind, &*event.reason, &*event.message)
        };
        match self.by_uid.get(&*event.regarding) {
            Some(History::Job(history)) => publishes(&**history, version.resource_version, &seconds, is_it),
            Some(History::CronJob(history)) => publishes(history, version.resource_version, &seconds, is_it),
            None => false,
        }
    }
}

impl History<'_> {
    fn search(&self, writes: &[Write<'_>]) -> search::Found {
        match self {
            History::Job(history) => search(&**history, writes),
            History::CronJob(history) => search(history, writes),
        }
    }
}
