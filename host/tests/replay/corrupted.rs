//! Streams that are changed so that they tell of things the controllers would not have done.

use crate::traces::Trace;
use jobpolicy::replay::{Kind, Report, Unexplained};
use policy_core::Timestamp;
use serde_json::{Value, json};

fn unexplained<'a>(report: &'a Report, version: &str) -> &'a Unexplained {
    let found = report.unexplained.iter().find(|write| write.resource_version == version);
    found.unwrap_or_else(|| panic!("version {version} is explained: {:?}", report.unexplained))
}

fn later(time: &Value, seconds: i64) -> Value {
    let time = Timestamp::parse(time.as_str().unwrap()).unwrap();
    json!(time.plus_nanos(seconds * 1_000_000_000))
}

/// Versions of Jobs whose status differs from the one before.
fn status_writes(trace: &mut Trace) -> Vec<String> {
    let events = trace.stream("jobs");
    let changed = events.windows(2).filter(|pair| pair[0]["object"]["status"] != pair[1]["object"]["status"]);
    let versions = changed.map(|pair| pair[1]["object"]["metadata"]["resourceVersion"].as_str().unwrap());
    versions.map(str::to_owned).collect()
}

#[test]
fn a_wrong_count_in_any_status_is_found() {
    let all = Trace::read("tutorials");
    let mut fields = ["failed", "ready", "active"].into_iter().cycle();
    let mut checked = 0;
    for job in all.names("jobs") {
        let mut trace = all.clone().only(&job);
        for version in status_writes(&mut trace) {
            let mut wrong = trace.clone();
            let field = fields.next().unwrap();
            let mut count = 0;
            wrong.edit("jobs", &version, |job| {
                count = job["status"][field].as_i64().unwrap_or(0);
                job["status"][field] = json!(count + 9);
            });
            let report = wrong.replay();
            let write = unexplained(&report, &version);
            assert_eq!(write.kind, Kind::JobStatus);
            // Which count was decided depends on the state of the cache that is nearest.
            let told = write.difference.contains(&format!("status.{field}: decided "))
                && write.difference.contains(&format!(", written {}", count + 9));
            assert!(told, "{job} {version}: {}", write.difference);
            checked += 1;
        }
    }
    assert_eq!(checked, 141);
}

#[test]
fn a_time_that_is_off_by_five_seconds_is_found() {
    let mut trace = Trace::read("node-pressure");
    // The end that is wrong stays wrong, as it would if the controller's decision were.
    for version in ["2222", "2224"] {
        trace.edit("jobs", version, |job| {
            let condition = &mut job["status"]["conditions"][0];
            let time = later(&condition["lastTransitionTime"], 5);
            condition["lastTransitionTime"] = time.clone();
            condition["lastProbeTime"] = time;
        });
    }
    let report = trace.replay();
    let write = unexplained(&report, "2222");
    let expected =
        "status.conditions[0].lastTransitionTime: decided 2026-11-23T19:57:46Z, written 2026-11-23T19:57:50Z";
    assert!(write.difference.contains(expected), "{}", write.difference);
}

#[test]
fn a_time_within_a_second_of_the_servers_is_taken() {
    let mut trace = Trace::read("node-pressure");
    for version in ["2205", "2212", "2222", "2224"] {
        trace.edit("jobs", version, |job| {
            job["status"]["startTime"] = later(&job["status"]["startTime"], -1);
        });
    }
    assert_eq!(trace.replay().unexplained, []);
}

#[test]
fn a_finalizer_that_somebody_else_took_away_is_found() {
    let mut trace = Trace::read("node-pressure");
    // The Pod runs, and nothing is to be counted.
    trace.insert_after("pods", "2210", |pod| pod["metadata"]["finalizers"] = json!([]));
    for version in ["2216", "2221"] {
        trace.edit("pods", version, |pod| pod["metadata"]["finalizers"] = json!([]));
    }
    let report = trace.replay();
    let write = unexplained(&report, "2211");
    assert_eq!((write.kind, &*write.object), (Kind::FinalizerRemoval, "default/node-pressure2-mt8wp"));
    let expected = "written the removal of the Pod's tracking finalizer";
    assert!(write.difference.contains(expected), "{}", write.difference);
}

