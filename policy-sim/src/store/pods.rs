//! Creating and patching Pods as the API server does.

use super::{ApiError, Store};
use crate::object::{Pod, PodBase, PodId};
use policy_core::Timestamp;
use policy_core::job::IndexFailures;
use policy_core::spec::{JOB_TRACKING_FINALIZER, OwnerReference};
use std::sync::Arc;

/// A Pod to create.
#[derive(Clone, Debug)]
pub(crate) struct NewPod {
    pub(crate) namespace: Arc<str>,
    /// The name; one is made from `generate_name` when empty.
    pub(crate) name: Arc<str>,
    pub(crate) generate_name: String,
    pub(crate) base: Arc<PodBase>,
    pub(crate) owners: Arc<[OwnerReference]>,
    pub(crate) finalizers: Vec<Arc<str>>,
    pub(crate) index: Option<i64>,
    pub(crate) index_failures: Option<IndexFailures>,
}

/// Creates a Pod.
///
/// # Errors
/// 409 when one of that name exists, 403 for the quota, 429 for the rate.
pub(crate) fn create_pod(store: &mut Store, new: NewPod, now: Timestamp) -> Result<Arc<Pod>, ApiError> {
    store.limits.take_rate("pods", now)?;
    let name = pod_name(store, &new);
    let used = store.live_pods.get(&new.namespace).copied().unwrap_or(0);
    store.limits.check_pods(&name, used)?;
    if store.pod_named(&new.namespace, &name).is_some() {
        return Err(ApiError::already_exists("pods", &name));
    }
    let uid = store.identities.uid().into();
    let id = store.insert_pod(|id, resource_version| Pod {
        owners: new.owners,
        finalizers: new.finalizers,
        index: new.index,
        index_failures: new.index_failures,
        ..Pod::new((id, resource_version), (new.namespace, name, uid), new.base, now)
    });
    store.shared_pod(id).cloned().ok_or_else(|| ApiError::internal("the Pod vanished"))
}

fn pod_name(store: &mut Store, new: &NewPod) -> Arc<str> {
    if !new.name.is_empty() {
        return new.name.clone();
    }
    loop {
        let name = format!("{}{}", new.generate_name, store.identities.suffix());
        if store.pod_named(&new.namespace, &name).is_none() {
            return name.into();
        }
    }
}

impl Store {
    /// Takes the tracking finalizer off a Pod.
    ///
    /// # Errors
    /// 404 when there is none of that name.
    pub(crate) fn remove_tracking_finalizer(&mut self, namespace: &str, name: &str) -> Result<u64, ApiError> {
        let id = self.pod_id(namespace, name)?;
        self.update_pod(id, |pod| drop_finalizer(pod, JOB_TRACKING_FINALIZER));
        let version = self.pod_version(id);
        self.remove_if_done(id);
        Ok(version)
    }

    /// Makes `owner` the Pod's controller and adds the tracking finalizer.
    ///
    /// # Errors
    /// 404 when there is none of that name, 409 when it has another UID, 422 when it has a controller or is being
    /// deleted.
    pub(crate) fn adopt_pod(
        &mut self,
        namespace: &str,
        name: &str,
        uid: &str,
        owner: OwnerReference,
    ) -> Result<u64, ApiError> {
        let id = self.pod_id_with_uid(namespace, name, uid)?;
        let pod = self.pod(id).ok_or_else(|| ApiError::not_found("pods", name))?;
        let tracked = pod.finalizers.iter().any(|f| &**f == JOB_TRACKING_FINALIZER);
        let controlled = pod.owners.iter().any(|known| known.is_controller() && known.uid != owner.uid);
        let invalid = |error: &str| Err(ApiError::invalid("Pod", name, &[error.into()]));
        if controlled {
            return invalid(
                "metadata.ownerReferences: Invalid value: Only one reference can have Controller set to true",
            );
        }
        if pod.deletion_timestamp.is_some() && !tracked {
            return invalid(&format!(
                "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found \
                 new finalizers []string{{\"{JOB_TRACKING_FINALIZER}\"}}"
            ));
        }
        self.update_pod(id, |pod| {
            let others = pod.owners.iter().filter(|known| known.uid != owner.uid);
            pod.owners = others.chain([&owner]).cloned().collect();
            if !tracked {
                pod.finalizers.push(JOB_TRACKING_FINALIZER.into());
            }
            true
        });
        Ok(self.pod_version(id))
    }

    /// Takes an owner and the tracking finalizer off a Pod.
    ///
    /// # Errors
    /// 404 when there is none of that name, 409 when it has another UID.
    pub(crate) fn release_pod(
        &mut self,
        namespace: &str,
        name: &str,
        uid: &str,
        owner_uid: &str,
    ) -> Result<u64, ApiError> {
        let id = self.pod_id_with_uid(namespace, name, uid)?;
        self.update_pod(id, |pod| {
            let dropped = drop_owner(pod, owner_uid);
            drop_finalizer(pod, JOB_TRACKING_FINALIZER) || dropped
        });
        let version = self.pod_version(id);
        self.remove_if_done(id);
        Ok(version)
    }

    /// The version of a Pod, which is what a write answers even if it changed nothing.
    fn pod_version(&self, id: PodId) -> u64 {
        self.pod(id).map_or(0, |pod| pod.resource_version)
    }

    pub(crate) fn pod_id(&self, namespace: &str, name: &str) -> Result<PodId, ApiError> {
        self.pod_named(namespace, name).map(|pod| pod.id).ok_or_else(|| ApiError::not_found("pods", name))
    }

    fn pod_id_with_uid(&self, namespace: &str, name: &str, uid: &str) -> Result<PodId, ApiError> {
        let pod = self.pod_named(namespace, name).ok_or_else(|| ApiError::not_found("pods", name))?;
        if &*pod.uid == uid {
            return Ok(pod.id);
        }
        let why = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {}", pod.uid);
        Err(ApiError::conflict_because("pods", name, &why))
    }
}

/// Takes a finalizer off; tells whether it was there.
pub(crate) fn drop_finalizer(pod: &mut Pod, finalizer: &str) -> bool {
    let count = pod.finalizers.len();
    pod.finalizers.retain(|f| &**f != finalizer);
    pod.finalizers.len() < count
}

/// Takes an owner off; tells whether it was there.
pub(crate) fn drop_owner(pod: &mut Pod, owner_uid: &str) -> bool {
    let owned = pod.owners.iter().any(|owner| owner.uid == owner_uid);
    if owned {
        pod.owners = pod.owners.iter().filter(|owner| owner.uid != owner_uid).cloned().collect();
    }
    owned
}
