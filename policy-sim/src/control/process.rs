//! The controllers' process: its workers, its clock, its deaths.

use super::fault::InFlight;
use super::informer::{Informer, Resource, WatchEvent};
use super::{
    Control, Due, Timer, calls, cron_job_controller, job_controller, orphan_pods, ttl_controller, watch,
};
use crate::World;
use crate::record::EventRecord;
use crate::store::{ChangeKind, Object, ObjectChange, PodChange};
use policy_core::Timestamp;
use policy_core::step::Event;

/// The time on the controllers' clock.
pub(super) fn clock(world: &World) -> Timestamp {
    world.now.plus_nanos(world.control.skew_nanos)
}

/// The world's time when the controllers' clock shows `at`.
pub(super) fn world_time(world: &World, at: Timestamp) -> Timestamp {
    at.plus_nanos(world.control.skew_nanos.saturating_neg())
}

/// Lets the workers take what is in the queues.
pub(super) fn work(world: &mut World) {
    if !world.control.up {
        return;
    }
    job_controller::work(world);
    cron_job_controller::work(world);
    ttl_controller::work(world);
    orphan_pods::work(world);
}

/// A key's delay is over.
pub(super) fn timer(world: &mut World, timer: Timer) {
    let (now, control) = (world.now, &mut world.control);
    match timer {
        Timer::Job(key) => control.jobs.queue.due(&key, now),
        Timer::CronJob(key) => control.cron_jobs.queue.due(&key, now),
        Timer::Ttl(key) => control.ttl.queue.due(&key, now),
        Timer::Orphan(key) => control.orphans.queue.due(&key, now),
    }
}

/// Publishes events about an object.
pub(super) fn publish(
    world: &mut World,
    component: &'static str,
    kind: &str,
    (namespace, name): (&str, &str),
    events: impl IntoIterator<Item = Event>,
) {
    let at = clock(world);
    if world.record.quiet {
        return;
    }
    let object = format!("{kind}/{name}");
    for event in events {
        // The Pod that was created or deleted is named last.
        let last = event.message.rsplit(' ').next().unwrap_or_default();
        let pod = world.store.pod_named(namespace, last).map(|pod| pod.name.clone());
        let about = (object.as_str(), event.message.as_str());
        let event = EventRecord::new(at, (event.kind, component), &event.reason, about, pod.as_ref());
        world.record.keep_event(|| event);
    }
}

/// The process dies; it starts again later.
pub(super) fn crash(world: &mut World, in_flight: InFlight, down_nanos: i64) {
    if !world.control.up {
        return;
    }
    if in_flight == InFlight::Committed {
        calls::carry_out_all(world);
    }
    let fresh = Control::new(&world.config.controller);
    let old = std::mem::replace(&mut world.control, fresh);
    let control = &mut world.control;
    control.epoch = old.epoch + 1;
    control.up = false;
    control.skew_nanos = old.skew_nanos;
    control.garbage = old.garbage;
    control.faults = old.faults;
    control.faults.met.crashes += 1;
    let (at, epoch) = (world.now.plus_nanos(down_nanos), world.control.epoch);
    world.plan_control(at, Due::Restart(epoch));
}

/// The process starts: it lists everything and takes all of it for new.
pub(super) fn restart(world: &mut World) {
    world.control.up = true;
    world.control.informer = Informer::default();
    let version = world.store.version();
    for resource in Resource::ALL {
        world.control.informer.watch_mut(resource).version = version;
    }
    let kind = ChangeKind::Added;
    let is_job = |object: &Object| matches!(object, Object::Job(_) | Object::CronJob(_));
    let objects: Vec<Object> = world.store.objects().filter(|object| is_job(object)).cloned().collect();
    let pods: Vec<_> = world.store.shared_pods().cloned().collect();
    for object in objects {
        watch::show(world, WatchEvent::Object(ObjectChange { kind, object }));
    }
    for pod in pods {
        watch::show(world, WatchEvent::Pod(PodChange { kind, pod }));
    }
}
