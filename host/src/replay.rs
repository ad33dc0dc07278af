//! Lining our decisions up with what the real controllers wrote in recorded watch streams.
//!
//! A write is explained if some state of the controller's cache, from its write before to this one, leads our decisions
//! to that very status or call. `docs/replay.md` tells what that means and how to record.

use job::{JobHistory, PodIndex};
use search::{Cache, Publication, search};
use std::collections::HashMap;
use writes::{Write, Writes};

mod authors;
mod clock;
mod difference;
mod job;
mod read;
mod recording;
mod report;
mod search;
mod writes;

pub use read::ReadError;
pub use recording::Recording;
pub use report::{Count, Kind, Report, Unexplained};

use recording::Version;

/// Lines up every write of the Job and CronJob controllers. `progress` is told how many of how many objects are done.
pub fn replay(recording: &Recording, mut progress: impl FnMut(u64, u64)) -> Report {
    let mut report = Report::default();
    let writes = Writes::of(recording);
    let mut versions: HashMap<&str, Vec<&Version>> = HashMap::new();
    for version in recording.versions.iter().filter(|version| version.job().is_some()) {
        versions.entry(&version.uid).or_default().push(version);
    }
    let pods = PodIndex::of(recording);
    let mut done = 0;
    for (uid, writes) in &writes.by_owner {
        progress(done, writes.len() as u64);
        done += 1;
        let Some(versions) = versions.get(uid) else { continue };
        let history = JobHistory::new(versions.clone(), &pods, writes);
        let found = search(&history, writes, Cache::default());
        add(&mut report, writes, found.differences);
        let _: Vec<Publication> = found.published;
    }
    report.sort();
    report
}

fn add(report: &mut Report, writes: &[Write<'_>], differences: Vec<Option<String>>) {
    for (write, difference) in writes.iter().zip(differences) {
        let version = write.version;
        report.add(write.change.kind(), version.full_name(), version.resource_version, difference);
    }
}
