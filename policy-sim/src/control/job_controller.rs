//! The Job controller's caches, memory, queue and waves. It decides nothing: a [`JobPolicy`] does.

use super::calls::{self, Caller, Reply};
use super::fault::CallInfo;
use super::informer::{Key, Resource, version_of};
use super::process::{clock, publish, world_time};
use super::{Due, Timer, Worker};
use crate::World;
use crate::config::ControllerConfig;
use crate::map::Map;
use crate::policy::{JobPolicy, JobStep, PausedSync, ShownPods, SyncStart};
use crate::queue::WorkQueue;
use crate::record::{Calls, Decision};
use crate::throttle::Throttle;
use policy_core::explain::Trace;
use policy_core::job::{self, Call, Finished, PodDigester};
use policy_core::spec::Job;
use policy_core::step::{Outcome, Step, Wave};
use policy_core::{DigestedEvent, JobCache, JobMemory, Timestamp};
use std::sync::Arc;

mod draft;
mod events;
mod wave;

pub(super) use events::{job_added, job_deleted, job_updated, pod_added, pod_deleted, pod_updated};
pub(super) use wave::{answered, carry_out, describe, under_way};

use draft::Draft;

/// The component that events name.
const COMPONENT: &str = "job-controller";

/// The Job controller.
#[derive(Clone, Debug)]
pub(crate) struct JobController {
    pub(super) queue: WorkQueue<Key>,
    pub(super) throttle: Throttle,
    entries: Map<Key, Entry>,
}

impl JobController {
    pub(super) fn new(config: &ControllerConfig) -> Self {
        JobController {
            queue: WorkQueue::new(config.api_backoff_nanos, config.api_backoff_max_nanos),
            throttle: Throttle::new(config.qps, config.burst),
            entries: Map::default(),
        }
    }

    pub(super) fn entry(&self, namespace: &str, name: &str) -> Option<&Entry> {
        self.entries.get(&(namespace.into(), name.into()))
    }
}

/// What the controller has of one Job, by namespace and name.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    /// The Job as the informer shows it.
    job: Option<Arc<Job>>,
    /// Digests Pods for that Job.
    digester: Option<PodDigester>,
    /// What decisions see: as of the start of the last sync.
    cache: Option<JobCache>,
    /// What the watch has shown of the Job's Pods since.
    pending: Vec<DigestedEvent>,
    memory: JobMemory,
    written: Option<Written>,
    draft: Option<Draft>,
    run: Option<Run>,
}

/// The versions of the last own writes (upstream `consistencyStore`).
#[derive(Clone, Debug)]
struct Written {
    uid: String,
    job: u64,
    pod: u64,
}

/// A sync under way.
#[derive(Clone, Debug)]
struct Run {
    paused: Option<Box<dyn PausedSync>>,
    calls: Vec<Call>,
    outcomes: Vec<Option<Outcome>>,
    /// How many calls of the wave have no outcome yet.
    unanswered: usize,
    /// The version on which the status is written.
    version: String,
    calls_made: u32,
    /// The calls in words, if the run is traced.
    told: Calls,
    trace: Trace,
}

impl Entry {
    /// Brings what decisions see up to date. Only between syncs.
    fn refresh(&mut self, candidates: impl FnOnce(&Job) -> Vec<DigestedEvent>) {
        let Some(job) = &self.job else {
            self.cache = None;
            self.pending.clear();
            return;
        };
        if job.status.finished().is_some() {
            // Its Pods are not looked at again, and there may be many.
            self.cache = Some(JobCache::new(job.clone()));
            (self.pending, self.draft) = (Vec::new(), None);
            return;
        }
        let known = self.cache.as_mut().filter(|cache| cache.job().metadata.uid == job.metadata.uid);
        match known {
            Some(cache) => {
                if cache.job().metadata.resource_version != job.metadata.resource_version {
                    cache.set_job(job.clone());
                }
                cache.apply_all(self.pending.drain(..));
            }
            None => {
                let mut cache = JobCache::new(job.clone());
                self.pending.clear();
                cache.apply_all(candidates(job));
                self.cache = Some(cache);
            }
        }
    }
}

