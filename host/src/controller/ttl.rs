//! Drives `policy_core::ttl`: finished Jobs are deleted when their time to live is over.

use super::Controller;
use super::api::{ApiError, Call};
use super::state::{Key, Standing};
use policy_core::spec::Job;
use policy_core::ttl::{JobDeletion, Source, TtlDecision, decide};
use serde_json::json;
use std::sync::Arc;

/// Delays of retries (client-go `DefaultTypedControllerRateLimiter`).
pub(super) const RETRY_NANOS: (i64, i64) = (5_000_000, 1_000_000_000_000);

/// Upstream `addJob` and `updateJob`: only what has finished and has a time to live is looked at.
pub(super) fn job_changed(controller: &Controller, key: &Key, job: &Job) {
    let applies = job.spec.ttl_seconds_after_finished.is_some() && job.status.finished().is_some();
    if controller.options.ttl && applies && !job.metadata.is_deleting() {
        controller.ttl_queue.add(key.clone());
    }
}

/// Looks at finished Jobs, for as long as the process runs.
pub(super) async fn work(controller: Arc<Controller>) {
    while let Some(key) = controller.ttl_queue.take().await {
        match look(&controller, &key).await {
            Ok(()) => controller.ttl_queue.done(&key),
            Err(error) => {
                tracing::warn!(job = %key, error, "a finished Job is not deleted yet");
                controller.ttl_queue.retry(&key);
            }
        }
    }
}

async fn look(controller: &Controller, key: &Key) -> Result<(), String> {
    let known = {
        let state = controller.state();
        let entry = state.jobs.get(key).filter(|entry| entry.standing == Standing::Ours);
        entry.and_then(|entry| entry.job.clone())
    };
    let Some(job) = known else { return Ok(()) };
    match decide_about(controller, key, &job, Source::Cache)? {
        TtlDecision::ReadLive => {}
        _ => return Ok(()),
    }
    let Some(live) = read(controller, key).await.map_err(|error| error.to_string())? else { return Ok(()) };
    match decide_about(controller, key, &live, Source::LiveRead)? {
        TtlDecision::Delete(deletion) => {
            delete(controller, &deletion).await.map_err(|error| error.to_string())
        }
        _ => Ok(()),
    }
}

fn decide_about(
    controller: &Controller,
    key: &Key,
    job: &Job,
    source: Source,
) -> Result<TtlDecision, String> {
    let decision = decide(job, source, controller.clock.wall(), &mut ()).map_err(|error| error.message)?;
    if let TtlDecision::WakeAt(at) = &decision {
        controller.ttl_queue.add_at_wall(key.clone(), *at);
    }
    Ok(decision)
}

async fn read(controller: &Controller, key: &Key) -> Result<Option<Job>, ApiError> {
    let path = format!("/apis/batch/v1/namespaces/{}/jobs/{}", key.namespace, key.name);
    match controller.api.call(&Call::get(path)).await {
        Ok(answer) => serde_json::from_slice(&answer).map(Some).map_err(ApiError::unanswered),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

async fn delete(controller: &Controller, deletion: &JobDeletion) -> Result<(), ApiError> {
    let JobDeletion { namespace, name, uid, .. } = deletion;
    if controller.options.dry_run {
        controller.say(&format!("job/{name} in {namespace}: would be deleted, its time to live is over"));
        return Ok(());
    }
    if !controller.may_write() {
        return Ok(());
    }
    tracing::info!(job = %format_args!("{namespace}/{name}"), "the time to live is over, deleting");
    let options = json!({
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "propagationPolicy": "Foreground",
        "preconditions": {"uid": uid},
    });
    let path = format!("/apis/batch/v1/namespaces/{namespace}/jobs/{name}");
    match controller.api.call(&Call::delete(path, options.to_string().into_bytes())).await {
        Err(error) if error.is_not_found() => Ok(()),
        answer => answer.map(|_| ()),
    }
}
