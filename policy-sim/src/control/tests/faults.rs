//! Crashes, lost answers, stale caches, quotas: every Pod is counted once, and Jobs end.

use super::{Cluster, job, key};
use crate::config::{ApiConfig, Config};
use crate::store::{Kind, ObjectKey};
use crate::world::Ending;
use crate::{CallMatch, Fault, InFlight, InjectedError, Resource};
use policy_core::spec::condition;
use serde_json::{Value, json};

fn calls(verb: &str, kind: &str) -> CallMatch {
    CallMatch { verb: Some(verb.into()), kind: Some(kind.into()), ..CallMatch::default() }
}

fn mixed() -> Cluster {
    // The second and the fifth Pod fail.
    Cluster::new(Config::default(), |pod| Some((1, i32::from(matches!(pod.id.0, 1 | 4)))))
}

fn spec() -> Value {
    json!({"completions": 4, "parallelism": 2, "backoffLimit": 10})
}

fn assert_counted(cluster: &Cluster, what: &str) {
    let job = cluster.job("j");
    let count = |phase| cluster.world.store.pods().filter(|pod| pod.phase == phase).count();
    let succeeded = usize::try_from(job.status.succeeded).unwrap();
    let failed = usize::try_from(job.status.failed).unwrap();
    assert!(cluster.conditions("j").contains(&condition::COMPLETE.into()), "{what}: {:?}", job.status);
    assert_eq!(succeeded, count(crate::object::Phase::Succeeded), "{what}: {:?}", job.status);
    assert!(failed >= count(crate::object::Phase::Failed), "{what}: {:?}", job.status);
    assert!(succeeded >= 4 && failed <= 10, "{what}: {:?}", job.status);
    assert!(cluster.world.store.pods().all(|pod| pod.finalizers.is_empty()), "{what}");
}

#[test]
fn a_crash_at_any_call_loses_nothing() {
    let mut cluster = mixed();
    cluster.create(job("j", spec()));
    assert_eq!(cluster.run(600), Ending::Finished);
    let count = cluster.world.controller_calls();
    assert!(count > 12);
    for at in 1..=count {
        for in_flight in [InFlight::Lost, InFlight::Committed] {
            let mut cluster = mixed();
            cluster.create(job("j", spec()));
            cluster.world.inject(Fault::CrashController { at_call: Some(at), in_flight, down_millis: 500 });
            let ending = cluster.run(3600);
            assert_eq!(ending, Ending::Finished, "call {at}, {in_flight:?}");
            // The status is final before the last finalizers may be gone.
            cluster.run_on(120);
            assert_counted(&cluster, &format!("call {at}, {in_flight:?}"));
        }
    }
}

#[test]
fn a_cron_job_makes_every_run_once_whatever_call_the_controllers_die_at() {
    let run = |fault: Option<Fault>| {
        let mut cluster = Cluster::new(Config::default(), |_| Some((5, 0)));
        cluster.create(super::cron_jobs::cron_job(
            "tick",
            "* * * * *",
            json!({"successfulJobsHistoryLimit": 9}),
        ));
        fault.into_iter().for_each(|fault| cluster.world.inject(fault));
        cluster.run(240);
        cluster
    };
    let count = run(None).world.controller_calls();
    for at_call in 1..=count {
        for in_flight in [InFlight::Lost, InFlight::Committed] {
            let crash = Fault::CrashController { at_call: Some(at_call), in_flight, down_millis: 2_000 };
            let cluster = run(Some(crash));
            let names: Vec<_> = cluster.world.store.jobs().map(|job| job.metadata.name.clone()).collect();
            let expected = ["tick-29453761", "tick-29453762", "tick-29453763", "tick-29453764"];
            assert_eq!(names, expected, "call {at_call}, {in_flight:?}");
            assert!(
                cluster.world.store.jobs().all(|job| job.status.succeeded == 1 || job.status.active == 1)
            );
        }
    }
}

#[test]
fn every_call_may_fail_or_lose_its_answer() {
    let mut cluster = mixed();
    cluster.create(job("j", spec()));
    cluster.run(600);
    let count = cluster.world.controller_calls();
    for nth in 1..=count {
        let calls = CallMatch { nth: Some(nth), ..CallMatch::default() };
        let errors = [InjectedError::Conflict, InjectedError::InternalError, InjectedError::Timeout];
        let faults = errors.map(|error| Fault::FailCalls { calls: calls.clone(), error });
        for fault in faults.into_iter().chain([Fault::LoseResponse { calls: calls.clone() }]) {
            let mut cluster = mixed();
            cluster.create(job("j", spec()));
            cluster.world.inject(fault.clone());
            assert_eq!(cluster.run(3600), Ending::Finished, "{fault:?}");
            cluster.run_on(120);
            assert_counted(&cluster, &format!("{fault:?}"));
        }
    }
}

#[test]
fn a_conflicting_status_write_is_tried_again() {
    let mut cluster = Cluster::succeeding();
    cluster.create(job("j", json!({})));
    cluster.world.inject(Fault::FailCalls { calls: calls("update", "Job"), error: InjectedError::Conflict });
    assert_eq!(cluster.run(600), Ending::Finished);
    cluster.assert_complete("j", 1);
    let errors: Vec<_> = cluster.world.record.decisions.iter().filter_map(|d| d.error.as_deref()).collect();
    assert_eq!(errors.len(), 1);
    assert!(errors[0].contains("the object has been modified"), "{errors:?}");
}

