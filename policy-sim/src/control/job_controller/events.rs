//! What the watch shows the Job controller: what it lowers, and whom it wakes (upstream's event handlers).

use super::{Entry, Key, enqueue_at};
use crate::World;
use crate::control::informer::key_of;
use crate::control::orphan_pods::{self, OrphanKey};
use crate::control::process::world_time;
use crate::object::Pod;
use policy_core::job::{Claim, PodDigester, PodFacts};
use policy_core::spec::{JOB_TRACKING_FINALIZER, Job, OwnerReference, StringMap};
use policy_core::watch::{self, JobWake, OrphanCheck, PodSeen};
use policy_core::{DigestedEvent, JobMemory, Timestamp};
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
    let update = watch::job_updated(before, job);
    match update.wake {
        JobWake::Now => {
            let now = world.now;
            enqueue_at(world, &key, now);
        }
        JobWake::Batched => enqueue_batched(world, &key),
        JobWake::OnlyPods => orphan_pods::enqueue(world, OrphanKey::selected(job)),
    }
    if let Some(deadline) = update.deadline {
        let at = world_time(world, deadline);
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
    let entry = world.control.jobs.entries.get_or_default(key_of(&job.metadata));
    if entry.job.as_ref().is_none_or(|known| known.metadata.uid != job.metadata.uid) {
        entry.digester = Some(PodDigester::new(job));
        entry.pending.clear();
    }
    entry.job = Some(job.clone());
}

/// Upstream `addPod`.
pub(in crate::control) fn pod_added(world: &mut World, pod: &Arc<Pod>) {
    pod_applied(world, None, pod);
}

/// Upstream `updatePod`.
pub(in crate::control) fn pod_updated(world: &mut World, before: &Arc<Pod>, pod: &Arc<Pod>) {
    if before.resource_version != pod.resource_version {
        pod_applied(world, Some(before), pod);
    }
}

/// Upstream `deletePod` for the final event.
pub(in crate::control) fn pod_deleted(world: &mut World, pod: &Arc<Pod>) {
    match controller(pod) {
        Some(owner) => drop(show_to_owner(world, owner, pod, Shown { known: true, gone: true })),
        None => withdraw_from_matching(world, pod),
    }
}

/// How a Pod is shown: whether it was known before, and whether it is gone now.
#[derive(Clone, Copy)]
struct Shown {
    known: bool,
    gone: bool,
}

/// Tells those whom a Pod that was added or changed concerns.
fn pod_applied(world: &mut World, before: Option<&Arc<Pod>>, pod: &Arc<Pod>) {
    let (labels_before, labels) = (before.map(|before| labels_of(before)), labels_of(pod));
    let update = watch::pod_applied(
        before.zip(labels_before.as_ref()).map(|(before, labels)| seen(before, labels)),
        seen(pod, &labels),
    );
    if update.leaves_old_owner
        && let Some(key) = before.and_then(|before| take_from_old_owner(world, before, pod))
        && update.wakes_old_owner
    {
        enqueue_batched(world, &key);
    }
    let mut owner_runs = false;
    match (update.wakes_matching, controller(pod)) {
        (None, Some(owner)) => {
            if before.is_some_and(|before| controller(before).is_none()) {
                withdraw_from_matching(world, pod);
            }
            owner_runs = show_to_owner(world, owner, pod, Shown { known: before.is_some(), gone: false });
        }
        (wake, _) => show_to_matching(world, pod, wake == Some(true)),
    }
    let is_orphan = match update.orphan {
        // As upstream.
        OrphanCheck::Never | OrphanCheck::IfOwnerIsGone => false,
        OrphanCheck::UnlessOwnerRuns => !owner_runs,
        OrphanCheck::Always => true,
    };
    if is_orphan {
        orphan_pods::enqueue(world, OrphanKey::Pod(pod.id));
    }
}

fn seen<'p>(pod: &'p Pod, labels: &'p StringMap) -> PodSeen<'p> {
    PodSeen {
        controller: controller(pod),
        labels,
        is_tracked: is_tracked(pod),
        is_deleting: pod.deletion_timestamp.is_some(),
    }
}

/// The labels of a Pod that may be adopted; nobody asks for those of others.
fn labels_of(pod: &Pod) -> StringMap {
    if controller(pod).is_none() { pod.labels() } else { StringMap::new() }
}

/// Shows a Pod to the Job that controls it, and wakes the Job; whether it is known and has not finished.
fn show_to_owner(world: &mut World, owner: &OwnerReference, pod: &Arc<Pod>, shown: Shown) -> bool {
    let policy = world.config.job_policy.clone();
    let Some((key, entry)) = resolve(world, owner, &pod.namespace) else { return false };
    let Some((digester, job)) = entry.digester.as_ref().zip(entry.job.as_ref()) else { return false };
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
    !finished
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
            DigestedEvent::Applied(facts) if facts.pod.uid() == &*pod.uid => Some(true),
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

/// The facts about a Pod.
pub(super) fn digest(digester: &PodDigester, pod: &Pod) -> PodFacts {
    digester.digest(&pod.to_spec())
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
