//! Jobs of all kinds run by the controller on a real API server.

use cluster_tests::{LIMIT, World, condition, eventually, job, text};
use serde_json::{Value, json};

#[test]
fn a_plain_job_completes() {
    let world = World::new("plain");
    let controller = world.controller(&[]);
    world.create("jobs", &job("plain", &[], json!({"completions": 3, "parallelism": 2})));
    let done = world.wait_for("plain", "Complete");

    let status = &done["status"];
    assert_eq!((&status["succeeded"], &status["failed"]), (&json!(3), &Value::Null));
    assert_eq!(status["uncountedTerminatedPods"], json!({}));
    assert!(status["startTime"].is_string() && status["completionTime"].is_string());
    assert_eq!(condition(&done, "Complete").unwrap()["reason"], "CompletionsReached");
    assert!(condition(&done, "SuccessCriteriaMet").is_some());
    assert_eq!(world.pods("plain").len(), 3);
    world.wait_for_no_finalizers();

    assert_eq!(world.wait_for_event("plain", "Completed", LIMIT), "Job completed");
    assert!(world.wait_for_event("plain", "SuccessfulCreate", LIMIT).starts_with("Created pod: plain-"));
    let described = world.kubectl(&["describe", "job/plain"]);
    assert!(described.contains("0 Active (0 Ready) / 3 Succeeded / 0 Failed"), "{described}");

    let finished = "job_controller_jobs_finished_total{completion_mode=\"NonIndexed\",\
                    reason=\"CompletionsReached\",result=\"succeeded\"}";
    eventually("the Job is counted", LIMIT, || match controller.metric(finished) {
        1.0 => Ok(()),
        other => Err(format!("{other}")),
    });
    let pods = "job_controller_job_pods_finished_total{completion_mode=\"NonIndexed\",result=\"succeeded\"}";
    assert_eq!(controller.metric(pods), 3.0);
    controller.assert_nothing_refused();
    assert!(controller.terminate().success());
}

#[test]
fn indexes_fail_each_by_itself() {
    let world = World::new("indexed");
    let controller = world.controller(&[]);
    let spec =
        json!({"completions": 3, "parallelism": 3, "completionMode": "Indexed", "backoffLimitPerIndex": 1});
    world.create("jobs", &job("retried", &[("exit-code", "3"), ("fail-first", "1")], spec.clone()));
    world.create("jobs", &job("failing", &[("exit-code", "3")], spec));

    let retried = world.wait_for("retried", "Complete");
    assert_eq!(retried["status"]["completedIndexes"], "0-2");
    assert_eq!((&retried["status"]["succeeded"], &retried["status"]["failed"]), (&json!(3), &json!(3)));

    let failed = world.wait_for("failing", "Failed");
    assert_eq!(failed["status"]["failedIndexes"], "0-2");
    assert_eq!(failed["status"]["failed"], 6);
    let condition = condition(&failed, "Failed").unwrap();
    assert_eq!(
        (&condition["reason"], &condition["message"]),
        (&json!("FailedIndexes"), &json!("Job has failed indexes"))
    );
    world.wait_for_no_finalizers();
    controller.assert_nothing_refused();
}

#[test]
fn a_suspended_job_has_no_pods_and_goes_on_when_resumed() {
    let world = World::new("suspend");
    let controller = world.controller(&[]);
    world.create("jobs", &job("held", &[("run-time", "3s")], json!({"suspend": true})));
    let held = world.wait_for("held", "Suspended");
    assert_eq!(condition(&held, "Suspended").unwrap()["reason"], "JobSuspended");
    assert_eq!(world.pods("held").len(), 0);
    assert!(held["status"]["startTime"].is_null());

    world.patch("jobs/held", &json!({"spec": {"suspend": false}}));
    eventually("a Pod runs", LIMIT, || {
        let pods = world.pods("held");
        pods.iter().find(|pod| pod["status"]["phase"] == "Running").map(|_| ()).ok_or(format!("{pods:?}"))
    });
    world.patch("jobs/held", &json!({"spec": {"suspend": true}}));
    world.wait_for("held", "Suspended");
    eventually("its Pod is gone", LIMIT, || match world.pods("held").as_slice() {
        [] => Ok(()),
        pods => Err(format!("{pods:?}")),
    });
    world.patch("jobs/held", &json!({"spec": {"suspend": false}}));
    let done = world.wait_for("held", "Complete");
    assert_eq!((&done["status"]["succeeded"], &done["status"]["failed"]), (&json!(1), &Value::Null));
    assert_eq!(condition(&done, "Suspended").unwrap()["status"], "False");
    for (reason, message) in [("Suspended", "Job suspended"), ("Resumed", "Job resumed")] {
        assert_eq!(world.wait_for_event("held", reason, LIMIT), message);
    }
    controller.assert_nothing_refused();
}

