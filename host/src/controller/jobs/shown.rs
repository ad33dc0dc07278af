//! What the watches of Jobs and Pods show: who is told, what is lowered, and whom it wakes.

use super::super::Controller;
use super::super::objects::{RawObject, not_understood, slim};
use super::super::orphans::OrphanKey;
use super::super::reflect::Sink;
use super::super::state::{JobEntry, Key, PodRecord, Standing, State, index_child, jobs_in, version_of};
use policy_core::job::{Claim, PodDigester, PodFacts, external_controller};
use policy_core::spec::{JOB_TRACKING_FINALIZER, Job, ObjectMeta, OwnerReference, Pod};
use policy_core::watch::{JobWake, OrphanCheck, PodUpdate, job_updated, pod_applied};
use policy_core::{DigestedEvent, JobMemory};
use serde::Deserialize;
use std::sync::Arc;

/// Shown the Jobs.
pub(in super::super) struct JobSink(pub(in super::super) Arc<Controller>);
/// Shown the Pods.
pub(in super::super) struct PodSink(pub(in super::super) Arc<Controller>);

impl Sink for JobSink {
    fn resource(&self) -> &'static str {
        "jobs"
    }

    fn applied(&self, json: &str) -> Option<Key> {
        match serde_json::from_str::<Job>(json) {
            Ok(job) => Some(job_applied(&self.0, json, job)),
            Err(error) => unreadable_job(&self.0, json, &error),
        }
    }

    fn deleted(&self, json: &str) {
        if let Some(meta) = metadata(json) {
            job_deleted(&self.0, &Key::new(&meta.namespace, &meta.name));
        }
    }

    fn vanished(&self, key: &Key) {
        job_deleted(&self.0, key);
    }

    fn keys(&self) -> Vec<Key> {
        let state = self.0.state();
        state.jobs.iter().filter(|(_, entry)| entry.job.is_some()).map(|(key, _)| key.clone()).collect()
    }

    fn reached(&self, version: &str) {
        let mut state = self.0.state();
        state.jobs_version = state.jobs_version.max(version_of(version));
    }
}

impl Sink for PodSink {
    fn resource(&self) -> &'static str {
        "pods"
    }

    fn applied(&self, json: &str) -> Option<Key> {
        match serde_json::from_str::<Pod>(json) {
            Ok(pod) => Some(pod_shown(&self.0, pod)),
            Err(error) => {
                // A Pod's fields have not changed their types since v1; what cannot be read is left alone.
                tracing::error!(%error, "a Pod cannot be read and is left alone");
                let meta = metadata(json)?;
                Some(Key::new(&meta.namespace, &meta.name))
            }
        }
    }

    fn deleted(&self, json: &str) {
        if let Some(meta) = metadata(json) {
            pod_deleted(&self.0, &Key::new(&meta.namespace, &meta.name));
        }
    }

    fn vanished(&self, key: &Key) {
        pod_deleted(&self.0, key);
    }

    fn keys(&self) -> Vec<Key> {
        self.0.state().pods.keys().cloned().collect()
    }

    fn reached(&self, version: &str) {
        let mut state = self.0.state();
        state.pods_version = state.pods_version.max(version_of(version));
    }
}

/// The metadata of an object.
fn metadata(json: &str) -> Option<ObjectMeta> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Object {
        metadata: ObjectMeta,
    }
    let object: Object = serde_json::from_str(json).unwrap_or_default();
    (!object.metadata.name.is_empty()).then_some(object.metadata)
}

