//! The controllers' calls on their way: they reach the server, meet their fate, and their answers come back.

use super::fault::{CallInfo, Fate};
use super::informer::Key;
use super::orphan_pods::OrphanKey;
use super::{Due, cron_job_controller, job_controller, orphan_pods, process, ttl_controller};
use crate::World;
use crate::object::PodId;
use crate::store::ApiError;
use policy_core::spec::{CronJob, Job};
use policy_core::{NANOS_PER_SECOND, Timestamp};
use std::sync::Arc;

/// How often client-go sends a request again that was answered with a Retry-After.
const MAX_RETRIES: u8 = 10;

/// A call on its way, and how often it was sent before.
#[derive(Clone, Debug)]
pub(crate) struct CallId {
    pub(super) caller: Caller,
    pub(super) retries: u8,
}

/// Whose call it is.
#[derive(Clone, Debug)]
pub(crate) enum Caller {
    /// That of a Job's sync, by its place in the wave.
    Job(Key, usize),
    /// That of a CronJob's sync, by its place in the wave.
    CronJob(Key, usize),
    /// The removal of an orphan's finalizer.
    Orphan(OrphanKey, PodId),
    /// What the TTL controller waits for.
    Ttl(Key),
}

/// What the server answers.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// It is done.
    Done,
    /// A Pod was written, at this version.
    WrotePod(u64),
    /// A Pod was created, at this version.
    CreatedPod(Arc<str>, u64),
    /// A Job was read or written.
    Job(Arc<Job>),
    /// A CronJob was read.
    CronJob(Arc<CronJob>),
}

/// Sends a call off, as soon as the client's own rate limit allows.
pub(super) fn send(world: &mut World, caller: Caller) {
    send_after(world, caller, 0, world.now);
}

fn send_after(world: &mut World, caller: Caller, retries: u8, earliest: Timestamp) {
    let control = &mut world.control;
    let throttle = match &caller {
        Caller::Job(..) | Caller::Orphan(..) => &mut control.jobs.throttle,
        Caller::CronJob(..) => &mut control.cron_jobs.throttle,
        Caller::Ttl(..) => &mut control.ttl.throttle,
    };
    let at = throttle.next(earliest).plus_nanos(world.config.controller.call_latency_nanos / 2);
    let epoch = control.epoch;
    world.plan_control(at, Due::Call(epoch, CallId { caller, retries }));
}

/// When an answer that leaves the server now comes in.
pub(super) fn answer_time(world: &World) -> Timestamp {
    let latency = world.config.controller.call_latency_nanos;
    world.now.plus_nanos(latency - latency / 2)
}

/// A call reaches the server.
pub(super) fn arrive(world: &mut World, call: CallId) {
    let CallId { caller, retries } = call;
    let Some(info) = describe(world, &caller) else { return };
    let result = match world.control.faults.meet(&info) {
        Fate::Crash(in_flight, down_nanos) => return process::crash(world, in_flight, down_nanos),
        Fate::Refused(error) => Err(error),
        Fate::AnswerLost => carry_out(world, &caller).and(Err(ApiError::timeout())),
        Fate::Goes => carry_out(world, &caller),
    };
    if let Err(ApiError { retry_after_seconds: Some(seconds), .. }) = &result
        && retries < MAX_RETRIES
    {
        let earliest = answer_time(world).plus_nanos(i64::from(*seconds) * NANOS_PER_SECOND);
        return send_after(world, caller, retries + 1, earliest);
    }
    match caller {
        Caller::Job(key, place) => job_controller::answered(world, key, place, result),
        Caller::CronJob(key, place) => cron_job_controller::answered(world, key, place, result),
        Caller::Orphan(key, pod) => orphan_pods::answered(world, key, pod, result),
        Caller::Ttl(key) => ttl_controller::answered(world, &key, result),
    }
}

/// What faults see of the call; `None` when nobody waits for it any more.
fn describe(world: &World, caller: &Caller) -> Option<CallInfo> {
    match caller {
        Caller::Job(key, place) => job_controller::describe(world, key, *place),
        Caller::CronJob(key, place) => cron_job_controller::describe(world, key, *place),
        Caller::Orphan(_, pod) => orphan_pods::describe(world, *pod),
        Caller::Ttl(key) => ttl_controller::describe(world, key),
    }
}

fn carry_out(world: &mut World, caller: &Caller) -> Result<Reply, ApiError> {
    match caller {
        Caller::Job(key, place) => job_controller::carry_out(world, key, *place),
        Caller::CronJob(key, place) => cron_job_controller::carry_out(world, key, *place),
        Caller::Orphan(_, pod) => orphan_pods::carry_out(world, *pod),
        Caller::Ttl(key) => ttl_controller::carry_out(world, key),
    }
}

/// Carries out every call that is on its way, with nobody to hear of it.
pub(super) fn carry_out_all(world: &mut World) {
    let mut callers = job_controller::under_way(world);
    callers.extend(cron_job_controller::under_way(world));
    callers.extend(orphan_pods::under_way(world));
    callers.extend(ttl_controller::under_way(world));
    for caller in callers {
        // Refusals are lost along with the answers.
        drop(carry_out(world, &caller));
    }
}
