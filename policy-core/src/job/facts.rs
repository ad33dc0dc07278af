//! The few facts about a Pod that the rules read. A Pod is digested once; decisions never see the Pod itself.

use super::indexes::parse_go_int;
use super::pod_failure_policy::{PolicyMatch, match_pod_failure_policy};
use super::pod_ref::PodRef;
use crate::Timestamp;
use crate::spec::{
    ContainerStatus, JOB_COMPLETION_INDEX, JOB_INDEX_FAILURE_COUNT, JOB_INDEX_IGNORED_FAILURE_COUNT,
    JOB_TRACKING_FINALIZER, Job, LabelSelector, Pod, PodFailurePolicy, Selector, StringMap,
};
use alloc::string::String;
use alloc::sync::Arc;

/// A Pod's phase; what is neither of the known ones behaves as upstream's empty phase does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Empty or not a phase that Kubernetes has.
    Unset,
    /// Accepted, not all containers started.
    Pending,
    /// At least one container runs or restarts.
    Running,
    /// All containers ended well.
    Succeeded,
    /// All containers ended, at least one badly.
    Failed,
    /// The node does not report.
    Unknown,
}

impl Phase {
    fn of(text: &str) -> Self {
        match text {
            "Pending" => Phase::Pending,
            "Running" => Phase::Running,
            "Succeeded" => Phase::Succeeded,
            "Failed" => Phase::Failed,
            "Unknown" => Phase::Unknown,
            _ => Phase::Unset,
        }
    }

    /// The phase as Kubernetes writes it; empty when unset.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Unset => "",
            Phase::Pending => "Pending",
            Phase::Running => "Running",
            Phase::Succeeded => "Succeeded",
            Phase::Failed => "Failed",
            Phase::Unknown => "Unknown",
        }
    }
}

/// Whose a Pod is, seen from the Job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The Job controls it and its selector matches.
    Owned,
    /// The Job controls it, but its selector does not match any more: it is to be released.
    NotSelected,
    /// Nobody controls it and the Job's selector matches: it is to be adopted.
    Orphan,
    /// Somebody else's, or nobody's and not selected.
    Foreign,
}

/// The index of a Pod that has none, or one that is not a number (upstream `unknownCompletionIndex`).
pub const UNKNOWN_INDEX: i64 = -1;

/// What a Job's rules read of one Pod.
#[derive(Clone, Debug, PartialEq)]
pub struct PodFacts {
    /// Whose it is.
    pub claim: Claim,
    /// The phase.
    pub phase: Phase,
    /// Whether it carries the tracking finalizer.
    pub has_finalizer: bool,
    /// Whether its deletion was asked for.
    pub deleting: bool,
    /// Whether its Ready condition is true.
    pub ready: bool,
    /// Whether it is bound to a node.
    pub assigned: bool,
    /// Whether any owner reference names the Job (an adopted Pod that has one keeps untracked).
    pub references_job: bool,
    /// The completion index, or [`UNKNOWN_INDEX`].
    pub index: i64,
    /// Counted failures of the index before this Pod.
    pub index_failure_count: i32,
    /// Ignored failures of the index before this Pod.
    pub index_ignored_failure_count: i32,
    /// Restarts of all containers together.
    pub restarts: i32,
    /// The most restarts of a container.
    pub max_restarts: i32,
    /// The most restarts of a sidecar.
    pub max_sidecar_restarts: i32,
    /// When it ended, as far as that can be told (upstream `getFinishedTime`).
    pub finished_at: Timestamp,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// Since when it has been ready.
    pub ready_at: Option<Timestamp>,
    /// The failure policy rule that its state matches.
    pub policy_match: Option<Arc<PolicyMatch>>,
    /// How calls name it.
    pub pod: PodRef,
}

impl PodFacts {
    /// Neither ended nor being deleted (upstream `IsPodActive`).
    #[inline]
    pub fn is_active(&self) -> bool {
        !self.is_terminal() && !self.deleting
    }

    /// Being deleted and not ended (upstream `IsPodTerminating`).
    #[inline]
    pub fn is_terminating(&self) -> bool {
        !self.is_terminal() && self.deleting
    }

    /// Ended (upstream `IsPodTerminal`).
    #[inline]
    pub fn is_terminal(&self) -> bool {
        matches!(self.phase, Phase::Succeeded | Phase::Failed)
    }

    /// Counts as failed (upstream `isPodFailed`): a Pod that is being deleted does too, unless Pods are replaced only
    /// once they have ended.
    #[inline]
    pub fn is_failed(&self, only_replaces_failed_pods: bool) -> bool {
        match self.phase {
            Phase::Failed => true,
            Phase::Succeeded => false,
            _ => self.deleting && !only_replaces_failed_pods,
        }
    }

    /// Counted and ignored failures together (upstream `getIndexAbsoluteFailureCount`).
    pub fn index_absolute_failure_count(&self) -> i32 {
        self.index_failure_count.wrapping_add(self.index_ignored_failure_count)
    }
}