/// Lets workers take keys.
pub(super) fn work(world: &mut World) {
    while world.control.jobs.queue.at_work() < world.config.controller.workers.max(1) {
        let Some(key) = world.control.jobs.queue.take() else { return };
        start(world, &key);
    }
}

/// Starts a sync.
fn start(world: &mut World, key: &Key) {
    let control = &mut world.control;
    let (jobs_version, pods_version) =
        (control.informer.watch(Resource::Jobs).version, control.informer.watch(Resource::Pods).version);
    let Some(entry) = control.jobs.entries.get_mut(key) else {
        control.jobs.queue.forget(key);
        return control.jobs.queue.done(key);
    };
    let informer = &control.informer;
    let digester = entry.digester.as_ref();
    let digest = |job: &Job| {
        let pods = informer.candidates(&job.metadata.uid, &job.metadata.namespace);
        let digested = pods.iter().filter_map(|pod| Some(events::digest(digester?, pod)));
        let own = digested.filter(|facts| facts.claim != job::Claim::Foreign);
        own.map(DigestedEvent::Applied).collect()
    };
    // The closure borrows the digester, which a refresh does not touch.
    let events = entry.needs_candidates().then(|| entry.job.as_deref().map(digest)).flatten();
    entry.refresh(|_| events.unwrap_or_default());
    let Some(job) = &entry.job else {
        // Upstream forgets everything about the key of a Job that is gone.
        control.jobs.entries.remove(key);
        control.jobs.queue.forget(key);
        return control.jobs.queue.done(key);
    };
    let behind = entry
        .written
        .as_ref()
        .is_some_and(|written| written.job > jobs_version || written.pod > pods_version);
    if !behind {
        entry.written = None;
    }
    entry.memory.awaits_own_writes = behind && world.config.controller.waits_for_own_writes;
    entry.run = Some(Run {
        paused: None,
        calls: Vec::new(),
        outcomes: Vec::new(),
        unanswered: 0,
        version: job.metadata.resource_version.clone(),
        calls_made: 0,
        told: Calls::default(),
        trace: Trace::default(),
    });
    advance(world, key);
}

impl Entry {
    pub(super) fn memory(&self) -> &JobMemory {
        &self.memory
    }

    pub(super) fn is_syncing(&self) -> bool {
        self.run.is_some()
    }

    /// What the last sync saw.
    pub(super) fn view<'e>(&'e self, settings: &'e policy_core::Settings) -> Option<job::JobView<'e>> {
        self.cache.as_ref().map(|cache| cache.view(settings))
    }

    fn needs_candidates(&self) -> bool {
        let uid = |job: &Job| job.metadata.uid.clone();
        self.job.as_deref().map(uid) != self.cache.as_ref().map(|cache| uid(cache.job()))
    }
}

/// The answers of a wave are in.
pub(super) fn resume(world: &mut World, key: &Key) {
    advance(world, key);
}

/// Takes a sync on until it waits for answers or ends.
fn advance(world: &mut World, key: &Key) {
    loop {
        let now = clock(world);
        let settings = &world.config.controller.settings;
        let Some(entry) = world.control.jobs.entries.get_mut(key) else { return };
        let pods = ShownPods::new(&world.control.informer);
        let policy = &*world.config.job_policy;
        let step = next_step(policy, entry, pods, (settings, now), world.trace);
        match step {
            None => return,
            Some(Step::Finished(finished)) => return finish(world, key, finished),
            Some(Step::Wave(wave, paused)) => {
                if wave_goes_out(world, key, wave, paused) {
                    return;
                }
            }
        }
    }
}

fn next_step(
    policy: &dyn JobPolicy,
    entry: &mut Entry,
    pods: ShownPods<'_>,
    (settings, now): (&policy_core::Settings, Timestamp),
    traced: bool,
) -> Option<JobStep> {
    let view = entry.cache.as_ref()?.view(settings);
    let run = entry.run.as_mut()?;
    let trace = traced.then_some(&mut run.trace);
    let Some(paused) = run.paused.take() else {
        return Some(policy.begin(SyncStart { view, memory: &entry.memory, now, pods }, trace));
    };
    let outcomes: Vec<Outcome> = std::mem::take(&mut run.outcomes).into_iter().flatten().collect();
    Some(paused.resume(view, &outcomes, now, trace))
}

