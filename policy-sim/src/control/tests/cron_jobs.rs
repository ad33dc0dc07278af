//! CronJobs: their runs, zones, policies and history.

use super::{Cluster, job, key};
use crate::config::Config;
use crate::store::Kind;
use crate::world::Ending;
use serde_json::{Value, json};

/// A CronJob of one container; `spec` comes over the defaults.
pub(super) fn cron_job(name: &str, schedule: &str, spec: Value) -> Value {
    let template = json!({"spec": job(name, json!({}))["spec"]});
    let mut cron_job = json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name},
        "spec": {"schedule": schedule, "jobTemplate": template}});
    crate::control::patch::merge(&mut cron_job["spec"], &spec);
    cron_job
}

fn job_names(cluster: &Cluster) -> Vec<String> {
    cluster.world.store.jobs().map(|job| job.metadata.name.clone()).collect()
}

#[test]
fn a_job_runs_every_minute_and_three_are_kept() {
    let mut cluster = Cluster::succeeding();
    cluster.create(cron_job("tick", "* * * * *", json!({})));
    assert_eq!(cluster.run(6 * 60), Ending::Deadline);
    // The world starts at 00:00:10 on 1 January 2026, 29,453,760 minutes after the epoch.
    assert_eq!(job_names(&cluster), ["tick-29453764", "tick-29453765", "tick-29453766"]);
    let cron_job = cluster.world.store.cron_job("default", "tick").unwrap();
    assert_eq!(cron_job.status.last_schedule_time.unwrap().to_string(), "2026-01-01T00:06:00Z");
    assert_eq!(cron_job.status.active.len(), 0);
    let reasons = cluster.event_reasons();
    for reason in ["SuccessfulCreate", "SawCompletedJob", "SuccessfulDelete"] {
        assert!(reasons.contains(&reason), "{reason}");
    }
    // Pods of deleted Jobs are gone as well.
    assert_eq!(cluster.world.store.pods().count(), 3);
}

#[test]
fn a_zone_moves_the_schedule() {
    let mut cluster = Cluster::succeeding();
    cluster.create(cron_job("tokyo", "30 9 * * *", json!({"timeZone": "Asia/Tokyo"})));
    cluster.run(3600);
    let scheduled = cluster.world.store.cron_job("default", "tokyo").unwrap().status.last_schedule_time;
    assert_eq!(scheduled.unwrap().to_string(), "2026-01-01T00:30:00Z");
}

#[test]
fn forbidding_skips_and_replacing_deletes() {
    for (policy, jobs, event) in [("Forbid", 1, "JobAlreadyActive"), ("Replace", 1, "SuccessfulDelete")] {
        let mut cluster = Cluster::new(Config::default(), |_| None);
        cluster.create(cron_job("slow", "* * * * *", json!({"concurrencyPolicy": policy})));
        cluster.run(190);
        assert_eq!(job_names(&cluster).len(), jobs, "{policy}");
        assert!(cluster.event_reasons().contains(&event), "{policy}");
    }
}

#[test]
fn suspending_stops_runs_and_a_new_schedule_counts() {
    let mut cluster = Cluster::succeeding();
    let key = key(Kind::CronJob, "tick");
    cluster.create(cron_job("tick", "* * * * *", json!({})));
    cluster.run(60);
    cluster.world.patch(&key, &json!({"spec": {"suspend": true}})).unwrap();
    assert_eq!(cluster.run(300), Ending::Quiescent);
    cluster.run_on(240);
    assert_eq!(job_names(&cluster).len(), 1);
    cluster.world.patch(&key, &json!({"spec": {"suspend": false, "schedule": "*/10 * * * *"}})).unwrap();
    cluster.run(300);
    assert_eq!(job_names(&cluster), ["tick-29453761", "tick-29453770"]);
    let error = cluster.world.patch(&key, &json!({"spec": {"schedule": "no"}})).unwrap_err();
    assert_eq!(error.code, 422);
}

#[test]
fn a_job_whose_creation_got_no_answer_is_not_made_twice() {
    let mut cluster = Cluster::new(Config::default(), |_| Some((20, 0)));
    cluster.create(cron_job("tick", "* * * * *", json!({})));
    cluster.run(40);
    cluster.world.inject(crate::Fault::LoseResponse {
        calls: crate::CallMatch {
            kind: Some("Job".into()),
            verb: Some("create".into()),
            ..Default::default()
        },
    });
    cluster.run(50);
    assert_eq!(job_names(&cluster), ["tick-29453761"]);
    cluster.run(60);
    assert_eq!(job_names(&cluster), ["tick-29453761", "tick-29453762"]);
    for name in job_names(&cluster) {
        assert_eq!(cluster.job(&name).status.succeeded, 1);
    }
}

#[test]
fn a_cron_job_makes_nothing_while_its_job_would_be_refused() {
    let mut config = Config::default();
    config.api.quota_jobs = Some(0);
    let mut cluster = Cluster::new(config, |_| Some((1, 0)));
    cluster.create(cron_job("tick", "* * * * *", json!({})));
    cluster.run(70);
    assert!(job_names(&cluster).is_empty());
    assert!(cluster.event_reasons().contains(&"FailedCreate"));
    cluster.world.store.set_limits(Default::default());
    cluster.run(60);
    assert!(!job_names(&cluster).is_empty());
}