/// Digests Pods for one Job: prepared once, used for each Pod.
///
/// ```
/// use policy_core::job::PodDigester;
/// use policy_core::spec::{Job, Pod};
/// let job: Job = serde_json::from_str(r#"{"metadata":{"name":"j","namespace":"n","uid":"u"},
///     "spec":{"selector":{"matchLabels":{"a":"b"}},"template":{}}}"#).unwrap();
/// let pod: Pod = serde_json::from_str(r#"{"metadata":{"name":"p","namespace":"n","uid":"1","labels":{"a":"b"}},
///     "status":{"phase":"Running"}}"#).unwrap();
/// let facts = PodDigester::new(&job).digest(&pod);
/// assert!(facts.is_active());
/// ```
#[derive(Clone, Debug)]
pub struct PodDigester {
    name: String,
    namespace: String,
    uid: String,
    wanted: Option<LabelSelector>,
    selector: Option<Selector>,
    policy: Option<PodFailurePolicy>,
}

impl PodDigester {
    /// Prepares for a Job. A selector that is not valid selects nothing; `begin` reports it.
    pub fn new(job: &Job) -> Self {
        PodDigester {
            name: job.metadata.name.clone(),
            namespace: job.metadata.namespace.clone(),
            uid: job.metadata.uid.clone(),
            wanted: job.spec.selector.clone(),
            selector: Selector::new(job.spec.selector.as_ref()).ok(),
            policy: job.spec.pod_failure_policy.clone(),
        }
    }

    /// Whether Pods are digested for this Job as for the one that it was prepared for.
    pub(crate) fn digests_for(&self, job: &Job) -> bool {
        let (meta, spec) = (&job.metadata, &job.spec);
        (&self.name, &self.namespace, &self.uid) == (&meta.name, &meta.namespace, &meta.uid)
            && self.wanted == spec.selector
            && self.policy == spec.pod_failure_policy
    }

    /// The facts about one Pod.
    pub fn digest(&self, pod: &Pod) -> PodFacts {
        let meta = &pod.metadata;
        let phase = Phase::of(&pod.status.phase);
        let deleting = meta.is_deleting();
        let ended = matches!(phase, Phase::Succeeded | Phase::Failed) || deleting;
        let (max_restarts, max_sidecar_restarts) = max_restarts(pod);
        let ready = pod.status.conditions.iter().find(|c| c.kind == "Ready").filter(|c| c.status == "True");
        PodFacts {
            claim: self.claim(pod),
            phase,
            has_finalizer: meta.has_finalizer(JOB_TRACKING_FINALIZER),
            deleting,
            ready: ready.is_some(),
            assigned: !pod.spec.node_name.is_empty(),
            references_job: meta.owner_references.iter().any(|owner| owner.uid == self.uid),
            index: completion_index(&meta.annotations),
            index_failure_count: failure_count(&meta.annotations, JOB_INDEX_FAILURE_COUNT),
            index_ignored_failure_count: failure_count(&meta.annotations, JOB_INDEX_IGNORED_FAILURE_COUNT),
            restarts: restarts(pod),
            max_restarts,
            max_sidecar_restarts,
            finished_at: if ended { finished_at(pod) } else { Timestamp::ZERO },
            created_at: meta.creation_timestamp,
            ready_at: ready.and_then(|c| c.last_transition_time),
            policy_match: match &self.policy {
                Some(policy) if phase != Phase::Succeeded => {
                    match_pod_failure_policy(policy, &pod.status).map(Arc::new)
                }
                _ => None,
            },
            pod: PodRef::new(&meta.name, &meta.uid),
        }
    }

    /// Upstream `FilterPodsByOwner` and the tests of `ClaimObject` that need no call.
    fn claim(&self, pod: &Pod) -> Claim {
        let meta = &pod.metadata;
        if meta.namespace != self.namespace {
            return Claim::Foreign;
        }
        let selected = self.selector.as_ref().is_some_and(|selector| selector.matches(&meta.labels));
        match meta.controller() {
            Some(owner) if owner.kind != "Job" || owner.name != self.name || owner.uid != self.uid => {
                Claim::Foreign
            }
            Some(_) if selected => Claim::Owned,
            Some(_) => Claim::NotSelected,
            None if selected => Claim::Orphan,
            None => Claim::Foreign,
        }
    }
}

/// Upstream's error for a selector that cannot be used, if it is one.
pub(crate) fn selector_error(selector: Option<&LabelSelector>) -> Option<String> {
    Selector::error(selector).map(|error| alloc::format!("couldn't convert Job selector: {error}"))
}

/// Upstream `getCompletionIndex`.
fn completion_index(annotations: &StringMap) -> i64 {
    let index = annotations.get(JOB_COMPLETION_INDEX).and_then(|text| parse_go_int(text));
    index.filter(|index| *index >= 0).unwrap_or(UNKNOWN_INDEX)
}

/// Upstream `parseInt32`: what is not a number from 0 to the largest int32 counts as 0.
fn failure_count(annotations: &StringMap, key: &str) -> i32 {
    let count = annotations.get(key).and_then(|text| parse_go_int(text)).and_then(|n| i32::try_from(n).ok());
    count.filter(|count| *count >= 0).unwrap_or(0)
}

