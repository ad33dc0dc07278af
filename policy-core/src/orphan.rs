//! When a Pod without a Job to count it loses the tracking finalizer (upstream `handleSingleOrphanPod`).
//!
//! A sync takes finalizers off the Pods of its Job. Pods whose Job is gone or has finished, and Pods that nobody
//! controls any more, are nobody's to sync: their finalizer would hold them for ever.

use crate::Settings;
use crate::explain::{Recorder, Rule};
use crate::job::{PodRef, external_controller};
use crate::spec::{JOB_TRACKING_FINALIZER, Job, OwnerReference, Pod};

/// What to do about a Pod that may be an orphan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrphanDecision {
    /// Nothing: the Pod has no tracking finalizer, or somebody else is to remove it.
    Nothing,
    /// Take the tracking finalizer off the Pod. A Pod that is not there any more needs nothing; any other failure is
    /// tried again after a rate-limited delay.
    RemoveFinalizer(PodRef),
}

/// Decides whether a Pod loses the tracking finalizer as an orphan (upstream `handleSingleOrphanPod`).
///
/// `job` is the Job of the name that the Pod's controller reference gives, in the Pod's namespace; `None` when there is
/// none of that name. Whether it is the one that the reference means is looked at here (upstream
/// `resolveControllerRef`).
///
/// ```
/// use policy_core::orphan::{OrphanDecision, decide};
/// use policy_core::{Settings, spec::Pod};
/// let pod: Pod = serde_json::from_str(r#"{"metadata":{"name":"p","uid":"1",
///     "finalizers":["batch.kubernetes.io/job-tracking"]}}"#).unwrap();
/// let decision = decide(&pod, None, &Settings::DEFAULT, &mut ());
/// assert!(matches!(decision, OrphanDecision::RemoveFinalizer(pod) if pod.name() == "p"));
/// ```
pub fn decide<R: Recorder>(pod: &Pod, job: Option<&Job>, settings: &Settings, rec: &mut R) -> OrphanDecision {
    if let Some(owner) = pod.metadata.controller()
        && is_held(owner, job, settings, rec)
    {
        return OrphanDecision::Nothing;
    }
    let has_finalizer = pod.metadata.has_finalizer(JOB_TRACKING_FINALIZER);
    let calls = 0..u32::from(has_finalizer);
    rec.note_calls(Rule::OrphanFinalizerRemoved, has_finalizer, calls, |evidence| {
        let owner = pod.metadata.controller().map_or("none", |owner| owner.name.as_str());
        evidence.value("the Pod's controller", owner);
        evidence.value("the tracking finalizer is there", has_finalizer);
    });
    if !has_finalizer {
        return OrphanDecision::Nothing;
    }
    OrphanDecision::RemoveFinalizer(PodRef::new(&pod.metadata.name, &pod.metadata.uid))
}

