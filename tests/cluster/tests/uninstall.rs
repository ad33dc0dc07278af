//! `jobpolicy uninstall` on a real API server: what needs the controller is found, finished or deleted.

use cluster_tests::{Controller, LIMIT, World, eventually, items, job};
use serde_json::{Value, json};

const OURS: &str = "test.jobpolicy.dev/uninstall";

fn ours(name: &str, run_time: &str, mut spec: Value) -> Value {
    spec["managedBy"] = OURS.into();
    job(name, &[("run-time", run_time)], spec)
}

fn started(world: &World) -> Controller {
    world.controller_with(&["--managed-by", OURS, "--namespace", &world.namespace])
}

/// Asks in the namespace; whether nothing needs the controller, and the report.
fn uninstall(world: &World, args: &[&str]) -> (bool, Value) {
    let own = ["uninstall", "-n", &world.namespace, "--managed-by", OURS, "-o", "json"];
    let ran = world.jobpolicy(&[&own[..], args].concat());
    assert!(ran.code < 2, "{}", ran.err);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["ready"], ran.code == 0, "{report}");
    (ran.code == 0, report)
}

/// What is said of each Job: name, state, Pods that hang on the controller.
fn left(report: &Value) -> Vec<(&str, &str, u64)> {
    let jobs = report["jobs"].as_array().unwrap().iter();
    let told = jobs.map(|job| {
        (job["name"].as_str().unwrap(), job["standing"].as_str().unwrap(), job["heldPods"].as_u64().unwrap())
    });
    told.collect()
}

fn wait_for_running(world: &World, name: &str, count: usize) {
    eventually("Pods run", LIMIT, || {
        let pods = world.pods(name);
        let running = pods.iter().filter(|pod| pod["status"]["phase"] == "Running").count();
        if running == count { Ok(()) } else { Err(format!("{running} of {count}")) }
    });
}

#[test]
fn jobs_are_listed_and_waited_for() {
    let world = World::new("uninstall-wait");
    let controller = started(&world);
    world.create("jobs", &ours("done", "100ms", json!({})));
    world.create("jobs", &job("others", &[], json!({"managedBy": "test.jobpolicy.dev/other"})));
    world.wait_for("done", "Complete");
    world.wait_for_no_finalizers();
    let nothing = uninstall(&world, &[]);
    assert_eq!((nothing.0, left(&nothing.1)), (true, vec![]));

    world.create("jobs", &ours("held", "100ms", json!({"suspend": true})));
    world.create("jobs", &ours("slow", "6s", json!({"completions": 2, "parallelism": 2})));
    wait_for_running(&world, "slow", 2);
    let (ready, report) = uninstall(&world, &[]);
    assert!(!ready);
    assert_eq!(left(&report), [("held", "suspended", 0), ("slow", "unfinished", 2)]);
    let (ready, report) = uninstall(&world, &["--wait", "--timeout=1s"]);
    assert!(!ready && left(&report).len() == 2, "{report}");

    world.patch("jobs/held", &json!({"spec": {"suspend": false}}));
    assert!(uninstall(&world, &["--wait"]).0);
    world.wait_for("held", "Complete");
    world.wait_for("slow", "Complete");
    controller.assert_nothing_refused();
}

#[test]
fn jobs_are_deleted_while_the_controller_runs() {
    let world = World::new("uninstall-delete");
    let controller = started(&world);
    world.create("jobs", &ours("done", "100ms", json!({})));
    world.wait_for("done", "Complete");
    for name in ["a", "b"] {
        world.create("jobs", &ours(name, "10m", json!({"completions": 3, "parallelism": 3})));
        wait_for_running(&world, name, 3);
    }
    let (ready, report) = uninstall(&world, &["--delete", "--timeout=90s"]);
    assert!(ready, "{report}");
    eventually("the Jobs are gone", LIMIT, || {
        let jobs = items(world.get("jobs"));
        if jobs.len() == 1 { Ok(()) } else { Err(format!("{} Jobs", jobs.len())) }
    });
    eventually("their Pods are gone", LIMIT, || {
        let pods = world.pods("a").len() + world.pods("b").len();
        if pods == 0 { Ok(()) } else { Err(format!("{pods} Pods")) }
    });
    world.wait_for("done", "Complete");
    controller.assert_nothing_refused();
}

#[test]
fn a_deletion_that_hangs_without_the_controller_is_found() {
    let world = World::new("uninstall-hangs");
    let controller = started(&world);
    world.create("jobs", &ours("hangs", "10m", json!({"completions": 2, "parallelism": 2})));
    wait_for_running(&world, "hangs", 2);
    controller.kill();
    world.kubectl(&["delete", "job", "hangs", "--cascade=foreground", "--wait=false"]);
    let (ready, report) = uninstall(&world, &[]);
    assert!(!ready);
    assert_eq!(left(&report), [("hangs", "deleting", 2)]);
    let ran = world.jobpolicy(&["uninstall", "-n", &world.namespace, "--managed-by", OURS]);
    assert!(ran.code == 1 && ran.out.contains("being deleted"), "{}", ran.out);

    let controller = started(&world);
    assert!(uninstall(&world, &["--wait"]).0);
    eventually("the Job is gone", LIMIT, || {
        let jobs = items(world.get("jobs"));
        if jobs.is_empty() { Ok(()) } else { Err(jobs[0]["metadata"].to_string()) }
    });
    controller.assert_nothing_refused();
}

#[test]
fn what_makes_new_jobs_is_found() {
    let world = World::new("uninstall-cron");
    let template = ours("x", "1s", json!({}));
    let cron_job = json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly"},
        "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": template["spec"]}},
    });
    world.create("cronjobs", &cron_job);
    let (ready, report) = uninstall(&world, &[]);
    assert!(!ready);
    assert_eq!(report["cronJobs"], json!([format!("{}/nightly", world.namespace)]));
    let ran = world.jobpolicy(&["uninstall", "-n", &world.namespace, "--managed-by", OURS]);
    assert!(
        ran.out.contains("new ones come") && ran.out.contains("kubectl delete -k deploy/base"),
        "{}",
        ran.out
    );
}
