//! Drives `policy_core::cron`: queue and waves of the CronJob controller. It decides nothing.

use super::calls::{self, Caller, Reply, answer_time};
use super::fault::CallInfo;
use super::informer::{Key, key_of};
use super::process::{clock, publish};
use super::ttl_controller::DEFAULT_RETRY_NANOS;
use super::{Due, Timer, Worker};
use crate::World;
use crate::config::ControllerConfig;
use crate::map::Map;
use crate::queue::WorkQueue;
use crate::record::{Calls, Decision, Of, Verb, Words};
use crate::store::{ApiError, Created, Kind, Object, ObjectKey, Propagation};
use crate::throttle::Throttle;
use crate::zones::TzDatabase;
use policy_core::Timestamp;
use policy_core::cron::{self, Call, ChildJob, CronJobView, Finished, OnUpdate, Outcome, Paused, Step};
use policy_core::explain::Trace;
use policy_core::spec::{CronJob, Job};
use policy_core::step::Wave;
use serde_json::Value;
use std::sync::Arc;

/// The component that events name.
const COMPONENT: &str = "cronjob-controller";
/// The least time between two syncs that follow at once: an exhausted schedule asks for the next sync in the past,
/// and where upstream goes round and round, virtual time must go on.
const SHORTEST_REQUEUE_NANOS: i64 = 1_000_000;

/// The CronJob controller.
#[derive(Clone, Debug)]
pub(crate) struct CronJobController {
    pub(super) queue: WorkQueue<Key>,
    pub(super) throttle: Throttle,
    runs: Map<Key, Run>,
}

impl CronJobController {
    pub(super) fn new(config: &ControllerConfig) -> Self {
        CronJobController {
            queue: WorkQueue::new(DEFAULT_RETRY_NANOS.0, DEFAULT_RETRY_NANOS.1),
            throttle: Throttle::new(config.qps, config.burst),
            runs: Map::default(),
        }
    }
}

/// A sync under way, with what it looks at.
#[derive(Clone, Debug)]
struct Run {
    cron_job: Arc<CronJob>,
    jobs: Vec<Arc<Job>>,
    paused: Option<Paused>,
    calls: Vec<Call>,
    outcomes: Vec<Option<Outcome>>,
    unanswered: usize,
    calls_made: u32,
    /// The calls in words, if the run is traced.
    told: Calls,
    trace: Trace,
}

/// A Job has changed (upstream `addJob`, `updateJob`, `deleteJob`): its CronJob is woken, and the one that it left.
pub(super) fn job_changed(world: &mut World, before: Option<&Job>, job: &Job) {
    for metadata in before.map(|before| &before.metadata).into_iter().chain([&job.metadata]) {
        let Some(owner) = metadata.controller().filter(|owner| owner.kind == "CronJob") else { continue };
        let key: Key = (metadata.namespace.as_str().into(), owner.name.as_str().into());
        let known = world.control.informer.cron_jobs.get(&key);
        if known.is_some_and(|cron_job| cron_job.metadata.uid == owner.uid) {
            world.control.cron_jobs.queue.add(key);
        }
    }
}

/// A CronJob has changed; `before` is what was known of it.
pub(super) fn cron_job_changed(world: &mut World, before: Option<&CronJob>, cron_job: &CronJob, gone: bool) {
    let key = key_of(&cron_job.metadata);
    let Some(before) = before.filter(|_| !gone) else { return world.control.cron_jobs.queue.add(key) };
    match cron::on_update(before, cron_job, clock(world), TzDatabase::shared()) {
        OnUpdate::Sync => world.control.cron_jobs.queue.add(key),
        OnUpdate::SyncAfter { delay_nanos } => {
            let at = world.now.plus_nanos(delay_nanos);
            enqueue_at(world, &key, at);
        }
        OnUpdate::Report(event) => publish(world, COMPONENT, "CronJob", (&key.0, &key.1), [event]),
    }
}

