//! A controller: a cache fed by watches, a memory, a queue of one key, and the loop that carries out waves. It crashes,
//! calls fail, and answers get lost.

use super::random::Random;
use super::store::{Answer, PodChange, Store, version_of};
use policy_core::explain::{Finding, Trace, Verdict};
use policy_core::job::{Call, Finished, PodDraft, PodRef, Step, begin};
use policy_core::orphan::{self, OrphanDecision};
use policy_core::spec::{Job, Pod};
use policy_core::step::{CallError, CallErrorKind, Outcome, Wave};
use policy_core::{JobCache, JobMemory, NANOS_PER_SECOND, PodEvent, Settings, Timestamp};

/// How often things go wrong, in hundredths.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    /// A call is refused.
    pub(crate) refused: usize,
    /// A call is carried out and its answer is lost.
    pub(crate) lost: usize,
    /// The controller dies in a wave.
    pub(crate) crash: usize,
    /// An event of a watch comes in while a wave is under way.
    pub(crate) late: usize,
}

pub(crate) struct Controller {
    pub(crate) settings: Settings,
    /// Whether a sync waits until own writes are in the cache.
    pub(crate) waits_for_own_writes: bool,
    pub(crate) faults: Faults,
    pub(crate) memory: JobMemory,
    /// What decisions are made about; `None` when there is no Job.
    cache: Option<JobCache>,
    /// The Pods as the watch has shown them.
    pods: Vec<Pod>,
    pub(crate) job_cursor: usize,
    pub(crate) pod_cursor: usize,
    /// The version of the last status written, and how far the watch of Pods is with the last Pod written.
    written_version: u64,
    written_pods: usize,
    /// When the key is due.
    pub(crate) due: Option<Timestamp>,
    orphans: Vec<String>,
    /// Findings of every sync.
    pub(crate) findings: Vec<Finding>,
}

