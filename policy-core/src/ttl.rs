//! When a finished Job is deleted (upstream `pkg/controller/ttlafterfinished`).
//!
//! A Job with `spec.ttlSecondsAfterFinished` is deleted that long after it finished. The cached Job may be out of date,
//! so the decision is made twice: [`decide`] on the cached Job asks for a live read, and only on the Job that was read
//! live does it ask for the deletion.

use crate::explain::{Recorder, Rule};
use crate::spec::Job;
use crate::{Timestamp, seconds_to_nanos};
use alloc::format;
use alloc::string::String;

/// Where the Job that is decided about comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The controller's cache, which may be behind.
    Cache,
    /// A live read that [`TtlDecision::ReadLive`] asked for.
    LiveRead,
}

/// What to do about a Job's time to live.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TtlDecision {
    /// Nothing: the Job has no time to live, has not finished, or is being deleted. Its next change is looked at again.
    Nothing,
    /// Decide again at this instant, when the time to live is over.
    WakeAt(Timestamp),
    /// The time to live seems to be over: read the Job live and decide again about what was read, [`Source::LiveRead`].
    /// A Job that is not there any more needs nothing.
    ReadLive,
    /// Delete the Job; its Pods go first.
    Delete(JobDeletion),
}

/// The deletion of a Job whose time to live is over: propagation policy Foreground, and no other Job of that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobDeletion {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The precondition: the UID that the deleted Job must have.
    pub uid: String,
    /// When the time to live was over (for upstream's metric `job_deletion_duration_seconds`).
    pub expired_at: Timestamp,
}

/// A finished Job that does not say when it finished; the decision is tried again after a rate-limited delay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TtlError {
    /// Upstream's words.
    pub message: String,
}

/// Decides about a Job's time to live (upstream `processJob`).
///
/// ```
/// use policy_core::ttl::{Source, TtlDecision, decide};
/// use policy_core::{Timestamp, spec::Job};
/// let job: Job = serde_json::from_str(r#"{"spec":{"ttlSecondsAfterFinished":60,"template":{}},"status":{"conditions":[
///     {"type":"Complete","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}"#).unwrap();
/// let at = |text| Timestamp::parse(text).unwrap();
/// let decision = decide(&job, Source::Cache, at("2026-01-01T00:00:30Z"), &mut ()).unwrap();
/// assert_eq!(decision, TtlDecision::WakeAt(at("2026-01-01T00:01:00Z")));
/// let decision = decide(&job, Source::Cache, at("2026-01-01T00:01:00Z"), &mut ()).unwrap();
/// assert_eq!(decision, TtlDecision::ReadLive);
/// ```
///
/// # Errors
/// When the Job has finished and its condition has no `lastTransitionTime`.
pub fn decide<R: Recorder>(
    job: &Job,
    source: Source,
    now: Timestamp,
    rec: &mut R,
) -> Result<TtlDecision, TtlError> {
    let finished = job.status.finished();
    let ttl_seconds = job.spec.ttl_seconds_after_finished;
    let deleting = job.metadata.is_deleting();
    let applies = ttl_seconds.filter(|_| !deleting).zip(finished);
    rec.note(Rule::TtlDoesNotApply, applies.is_none(), |evidence| {
        evidence.value("metadata.deletionTimestamp", if deleting { "set" } else { "not set" });
        evidence.value(
            "spec.ttlSecondsAfterFinished",
            ttl_seconds.map_or("not set".into(), |s| format!("{s} s")),
        );
        evidence
            .value("status.conditions", finished.map_or("neither Complete nor Failed", |c| c.kind.as_str()));
    });
    let Some((ttl_seconds, finished)) = applies else { return Ok(TtlDecision::Nothing) };
    let finished_at = finish_time(job, finished.last_transition_time, rec)?;
    let expires_at = finished_at.plus_nanos(seconds_to_nanos(ttl_seconds.into()));
    note_skew(finished_at, now, rec);
    let waits = expires_at > now;
    rec.note(Rule::TtlNotExpired, waits, |evidence| {
        evidence
            .value("finished", finished_at)
            .value("spec.ttlSecondsAfterFinished", format!("{ttl_seconds} s"));
        evidence.compared("expires", expires_at, format!("now {now}"));
    });
    if waits {
        return Ok(TtlDecision::WakeAt(expires_at));
    }
    // The live read is the first call of this decision and the deletion the second.
    rec.note_calls(Rule::TtlReadLive, source == Source::Cache, 0..1, |evidence| {
        evidence.value("the Job was read", if source == Source::Cache { "from the cache" } else { "live" });
    });
    if source == Source::Cache {
        return Ok(TtlDecision::ReadLive);
    }
    rec.note_calls(Rule::TtlExpired, true, 1..2, |evidence| {
        evidence.compared("expired", expires_at, format!("now {now}"));
    });
    let meta = &job.metadata;
    let (namespace, name, uid) = (meta.namespace.clone(), meta.name.clone(), meta.uid.clone());
    Ok(TtlDecision::Delete(JobDeletion { namespace, name, uid, expired_at: expires_at }))
}

