//! The calls of a Job's sync.

use super::super::Controller;
use super::super::api::{ApiError, Call as ApiCall};
use super::super::objects::RawObject;
use super::super::state::version_of;
use super::wave::Run;
use super::{Context, Key};
use policy_core::job::{Call, PodRef};
use policy_core::spec::{JOB_TRACKING_FINALIZER, JobStatus, ObjectMeta};
use policy_core::step::Outcome;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// The part of an answer that says what was written.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Written {
    metadata: ObjectMeta,
}

fn pod_path(namespace: &str, name: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/pods/{name}")
}

fn job_path(key: &Key) -> String {
    format!("/apis/batch/v1/namespaces/{}/jobs/{}", key.namespace, key.name)
}

/// Makes a call other than a status write.
pub(super) async fn make(controller: &Controller, context: &Context, call: &Call) -> Outcome {
    let namespace = &*context.key.namespace;
    let made = match call {
        Call::ReadJob => read_job(controller, context).await,
        Call::CreatePod(create) => {
            let body = context.draft().pod(create).to_string().into_bytes();
            let call = ApiCall::post(format!("/api/v1/namespaces/{namespace}/pods"), body).for_metadata();
            wrote_pod(controller, context, &call).await
        }
        Call::DeletePod(pod) => delete_pod(controller, namespace, pod).await,
        Call::Adopt(pod) => {
            let call = ApiCall::patch(pod_path(namespace, pod.name()), adoption(context, pod)).for_metadata();
            wrote_pod(controller, context, &call).await
        }
        Call::Release(pod) => {
            let call = ApiCall::patch(pod_path(namespace, pod.name()), release(context, pod));
            match controller.api.call(&call).await {
                // Upstream `ReleasePod`: it has no owner any more, or is another Pod of that name.
                Err(error) if error.is_invalid() => Ok(Outcome::done()),
                answer => answer.map(|_| Outcome::done()),
            }
        }
        Call::RemoveFinalizer(pod) => {
            let call = ApiCall::patch(pod_path(namespace, pod.name()), finalizer_removal(pod.uid()));
            let call = call.for_metadata();
            wrote_pod(controller, context, &call).await
        }
        _ => Err(ApiError::unanswered("this call is not known")),
    };
    made.unwrap_or_else(|error| {
        tracing::debug!(job = %context.key, ?call, %error, "a call failed");
        Outcome::Failed(error.to_call_error())
    })
}

async fn read_job(controller: &Controller, context: &Context) -> Result<Outcome, ApiError> {
    let answer = controller.api.call(&ApiCall::get(job_path(&context.key))).await?;
    let read: Written = serde_json::from_slice(&answer).map_err(ApiError::unanswered)?;
    Ok(Outcome::Read { uid: read.metadata.uid, deletion_timestamp: read.metadata.deletion_timestamp })
}

/// Upstream `RealPodControl.DeletePod` leaves the propagation to the server, which for Pods is Background; a policy
/// that is not named could be read as orphaning by an admission plugin of another mind.
async fn delete_pod(controller: &Controller, namespace: &str, pod: &PodRef) -> Result<Outcome, ApiError> {
    let options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"});
    let call = ApiCall::delete(pod_path(namespace, pod.name()), options.to_string().into_bytes());
    controller.api.call(&call).await.map(|_| Outcome::done())
}

/// Creates or changes a Pod, and remembers the version it then has (upstream `RealPodControl.OnWrite`).
async fn wrote_pod(controller: &Controller, context: &Context, call: &ApiCall) -> Result<Outcome, ApiError> {
    let answer = controller.api.call(call).await?;
    let written: Written = serde_json::from_slice(&answer).map_err(ApiError::unanswered)?;
    note_written(controller, context, 0, version_of(&written.metadata.resource_version));
    Ok(Outcome::Done { name: written.metadata.name })
}

fn note_written(controller: &Controller, context: &Context, job: u64, pod: u64) {
    let mut state = controller.state();
    let entry = state.jobs.get_mut(&context.key);
    if let Some(entry) = entry.filter(|entry| entry.uid() == Some(&context.uid)) {
        entry.note_written(&context.uid, job, pod);
    }
}

/// Writes the status over the version that was decided about; a conflict means that somebody has written meanwhile.
pub(super) async fn write_status(controller: &Controller, run: &mut Run, status: &JobStatus) -> Outcome {
    let written = async {
        let body = run.raw.with_job_status(status).map_err(ApiError::unanswered)?;
        let path = format!("{}/status", job_path(&run.context.key));
        let answer = controller.api.call(&ApiCall::put(path, body)).await?;
        let text = std::str::from_utf8(&answer).map_err(ApiError::unanswered)?;
        let written: Written = serde_json::from_str(text).map_err(ApiError::unanswered)?;
        let raw = RawObject::keep(text).map_err(ApiError::unanswered)?;
        Ok::<_, ApiError>((written.metadata, raw))
    };
    match written.await {
        Ok((metadata, raw)) => {
            run.raw = Arc::new(raw);
            note_written(controller, &run.context, version_of(&metadata.resource_version), 0);
            Outcome::done()
        }
        Err(error) => Outcome::Failed(error.to_call_error()),
    }
}

/// Upstream `ownerRefControllerPatch`.
fn adoption(context: &Context, pod: &PodRef) -> Vec<u8> {
    let owner = json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": &*context.key.name,
        "uid": context.uid,
        "controller": true,
        "blockOwnerDeletion": true,
    });
    let metadata = json!({
        "uid": pod.uid(),
        "ownerReferences": [owner],
        "finalizers": [JOB_TRACKING_FINALIZER],
    });
    to_patch(metadata)
}

/// Upstream `GenerateDeleteOwnerRefStrategicMergeBytes`.
fn release(context: &Context, pod: &PodRef) -> Vec<u8> {
    let metadata = json!({
        "uid": pod.uid(),
        "ownerReferences": [{"$patch": "delete", "uid": context.uid}],
        "$deleteFromPrimitiveList/finalizers": [JOB_TRACKING_FINALIZER],
    });
    to_patch(metadata)
}

/// Takes the tracking finalizer off a Pod, and no other one (upstream `removeTrackingFinalizerPatch`). The UID is a
/// precondition: another Pod of that name is not meant.
pub(in super::super) fn finalizer_removal(uid: &str) -> Vec<u8> {
    to_patch(json!({"uid": uid, "$deleteFromPrimitiveList/finalizers": [JOB_TRACKING_FINALIZER]}))
}

fn to_patch(metadata: Value) -> Vec<u8> {
    json!({"metadata": metadata}).to_string().into_bytes()
}
