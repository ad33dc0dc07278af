//! Drives `policy_core::cron`: cache, queue and waves of CronJobs. It decides nothing.

use super::Controller;
use super::api::{ApiError, Call as ApiCall};
use super::events::Subject;
use super::objects::RawObject;
use super::reflect::Sink;
use super::state::{CronJobEntry, Key, version_of};
use policy_core::cron::{self, Call, ChildJob, CronJobView, Finished, LiveObjects, OnUpdate, Outcome, Step};
use policy_core::spec::{CronJob, CronJobStatus, Job, ObjectMeta};
use policy_core::step::CallError;
use policy_sim::zones::TzDatabase;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// The component that events name.
const COMPONENT: &str = "cronjob-controller";
/// The least time between two syncs that follow at once: an exhausted schedule asks for the next sync in the past, and
/// where upstream goes round and round, others shall have their turn.
const SHORTEST_REQUEUE_NANOS: i64 = 1_000_000_000;

/// Shown the CronJobs.
pub(super) struct CronJobSink(pub(super) Arc<Controller>);

impl Sink for CronJobSink {
    fn resource(&self) -> &'static str {
        "cronjobs"
    }

    fn applied(&self, json: &str) -> Option<Key> {
        let read =
            serde_json::from_str::<CronJob>(json).and_then(|cron_job| Ok((cron_job, RawObject::keep(json)?)));
        match read {
            Ok((cron_job, raw)) => Some(applied(&self.0, cron_job, raw)),
            Err(error) => {
                tracing::error!(%error, "a CronJob cannot be read and is left alone");
                None
            }
        }
    }

    fn deleted(&self, json: &str) {
        if let Ok(cron_job) = serde_json::from_str::<CronJob>(json) {
            self.vanished(&Key::new(&cron_job.metadata.namespace, &cron_job.metadata.name));
        }
    }

    fn vanished(&self, key: &Key) {
        self.0.state().cron_jobs.remove(key);
        self.0.cron_job_queue.add(key.clone());
    }

    fn keys(&self) -> Vec<Key> {
        self.0.state().cron_jobs.keys().cloned().collect()
    }

    fn reached(&self, _: &str) {}
}

fn applied(controller: &Controller, cron_job: CronJob, raw: RawObject) -> Key {
    let key = Key::new(&cron_job.metadata.namespace, &cron_job.metadata.name);
    let cron_job = Arc::new(cron_job);
    let before = {
        let mut state = controller.state();
        let before = state.cron_jobs.remove(&key);
        let before = before.filter(|before| before.cron_job.metadata.uid == cron_job.metadata.uid);
        let written = before.as_ref().map_or(0, |before| before.written);
        let entry = CronJobEntry { cron_job: cron_job.clone(), raw: Arc::new(raw), written };
        state.cron_jobs.insert(key.clone(), entry);
        before.map(|before| before.cron_job)
    };
    let Some(before) = before else {
        controller.cron_job_queue.add(key.clone());
        return key;
    };
    if version_of(&before.metadata.resource_version) == version_of(&cron_job.metadata.resource_version) {
        return key;
    }
    match cron::on_update(&before, &cron_job, controller.clock.wall(), TzDatabase::shared()) {
        OnUpdate::Sync => controller.cron_job_queue.add(key.clone()),
        OnUpdate::SyncAfter { delay_nanos } => controller.cron_job_queue.add_after(key.clone(), delay_nanos),
        OnUpdate::Report(event) => controller.recorder.publish(COMPONENT, &subject(&cron_job), [event]),
    }
    key
}

/// A Job has changed (upstream `addJob`, `updateJob`, `deleteJob`): its CronJob is woken, and the one that it left.
pub(super) fn job_changed(controller: &Controller, before: Option<&Job>, job: &Job) {
    if !controller.options.all {
        return;
    }
    for metadata in before.map(|before| &before.metadata).into_iter().chain([&job.metadata]) {
        let Some(owner) = metadata.controller().filter(|owner| owner.kind == "CronJob") else { continue };
        let key = Key::new(&metadata.namespace, &owner.name);
        let known = controller.state().cron_jobs.get(&key).map(|entry| entry.cron_job.metadata.uid.clone());
        if known.is_some_and(|uid| uid == owner.uid) {
            controller.cron_job_queue.add(key);
        }
    }
}

