//! Objects of the virtual cluster. Pods are kept small: what they share with their Job's other Pods is shared.

use crate::data::PodPlan;
use policy_core::Timestamp;
use policy_core::job::IndexFailures;
use policy_core::spec::{
    self, Container, ContainerState, ContainerStateTerminated, JOB_COMPLETION_INDEX, JOB_INDEX_FAILURE_COUNT,
    JOB_INDEX_IGNORED_FAILURE_COUNT, ObjectMeta, OwnerReference, StringMap,
};
use serde_json::{Map, Value, json};
use std::sync::{Arc, OnceLock};

mod condition;

/// What all Pods of one Job (or one bare Pod manifest) have in common.
#[derive(Clone, Debug, Default)]
pub struct PodBase {
    /// The Pod's `spec`, as written in the template; `hostname` is set per Pod.
    pub spec: Value,
    /// Labels, without the index label.
    pub labels: StringMap,
    /// Annotations, without those about the index.
    pub annotations: StringMap,
    /// Containers and init containers, with what the kubelet needs to know of them.
    pub containers: Vec<ContainerSpec>,
    /// `restartPolicy`: `Always`, `OnFailure` or `Never`.
    pub restart_policy: String,
    /// `terminationGracePeriodSeconds`.
    pub grace_seconds: i64,
    /// What a completion index is appended to for the Pod's hostname.
    pub hostname_stem: Option<String>,
    /// What the data plane has read of `spec`, read once when it is first needed.
    pub(crate) plan: OnceLock<Arc<PodPlan>>,
}

impl PodBase {
    /// What Pods of a template have in common, as the API server defaults it. Init containers come first, in the order
    /// in which they run.
    pub fn new(spec: Value, labels: StringMap, annotations: StringMap) -> Self {
        let restart_policy = spec["restartPolicy"].as_str().unwrap_or("Always").into();
        let grace_seconds = spec["terminationGracePeriodSeconds"].as_i64().unwrap_or(30);
        let containers = ["initContainers", "containers"].into_iter().flat_map(|key| {
            let list = spec[key].as_array().into_iter().flatten();
            list.map(move |container| ContainerSpec::read(container, key == "initContainers"))
        });
        let containers = containers.collect();
        let (hostname_stem, plan) = (None, OnceLock::new());
        PodBase { spec, labels, annotations, containers, restart_policy, grace_seconds, hostname_stem, plan }
    }

    /// Reads a Pod template, or a manifest of a bare Pod.
    pub fn from_template(template: &Value) -> Self {
        let metadata = &template["metadata"];
        let (labels, annotations) = (string_map(&metadata["labels"]), string_map(&metadata["annotations"]));
        PodBase::new(template["spec"].clone(), labels, annotations)
    }
}

fn string_map(value: &Value) -> StringMap {
    let entries = value.as_object().into_iter().flatten();
    entries.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// A container as the kubelet sees it.
#[derive(Clone, Debug, Default)]
pub struct ContainerSpec {
    /// Its name.
    pub name: Arc<str>,
    /// Its image.
    pub image: String,
    /// Whether it is an init container.
    pub init: bool,
    /// Whether it is a sidecar: an init container with restartPolicy Always.
    pub sidecar: bool,
    /// Environment variables besides those in the `spec`; the latter come over them.
    pub env: Vec<(String, String)>,
}

impl ContainerSpec {
    fn read(container: &Value, init: bool) -> Self {
        ContainerSpec {
            name: container["name"].as_str().unwrap_or_default().into(),
            image: container["image"].as_str().unwrap_or_default().into(),
            init,
            sidecar: init && container["restartPolicy"] == "Always",
            // The data plane reads what the `spec` says itself.
            env: Vec::new(),
        }
    }
}

/// A Pod.
#[derive(Clone, Debug)]
pub struct Pod {
    /// Its place in the store; never used again for another Pod.
    pub id: PodId,
    /// Name.
    pub name: Arc<str>,
    /// Namespace.
    pub namespace: Arc<str>,
    /// UID.
    pub uid: Arc<str>,
    /// What it shares with others.
    pub base: Arc<PodBase>,
    /// The owners; a Job's Pod has one.
    pub owners: Arc<[OwnerReference]>,
    /// Finalizers.
    pub finalizers: Vec<Arc<str>>,
    /// Labels of its own that come over the shared ones; a value of `None` takes a shared one away.
    pub own_labels: Box<[OwnLabel]>,
    /// The completion index.
    pub index: Option<i64>,
    /// Failures of its index so far.
    pub index_failures: Option<IndexFailures>,
    /// The server's version of it.
    pub resource_version: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its deletion was asked for, plus the grace period.
    pub deletion_timestamp: Option<Timestamp>,
    /// That grace period.
    pub deletion_grace_seconds: Option<i64>,
    /// The node that it is bound to.
    pub node: Option<Arc<str>>,
    /// The phase.
    pub phase: Phase,
    /// Why it is in this phase, for example `Evicted` or `NodeLost`.
    pub reason: &'static str,
    /// The same in words for people.
    pub message: Option<Arc<str>>,
    /// When its kubelet first saw it.
    pub started_at: Option<Timestamp>,
    /// Conditions.
    pub conditions: Vec<Condition>,
    /// States of the containers, in the order of `base.containers`; empty until the kubelet reports.
    pub containers: Vec<ContainerStatus>,
}

/// A label that a Pod has apart from those it shares; without a value it takes a shared one away.
pub type OwnLabel = (Arc<str>, Option<Arc<str>>);

/// Names a Pod in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodId(pub u32);

/// The phase of a Pod.
pub use policy_core::job::Phase;

pub use condition::{Condition, ConditionText};

/// The state of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerStatus {
    /// What it does now.
    pub state: State,
    /// How its last run ended, when it was restarted.
    pub last: Option<Box<Ended>>,
    /// How often it was restarted.
    pub restarts: i32,
    /// Whether it is ready.
    pub ready: bool,
}

