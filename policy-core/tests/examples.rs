//! The examples run, and show what they say they show.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // Tests may panic: that is how they fail.
#![allow(missing_docs)]

#[allow(dead_code)] // `main` is not called.
#[path = "../examples/child_processes.rs"]
mod child_processes;
#[allow(dead_code)] // `main` is not called.
#[path = "../examples/whats_next.rs"]
mod whats_next;

use policy_core::spec::JobStatus;
use policy_core::{NANOS_PER_SECOND, Settings, Timestamp};

fn run(job: &str) -> JobStatus {
    let quick = Settings {
        pod_failure_backoff_nanos: NANOS_PER_SECOND / 50,
        sync_batch_period_nanos: 0,
        ..Settings::DEFAULT
    };
    child_processes::run(serde_json::from_str(job).unwrap(), &quick).unwrap()
}

#[test]
#[cfg(unix)]
fn child_processes_run_an_indexed_job_to_its_end() {
    let status = run(child_processes::JOB);
    assert_eq!((status.completed_indexes.as_str(), status.failed_indexes.as_deref()), ("0-2,4", Some("3")));
    assert_eq!(status.finished().unwrap().reason, "FailedIndexes");
    assert_eq!(status.failed, 1, "the failure policy spares the retries");
}

#[test]
#[cfg(unix)]
fn child_processes_are_retried_up_to_the_limit() {
    let job = r#"{"metadata": {"name": "j"}, "spec": {"completions": 1, "parallelism": 1, "backoffLimit": 2,
        "template": {"spec": {"containers": [{"command": ["false"]}]}}}}"#;
    let status = run(job);
    assert_eq!((status.failed, status.finished().unwrap().reason.as_str()), (3, "BackoffLimitExceeded"));
}

#[test]
#[cfg(unix)]
fn child_processes_end_when_the_job_does() {
    let job = r#"{"metadata": {"name": "j"}, "spec": {"completions": 2, "parallelism": 2, "completionMode": "Indexed",
        "successPolicy": {"rules": [{"succeededIndexes": "0"}]}, "template": {"spec": {"containers": [{"command":
        ["sh", "-c", "[ $JOB_COMPLETION_INDEX = 0 ] || exec sleep 600"]}]}}}}"#;
    let status = run(job);
    assert_eq!(status.finished().unwrap().reason, "SuccessPolicy");
    assert_eq!(status.completed_indexes, "0");
}

#[test]
fn whats_next_tells_the_plan_and_its_causes() {
    let now = Timestamp::parse("2026-01-01T00:01:03Z").unwrap();
    let lines = whats_next::whats_next(&serde_json::from_str(whats_next::LIST).unwrap(), now).unwrap();
    assert_eq!(lines[0], "creates 0 Pods, deletes 0");
    assert!(lines.iter().any(|line| line.starts_with("because creation-waits-for-backoff: ")), "{lines:#?}");
    assert_eq!(lines.last().unwrap(), "looks again at 2026-01-01T00:01:10Z");
}
