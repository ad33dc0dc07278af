//! The API server's store: objects, resource versions, and what changed, in watch order.

use crate::config::{ApiConfig, Config};
use crate::map::{List, Map, Set};
use crate::object::{Pod, PodId};
use policy_core::{Timestamp, seconds_to_nanos};
use std::sync::Arc;

mod admission;
mod deletion;
mod error;
mod identity;
pub(crate) mod limits;
mod objects;
mod pods;
mod updates;

pub(crate) use admission::{Created, DEFAULT_NAMESPACE};
pub use deletion::{DELETE_DEPENDENTS_FINALIZER, ORPHAN_FINALIZER, Propagation};
pub use error::ApiError;
pub use objects::{Kind, Object, ObjectChange, ObjectKey, Other};
pub(crate) use pods::{NewPod, create_pod, drop_finalizer, drop_owner};

use identity::Identities;
use limits::Limits;

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
#[derive(Clone, Debug, Default)]
pub struct Store {
    version: u64,
    limits: Limits,
    identities: Identities,
    pods: List<Option<Arc<Pod>>>,
    pod_names: Map<Arc<str>, Map<Arc<str>, PodId>>,
    /// Pods by the UIDs of their owners.
    owned_pods: Map<Arc<str>, Set<PodId>>,
    /// How many Pods of a namespace have not ended.
    live_pods: Map<Arc<str>, u32>,
    objects: Map<ObjectKey, Object>,
    object_uids: Map<String, ObjectKey>,
    unfinished_jobs: usize,
    cron_jobs: usize,
    /// Jobs that were deleted, as they were last, for the report.
    pub deleted_jobs: Vec<Arc<policy_core::spec::Job>>,
    /// Changes of Pods that the world has not passed on yet.
    pub(crate) pod_changes: Vec<PodChange>,
    /// Changes of other objects that the world has not passed on yet.
    pub(crate) object_changes: Vec<ObjectChange>,
}

impl Store {
    /// An empty store whose names, UIDs and limits come from the configuration.
    pub fn new(config: &Config) -> Self {
        Store {
            limits: Limits::new(config.api.clone()),
            identities: Identities::new(config.seed),
            ..Store::default()
        }
    }

    /// The next resource version; every write takes one.
    pub fn next_version(&mut self) -> u64 {
        self.version += 1;
        self.version
    }

    /// The last resource version that a write took.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Other limits from now on.
    pub fn set_limits(&mut self, limits: ApiConfig) {
        self.limits = Limits::new(limits);
    }

    /// Adds a Pod; `make` gets its place and resource version.
    pub fn insert_pod(&mut self, make: impl FnOnce(PodId, u64) -> Pod) -> PodId {
        let id = PodId(u32::try_from(self.pods.len()).unwrap_or(u32::MAX));
        let pod = Arc::new(make(id, self.next_version()));
        let names = self.pod_names.get_or_default(pod.namespace.clone());
        names.insert(pod.name.clone(), id);
        self.index_owners(&pod);
        self.count_live(None, Some(&pod));
        self.pod_changes.push(PodChange { kind: ChangeKind::Added, pod: pod.clone() });
        self.pods.push(Some(pod));
        id
    }

    /// A Pod, while it exists.
    pub fn pod(&self, id: PodId) -> Option<&Pod> {
        self.shared_pod(id).map(|pod| &**pod)
    }

    /// A Pod as the store shares it.
    pub fn shared_pod(&self, id: PodId) -> Option<&Arc<Pod>> {
        self.pods.get(id.0 as usize)?.as_ref()
    }

    /// A Pod by namespace and name.
    pub fn pod_named(&self, namespace: &str, name: &str) -> Option<&Pod> {
        self.pod(*self.pod_names.get(namespace)?.get(name)?)
    }

    /// How many Pods were ever created; their places are the numbers below it.
    pub fn pods_ever(&self) -> usize {
        self.pods.len()
    }

