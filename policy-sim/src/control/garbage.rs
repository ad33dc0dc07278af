//! The garbage collector: dependents follow their owners, or hold them up, or are let go
//! (upstream `pkg/controller/garbagecollector`).

use super::Due;
use crate::World;
use crate::map::Set;
use crate::object::PodId;
use crate::store::{
    ChangeKind, DELETE_DEPENDENTS_FINALIZER, ORPHAN_FINALIZER, Object, ObjectChange, ObjectKey, PodChange,
    Propagation, drop_finalizer, drop_owner,
};
use policy_core::spec::OwnerReference;

/// Something for the garbage collector to do.
#[derive(Clone, Debug)]
pub(crate) enum Task {
    /// The owner with this UID is gone.
    OwnerGone(String),
    /// The owner with this UID lets its dependents go, and then vanishes.
    Orphan(String),
    /// The owner with this UID waits for its dependents to vanish.
    Foreground(String),
    /// A Pod may have no owner.
    Pod(PodId),
    /// An object may have no owner.
    Object(ObjectKey),
}

/// The garbage collector's state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Garbage {
    /// UIDs of owners that wait for their dependents.
    waiting: Set<String>,
    /// Those whose dependents are going to be looked at.
    planned: Set<String>,
}

pub(super) fn observe_pod(world: &mut World, change: &PodChange) {
    recheck_waiting(world);
    // A Pod may get an owner that is gone by then: it was adopted too late (upstream `addDependentToOwners`).
    let stays = change.kind != ChangeKind::Deleted && change.pod.deletion_timestamp.is_none();
    if stays && has_absent_owner(world, &change.pod.owners) {
        plan(world, Task::Pod(change.pod.id));
    }
}

pub(super) fn observe_object(world: &mut World, change: &ObjectChange) {
    let metadata = change.object.metadata();
    recheck_waiting(world);
    if change.kind == ChangeKind::Deleted {
        world.control.garbage.waiting.remove(&metadata.uid);
        return plan(world, Task::OwnerGone(metadata.uid.clone()));
    }
    if change.kind == ChangeKind::Added && has_absent_owner(world, &metadata.owner_references) {
        plan(world, Task::Object(change.object.key()));
    }
    if !metadata.is_deleting() {
        return;
    }
    if metadata.has_finalizer(ORPHAN_FINALIZER) {
        plan(world, Task::Orphan(metadata.uid.clone()));
    } else if metadata.has_finalizer(DELETE_DEPENDENTS_FINALIZER) {
        world.control.garbage.waiting.insert(metadata.uid.clone());
        recheck_waiting(world);
    }
}

fn plan(world: &mut World, task: Task) {
    let at = world.now.plus_nanos(world.config.controller.garbage_latency_nanos);
    world.plan_control(at, Due::Garbage(task));
}

/// Anything that changes may be what an owner waits for.
fn recheck_waiting(world: &mut World) {
    if world.control.garbage.waiting.is_empty() {
        return;
    }
    let Garbage { waiting, planned } = &mut world.control.garbage;
    let unplanned: Vec<String> = waiting.iter().filter(|uid| !planned.contains(*uid)).cloned().collect();
    planned.extend(unplanned.iter().cloned());
    for uid in unplanned {
        plan(world, Task::Foreground(uid));
    }
}

fn has_absent_owner(world: &World, owners: &[OwnerReference]) -> bool {
    owners.iter().any(|owner| world.store.object_with_uid(&owner.uid).is_none())
}

/// Does a task.
pub(super) fn act(world: &mut World, task: Task) {
    match task {
        Task::OwnerGone(uid) => {
            let (pods, objects) = dependents(world, &uid);
            pods.into_iter().for_each(|pod| attempt_to_delete_pod(world, pod));
            objects.iter().for_each(|key| attempt_to_delete_object(world, key));
        }
        Task::Orphan(uid) => orphan_dependents(world, &uid),
        Task::Foreground(uid) => {
            world.control.garbage.planned.remove(&uid);
            delete_dependents(world, &uid);
        }
        Task::Pod(pod) => attempt_to_delete_pod(world, pod),
        Task::Object(key) => attempt_to_delete_object(world, &key),
    }
}

fn dependents(world: &World, uid: &str) -> (Vec<PodId>, Vec<ObjectKey>) {
    let pods = world.store.pods_owned_by(uid).map(|pod| pod.id).collect();
    (pods, world.store.objects_owned_by(uid))
}

/// Upstream `orphanDependents`.
fn orphan_dependents(world: &mut World, uid: &str) {
    let Some(owner) = world.store.object_with_uid(uid).map(Object::key) else { return };
    let (pods, objects) = dependents(world, uid);
    for pod in pods {
        world.store.update_pod(pod, |pod| drop_owner(pod, uid));
    }
    for key in objects {
        world.store.edit_object(&key, |object| {
            object.metadata_mut().owner_references.retain(|owner| owner.uid != uid);
            true
        });
    }
    remove_finalizer(world, &owner, ORPHAN_FINALIZER);
}