/// Lets workers take keys.
pub(super) fn work(world: &mut World) {
    while world.control.cron_jobs.queue.at_work() < world.config.controller.workers.max(1) {
        let Some(key) = world.control.cron_jobs.queue.take() else { return };
        let Some(cron_job) = world.control.informer.cron_jobs.get(&key).cloned() else {
            world.control.cron_jobs.queue.forget(&key);
            world.control.cron_jobs.queue.done(&key);
            continue;
        };
        let uid = &cron_job.metadata.uid;
        let owned = |job: &&Arc<Job>| job.metadata.controller().is_some_and(|owner| owner.uid == *uid);
        let jobs = world.control.informer.jobs.values().filter(owned).cloned().collect();
        let run = Run {
            cron_job,
            jobs,
            paused: None,
            calls: Vec::new(),
            outcomes: Vec::new(),
            unanswered: 0,
            calls_made: 0,
            told: Calls::default(),
            trace: Trace::default(),
        };
        world.control.cron_jobs.runs.insert(key.clone(), run);
        resume(world, &key);
    }
}

/// Takes a sync on until it waits for answers or ends.
pub(super) fn resume(world: &mut World, key: &Key) {
    loop {
        let (now, traces) = (clock(world), world.trace);
        let Some(run) = world.control.cron_jobs.runs.get_mut(key) else { return };
        match next_step(run, now, traces) {
            Step::Finished(finished) => return finish(world, key, finished),
            Step::Wave(wave, paused) => {
                if wave_goes_out(world, key, wave, paused) {
                    return;
                }
            }
        }
    }
}

fn next_step(run: &mut Run, now: Timestamp, traces: bool) -> Step {
    let jobs: Vec<ChildJob<'_>> = run.jobs.iter().map(|job| ChildJob::from(&**job)).collect();
    let view = CronJobView { cron_job: &run.cron_job, jobs: &jobs };
    let zones = TzDatabase::shared();
    let outcomes: Vec<Outcome> = std::mem::take(&mut run.outcomes).into_iter().flatten().collect();
    match (run.paused.take(), traces) {
        (None, false) => cron::begin(view, now, zones, &mut ()),
        (None, true) => cron::begin(view, now, zones, &mut run.trace),
        (Some(paused), false) => paused.resume(view, outcomes, now, zones, &mut ()),
        (Some(paused), true) => paused.resume(view, outcomes, now, zones, &mut run.trace),
    }
}

fn wave_goes_out(world: &mut World, key: &Key, wave: Wave<Call>, paused: Paused) -> bool {
    publish(world, COMPONENT, "CronJob", (&key.0, &key.1), wave.events);
    let Some(run) = world.control.cron_jobs.runs.get_mut(key) else { return true };
    let count = wave.calls.len();
    run.paused = Some(paused);
    run.outcomes = vec![None; count];
    run.unanswered = count;
    run.calls_made = wave.first_call.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
    run.calls = wave.calls;
    if world.trace {
        let calls: Vec<CallInfo> = (0..count).filter_map(|place| describe(world, key, place)).collect();
        if let Some(run) = world.control.cron_jobs.runs.get_mut(key) {
            calls.iter().for_each(|call| run.told.add(call.words, &call.name));
        }
    }
    for place in 0..count {
        calls::send(world, Caller::CronJob(key.clone(), place));
    }
    count > 0
}

fn finish(world: &mut World, key: &Key, finished: Finished) {
    let run = world.control.cron_jobs.runs.remove(key);
    publish(world, COMPONENT, "CronJob", (&key.0, &key.1), finished.events);
    let (calls, told, trace) = run.map(|run| (run.calls_made, run.told, run.trace)).unwrap_or_default();
    let failed = finished.error.is_some();
    let at = world.now;
    world.record.keep_decision(|| Decision {
        at,
        controller: COMPONENT,
        object: format!("CronJob/{}", key.1),
        verdict: if failed { "errored" } else { "continues" },
        calls,
        told,
        wake: finished.requeue.map(|requeue| requeue.at),
        error: finished.error.map(|error| error.to_string()),
        findings: trace.findings().to_vec(),
    });
    if failed {
        let delay = world.control.cron_jobs.queue.retry_delay_nanos(key);
        let at = world.now.plus_nanos(delay);
        enqueue_at(world, key, at);
    } else {
        world.control.cron_jobs.queue.forget(key);
        if let Some(requeue) = finished.requeue {
            let at = world.now.plus_nanos(requeue.after_nanos.max(SHORTEST_REQUEUE_NANOS));
            enqueue_at(world, key, at);
        }
    }
    world.control.cron_jobs.queue.done(key);
}

fn enqueue_at(world: &mut World, key: &Key, at: Timestamp) {
    let now = world.now;
    if world.control.cron_jobs.queue.add_at(key.clone(), at, now) {
        world.plan_control(at, Due::Timer(Timer::CronJob(key.clone())));
    }
}

