//! What the watch shows the Job controller: what it lowers, and whom it wakes (upstream's event handlers).

use super::{Entry, Key, enqueue_at};
use crate::World;
use crate::control::informer::key_of;
use crate::control::orphan_pods::{self, OrphanKey};
use crate::control::process::world_time;
use crate::object::Pod;
use policy_core::job::{Claim, PodDigester, PodFacts, PodRef};
use policy_core::spec::{JOB_TRACKING_FINALIZER, Job, OwnerReference};
use policy_core::{DigestedEvent, JobMemory, Timestamp, seconds_to_nanos};
use std::sync::Arc;

/// Upstream `addJob`.
pub(in crate::control) fn job_added(world: &mut World, job: &Arc<Job>) {
    show_job(world, job);
    let (key, now) = (key_of(&job.metadata), world.now);
    enqueue_at(world, &key, now);
}

/// Upstream `updateJob`.
pub(in crate::control) fn job_updated(world: &mut World, before: &Job, job: &Arc<Job>) {
    show_job(world, job);
    let key = key_of(&job.metadata);
    if job.status.finished().is_some() {
        return orphan_pods::enqueue(world, OrphanKey::selected(job));
    }
    if before.metadata.generation == job.metadata.generation {
        enqueue_batched(world, &key);
    } else {
        let now = world.now;
        enqueue_at(world, &key, now);
    }
    let deadline = job.spec.active_deadline_seconds;
    if let (Some(start), Some(seconds)) = (job.status.start_time, deadline)
        && before.spec.active_deadline_seconds != deadline
    {
        let at = world_time(world, start.plus_nanos(seconds_to_nanos(seconds)));
        enqueue_at(world, &key, at);
    }
}

/// Upstream `deleteJob`.
pub(in crate::control) fn job_deleted(world: &mut World, job: &Arc<Job>) {
    let key = key_of(&job.metadata);
    if let Some(entry) = world.control.jobs.entries.get_mut(&key) {
        (entry.job, entry.digester, entry.written) = (None, None, None);
        // Finalizers on their way are forgotten by the sync that finds the Job gone.
        let finalizers_being_removed = std::mem::take(&mut entry.memory.finalizers_being_removed);
        entry.memory = JobMemory { finalizers_being_removed, ..JobMemory::default() };
    }
    let now = world.now;
    enqueue_at(world, &key, now);
    orphan_pods::enqueue(world, OrphanKey::selected(job));
}

/// Takes note of the Job as it is now.
fn show_job(world: &mut World, job: &Arc<Job>) {
    let entry = world.control.jobs.entries.entry(key_of(&job.metadata)).or_default();
    if entry.job.as_ref().is_none_or(|known| known.metadata.uid != job.metadata.uid) {
        entry.digester = Some(PodDigester::new(job));
        entry.pending.clear();
    }
    entry.job = Some(job.clone());
}

/// Upstream `addPod`.
pub(in crate::control) fn pod_added(world: &mut World, pod: &Arc<Pod>) {
    if pod.deletion_timestamp.is_some() {
        return pod_deleting(world, pod, Shown { known: false, gone: false });
    }
    match controller(pod) {
        Some(owner) => show_to_owner(world, owner, pod, Shown { known: false, gone: false }),
        None => {
            if is_tracked(pod) {
                orphan_pods::enqueue(world, OrphanKey::Pod(pod.id));
            }
            show_to_matching(world, pod, true);
        }
    }
}

/// Upstream `updatePod`.
pub(in crate::control) fn pod_updated(world: &mut World, before: &Arc<Pod>, pod: &Arc<Pod>) {
    if before.resource_version == pod.resource_version {
        return;
    }
    let shown = Shown { known: true, gone: false };
    let moved = !Arc::ptr_eq(&before.owners, &pod.owners) && controller(before) != controller(pod);
    if pod.deletion_timestamp.is_some() {
        if moved {
            take_from_old_owner(world, before, pod);
        }
        return pod_deleting(world, pod, shown);
    }
    if moved && let Some(key) = take_from_old_owner(world, before, pod) {
        enqueue_batched(world, &key);
    }
    match controller(pod) {
        Some(owner) => {
            if moved {
                withdraw_from_matching(world, pod);
            }
            show_to_owner(world, owner, pod, shown);
        }
        None => {
            if is_tracked(pod) {
                orphan_pods::enqueue(world, OrphanKey::Pod(pod.id));
            }
            let relabelled = before.own_labels != pod.own_labels;
            show_to_matching(world, pod, relabelled || moved);
        }
    }
}

/// Upstream `deletePod` for the final event.
pub(in crate::control) fn pod_deleted(world: &mut World, pod: &Arc<Pod>) {
    pod_deleting(world, pod, Shown { known: true, gone: true });
}

/// How a Pod is shown: whether it was known before, and whether it is gone now.
#[derive(Clone, Copy)]
struct Shown {
    known: bool,
    gone: bool,
}

/// Upstream `deletePod`.
fn pod_deleting(world: &mut World, pod: &Arc<Pod>, shown: Shown) {
    let Some(owner) = controller(pod) else {
        if is_tracked(pod) && !shown.gone {
            orphan_pods::enqueue(world, OrphanKey::Pod(pod.id));
        }
        return if shown.gone {
            withdraw_from_matching(world, pod)
        } else {
            show_to_matching(world, pod, false)
        };
    };
    let finished = resolve(world, owner, &pod.namespace)
        .is_none_or(|(_, entry)| entry.job.as_ref().is_some_and(|job| job.status.finished().is_some()));
    if finished && is_tracked(pod) && !shown.gone {
        orphan_pods::enqueue(world, OrphanKey::Pod(pod.id));
    }
    show_to_owner(world, owner, pod, shown);
}

