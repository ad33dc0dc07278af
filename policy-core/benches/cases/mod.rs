//! The rows of the performance table: one Job with P Pods in a given state.

use policy_core::Timestamp;
use policy_core::spec::{Job, Pod};
use serde_json::{Value, json};

/// What the Job and its Pods look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// No Pods yet, at most 500 are created.
    Fresh,
    /// All Pods run, nothing to do.
    Steady,
    /// One Pod has failed.
    Failing,
    /// Indexed, all Pods run.
    Indexed,
    /// Indexed with backoffLimitPerIndex, one Pod has failed.
    IndexedFailing,
    /// Indexed with backoffLimitPerIndex and three failure policy rules, half the Pods have failed and are ignored.
    Policy,
    /// All Pods have succeeded and are not counted.
    Done,
    /// The same, Indexed.
    IndexedDone,
}

impl Case {
    /// All rows.
    pub const ALL: [Case; 8] = [
        Case::Fresh,
        Case::Steady,
        Case::Failing,
        Case::Indexed,
        Case::IndexedFailing,
        Case::Policy,
        Case::Done,
        Case::IndexedDone,
    ];

    /// The row's name.
    pub fn name(self) -> &'static str {
        match self {
            Case::Fresh => "fresh",
            Case::Steady => "steady",
            Case::Failing => "failing",
            Case::Indexed => "indexed",
            Case::IndexedFailing => "indexed-failing",
            Case::Policy => "policy",
            Case::Done => "done",
            Case::IndexedDone => "indexed-done",
        }
    }

    fn indexed(self) -> bool {
        !matches!(self, Case::Fresh | Case::Steady | Case::Failing | Case::Done)
    }

    fn per_index(self) -> bool {
        matches!(self, Case::IndexedFailing | Case::Policy)
    }

    /// The Job, created 1,000 s before [`now`], its status already right for the Pods that run.
    pub fn job(self, pods: usize) -> Job {
        let labels = json!({"batch.kubernetes.io/controller-uid": "u", "batch.kubernetes.io/job-name": "j",
            "controller-uid": "u", "job-name": "j"});
        let active = if self == Case::Fresh { 0 } else { pods };
        let mut job = json!({
            "metadata": {"name": "j", "namespace": "default", "uid": "u", "creationTimestamp": time(0)},
            "spec": {
                "completions": pods, "parallelism": pods, "backoffLimit": 6, "suspend": false,
                "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}},
                "completionMode": if self.indexed() { "Indexed" } else { "NonIndexed" },
                "podReplacementPolicy": "TerminatingOrFailed",
                "template": {"metadata": {"labels": labels}, "spec": {"restartPolicy": "Never",
                    "containers": [{"name": "main", "image": "busybox:1.28", "command": ["sh", "-c", "work"]}]}},
            },
            "status": {},
        });
        if self != Case::Fresh {
            job["status"] = json!({"active": active, "ready": active, "terminating": 0, "startTime": time(0),
                "uncountedTerminatedPods": {}});
        }
        if self.per_index() {
            job["spec"]["backoffLimit"] = i32::MAX.into();
            job["spec"]["backoffLimitPerIndex"] = 3.into();
            job["status"]["failedIndexes"] = "".into();
        }
        if self == Case::Policy {
            job["spec"]["podReplacementPolicy"] = "Failed".into();
            job["spec"]["podFailurePolicy"] = json!({"rules": [
                {"action": "FailJob", "onExitCodes": {"containerName": "main", "operator": "In", "values": [42]}},
                {"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [3, 4, 5]}},
                {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
            ]});
        }
        serde_json::from_str(&job.to_string()).expect("a Job")
    }

    /// How many Pods there are of a Job for so many.
    pub fn pod_count(self, count: usize) -> usize {
        if self == Case::Fresh { 0 } else { count }
    }

    /// A Pod as JSON text.
    pub fn pod_json(self, place: usize, count: usize) -> String {
        self.pod(place, count).to_string()
    }

    /// A Pod.
    pub fn pod_at(self, place: usize, count: usize) -> Pod {
        serde_json::from_value(self.pod(place, count)).expect("a Pod")
    }

    /// The Pods, one at a time.
    pub fn each_pod(self, count: usize) -> impl Iterator<Item = Pod> {
        (0..self.pod_count(count)).map(move |place| self.pod_at(place, count))
    }

    fn pod(self, i: usize, count: usize) -> Value {
        let mut pod = json!({
            "metadata": {"name": format!("j-{i:06}"), "namespace": "default", "uid": format!("uid-{i:06}"),
                "creationTimestamp": time(1),
                "labels": {"batch.kubernetes.io/controller-uid": "u", "batch.kubernetes.io/job-name": "j",
                    "controller-uid": "u", "job-name": "j"},
                "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": "u",
                    "controller": true, "blockOwnerDeletion": true}],
                "finalizers": ["batch.kubernetes.io/job-tracking"]},
            "spec": {"containers": [{"name": "main"}], "nodeName": "n1"},
            "status": {"phase": "Running",
                "conditions": [{"type": "PodScheduled", "status": "True", "lastTransitionTime": time(2)},
                    {"type": "Ready", "status": "True", "lastTransitionTime": time(3)}],
                "containerStatuses": [{"name": "main", "ready": true, "restartCount": 0,
                    "state": {"running": {"startedAt": time(3)}}}]},
        });
        if self.indexed() {
            pod["metadata"]["annotations"] = json!({"batch.kubernetes.io/job-completion-index": i.to_string(),
                "batch.kubernetes.io/job-index-failure-count": "0"});
        }
        let one_failed = matches!(self, Case::Failing | Case::IndexedFailing) && i == count / 2;
        if one_failed || (self == Case::Policy && i.is_multiple_of(2)) {
            end(&mut pod, "Failed", 1);
        }
        if self == Case::Policy && i.is_multiple_of(2) {
            let disrupted =
                json!({"type": "DisruptionTarget", "status": "True", "lastTransitionTime": time(999)});
            pod["status"]["conditions"].as_array_mut().expect("conditions").push(disrupted);
        }
        if matches!(self, Case::Done | Case::IndexedDone) {
            end(&mut pod, "Succeeded", 0);
        }
        pod
    }
}

fn end(pod: &mut Value, phase: &str, code: i32) {
    pod["status"]["phase"] = phase.into();
    pod["status"]["conditions"][1]["status"] = "False".into();
    pod["status"]["containerStatuses"][0]["ready"] = false.into();
    pod["status"]["containerStatuses"][0]["state"] =
        json!({"terminated": {"exitCode": code, "finishedAt": time(999)}});
}

fn time(seconds: i64) -> String {
    at(seconds).to_string()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(1_767_225_600 + seconds, 0).expect("a time")
}

/// The instant of the decision.
pub fn now() -> Timestamp {
    at(1000)
}
