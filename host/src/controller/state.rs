//! What the watches have shown and what is remembered of it, under one lock that is never held across a call.

use super::objects::RawObject;
use policy_core::job::PodDigester;
use policy_core::spec::{CronJob, Job, OwnerReference, Pod, StringMap};
use policy_core::watch::PodSeen;
use policy_core::{DigestedEvent, JobCache, JobMemory};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

/// Namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    pub(super) namespace: Arc<str>,
    pub(super) name: Arc<str>,
}

impl Key {
    pub(super) fn new(namespace: &str, name: &str) -> Self {
        Key { namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Everything that is known.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) jobs: BTreeMap<Key, JobEntry>,
    pub(super) pods: Pods,
    pub(super) cron_jobs: HashMap<Key, CronJobEntry>,
    /// Jobs by the UID of the CronJob that controls them.
    pub(super) children: HashMap<String, BTreeSet<Key>>,
    /// How far the watch of Jobs has come.
    pub(super) jobs_version: u64,
    /// How far the watch of Pods has come.
    pub(super) pods_version: u64,
}

/// The Jobs of a namespace.
pub(super) fn jobs_in<'j>(
    jobs: &'j mut BTreeMap<Key, JobEntry>,
    namespace: &Arc<str>,
) -> impl Iterator<Item = (&'j Key, &'j mut JobEntry)> {
    let first = Key { namespace: namespace.clone(), name: "".into() };
    let namespace = namespace.clone();
    jobs.range_mut(first..).take_while(move |(key, _)| key.namespace == namespace)
}

/// What is known of one Job, by namespace and name.
#[derive(Debug, Default)]
pub(super) struct JobEntry {
    /// The Job as the watch shows it, without what only decisions read.
    pub(super) job: Option<Arc<Job>>,
    /// Whether it is ours to decide about, and can be.
    pub(super) standing: Standing,
    /// The newest whole Job, until the next sync takes it.
    pub(super) fresh: Option<Box<Job>>,
    /// The newest Job for writing its status back.
    pub(super) raw: Option<Arc<RawObject>>,
    pub(super) digester: Option<PodDigester>,
    /// What decisions see, as of the start of the last sync. Away while a sync is under way.
    pub(super) cache: Option<JobCache>,
    /// What the watch has shown of its Pods since.
    pub(super) pending: Vec<DigestedEvent>,
    /// How long `pending` gets before it is compacted.
    compact_at: usize,
    pub(super) memory: JobMemory,
    pub(super) written: Option<Written>,
}

/// Whether a Job is decided about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is ours.
    #[default]
    Ours,
    /// Another controller's.
    Elsewhere,
    /// It would be ours, but asks for something that is not known here.
    NotUnderstood(String),
}

/// The versions of the last own writes (upstream `consistencyStore`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) uid: String,
    pub(super) job: u64,
    pub(super) pod: u64,
}

impl JobEntry {
    pub(super) fn uid(&self) -> Option<&str> {
        self.job.as_deref().map(|job| job.metadata.uid.as_str())
    }

    /// Whether the Job is ours and still runs: its Pods are kept for decisions.
    pub(super) fn runs(&self) -> bool {
        let finished = self.job.as_deref().is_none_or(|job| job.status.finished().is_some());
        self.standing == Standing::Ours && !finished
    }

    /// Notes what the watch has shown of a Pod.
    pub(super) fn note(&mut self, event: DigestedEvent) {
        self.pending.push(event);
        // Without syncs, as in a replica that does not lead, the list must not grow for ever.
        if self.pending.len() >= self.compact_at.max(FIRST_COMPACTION) {
            compact(&mut self.pending);
            self.compact_at = self.pending.len().saturating_mul(2);
        }
    }

    /// Takes a Pod out of what decisions see, if it is there.
    pub(super) fn withdraw(&mut self, uid: &Arc<str>) {
        let pending = self.pending.iter().rev().find_map(|event| match event {
            DigestedEvent::Applied(facts) if facts.pod.uid() == &**uid => Some(true),
            DigestedEvent::Deleted(gone) if gone == uid => Some(false),
            _ => None,
        });
        // While a sync is under way the cache cannot be asked; a deletion of what is not there does no harm.
        let known = || self.cache.as_ref().is_none_or(|cache| cache.pod(uid).is_some());
        if pending.unwrap_or_else(known) {
            self.note(DigestedEvent::Deleted(uid.clone()));
        }
    }