#[test]
fn a_status_that_another_manager_wrote_does_not_count() {
    let mut trace = Trace::read("node-pressure");
    let right = trace.replay();
    trace.edit("jobs", "2212", |job| {
        let entries = job["metadata"]["managedFields"].as_array_mut().unwrap();
        entries.iter_mut().filter(|entry| entry["manager"] == "kcm").for_each(|entry| {
            entry["manager"] = json!("somebody-else");
        });
    });
    let report = trace.replay();
    assert_eq!(report.unexplained, []);
    let (right, count) = (right.by_kind[&Kind::JobStatus], report.by_kind[&Kind::JobStatus]);
    assert_eq!((count.all, count.explained), (right.all - 1, right.explained - 1));
}

#[test]
fn a_job_managed_elsewhere_must_not_be_written_to() {
    let mut trace = Trace::read("tutorials");
    let version = "729";
    trace.insert_after("jobs", version, |job| {
        job["status"] = json!({"active": 1});
        let entry = json!({"manager": "kcm", "operation": "Update", "subresource": "status",
            "time": "2026-11-23T19:47:28Z", "fieldsV1": {"f:status": {"f:active": {}}}});
        job["metadata"]["managedFields"].as_array_mut().unwrap().push(entry);
    });
    let report = trace.replay();
    assert_eq!(report.unexplained.len(), 1);
    assert_eq!(unexplained(&report, "730").difference, "decided nothing, written a status");
}

#[test]
fn a_pod_that_was_not_created_is_missed() {
    let mut trace = Trace::read("tutorials").only("indexed-job");
    let is_it = |event: &Value| event["object"]["metadata"]["name"] == "indexed-job-1-rkdbq";
    trace.stream("pods").retain(|event| !is_it(event));
    let report = trace.replay();
    // The status counts a Pod that the recording does not have.
    let write = unexplained(&report, "680");
    assert_eq!(write.kind, Kind::JobStatus);
}

#[test]
fn a_pod_that_differs_from_the_template_is_found() {
    let mut trace = Trace::read("tutorials").only("indexed-job");
    trace.edit("pods", "669", |pod| {
        pod["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"] = json!("7");
    });
    trace.edit("pods", "671", |pod| pod["spec"]["hostname"] = json!("other"));
    trace.edit("pods", "676", |pod| pod["spec"]["hostNetwork"] = json!(true));
    let report = trace.replay();
    assert_eq!(unexplained(&report, "669").difference, "completion index: decided 0, written 7");
    assert_eq!(unexplained(&report, "671").difference, "spec.hostname: decided indexed-job-2, written other");
    assert_eq!(unexplained(&report, "676").difference, "spec.hostNetwork: decided nothing, written true");
}

#[test]
fn a_cron_job_that_ran_at_another_time_is_found() {
    let mut trace = Trace::read("tutorials");
    trace.edit("cronjobs", "1276", |cron_job| {
        cron_job["status"]["lastScheduleTime"] = json!("2026-11-23T19:47:00Z");
    });
    trace.edit("jobs", "1464", |job| job["metadata"]["name"] = json!("hello-1"));
    let report = trace.replay();
    assert_eq!(
        unexplained(&report, "1276").difference,
        "status.lastScheduleTime: decided 2026-11-23T19:48:00Z, written 2026-11-23T19:47:00Z"
    );
    let write = unexplained(&report, "1464");
    assert_eq!(write.kind, Kind::JobCreate);
    assert_eq!(write.difference, "metadata.name: decided hello-29924389, written hello-1");
}

#[test]
fn an_event_of_something_that_did_not_happen_is_found() {
    let mut trace = Trace::read("node-pressure");
    trace.edit("events", "2225", |event| event["reason"] = json!("BackoffLimitExceeded"));
    let report = trace.replay();
    assert_eq!(report.unexplained.len(), 1);
    assert!(
        unexplained(&report, "2225").difference.starts_with("no decision publishes BackoffLimitExceeded")
    );
}
