//! Syncs Jobs: carries out the waves that `policy_core::job` asks for. It decides nothing.

use super::Controller;
use super::events::Subject;
use super::state::{JobEntry, Key, Standing};
use policy_core::job::{self, Finished, JobVerdict, PodDraft, Step};
use policy_core::spec::Job;
use policy_core::step::{Event, Outcome};
use policy_core::{JobCache, JobMemory, Timestamp};
use std::sync::{Arc, OnceLock};
use tokio::time::Instant;
use wave::Run;

mod calls;
mod shown;
mod wave;

pub(super) use calls::finalizer_removal;
pub(super) use shown::{JobSink, PodSink};

/// The component that events name.
pub(super) const COMPONENT: &str = "job-controller";

/// Takes Jobs from the queue, for as long as the process runs.
pub(super) async fn work(controller: Arc<Controller>) {
    while let Some(key) = controller.job_queue.take().await {
        let again = sync(&controller, &key).await;
        if again {
            controller.job_queue.retry(&key);
        } else {
            controller.job_queue.done(&key);
        }
    }
}

/// A Job that is to be decided about, taken out of the shared state.
struct Taken {
    cache: JobCache,
    memory: JobMemory,
    run: Run,
}

/// What there is to do about a key.
enum Start {
    Nothing,
    Decide(Box<Taken>),
}

/// Syncs a Job; returns whether to try again after a rate-limited delay.
async fn sync(controller: &Arc<Controller>, key: &Key) -> bool {
    let started = Instant::now();
    let Start::Decide(taken) = start(controller, key) else { return false };
    let Taken { cache, memory, mut run } = *taken;
    if controller.options.dry_run {
        dry_run(controller, key, &cache, &memory);
        give_back(controller, key, cache);
        return false;
    }
    let settings = &controller.options.settings;
    let mut step = job::begin(cache.view(settings), &memory, time_for(controller, &cache), &mut ());
    loop {
        match step {
            Step::Finished(finished) => {
                let retry = finished.wake.retry;
                finish(controller, key, &run, cache, finished, started);
                return retry;
            }
            Step::Wave(wave, paused) => {
                let Some(outcomes) = wave::carry_out(controller, &mut run, wave).await else {
                    // Somebody else leads now, or the process ends. What was done stands, as after a crash.
                    give_back(controller, key, cache);
                    return false;
                };
                step = paused.resume(cache.view(settings), &outcomes, time_for(controller, &cache), &mut ());
            }
        }
    }
}

/// The time at which a Job is decided about: the clock's, but never before the Job's start. Where a clock has gone back,
/// a Job would otherwise end before it began, and the API server refuses its status for as long as the clock is behind,
/// which is what becomes of upstream's.
fn time_for(controller: &Controller, cache: &JobCache) -> Timestamp {
    let wall = controller.clock.wall();
    cache.job().status.start_time.map_or(wall, |start| wall.max(start))
}

/// Takes a Job out of the shared state, its cache brought up to date.
fn start(controller: &Controller, key: &Key) -> Start {
    let mut state = controller.state();
    let (jobs_version, pods_version) = (state.jobs_version, state.pods_version);
    let Some(entry) = state.jobs.get_mut(key) else { return Start::Nothing };
    let Some(job) = entry.job.clone() else {
        // Upstream forgets everything about the key of a Job that is gone.
        state.jobs.remove(key);
        return Start::Nothing;
    };
    match &entry.standing {
        Standing::Ours => {}
        Standing::Elsewhere => return Start::Nothing,
        Standing::NotUnderstood(why) => {
            let event = Event::warning("JobNotUnderstood", format!("Left alone: {why}"));
            let subject = subject(&job);
            drop(state);
            controller.recorder.publish(COMPONENT, &subject, [event]);
            return Start::Nothing;
        }
    }
    let Some(raw) = entry.raw.clone().filter(|_| entry.runs()) else {
        // It has finished: whatever is remembered of it goes, and its Pods are not kept.
        forget(entry);
        return Start::Nothing;
    };
    refresh(entry);
    let Some(cache) = entry.cache.take() else { return Start::Nothing };
    let behind = entry.written.as_ref().and_then(|written| {
        let jobs = (written.job > jobs_version).then_some(("batch", "jobs"));
        jobs.or((written.pod > pods_version).then_some(("", "pods")))
    });
    match behind.filter(|_| controller.options.waits_for_own_writes) {
        Some((group, resource)) => controller.metrics.stale_sync_skipped(group, resource),
        None if behind.is_none() => entry.written = None,
        None => {}
    }
    entry.memory.awaits_own_writes = behind.is_some() && controller.options.waits_for_own_writes;
    let context = Arc::new(Context {
        key: key.clone(),
        subject: subject(&job),
        uid: job.metadata.uid.clone(),
        job: cache.job().clone(),
        draft: OnceLock::new(),
    });
    let run = Run { context, raw };
    Start::Decide(Box::new(Taken { memory: entry.memory.clone(), cache, run }))
}