    /// Remembers the versions of own writes (upstream `consistencyStore.WroteAt`).
    pub(super) fn note_written(&mut self, uid: &str, job: u64, pod: u64) {
        match self.written.as_mut().filter(|written| written.uid == uid) {
            Some(written) => (written.job, written.pod) = (written.job.max(job), written.pod.max(pod)),
            None => self.written = Some(Written { uid: uid.into(), job, pod }),
        }
    }
}

/// The fewest events that are worth compacting.
const FIRST_COMPACTION: usize = 256;

/// Keeps the last event of each Pod, in the order in which Pods came first.
fn compact(events: &mut Vec<DigestedEvent>) {
    let mut places: HashMap<Arc<str>, usize> = HashMap::new();
    let mut kept: Vec<DigestedEvent> = Vec::new();
    for event in events.drain(..) {
        let uid = match &event {
            DigestedEvent::Applied(facts) => facts.pod.uid().into(),
            DigestedEvent::Deleted(uid) => uid.clone(),
        };
        let place = *places.entry(uid).or_insert(kept.len());
        match kept.get_mut(place) {
            Some(earlier) => *earlier = event,
            None => kept.push(event),
        }
    }
    *events = kept;
}

/// What is known of one CronJob.
#[derive(Clone, Debug)]
pub(super) struct CronJobEntry {
    pub(super) cron_job: Arc<CronJob>,
    pub(super) raw: Arc<RawObject>,
    /// The version that the last own write of its status has left.
    pub(super) written: u64,
}

impl CronJobEntry {
    /// Whether the watch has not shown the last own write yet.
    pub(super) fn is_stale(&self) -> bool {
        version_of(&self.cron_job.metadata.resource_version) < self.written
    }
}

/// The Pods that may matter: those of Jobs, those with the tracking finalizer, and those that nobody controls.
#[derive(Debug, Default)]
pub(super) struct Pods {
    records: HashMap<Key, PodRecord>,
    /// Names by the UID of the controller.
    owned: HashMap<String, BTreeSet<Key>>,
    /// Names of Pods that nobody controls, by namespace.
    loose: HashMap<Arc<str>, BTreeSet<Key>>,
}

/// What is kept of a Pod.
#[derive(Clone, Debug)]
pub(super) struct PodRecord {
    pub(super) uid: Arc<str>,
    pub(super) version: u64,
    /// Shared among the Pods of a Job.
    pub(super) owner: Option<Arc<OwnerReference>>,
    pub(super) is_tracked: bool,
    pub(super) has_ended: bool,
    pub(super) is_deleting: bool,
    /// What may have to be digested later: Pods that nobody controls, and those whose Job is not known yet.
    pub(super) pod: Option<Box<Pod>>,
}

static NO_LABELS: StringMap = StringMap::new();

impl PodRecord {
    /// What decides whom an event concerns.
    pub(super) fn seen(&self) -> PodSeen<'_> {
        PodSeen {
            controller: self.owner.as_deref(),
            labels: self.pod.as_ref().map_or(&NO_LABELS, |pod| &pod.metadata.labels),
            is_tracked: self.is_tracked,
            is_deleting: self.is_deleting,
        }
    }

    /// Whether it counts for the metric of terminated Pods that are tracked.
    pub(super) fn is_terminated_and_tracked(&self) -> bool {
        self.is_tracked && self.has_ended
    }
}

impl Pods {
    pub(super) fn get(&self, key: &Key) -> Option<&PodRecord> {
        self.records.get(key)
    }

    pub(super) fn get_mut(&mut self, key: &Key) -> Option<&mut PodRecord> {
        self.records.get_mut(key)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.records.keys()
    }

    /// Takes a Pod in; returns it as it was before.
    pub(super) fn set(&mut self, key: &Key, mut record: PodRecord) -> Option<PodRecord> {
        let before = self.remove(key);
        let mut key = key.clone();
        match &mut record.owner {
            Some(owner) => {
                let siblings = self.owned.entry(owner.uid.clone()).or_default();
                let sibling = siblings.first().and_then(|key| self.records.get(key)?.owner.clone());
                // What is the same for all Pods of a Job is kept once.
                let namespace = siblings.first().map(|key| &key.namespace);
                if let Some(namespace) = namespace.filter(|namespace| **namespace == key.namespace) {
                    key.namespace = namespace.clone();
                }
                if let Some(shared) = sibling.filter(|shared| **shared == **owner) {
                    *owner = shared;
                }
                siblings.insert(key.clone());
            }
            None => drop(self.loose.entry(key.namespace.clone()).or_default().insert(key.clone())),
        }
        self.records.insert(key, record);
        before
    }

