//! Drives `policy_core::ttl`: finished Jobs are deleted when their time to live is over.

use super::calls::{self, Caller, Reply};
use super::fault::CallInfo;
use super::informer::{Key, key_of};
use super::process::{clock, world_time};
use super::{Due, Timer};
use crate::World;
use crate::config::ControllerConfig;
use crate::map::Map;
use crate::queue::WorkQueue;
use crate::record::{Calls, Decision, Of, Verb, Words};
use crate::store::{ApiError, Kind, ObjectKey, Propagation};
use crate::throttle::Throttle;
use policy_core::Timestamp;
use policy_core::explain::Trace;
use policy_core::spec::Job;
use policy_core::ttl::{JobDeletion, Source, TtlDecision, decide};

/// The component that decisions name.
const COMPONENT: &str = "ttl-after-finished-controller";
/// Delays of retries (client-go `DefaultTypedControllerRateLimiter`).
pub(super) const DEFAULT_RETRY_NANOS: (i64, i64) = (5_000_000, 1_000_000_000_000);

/// The TTL controller.
#[derive(Clone, Debug)]
pub(crate) struct TtlController {
    pub(super) queue: WorkQueue<Key>,
    pub(super) throttle: Throttle,
    /// What keys that are worked on wait for.
    waiting: Map<Key, Waiting>,
}

#[derive(Clone, Debug)]
enum Waiting {
    ForRead,
    ForDeletion(JobDeletion),
}

impl TtlController {
    pub(super) fn new(config: &ControllerConfig) -> Self {
        TtlController {
            queue: WorkQueue::new(DEFAULT_RETRY_NANOS.0, DEFAULT_RETRY_NANOS.1),
            throttle: Throttle::new(config.qps, config.burst),
            waiting: Map::default(),
        }
    }
}

/// Upstream `addJob` and `updateJob`: only what has finished and has a time to live is looked at.
pub(super) fn job_changed(world: &mut World, job: &Job) {
    let applies = job.spec.ttl_seconds_after_finished.is_some() && job.status.finished().is_some();
    if world.config.controller.ttl && applies && !job.metadata.is_deleting() {
        world.control.ttl.queue.add(key_of(&job.metadata));
    }
}

pub(super) fn work(world: &mut World) {
    while world.control.ttl.queue.at_work() < world.config.controller.workers.max(1) {
        let Some(key) = world.control.ttl.queue.take() else { return };
        match world.control.informer.jobs.get(&key).cloned() {
            Some(job) => look(world, &key, &job, Source::Cache),
            None => end(world, &key, None, false),
        }
    }
}

fn look(world: &mut World, key: &Key, job: &Job, source: Source) {
    let mut trace = Trace::default();
    let now = clock(world);
    let decision =
        if world.trace { decide(job, source, now, &mut trace) } else { decide(job, source, now, &mut ()) };
    note(world, key, &decision, trace);
    match decision {
        Ok(TtlDecision::WakeAt(at)) => {
            let at = world_time(world, at);
            end(world, key, Some(at), false);
        }
        Ok(TtlDecision::ReadLive) => wait(world, key, Waiting::ForRead),
        Ok(TtlDecision::Delete(deletion)) => wait(world, key, Waiting::ForDeletion(deletion)),
        Ok(_) => end(world, key, None, false),
        Err(_) => end(world, key, None, true),
    }
}

fn note(
    world: &mut World,
    key: &Key,
    decision: &Result<TtlDecision, policy_core::ttl::TtlError>,
    trace: Trace,
) {
    let (verdict, wake, error) = match decision {
        Ok(TtlDecision::WakeAt(at)) => ("waits", Some(*at), None),
        Ok(TtlDecision::ReadLive) => ("reads", None, None),
        Ok(TtlDecision::Delete(_)) => ("deletes", None, None),
        Ok(_) => ("nothing", None, None),
        Err(error) => ("errored", None, Some(error.message.clone())),
    };
    let at = world.now;
    world.record.keep_decision(|| Decision {
        at,
        controller: COMPONENT,
        object: format!("Job/{}", key.1),
        verdict,
        calls: 0,
        told: Calls::default(),
        wake,
        error,
        findings: trace.findings().to_vec(),
    });
}

fn wait(world: &mut World, key: &Key, waiting: Waiting) {
    world.control.ttl.waiting.insert(key.clone(), waiting);
    calls::send(world, Caller::Ttl(key.clone()));
}

pub(super) fn describe(world: &World, key: &Key) -> Option<CallInfo> {
    let verb = match world.control.ttl.waiting.get(key)? {
        Waiting::ForRead => Verb::Get,
        Waiting::ForDeletion(_) => Verb::Delete,
    };
    Some(CallInfo { words: Words::new(verb, Of::Job), namespace: key.0.clone(), name: key.1.clone() })
}

/// The calls that have not reached the server.
pub(super) fn under_way(world: &World) -> Vec<Caller> {
    world.control.ttl.waiting.keys().cloned().map(Caller::Ttl).collect()
}

pub(super) fn carry_out(world: &mut World, key: &Key) -> Result<Reply, ApiError> {
    match world.control.ttl.waiting.get(key).cloned() {
        Some(Waiting::ForDeletion(deletion)) => {
            let object = ObjectKey::new(Kind::Job, &deletion.namespace, &deletion.name);
            let (now, uid) = (world.now, Some(deletion.uid.as_str()));
            world.store.delete_object(&object, Some(Propagation::Foreground), uid, now).map(|()| Reply::Done)
        }
        _ => {
            let job = world.store.job(&key.0, &key.1).cloned();
            job.map(Reply::Job).ok_or_else(|| ApiError::not_found("jobs.batch", &key.1))
        }
    }
}

pub(super) fn answered(world: &mut World, key: &Key, result: Result<Reply, ApiError>) {
    let waited_for = world.control.ttl.waiting.remove(key);
    match (waited_for, result) {
        (Some(Waiting::ForRead), Ok(Reply::Job(job))) => look(world, key, &job, Source::LiveRead),
        (Some(Waiting::ForRead), Err(error)) if error.reason == "NotFound" => end(world, key, None, false),
        (_, Ok(_)) => end(world, key, None, false),
        (_, Err(_)) => end(world, key, None, true),
    }
}

fn end(world: &mut World, key: &Key, wake: Option<Timestamp>, retry: bool) {
    let queue = &mut world.control.ttl.queue;
    let at = if retry { Some(world.now.plus_nanos(queue.retry_delay_nanos(key))) } else { wake };
    if !retry {
        queue.forget(key);
    }
    let planned = at.filter(|at| queue.add_at(key.clone(), *at, world.now));
    queue.done(key);
    if let Some(at) = planned {
        world.plan_control(at, Due::Timer(Timer::Ttl(key.clone())));
    }
}
