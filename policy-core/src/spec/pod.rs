//! The part of a Pod that a Job policy reads.

use super::{ObjectMeta, null_default, time_or_unset};
use crate::Timestamp;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// `v1.Pod`, cut to what a policy reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Pod {
    /// Metadata.
    #[serde(deserialize_with = "null_default")]
    pub metadata: ObjectMeta,
    /// Desired state.
    #[serde(deserialize_with = "null_default")]
    pub spec: PodSpec,
    /// Observed state.
    #[serde(deserialize_with = "null_default")]
    pub status: PodStatus,
}

/// `v1.PodSpec`, cut to what a policy reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodSpec {
    /// The node the Pod was bound to; empty while it waits for one.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "String::is_empty")]
    pub node_name: String,
    /// Init containers, sidecars among them.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "Vec::is_empty")]
    pub init_containers: Vec<Container>,
}

/// `v1.Container`, cut to what tells a sidecar from an init container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Container {
    /// Name within the Pod.
    #[serde(deserialize_with = "null_default")]
    pub name: String,
    /// `Always` marks a sidecar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart_policy: Option<String>,
}

/// `v1.PodStatus`, cut to what a policy reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodStatus {
    /// `Pending`, `Running`, `Succeeded`, `Failed`, `Unknown` or empty.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "String::is_empty")]
    pub phase: String,
    /// Conditions, in the order in which they were written.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<PodCondition>,
    /// Why the Pod is in this state, for example `Evicted`.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Statuses of the init containers.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "Vec::is_empty")]
    pub init_container_statuses: Vec<ContainerStatus>,
    /// Statuses of the containers.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "Vec::is_empty")]
    pub container_statuses: Vec<ContainerStatus>,
}

/// `v1.PodCondition`, cut to what a policy reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodCondition {
    /// For example `Ready` or `DisruptionTarget`.
    #[serde(rename = "type", deserialize_with = "null_default")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    #[serde(deserialize_with = "null_default")]
    pub status: String,
    /// When the status last changed.
    #[serde(deserialize_with = "time_or_unset", skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Timestamp>,
    /// One word for machines.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// `v1.ContainerStatus`, cut to what a policy reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerStatus {
    /// Name of the container.
    #[serde(deserialize_with = "null_default")]
    pub name: String,
    /// What it does now.
    #[serde(deserialize_with = "null_default")]
    pub state: ContainerState,
    /// How often it was restarted.
    #[serde(deserialize_with = "null_default")]
    pub restart_count: i32,
}

/// `v1.ContainerState`, cut to its terminated side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerState {
    /// Set once the container has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terminated: Option<ContainerStateTerminated>,
}

/// `v1.ContainerStateTerminated`, cut to what a policy reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerStateTerminated {
    /// The exit code.
    #[serde(deserialize_with = "null_default")]
    pub exit_code: i32,
    /// When it ended; unset when unknown.
    #[serde(deserialize_with = "time_or_unset", skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// For example `OOMKilled`.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "String::is_empty")]
    pub reason: String,
}