    /// The Pods that exist, oldest first.
    pub fn pods(&self) -> impl Iterator<Item = &Pod> {
        self.shared_pods().map(|pod| &**pod)
    }

    /// The Pods that exist, as the store shares them.
    pub fn shared_pods(&self) -> impl Iterator<Item = &Arc<Pod>> {
        self.pods.iter().flatten()
    }

    /// The Pods that name this UID as an owner, oldest first.
    pub fn pods_owned_by(&self, uid: &str) -> impl Iterator<Item = &Arc<Pod>> {
        let ids = self.owned_pods.get(uid).into_iter().flat_map(Set::iter);
        ids.filter_map(|id| self.shared_pod(*id))
    }

    /// Whether a Pod exists that has not ended.
    pub fn has_live_pods(&self) -> bool {
        !self.live_pods.is_empty()
    }

    /// Changes a Pod; `change` says whether it changed anything. A change gets a new resource version.
    pub fn update_pod(&mut self, id: PodId, change: impl FnOnce(&mut Pod) -> bool) -> bool {
        let version = self.version + 1;
        let Some(slot) = self.pods.get_mut(id.0 as usize).and_then(Option::as_mut) else { return false };
        let before = slot.clone();
        let pod = Arc::make_mut(slot);
        if !change(pod) {
            *slot = before;
            return false;
        }
        self.version = version;
        pod.resource_version = version;
        if pod.is_terminal() {
            // Little will be added, and there may be many.
            pod.conditions.shrink_to_fit();
            pod.containers.shrink_to_fit();
            pod.finalizers.shrink_to_fit();
        }
        let after = slot.clone();
        if !Arc::ptr_eq(&before.owners, &after.owners) {
            self.unindex_owners(&before);
            self.index_owners(&after);
        }
        self.count_live(Some(&before), Some(&after));
        self.pod_changes.push(PodChange { kind: ChangeKind::Modified, pod: after });
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
        if done {
            self.remove_pod(id);
        }
    }

    fn remove_pod(&mut self, id: PodId) {
        let version = self.next_version();
        let Some(mut pod) = self.pods.get_mut(id.0 as usize).and_then(Option::take) else { return };
        Arc::make_mut(&mut pod).resource_version = version;
        if let Some(names) = self.pod_names.get_mut(&pod.namespace) {
            names.remove(&pod.name);
        }
        self.unindex_owners(&pod);
        self.count_live(Some(&pod), None);
        self.pod_changes.push(PodChange { kind: ChangeKind::Deleted, pod });
    }

    fn index_owners(&mut self, pod: &Pod) {
        for owner in pod.owners.iter() {
            match self.owned_pods.get_mut(owner.uid.as_str()) {
                Some(pods) => drop(pods.insert(pod.id)),
                None => drop(self.owned_pods.insert(owner.uid.as_str().into(), Set::from_iter([pod.id]))),
            }
        }
    }

    fn unindex_owners(&mut self, pod: &Pod) {
        for owner in pod.owners.iter() {
            if let Some(pods) = self.owned_pods.get_mut(owner.uid.as_str()) {
                pods.remove(&pod.id);
                if pods.is_empty() {
                    self.owned_pods.remove(owner.uid.as_str());
                }
            }
        }
    }

    fn count_live(&mut self, before: Option<&Pod>, after: Option<&Pod>) {
        let live = |pod: Option<&Pod>| pod.filter(|pod| !pod.is_terminal()).is_some();
        let Some(pod) = before.or(after) else { return };
        match (live(before), live(after)) {
            (false, true) => *self.live_pods.get_or_default(pod.namespace.clone()) += 1,
            (true, false) => {
                if let Some(count) = self.live_pods.get_mut(&pod.namespace) {
                    *count -= 1;
                    if *count == 0 {
                        self.live_pods.remove(&pod.namespace);
                    }
                }
            }
            _ => {}
        }
    }
}