/// Brings what decisions see up to date.
fn refresh(entry: &mut JobEntry) {
    let known =
        entry.cache.as_ref().is_some_and(|cache| Some(cache.job().metadata.uid.as_str()) == entry.uid());
    if let Some(fresh) = entry.fresh.take() {
        match entry.cache.as_mut().filter(|_| known) {
            Some(cache) => cache.set_job(*fresh),
            None => entry.cache = Some(JobCache::new(*fresh)),
        }
    }
    if let Some(cache) = &mut entry.cache {
        cache.apply_all(entry.pending.drain(..));
    }
}

/// A finished Job leaves nothing behind but itself.
fn forget(entry: &mut JobEntry) {
    (entry.cache, entry.fresh, entry.raw, entry.written) = (None, None, None, None);
    entry.pending = Vec::new();
    entry.memory = JobMemory::default();
}

/// What the calls of a sync have in common.
pub(super) struct Context {
    key: Key,
    subject: Subject,
    uid: String,
    job: Job,
    draft: OnceLock<PodDraft>,
}

impl Context {
    fn draft(&self) -> &PodDraft {
        self.draft.get_or_init(|| PodDraft::new(&self.job))
    }
}

fn subject(job: &Job) -> Subject {
    let meta = &job.metadata;
    Subject {
        kind: "Job",
        namespace: meta.namespace.as_str().into(),
        name: meta.name.as_str().into(),
        uid: meta.uid.clone(),
        resource_version: meta.resource_version.clone(),
    }
}

/// Puts the cache back where syncs find it, if the Job is still the same.
fn give_back(controller: &Controller, key: &Key, cache: JobCache) {
    let mut state = controller.state();
    let entry = state.jobs.get_mut(key);
    let same = entry.filter(|entry| entry.uid() == Some(&cache.job().metadata.uid) && entry.cache.is_none());
    if let Some(entry) = same {
        entry.cache = Some(cache);
    }
}

/// Ends a sync: what to remember, when to come back, what to count.
fn finish(
    controller: &Controller,
    key: &Key,
    run: &Run,
    cache: JobCache,
    finished: Finished,
    started: Instant,
) {
    {
        let mut state = controller.state();
        // What was remembered of a Job that is gone is not handed down to one of the same name.
        let same = state.jobs.get_mut(key).filter(|entry| entry.uid() == Some(&run.context.uid));
        if let Some(entry) = same {
            entry.memory.apply(&finished.memory);
        }
    }
    give_back(controller, key, cache);
    controller.recorder.publish(COMPONENT, &run.context.subject, finished.events);
    if let Some(at) = finished.wake.at {
        controller.job_queue.add_at_wall(key.clone(), at);
    }
    controller.metrics.synced(
        &finished.verdict,
        &finished.counted,
        finished.error.is_some(),
        started.elapsed().as_secs_f64(),
    );
    match &finished.error {
        // Waiting for the watch is no fault.
        Some(error) if finished.verdict != JobVerdict::OwnWritesNotSeenYet => {
            tracing::warn!(job = %key, error = error.message, "the sync failed and is tried again");
        }
        _ => tracing::debug!(job = %key, verdict = ?finished.verdict, "synced"),
    }
}

/// Says what would be done if every call went well.
fn dry_run(controller: &Controller, key: &Key, cache: &JobCache, memory: &JobMemory) {
    let view = cache.view(&controller.options.settings);
    let plan = job::decide(view, memory, time_for(controller, cache), &mut ());
    for (what, pods) in [
        ("adopt", &plan.adopt),
        ("release", &plan.release),
        ("delete", &plan.delete),
        ("remove the finalizer of", &plan.remove_finalizer),
    ] {
        for pod in pods {
            controller.say(&format!(
                "job/{} in {}: would {what} pod/{}",
                key.name,
                key.namespace,
                pod.name()
            ));
        }
    }
    for create in &plan.create {
        let index = create.index.map(|index| format!(" for index {index}")).unwrap_or_default();
        controller.say(&format!("job/{} in {}: would create a Pod{index}", key.name, key.namespace));
    }
    if let Some(status) = plan.status_updates.last() {
        let status = serde_json::to_string(status).unwrap_or_default();
        controller.say(&format!("job/{} in {}: would write status {status}", key.name, key.namespace));
    }
    for Event { reason, message, .. } in &plan.events {
        controller.say(&format!("job/{} in {}: would publish {reason}: {message}", key.name, key.namespace));
    }
}

/// An outcome of a call that nobody made.
fn not_made() -> Outcome {
    Outcome::failed("the call was not made")
}
