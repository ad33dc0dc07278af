//! Which of the recorded changes the Job and CronJob controllers made.

use super::clock::deletion_requested;
use super::read::EventType;
use super::recording::{Recording, Version};
use super::report::Kind;
use policy_core::Timestamp;
use policy_core::spec::{CronJobStatus, JOB_TRACKING_FINALIZER, Job, JobStatus, ObjectMeta, OwnerReference};
use serde_json::Value;
use std::collections::HashMap;
use std::ops::RangeInclusive;

/// A change that a controller has made.
#[derive(Clone, Debug)]
pub(super) struct Write<'r> {
    pub(super) version: &'r Version,
    pub(super) change: Change<'r>,
    /// The seconds in which the server may have taken it.
    pub(super) seconds: RangeInclusive<i64>,
}

/// What was changed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change<'r> {
    JobStatus(&'r JobStatus),
    CreatePod(&'r Value),
    DeletePod,
    RemoveFinalizer,
    AdoptPod,
    ReleasePod,
    CronJobStatus(&'r CronJobStatus),
    CreateJob(&'r Value),
    DeleteJob,
}

impl Change<'_> {
    pub(super) fn kind(self) -> Kind {
        match self {
            Change::JobStatus(_) => Kind::JobStatus,
            Change::CreatePod(_) => Kind::PodCreate,
            Change::DeletePod => Kind::PodDelete,
            Change::RemoveFinalizer => Kind::FinalizerRemoval,
            Change::AdoptPod => Kind::PodAdopt,
            Change::ReleasePod => Kind::PodRelease,
            Change::CronJobStatus(_) => Kind::CronJobStatus,
            Change::CreateJob(_) => Kind::JobCreate,
            Change::DeleteJob => Kind::JobDelete,
        }
    }

    /// What was done, in words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Change::JobStatus(_) | Change::CronJobStatus(_) => "a status",
            Change::CreatePod(_) => "a new Pod",
            Change::DeletePod => "the Pod's deletion",
            Change::RemoveFinalizer => "the removal of the Pod's tracking finalizer",
            Change::AdoptPod => "the Pod's adoption",
            Change::ReleasePod => "the Pod's release",
            Change::CreateJob(_) => "a new Job",
            Change::DeleteJob => "the Job's deletion",
        }
    }
}

/// The controllers' writes in the order in which the server took them.
#[derive(Debug, Default)]
pub(super) struct Writes<'r> {
    /// By UID of the Job or CronJob that they are about.
    pub(super) by_owner: HashMap<&'r str, Vec<Write<'r>>>,
    /// Finalizers taken off Pods that no Job counts any more.
    pub(super) of_orphans: Vec<Write<'r>>,
}

impl<'r> Writes<'r> {
    pub(super) fn of(recording: &'r Recording) -> Self {
        let Some(manager) = recording.manager() else { return Writes::default() };
        let seeker =
            Seeker { recording, manager, deletions: deletions(recording), owners: owners(recording) };
        let mut writes = Writes::default();
        let live = recording.versions.iter().filter(|v| v.resource_version > recording.found_until);
        for version in live {
            let Some((owner, change)) = seeker.change(version) else { continue };
            let seconds = recording.clock.at(version).unwrap_or(0..=0);
            let write = Write { version, change, seconds };
            match owner {
                Some(owner) => writes.by_owner.entry(owner).or_default().push(write),
                None => writes.of_orphans.push(write),
            }
        }
        writes
    }
}

/// Objects that were deleted, and when, by what events say: the UID of the Job or CronJob, and the message.
type Deletions<'r> = HashMap<(&'r str, &'r str), Vec<i64>>;

fn deletions(recording: &Recording) -> Deletions<'_> {
    let mut deletions = Deletions::new();
    let published = recording.versions.iter().filter_map(Version::published);
    for event in published.filter(|event| event.reason == "SuccessfulDelete") {
        let key = (event.regarding.as_str(), event.message.as_str());
        deletions.entry(key).or_default().extend(event.time.map(|time| time.unix_seconds()));
    }
    deletions
}

/// The versions of each Job and CronJob, in order.
fn owners(recording: &Recording) -> HashMap<&str, Vec<&Version>> {
    let mut owners: HashMap<&str, Vec<&Version>> = HashMap::new();
    for version in &recording.versions {
        if version.job().is_some() || version.cron_job().is_some() {
            owners.entry(&version.uid).or_default().push(version);
        }
    }
    owners
}

struct Seeker<'r> {
    recording: &'r Recording,
    manager: &'r str,
    deletions: Deletions<'r>,
    owners: HashMap<&'r str, Vec<&'r Version>>,
}

/// A change and the UID of the object that it was decided for; none for orphans.
type Found<'r> = Option<(Option<&'r str>, Change<'r>)>;

