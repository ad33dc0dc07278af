//! Any state of a Job and its Pods, likely or not.

use policy_core::spec::{JOB_TRACKING_FINALIZER, Job, Pod};
use policy_core::{BackoffRecord, Expectations, JobMemory, NANOS_PER_SECOND, Timestamp};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) job: Job,
    pub(crate) pods: Vec<Pod>,
    pub(crate) memory: JobMemory,
    pub(crate) now: Timestamp,
}

/// Seconds into a day; nearby instants are what decisions turn on.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(1_767_225_600 + seconds, 0).unwrap()
}

pub(crate) fn any() -> impl Strategy<Value = State> {
    (job(), prop::collection::vec(pod(), 0..9), memory(), 0..2_000_i64).prop_map(
        |(job, pods, memory, seconds)| {
            let pods = pods.into_iter().enumerate().map(|(place, pod)| named(pod, place)).collect();
            State { job, pods, memory, now: at(1_000 + seconds).plus_nanos(NANOS_PER_SECOND / 3) }
        },
    )
}

fn named(mut pod: Value, place: usize) -> Pod {
    pod["metadata"]["name"] = format!("p{place}").into();
    pod["metadata"]["uid"] = format!("u{place}").into();
    serde_json::from_value(pod).unwrap()
}

fn job() -> impl Strategy<Value = Job> {
    (spec(), status(), prop::bool::weighted(0.05)).prop_map(|(spec, status, deleting)| {
        let deleted_at = deleting.then(|| at(0));
        let metadata = json!({"name": "j", "namespace": "n", "uid": "job", "deletionTimestamp": deleted_at});
        serde_json::from_value(json!({"metadata": metadata, "spec": spec, "status": status})).unwrap()
    })
}

fn spec() -> impl Strategy<Value = Value> {
    let counts = (option::of(0..7), option::of(0..7), option::of(0..5), option::of(0..3), option::of(0..3));
    let flags = (any_bool(0.5), any_bool(0.1), any_bool(0.4), any_bool(0.4));
    let rest = (
        option::weighted(0.2, 0..3_000),
        option::weighted(0.2, select(vec!["0,2", "1-3", ""])),
        any_bool(0.2),
    );
    (counts, flags, rest).prop_map(|(counts, flags, rest)| {
        let (completions, parallelism, limit, per_index, max_failed) = counts;
        let (indexed, suspend, policy, replace_failed) = flags;
        let (deadline, success, on_failure) = rest;
        json!({
            "completions": completions, "parallelism": parallelism, "backoffLimit": limit,
            "backoffLimitPerIndex": per_index.filter(|_| indexed), "maxFailedIndexes": max_failed,
            "completionMode": if indexed { "Indexed" } else { "NonIndexed" }, "suspend": suspend,
            "podReplacementPolicy": if replace_failed { "Failed" } else { "TerminatingOrFailed" },
            "podFailurePolicy": policy.then(failure_policy),
            "successPolicy": success.map(|indexes| json!({"rules": [{"succeededIndexes": indexes}, {"succeededCount": 3}]})),
            "activeDeadlineSeconds": deadline,
            "selector": {"matchLabels": {"job": "j"}},
            "template": {"spec": {"restartPolicy": if on_failure { "OnFailure" } else { "Never" }}},
        })
    })
}

fn any_bool(probability: f64) -> impl Strategy<Value = bool> {
    prop::bool::weighted(probability)
}

fn failure_policy() -> Value {
    let exit = |code: i32| json!({"operator": "In", "values": [code]});
    json!({"rules": [
        {"action": "FailJob", "onExitCodes": exit(42)}, {"action": "FailIndex", "onExitCodes": exit(43)},
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        {"action": "Count", "onExitCodes": exit(2)},
    ]})
}

