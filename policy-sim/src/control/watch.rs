//! Watches: what changed reaches the controllers' cache after a while, and the cache tells the controllers.

use super::informer::{Resource, WatchEvent, key_of};
use super::{Due, cron_job_controller, job_controller, ttl_controller};
use crate::World;
use crate::store::{ChangeKind, Object, ObjectChange, PodChange};

/// A change of a Pod sets out.
pub(super) fn note_pod(world: &mut World, change: &PodChange) {
    note(world, Resource::Pods, WatchEvent::Pod(change.clone()));
}

/// A change of another object sets out, if anybody watches the kind.
pub(super) fn note_object(world: &mut World, change: &ObjectChange) {
    let resource = match change.object {
        Object::Job(_) => Resource::Jobs,
        Object::CronJob(_) => Resource::CronJobs,
        Object::Other(_) => return,
    };
    note(world, resource, WatchEvent::Object(change.clone()));
}

fn note(world: &mut World, resource: Resource, event: WatchEvent) {
    if !world.control.up {
        return;
    }
    let at = world.now.plus_nanos(world.config.controller.watch_latency_nanos);
    let control = &mut world.control;
    let (watch, met) = (control.informer.watch_mut(resource), &mut control.faults.met);
    if watch.to_drop > 0 {
        watch.to_drop -= 1;
        met.dropped += 1;
        return;
    }
    met.held_up += u64::from(watch.frozen_until.is_some());
    if watch.coalesces && watch.frozen_until.is_some() {
        let before = watch.pending.len();
        coalesce(watch, event, at);
        met.coalesced += (before + 1 - watch.pending.len()) as u64;
        return;
    }
    let planned = watch.pending.back().is_some_and(|(last, _)| *last == at);
    watch.pending.push_back((at, event));
    if !planned && watch.frozen_until.is_none() {
        world.plan_control(at, Due::Watch(resource));
    }
}

/// Keeps the last state only. What came and went meanwhile is never shown.
fn coalesce(watch: &mut super::informer::Watch, event: WatchEvent, at: policy_core::Timestamp) {
    let earlier = watch.pending.iter().position(|(_, known)| known.uid() == event.uid());
    let Some((_, earlier)) = earlier.and_then(|place| watch.pending.remove(place)) else {
        watch.pending.push_back((at, event));
        return;
    };
    let merged = match (kind(&earlier), kind(&event)) {
        (ChangeKind::Added, ChangeKind::Deleted) => None,
        (ChangeKind::Added, _) => Some(with_kind(event, ChangeKind::Added)),
        _ => Some(event),
    };
    watch.pending.extend(merged.map(|event| (at, event)));
}

fn kind(event: &WatchEvent) -> ChangeKind {
    match event {
        WatchEvent::Pod(change) => change.kind,
        WatchEvent::Object(change) => change.kind,
    }
}

fn with_kind(event: WatchEvent, kind: ChangeKind) -> WatchEvent {
    match event {
        WatchEvent::Pod(change) => WatchEvent::Pod(PodChange { kind, ..change }),
        WatchEvent::Object(change) => WatchEvent::Object(ObjectChange { kind, ..change }),
    }
}

/// Shows what has arrived.
pub(super) fn deliver(world: &mut World, resource: Resource) {
    while let Some(event) = world.control.informer.watch_mut(resource).next(world.now) {
        show(world, event);
    }
}

/// The watch is no longer held up.
pub(super) fn thaw(world: &mut World, resource: Resource) {
    let now = world.now;
    let watch = world.control.informer.watch_mut(resource);
    if watch.frozen_until.is_none_or(|until| until > now) {
        return;
    }
    (watch.frozen_until, watch.coalesces) = (None, false);
    let later: Vec<_> = watch.pending.iter().map(|(at, _)| *at).filter(|at| *at > now).collect();
    deliver(world, resource);
    for at in later {
        world.plan_control(at, Due::Watch(resource));
    }
}

/// Takes an event into the cache and tells the controllers.
pub(super) fn show(world: &mut World, event: WatchEvent) {
    match event {
        WatchEvent::Pod(PodChange { kind: ChangeKind::Deleted, pod }) => {
            world.control.informer.remove_pod(pod.id);
            job_controller::pod_deleted(world, &pod);
        }
        WatchEvent::Pod(PodChange { pod, .. }) => match world.control.informer.set_pod(&pod) {
            Some(before) => job_controller::pod_updated(world, &before, &pod),
            None => job_controller::pod_added(world, &pod),
        },
        WatchEvent::Object(ObjectChange { kind, object }) => match object {
            Object::Job(job) => show_job(world, kind, &job),
            Object::CronJob(cron_job) => {
                let (key, gone) = (key_of(&cron_job.metadata), kind == ChangeKind::Deleted);
                let cron_jobs = &mut world.control.informer.cron_jobs;
                let before =
                    if gone { cron_jobs.remove(&key) } else { cron_jobs.insert(key, cron_job.clone()) };
                cron_job_controller::cron_job_changed(world, before.as_deref(), &cron_job, gone);
            }
            Object::Other(_) => {}
        },
    }
}

fn show_job(world: &mut World, kind: ChangeKind, job: &std::sync::Arc<policy_core::spec::Job>) {
    let (key, jobs) = (key_of(&job.metadata), &mut world.control.informer.jobs);
    if kind == ChangeKind::Deleted {
        jobs.remove(&key);
        job_controller::job_deleted(world, job);
        cron_job_controller::job_changed(world, None, job);
        return;
    }
    let before = jobs.insert(key, job.clone());
    match &before {
        // After lost events a Job may have been replaced: informers tell the update of an object of that name.
        Some(before) => job_controller::job_updated(world, before, job),
        None => job_controller::job_added(world, job),
    }
    cron_job_controller::job_changed(world, before.as_deref(), job);
    ttl_controller::job_changed(world, job);
}
