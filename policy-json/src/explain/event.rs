//! Events about a Job or CronJob, each with the rule whose decision it tells of.

use policy_core::Timestamp;
use policy_core::explain::Rule;
use policy_core::spec::ObjectMeta;
use serde::Serialize;
use serde_json::Value;

/// An Event of the API, core/v1 or events.k8s.io/v1, cut to what is shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventRecord {
    kind: String,
    pub(super) namespace: String,
    pub(super) name: String,
    uid: String,
    reason: String,
    message: String,
    warning: bool,
    count: i64,
    last: Option<Timestamp>,
}

/// An Event in a report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EventRow {
    /// One word for machines.
    pub reason: String,
    /// Words for people.
    pub message: String,
    /// Whether it is a warning.
    pub warning: bool,
    /// How often it happened.
    pub count: i64,
    /// When it happened last.
    pub last: Option<Timestamp>,
    /// The rule whose decision it tells of, if it is a decision of this controller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
}

impl EventRecord {
    /// Reads an Event. Both API versions are read, and what is missing or of another type is left out: events are
    /// shown beside decisions and never decide anything.
    pub fn read(event: &Value) -> Self {
        let text = |pointers: [&str; 2]| {
            let found = pointers.iter().find_map(|pointer| event.pointer(pointer).and_then(Value::as_str));
            found.unwrap_or_default().to_owned()
        };
        let about = |field: &str| text([&format!("/involvedObject/{field}"), &format!("/regarding/{field}")]);
        let count = ["/series/count", "/count", "/deprecatedCount"];
        let count = count.iter().find_map(|pointer| event.pointer(pointer).and_then(Value::as_i64));
        let times = [
            "/series/lastObservedTime",
            "/lastTimestamp",
            "/deprecatedLastTimestamp",
            "/eventTime",
            "/metadata/creationTimestamp",
        ];
        let time =
            |pointer: &&str| event.pointer(pointer)?.as_str().and_then(|text| Timestamp::parse(text).ok());
        EventRecord {
            kind: about("kind"),
            namespace: about("namespace"),
            name: about("name"),
            uid: about("uid"),
            reason: text(["/reason", "/reason"]),
            message: text(["/message", "/note"]),
            warning: text(["/type", "/type"]) == "Warning",
            count: count.unwrap_or(1),
            last: times.iter().find_map(time),
        }
    }

    /// Whether it is about this object. An Event of an earlier object of the same name has another UID.
    fn is_about(&self, kind: &str, meta: &ObjectMeta) -> bool {
        let same_uid = self.uid.is_empty() || meta.uid.is_empty() || self.uid == meta.uid;
        self.kind == kind && self.name == meta.name && self.namespace == meta.namespace && same_uid
    }
}

/// The Events about an object, the oldest first.
pub(super) fn about(events: &[&EventRecord], kind: &str, meta: &ObjectMeta) -> Vec<EventRow> {
    let mut rows: Vec<EventRow> = events
        .iter()
        .filter(|event| event.is_about(kind, meta))
        .map(|event| EventRow {
            reason: event.reason.clone(),
            message: event.message.clone(),
            warning: event.warning,
            count: event.count,
            last: event.last,
            rule: if kind == "Job" { rule_of_job(&event.reason) } else { rule_of_cron_job(&event.reason) },
        })
        .collect();
    rows.sort_by_key(|row| row.last);
    rows
}

/// The Pods that a Job's Events say were created.
pub(super) fn created_pods(rows: &[EventRow]) -> impl Iterator<Item = &str> {
    let created = rows.iter().filter(|row| row.reason == "SuccessfulCreate");
    created.filter_map(|row| row.message.strip_prefix("Created pod: "))
}

/// Which rule publishes an Event of this reason about a Job.
fn rule_of_job(reason: &str) -> Option<Rule> {
    Some(match reason {
        "SuccessfulCreate" | "FailedCreate" => Rule::PodsCreated,
        "SuccessfulDelete" | "FailedDelete" => Rule::SurplusPodsDeleted,
        "Suspended" => Rule::JobSuspendedRecorded,
        "Resumed" => Rule::JobResumedRecorded,
        "Completed" | "TooManySucceededPods" => Rule::JobEnded,
        "BackoffLimitExceeded" => Rule::BackoffLimitExceeded,
        "DeadlineExceeded" => Rule::DeadlineExceeded,
        "PodFailurePolicy" => Rule::PodFailurePolicyFailsJob,
        "MaxFailedIndexesExceeded" => Rule::MaxFailedIndexesExceeded,
        "FailedIndexes" => Rule::FailedIndexes,
        "UnknownCompletionMode" => Rule::UnknownCompletionMode,
        _ => return None,
    })
}

/// Which rule publishes an Event of this reason about a CronJob.
fn rule_of_cron_job(reason: &str) -> Option<Rule> {
    Some(match reason {
        "SuccessfulCreate" | "FailedCreate" => Rule::RunDue,
        "SuccessfulDelete" | "FailedDelete" => Rule::SuccessfulJobsHistoryLimit,
        "SawCompletedJob" => Rule::ActiveJobFinished,
        "UnexpectedJob" => Rule::UnexpectedJob,
        "MissingJob" => Rule::ActiveJobMissing,
        "JobAlreadyActive" => Rule::ForbidConcurrent,
        "MissSchedule" => Rule::RunTooLate,
        "TooManyMissedTimes" => Rule::TooManyMissedTimes,
        "UnknownTimeZone" => Rule::UnknownTimeZone,
        "UnparseableSchedule" => Rule::UnparseableSchedule,
        "UnsupportedSchedule" => Rule::TimeZoneInSchedule,
        "InvalidSchedule" => Rule::ScheduleNeverFires,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_versions_of_events_are_read() {
        let core = json!({
            "involvedObject": {"kind": "Job", "namespace": "n", "name": "j", "uid": "u"}, "reason": "FailedCreate",
            "message": "Error creating: quota", "type": "Warning", "count": 3, "lastTimestamp": "2026-01-01T00:00:01Z",
        });
        let new = json!({
            "regarding": {"kind": "Job", "namespace": "n", "name": "j", "uid": "u"}, "reason": "FailedCreate",
            "note": "Error creating: quota", "type": "Warning", "series": {"count": 3},
            "eventTime": "2026-01-01T00:00:01.000000Z",
        });
        assert_eq!(EventRecord::read(&core), EventRecord::read(&new));
        assert_eq!(EventRecord::read(&json!([1])).reason, "");
    }

    #[test]
    fn events_of_an_earlier_job_of_the_same_name_are_left_out() {
        let event = |uid: &str| {
            EventRecord::read(
                &json!({"involvedObject": {"kind": "Job", "namespace": "n", "name": "j", "uid": uid}}),
            )
        };
        let meta =
            ObjectMeta { namespace: "n".into(), name: "j".into(), uid: "new".into(), ..Default::default() };
        assert_eq!(about(&[&event("old"), &event("new"), &event("")], "Job", &meta).len(), 2);
    }
}
