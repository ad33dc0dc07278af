//! Deletion with each propagation, finalizers, time to live.

use super::{Cluster, job, key};
use crate::config::Config;
use crate::store::{Kind, ObjectKey, Propagation};
use crate::world::Ending;
use crate::{Deletion, Selection};
use policy_core::spec::LabelSelector;
use serde_json::json;

fn running_job() -> (Cluster, ObjectKey) {
    let mut cluster = Cluster::new(Config::default(), |_| None);
    let key = cluster.create(job("doomed", json!({"completions": 2, "parallelism": 2})));
    cluster.run(5);
    assert_eq!(cluster.job("doomed").status.active, 2);
    (cluster, key)
}

fn delete(cluster: &mut Cluster, key: &ObjectKey, propagation: Option<Propagation>) {
    cluster.world.delete(key, Deletion { propagation, grace_seconds: None }).unwrap();
}

#[test]
fn in_the_background_the_job_goes_first_and_its_pods_follow() {
    let (mut cluster, key) = running_job();
    cluster.world.delete(&key, Deletion::default()).unwrap();
    assert!(cluster.world.store.job("default", "doomed").is_none());
    assert_eq!(cluster.world.store.pods().count(), 2);
    cluster.run(30);
    assert_eq!(cluster.world.store.pods().count(), 0);
    assert_eq!(cluster.world.store.deleted_jobs.len(), 1);
}

#[test]
fn in_the_foreground_the_job_waits_for_its_pods() {
    let (mut cluster, key) = running_job();
    delete(&mut cluster, &key, Some(Propagation::Foreground));
    let deleting = cluster.job("doomed");
    assert!(deleting.metadata.is_deleting());
    assert_eq!(deleting.metadata.finalizers, ["foregroundDeletion"]);
    assert_eq!(deleting.metadata.generation, Some(2));
    cluster.run(30);
    assert!(cluster.world.store.job("default", "doomed").is_none());
    assert_eq!(cluster.world.store.pods().count(), 0);
}

#[test]
fn a_request_that_does_not_say_orphans_the_pods_of_a_job() {
    for propagation in [None, Some(Propagation::Orphan)] {
        let (mut cluster, key) = running_job();
        delete(&mut cluster, &key, propagation);
        assert_eq!(cluster.job("doomed").metadata.finalizers, ["orphan"]);
        cluster.run(30);
        assert!(cluster.world.store.job("default", "doomed").is_none());
        let pods: Vec<_> = cluster.world.store.pods().collect();
        assert_eq!(pods.len(), 2);
        for pod in pods {
            assert!(pod.owners.is_empty() && pod.finalizers.is_empty() && pod.deletion_timestamp.is_none());
        }
    }
}

#[test]
fn a_cron_job_takes_its_jobs_and_their_pods_along() {
    for propagation in [None, Some(Propagation::Background), Some(Propagation::Foreground)] {
        let mut cluster = Cluster::new(Config::default(), |_| None);
        let key = cluster.create(super::cron_jobs::cron_job("tick", "* * * * *", json!({})));
        cluster.run(130);
        assert_eq!(cluster.world.store.jobs().count(), 2);
        delete(&mut cluster, &key, propagation);
        cluster.run(30);
        assert_eq!(cluster.world.store.jobs().count(), 0, "{propagation:?}");
        assert_eq!(cluster.world.store.cron_jobs().count(), 0, "{propagation:?}");
        assert_eq!(cluster.world.store.pods().count(), 0, "{propagation:?}");
    }
}

#[test]
fn orphaned_jobs_of_a_cron_job_run_on() {
    let mut cluster = Cluster::new(Config::default(), |_| Some((5, 0)));
    let key = cluster.create(super::cron_jobs::cron_job("tick", "* * * * *", json!({})));
    cluster.run(52);
    delete(&mut cluster, &key, Some(Propagation::Orphan));
    assert_eq!(cluster.run(60), Ending::Finished);
    let jobs: Vec<_> = cluster.world.store.jobs().collect();
    assert_eq!(jobs.len(), 1);
    assert!(jobs[0].metadata.owner_references.is_empty());
    assert_eq!(jobs[0].status.succeeded, 1);
}