impl Controller {
    pub(crate) fn new(settings: Settings, waits_for_own_writes: bool, faults: Faults) -> Self {
        Controller {
            settings,
            waits_for_own_writes,
            faults,
            memory: JobMemory::default(),
            cache: None,
            pods: Vec::new(),
            job_cursor: 0,
            pod_cursor: 0,
            written_version: 0,
            written_pods: 0,
            due: None,
            orphans: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// Starts with nothing in mind: lists everything, in any order.
    pub(crate) fn start(&mut self, store: &Store, random: &mut Random) {
        store.tell(|| "the controller starts".into());
        self.memory = JobMemory::default();
        self.pods = store.pods.values().cloned().collect();
        random.shuffle(&mut self.pods);
        self.cache = store.job.clone().map(JobCache::new);
        if let Some(cache) = &mut self.cache {
            for pod in &self.pods {
                cache.apply(PodEvent::Applied(pod));
            }
        }
        (self.job_cursor, self.pod_cursor) = (store.job_log.len(), store.pod_log.len());
        (self.written_version, self.written_pods) = (0, 0);
        self.due = Some(store.now);
        self.orphans = self.pods.iter().map(|pod| pod.metadata.name.clone()).collect();
    }

    fn enqueue(&mut self, at: Timestamp) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// Whether the watch of Jobs (of Pods) has something that has not come in.
    pub(crate) fn is_behind(&self, store: &Store) -> bool {
        self.job_cursor < store.job_log.len() || self.pod_cursor < store.pod_log.len()
    }

    pub(crate) fn deliver_job(&mut self, store: &Store) {
        let Some(change) = store.job_log.get(self.job_cursor) else { return };
        self.job_cursor += 1;
        self.enqueue(store.now);
        match (change, &mut self.cache) {
            (Some(job), Some(cache)) => {
                cache.set_job(job.clone());
                if job.status.finished().is_none() {
                    return;
                }
            }
            (Some(job), None) => self.cache = Some(JobCache::new(job.clone())),
            (None, _) => {
                self.cache = None;
                self.memory = JobMemory::default();
            }
        }
        self.orphans = self.pods.iter().map(|pod| pod.metadata.name.clone()).collect();
    }

    pub(crate) fn deliver_pod(&mut self, store: &Store) {
        let Some(change) = store.pod_log.get(self.pod_cursor) else { return };
        self.pod_cursor += 1;
        let (PodChange::Set(pod) | PodChange::Gone(pod)) = change;
        let place = self.pods.iter().position(|known| known.metadata.uid == pod.metadata.uid);
        if let Some(cache) = &mut self.cache {
            let event = match change {
                PodChange::Set(pod) => PodEvent::Applied(pod),
                PodChange::Gone(pod) => PodEvent::Deleted { uid: &pod.metadata.uid },
            };
            cache.apply_and_observe(event, &mut self.memory);
        }
        match (change, place) {
            (PodChange::Gone(_), Some(place)) => drop(self.pods.remove(place)),
            (PodChange::Gone(_), None) => {}
            (PodChange::Set(pod), Some(place)) => self.pods[place] = pod.clone(),
            (PodChange::Set(pod), None) => self.pods.push(pod.clone()),
        }
        self.orphans.push(pod.metadata.name.clone());
        self.enqueue(store.now.plus_nanos(self.settings.sync_batch_period_nanos));
    }

    /// Takes the finalizer off orphans; what fails is tried again.
    pub(crate) fn sync_orphans(&mut self, store: &mut Store, random: &mut Random) {
        for name in std::mem::take(&mut self.orphans) {
            let Some(pod) = self.pods.iter().find(|pod| pod.metadata.name == name) else { continue };
            if let OrphanDecision::RemoveFinalizer(pod) =
                orphan::decide(pod, self.cache.as_ref().map(JobCache::job), &self.settings, &mut ())
            {
                let outcome = self.with_faults(random, store, |store| store.remove_finalizer(&pod));
                if outcome.is_err_and(|kind| kind != CallErrorKind::NotFound) {
                    self.orphans.push(name);
                }
            }
        }
    }

    pub(crate) fn has_orphans(&self) -> bool {
        !self.orphans.is_empty()
    }

    /// One sync, if the key is due. `false`: the controller died in it.
    pub(crate) fn sync(&mut self, store: &mut Store, random: &mut Random) -> bool {
        self.due = None;
        // Events that come in while the sync is under way belong to the next one.
        let Some(cache) = self.cache.clone() else { return true };
        let (job, pods) = (cache.job(), self.pods.clone());
        let version = version_of(&job.metadata.resource_version);
        let behind = version < self.written_version || self.pod_cursor < self.written_pods;
        self.memory.awaits_own_writes = self.waits_for_own_writes && behind;
        let settings = self.settings.clone();
        let view = cache.view(&settings);
        let mut sync = SyncRun {
            job,
            pods: &pods,
            draft: PodDraft::new(job),
            version,
            trace: Trace::default(),
            calls: 0,
        };
        store.tell(|| {
            let pods = view
                .pods
                .iter()
                .map(|pod| (pod.pod.uid(), pod.phase, pod.deleting, pod.has_finalizer, pod.index));
            format!("sync at job {version}, {:?}, {:?}", self.memory, pods.collect::<Vec<_>>())
        });
        let mut step = begin(view, &self.memory, store.now, &mut sync.trace);
        let end = loop {
            match step {
                Step::Finished(end) => break end,
                Step::Wave(wave, paused) => {
                    let Some(outcomes) = self.carry_out(&mut sync, wave, store, random) else { return false };
                    step = paused.resume(view, &outcomes, store.now, &mut sync.trace);
                }
            }
        };
        check_citations(sync.trace.findings(), sync.calls);
        self.findings.extend_from_slice(sync.trace.findings());
        store.tell(|| format!("sync ends {end:?}"));
        self.finish(&end, store.now);
        true
    }

    fn finish(&mut self, end: &Finished, now: Timestamp) {
        self.memory.apply(&end.memory);
        if let Some(at) = end.wake.at {
            self.enqueue(at.max(now));
        }
        if end.wake.retry {
            self.enqueue(now.plus_nanos(NANOS_PER_SECOND));
        }
    }

    /// Carries out a wave, its calls in any order, with faults; `None` when the controller dies over it.
    fn carry_out(
        &mut self,
        sync: &mut SyncRun<'_>,
        wave: Wave<Call>,
        store: &mut Store,
        random: &mut Random,
    ) -> Option<Vec<Outcome>> {
        assert!(wave.first_call >= sync.calls, "call numbers are used once");
        sync.calls = wave.first_call + u32::try_from(wave.calls.len()).unwrap();
        self.memory.expect(&wave.expect, &wave.calls, store.now);
        let mut outcomes: Vec<Outcome> = wave.calls.iter().map(|_| Outcome::done()).collect();
        let mut order: Vec<usize> = (0..wave.calls.len()).collect();
        random.shuffle(&mut order);
        for place in order {
            if random.chance(self.faults.crash) {
                return None;
            }
            let counted = wave.expect.finalizer_removals;
            outcomes[place] = self.carry_out_one(sync, &wave.calls[place], counted, store, random);
            if random.chance(self.faults.late) {
                self.deliver_job(store);
            }
            if random.chance(self.faults.late) {
                self.deliver_pod(store);
            }
        }
        store.now = store.now.plus_nanos(1_000_000);
        Some(outcomes)
    }

    fn carry_out_one(
        &mut self,
        sync: &mut SyncRun<'_>,
        call: &Call,
        counted: bool,
        store: &mut Store,
        random: &mut Random,
    ) -> Outcome {
        if let Call::RemoveFinalizer(pod) = call
            && counted
        {
            sync.check_finalizer(store, pod);
        }
        let result = match call {
            Call::ReadJob => return sync.read(store),
            Call::Adopt(pod) => {
                self.with_faults(random, store, |store| store.adopt(pod, sync.job)).map(|()| String::new())
            }
            Call::Release(pod) => {
                self.with_faults(random, store, |store| store.release(pod, sync.job)).map(|()| String::new())
            }
            Call::CreatePod(create) => {
                let pod = sync.draft.pod(create);
                self.with_faults(random, store, |store| store.create_pod(&pod))
            }
            Call::DeletePod(pod) => {
                self.with_faults(random, store, |store| store.delete_pod(pod.name())).map(|()| String::new())
            }
            Call::RemoveFinalizer(pod) => {
                self.with_faults(random, store, |store| store.remove_finalizer(pod)).map(|()| String::new())
            }
            Call::WriteStatus(status) => {
                let version = sync.version;
                let written = self.with_faults(random, store, |store| store.write_status(version, status));
                if let Ok(version) = written {
                    sync.version = version;
                    self.written_version = self.written_version.max(version);
                }
                written.map(|_| String::new())
            }
            other => panic!("a call that this world does not know: {other:?}"),
        };
        store.tell(|| format!("{call:?} -> {result:?}"));
        if result.is_ok()
            && matches!(
                call,
                Call::Adopt(_) | Call::Release(_) | Call::CreatePod(_) | Call::RemoveFinalizer(_)
            )
        {
            self.written_pods = store.pod_log.len();
        }
        if counted && result == Err(CallErrorKind::NotFound) {
            // Upstream forgets such a Pod at once; a cache that still shows it with its finalizer would have it counted
            // again. `a_pod_that_is_gone_and_still_in_the_cache_is_counted_twice` shows it; here the watch is in time.
            while self.pod_cursor < store.pod_log.len() {
                self.deliver_pod(store);
            }
        }
        match result {
            Ok(name) => Outcome::Done { name },
            Err(kind) => Outcome::Failed(CallError { kind, message: format!("{kind:?}") }),
        }
    }

    /// A call that may be refused, or carried out with its answer lost.
    fn with_faults<T>(
        &self,
        random: &mut Random,
        store: &mut Store,
        call: impl FnOnce(&mut Store) -> Answer<T>,
    ) -> Answer<T> {
        if random.chance(self.faults.refused) {
            return Err(CallErrorKind::Other);
        }
        let answer = call(store);
        if random.chance(self.faults.lost) { Err(CallErrorKind::Other) } else { answer }
    }
}

/// One sync under way.
struct SyncRun<'a> {
    job: &'a Job,
    pods: &'a [Pod],
    draft: PodDraft,
    version: u64,
    trace: Trace,
    calls: u32,
}

impl SyncRun<'_> {
    fn read(&self, store: &Store) -> Outcome {
        match &store.job {
            Some(job) => Outcome::Read {
                uid: job.metadata.uid.clone(),
                deletion_timestamp: job.metadata.deletion_timestamp,
            },
            None => Outcome::Failed(CallError { kind: CallErrorKind::NotFound, message: "gone".into() }),
        }
    }

    fn check_finalizer(&self, store: &Store, pod: &PodRef) {
        let seen = self.pods.iter().find(|seen| seen.metadata.uid == pod.uid()).unwrap();
        let Some(stored) = &store.job else { return };
        store.ledger.finalizer_goes(self.job, &stored.status, seen, self.job.metadata.is_deleting());
    }
}

/// Every call is cited by a finding that held.
fn check_citations(findings: &[Finding], calls: u32) {
    for call in 0..calls {
        let cites = |finding: &&Finding| finding.verdict == Verdict::Held && finding.calls.contains(&call);
        assert!(findings.iter().any(|finding| cites(&finding)), "call {call} has no cause: {findings:#?}");
    }
    let beyond =
        findings.iter().find(|finding| !finding.calls.is_empty() && finding.verdict != Verdict::Held);
    assert!(beyond.is_none(), "a rule that did not hold caused calls: {beyond:?}");
}
