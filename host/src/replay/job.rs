//! The Job controller's part of a recording: one Job, its Pods, and what was decided about them.

use super::recording::{Recording, Version};
use super::search::{Answer, Cache, Controller, Reached, Sync};
use super::writes::{Change, Write};
use calls::Live;
use mentions::Mentions;
use policy_core::job::{Call, Claim, JobView, PodCreate, PodDigester, PodDraft, PodFacts, Step, begin};
use policy_core::spec::{Job, Pod};
use policy_core::step::Outcome;
use policy_core::{JobMemory, Settings};
use serde_json::Value;
use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::ops::Range;

mod calls;
mod mentions;

/// The versions of Pods, in order, by where Jobs may find them.
#[derive(Debug, Default)]
pub(super) struct PodIndex<'r> {
    by_uid: HashMap<&'r str, Vec<&'r Version>>,
    /// UIDs of Pods that the Job with this UID ever controlled.
    by_controller: HashMap<&'r str, HashSet<&'r str>>,
    /// UIDs of Pods that nobody controlled at some time, by namespace.
    orphans: HashMap<&'r str, HashSet<&'r str>>,
}

impl<'r> PodIndex<'r> {
    pub(super) fn of(recording: &'r Recording) -> Self {
        let mut index = PodIndex::default();
        for version in &recording.versions {
            let Some(pod) = version.pod() else { continue };
            index.by_uid.entry(&version.uid).or_default().push(version);
            let group = match pod.metadata.controller() {
                Some(owner) => index.by_controller.entry(&owner.uid),
                None => index.orphans.entry(&version.namespace),
            };
            group.or_default().insert(&version.uid);
        }
        index
    }

    /// The versions of all Pods that the Job has or might claim, in order.
    fn of_job(&self, job: &Job) -> Vec<&'r Version> {
        let digester = PodDigester::new(job);
        let owned = self.by_controller.get(job.metadata.uid.as_str());
        let orphans = self.orphans.get(job.metadata.namespace.as_str());
        let uids: HashSet<&str> = owned.into_iter().chain(orphans).flatten().copied().collect();
        let claimed = |versions: &&Vec<&Version>| {
            let mut pods = versions.iter().filter_map(|version| version.pod());
            pods.any(|pod| digester.digest(pod).claim != Claim::Foreign)
        };
        let pods = uids.into_iter().filter_map(|uid| self.by_uid.get(uid)).filter(claimed);
        let mut versions: Vec<&Version> = pods.flatten().copied().collect();
        versions.sort_by_key(|version| version.resource_version);
        versions
    }
}

/// One Job in a recording.
pub(super) struct JobHistory<'r> {
    versions: Vec<&'r Version>,
    /// By version of the Job; none where it is gone.
    drafts: Vec<OnceCell<Option<PodDraft>>>,
    compared: RefCell<Comparisons>,
    events: Vec<PodEvent<'r>>,
    /// For each Pod, the places of its events.
    pods: Vec<Vec<usize>>,
    /// Places of Pods by UID.
    places: HashMap<&'r str, usize>,
    mentions: Mentions<'r>,
    settings: Settings,
}

/// Differences between Pods to create and Pods created, by version of the Job and resource version of the Pod.
type Comparisons = HashMap<(usize, u64), Vec<(PodCreate, Vec<String>)>>;

/// One event of a Pod.
struct PodEvent<'r> {
    version: &'r Version,
    /// Which Pod, by place in [`JobHistory::pods`].
    pod: usize,
    /// The Pod as it was then; `None` once it is gone.
    facts: Option<PodFacts>,
    /// Whether that differs from the event of this Pod before.
    changes: bool,
}

/// What a sync of a Job looks at.
pub(super) struct View {
    own: usize,
    pods: Vec<PodFacts>,
}