fn status() -> impl Strategy<Value = Value> {
    let condition = (
        select(vec!["Complete", "Failed", "Suspended", "FailureTarget", "SuccessCriteriaMet"]),
        select(vec!["True", "False"]),
    );
    let condition = condition
        .prop_map(|(kind, status)| json!({"type": kind, "status": status, "reason": "R", "message": "m"}));
    let uids = || prop::collection::vec((0..12).prop_map(|n| format!("u{n}")), 0..3);
    let indexes = || select(vec!["", "0", "1-3", "0,2,4", "3,1", "x"]);
    let conditions = prop::collection::vec(condition, 0..2);
    let lists = (uids(), uids(), indexes(), option::of(indexes()));
    (conditions, lists, (0..5, 0..5, 0..5), option::of(0..1_500_i64)).prop_map(
        |(conditions, lists, counts, start)| {
            let (succeeded, failed, completed_indexes, failed_indexes) = lists;
            json!({
                "conditions": conditions, "active": counts.0, "succeeded": counts.1, "failed": counts.2,
                "uncountedTerminatedPods": {"succeeded": succeeded, "failed": failed},
                "completedIndexes": completed_indexes, "failedIndexes": failed_indexes,
                "startTime": start.map(at),
            })
        },
    )
}

fn pod() -> impl Strategy<Value = Value> {
    let phase = select(vec!["Pending", "Running", "Running", "Succeeded", "Failed", "Failed", "Unknown", ""]);
    let flags = (any_bool(0.9), any_bool(0.9), any_bool(0.7), any_bool(0.2), any_bool(0.5), any_bool(0.2));
    let numbers = (-1..8_i64, 0..4_i32, select(vec![0_i32, 1, 2, 42, 43]), 0..3_000_i64);
    (phase, flags, numbers).prop_map(|(phase, flags, numbers)| {
        let (owned, selected, tracked, deleting, ready, disrupted) = flags;
        let (index, failures, exit_code, ended) = numbers;
        let owner =
            json!([{"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": "job", "controller": true}]);
        let condition =
            |kind: &str, holds: bool| json!({"type": kind, "status": if holds { "True" } else { "False" }});
        json!({
            "metadata": {
                "namespace": "n",
                "labels": if selected { json!({"job": "j"}) } else { json!({}) },
                "ownerReferences": if owned { owner } else { json!([]) },
                "finalizers": if tracked { json!([JOB_TRACKING_FINALIZER]) } else { json!([]) },
                "deletionTimestamp": deleting.then(|| at(ended)),
                "annotations": {
                    "batch.kubernetes.io/job-completion-index": index.to_string(),
                    "batch.kubernetes.io/job-index-failure-count": failures.to_string(),
                },
            },
            "spec": {"nodeName": if ready { "node" } else { "" }},
            "status": {
                "phase": phase,
                "conditions": [condition("Ready", ready), condition("DisruptionTarget", disrupted)],
                "containerStatuses": [{
                    "name": "main", "restartCount": failures,
                    "state": {"terminated": {"exitCode": exit_code, "finishedAt": at(ended)}},
                }],
            },
        })
    })
}

fn memory() -> impl Strategy<Value = JobMemory> {
    let backoff = option::of((0..5, 0..3_000_i64));
    let removals = prop::collection::btree_set(0..12, 0..3);
    (backoff, removals, any_bool(0.1), any_bool(0.03), any_bool(0.03)).prop_map(
        |(backoff, removals, expects, own_writes, finish)| JobMemory {
            backoff: backoff.map(|(failures_after_last_success, at_seconds)| BackoffRecord {
                failures_after_last_success,
                last_failure_time: Some(at(at_seconds)),
            }),
            expectations: Expectations {
                creations: i64::from(expects),
                deletions: 0,
                since: Some(at(3_000)),
            },
            finalizers_being_removed: removals.into_iter().map(|n| format!("u{n}").as_str().into()).collect(),
            finish_recorded: finish.then(|| "job".into()),
            awaits_own_writes: own_writes,
        },
    )
}
