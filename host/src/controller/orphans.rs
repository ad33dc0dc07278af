//! Drives `policy_core::orphan`: Pods that no Job counts lose the tracking finalizer.

use super::Controller;
use super::api::{ApiError, Call};
use super::jobs::finalizer_removal;
use super::queue::Queue;
use super::state::{Key, PodRecord};
use policy_core::Manages;
use policy_core::orphan::{OrphanDecision, decide};
use policy_core::spec::{JOB_TRACKING_FINALIZER, Job, Pod};
use std::sync::Arc;

/// What may be orphaned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum OrphanKey {
    /// A Pod.
    Pod(Key),
    /// The Pods that the Job with this UID controls.
    Of {
        /// Their namespace.
        namespace: Arc<str>,
        /// The UID.
        uid: String,
    },
}

/// The queue of what may be orphaned.
pub(super) type Orphans = Queue<OrphanKey>;

/// Looks at what may be orphaned, for as long as the process runs.
pub(super) async fn work(controller: Arc<Controller>) {
    while let Some(key) = controller.orphans.take().await {
        match look(&controller, &key).await {
            Ok(()) => controller.orphans.done(&key),
            Err(error) => {
                tracing::warn!(?key, %error, "Pods may be orphans and keep the finalizer for now");
                controller.orphans.retry(&key);
            }
        }
    }
}

async fn look(controller: &Controller, key: &OrphanKey) -> Result<(), ApiError> {
    // Pods of one Job share one live read.
    let mut read: Option<(Key, Option<Job>)> = None;
    for (key, record) in candidates(controller, key) {
        let Some(owner) = &record.owner else {
            // Beside the built-in controller, a Pod that nobody controls is the other's.
            if !is_beside(controller) {
                decide_about(controller, &key, &record, None).await?;
            }
            continue;
        };
        let job_key = Key { namespace: key.namespace.clone(), name: owner.name.as_str().into() };
        let known = known_job(controller, &job_key).filter(|job| job.metadata.uid == owner.uid);
        if let Some(job) = known {
            decide_about(controller, &key, &record, Some(&job)).await?;
            continue;
        }
        if is_beside(controller) || owner.kind != "Job" {
            continue;
        }
        if read.as_ref().is_none_or(|(read, _)| *read != job_key) {
            read = Some((job_key.clone(), read_live(controller, &job_key).await?));
        }
        let live = read.as_ref().and_then(|(_, job)| job.as_ref());
        decide_about(controller, &key, &record, live).await?;
    }
    Ok(())
}

fn is_beside(controller: &Controller) -> bool {
    matches!(controller.options.settings.manages, Manages::BesideBuiltIn(_))
}

/// The Pods that are meant and have the finalizer.
fn candidates(controller: &Controller, key: &OrphanKey) -> Vec<(Key, PodRecord)> {
    let state = controller.state();
    let tracked =
        |(key, record): (&Key, &PodRecord)| record.is_tracked.then(|| (key.clone(), record.clone()));
    match key {
        OrphanKey::Pod(key) => {
            state.pods.get(key).and_then(|record| tracked((key, record))).into_iter().collect()
        }
        OrphanKey::Of { uid, .. } => state.pods.owned_by(uid).filter_map(tracked).collect(),
    }
}

fn known_job(controller: &Controller, key: &Key) -> Option<Arc<Job>> {
    controller.state().jobs.get(key)?.job.clone()
}

/// The Job as it is now: the watch may be behind, and a finalizer that is gone does not come back.
async fn read_live(controller: &Controller, key: &Key) -> Result<Option<Job>, ApiError> {
    let path = format!("/apis/batch/v1/namespaces/{}/jobs/{}", key.namespace, key.name);
    match controller.api.call(&Call::get(path)).await {
        Ok(answer) => serde_json::from_slice(&answer).map(Some).map_err(ApiError::unanswered),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

async fn decide_about(
    controller: &Controller,
    key: &Key,
    record: &PodRecord,
    job: Option<&Job>,
) -> Result<(), ApiError> {
    let mut pod = Pod::default();
    pod.metadata.name = (*key.name).into();
    pod.metadata.namespace = (*key.namespace).into();
    pod.metadata.uid = (*record.uid).into();
    pod.metadata.owner_references.extend(record.owner.as_deref().cloned());
    pod.metadata.finalizers.push(JOB_TRACKING_FINALIZER.into());
    let decision = decide(&pod, job, &controller.options.settings, &mut ());
    let OrphanDecision::RemoveFinalizer(pod) = decision else { return Ok(()) };
    if controller.options.dry_run {
        controller.say(&format!("pod/{} in {}: would lose the tracking finalizer", key.name, key.namespace));
        return Ok(());
    }
    if !controller.may_write() {
        return Ok(());
    }
    tracing::info!(pod = %key, "an orphan loses the tracking finalizer");
    let path = format!("/api/v1/namespaces/{}/pods/{}", key.namespace, key.name);
    match controller.api.call(&Call::patch(path, finalizer_removal(pod.uid()))).await {
        // Gone, or another Pod by now.
        Err(error) if error.is_not_found() || error.is_conflict() || error.is_invalid() => Ok(()),
        answer => answer.map(|_| ()),
    }
}