/// What a container does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It waits, for a reason such as `ContainerCreating`, `ImagePullBackOff` or `CrashLoopBackOff`.
    Waiting(&'static str),
    /// It runs since then.
    Running(Timestamp),
    /// It has ended.
    Terminated(Ended),
}

/// How a container ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The exit code.
    pub exit_code: i32,
    /// `Completed`, `Error`, `OOMKilled` or `ContainerStatusUnknown`.
    pub reason: &'static str,
    /// When it started; unset when it never did.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

impl Pod {
    /// A Pod that has just been created: pending, on no node, owned by nobody.
    pub fn new(
        (id, resource_version): (PodId, u64),
        (namespace, name, uid): (Arc<str>, Arc<str>, Arc<str>),
        base: Arc<PodBase>,
        now: Timestamp,
    ) -> Self {
        Pod {
            id,
            name,
            namespace,
            uid,
            base,
            owners: Arc::default(),
            finalizers: Vec::new(),
            own_labels: Box::default(),
            index: None,
            index_failures: None,
            resource_version,
            created_at: now,
            deletion_timestamp: None,
            deletion_grace_seconds: None,
            node: None,
            phase: Phase::Pending,
            reason: "",
            message: None,
            started_at: None,
            conditions: Vec::new(),
            containers: Vec::new(),
        }
    }

    /// The labels with those of its own.
    pub fn labels(&self) -> StringMap {
        let mut labels = self.base.labels.clone();
        if let Some(index) = self.index {
            labels.insert(JOB_COMPLETION_INDEX.into(), index.to_string());
        }
        for (key, value) in &self.own_labels {
            match value {
                Some(value) => labels.insert((**key).into(), (**value).into()),
                None => labels.remove(&**key),
            };
        }
        labels
    }

    /// The annotations with those about the index.
    pub fn annotations(&self) -> StringMap {
        let mut annotations = self.base.annotations.clone();
        if let Some(index) = self.index {
            annotations.insert(JOB_COMPLETION_INDEX.into(), index.to_string());
        }
        if let Some(failures) = self.index_failures {
            annotations.insert(JOB_INDEX_FAILURE_COUNT.into(), failures.counted.to_string());
            if failures.ignored > 0 {
                annotations.insert(JOB_INDEX_IGNORED_FAILURE_COUNT.into(), failures.ignored.to_string());
            }
        }
        annotations
    }

    /// Whether it has ended.
    pub fn is_terminal(&self) -> bool {
        matches!(self.phase, Phase::Succeeded | Phase::Failed)
    }

