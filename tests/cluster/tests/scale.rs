//! What many Jobs and a large one cost, beside the built-in controller on the same cluster.
//!
//! For `cargo xtask verify`, with a release build: minutes, and gigabytes for the API server.

use cluster_tests::scale::{Cost, Measured, Start, parallel};
use cluster_tests::{World, eventually, job};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(1800);

/// A number that the environment may make smaller.
fn size(variable: &str, default: usize) -> usize {
    std::env::var(variable).map_or(default, |text| text.parse().expect("the size is a number"))
}

/// Waits until so many Jobs of the namespace are complete.
fn wait_for_jobs(world: &World, count: usize) {
    eventually("the Jobs are complete", LIMIT, || {
        let jobs = world.objects("jobs");
        let complete = jobs.iter().filter(|job| cluster_tests::has_condition(job, "Complete")).count();
        std::thread::sleep(Duration::from_millis(850));
        if complete == count { Ok(()) } else { Err(format!("{complete} of {count}")) }
    });
}

/// Creates the Jobs and waits until they are complete; the controller runs already.
fn run(world: &World, measured: &Measured, jobs: Vec<Value>) -> Cost {
    let (before, began) = (measured.processor_time(), Instant::now());
    let count = jobs.len();
    parallel(jobs, |job| drop(world.create("jobs", &job)));
    wait_for_jobs(world, count);
    measured.cost(began, before)
}

/// The same Jobs by ours and by the built-in controller, in namespaces that are new; tells and compares.
fn compare(what: &str, jobs: impl Fn() -> Vec<Value>) {
    let costs = [Start::Ours, Start::BuiltIn].map(|start| {
        let world = World::new(&format!("scale-{}", start.name()));
        let measured = Measured::start(start, &world);
        let cost = run(&world, &measured, jobs());
        println!("{what}, {}: {cost}", start.name());
        measured.end();
        world.remove();
        cost
    });
    let [ours, built_in] = costs;
    println!("{what}: {}", ours.beside(&built_in));
}

#[test]
#[ignore = "minutes; `cargo xtask verify`"]
fn many_jobs() {
    let count = size("JOBPOLICY_SCALE_JOBS", 1_000);
    compare(&format!("{count} Jobs of 10 Pods"), || {
        let spec = || json!({"completions": 10, "parallelism": 10});
        (0..count).map(|number| job(&format!("job-{number}"), &[("run-time", "1s")], spec())).collect()
    });
}

#[test]
#[ignore = "minutes; `cargo xtask verify`"]
fn one_large_job() {
    let count = size("JOBPOLICY_SCALE_PODS", 10_000);
    compare(&format!("one Job of {count} Pods"), || {
        let spec = json!({"completions": count, "parallelism": count, "completionMode": "Indexed"});
        vec![job("large", &[("run-time", "1s")], spec)]
    });
}

#[test]
#[ignore = "minutes; `cargo xtask verify`"]
fn idle_jobs() {
    let (count, pods) = (size("JOBPOLICY_SCALE_IDLE", 5_000), 20);
    let world = World::new("scale-idle");
    let began = Instant::now();
    parallel((0..count).collect(), |number| idle_job(&world, number, pods));
    println!("{count} idle Jobs with {} finished Pods made in {:.0?}", count * pods, began.elapsed());
    for start in [Start::Ours, Start::BuiltIn] {
        let began = Instant::now();
        let measured = Measured::start(start, &world);
        // It has looked at every Job once.
        std::thread::sleep(Duration::from_secs(30));
        let cost = measured.cost(began, Duration::ZERO);
        println!("{count} idle Jobs with {} finished Pods, {}: {cost}", count * pods, start.name());
        measured.end();
    }
    world.remove();
}

/// A Job that waits for nothing: its Pods have been counted, and it may not run more.
fn idle_job(world: &World, number: usize, pods: usize) {
    let name = format!("idle-{number}");
    let made = world.create("jobs", &job(&name, &[], json!({"completions": 1000, "parallelism": 0})));
    let now = &made["metadata"]["creationTimestamp"];
    let status = json!({"status": {"succeeded": pods, "ready": 0, "terminating": 0, "startTime": now}});
    world.patch(&format!("jobs/{name}/status"), &status);
    for _ in 0..pods {
        finished_pod(world, &made);
    }
}

fn finished_pod(world: &World, job: &Value) {
    let owner = json!({
        "apiVersion": "batch/v1", "kind": "Job", "name": job["metadata"]["name"], "uid": job["metadata"]["uid"],
        "controller": true, "blockOwnerDeletion": true,
    });
    let template = &job["spec"]["template"];
    let name = format!("{}-", cluster_tests::text(&job["metadata"]["name"]));
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "generateName": name, "labels": template["metadata"]["labels"], "ownerReferences": [owner],
        },
        // The scheduler leaves it alone, and so do the fake nodes.
        "spec": {
            "restartPolicy": "Never", "schedulingGates": [{"name": "jobpolicy.dev/never"}],
            "containers": template["spec"]["containers"],
        },
    });
    let made = world.create("pods", &pod);
    let terminated =
        json!({"exitCode": 0, "reason": "Completed", "finishedAt": job["metadata"]["creationTimestamp"]});
    let container = json!({
        "name": "main", "image": "bash", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"terminated": terminated},
    });
    let status = json!({"status": {"phase": "Succeeded", "containerStatuses": [container]}});
    world.patch(&format!("pods/{}/status", cluster_tests::text(&made["metadata"]["name"])), &status);
}