fn subject(cron_job: &CronJob) -> Subject {
    let meta = &cron_job.metadata;
    Subject {
        kind: "CronJob",
        namespace: meta.namespace.as_str().into(),
        name: meta.name.as_str().into(),
        uid: meta.uid.clone(),
        resource_version: meta.resource_version.clone(),
    }
}

/// Takes CronJobs from the queue, for as long as the process runs.
pub(super) async fn work(controller: Arc<Controller>) {
    while let Some(key) = controller.cron_job_queue.take().await {
        if sync(&controller, &key).await {
            controller.cron_job_queue.retry(&key);
        } else {
            controller.cron_job_queue.done(&key);
        }
    }
}

/// Syncs a CronJob; returns whether to try again after a rate-limited delay.
async fn sync(controller: &Controller, key: &Key) -> bool {
    let Some((entry, jobs)) = take(controller, key) else { return false };
    let children: Vec<ChildJob<'_>> = jobs.iter().map(|job| ChildJob::from(&**job)).collect();
    let view = CronJobView { cron_job: &entry.cron_job, jobs: &children };
    let (zones, subject) = (TzDatabase::shared(), subject(&entry.cron_job));
    if controller.options.dry_run {
        dry_run(controller, key, view);
        return false;
    }
    let mut step = cron::begin(view, controller.clock.wall(), zones, &mut ());
    loop {
        match step {
            Step::Finished(finished) => {
                controller.recorder.publish(COMPONENT, &subject, finished.events.iter().cloned());
                return finish(controller, key, &finished);
            }
            Step::Wave(wave, paused) => {
                if !controller.may_write() {
                    return false;
                }
                controller.recorder.publish(COMPONENT, &subject, wave.events);
                let mut outcomes = Vec::with_capacity(wave.calls.len());
                for call in &wave.calls {
                    outcomes.push(make(controller, key, &entry, call).await);
                }
                if controller.is_stopping() {
                    return false;
                }
                step = paused.resume(view, outcomes, controller.clock.wall(), zones, &mut ());
            }
        }
    }
}

/// The CronJob and the Jobs that it controls; none while the watch has not shown the last own write, which wakes the
/// CronJob when it comes. Upstream does not wait: it then looks for Jobs in its list that it has just deleted, tells of
/// them as missing, and its write conflicts.
fn take(controller: &Controller, key: &Key) -> Option<(CronJobEntry, Vec<Arc<Job>>)> {
    let state = controller.state();
    let entry = state.cron_jobs.get(key).filter(|entry| !entry.is_stale())?.clone();
    let children = state.children.get(&entry.cron_job.metadata.uid);
    let jobs = children.into_iter().flatten().filter_map(|key| state.jobs.get(key)?.job.clone()).collect();
    Some((entry, jobs))
}

fn finish(controller: &Controller, key: &Key, finished: &Finished) -> bool {
    if let Some(nanos) = finished.creation_skew_nanos {
        controller.metrics.creation_skew(nanos as f64 / 1e9);
    }
    if let Some(error) = &finished.error {
        tracing::warn!(cronjob = %key, %error, "the sync failed and is tried again");
        return true;
    }
    if let Some(requeue) = finished.requeue {
        let delay_nanos = if requeue.after_nanos > 0 { requeue.after_nanos } else { SHORTEST_REQUEUE_NANOS };
        controller.cron_job_queue.add_after(key.clone(), delay_nanos);
    }
    false
}