/// Upstream `processDeletingDependentsItem`: an owner vanishes once nothing is left that blocks it.
fn delete_dependents(world: &mut World, uid: &str) {
    let Some(owner) = world.store.object_with_uid(uid).map(Object::key) else { return };
    let blocks = |owners: &[OwnerReference]| {
        owners.iter().any(|owner| owner.uid == uid && owner.block_owner_deletion == Some(true))
    };
    let (pods, objects) = dependents(world, uid);
    let pods: Vec<PodId> =
        pods.into_iter().filter(|id| world.store.pod(*id).is_some_and(|pod| blocks(&pod.owners))).collect();
    let blocking = |key: &&ObjectKey| {
        world.store.object(key).is_some_and(|object| blocks(&object.metadata().owner_references))
    };
    let objects: Vec<ObjectKey> = objects.iter().filter(blocking).cloned().collect();
    if pods.is_empty() && objects.is_empty() {
        world.control.garbage.waiting.remove(uid);
        return remove_finalizer(world, &owner, DELETE_DEPENDENTS_FINALIZER);
    }
    pods.into_iter().for_each(|pod| attempt_to_delete_pod(world, pod));
    objects.iter().for_each(|key| attempt_to_delete_object(world, key));
}

fn remove_finalizer(world: &mut World, key: &ObjectKey, finalizer: &str) {
    world.store.edit_object(key, |object| {
        object.metadata_mut().finalizers.retain(|f| f != finalizer);
        true
    });
}

/// How an object's owners stand (upstream `classifyReferences`).
struct Owners {
    solid: bool,
    /// Owners that are gone, or wait for this object to go.
    leaving: Vec<String>,
    /// Whether one of them waits.
    waiting: bool,
}

fn classify(world: &World, owners: &[OwnerReference]) -> Owners {
    let mut found = Owners { solid: false, leaving: Vec::new(), waiting: false };
    for owner in owners {
        let waits = world.store.object_with_uid(&owner.uid).map(|object| {
            object.metadata().is_deleting() && object.metadata().has_finalizer(DELETE_DEPENDENTS_FINALIZER)
        });
        match waits {
            Some(false) => found.solid = true,
            waits => {
                found.leaving.push(owner.uid.clone());
                found.waiting |= waits == Some(true);
            }
        }
    }
    found
}

/// Upstream `attemptToDeleteItem`, for a Pod: it has no dependents.
fn attempt_to_delete_pod(world: &mut World, id: PodId) {
    let Some(pod) = world.store.shared_pod(id).cloned() else { return };
    if pod.owners.is_empty() {
        return;
    }
    if pod.deletion_timestamp.is_some() {
        // A Pod never has dependents to wait for.
        if pod.finalizers.iter().any(|finalizer| &**finalizer == DELETE_DEPENDENTS_FINALIZER) {
            world.store.update_pod(id, |pod| drop_finalizer(pod, DELETE_DEPENDENTS_FINALIZER));
            world.store.remove_if_done(id);
        }
        return;
    }
    let owners = classify(world, &pod.owners);
    if owners.solid {
        world.store.update_pod(id, |pod| {
            let mut changed = false;
            for uid in &owners.leaving {
                changed |= drop_owner(pod, uid);
            }
            changed
        });
        return;
    }
    // A Pod that vanished meanwhile is what was wanted.
    drop(world.store.delete_pod(&pod.namespace, &pod.name, None, world.now));
}

/// Upstream `attemptToDeleteItem`.
fn attempt_to_delete_object(world: &mut World, key: &ObjectKey) {
    let Some(object) = world.store.object(key) else { return };
    let metadata = object.metadata();
    let uid = metadata.uid.clone();
    if metadata.is_deleting() || metadata.owner_references.is_empty() {
        return;
    }
    let owners = classify(world, &metadata.owner_references);
    if owners.solid {
        if !owners.leaving.is_empty() {
            world.store.edit_object(key, |object| {
                object.metadata_mut().owner_references.retain(|o| !owners.leaving.contains(&o.uid));
                true
            });
        }
        return;
    }
    let (pods, objects) = dependents(world, &uid);
    let has_dependents = !pods.is_empty() || !objects.is_empty();
    let propagation = match () {
        () if owners.waiting && has_dependents => Propagation::Foreground,
        () if metadata_has(world, key, ORPHAN_FINALIZER) => Propagation::Orphan,
        () if metadata_has(world, key, DELETE_DEPENDENTS_FINALIZER) => Propagation::Foreground,
        () => Propagation::Background,
    };
    // An object that vanished meanwhile is what was wanted.
    drop(world.store.delete_object(key, Some(propagation), Some(&uid), world.now));
}

fn metadata_has(world: &World, key: &ObjectKey, finalizer: &str) -> bool {
    world.store.object(key).is_some_and(|object| object.metadata().has_finalizer(finalizer))
}