    /// Takes a Pod out.
    pub(super) fn remove(&mut self, key: &Key) -> Option<PodRecord> {
        let before = self.records.remove(key)?;
        match &before.owner {
            Some(owner) => remove_from(&mut self.owned, &owner.uid, key),
            None => remove_from(&mut self.loose, &key.namespace, key),
        }
        Some(before)
    }

    /// The Pods that the object with this UID controls.
    pub(super) fn owned_by(&self, uid: &str) -> impl Iterator<Item = (&Key, &PodRecord)> {
        self.entries(self.owned.get(uid))
    }

    /// The Pods of a namespace that nobody controls.
    pub(super) fn loose_in(&self, namespace: &str) -> impl Iterator<Item = (&Key, &PodRecord)> {
        self.entries(self.loose.get(namespace))
    }

    fn entries<'p>(
        &'p self,
        keys: Option<&'p BTreeSet<Key>>,
    ) -> impl Iterator<Item = (&'p Key, &'p PodRecord)> {
        keys.into_iter().flatten().filter_map(|key| Some((key, self.records.get(key)?)))
    }
}

fn remove_from<K: std::hash::Hash + Eq + std::borrow::Borrow<Q>, Q: std::hash::Hash + Eq + ?Sized>(
    index: &mut HashMap<K, BTreeSet<Key>>,
    at: &Q,
    key: &Key,
) {
    if let Some(keys) = index.get_mut(at) {
        keys.remove(key);
        if keys.is_empty() {
            index.remove(at);
        }
    }
}

/// Adds or takes a Job to or from the children of the CronJob that controls it.
pub(super) fn index_child(
    children: &mut HashMap<String, BTreeSet<Key>>,
    key: &Key,
    job: &Job,
    is_there: bool,
) {
    let Some(owner) = job.metadata.controller().filter(|owner| owner.kind == "CronJob") else { return };
    if is_there {
        children.entry(owner.uid.clone()).or_default().insert(key.clone());
    } else {
        remove_from(children, &owner.uid, key);
    }
}

/// A resource version as a number. Since Kubernetes 1.35 they are comparable; 0 when this one is not.
pub(super) fn version_of(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn events_that_nobody_takes_are_compacted() {
        let job: Job = serde_json::from_value(json!({"metadata": {"name": "j", "uid": "u"}})).unwrap();
        let digester = PodDigester::new(&job);
        let mut entry = JobEntry::default();
        for n in 0..1000 {
            let pod = json!({"metadata": {"uid": (n % 3).to_string(), "name": n.to_string()}});
            entry.note(DigestedEvent::Applied(digester.digest(&serde_json::from_value(pod).unwrap())));
        }
        entry.note(DigestedEvent::Deleted("1".into()));
        assert!(entry.pending.len() <= FIRST_COMPACTION);
        compact(&mut entry.pending);
        assert_eq!(entry.pending.len(), 3);
        assert!(
            entry.pending.iter().any(|event| matches!(event, DigestedEvent::Deleted(uid) if &**uid == "1"))
        );
    }

    #[test]
    fn pods_are_found_by_their_controller_or_by_having_none() {
        let record = |owner: Option<&str>| PodRecord {
            uid: "1".into(),
            version: 1,
            owner: owner.map(|uid| Arc::new(OwnerReference { uid: uid.into(), ..OwnerReference::default() })),
            is_tracked: true,
            has_ended: false,
            is_deleting: false,
            pod: None,
        };
        let (mut pods, key) = (Pods::default(), Key::new("n", "p"));
        assert!(pods.set(&key, record(Some("a"))).is_none());
        assert_eq!(pods.owned_by("a").count(), 1);
        assert!(pods.set(&key, record(None)).is_some());
        assert_eq!((pods.owned_by("a").count(), pods.loose_in("n").count()), (0, 1));
        assert!(pods.remove(&key).is_some());
        assert_eq!((pods.loose_in("n").count(), pods.keys().count()), (0, 0));
    }
}
