//! Jobs from creation to their end.

use super::{Cluster, job, key};
use crate::config::Config;
use crate::object::Phase;
use crate::store::Kind;
use crate::world::Ending;
use policy_core::spec::condition;
use serde_json::json;

#[test]
fn a_job_runs_to_completion() {
    let mut cluster = Cluster::succeeding();
    cluster.create(job("pi", json!({"completions": 5, "parallelism": 2})));
    assert_eq!(cluster.run(600), Ending::Finished);
    cluster.assert_complete("pi", 5);
    let reasons = cluster.event_reasons();
    assert_eq!(reasons.iter().filter(|reason| **reason == "SuccessfulCreate").count(), 5);
    assert_eq!(reasons.last(), Some(&"Completed"));
    assert_eq!(
        cluster.job("pi").status.uncounted_terminated_pods.clone().unwrap_or_default().succeeded.len(),
        0
    );
}

#[test]
fn failures_wait_longer_and_longer() {
    let mut cluster = Cluster::new(Config::default(), |_| Some((1, 1)));
    cluster.create(job("fails", json!({"backoffLimit": 3})));
    assert_eq!(cluster.run(3600), Ending::Finished);
    assert_eq!(cluster.conditions("fails"), [condition::FAILURE_TARGET, condition::FAILED]);
    // Each Pod ends about a second after its creation; then 10, 20, 40 seconds.
    assert_eq!(cluster.creations(), [0, 11, 32, 73]);
    assert_eq!(cluster.job("fails").status.failed, 4);
}

#[test]
fn two_failures_at_once_count_twice() {
    let mut cluster = Cluster::new(Config::default(), |_| Some((1, 1)));
    cluster.create(job("twins", json!({"completions": 2, "parallelism": 2, "backoffLimit": 20})));
    cluster.run(500);
    let creations = cluster.creations();
    assert_eq!(creations[..2], [0, 0]);
    let gaps: Vec<i64> = creations.chunks(2).map(|pair| pair[0]).collect();
    // 20, 80 and 320 seconds after the Pods' end.
    assert_eq!(gaps, [0, 21, 102, 423]);
}

