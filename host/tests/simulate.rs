//! `scenario`, `simulate` and `expand` as users run them.

mod common;

use common::run;
use serde_json::Value;

const JOB: &str = "\
apiVersion: batch/v1
kind: Job
metadata: {name: work}
spec:
  completions: 2
  backoffLimit: 1
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: busybox}]
";

const SCENARIO: &str = "\
name: mine
title: My own
manifests:
- apiVersion: batch/v1
  kind: Job
  metadata: {name: work}
  spec:
    template:
      spec:
        restartPolicy: Never
        containers: [{name: main, image: busybox}]
behaviours:
- script: [{run: 10s}]
assertions:
- text: It fails
  job: {name: work, condition: Failed}
- text: It takes eleven seconds or so
  ended: {min: 10s, max: 15s}
";

fn json(out: &str) -> Value {
    serde_json::from_str(out).expect(out)
}

#[test]
fn reports_have_the_fields_that_they_promise() {
    let ran = run(&["scenario", "run", "coarse-work-queue", "--output", "json"], b"");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let report = json(&ran.out);
    assert_eq!(report["scenario"], "coarse-work-queue");
    assert_eq!(report["variant"], "base");
    assert_eq!(report["outcome"], "finished");
    assert_eq!(report["seed"], 0);
    assert!(report["virtualSeconds"].as_f64().is_some_and(|seconds| (40.0..70.0).contains(&seconds)));
    assert_eq!(report["jobs"][0]["status"]["succeeded"], 8);
    for list in ["cronJobs", "pods", "events", "decisions", "assertions", "deletedJobs", "why", "timeline"] {
        assert!(report[list].is_array(), "{list}");
    }
    let logs = report["logs"].as_object().expect("logs by Pod");
    assert_eq!(logs.len(), 8);
    assert!(logs.values().all(|lines| lines.as_array().is_some_and(|lines| lines.len() == 1)));
    assert!(report["assertions"].as_array().into_iter().flatten().all(|assertion| assertion["held"] == true));
    let same = run(&["scenario", "run", "coarse-work-queue", "--output", "yaml"], b"");
    assert!(same.out.contains("outcome: finished"), "{}", same.out);
}

#[test]
fn broken_assertions_end_with_1_and_are_reported() {
    let junit = std::env::temp_dir().join(format!("jobpolicy-junit-{}.xml", std::process::id()));
    let path = junit.to_str().expect("a path of text");
    let ran = run(&["scenario", "run", "-", "--github", "--junit", path], SCENARIO.as_bytes());
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.out.contains(
            "::error file=<stdin>,line=15,col=9,title=jobpolicy::It fails (base): its conditions are"
        ),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("✗ It fails") && ran.out.contains("✓ It takes eleven"), "{}", ran.out);
    let report = std::fs::read_to_string(&junit).expect("the report was written");
    std::fs::remove_file(&junit).expect("the report can be removed");
    assert!(
        report.contains("tests=\"2\" failures=\"1\"") && report.contains("<failure message="),
        "{report}"
    );
}

#[test]
fn mistakes_in_scenarios_are_shown_at_their_line() {
    let ran = run(&["scenario", "run", "-"], SCENARIO.replace("condition", "conditon").as_bytes());
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(
        ran.err.contains("<stdin>:16:21") && ran.err.contains("did you mean `condition`?"),
        "{}",
        ran.err
    );
    let ran = run(&["scenario", "run", "coarse-work-queue", "--variant", "completion-5"], b"");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("did you mean `completions-5`?"), "{}", ran.err);
}

#[test]
fn comparing_shows_where_and_why_they_part() {
    let ran = run(&["scenario", "run", "pod-failure-policy-failjob", "--compare", "policy-off"], b"");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    for part in ["They part after 3", "pod-failure-policy-fails-job", "BackoffLimitExceeded", "Pods in all"] {
        assert!(ran.out.contains(part), "no `{part}` in\n{}", ran.out);
    }
    let ran = run(&["scenario", "run", "cron-hello", "--compare", "base", "--output", "json"], b"");
    assert_eq!(json(&ran.out)["parting"], Value::Null);
}

#[test]
fn without_arguments_there_is_a_demo() {
    let ran = run(&[], b"");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.contains("policy-off") && ran.out.contains("They part after"), "{}", ran.out);
}

#[test]
fn watching_prints_lines_where_there_is_no_terminal() {
    let ran = run(&["scenario", "run", "indexed-static", "--watch"], b"");
    assert_eq!(ran.code, 0, "{ran:?}");
    for part in ["job/indexed-job SuccessfulCreate", "prints: oof", "is Succeeded", "Outcome: finished"] {
        assert!(ran.out.contains(part), "no `{part}` in\n{}", ran.out);
    }
    assert!(!ran.out.contains('\u{1b}'));
}

#[test]
fn ones_own_job_needs_no_scenario() {
    let ran = run(
        &["simulate", "-", "--run-time", "30s", "--exit-code", "main=3@1", "--output", "json"],
        JOB.as_bytes(),
    );
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let report = json(&ran.out);
    assert_eq!(report["jobs"][0]["status"]["failed"], 1);
    assert_eq!(report["jobs"][0]["status"]["succeeded"], 2);
    assert_eq!(report["outcome"], "finished");
    let ran = run(&["simulate", "-", "--exit-code", "1"], JOB.as_bytes());
    assert!(ran.out.contains("BackoffLimitExceeded") && ran.out.contains("✗1"), "{}", ran.out);
    let ran = run(&["simulate", "-"], JOB.replace("backoffLimit: 1", "backoffLimit: -1").as_bytes());
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("<stdin>:6:17"), "{}", ran.err);
    let ran = run(&["simulate", "-", "--drain", "node-9@3s"], JOB.as_bytes());
    assert!(ran.err.contains("there is no node `node-9`"), "{}", ran.err);
}

#[test]
fn expanding_makes_a_stream_or_files() {
    let template = JOB.replace("name: work", "name: work-$ITEM");
    let ran = run(&["expand", "-", "--set", "ITEM=apple,banana,cherry"], template.as_bytes());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(ran.out.matches("---\n").count(), 3);
    let piped = run(&["simulate", "-", "--output", "json"], ran.out.as_bytes());
    assert_eq!(json(&piped.out)["jobs"].as_array().map(Vec::len), Some(3));
    let folder = std::env::temp_dir().join(format!("jobpolicy-expand-{}", std::process::id()));
    let path = folder.to_str().expect("a path of text");
    let ran = run(&["expand", "-", "--set", "ITEM=apple,banana", "--out", path], template.as_bytes());
    assert_eq!(ran.code, 0, "{ran:?}");
    let mut files: Vec<_> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    files.sort();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(files, ["work-apple.yaml", "work-banana.yaml"]);
    let ran = run(&["expand", "-", "--set", "ITEM=Big_One"], template.as_bytes());
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("<stdin>:3:18") && ran.err.contains("becomes `work-Big_One`"), "{}", ran.err);
}

#[test]
fn the_scenarios_are_listed_shown_and_described() {
    let ran = run(&["scenario", "list"], b"");
    assert!(ran.out.contains("coarse-work-queue") && ran.out.contains("killed-before-ack"), "{}", ran.out);
    let shown = run(&["scenario", "show", "indexed-dns"], b"");
    let again = run(&["scenario", "run", "-", "--variant", "no-service"], shown.out.as_bytes());
    assert_eq!(again.code, 0, "{again:?}");
    let schema = run(&["scenario", "schema"], b"");
    assert_eq!(json(&schema.out)["title"], "A jobpolicy scenario");
}
