//! The controllers' shared cache: what the watches have shown so far.

use crate::map::{List, Map, Set};
use crate::object::{Pod, PodId};
use crate::store::{ObjectChange, PodChange};
use policy_core::Timestamp;
use policy_core::spec::{CronJob, Job};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;

/// Namespace and name.
pub(crate) type Key = (Arc<str>, Arc<str>);

/// What is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Resource {
    /// Pods.
    Pods,
    /// Jobs.
    Jobs,
    /// CronJobs.
    CronJobs,
}

impl Resource {
    /// All that is watched.
    pub const ALL: [Resource; 3] = [Resource::Pods, Resource::Jobs, Resource::CronJobs];
}

/// An event of a watch.
#[derive(Clone, Debug)]
pub(crate) enum WatchEvent {
    Pod(PodChange),
    Object(ObjectChange),
}

impl WatchEvent {
    /// The resource version that the cache has reached with this event.
    pub(crate) fn version(&self) -> u64 {
        match self {
            WatchEvent::Pod(change) => change.pod.resource_version,
            WatchEvent::Object(change) => version_of(&change.object.metadata().resource_version),
        }
    }

    /// The UID of what changed.
    pub(crate) fn uid(&self) -> &str {
        match self {
            WatchEvent::Pod(change) => &change.pod.uid,
            WatchEvent::Object(change) => &change.object.metadata().uid,
        }
    }
}

/// A resource version as a number; versions of this store are.
pub(crate) fn version_of(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

/// A watch: events on their way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    pub(crate) pending: VecDeque<(Timestamp, WatchEvent)>,
    /// Held up until then.
    pub(crate) frozen_until: Option<Timestamp>,
    /// Whether only the last state of what changes meanwhile is shown afterwards, as after a relist.
    pub(crate) coalesces: bool,
    /// How many events are still to be lost.
    pub(crate) to_drop: u64,
    /// The version that the cache has reached.
    pub(crate) version: u64,
}

impl Watch {
    /// Whether anything is on its way that is not held up.
    pub(crate) fn has_pending(&self) -> bool {
        self.frozen_until.is_none() && !self.pending.is_empty()
    }

    /// The next event that has arrived by now.
    pub(crate) fn next(&mut self, now: Timestamp) -> Option<WatchEvent> {
        if self.frozen_until.is_some() || self.pending.front()?.0 > now {
            return None;
        }
        let (_, event) = self.pending.pop_front()?;
        self.version = self.version.max(event.version());
        Some(event)
    }
}

/// The cache.
#[derive(Clone, Debug, Default)]
pub(crate) struct Informer {
    watches: [Watch; 3],
    /// By their places in the store.
    pods: List<Option<Arc<Pod>>>,
    /// Pods by the UID of their controller.
    controlled: Map<Arc<str>, Set<PodId>>,
    /// Pods without a controller, by namespace.
    uncontrolled: Map<Arc<str>, Set<PodId>>,
    pub(crate) jobs: Map<Key, Arc<Job>>,
    pub(crate) cron_jobs: Map<Key, Arc<CronJob>>,
}

impl Informer {
    pub(crate) fn watch(&self, resource: Resource) -> &Watch {
        &self.watches[resource as usize]
    }

    pub(crate) fn watch_mut(&mut self, resource: Resource) -> &mut Watch {
        &mut self.watches[resource as usize]
    }

    pub(crate) fn pod(&self, id: PodId) -> Option<&Arc<Pod>> {
        self.pods.get(id.0 as usize)?.as_ref()
    }

    pub(crate) fn pods(&self) -> impl Iterator<Item = &Arc<Pod>> {
        self.pods.iter().flatten()
    }

    /// The Pods that the owner with this UID controls, and the namespace's Pods that nobody controls, oldest first.
    pub(crate) fn candidates(&self, uid: &str, namespace: &str) -> Vec<Arc<Pod>> {
        let controlled = self.controlled.get(uid).into_iter().flat_map(Set::iter);
        let uncontrolled = self.uncontrolled.get(namespace).into_iter().flat_map(Set::iter);
        let ids: Set<PodId> = controlled.chain(uncontrolled).copied().collect();
        ids.iter().filter_map(|id| self.pod(*id)).cloned().collect()
    }

    /// Takes a Pod in; returns it as it was before.
    pub(crate) fn set_pod(&mut self, pod: &Arc<Pod>) -> Option<Arc<Pod>> {
        let place = pod.id.0 as usize;
        self.pods.grow_with(place + 1, || None);
        let before = self.pods.get_mut(place).and_then(|slot| slot.replace(pod.clone()));
        let moved = before.as_ref().is_none_or(|before| !Arc::ptr_eq(&before.owners, &pod.owners));
        if moved {
            if let Some(before) = &before {
                self.unindex(before);
            }
            match controller_uid(pod) {
                Some(uid) => match self.controlled.get_mut(uid) {
                    Some(pods) => drop(pods.insert(pod.id)),
                    None => drop(self.controlled.insert(uid.into(), Set::from_iter([pod.id]))),
                },
                None => drop(self.uncontrolled.get_or_default(pod.namespace.clone()).insert(pod.id)),
            }
        }
        before
    }

    /// Takes a Pod out.
    pub(crate) fn remove_pod(&mut self, id: PodId) -> Option<Arc<Pod>> {
        let before = self.pods.get_mut(id.0 as usize)?.take()?;
        self.unindex(&before);
        Some(before)
    }

    fn unindex(&mut self, pod: &Pod) {
        match controller_uid(pod) {
            Some(uid) => {
                if let Some(pods) = self.controlled.get_mut(uid) {
                    pods.remove(&pod.id);
                    if pods.is_empty() {
                        self.controlled.remove(uid);
                    }
                }
            }
            None => {
                if let Some(pods) = self.uncontrolled.get_mut(&pod.namespace) {
                    pods.remove(&pod.id);
                }
            }
        }
    }
}

/// The UID of the Pod's controller.
pub(crate) fn controller_uid(pod: &Pod) -> Option<&str> {
    pod.owners.iter().find(|owner| owner.is_controller()).map(|owner| owner.uid.as_str())
}

/// The key of an object.
pub(crate) fn key_of(metadata: &policy_core::spec::ObjectMeta) -> Key {
    (metadata.namespace.as_str().into(), metadata.name.as_str().into())
}
