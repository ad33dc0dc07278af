//! CronJobs run by the controller on a real API server.

use cluster_tests::{LIMIT, World, eventually, items, job, text};
use serde_json::{Value, json};
use std::time::Duration;

/// A minute passes between two runs.
const MINUTES: Duration = Duration::from_secs(60 + LIMIT.as_secs());

fn cron_job(name: &str, policy: &str, run_time: &str) -> Value {
    let template = job(name, &[("run-time", run_time)], json!({}));
    json!({
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name},
        "spec": {
            "schedule": "* * * * *",
            "concurrencyPolicy": policy,
            "jobTemplate": {"spec": template["spec"]},
        },
    })
}

#[test]
fn a_job_is_run_every_minute() {
    let world = World::new("cron");
    let controller = world.controller(&[]);
    world.create("cronjobs", &cron_job("hello", "Allow", "300ms"));
    let created = world.wait_for_event("hello", "SuccessfulCreate", MINUTES);
    let name = created.strip_prefix("Created job ").unwrap();
    world.wait_for(name, "Complete");
    let completed = world.wait_for_event("hello", "SawCompletedJob", LIMIT);
    assert_eq!(completed, format!("Saw completed job: {name}, condition: Complete"));
    let (job, status) = (world.get(&format!("jobs/{name}")), world.get("cronjobs/hello")["status"].take());
    let owner = &job["metadata"]["ownerReferences"][0];
    assert_eq!((&owner["kind"], &owner["controller"]), (&json!("CronJob"), &json!(true)));
    let scheduled = text(&job["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"]);
    assert!(scheduled.ends_with(":00Z"), "{scheduled}");
    assert!(status["lastScheduleTime"].is_string() && status["lastSuccessfulTime"].is_string(), "{status}");
    world.patch("cronjobs/hello", &json!({"spec": {"suspend": true}}));
    controller.assert_nothing_refused();
}

#[test]
fn a_run_that_is_not_over_forbids_the_next() {
    let world = World::new("forbid");
    let controller = world.controller(&[]);
    world.create("cronjobs", &cron_job("slow", "Forbid", "10m"));
    // A run was missed long ago, so that the first comes at once.
    world.patch("cronjobs/slow/status", &json!({"status": {"lastScheduleTime": "2020-01-01T00:00:00Z"}}));
    world.wait_for_event("slow", "SuccessfulCreate", MINUTES);
    let message = world.wait_for_event("slow", "JobAlreadyActive", MINUTES);
    assert_eq!(
        message,
        "Not starting job because prior execution is running and concurrency policy is Forbid"
    );
    assert_eq!(items(world.get("jobs")).len(), 1);
    world.delete("cronjobs/slow");
    controller.assert_nothing_refused();
}

#[test]
fn a_job_that_is_not_kept_is_told_as_deleted_and_not_as_missing() {
    let world = World::new("nohistory");
    let controller = world.controller(&[]);
    let mut kept = cron_job("unkept", "Allow", "300ms");
    kept["spec"]["successfulJobsHistoryLimit"] = json!(0);
    world.create("cronjobs", &kept);
    let first = json!({"status": {"lastScheduleTime": "2020-01-01T00:00:00Z"}});
    for run in 1..=2 {
        world.patch("cronjobs/unkept/status", &first);
        eventually("a run is deleted", MINUTES, || {
            let deleted = events(&world, "SuccessfulDelete");
            if deleted.len() >= run { Ok(()) } else { Err(format!("{deleted:?}")) }
        });
    }
    eventually("the status is written", LIMIT, || {
        let status = world.get("cronjobs/unkept")["status"].take();
        let is_there = status["lastSuccessfulTime"].is_string() && status["active"] == Value::Null;
        if is_there { Ok(()) } else { Err(status.to_string()) }
    });
    world.patch("cronjobs/unkept", &json!({"spec": {"suspend": true}}));
    // Events that wait are written before it ends.
    controller.assert_nothing_refused();
    assert!(controller.terminate().success());
    assert_eq!((events(&world, "MissingJob"), events(&world, "SawCompletedJob")), (vec![], vec![]));
}

/// The messages of the events of a reason about `cronjob/unkept`; those that are alike count as often as they came.
fn events(world: &World, reason: &str) -> Vec<String> {
    let events = world.objects("events?fieldSelector=involvedObject.name%3Dunkept");
    events.iter().filter(|event| event["reason"] == reason).map(|event| text(&event["message"])).collect()
}
