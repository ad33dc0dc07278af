//! The manifests of `deploy/` on a real API server: they are taken, their rights are enough, and opting in works.

use cluster_tests::{LIMIT, World, apply_kustomization, binary, eventually, job};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

fn deploy(part: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(part)
}

/// What the program says that it needs.
fn rbac(args: &[&str]) -> String {
    let output = Command::new(binary()).args(["controller", "--print-rbac"]).args(args).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_manifests_give_the_rights_that_the_program_asks_for() {
    for (part, args) in [("base", &[][..]), ("instead", &["--all", "--ttl"])] {
        let file = std::fs::read_to_string(deploy(part).join("rbac.yaml")).unwrap();
        assert_eq!(
            file,
            rbac(args),
            "deploy/{part}/rbac.yaml is what `jobpolicy controller --print-rbac` prints"
        );
    }
}

/// Opting in changes Jobs as soon as the API server has seen the policy.
fn wait_for_opt_in(world: &World) {
    eventually("Jobs are ours in a namespace that opts in", LIMIT, || {
        let made = world.call(
            "POST",
            &format!("{}?dryRun=All", world.path("jobs")),
            Some(&job("trial", &[], json!({}))),
        );
        let made: Value = serde_json::from_str(&made.text()?).map_err(|error| error.to_string())?;
        match made["spec"]["managedBy"].as_str() {
            Some("jobpolicy.dev/controller") => Ok(()),
            other => Err(format!("managedBy is {other:?}")),
        }
    });
}

#[test]
fn an_account_with_these_rights_runs_jobs() {
    let world = World::labelled("deploy", json!({"jobpolicy.dev/opt-in": "true"}));
    apply_kustomization(&deploy("base"));
    wait_for_opt_in(&world);
    let kubeconfig = world.kubeconfig_of("jobpolicy", "jobpolicy-controller");
    let election = ["--leader-elect=true", "--leader-elect-resource-namespace=jobpolicy"];
    beside(&world, &kubeconfig, &election);

    let instead = World::new("instead");
    apply_kustomization(&deploy("instead"));
    let mut args = vec!["--all", "--force", "--ttl", "--namespace", &instead.namespace];
    args.extend(election);
    let controller = eventually_started(&instead, &kubeconfig, &args);
    instead.create("jobs", &job("short-lived", &[], json!({"ttlSecondsAfterFinished": 0})));
    eventually("the Job is deleted when its time is over", LIMIT, || {
        let jobs = cluster_tests::items(instead.get("jobs"));
        if jobs.is_empty() { Ok(()) } else { Err(jobs[0]["status"].to_string()) }
    });
    let template = job("x", &[], json!({}));
    let cron_job = json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "cron"},
        "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": template["spec"]}, "successfulJobsHistoryLimit": 0},
    });
    instead.create("cronjobs", &cron_job);
    instead.patch("cronjobs/cron/status", &json!({"status": {"lastScheduleTime": "2020-01-01T00:00:00Z"}}));
    // No history is kept: the Job is deleted as soon as it is complete.
    instead.wait_for_event("cron", "SuccessfulDelete", LIMIT);
    instead.patch("cronjobs/cron", &json!({"spec": {"suspend": true}}));
    controller.assert_nothing_refused();
    assert!(controller.terminate().success());
}

/// A Job that is made directly and one that a CronJob makes, in a namespace that opts in.
fn beside(world: &World, kubeconfig: &Path, election: &[&str]) {
    let controller = eventually_started(world, kubeconfig, election);
    world.create("jobs", &job("direct", &[], json!({"completions": 2})));
    let direct = world.wait_for("direct", "Complete");
    assert_eq!(direct["spec"]["managedBy"], "jobpolicy.dev/controller");
    world.wait_for_event("direct", "Completed", LIMIT);

    // The loop of CronJobs is another's, for whom the Jobs that it makes are not its own.
    let others =
        ["--all", "--force", "--managed-by=test.jobpolicy.dev/other", "--namespace", &world.namespace];
    let cron_jobs = world.controller_with(&others);
    let template = job("x", &[], json!({}));
    let cron_job = json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "cron"},
        "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": template["spec"]}},
    });
    world.create("cronjobs", &cron_job);
    world.patch("cronjobs/cron/status", &json!({"status": {"lastScheduleTime": "2020-01-01T00:00:00Z"}}));
    let created = world.wait_for_event("cron", "SuccessfulCreate", LIMIT);
    let child = world.wait_for(created.strip_prefix("Created job ").unwrap(), "Complete");
    assert_eq!(child["spec"]["managedBy"], "jobpolicy.dev/controller");
    world.patch("cronjobs/cron", &json!({"spec": {"suspend": true}}));
    world.wait_for_no_finalizers();
    controller.assert_nothing_refused();
    cron_jobs.assert_nothing_refused();
    assert!(controller.terminate().success());
}

/// A controller with the account's rights, which the API server may learn of a moment later.
fn eventually_started(world: &World, kubeconfig: &Path, args: &[&str]) -> cluster_tests::Controller {
    world.wait_for_right(kubeconfig, &["create", "pods"]);
    if args.contains(&"--all") {
        world.wait_for_right(kubeconfig, &["delete", "jobs.batch"]);
    }
    cluster_tests::Controller::start(&world.namespace, kubeconfig, args)
}