impl<'r> Seeker<'r> {
    fn change(&self, version: &'r Version) -> Found<'r> {
        if version.pod().is_some() {
            return self.pod_change(version);
        }
        let before = self.recording.before(version);
        if let (Some(job), Some(old)) = (version.job(), before.and_then(Version::job)) {
            let written = version.event == EventType::Modified
                && job.status != old.status
                && version.authors.is(self.manager, "status");
            return written
                .then_some((Some(&*version.uid), Change::JobStatus(&job.status)))
                .or_else(|| self.deleted_job(version, old).map(|owner| (Some(owner), Change::DeleteJob)));
        }
        if let (Some(cron_job), Some(old)) = (version.cron_job(), before.and_then(Version::cron_job)) {
            let written = version.event == EventType::Modified
                && cron_job.status != old.status
                && version.authors.is(self.manager, "status");
            return written.then_some((Some(&version.uid), Change::CronJobStatus(&cron_job.status)));
        }
        let owner = self.known_owner(version, version.job()?.metadata.controller()?, "CronJob")?;
        let created = version.created.as_ref().filter(|_| version.authors.is(self.manager, ""))?;
        Some((Some(owner), Change::CreateJob(created)))
    }

    fn deleted_job(&self, version: &'r Version, old: &'r Job) -> Option<&'r str> {
        let owner = old.metadata.controller().filter(|owner| owner.kind == "CronJob")?;
        let message = format!("Deleted job {}", version.name);
        self.was_deleted_by(version, &old.metadata, &owner.uid, &message)
    }

    fn pod_change(&self, version: &'r Version) -> Found<'r> {
        let pod = &version.pod()?.metadata;
        let Some(before) = self.recording.before(version).and_then(Version::pod) else {
            let owner = self.known_owner(version, pod.controller()?, "Job")?;
            let created = version.created.as_ref().filter(|_| version.authors.is(self.manager, ""))?;
            return Some((Some(owner), Change::CreatePod(created)));
        };
        let old = &before.metadata;
        let deleted = version.is_deleted();
        match (old.controller(), pod.controller()) {
            (None, Some(owner)) if !deleted && owner.kind == "Job" => {
                let owner = self.known_owner(version, owner, "Job")?;
                return version.authors.is(self.manager, "").then_some((Some(owner), Change::AdoptPod));
            }
            // The garbage collector takes owners away as well, but only those that are being deleted.
            (Some(owner), None) if !deleted && owner.kind == "Job" => {
                let (owner, job) = self.live_job(version, owner)?;
                let released = !job.metadata.is_deleting();
                return released.then_some((Some(owner), Change::ReleasePod));
            }
            _ => {}
        }
        let had_finalizer = old.has_finalizer(JOB_TRACKING_FINALIZER);
        if had_finalizer && (deleted || !pod.has_finalizer(JOB_TRACKING_FINALIZER)) {
            return self.removed_finalizer(version, old);
        }
        let owner = old.controller().filter(|owner| owner.kind == "Job")?;
        let message = format!("Deleted pod: {}", version.name);
        let owner = self.was_deleted_by(version, old, &owner.uid, &message)?;
        Some((Some(owner), Change::DeletePod))
    }

    fn removed_finalizer(&self, version: &'r Version, old: &'r ObjectMeta) -> Found<'r> {
        if !version.authors.may_have_removed_finalizer(self.manager) {
            return None;
        }
        let owner = match old.controller() {
            None => None,
            Some(owner) if owner.kind != "Job" => return None,
            Some(owner) => self.live_job(version, owner),
        };
        let counted_by = owner.filter(|(_, job)| job.status.finished().is_none()).map(|(uid, _)| uid);
        Some((counted_by, Change::RemoveFinalizer))
    }

    /// Whether this version is the one in which the object's deletion was asked for, and an event of its owner says
    /// at that time that it was deleted.
    fn was_deleted_by(
        &self,
        version: &'r Version,
        old: &ObjectMeta,
        owner: &'r str,
        message: &str,
    ) -> Option<&'r str> {
        let metadata = version.metadata()?;
        if old.is_deleting() || !(version.is_deleted() || metadata.is_deleting()) {
            return None;
        }
        let times = self.deletions.get(&(owner, message))?;
        let asked = deletion_requested(metadata).map(|time| time.unix_seconds());
        let near = |time: &i64| asked.is_none_or(|asked| time.abs_diff(asked) <= 1);
        times.iter().any(near).then_some(owner)
    }

    /// The UID of an owner of that kind, if its recording began before this version.
    fn known_owner(&self, version: &Version, owner: &'r OwnerReference, kind: &str) -> Option<&'r str> {
        let first = self.owners.get(owner.uid.as_str())?.first()?;
        let known = owner.kind == kind && first.resource_version < version.resource_version;
        known.then_some(&*owner.uid)
    }

    /// The Job as it stood when this version was made, unless it was gone.
    fn live_job(&self, version: &Version, owner: &'r OwnerReference) -> Option<(&'r str, &'r Job)> {
        let versions = self.owners.get(owner.uid.as_str())?;
        let place = versions.partition_point(|job| job.resource_version < version.resource_version);
        let newest = versions.get(place.checked_sub(1)?)?;
        Some((&*owner.uid, newest.job().filter(|_| !newest.is_deleted())?))
    }
}

/// The instants, not before `from`, at which a decision may have been made that led to a write within these seconds of
/// the server's clock: the two clocks agree within a second. Whole seconds are enough, because all that a decision
/// compares `now` with is in whole seconds.
pub(super) fn instants(seconds: &RangeInclusive<i64>, from: Option<Timestamp>) -> Vec<Timestamp> {
    /// How many seconds are tried at either end of a stretch in which nothing tells the time.
    const ENDS: i64 = 4;
    let (first, last) = (seconds.start() - 1, seconds.end() + 1);
    let head = first..=last.min(first + ENDS);
    let tail = (first + ENDS + 1).max(last - ENDS)..=last;
    head.chain(tail)
        .filter_map(|second| Timestamp::from_unix(second, 0))
        .filter(|instant| from.is_none_or(|from| *instant >= from))
        .collect()
}