/// Upstream `jobFinishTime`.
fn finish_time<R: Recorder>(job: &Job, at: Option<Timestamp>, rec: &mut R) -> Result<Timestamp, TtlError> {
    rec.note(Rule::TtlFinishTimeUnknown, at.is_none(), |evidence| {
        evidence.value("lastTransitionTime", at.map_or("not set".into(), |at| format!("{at}")));
    });
    at.ok_or_else(|| {
        let (namespace, name) = (&job.metadata.namespace, &job.metadata.name);
        TtlError { message: format!("unable to find the time when the Job {namespace}/{name} finished") }
    })
}

/// Upstream only warns: the deletion is put off by as much as the clocks differ.
fn note_skew<R: Recorder>(finished_at: Timestamp, now: Timestamp, rec: &mut R) {
    rec.note(Rule::TtlFinishedInFuture, finished_at > now, |evidence| {
        evidence.compared("finished", finished_at, format!("now {now}"));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::{Trace, Verdict};
    use alloc::vec::Vec;
    use serde_json::{Value, json};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(1_767_225_600 + seconds, 0).unwrap()
    }

    fn job(ttl_seconds: Value, condition: &str, finished_at: Value) -> Job {
        let condition = json!({"type": condition, "status": "True", "lastTransitionTime": finished_at});
        let other =
            json!({"type": "FailureTarget", "status": "True", "lastTransitionTime": "2020-01-01T00:00:00Z"});
        let job = json!({
            "metadata": {"name": "j", "namespace": "n", "uid": "u"},
            "spec": {"ttlSecondsAfterFinished": ttl_seconds},
            "status": {"conditions": [other, condition]},
        });
        serde_json::from_value(job).unwrap()
    }

    fn held(job: &Job, source: Source, now: Timestamp) -> (Result<TtlDecision, TtlError>, Vec<Rule>) {
        let mut trace = Trace::default();
        let decision = decide(job, source, now, &mut trace);
        assert_eq!(decision, decide(job, source, now, &mut ()), "tracing changes nothing");
        let held = trace.findings().iter().filter(|f| f.verdict == Verdict::Held).map(|f| f.rule).collect();
        (decision, held)
    }

    #[test]
    fn a_finished_job_is_deleted_after_its_time_to_live() {
        for condition in ["Complete", "Failed"] {
            let job = job(json!(60), condition, json!(at(0)));
            let waits = (Ok(TtlDecision::WakeAt(at(60))), alloc::vec![Rule::TtlNotExpired]);
            assert_eq!(held(&job, Source::Cache, at(59)), waits);
            let (decision, rules) = held(&job, Source::Cache, at(60));
            assert_eq!((decision, rules), (Ok(TtlDecision::ReadLive), alloc::vec![Rule::TtlReadLive]));
            let (decision, rules) = held(&job, Source::LiveRead, at(61));
            let deletion =
                JobDeletion { namespace: "n".into(), name: "j".into(), uid: "u".into(), expired_at: at(60) };
            assert_eq!((decision, rules), (Ok(TtlDecision::Delete(deletion)), alloc::vec![Rule::TtlExpired]));
        }
    }

    #[test]
    fn a_time_to_live_that_was_changed_meanwhile_counts() {
        assert_eq!(
            decide(&job(json!(90), "Complete", json!(at(0))), Source::LiveRead, at(60), &mut ()),
            Ok(TtlDecision::WakeAt(at(90)))
        );
        assert_eq!(
            decide(&job(json!(null), "Complete", json!(at(0))), Source::LiveRead, at(60), &mut ()),
            Ok(TtlDecision::Nothing)
        );
    }

    #[test]
    fn zero_expires_at_once_and_a_negative_one_before_that() {
        let expired =
            |ttl: i32| decide(&job(json!(ttl), "Failed", json!(at(0))), Source::Cache, at(0), &mut ());
        assert_eq!(expired(0), Ok(TtlDecision::ReadLive));
        assert_eq!(expired(-5), Ok(TtlDecision::ReadLive));
        assert_eq!(expired(i32::MAX), Ok(TtlDecision::WakeAt(at(i32::MAX.into()))));
    }

    #[test]
    fn jobs_that_run_or_are_being_deleted_are_left_alone() {
        let nothing = (Ok(TtlDecision::Nothing), alloc::vec![Rule::TtlDoesNotApply]);
        assert_eq!(held(&job(json!(0), "Suspended", json!(at(0))), Source::Cache, at(9)), nothing);
        let mut deleting = job(json!(0), "Complete", json!(at(0)));
        deleting.metadata.deletion_timestamp = Some(at(1));
        assert_eq!(held(&deleting, Source::LiveRead, at(9)), nothing);
    }

    #[test]
    fn an_end_in_the_future_puts_the_deletion_off() {
        let (decision, rules) = held(&job(json!(10), "Complete", json!(at(30))), Source::Cache, at(0));
        assert_eq!(decision, Ok(TtlDecision::WakeAt(at(40))));
        assert_eq!(rules, [Rule::TtlFinishedInFuture, Rule::TtlNotExpired]);
    }

    #[test]
    fn an_end_without_a_time_is_an_error() {
        for time in [json!(null), json!("0001-01-01T00:00:00Z")] {
            let (decision, rules) = held(&job(json!(10), "Complete", time), Source::Cache, at(0));
            assert_eq!(decision.unwrap_err().message, "unable to find the time when the Job n/j finished");
            assert_eq!(rules, [Rule::TtlFinishTimeUnknown]);
        }
    }
}