#[test]
fn no_pod_is_counted_twice_however_often_the_controller_is_killed() {
    const JOBS: usize = 10;
    const PODS: i64 = 20;
    let world = World::new("killed");
    let behaviour = [("run-time", "700ms"), ("exit-code", "1"), ("fail-first", "1")];
    let names: Vec<String> = (0..JOBS).map(|number| format!("job-{number}")).collect();
    for (number, name) in names.iter().enumerate() {
        // One half fails once at each index, the other succeeds at once.
        let spec = json!({"completions": PODS, "parallelism": 7});
        let indexed = json!({
            "completions": PODS, "parallelism": 7, "completionMode": "Indexed", "backoffLimitPerIndex": 3,
        });
        let job =
            if number % 2 == 0 { job(name, &behaviour, indexed) } else { job(name, &behaviour[..1], spec) };
        world.create("jobs", &job);
    }
    let counted = || -> i64 {
        let jobs = cluster_tests::items(world.get("jobs"));
        let of = |job: &Value, field: &str| job["status"][field].as_i64().unwrap_or(0);
        jobs.iter().map(|job| of(job, "succeeded") + of(job, "failed")).sum()
    };
    let mut controller = world.controller(&[]);
    let all = PODS * i64::try_from(JOBS + JOBS / 2).unwrap();
    for part in 1..=7 {
        // Killed as soon as it has come a little further.
        eventually("Pods are counted", LIMIT, || match counted() {
            count if count >= all * part / 9 => Ok(()),
            count => Err(format!("{count} of {all}")),
        });
        controller.kill();
        controller = world.controller(&[]);
    }
    for (number, name) in names.iter().enumerate() {
        let status = world.wait_for(name, "Complete")["status"].take();
        let failures = if number % 2 == 0 { PODS } else { 0 };
        let pods = world.pods(name);
        let ended = |phase: &str| pods.iter().filter(|pod| pod["status"]["phase"] == phase).count();
        let counts = (status["succeeded"].as_i64().unwrap_or(0), status["failed"].as_i64().unwrap_or(0));
        let seen = (i64::try_from(ended("Succeeded")).unwrap(), i64::try_from(ended("Failed")).unwrap());
        assert_eq!(counts, seen, "job/{name} counts what there is: {status}");
        assert_eq!(counts, (PODS, failures), "job/{name} has run what it should: {status}");
    }
    world.wait_for_no_finalizers();
    controller.assert_nothing_refused();
}

#[test]
fn a_dry_run_prints_and_writes_nothing() {
    let world = World::new("dry");
    let controller = world.controller_with(&["--all", "--dry-run", "--namespace", &world.namespace]);
    let before = world.create("jobs", &job("dry", &[], json!({})));
    eventually("the decision is printed", LIMIT, || {
        let log = controller.log();
        if log.contains("job/dry") && log.contains("would create a Pod") { Ok(()) } else { Err(log) }
    });
    assert!(controller.terminate().success());
    let after = world.get("jobs/dry");
    assert_eq!(after["metadata"]["resourceVersion"], before["metadata"]["resourceVersion"]);
    assert_eq!((world.pods("dry").len(), cluster_tests::items(world.get("events")).len()), (0, 0));
}

#[test]
fn beside_the_built_in_controller_only_own_jobs_are_run() {
    let world = World::new("beside");
    let ours = "test.jobpolicy.dev/beside";
    let controller = world.controller_with(&["--managed-by", ours]);
    let managed = |name: &str, by: Option<&str>| match by {
        Some(by) => job(name, &[], json!({"managedBy": by})),
        None => job(name, &[], json!({})),
    };
    let created: Vec<Value> = [("built-in", None), ("other", Some("test.jobpolicy.dev/other"))]
        .map(|(name, by)| world.create("jobs", &managed(name, by)))
        .into();
    world.create("jobs", &managed("ours", Some(ours)));
    world.wait_for("ours", "Complete");
    controller.assert_nothing_refused();
    // Events that wait are written before it ends.
    assert!(controller.terminate().success());
    let events = cluster_tests::items(world.get("events?fieldSelector=involvedObject.name%3Dours"));
    assert!(events.iter().any(|event| event["reason"] == "Completed"), "{events:?}");
    world.wait_for_no_finalizers();
    for before in &created {
        let name = text(&before["metadata"]["name"]);
        let after = world.get(&format!("jobs/{name}"));
        assert_eq!(after["status"], json!({}));
        assert_eq!(after["metadata"]["resourceVersion"], before["metadata"]["resourceVersion"]);
        assert_eq!(world.pods(&name).len(), 0);
    }
}
