//! Recorded watch streams of a real cluster: everything the controllers wrote is explained, and what they did not write
//! or not so is not.

#[path = "replay/corrupted.rs"]
mod corrupted;
#[path = "replay/forgetful.rs"]
mod forgetful;
#[path = "replay/traces.rs"]
mod traces;

use jobpolicy::replay::{Count, Kind, Recording, Report, replay};
use traces::Trace;

fn explained(count: usize) -> Count {
    Count { all: count, explained: count }
}

fn assert_explained(report: &Report, expected: &[(Kind, usize)]) {
    assert_eq!(report.unexplained, []);
    let counts: Vec<(Kind, Count)> = report.by_kind.iter().map(|(kind, count)| (*kind, *count)).collect();
    let expected: Vec<(Kind, Count)> =
        expected.iter().map(|(kind, count)| (*kind, explained(*count))).collect();
    assert_eq!(counts, expected);
}

/// The counts are those of the streams: every change of a status by the controllers' manager, every Pod and Job they
/// created, every deletion that an event of theirs tells of, every finalizer that went.
#[test]
fn every_write_in_the_tutorials_is_explained() {
    let report = Trace::read("tutorials").replay();
    let expected = [
        (Kind::JobStatus, 141),
        (Kind::PodCreate, 47),
        (Kind::PodDelete, 5),
        (Kind::FinalizerRemoval, 47),
        (Kind::CronJobStatus, 6),
        (Kind::JobCreate, 3),
        (Kind::Event, 77),
    ];
    assert_explained(&report, &expected);
}

#[test]
fn every_write_under_node_pressure_is_explained() {
    let report = Trace::read("node-pressure").replay();
    let expected =
        [(Kind::JobStatus, 4), (Kind::PodCreate, 1), (Kind::FinalizerRemoval, 1), (Kind::Event, 2)];
    assert_explained(&report, &expected);
}

#[test]
fn a_directory_is_read_as_the_streams_in_it_are() {
    let directory = traces::directory("node-pressure");
    let mut shown = Vec::new();
    let recording = Recording::read(&directory, |done, total| shown.push((done, total))).unwrap();
    assert_eq!(recording.manager(), Some("kcm"));
    assert_eq!(replay(&recording, |_, _| {}), Trace::read("node-pressure").replay());
    assert!(shown.is_sorted() && shown.last().is_some_and(|(done, total)| done == total));
}

#[test]
fn the_report_has_a_stable_form() {
    let report = serde_json::to_value(Trace::read("node-pressure").replay()).unwrap();
    assert_eq!(report["all"], 8);
    assert_eq!(report["explained"], 8);
    assert_eq!(report["unexplained"], serde_json::json!([]));
    let count = serde_json::json!({"all": 4, "explained": 4, "unexplained": 0});
    assert_eq!(report["byKind"]["job-status"], count);
}