impl<'r> JobHistory<'r> {
    /// The history of a Job from its versions, which must not be empty.
    pub(super) fn new(versions: Vec<&'r Version>, pods: &PodIndex<'r>, writes: &[Write<'r>]) -> Self {
        let mut history = JobHistory {
            drafts: versions.iter().map(|_| OnceCell::new()).collect(),
            compared: RefCell::default(),
            events: Vec::new(),
            pods: Vec::new(),
            places: HashMap::new(),
            mentions: Mentions::default(),
            settings: Settings::DEFAULT,
            versions,
        };
        // What Pods are digested by cannot change on an API server.
        if let Some(job) = history.versions.iter().find_map(|version| version.job()) {
            history.add_pods(&PodDigester::new(job), pods.of_job(job));
        }
        let names = history.events.iter().map(|event| (&*event.version.uid, &*event.version.name));
        history.mentions = Mentions::of(writes, &names.collect());
        history
    }

    fn add_pods(&mut self, digester: &PodDigester, versions: Vec<&'r Version>) {
        for version in versions {
            let place = *self.places.entry(&version.uid).or_insert(self.pods.len());
            if place == self.pods.len() {
                self.pods.push(Vec::new());
            }
            let facts = version.pod().filter(|_| !version.is_deleted()).map(|pod| digester.digest(pod));
            let before = self.pods[place].last().and_then(|event| self.events[*event].facts.as_ref());
            let changes = before != facts.as_ref();
            self.pods[place].push(self.events.len());
            self.events.push(PodEvent { version, pod: place, facts, changes });
        }
    }

    fn job(&self, own: usize) -> Option<&'r Job> {
        let version = self.versions.get(own.checked_sub(1)?)?;
        version.job().filter(|_| !version.is_deleted())
    }

    /// What the recording shows of the Job and its Pods between revisions.
    fn live(&self) -> Live<'_, 'r> {
        Live { history: self }
    }

    /// The event of the Pod that came last of the first `shown`.
    fn newest(&self, pod: usize, shown: usize) -> Option<&PodEvent<'r>> {
        let events = self.pods.get(pod)?;
        let place = events.partition_point(|event| *event < shown).checked_sub(1)?;
        self.events.get(*events.get(place)?)
    }

    /// How a Pod that was created differs from what a version of the Job asks for. Many hypotheses ask the same.
    fn pod_differences(
        &self,
        own: usize,
        create: &PodCreate,
        write: &Write<'_>,
        written: &Value,
    ) -> Option<Vec<String>> {
        let draft = self.drafts.get(own.checked_sub(1)?)?.get_or_init(|| self.job(own).map(PodDraft::new));
        let draft = draft.as_ref()?;
        let mut compared = self.compared.borrow_mut();
        let of_pod = compared.entry((own, write.version.resource_version)).or_default();
        if let Some((_, differences)) = of_pod.iter().find(|(other, _)| other == create) {
            return Some(differences.clone());
        }
        let differences = calls::pod_differences(draft, create, written);
        of_pod.push((*create, differences.clone()));
        Some(differences)
    }
}