/// All restarts together; Go's int32 sum wraps (upstream `pastBackoffLimitOnFailure`).
fn restarts(pod: &Pod) -> i32 {
    let statuses = pod.status.init_container_statuses.iter().chain(&pod.status.container_statuses);
    statuses.fold(0_i32, |sum, status| sum.wrapping_add(status.restart_count))
}

/// The most restarts of a container and of a sidecar (upstream `maxContainerRestarts`).
fn max_restarts(pod: &Pod) -> (i32, i32) {
    let most = |max: i32, status: &ContainerStatus| max.max(status.restart_count);
    let regular = pod.status.container_statuses.iter().fold(0, most);
    let sidecars = pod.status.init_container_statuses.iter().filter(|status| is_sidecar(pod, &status.name));
    (regular, sidecars.fold(0, most))
}

fn is_sidecar(pod: &Pod, name: &str) -> bool {
    let mut init_containers = pod.spec.init_containers.iter();
    init_containers.any(|c| c.name == name && c.restart_policy.as_deref() == Some("Always"))
}

/// Upstream `getFinishedTime`: from the containers, else from Ready=False, else from the deletion, else the creation.
fn finished_at(pod: &Pod) -> Timestamp {
    finished_at_from_containers(pod)
        .or_else(|| {
            let ready = pod.status.conditions.iter().find(|c| c.kind == "Ready")?;
            ready.last_transition_time.filter(|_| ready.status == "False")
        })
        .or_else(|| {
            let grace_seconds = pod.metadata.deletion_grace_period_seconds.unwrap_or(0);
            let grace_nanos = crate::seconds_to_nanos(grace_seconds.wrapping_neg());
            pod.metadata.deletion_timestamp.map(|deleted| deleted.plus_nanos(grace_nanos))
        })
        .or(pod.metadata.creation_timestamp)
        .unwrap_or(Timestamp::ZERO)
}

/// Upstream `getFinishTimeFromContainers`. A regular container without an end only drops what the regular ones said;
/// sidecars are looked at all the same.
fn finished_at_from_containers(pod: &Pod) -> Option<Timestamp> {
    let regular = latest_finish(None, pod.status.container_statuses.iter());
    let sidecars = pod.status.init_container_statuses.iter().filter(|status| is_sidecar(pod, &status.name));
    latest_finish(regular, sidecars)
}

/// Upstream `latestFinishTime`: `None` as soon as one has not ended.
fn latest_finish<'a>(
    mut latest: Option<Timestamp>,
    statuses: impl Iterator<Item = &'a ContainerStatus>,
) -> Option<Timestamp> {
    for status in statuses {
        let finished_at = status.state.terminated.as_ref()?.finished_at?;
        latest = latest.max(Some(finished_at));
    }
    latest
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use serde_json::{Value, json};

    fn digest(pod: Value) -> PodFacts {
        let job: Job = serde_json::from_value(json!({
            "metadata": {"name": "j", "namespace": "n", "uid": "u"},
            "spec": {"selector": {"matchLabels": {"a": "b"}}},
        }))
        .unwrap();
        PodDigester::new(&job).digest(&serde_json::from_value(pod).unwrap())
    }

    #[test]
    fn index_annotations_are_read_as_go_reads_numbers() {
        for (text, index) in [("+1", 1), ("007", 7), ("-0", 0), ("-1", -1), ("x", -1), ("", -1), ("1_0", -1)]
        {
            let facts = digest(json!({"metadata": {"annotations": {JOB_COMPLETION_INDEX: text}}}));
            assert_eq!(facts.index, index, "{text}");
        }
    }

    #[test]
    fn an_unfinished_sidecar_hides_the_containers_finish_time() {
        let mut pod = json!({
            "metadata": {"creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"initContainers": [{"name": "log", "restartPolicy": "Always"}]},
            "status": {"phase": "Failed",
                "initContainerStatuses": [{"name": "log", "state": {"running": {}}}],
                "containerStatuses": [{"name": "c", "state": {"terminated": {"finishedAt": "2026-01-01T00:05:00Z"}}}]},
        });
        assert_eq!(digest(pod.clone()).finished_at.to_string(), "2026-01-01T00:00:00Z");
        pod["spec"]["initContainers"][0]["restartPolicy"] = Value::Null;
        assert_eq!(digest(pod).finished_at.to_string(), "2026-01-01T00:05:00Z");
    }

    #[test]
    fn claims_follow_the_controller_reference_and_the_selector() {
        let owner = json!([{"kind": "Job", "name": "j", "uid": "u", "controller": true}]);
        let claim = |labels: Value, owners: Value| {
            digest(json!({"metadata": {"namespace": "n", "labels": labels, "ownerReferences": owners}})).claim
        };
        assert_eq!(claim(json!({"a": "b"}), owner.clone()), Claim::Owned);
        assert_eq!(claim(json!({}), owner), Claim::NotSelected);
        assert_eq!(claim(json!({"a": "b"}), json!([])), Claim::Orphan);
        let other = json!([{"kind": "Job", "name": "k", "uid": "v", "controller": true}]);
        assert_eq!(claim(json!({"a": "b"}), other), Claim::Foreign);
    }
}