#[test]
fn a_concurrent_change_makes_the_controllers_write_conflict() {
    let mut cluster = Cluster::succeeding();
    cluster.create(job("j", json!({})));
    // The controller's cache stands still while a user changes the Job.
    cluster.run(1);
    cluster.world.inject(Fault::FreezeWatch {
        resource: Some(Resource::Jobs),
        for_millis: 20_000,
        coalesce: false,
    });
    cluster.world.label(&key(Kind::Job, "j"), [("touched", Some("yes"))]).unwrap();
    assert_eq!(cluster.run(600), Ending::Finished);
    cluster.assert_complete("j", 1);
    let errors = cluster.world.record.decisions.iter().filter_map(|d| d.error.as_deref());
    assert!(
        errors.clone().any(|e| e.contains("the object has been modified")),
        "{:?}",
        errors.collect::<Vec<_>>()
    );
}

#[test]
fn a_stale_cache_creates_no_pod_twice() {
    for coalesce in [false, true] {
        for resource in [None, Some(Resource::Pods), Some(Resource::Jobs)] {
            let mut cluster = Cluster::new(Config::default(), |_| Some((5, 0)));
            cluster.create(job("j", json!({"completions": 3, "parallelism": 3})));
            cluster.world.advance(cluster.world.now().plus_nanos(6_000_000));
            cluster.world.inject(Fault::FreezeWatch { resource, for_millis: 30_000, coalesce });
            assert_eq!(cluster.run(600), Ending::Finished, "{resource:?}");
            cluster.assert_complete("j", 3);
        }
    }
}

#[test]
fn lost_watch_events_are_survived_by_a_restart() {
    let mut cluster = Cluster::succeeding();
    cluster.create(job("j", json!({"completions": 2, "parallelism": 1})));
    cluster.run(1);
    cluster.world.inject(Fault::DropWatchEvents { resource: Resource::Pods, count: 4 });
    assert_ne!(cluster.run(30), Ending::Finished);
    cluster.world.inject(Fault::CrashController {
        at_call: None,
        in_flight: InFlight::Lost,
        down_millis: 1_000,
    });
    assert_eq!(cluster.run(600), Ending::Finished);
    cluster.assert_complete("j", 2);
}

#[test]
fn a_quota_holds_pods_back_until_there_is_room() {
    let config =
        Config { api: ApiConfig { quota_pods: Some(2), ..ApiConfig::default() }, ..Config::default() };
    let mut cluster = Cluster::new(config, |_| Some((5, 0)));
    cluster.create(job("j", json!({"completions": 6, "parallelism": 6})));
    cluster.run(3);
    assert_eq!(cluster.world.store.pods().count(), 2);
    let refused = cluster.world.record.events.iter().find(|event| event.reason() == "FailedCreate").unwrap();
    assert!(
        refused.message().contains("exceeded quota: quota, requested: pods=1, used: pods=2, limited: pods=2")
    );
    assert_eq!(cluster.run(3600), Ending::Finished);
    cluster.assert_complete("j", 6);
}

#[test]
fn a_rate_limit_slows_creation_down() {
    let api = ApiConfig { creations_per_second: Some(2), ..ApiConfig::default() };
    let mut cluster = Cluster::new(Config { api, ..Config::default() }, |_| Some((1, 0)));
    cluster.create(job("j", json!({"completions": 8, "parallelism": 8})));
    assert_eq!(cluster.run(3600), Ending::Finished);
    cluster.assert_complete("j", 8);
    assert!(cluster.creations().last().unwrap() >= &3);
    // client-go waits and sends again, so nothing was refused.
    assert!(!cluster.event_reasons().contains(&"FailedCreate"));
}

#[test]
fn a_skewed_clock_shifts_what_the_controller_writes() {
    let mut cluster = Cluster::succeeding();
    cluster.world.inject(Fault::SkewClock { millis: 60_000 });
    cluster.create(job("j", json!({})));
    assert_eq!(cluster.run(600), Ending::Finished);
    let job = cluster.job("j");
    let ahead = job.status.start_time.unwrap().nanos_since(job.metadata.creation_timestamp.unwrap());
    assert_eq!(ahead / 1_000_000_000, 60);
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let run = |seed| {
        let config = Config { seed, ..Config::default() };
        let mut cluster = Cluster::new(config, |pod| Some((1, i32::from(pod.id.0 == 1))));
        cluster.world.trace = true;
        cluster.create(job("j", spec()));
        let ending = cluster.run(600);
        serde_json::to_string(&cluster.world.report(ending)).unwrap()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
    let report: Value = serde_json::from_str(&run(1)).unwrap();
    assert_eq!(report["outcome"], "finished");
    assert_eq!(report["jobs"][0]["status"]["succeeded"], 4);
    assert_eq!(report["pods"].as_array().unwrap().len(), 5);
    let first = &report["decisions"][0];
    assert!(!first["findings"].as_array().unwrap().is_empty());
    assert_eq!(first["callList"][0], "create Pod/j");
}

#[test]
fn faults_are_read_from_json() {
    let fault: Fault = serde_json::from_value(json!({"failCalls": {
        "calls": {"verb": "create", "kind": "Pod", "nth": 2}, "error": "quotaExceeded"}}))
    .unwrap();
    assert!(matches!(fault, Fault::FailCalls { error: InjectedError::QuotaExceeded, .. }));
    let unknown = serde_json::from_value::<Fault>(json!({"freezeWatch": {"forMillis": 1, "wat": 2}}));
    assert!(unknown.is_err());
    let key = ObjectKey::new(Kind::parse("jobs"), "default", "j");
    assert_eq!(key.kind, Kind::Job);
}