/// Makes a call.
async fn make(controller: &Controller, key: &Key, entry: &CronJobEntry, call: &Call) -> Outcome {
    let job_path = |namespace: &str, name: &str| format!("/apis/batch/v1/namespaces/{namespace}/jobs/{name}");
    let cron_job_path =
        |namespace: &str, name: &str| format!("/apis/batch/v1/namespaces/{namespace}/cronjobs/{name}");
    let made = match call {
        Call::GetJob { namespace, name } => controller
            .api
            .call(&ApiCall::get(job_path(namespace, name)))
            .await
            .and_then(|answer| job_of(&answer)),
        Call::GetCronJob { namespace, name } => {
            let answer = controller.api.call(&ApiCall::get(cron_job_path(namespace, name))).await;
            answer.and_then(|answer| {
                let read = serde_json::from_slice(&answer).map_err(ApiError::unanswered)?;
                Ok(Outcome::CronJob(Box::new(read)))
            })
        }
        Call::DeleteJob { namespace, name } => {
            let options =
                json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"});
            let call = ApiCall::delete(job_path(namespace, name), options.to_string().into_bytes());
            controller.api.call(&call).await.map(|_| Outcome::Done)
        }
        Call::CreateJob { namespace, job } => create_job(controller, namespace, job).await,
        Call::UpdateStatus(status) => write_status(controller, key, entry, status).await,
    };
    made.unwrap_or_else(|error| {
        tracing::debug!(cronjob = %key, ?call, %error, "a call failed");
        let CallError { kind, message } = error.to_call_error();
        Outcome::Failed(CallError { kind, message })
    })
}

async fn create_job(
    controller: &Controller,
    namespace: &str,
    job: &cron::NewJob,
) -> Result<Outcome, ApiError> {
    let mut body = serde_json::to_value(job).map_err(ApiError::unanswered)?;
    if let Some(body) = body.as_object_mut() {
        body.insert("apiVersion".into(), "batch/v1".into());
        body.insert("kind".into(), "Job".into());
    }
    let path = format!("/apis/batch/v1/namespaces/{namespace}/jobs");
    let answer = controller.api.call(&ApiCall::post(path, body.to_string().into_bytes())).await?;
    job_of(&answer)
}

fn job_of(answer: &[u8]) -> Result<Outcome, ApiError> {
    metadata_of(answer).map(|metadata| Outcome::Job(Box::new(metadata)))
}

fn metadata_of(answer: &[u8]) -> Result<ObjectMeta, ApiError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Object {
        metadata: ObjectMeta,
    }
    let object: Object = serde_json::from_slice(answer).map_err(ApiError::unanswered)?;
    Ok(object.metadata)
}

async fn write_status(
    controller: &Controller,
    key: &Key,
    entry: &CronJobEntry,
    status: &CronJobStatus,
) -> Result<Outcome, ApiError> {
    let body = entry.raw.with_cron_job_status(status).map_err(ApiError::unanswered)?;
    let path = format!("/apis/batch/v1/namespaces/{}/cronjobs/{}/status", key.namespace, key.name);
    let answer = controller.api.call(&ApiCall::put(path, body)).await?;
    let written = metadata_of(&answer)?;
    let mut state = controller.state();
    let known = state.cron_jobs.get_mut(key);
    if let Some(known) = known.filter(|known| known.cron_job.metadata.uid == written.uid) {
        known.written = known.written.max(version_of(&written.resource_version));
    }
    Ok(Outcome::Done)
}

/// Says what would be done if every call went well.
fn dry_run(controller: &Controller, key: &Key, view: CronJobView<'_>) {
    let live = LiveObjects::new(Some(view.cron_job), view.jobs.iter().map(|job| job.metadata).collect());
    let plan = cron::decide(view, live, controller.clock.wall(), TzDatabase::shared(), &mut ());
    for (call, _) in &plan.calls {
        let what = match call {
            Call::GetJob { .. } | Call::GetCronJob { .. } => continue,
            Call::DeleteJob { name, .. } => format!("delete job/{name}"),
            Call::CreateJob { job, .. } => format!("create job/{}", job.metadata.name),
            Call::UpdateStatus(status) => {
                format!("write status {}", serde_json::to_string(status).unwrap_or_default())
            }
        };
        controller.say(&format!("cronjob/{} in {}: would {what}", key.name, key.namespace));
    }
    if let Some(requeue) = plan.finished.requeue.filter(|requeue| requeue.after_nanos > 0) {
        controller.cron_job_queue.add_after(key.clone(), requeue.after_nanos);
    }
}