/// Whether the Pod's controller keeps the finalizer where it is.
fn is_held<R: Recorder>(owner: &OwnerReference, job: Option<&Job>, settings: &Settings, rec: &mut R) -> bool {
    let foreign = owner.kind != "Job" || owner.api_version != "batch/v1";
    rec.note(Rule::OrphanOfAnotherKind, foreign, |evidence| {
        evidence.compared(
            "the Pod's controller",
            alloc::format!("{} {}", owner.api_version, owner.kind),
            "batch/v1 Job",
        );
    });
    if foreign {
        return true;
    }
    let job = job.filter(|job| job.metadata.uid == owner.uid);
    let external = job.and_then(|job| external_controller(job, settings));
    rec.note(Rule::OrphanManagedElsewhere, external.is_some(), |evidence| {
        evidence.value("spec.managedBy of the Job", external.unwrap_or("not another controller"));
    });
    if external.is_some() {
        return true;
    }
    let runs = job.is_some_and(|job| job.status.finished().is_none());
    rec.note(Rule::OrphanHasRunningJob, runs, |evidence| {
        let state = match job {
            None => "gone",
            Some(_) if runs => "not finished",
            Some(_) => "finished",
        };
        evidence.value(alloc::format!("job/{}", owner.name), state);
    });
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::{Trace, Verdict};
    use serde_json::{Value, json};

    fn pod(owner: Value) -> Pod {
        let metadata = json!({"name": "p", "uid": "1", "ownerReferences": owner, "finalizers": ["x", JOB_TRACKING_FINALIZER]});
        serde_json::from_value(json!({"metadata": metadata})).unwrap()
    }

    fn owned_by(api_version: &str, kind: &str) -> Value {
        json!([{"apiVersion": api_version, "kind": kind, "name": "j", "uid": "u", "controller": true}])
    }

    fn job(uid: &str, managed_by: Value, condition: &str) -> Job {
        let status = json!({"conditions": [{"type": condition, "status": "True"}]});
        let job = json!({"metadata": {"name": "j", "uid": uid}, "spec": {"managedBy": managed_by}, "status": status});
        serde_json::from_value(job).unwrap()
    }

    /// The rule that decided, and whether the finalizer goes.
    fn decided(pod: &Pod, job: Option<&Job>, settings: &Settings) -> (Option<Rule>, bool) {
        let mut trace = Trace::default();
        let decision = decide(pod, job, settings, &mut trace);
        assert_eq!(decision, decide(pod, job, settings, &mut ()), "tracing changes nothing");
        let held = trace.findings().iter().find(|finding| finding.verdict == Verdict::Held);
        (held.map(|finding| finding.rule), decision != OrphanDecision::Nothing)
    }

    const REMOVED: (Option<Rule>, bool) = (Some(Rule::OrphanFinalizerRemoved), true);

    #[test]
    fn the_finalizer_goes_when_the_job_is_gone_or_has_finished() {
        let pod = pod(owned_by("batch/v1", "Job"));
        let settings = Settings::DEFAULT;
        assert_eq!(decided(&pod, None, &settings), REMOVED);
        assert_eq!(decided(&pod, Some(&job("other", json!(null), "Suspended")), &settings), REMOVED);
        assert_eq!(decided(&pod, Some(&job("u", json!(null), "Complete")), &settings), REMOVED);
        assert_eq!(
            decided(&pod, Some(&job("u", json!("kubernetes.io/job-controller"), "Failed")), &settings),
            REMOVED
        );
        let runs = job("u", json!(null), "Suspended");
        assert_eq!(decided(&pod, Some(&runs), &settings), (Some(Rule::OrphanHasRunningJob), false));
    }

    #[test]
    fn pods_of_others_are_left_alone() {
        let settings = Settings::DEFAULT;
        for (api_version, kind) in [("apps/v1", "ReplicaSet"), ("batch/v2", "Job"), ("batch/v1", "CronJob")] {
            let decision = decided(&pod(owned_by(api_version, kind)), None, &settings);
            assert_eq!(decision, (Some(Rule::OrphanOfAnotherKind), false), "{api_version} {kind}");
        }
        let pod = pod(owned_by("batch/v1", "Job"));
        let elsewhere = job("u", json!("example.com/c"), "Complete");
        assert_eq!(decided(&pod, Some(&elsewhere), &settings), (Some(Rule::OrphanManagedElsewhere), false));
        let mut gate_off = settings.clone();
        gate_off.gates.job_managed_by = false;
        assert_eq!(decided(&pod, Some(&elsewhere), &gate_off), REMOVED);
        // Another Job of that name says nothing about this Pod.
        assert_eq!(decided(&pod, Some(&job("v", json!("example.com/c"), "Suspended")), &settings), REMOVED);
    }

    #[test]
    fn a_pod_that_nobody_controls_loses_it_and_one_without_it_needs_nothing() {
        let mut pod = pod(json!([]));
        assert_eq!(decided(&pod, None, &Settings::DEFAULT), REMOVED);
        pod.metadata.finalizers = alloc::vec!["x".into()];
        assert_eq!(decided(&pod, None, &Settings::DEFAULT), (None, false));
    }
}
