//! Deletion: what a DELETE does to an object, and what keeps the object until it is gone.

use super::{ApiError, Kind, Object, ObjectKey, Store};
use policy_core::Timestamp;
use serde::{Deserialize, Serialize};

/// Keeps an owner until its dependents are gone (`metav1.FinalizerDeleteDependents`).
pub const DELETE_DEPENDENTS_FINALIZER: &str = "foregroundDeletion";
/// Keeps an owner until its dependents have been let go (`metav1.FinalizerOrphanDependents`).
pub const ORPHAN_FINALIZER: &str = "orphan";

/// What becomes of the dependents of a deleted object (`metav1.DeletionPropagation`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Propagation {
    /// They are deleted after it.
    Background,
    /// They are deleted before it.
    Foreground,
    /// They stay, and lose their owner.
    Orphan,
}

impl Propagation {
    /// What the API server does when a request does not say: Pods of Jobs stay, for compatibility
    /// (`jobStrategy.DefaultGarbageCollectionPolicy`); everything else goes along.
    pub fn default_for(kind: &Kind) -> Self {
        match kind {
            Kind::Job => Propagation::Orphan,
            _ => Propagation::Background,
        }
    }

    fn finalizer(self) -> Option<&'static str> {
        match self {
            Propagation::Background => None,
            Propagation::Foreground => Some(DELETE_DEPENDENTS_FINALIZER),
            Propagation::Orphan => Some(ORPHAN_FINALIZER),
        }
    }
}

impl Store {
    /// Deletes an object other than a Pod; `uid` is a precondition.
    ///
    /// # Errors
    /// 404 when there is none, 409 when it has another UID.
    pub(crate) fn delete_object(
        &mut self,
        key: &ObjectKey,
        propagation: Option<Propagation>,
        uid: Option<&str>,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let resource = key.kind.resource();
        let Some(object) = self.object(key) else { return Err(ApiError::not_found(&resource, &key.name)) };
        let metadata = object.metadata();
        if let Some(uid) = uid.filter(|uid| *uid != metadata.uid) {
            let why = format!(
                "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
                metadata.uid
            );
            return Err(ApiError::conflict_because(&resource, &key.name, &why));
        }
        let garbage = [DELETE_DEPENDENTS_FINALIZER, ORPHAN_FINALIZER];
        let existing = metadata.finalizers.iter().find(|f| garbage.contains(&f.as_str())).cloned();
        let wanted = match propagation {
            None if existing.is_some() => existing,
            None => Propagation::default_for(&key.kind).finalizer().map(Into::into),
            Some(propagation) => propagation.finalizer().map(Into::into),
        };
        let mut finalizers: Vec<String> =
            metadata.finalizers.iter().filter(|f| !garbage.contains(&f.as_str())).cloned().collect();
        finalizers.extend(wanted);
        if finalizers.is_empty() {
            self.take(key);
        } else {
            self.edit_object(key, |object| mark_deleting(object, finalizers, now));
        }
        Ok(())
    }

    /// Deletes a Pod, with the grace period of the request or of its spec.
    ///
    /// # Errors
    /// 404 when there is none.
    pub(crate) fn delete_pod(
        &mut self,
        namespace: &str,
        name: &str,
        grace_seconds: Option<i64>,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let pod = self.pod_named(namespace, name).ok_or_else(|| ApiError::not_found("pods", name))?;
        let (id, grace_seconds) = (pod.id, grace_seconds.unwrap_or(pod.base.grace_seconds));
        self.request_pod_deletion(id, grace_seconds, now);
        Ok(())
    }

    /// Changes an object other than a Pod without looking at what is changed; one that is being deleted and has no
    /// finalizer any more is gone.
    pub(crate) fn edit_object(&mut self, key: &ObjectKey, edit: impl FnOnce(&mut Object) -> bool) -> bool {
        let Some(mut object) = self.object(key).cloned() else { return false };
        if !edit(&mut object) {
            return false;
        }
        let metadata = object.metadata();
        if metadata.is_deleting() && metadata.finalizers.is_empty() {
            self.take(key);
        } else {
            self.put(object);
        }
        true
    }
}

/// Upstream `markAsDeleting`: counts as a change of the spec.
fn mark_deleting(object: &mut Object, finalizers: Vec<String>, now: Timestamp) -> bool {
    let metadata = object.metadata_mut();
    if metadata.is_deleting() && metadata.finalizers == finalizers {
        return false;
    }
    if !metadata.is_deleting() {
        metadata.deletion_timestamp = Some(now.truncated());
        metadata.deletion_grace_period_seconds = Some(0);
        metadata.generation = metadata.generation.map(|generation| generation.saturating_add(1));
    }
    metadata.finalizers = finalizers;
    true
}