/// What faults see of a call.
pub(super) fn describe(world: &World, key: &Key, place: usize) -> Option<CallInfo> {
    let run = world.control.cron_jobs.runs.get(key)?;
    let (verb, of, name) = match run.calls.get(place)? {
        Call::GetJob { name, .. } => (Verb::Get, Of::Job, name.as_str()),
        Call::GetCronJob { name, .. } => (Verb::Get, Of::CronJob, name.as_str()),
        Call::DeleteJob { name, .. } => (Verb::Delete, Of::Job, name.as_str()),
        Call::CreateJob { job, .. } => (Verb::Create, Of::Job, job.metadata.name.as_str()),
        Call::UpdateStatus(_) => (Verb::Update, Of::CronJob, &*key.1),
    };
    Some(CallInfo { words: Words::new(verb, of), namespace: key.0.clone(), name: name.into() })
}

/// Carries a call out.
pub(super) fn carry_out(world: &mut World, key: &Key, place: usize) -> Result<Reply, ApiError> {
    let gone = || ApiError::internal("nobody waits for this call");
    let run = world.control.cron_jobs.runs.get(key).ok_or_else(gone)?;
    let now = world.now;
    match run.calls.get(place).ok_or_else(gone)? {
        Call::GetJob { namespace, name } => {
            let job = world.store.job(namespace, name).cloned();
            job.map(Reply::Job).ok_or_else(|| ApiError::not_found("jobs.batch", name))
        }
        Call::GetCronJob { namespace, name } => {
            let cron_job = world.store.cron_job(namespace, name).cloned();
            cron_job.map(Reply::CronJob).ok_or_else(|| ApiError::not_found("cronjobs.batch", name))
        }
        Call::DeleteJob { namespace, name } => {
            let object = ObjectKey::new(Kind::Job, namespace, name);
            let propagation = Some(Propagation::Background);
            world.store.delete_object(&object, propagation, None, now).map(|()| Reply::Done)
        }
        Call::CreateJob { namespace, job } => {
            let mut manifest = serde_json::to_value(job)
                .map_err(|error| ApiError::bad_request(format!("the Job cannot be written: {error}")))?;
            manifest["apiVersion"] = "batch/v1".into();
            manifest["kind"] = "Job".into();
            manifest["metadata"]["namespace"] = Value::from(namespace.as_str());
            match world.store.create(&manifest, now)? {
                Created::Object(Object::Job(job)) => Ok(Reply::Job(job)),
                _ => Err(ApiError::internal("the Job changed its kind")),
            }
        }
        Call::UpdateStatus(status) => {
            let (version, status) = (run.cron_job.metadata.resource_version.clone(), status.clone());
            let written = world.store.write_cron_job_status(&key.0, &key.1, &version, &status);
            written.map(|()| Reply::Done)
        }
    }
}

/// A call was answered; after the last of a wave the sync goes on.
pub(super) fn answered(world: &mut World, key: Key, place: usize, result: Result<Reply, ApiError>) {
    let Some(run) = world.control.cron_jobs.runs.get_mut(&key) else { return };
    let outcome = match result {
        Err(error) => Outcome::Failed(error.to_call_error()),
        Ok(Reply::Job(job)) => Outcome::Job(Box::new(job.metadata.clone())),
        Ok(Reply::CronJob(cron_job)) => Outcome::CronJob(Box::new((*cron_job).clone())),
        Ok(_) => Outcome::Done,
    };
    if let Some(slot) = run.outcomes.get_mut(place) {
        *slot = Some(outcome);
    }
    run.unanswered = run.unanswered.saturating_sub(1);
    if run.unanswered == 0 {
        let (at, epoch) = (answer_time(world), world.control.epoch);
        world.plan_control(at, Due::Answered(epoch, Worker::CronJob(key)));
    }
}

/// The calls that have not reached the server.
pub(super) fn under_way(world: &World) -> Vec<Caller> {
    let mut callers = Vec::new();
    for (key, run) in world.control.cron_jobs.runs.iter() {
        let open = run.outcomes.iter().enumerate().filter(|(_, outcome)| outcome.is_none());
        callers.extend(open.map(|(place, _)| Caller::CronJob(key.clone(), place)));
    }
    callers
}