#[test]
fn another_finalizer_keeps_a_job_until_it_is_taken_off() {
    let mut cluster = Cluster::new(Config::default(), |_| None);
    let mut manifest = job("kept", json!({}));
    manifest["metadata"]["finalizers"] = json!(["example.com/backup"]);
    let key = cluster.create(manifest);
    cluster.run(5);
    cluster.world.delete(&key, Deletion::default()).unwrap();
    cluster.run(30);
    // The controller lets the Pods of a Job that is being deleted go, and makes no new ones.
    assert!(cluster.job("kept").metadata.is_deleting());
    cluster.world.patch(&key, &json!({"metadata": {"finalizers": null}})).unwrap();
    assert!(cluster.world.store.job("default", "kept").is_none());
    cluster.run(30);
    assert_eq!(cluster.world.store.pods().count(), 0);
}

#[test]
fn finished_jobs_go_when_their_time_is_over() {
    let mut cluster = Cluster::succeeding();
    cluster.create(job("short", json!({"ttlSecondsAfterFinished": 30})));
    assert_eq!(cluster.run(20), Ending::Finished);
    cluster.world.advance(cluster.world.now().plus_nanos(15_000_000_000));
    assert!(cluster.world.store.job("default", "short").is_some());
    cluster.world.advance(cluster.world.now().plus_nanos(20_000_000_000));
    assert!(cluster.world.store.job("default", "short").is_none());
    assert_eq!(cluster.world.store.pods().count(), 0);
    assert_eq!(cluster.world.store.deleted_jobs[0].metadata.name, "short");
}

#[test]
fn what_labels_select_is_deleted() {
    let mut cluster = Cluster::new(Config::default(), |_| None);
    for (name, team) in [("a", "red"), ("b", "red"), ("c", "blue")] {
        let mut manifest = job(name, json!({}));
        manifest["metadata"]["labels"] = json!({"team": team});
        cluster.create(manifest);
    }
    let match_labels = [("team".to_owned(), "red".to_owned())].into();
    let selector = LabelSelector { match_labels, ..LabelSelector::default() };
    let what = Selection { kind: Kind::Job, namespace: "default".into(), selector };
    let deleted = cluster.world.delete_selected(&what, Deletion::default()).unwrap();
    assert_eq!(deleted, [key(Kind::Job, "a"), key(Kind::Job, "b")]);
    let left: Vec<_> = cluster.world.store.jobs().map(|job| job.metadata.name.clone()).collect();
    assert_eq!(left, ["c"]);
}

#[test]
fn the_api_server_refuses_in_its_own_words() {
    let mut cluster = Cluster::succeeding();
    cluster.create(job("one", json!({})));
    let mut refused = |manifest| cluster.world.create(&manifest).unwrap_err();
    let twice = refused(job("one", json!({})));
    assert_eq!((twice.code, twice.message.as_str()), (409, "jobs.batch \"one\" already exists"));
    let invalid = refused(job("two", json!({"parallelism": -1})));
    assert_eq!(invalid.code, 422);
    assert!(invalid.message.starts_with("Job.batch \"two\" is invalid: spec.parallelism: Invalid value: -1"));
    assert_eq!(refused(job("three", json!({"paralelism": 1}))).code, 400);
    assert_eq!(refused(json!({"metadata": {"name": "x"}})).message, "Object 'Kind' is missing");
    let key = key(Kind::Job, "none");
    assert_eq!(cluster.world.delete(&key, Deletion::default()).unwrap_err().code, 404);
    let key = super::key(Kind::Job, "one");
    let stale = json!({"metadata": {"resourceVersion": "1"}, "spec": {"suspend": true}});
    cluster.run(5);
    let conflict = cluster.world.patch(&key, &stale).unwrap_err();
    assert_eq!((conflict.code, conflict.reason), (409, "Conflict"));
}
