//! What a watch event means: who is told of a Pod, who is woken, and when (upstream's event handlers).
//!
//! A driver looks the named objects up and carries the answer out; what the events lower in a Job's memory is
//! [`JobMemory::observe`](crate::JobMemory::observe).

use crate::spec::{Job, OwnerReference, StringMap};
use crate::{Timestamp, seconds_to_nanos};

/// When a Job that has changed is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobWake {
    /// At once (upstream `enqueueSyncJobImmediately`).
    Now,
    /// After the batch period (upstream `enqueueSyncJobBatched`).
    Batched,
    /// Not at all: it has finished, and only its Pods are looked at for finalizers (upstream `enqueueLabelSelector`).
    OnlyPods,
}

/// What a changed Job means for the work queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobUpdate {
    /// When to look at it.
    pub wake: JobWake,
    /// When its changed `spec.activeDeadlineSeconds` will be over, to look again then.
    pub deadline: Option<Timestamp>,
}

/// Decides when a Job that has changed is looked at (upstream `updateJob`): at once if its spec has changed.
pub fn job_updated(before: &Job, after: &Job) -> JobUpdate {
    if after.status.finished().is_some() {
        return JobUpdate { wake: JobWake::OnlyPods, deadline: None };
    }
    let same_spec = before.metadata.generation == after.metadata.generation;
    let deadline_seconds = after.spec.active_deadline_seconds;
    let changed = deadline_seconds.filter(|_| before.spec.active_deadline_seconds != deadline_seconds);
    let deadline = after.status.start_time.zip(changed);
    JobUpdate {
        wake: if same_spec { JobWake::Batched } else { JobWake::Now },
        deadline: deadline.map(|(start, seconds)| start.plus_nanos(seconds_to_nanos(seconds))),
    }
}

/// What decides whom a Pod event concerns.
#[derive(Clone, Copy, Debug)]
pub struct PodSeen<'a> {
    /// The reference to its controller.
    pub controller: Option<&'a OwnerReference>,
    /// Its labels; for a Pod with a controller they need not be known.
    pub labels: &'a StringMap,
    /// Whether it has the tracking finalizer.
    pub is_tracked: bool,
    /// Whether its deletion was asked for.
    pub is_deleting: bool,
}

/// Whom a Pod event concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PodUpdate {
    /// It has left the controller that it had before, which no longer sees it.
    pub leaves_old_owner: bool,
    /// That one is woken, too.
    pub wakes_old_owner: bool,
    /// Whether Jobs that might adopt it are woken; `None` when it is shown to its controller instead.
    pub wakes_matching: Option<bool>,
    /// Whether it is looked at as an orphan, see [`crate::orphan`].
    pub orphan: OrphanCheck,
}

/// Whether a Pod is looked at as an orphan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrphanCheck {
    /// No.
    Never,
    /// If its controller is not a Job that is known and runs.
    UnlessOwnerRuns,
    /// As before, but upstream does not ask: the Job may have been deleted while no controller ran, or the watch of
    /// Jobs may be late. A driver that looks has to confirm by a live read that the Job is gone.
    IfOwnerIsGone,
    /// Yes.
    Always,
}

/// Decides whom a Pod that was added or changed concerns (upstream `addPod`, `updatePod`, `deletePod`); `before` is
/// the Pod as it was known, if it was.
pub fn pod_applied(before: Option<PodSeen<'_>>, after: PodSeen<'_>) -> PodUpdate {
    let moved = before.is_some_and(|before| before.controller != after.controller);
    let left = moved && before.is_some_and(|before| before.controller.is_some());
    let relabelled = before.is_none_or(|before| before.labels != after.labels);
    let orphan = match after.controller {
        _ if !after.is_tracked => OrphanCheck::Never,
        None => OrphanCheck::Always,
        Some(_) if after.is_deleting => OrphanCheck::UnlessOwnerRuns,
        Some(_) if before.is_none() => OrphanCheck::IfOwnerIsGone,
        Some(_) => OrphanCheck::Never,
    };
    let wakes_matching = after.controller.is_none().then_some(!after.is_deleting && (moved || relabelled));
    PodUpdate { leaves_old_owner: left, wakes_old_owner: left && !after.is_deleting, wakes_matching, orphan }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn seen<'a>(controller: Option<&'a OwnerReference>, labels: &'a StringMap) -> PodSeen<'a> {
        PodSeen { controller, labels, is_tracked: true, is_deleting: false }
    }

    #[test]
    fn a_pod_without_a_controller_wakes_who_might_adopt_it_when_it_is_new_or_changed() {
        let (labels, others) = (StringMap::new(), StringMap::from([("a".into(), "b".into())]));
        let orphan = seen(None, &labels);
        assert_eq!(pod_applied(None, orphan).wakes_matching, Some(true));
        assert_eq!(pod_applied(Some(orphan), orphan).wakes_matching, Some(false));
        assert_eq!(pod_applied(Some(seen(None, &others)), orphan).wakes_matching, Some(true));
        assert_eq!(pod_applied(None, PodSeen { is_deleting: true, ..orphan }).wakes_matching, Some(false));
        assert_eq!(pod_applied(None, orphan).orphan, OrphanCheck::Always);
    }

    #[test]
    fn a_pod_that_changes_hands_concerns_both() {
        let labels = StringMap::new();
        let owner = OwnerReference { uid: "u".into(), ..OwnerReference::default() };
        let owned = seen(Some(&owner), &labels);
        let update = pod_applied(Some(owned), seen(None, &labels));
        assert!(update.leaves_old_owner && update.wakes_old_owner);
        assert_eq!(update.wakes_matching, Some(true));
        let update = pod_applied(Some(owned), owned);
        assert_eq!((update.leaves_old_owner, update.wakes_matching), (false, None));
        assert_eq!(update.orphan, OrphanCheck::Never);
        let deleting = PodSeen { is_deleting: true, ..owned };
        assert_eq!(pod_applied(Some(owned), deleting).orphan, OrphanCheck::UnlessOwnerRuns);
        assert_eq!(pod_applied(None, owned).orphan, OrphanCheck::IfOwnerIsGone);
    }

    #[test]
    fn a_changed_spec_wakes_a_job_at_once_and_a_changed_deadline_later_too() {
        let job = |generation: i64, deadline: Option<i64>, condition: &str| -> Job {
            serde_json::from_value(json!({
                "metadata": {"generation": generation}, "spec": {"activeDeadlineSeconds": deadline},
                "status": {"startTime": "2026-01-01T00:00:00Z", "conditions": [{"type": condition, "status": "True"}]},
            }))
            .unwrap()
        };
        let before = job(1, None, "Suspended");
        assert_eq!(job_updated(&before, &before).wake, JobWake::Batched);
        let update = job_updated(&before, &job(2, Some(60), "Suspended"));
        let deadline = Timestamp::parse("2026-01-01T00:01:00Z").unwrap();
        assert_eq!(update, JobUpdate { wake: JobWake::Now, deadline: Some(deadline) });
        assert_eq!(job_updated(&before, &job(2, Some(60), "Complete")).wake, JobWake::OnlyPods);
    }
}