/// Shows a Pod to the Job that controls it, and wakes the Job.
fn show_to_owner(world: &mut World, owner: &OwnerReference, pod: &Arc<Pod>, shown: Shown) {
    let policy = world.config.job_policy.clone();
    let Some((key, entry)) = resolve(world, owner, &pod.namespace) else { return };
    let Some((digester, job)) = entry.digester.as_ref().zip(entry.job.as_ref()) else { return };
    let facts = digest(digester, pod);
    let finished = job.status.finished().is_some();
    let (before, after) = ((shown.known || shown.gone).then_some(&facts), (!shown.gone).then_some(&facts));
    policy.observe(&mut entry.memory, before, after, finished);
    // Nothing is decided about the Pods of a finished Job any more; they are not kept.
    if !finished {
        entry.pending.push(match shown.gone {
            true => DigestedEvent::Deleted(pod.uid.clone()),
            false => DigestedEvent::Applied(facts),
        });
    }
    if !(finished && pod.deletion_timestamp.is_some()) {
        enqueue_batched(world, &key);
    }
}

/// The Pod has left its controller: nothing is awaited of it there any more.
fn take_from_old_owner(world: &mut World, before: &Pod, pod: &Pod) -> Option<Key> {
    let (key, entry) = resolve(world, controller(before)?, &before.namespace)?;
    if !is_tracked(pod) {
        entry.memory.finalizers_being_removed.remove(&pod.uid);
    }
    entry.pending.push(DigestedEvent::Deleted(pod.uid.clone()));
    Some(key)
}

/// Shows a Pod without a controller to the Jobs that might adopt it, and wakes them if wanted.
fn show_to_matching(world: &mut World, pod: &Arc<Pod>, wake: bool) {
    let mut woken = Vec::new();
    for (key, entry) in namespace_entries(world, pod) {
        let Some((digester, job)) = entry.digester.as_ref().zip(entry.job.as_ref()) else { continue };
        if job.status.finished().is_some() {
            continue;
        }
        let facts = digest(digester, pod);
        if facts.claim == Claim::Orphan {
            entry.pending.push(DigestedEvent::Applied(facts));
            woken.push(key.clone());
        } else {
            entry.withdraw(pod);
        }
    }
    for key in woken.iter().filter(|_| wake) {
        enqueue_batched(world, key);
    }
}

/// Takes a Pod away from the Jobs that might have adopted it.
fn withdraw_from_matching(world: &mut World, pod: &Arc<Pod>) {
    for (_, entry) in namespace_entries(world, pod) {
        entry.withdraw(pod);
    }
}

impl Entry {
    /// Takes a Pod out of what decisions see, if it is there.
    fn withdraw(&mut self, pod: &Pod) {
        let pending = self.pending.iter().rev().find_map(|event| match event {
            DigestedEvent::Applied(facts) if facts.pod.uid == pod.uid => Some(true),
            DigestedEvent::Deleted(uid) if *uid == pod.uid => Some(false),
            _ => None,
        });
        let known = || self.cache.as_ref().is_some_and(|cache| cache.pod(&pod.uid).is_some());
        if pending.unwrap_or_else(known) {
            self.pending.push(DigestedEvent::Deleted(pod.uid.clone()));
        }
    }
}

fn namespace_entries<'w>(world: &'w mut World, pod: &Pod) -> impl Iterator<Item = (&'w Key, &'w mut Entry)> {
    let namespace = pod.namespace.clone();
    world.control.jobs.entries.iter_mut().filter(move |(key, _)| key.0 == namespace)
}

/// Upstream `resolveControllerRef`: the Job of that name, if it is the one that is meant.
fn resolve<'w>(
    world: &'w mut World,
    owner: &OwnerReference,
    namespace: &Arc<str>,
) -> Option<(Key, &'w mut Entry)> {
    if owner.kind != "Job" {
        return None;
    }
    let key = (namespace.clone(), owner.name.as_str().into());
    let entry = world.control.jobs.entries.get_mut(&key)?;
    let is_meant = entry.job.as_ref().is_some_and(|job| job.metadata.uid == owner.uid);
    is_meant.then_some((key, entry))
}

/// The facts about a Pod; its names are shared with the Pod, for there are many of them.
pub(super) fn digest(digester: &PodDigester, pod: &Pod) -> PodFacts {
    let shared = PodRef { name: pod.name.clone(), uid: pod.uid.clone() };
    PodFacts { pod: shared, ..digester.digest(&pod.to_spec()) }
}

fn controller(pod: &Pod) -> Option<&OwnerReference> {
    pod.owners.iter().find(|owner| owner.is_controller())
}

fn is_tracked(pod: &Pod) -> bool {
    pod.finalizers.iter().any(|finalizer| &**finalizer == JOB_TRACKING_FINALIZER)
}

/// Upstream `enqueueSyncJobBatched`.
fn enqueue_batched(world: &mut World, key: &Key) {
    let at: Timestamp = world.now.plus_nanos(world.config.controller.settings.sync_batch_period_nanos);
    enqueue_at(world, key, at);
}