/// Publishes a wave's events, takes note of what is expected, and sends its calls off. `false` when there are none.
fn wave_goes_out(world: &mut World, key: &Key, wave: Wave<Call>, paused: Box<dyn PausedSync>) -> bool {
    publish(world, COMPONENT, "Job", (&key.0, &key.1), wave.events);
    let now = clock(world);
    let Some(entry) = world.control.jobs.entries.get_mut(key) else { return true };
    world.config.job_policy.expect(&mut entry.memory, &wave.expect, &wave.calls, now);
    let Some(run) = &mut entry.run else { return true };
    let count = wave.calls.len();
    run.paused = Some(paused);
    run.outcomes = vec![None; count];
    run.unanswered = count;
    run.calls_made = wave.first_call.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
    run.calls = wave.calls;
    if world.trace {
        tell(world, key);
    }
    for place in 0..count {
        calls::send(world, Caller::Job(key.clone(), place));
    }
    count > 0
}

/// Puts the calls of a wave in words.
fn tell(world: &mut World, key: &Key) {
    let count =
        world.control.jobs.entries.get(key).and_then(|entry| entry.run.as_ref()).map(|run| run.calls.len());
    let calls: Vec<CallInfo> =
        (0..count.unwrap_or(0)).filter_map(|place| describe(world, key, place)).collect();
    if let Some(run) = world.control.jobs.entries.get_mut(key).and_then(|entry| entry.run.as_mut()) {
        calls.iter().for_each(|call| run.told.add(call.words, &call.name));
    }
}

/// Ends a sync: what to remember, when to come back.
fn finish(world: &mut World, key: &Key, finished: Finished) {
    let Some(entry) = world.control.jobs.entries.get_mut(key) else { return };
    world.config.job_policy.apply(&mut entry.memory, &finished.memory);
    if matches!(finished.verdict, job::JobVerdict::Completed | job::JobVerdict::Failed) {
        // Its Pods are not looked at again, and there may be many.
        (entry.cache, entry.pending, entry.draft) = (None, Vec::new(), None);
    }
    let run = entry.run.take();
    publish(world, COMPONENT, "Job", (&key.0, &key.1), finished.events);
    let (calls, told, trace) = run.map(|run| (run.calls_made, run.told, run.trace)).unwrap_or_default();
    let at = world.now;
    world.record.keep_decision(|| Decision {
        at,
        controller: COMPONENT,
        object: format!("Job/{}", key.1),
        verdict: verdict(&finished.verdict),
        calls,
        told: told.shrunk(),
        wake: finished.wake.at,
        error: finished.error.map(|error| error.message),
        findings: trace.findings().to_vec(),
    });
    if let Some(at) = finished.wake.at {
        enqueue_at(world, key, world_time(world, at));
    }
    if finished.wake.retry {
        let delay = world.control.jobs.queue.retry_delay_nanos(key);
        enqueue_at(world, key, world.now.plus_nanos(delay));
    } else {
        world.control.jobs.queue.forget(key);
    }
    world.control.jobs.queue.done(key);
}

fn verdict(verdict: &job::JobVerdict) -> &'static str {
    match verdict {
        job::JobVerdict::Continues => "continues",
        job::JobVerdict::Completed => "completed",
        job::JobVerdict::Failed => "failed",
        job::JobVerdict::AlreadyFinished => "alreadyFinished",
        job::JobVerdict::FinishNotSeenYet => "finishNotSeenYet",
        job::JobVerdict::OwnWritesNotSeenYet => "ownWritesNotSeenYet",
        job::JobVerdict::ManagedElsewhere(_) => "managedElsewhere",
        job::JobVerdict::UnknownCompletionMode => "unknownCompletionMode",
        _ => "errored",
    }
}

/// Adds a key at an instant (upstream `AddAfter`).
fn enqueue_at(world: &mut World, key: &Key, at: Timestamp) {
    let now = world.now;
    if world.control.jobs.queue.add_at(key.clone(), at, now) {
        world.plan_control(at, Due::Timer(Timer::Job(key.clone())));
    }
}
