//! The API server's store: objects, resource versions, and what changed, in watch order.

use crate::object::{Pod, PodId};
use policy_core::{Timestamp, seconds_to_nanos};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a change did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// The object is new.
    Added,
    /// The object differs from before.
    Modified,
    /// The object is gone.
    Deleted,
}

/// A change of a Pod, as a watch shows it: with the Pod as it was right after the change.
#[derive(Clone, Debug)]
pub struct PodChange {
    /// What happened.
    pub kind: ChangeKind,
    /// The Pod after it (for a deletion: the last state).
    pub pod: Arc<Pod>,
}

/// The store.
#[derive(Debug, Default)]
pub struct Store {
    version: u64,
    pods: Vec<Option<Pod>>,
    pod_names: BTreeMap<(Arc<str>, Arc<str>), PodId>,
    /// Changes of Pods that the world has not passed on yet.
    pub(crate) pod_changes: Vec<PodChange>,
}

impl Store {
    /// The next resource version; every write takes one.
    pub fn next_version(&mut self) -> u64 {
        self.version += 1;
        self.version
    }

    /// Adds a Pod; `make` gets its place and resource version.
    pub fn insert_pod(&mut self, make: impl FnOnce(PodId, u64) -> Pod) -> PodId {
        let id = PodId(u32::try_from(self.pods.len()).unwrap_or(u32::MAX));
        let pod = make(id, self.next_version());
        self.pod_names.insert((pod.namespace.clone(), pod.name.clone()), id);
        self.pod_changes.push(PodChange { kind: ChangeKind::Added, pod: Arc::new(pod.clone()) });
        self.pods.push(Some(pod));
        id
    }

    /// A Pod, while it exists.
    pub fn pod(&self, id: PodId) -> Option<&Pod> {
        self.pods.get(id.0 as usize)?.as_ref()
    }

    /// A Pod by namespace and name.
    pub fn pod_named(&self, namespace: &str, name: &str) -> Option<&Pod> {
        self.pod(*self.pod_names.get(&(namespace.into(), name.into()))?)
    }

    /// The Pods that exist, oldest first.
    pub fn pods(&self) -> impl Iterator<Item = &Pod> {
        self.pods.iter().flatten()
    }

    /// Changes a Pod; `change` says whether it changed anything. A change gets a new resource version.
    pub fn update_pod(&mut self, id: PodId, change: impl FnOnce(&mut Pod) -> bool) -> bool {
        let version = self.version + 1;
        let Some(pod) = self.pods.get_mut(id.0 as usize).and_then(Option::as_mut) else { return false };
        if !change(pod) {
            return false;
        }
        self.version = version;
        pod.resource_version = version;
        self.pod_changes.push(PodChange { kind: ChangeKind::Modified, pod: Arc::new(pod.clone()) });
        true
    }

    /// Asks for a Pod's deletion: marks it, with a grace period; what has neither finalizers nor a grace period is gone
    /// at once. A Pod that is not bound or has ended gets no grace (`podStrategy.CheckGracefulDelete`); a second request
    /// can only shorten the grace period (`rest.BeforeDelete`).
    pub fn request_pod_deletion(&mut self, id: PodId, grace_seconds: i64, now: Timestamp) {
        let Some(pod) = self.pod(id) else { return };
        let at_once = pod.node.is_none() || pod.is_terminal();
        let grace = match grace_seconds {
            _ if at_once => 0,
            ..0 => 1,
            _ => grace_seconds,
        };
        self.update_pod(id, |pod| {
            let (asked_at, shorter) = match (pod.deletion_timestamp, pod.deletion_grace_seconds) {
                (Some(due), Some(earlier)) => (due.plus_nanos(-seconds_to_nanos(earlier)), grace < earlier),
                _ => (now, true),
            };
            if shorter {
                pod.deletion_timestamp = Some(asked_at.plus_nanos(seconds_to_nanos(grace)));
                pod.deletion_grace_seconds = Some(grace);
            }
            shorter
        });
        self.remove_if_done(id);
    }

    /// Takes a Pod away when nothing keeps it: deletion asked for, grace period zero, no finalizers.
    pub fn remove_if_done(&mut self, id: PodId) {
        let done = self.pod(id).is_some_and(|pod| {
            pod.deletion_timestamp.is_some()
                && pod.deletion_grace_seconds == Some(0)
                && pod.finalizers.is_empty()
        });
        if !done {
            return;
        }
        let version = self.next_version();
        if let Some(mut pod) = self.pods.get_mut(id.0 as usize).and_then(Option::take) {
            pod.resource_version = version;
            self.pod_names.remove(&(pod.namespace.clone(), pod.name.clone()));
            self.pod_changes.push(PodChange { kind: ChangeKind::Deleted, pod: Arc::new(pod) });
        }
    }
}
