//! Object metadata and owner references.

use super::{StringMap, is_false, null_default, time_or_unset};
use crate::Timestamp;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// The fields of `metav1.ObjectMeta` that the controllers read or write.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectMeta {
    /// Unique within the namespace; empty while a server still has to make it from `generate_name`.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The prefix from which the server makes a name.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "String::is_empty")]
    pub generate_name: String,
    /// The namespace.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Unique in time and space, given by the server.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// The server's version of the object, opaque.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "String::is_empty")]
    pub resource_version: String,
    /// Counts changes of the spec.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    /// When the server created the object.
    #[serde(deserialize_with = "time_or_unset", skip_serializing_if = "Option::is_none")]
    pub creation_timestamp: Option<Timestamp>,
    /// When deletion was asked for, plus the grace period; set on anything that is being deleted.
    #[serde(deserialize_with = "time_or_unset", skip_serializing_if = "Option::is_none")]
    pub deletion_timestamp: Option<Timestamp>,
    /// The grace period that is part of `deletion_timestamp`, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_grace_period_seconds: Option<i64>,
    /// Labels.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "StringMap::is_empty")]
    pub labels: StringMap,
    /// Annotations.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "StringMap::is_empty")]
    pub annotations: StringMap,
    /// Objects this one depends on; at most one is its controller.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "Vec::is_empty")]
    pub owner_references: Vec<OwnerReference>,
    /// What must be removed before the object can vanish.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "Vec::is_empty")]
    pub finalizers: Vec<String>,
}

impl ObjectMeta {
    /// The reference to the object's controller (`metav1.GetControllerOf`).
    pub fn controller(&self) -> Option<&OwnerReference> {
        self.owner_references.iter().find(|owner| owner.controller == Some(true))
    }

    /// Whether deletion was asked for.
    pub fn is_deleting(&self) -> bool {
        self.deletion_timestamp.is_some()
    }

    /// Whether the object carries `finalizer`.
    pub fn has_finalizer(&self, finalizer: &str) -> bool {
        self.finalizers.iter().any(|f| f == finalizer)
    }
}

/// `metav1.OwnerReference`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OwnerReference {
    /// API version of the owner.
    #[serde(deserialize_with = "null_default")]
    pub api_version: String,
    /// Kind of the owner.
    #[serde(deserialize_with = "null_default")]
    pub kind: String,
    /// Name of the owner.
    #[serde(deserialize_with = "null_default")]
    pub name: String,
    /// UID of the owner.
    #[serde(deserialize_with = "null_default")]
    pub uid: String,
    /// Whether the owner is the controller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controller: Option<bool>,
    /// Whether foreground deletion of the owner waits for this object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_owner_deletion: Option<bool>,
}

impl OwnerReference {
    /// A reference to a controlling owner that blocks its foreground deletion (`metav1.NewControllerRef`).
    pub fn controlled_by(api_version: &str, kind: &str, owner: &ObjectMeta) -> Self {
        OwnerReference {
            api_version: api_version.into(),
            kind: kind.into(),
            name: owner.name.clone(),
            uid: owner.uid.clone(),
            controller: Some(true),
            block_owner_deletion: Some(true),
        }
    }

    /// Whether this is a controlling reference; false also when unset.
    pub fn is_controller(&self) -> bool {
        !is_false(&self.controller.unwrap_or(false))
    }
}