    /// The condition of that type.
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| &*condition.kind == kind)
    }

    /// Sets a condition; the time moves only when the status changes. Tells whether anything changed.
    pub fn set_condition(
        &mut self,
        kind: &str,
        status: &'static str,
        reason: &str,
        message: &str,
        now: Timestamp,
    ) -> bool {
        let mut new = Condition::new(kind, status, reason, message, now);
        match self.conditions.iter_mut().find(|condition| &*condition.kind == kind) {
            Some(found) => {
                if found.status == status {
                    new.since = found.since;
                }
                let changed = *found != new;
                *found = new;
                changed
            }
            None => {
                self.conditions.push(new);
                true
            }
        }
    }

    /// What a policy reads of it, for `PodDigester`.
    pub fn to_spec(&self) -> spec::Pod {
        let status_of = |(container, status): (&ContainerSpec, &ContainerStatus)| spec::ContainerStatus {
            name: (*container.name).into(),
            state: ContainerState {
                terminated: match &status.state {
                    State::Terminated(ended) => Some(ContainerStateTerminated {
                        exit_code: ended.exit_code,
                        finished_at: ended.finished_at.map(Timestamp::truncated),
                        reason: ended.reason.into(),
                    }),
                    _ => None,
                },
            },
            restart_count: status.restarts,
        };
        let statuses = || self.base.containers.iter().zip(&self.containers);
        spec::Pod {
            metadata: self.metadata(),
            spec: spec::PodSpec {
                node_name: self.node.as_deref().unwrap_or_default().into(),
                init_containers: self.base.containers.iter().filter(|c| c.init).map(to_container).collect(),
            },
            status: spec::PodStatus {
                phase: self.phase.as_str().into(),
                conditions: self.conditions.iter().map(to_condition).collect(),
                reason: self.reason.into(),
                init_container_statuses: statuses().filter(|(c, _)| c.init).map(status_of).collect(),
                container_statuses: statuses().filter(|(c, _)| !c.init).map(status_of).collect(),
            },
        }
    }

    fn metadata(&self) -> ObjectMeta {
        ObjectMeta {
            name: (*self.name).into(),
            namespace: (*self.namespace).into(),
            uid: (*self.uid).into(),
            resource_version: self.resource_version.to_string(),
            creation_timestamp: Some(self.created_at.truncated()),
            deletion_timestamp: self.deletion_timestamp.map(Timestamp::truncated),
            deletion_grace_period_seconds: self.deletion_grace_seconds,
            labels: self.labels(),
            annotations: self.annotations(),
            owner_references: self.owners.to_vec(),
            finalizers: self.finalizers.iter().map(|f| (**f).into()).collect(),
            ..ObjectMeta::default()
        }
    }

    /// The whole Pod as the API would show it.
    pub fn to_json(&self) -> Value {
        let mut spec = self.base.spec.clone();
        if let (Some(node), Some(spec)) = (&self.node, spec.as_object_mut()) {
            spec.insert("nodeName".into(), (**node).into());
        }
        let hostname = self.base.hostname_stem.as_deref().zip(self.index);
        if let (Some((stem, index)), Some(spec)) = (hostname, spec.as_object_mut()) {
            spec.insert("hostname".into(), format!("{stem}{index}").into());
        }
        let statuses = |init: bool| -> Vec<Value> {
            let all = self.base.containers.iter().zip(&self.containers);
            all.filter(|(c, _)| c.init == init).map(|(c, status)| status_json(c, status)).collect()
        };
        let mut status = Map::new();
        status.insert("phase".into(), self.phase.as_str().into());
        status.insert("conditions".into(), self.conditions.iter().map(condition_json).collect());
        for (key, list) in [("initContainerStatuses", statuses(true)), ("containerStatuses", statuses(false))]
        {
            if !list.is_empty() {
                status.insert(key.into(), list.into());
            }
        }
        if !self.reason.is_empty() {
            status.insert("reason".into(), self.reason.into());
        }
        if let Some(message) = &self.message {
            status.insert("message".into(), (**message).into());
        }
        if let Some(started) = self.started_at {
            status.insert("startTime".into(), started.to_string().into());
        }
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": self.metadata(), "spec": spec, "status": status})
    }
}

fn to_container(container: &ContainerSpec) -> Container {
    let restart_policy = container.sidecar.then(|| "Always".into());
    Container { name: (*container.name).into(), restart_policy }
}

fn to_condition(condition: &Condition) -> spec::PodCondition {
    spec::PodCondition {
        kind: (*condition.kind).into(),
        status: condition.status.into(),
        last_transition_time: Some(condition.since.truncated()),
        reason: (*condition.reason).into(),
    }
}

fn condition_json(condition: &Condition) -> Value {
    let mut json = json!({"type": *condition.kind, "status": condition.status,
        "lastTransitionTime": condition.since});
    for (key, text) in [("reason", &condition.reason), ("message", &condition.message)] {
        if !text.is_empty() {
            json[key] = (**text).into();
        }
    }
    json
}

fn status_json(container: &ContainerSpec, status: &ContainerStatus) -> Value {
    let ended = |ended: &Ended| {
        json!({"exitCode": ended.exit_code, "reason": ended.reason,
            "startedAt": ended.started_at, "finishedAt": ended.finished_at})
    };
    let state = match &status.state {
        State::Waiting(reason) => json!({"waiting": {"reason": reason}}),
        State::Running(since) => json!({"running": {"startedAt": since}}),
        State::Terminated(how) => json!({"terminated": ended(how)}),
    };
    let last = status.last.as_ref().map_or_else(|| json!({}), |how| json!({"terminated": ended(how)}));
    json!({"name": *container.name, "image": container.image, "state": state, "lastState": last,
        "ready": status.ready, "restartCount": status.restarts,
        "started": matches!(status.state, State::Running(_))})
}