#[test]
fn a_fail_job_rule_ends_the_job_at_once() {
    let mut cluster = Cluster::new(Config::default(), |_| Some((1, 42)));
    let rule = json!({"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}});
    cluster.create(job("strict", json!({"backoffLimit": 6, "podFailurePolicy": {"rules": [rule]}})));
    assert_eq!(cluster.run(600), Ending::Finished);
    assert_eq!(cluster.conditions("strict"), [condition::FAILURE_TARGET, condition::FAILED]);
    assert_eq!(cluster.world.store.pods().count(), 1);
    assert!(cluster.job("strict").status.conditions[0].message.contains("exit code 42"));
}

#[test]
fn suspending_ends_the_pods_and_resuming_brings_them_back() {
    let mut cluster = Cluster::new(Config::default(), |_| Some((60, 0)));
    cluster.create(job("pausing", json!({"completions": 3, "parallelism": 3})));
    cluster.run(10);
    assert_eq!(cluster.job("pausing").status.active, 3);
    let job = key(Kind::Job, "pausing");
    cluster.world.patch(&job, &json!({"spec": {"suspend": true}})).unwrap();
    cluster.run(10);
    assert_eq!(cluster.conditions("pausing"), [condition::SUSPENDED]);
    assert_eq!(cluster.world.store.pods().count(), 0);
    cluster.world.patch(&job, &json!({"spec": {"suspend": false}})).unwrap();
    assert_eq!(cluster.run(600), Ending::Finished);
    cluster.assert_complete("pausing", 3);
    assert!(cluster.event_reasons().contains(&"Resumed"));
}

#[test]
fn a_suspended_job_leaves_nothing_to_do() {
    let mut cluster = Cluster::succeeding();
    cluster.create(job("held", json!({"suspend": true})));
    assert_eq!(cluster.run(600), Ending::Quiescent);
    assert!(cluster.world.now().nanos_since(cluster.world.config.start) < 5_000_000_000);
}

#[test]
fn parallelism_follows_the_spec_both_ways() {
    let mut cluster = Cluster::new(Config::default(), |_| Some((300, 0)));
    cluster.create(job("wide", json!({"completions": 10, "parallelism": 2})));
    cluster.run(10);
    let job = key(Kind::Job, "wide");
    cluster.world.patch(&job, &json!({"spec": {"parallelism": 6}})).unwrap();
    cluster.run(10);
    assert_eq!(cluster.job("wide").status.active, 6);
    cluster.world.patch(&job, &json!({"spec": {"parallelism": 1}})).unwrap();
    cluster.run(20);
    assert_eq!(cluster.job("wide").status.active, 1);
    let error = cluster.world.patch(&job, &json!({"spec": {"completions": 11}})).unwrap_err();
    assert_eq!((error.code, error.reason), (422, "Invalid"));
}

#[test]
fn orphans_are_adopted_and_relabelled_pods_released() {
    let mut cluster = Cluster::new(Config::default(), |_| Some((30, 0)));
    let selector = json!({"matchLabels": {"app": "mine"}});
    let template = json!({"metadata": {"labels": {"app": "mine"}}});
    let spec = json!({"manualSelector": true, "selector": selector, "template": template, "suspend": true});
    cluster.create(job("adopter", spec));
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bare", "labels": {"app": "mine"}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox"}]}});
    cluster.world.patch(&key(Kind::Job, "adopter"), &json!({"spec": {"suspend": false}})).unwrap();
    cluster.create(pod);
    cluster.run(10);
    let bare = cluster.world.store.pod_named("default", "bare").unwrap();
    assert_eq!((bare.owners.len(), bare.finalizers.len(), cluster.world.store.pods().count()), (1, 1, 1));
    cluster.world.label(&key(Kind::Pod, "bare"), [("app", Some("yours"))]).unwrap();
    cluster.run(5);
    let bare = cluster.world.store.pod_named("default", "bare").unwrap();
    assert!(bare.owners.is_empty() && bare.finalizers.is_empty());
    assert_eq!(cluster.run(600), Ending::Finished);
    assert_eq!(cluster.job("adopter").status.succeeded, 1);
}

#[test]
fn an_indexed_job_names_its_pods_by_index() {
    let mut cluster = Cluster::succeeding();
    cluster.create(job("ix", json!({"completions": 3, "parallelism": 3, "completionMode": "Indexed"})));
    assert_eq!(cluster.run(600), Ending::Finished);
    cluster.assert_complete("ix", 3);
    assert_eq!(cluster.job("ix").status.completed_indexes, "0-2");
    for (index, pod) in cluster.world.store.pods().enumerate() {
        assert!(pod.name.starts_with(&format!("ix-{index}-")), "{}", pod.name);
        let json = pod.to_json();
        assert_eq!(json["spec"]["hostname"], format!("ix-{index}"));
        assert_eq!(json["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"], index.to_string());
        assert_eq!(pod.phase, Phase::Succeeded);
    }
}

#[test]
fn a_job_of_the_same_name_starts_clean() {
    let mut cluster = Cluster::new(Config::default(), |pod| Some((1, i32::from(pod.id.0 < 2))));
    cluster.create(job("again", json!({"backoffLimit": 6})));
    cluster.run(13);
    cluster.world.delete(&key(Kind::Job, "again"), crate::Deletion::default()).unwrap();
    cluster.create(job("again", json!({"backoffLimit": 0})));
    assert_eq!(cluster.run(600), Ending::Finished);
    assert_eq!(cluster.job("again").status.succeeded, 1);
    assert_eq!(cluster.job("again").status.failed, 0);
    assert_eq!(cluster.world.store.deleted_jobs.len(), 1);
}
