//! What users do, with kubectl's semantics.

use super::patch::{merge, patch_pod};
use crate::World;
use crate::store::{ApiError, Created, Kind, Object, ObjectKey, Propagation};
use policy_core::spec::{LabelSelector, Selector};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What became of an applied manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The object is new.
    Created,
    /// It was changed.
    Configured,
    /// It was like that before.
    Unchanged,
}

/// How to delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Deletion {
    /// What becomes of dependents. kubectl says Background; a request that does not say (`None`) leaves it to the API
    /// server, which orphans the Pods of Jobs.
    pub propagation: Option<Propagation>,
    /// The grace period for Pods, in seconds; that of their spec when unset.
    pub grace_seconds: Option<i64>,
}

impl Default for Deletion {
    fn default() -> Self {
        Deletion { propagation: Some(Propagation::Background), grace_seconds: None }
    }
}

/// Objects of a kind in a namespace.
#[derive(Clone, Debug)]
pub struct Selection {
    /// The kind.
    pub kind: Kind,
    /// The namespace.
    pub namespace: String,
    /// Labels that select them.
    pub selector: LabelSelector,
}

impl World {
    /// Creates the object of a manifest (`kubectl create`).
    ///
    /// # Errors
    /// The API server's refusal.
    pub fn create(&mut self, manifest: &Value) -> Result<ObjectKey, ApiError> {
        let created = self.store.create(manifest, self.now)?;
        let key = match &created {
            Created::Object(object) => object.key(),
            Created::Pod(pod) => ObjectKey::new(Kind::Pod, &pod.namespace, &pod.name),
        };
        self.pass_on_changes();
        Ok(key)
    }

    /// Creates or changes the object of a manifest (`kubectl apply`). What the manifest no longer says stays as it is:
    /// what was applied before is not remembered.
    ///
    /// # Errors
    /// The API server's refusal.
    pub fn apply(&mut self, manifest: &Value) -> Result<(ObjectKey, Applied), ApiError> {
        let metadata = &manifest["metadata"];
        let kind = Kind::parse(manifest["kind"].as_str().unwrap_or_default());
        let namespace = metadata["namespace"].as_str().unwrap_or(crate::store::DEFAULT_NAMESPACE);
        let name = metadata["name"].as_str().unwrap_or_default();
        let key = ObjectKey::new(kind, namespace, name);
        if self.json(&key).is_none() {
            return self.create(manifest).map(|key| (key, Applied::Created));
        }
        let before = self.version_of(&key);
        self.patch(&key, manifest)?;
        let same = before == self.version_of(&key);
        Ok((key, if same { Applied::Unchanged } else { Applied::Configured }))
    }

    /// Deletes an object (`kubectl delete KIND NAME`, without waiting).
    ///
    /// # Errors
    /// 404 when there is none.
    pub fn delete(&mut self, key: &ObjectKey, how: Deletion) -> Result<(), ApiError> {
        match key.kind {
            Kind::Pod => self.store.delete_pod(&key.namespace, &key.name, how.grace_seconds, self.now)?,
            _ => self.store.delete_object(key, how.propagation, None, self.now)?,
        }
        self.pass_on_changes();
        Ok(())
    }

    /// Deletes what is selected (`kubectl delete KIND -l …`); returns what that was.
    ///
    /// # Errors
    /// 400 for a selector that is not valid.
    pub fn delete_selected(&mut self, what: &Selection, how: Deletion) -> Result<Vec<ObjectKey>, ApiError> {
        let keys = self.select(what)?;
        for key in &keys {
            self.delete(key, how)?;
        }
        Ok(keys)
    }

    /// The objects that are selected, by name.
    ///
    /// # Errors
    /// 400 for a selector that is not valid.
    pub fn select(&self, what: &Selection) -> Result<Vec<ObjectKey>, ApiError> {
        let selector = Selector::new(Some(&what.selector)).map_err(ApiError::bad_request)?;
        if what.kind == Kind::Pod {
            let pods = self.store.pods().filter(|pod| *pod.namespace == *what.namespace);
            let selected = pods.filter(|pod| selector.matches(&pod.labels()));
            return Ok(selected.map(|pod| ObjectKey::new(Kind::Pod, &pod.namespace, &pod.name)).collect());
        }
        let selected = |object: &&Object| {
            let metadata = object.metadata();
            metadata.namespace == what.namespace && selector.matches(&metadata.labels)
        };
        let keys = self.store.objects().filter(selected).map(Object::key);
        Ok(keys.filter(|key| key.kind == what.kind).collect())
    }

    /// Patches an object with a JSON merge patch (`kubectl patch --type=merge`). Conditions of Pods are merged by type,
    /// as a strategic merge patch of the status does.
    ///
    /// # Errors
    /// 404 when there is none, or the API server's refusal of the change.
    pub fn patch(&mut self, key: &ObjectKey, patch: &Value) -> Result<(), ApiError> {
        if key.kind == Kind::Pod {
            patch_pod(self, key, patch)?;
        } else {
            let not_found = || ApiError::not_found(&key.kind.resource(), &key.name);
            let mut object = self.store.object(key).ok_or_else(not_found)?.to_json();
            let version = object["metadata"]["resourceVersion"].clone();
            merge(&mut object, patch);
            // A version in the patch is a precondition; without one the server patches what is there.
            if patch["metadata"]["resourceVersion"].is_null() {
                object["metadata"]["resourceVersion"] = version;
            }
            self.store.replace(key, object)?;
        }
        self.pass_on_changes();
        Ok(())
    }

    /// Replaces an object other than a Pod (`kubectl replace`); a resource version in it is a precondition.
    ///
    /// # Errors
    /// 404 when there is none, 409 when it has changed, or the API server's refusal of the change.
    pub fn replace(&mut self, key: &ObjectKey, object: Value) -> Result<(), ApiError> {
        self.store.replace(key, object)?;
        self.pass_on_changes();
        Ok(())
    }

    /// Sets labels, or takes them off where the value is `None` (`kubectl label --overwrite`).
    ///
    /// # Errors
    /// As [`World::patch`].
    pub fn label<'l>(
        &mut self,
        key: &ObjectKey,
        labels: impl IntoIterator<Item = (&'l str, Option<&'l str>)>,
    ) -> Result<(), ApiError> {
        let labels: serde_json::Map<String, Value> =
            labels.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
        self.patch(key, &json!({"metadata": {"labels": labels}}))
    }

    /// An object as the API shows it.
    pub fn json(&self, key: &ObjectKey) -> Option<Value> {
        match key.kind {
            Kind::Pod => self.store.pod_named(&key.namespace, &key.name).map(|pod| pod.to_json()),
            _ => self.store.object(key).map(Object::to_json),
        }
    }

    fn version_of(&self, key: &ObjectKey) -> Option<String> {
        match key.kind {
            Kind::Pod => {
                let pod = self.store.pod_named(&key.namespace, &key.name);
                pod.map(|pod| pod.resource_version.to_string())
            }
            _ => self.store.object(key).map(|object| object.metadata().resource_version.clone()),
        }
    }
}