/// A Job that cannot be read is kept by name, so that its Pods are left alone.
fn unreadable_job(controller: &Controller, json: &str, error: &serde_json::Error) -> Option<Key> {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Spec {
        managed_by: Option<String>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Object {
        metadata: ObjectMeta,
        spec: Spec,
    }
    let object: Object = serde_json::from_str(json).unwrap_or_default();
    if object.metadata.name.is_empty() {
        tracing::error!(%error, "a Job cannot be read, not even its name");
        return None;
    }
    let mut job = Job { metadata: object.metadata, ..Job::default() };
    job.spec.managed_by = object.spec.managed_by;
    Some(apply_job(controller, job, None, Some(format!("it cannot be read: {error}"))))
}

fn job_applied(controller: &Controller, json: &str, job: Job) -> Key {
    let why = not_understood(json, &job);
    let raw = RawObject::keep(json).ok();
    apply_job(controller, job, raw, why)
}

/// Upstream `addJob` and `updateJob`.
fn apply_job(controller: &Controller, job: Job, raw: Option<RawObject>, why: Option<String>) -> Key {
    let key = Key::new(&job.metadata.namespace, &job.metadata.name);
    let known = Arc::new(slim(&job));
    let mut state = controller.state();
    let before = state.jobs.get(&key).and_then(|entry| entry.job.clone());
    if before.as_ref().is_some_and(|before| before.metadata.uid != job.metadata.uid) {
        // The deletion was not seen.
        drop(state);
        job_deleted(controller, &key);
        state = controller.state();
    }
    let before = before.filter(|before| before.metadata.uid == job.metadata.uid);
    if before.as_ref().is_some_and(|before| before.metadata.resource_version == job.metadata.resource_version)
    {
        return key;
    }
    let elsewhere = external_controller(&job, &controller.options.settings).map(str::to_string);
    if before.is_none()
        && let Some(name) = elsewhere.as_deref().filter(|_| job.spec.managed_by.is_some())
    {
        controller.metrics.managed_elsewhere(name);
    }
    index_child(&mut state.children, &key, &known, true);
    let standing = match (elsewhere, why) {
        (Some(_), _) => Standing::Elsewhere,
        (None, Some(why)) => Standing::NotUnderstood(why),
        (None, None) => Standing::Ours,
    };
    if before.is_none() && matches!(standing, Standing::NotUnderstood(_)) {
        controller.metrics.not_understood();
    }
    show_job(&mut state, &key, job, raw, &known, standing.clone());
    drop(state);
    if standing != Standing::Elsewhere {
        wake_job(controller, &key, before.as_deref(), &known);
    }
    controller.job_changed(&key, before.as_deref(), &known);
    key
}

fn wake_job(controller: &Controller, key: &Key, before: Option<&Job>, job: &Job) {
    let Some(before) = before else { return controller.job_queue.add(key.clone()) };
    let update = job_updated(before, job);
    match update.wake {
        JobWake::Now => controller.job_queue.add(key.clone()),
        JobWake::Batched => enqueue_batched(controller, key),
        JobWake::OnlyPods => {
            controller
                .orphans
                .add(OrphanKey::Of { namespace: key.namespace.clone(), uid: job.metadata.uid.clone() });
            // What is remembered of it goes.
            enqueue_batched(controller, key);
        }
    }
    if let Some(at) = update.deadline {
        controller.job_queue.add_at_wall(key.clone(), at);
    }
}

/// Takes note of the Job as it is now.
fn show_job(
    state: &mut State,
    key: &Key,
    job: Job,
    raw: Option<RawObject>,
    known: &Arc<Job>,
    standing: Standing,
) {
    let State { jobs, pods, .. } = state;
    let entry = jobs.entry(key.clone()).or_default();
    let is_new = entry.uid() != Some(&job.metadata.uid);
    (entry.job, entry.standing) = (Some(known.clone()), standing);
    if !entry.runs() {
        (entry.fresh, entry.raw, entry.digester) = (None, None, None);
        entry.pending = Vec::new();
        return;
    }
    if is_new {
        let digester = PodDigester::new(&job);
        entry.cache = None;
        entry.pending = candidates(pods, &job, &digester);
        entry.digester = Some(digester);
    }
    (entry.raw, entry.fresh) = (raw.map(Arc::new), Some(Box::new(job)));
    if is_new {
        // From now on they are digested as they come.
        let owned: Vec<Key> = pods.owned_by(&known.metadata.uid).map(|(key, _)| key.clone()).collect();
        for key in owned {
            if let Some(record) = pods.get_mut(&key) {
                record.pod = None;
            }
        }
    }
}

/// The Pods that the watch has shown before the Job: its own, and those that it may adopt; the oldest first.
fn candidates(pods: &super::super::state::Pods, job: &Job, digester: &PodDigester) -> Vec<DigestedEvent> {
    let (uid, namespace) = (&job.metadata.uid, &job.metadata.namespace);
    let known = pods.owned_by(uid).chain(pods.loose_in(namespace));
    let digested = known.filter_map(|(_, record)| Some(digester.digest(record.pod.as_deref()?)));
    let mut digested: Vec<PodFacts> = digested.filter(|facts| facts.claim != Claim::Foreign).collect();
    digested.sort_by(|a, b| a.created_at.cmp(&b.created_at).then_with(|| a.pod.cmp(&b.pod)));
    digested.into_iter().map(DigestedEvent::Applied).collect()
}

/// Upstream `deleteJob`.
fn job_deleted(controller: &Controller, key: &Key) {
    let gone = {
        let mut state = controller.state();
        let State { jobs, children, .. } = &mut *state;
        let Some(entry) = jobs.get_mut(key) else { return };
        let Some(job) = entry.job.take() else { return };
        index_child(children, key, &job, false);
        *entry = JobEntry::default();
        // Finalizers on their way are forgotten by the sync that finds the Job gone.
        entry.memory = JobMemory::default();
        job
    };
    controller.job_queue.add(key.clone());
    let uid = gone.metadata.uid.clone();
    controller.orphans.add(OrphanKey::Of { namespace: key.namespace.clone(), uid });
    controller.job_changed(key, Some(&gone), &gone);
}

/// Whether a Pod is kept: it is a Job's, or has the tracking finalizer, or may be adopted.
fn matters(pod: &Pod, is_tracked: bool) -> bool {
    is_tracked || pod.metadata.controller().is_none_or(|owner| owner.kind == "Job")
}

/// Upstream `addPod` and `updatePod`.
fn pod_shown(controller: &Controller, pod: Pod) -> Key {
    let key = Key::new(&pod.metadata.namespace, &pod.metadata.name);
    let mut state = controller.state();
    let uid: Arc<str> = pod.metadata.uid.as_str().into();
    if state.pods.get(&key).is_some_and(|before| before.uid != uid) {
        // The deletion was not seen.
        drop(state);
        pod_deleted(controller, &key);
        state = controller.state();
    }
    let is_tracked = pod.metadata.has_finalizer(JOB_TRACKING_FINALIZER);
    if !matters(&pod, is_tracked) {
        drop(state);
        pod_deleted(controller, &key);
        return key;
    }
    let record = PodRecord {
        uid,
        version: version_of(&pod.metadata.resource_version),
        owner: pod.metadata.controller().cloned().map(Arc::new),
        is_tracked,
        has_ended: matches!(pod.status.phase.as_str(), "Succeeded" | "Failed"),
        is_deleting: pod.metadata.is_deleting(),
        pod: None,
    };
    let keeps = keeps_whole(&state, &record, &key);
    let seen_with_labels =
        PodRecord { pod: record.owner.is_none().then(|| Box::new(pod.clone())), ..record.clone() };
    let before =
        state.pods.set(&key, PodRecord { pod: keeps.then(|| Box::new(pod.clone())), ..record.clone() });
    count_tracked(controller, before.as_ref(), Some(&record));
    if before.as_ref().is_some_and(|before| before.version == record.version && record.version != 0) {
        return key;
    }
    let update = pod_applied(before.as_ref().map(PodRecord::seen), seen_with_labels.seen());
    tell(controller, &mut state, &key, before.as_ref(), &pod, update);
    key
}

/// Whether a Pod is kept whole, because nobody has digested it.
fn keeps_whole(state: &State, record: &PodRecord, key: &Key) -> bool {
    let Some(owner) = &record.owner else { return true };
    // A Job that is known has digested it, or is not ours, or has finished.
    owner.kind == "Job"
        && state
            .jobs
            .get(&Key { namespace: key.namespace.clone(), name: owner.name.as_str().into() })
            .is_none_or(|entry| entry.uid() != Some(&owner.uid))
}

/// Upstream `recordFinishedPodWithTrackingFinalizer`.
fn count_tracked(controller: &Controller, before: Option<&PodRecord>, after: Option<&PodRecord>) {
    let counts = |record: Option<&PodRecord>| record.is_some_and(PodRecord::is_terminated_and_tracked);
    match (counts(before), counts(after)) {
        (false, true) => controller.metrics.terminated_pod_tracking("add"),
        (true, false) => controller.metrics.terminated_pod_tracking("delete"),
        _ => {}
    }
}

/// Tells those whom a Pod event concerns.
fn tell(
    controller: &Controller,
    state: &mut State,
    key: &Key,
    before: Option<&PodRecord>,
    pod: &Pod,
    update: PodUpdate,
) {
    let uid: Arc<str> = pod.metadata.uid.as_str().into();
    let is_tracked = pod.metadata.has_finalizer(JOB_TRACKING_FINALIZER);
    if update.leaves_old_owner
        && let Some(owner) = before.and_then(|before| before.owner.as_deref())
        && let Some((job_key, entry)) = resolve(state, owner, &key.namespace)
    {
        if !is_tracked {
            entry.memory.finalizers_being_removed.remove(&uid);
        }
        entry.note(DigestedEvent::Deleted(uid.clone()));
        if update.wakes_old_owner {
            enqueue_batched(controller, &job_key);
        }
    }
    let mut owner_runs = false;
    match update.wakes_matching {
        None => {
            if before.is_some_and(|before| before.owner.is_none()) {
                withdraw_from_matching(state, key, &uid);
            }
            if let Some(owner) = pod.metadata.controller() {
                owner_runs = show_to_owner(controller, state, owner, pod, before.is_some());
            }
        }
        Some(wake) => show_to_matching(controller, state, key, pod, wake),
    }
    let orphan = match update.orphan {
        OrphanCheck::Never => false,
        OrphanCheck::UnlessOwnerRuns | OrphanCheck::IfOwnerIsGone => !owner_runs,
        OrphanCheck::Always => true,
    };
    if orphan {
        controller.orphans.add(OrphanKey::Pod(key.clone()));
    }
}

/// Shows a Pod to the Job that controls it, and wakes the Job; whether it is known and runs.
fn show_to_owner(
    controller: &Controller,
    state: &mut State,
    owner: &OwnerReference,
    pod: &Pod,
    is_known: bool,
) -> bool {
    let Some((key, entry)) = resolve(state, owner, &pod.metadata.namespace) else { return false };
    let runs = entry.runs();
    let Some(digester) = entry.digester.as_ref().filter(|_| runs) else {
        return entry.standing != Standing::Ours;
    };
    let facts = digester.digest(pod);
    entry.memory.observe(is_known.then_some(&facts), Some(&facts), false);
    entry.note(DigestedEvent::Applied(facts));
    enqueue_batched(controller, &key);
    true
}

/// Shows a Pod that nobody controls to the Jobs that might adopt it, and wakes them if wanted.
fn show_to_matching(controller: &Controller, state: &mut State, key: &Key, pod: &Pod, wake: bool) {
    for (job_key, entry) in jobs_in(&mut state.jobs, &key.namespace).filter(|(_, entry)| entry.runs()) {
        let Some(digester) = &entry.digester else { continue };
        let facts = digester.digest(pod);
        if facts.claim == Claim::Orphan {
            entry.note(DigestedEvent::Applied(facts));
            if wake {
                enqueue_batched(controller, job_key);
            }
        } else {
            entry.withdraw(&facts.pod.uid().into());
        }
    }
}

fn withdraw_from_matching(state: &mut State, key: &Key, uid: &Arc<str>) {
    for (_, entry) in jobs_in(&mut state.jobs, &key.namespace).filter(|(_, entry)| entry.runs()) {
        entry.withdraw(uid);
    }
}

/// Upstream `deletePod` for the final event.
fn pod_deleted(controller: &Controller, key: &Key) {
    let mut state = controller.state();
    let Some(record) = state.pods.remove(key) else { return };
    count_tracked(controller, Some(&record), None);
    let Some(owner) = &record.owner else { return withdraw_from_matching(&mut state, key, &record.uid) };
    let Some((job_key, entry)) = resolve(&mut state, owner, &key.namespace) else { return };
    if !entry.runs() {
        return;
    }
    entry.memory.observe_gone(&record.uid);
    entry.note(DigestedEvent::Deleted(record.uid.clone()));
    enqueue_batched(controller, &job_key);
}

/// Upstream `resolveControllerRef`: the Job of that name, if it is the one that is meant.
fn resolve<'s>(
    state: &'s mut State,
    owner: &OwnerReference,
    namespace: &str,
) -> Option<(Key, &'s mut JobEntry)> {
    if owner.kind != "Job" {
        return None;
    }
    let key = Key::new(namespace, &owner.name);
    let entry = state.jobs.get_mut(&key)?;
    let is_meant = entry.uid() == Some(&owner.uid);
    is_meant.then_some((key, entry))
}

/// Upstream `enqueueSyncJobBatched`.
fn enqueue_batched(controller: &Controller, key: &Key) {
    controller.job_queue.add_after(key.clone(), controller.options.settings.sync_batch_period_nanos);
}