impl Controller for JobHistory<'_> {
    type View = View;
    type Memory = JobMemory;
    type Call = Call;
    type Outcome = Outcome;

    fn view(&self, cache: Cache, next: usize) -> Option<View> {
        self.job(cache.own)?;
        let newest = (0..self.pods.len()).filter_map(|pod| self.newest(pod, cache.dependents));
        let mut pods: Vec<PodFacts> = newest.filter_map(|event| event.facts.clone()).collect();
        // Upstream lists Pods in the order of a Go map, that is in none.
        pods.sort_by_cached_key(|pod| self.mentions.rank(&pod.pod, next));
        Some(View { own: cache.own, pods })
    }

    fn run(&self, sync: &Sync<Self>) -> Reached<Self> {
        let mut memory = sync.memory.clone();
        let mut events = Vec::new();
        let Some(job) = self.job(sync.view.own) else {
            return Reached { memory, events, calls: None };
        };
        let view = JobView::new(job, &sync.view.pods, &self.settings);
        let mut waves = sync.waves.iter();
        let mut now = sync.now;
        let mut step = begin(view, &memory, now, &mut ());
        loop {
            match step {
                Step::Wave(wave, paused) => {
                    memory.expect(&wave.expect, &wave.calls, now);
                    events.extend(wave.events);
                    let Some((outcomes, later)) = waves.next() else {
                        return Reached { memory, events, calls: Some(wave.calls) };
                    };
                    now = *later;
                    step = paused.resume(view, outcomes, now, &mut ());
                }
                Step::Finished(finished) => {
                    memory.apply(&finished.memory);
                    events.extend(finished.events);
                    return Reached { memory, events, calls: None };
                }
            }
        }
    }

    fn shown_before(&self, revision: u64) -> Cache {
        Cache {
            own: self.versions.partition_point(|version| version.resource_version < revision),
            dependents: self.events.partition_point(|event| event.version.resource_version < revision),
        }
    }

    /// Upstream's `consistencyStore`: a Job waits until its own writes are in the cache. Deletions are not among them.
    fn shows(&self, write: &Write<'_>) -> Cache {
        let shown = self.shown_before(write.version.resource_version + 1);
        match write.change {
            Change::JobStatus(_) => Cache { own: shown.own, dependents: 0 },
            Change::CreatePod(_) | Change::RemoveFinalizer | Change::AdoptPod => {
                Cache { own: 0, dependents: shown.dependents }
            }
            _ => Cache::default(),
        }
    }

    fn distinct(&self, range: Range<usize>) -> Vec<usize> {
        let changing = |shown: &usize| {
            let event = shown.checked_sub(1).and_then(|event| self.events.get(event));
            *shown == range.start || event.is_some_and(|event| event.changes)
        };
        range.clone().filter(changing).collect()
    }

    fn observe(&self, memory: &mut JobMemory, shown: Range<usize>) {
        for place in shown {
            let Some(event) = self.events.get(place) else { return };
            let before = self.newest(event.pod, place).and_then(|event| event.facts.as_ref());
            memory.observe(before, event.facts.as_ref(), false);
        }
    }

    fn versions_before(&self, write: &Write<'_>) -> Option<usize> {
        let own = matches!(write.change, Change::JobStatus(_));
        own.then(|| self.shown_before(write.version.resource_version).own)
    }

    fn answer(&self, call: &Call, write: &Write<'_>, view: &View) -> Answer<Outcome> {
        calls::answer(call, write, |create, written| self.pod_differences(view.own, create, write, written))
    }

    fn unseen(&self, call: &Call, between: Range<u64>, base: usize) -> Option<Outcome> {
        self.live().unseen(call, between, base)
    }

    /// Pods are stripped and deleted one beside the other, and claimed one after the other.
    fn overlap(&self, earlier: &Call, later: &Call) -> bool {
        matches!(
            (earlier, later),
            (Call::RemoveFinalizer(_), Call::DeletePod(_)) | (Call::Release(_), Call::Adopt(_))
        )
    }

    fn describe(&self, call: &Call) -> String {
        calls::describe(call)
    }
}

impl<'r> JobHistory<'r> {
    /// How many versions of the Job there were before a revision.
    fn shown_at(&self, revision: u64) -> usize {
        self.versions.partition_point(|version| version.resource_version < revision)
    }

    /// The Job as the server had it at any time between two revisions.
    fn jobs_between(&self, between: &Range<u64>) -> impl Iterator<Item = Option<&'r Job>> {
        let first = self.versions.partition_point(|version| version.resource_version <= between.start);
        let end = self.versions.partition_point(|version| version.resource_version < between.end);
        (first..end.max(first) + 1).map(|own| self.job(own))
    }

    /// A Pod as the server had it at any time between two revisions; `None` where it was gone.
    fn pods_between(&self, uid: &str, between: &Range<u64>) -> impl Iterator<Item = Option<&'r Pod>> {
        let places = self.places.get(uid).and_then(|place| self.pods.get(*place));
        let events = places.map_or(&[][..], |events| events);
        let revision =
            |event: &usize| self.events.get(*event).map_or(0, |event| event.version.resource_version);
        let first = events.partition_point(|event| revision(event) <= between.start).saturating_sub(1);
        let end = events.partition_point(|event| revision(event) < between.end).max(first);
        let live = events[first..end].iter().filter_map(|event| self.events.get(*event));
        live.map(|event| event.version.pod().filter(|_| !event.version.is_deleted()))
    }
}
