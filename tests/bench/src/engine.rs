//! The compiled core deciding cases, natively or inside a WebAssembly module.

use crate::{Case, Counting, now};
use policy_core::job::{JobView, PodDigester, PodFacts, decide};
use policy_core::spec::{Job, Pod};
use policy_core::{JobCache, JobMemory, PodEvent, Settings};
use std::hint::black_box;

/// How the Pods are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As a list of digested facts.
    Full,
    /// As events: the cost is that of one event and the decision after it.
    Incremental,
}

impl Mode {
    /// Both.
    pub const ALL: [Mode; 2] = [Mode::Full, Mode::Incremental];

    /// As rows name it.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Full => "full",
            Mode::Incremental => "incremental",
        }
    }
}

/// A case that is set up and can be decided again and again.
pub trait Engine {
    /// One decision; with events, one event before it.
    fn decide(&mut self);

    /// What the Pods take in memory beyond their names and UIDs, in bytes.
    fn bytes(&self) -> usize;
}

/// Sets a case up.
pub fn native(case: Case, pods: usize, mode: Mode) -> Box<dyn Engine> {
    let job = case.job(pods);
    match mode {
        Mode::Full => Box::new(Full::new(job, case, pods)),
        Mode::Incremental => Box::new(Incremental::new(job, case, pods)),
    }
}

/// What names and UIDs take, with the counts that say who shares them.
fn names_bytes<'p>(pods: impl Iterator<Item = &'p PodFacts>) -> usize {
    let bytes = |pod: &PodFacts| pod.pod.name().len() + pod.pod.uid().len() + 2 * size_of::<usize>();
    pods.map(|pod| bytes(pod).next_multiple_of(align_of::<usize>())).sum()
}

struct Full {
    job: Job,
    facts: Vec<PodFacts>,
    memory: JobMemory,
    bytes: usize,
}

impl Full {
    fn new(job: Job, case: Case, count: usize) -> Self {
        let digester = PodDigester::new(&job);
        let before = Counting::in_use();
        let mut facts = Vec::with_capacity(case.pod_count(count));
        facts.extend(case.each_pod(count).map(|pod| digester.digest(&pod)));
        let bytes = Counting::in_use().saturating_sub(before).saturating_sub(names_bytes(facts.iter()));
        Full { job, facts, memory: JobMemory::default(), bytes }
    }
}

impl Engine for Full {
    fn decide(&mut self) {
        let view = JobView::new(&self.job, &self.facts, &Settings::DEFAULT);
        black_box(decide(black_box(view), &self.memory, now(), &mut ()));
    }

    fn bytes(&self) -> usize {
        self.bytes
    }
}

/// The Pods that events are about, all over the Job.
const EVENT_PODS: usize = 64;

struct Incremental {
    cache: JobCache,
    /// A Pod as it is, and after its container has restarted.
    pods: Vec<[Pod; 2]>,
    next: usize,
    memory: JobMemory,
    bytes: usize,
}

impl Incremental {
    fn new(job: Job, case: Case, count: usize) -> Self {
        let before = Counting::in_use();
        let mut cache = JobCache::new(job);
        let empty = Counting::in_use().saturating_sub(before);
        for pod in case.each_pod(count) {
            cache.apply(PodEvent::Applied(&pod));
        }
        let taken = Counting::in_use().saturating_sub(before).saturating_sub(empty);
        let bytes = taken.saturating_sub(names_bytes(cache.pods().iter()));
        let stride = count.div_ceil(EVENT_PODS).max(1);
        let pods = (0..case.pod_count(count)).step_by(stride).map(|place| {
            let pod = case.pod_at(place, count);
            let mut restarted = pod.clone();
            restarted.status.container_statuses.iter_mut().for_each(|status| status.restart_count += 1);
            [pod, restarted]
        });
        Incremental { pods: pods.collect(), next: 0, memory: JobMemory::default(), cache, bytes }
    }
}

impl Engine for Incremental {
    fn decide(&mut self) {
        let place = self.next;
        self.next += 1;
        let event = match self.pods.len() {
            0 => PodEvent::Deleted { uid: "none" },
            pods => PodEvent::Applied(&self.pods[place % pods][1 - place / pods % 2]),
        };
        self.cache.apply(black_box(event));
        black_box(decide(self.cache.view(&Settings::DEFAULT), &self.memory, now(), &mut ()));
    }

    fn bytes(&self) -> usize {
        self.bytes
    }
}
