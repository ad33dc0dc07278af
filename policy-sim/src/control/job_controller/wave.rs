//! Carries out the calls of a Job's sync.

use super::{CallInfo, Caller, Draft, Due, Key, Reply, Run, Worker, Written, version_of};
use crate::World;
use crate::control::calls::answer_time;
use crate::record::{Of, Verb, Words};
use crate::store::{ApiError, NewPod, create_pod};
use policy_core::job::{Call, PodCreate, PodRef};
use policy_core::spec::{Job, OwnerReference};
use policy_core::step::Outcome;

fn run<'w>(world: &'w World, key: &Key) -> Option<(&'w Job, &'w Run)> {
    let entry = world.control.jobs.entries.get(key)?;
    Some((entry.cache.as_ref()?.job(), entry.run.as_ref()?))
}

/// What faults see of a call.
pub(in crate::control) fn describe(world: &World, key: &Key, place: usize) -> Option<CallInfo> {
    let (_, run) = run(world, key)?;
    // The stored Pod's own text is shared: what is recorded of a call keeps it.
    let name_of = |pod: &PodRef| match world.store.pod_named(&key.0, pod.name()) {
        Some(stored) => stored.name.clone(),
        None => pod.name().into(),
    };
    let (verb, of, name) = match run.calls.get(place)? {
        Call::ReadJob => (Verb::Get, Of::Job, key.1.clone()),
        Call::WriteStatus(_) => (Verb::Update, Of::Job, key.1.clone()),
        // The server has yet to make the name.
        Call::CreatePod(_) => (Verb::Create, Of::Pod, key.1.clone()),
        Call::DeletePod(pod) => (Verb::Delete, Of::Pod, name_of(pod)),
        Call::Adopt(pod) | Call::Release(pod) | Call::RemoveFinalizer(pod) => {
            (Verb::Patch, Of::Pod, name_of(pod))
        }
        _ => return None,
    };
    Some(CallInfo { words: Words::new(verb, of), namespace: key.0.clone(), name })
}

/// Carries a call out.
pub(in crate::control) fn carry_out(world: &mut World, key: &Key, place: usize) -> Result<Reply, ApiError> {
    let gone = || ApiError::internal("nobody waits for this call");
    let (job, run) = run(world, key).ok_or_else(gone)?;
    let call = run.calls.get(place).ok_or_else(gone)?.clone();
    let (namespace, name) = (&*key.0, &*key.1);
    let (now, uid) = (world.now, job.metadata.uid.clone());
    match call {
        Call::ReadJob => {
            let job = world.store.job(namespace, name).cloned();
            job.map(Reply::Job).ok_or_else(|| ApiError::not_found("jobs.batch", name))
        }
        Call::Adopt(pod) => {
            let owner = OwnerReference::controlled_by("batch/v1", "Job", &job.metadata);
            world.store.adopt_pod(namespace, pod.name(), pod.uid(), owner).map(Reply::WrotePod)
        }
        // Without a controller, upstream does not wait to see this write.
        Call::Release(pod) => {
            world.store.release_pod(namespace, pod.name(), pod.uid(), &uid).map(|_| Reply::Done)
        }
        Call::CreatePod(create) => create_one(world, key, &create),
        Call::DeletePod(pod) => {
            world.store.delete_pod(namespace, pod.name(), None, now).map(|()| Reply::Done)
        }
        Call::RemoveFinalizer(pod) => {
            world.store.remove_tracking_finalizer(namespace, pod.name()).map(Reply::WrotePod)
        }
        Call::WriteStatus(status) => {
            let stored = || world.store.job(namespace, name).map(|job| &job.metadata.resource_version);
            let over = world.config.controller.overwrites_status.then(stored).flatten();
            let version = over.unwrap_or(&run.version).clone();
            world.store.write_job_status(namespace, name, &version, &status).map(Reply::Job)
        }
        _ => Err(ApiError::internal("this call is not known")),
    }
}

fn create_one(world: &mut World, key: &Key, create: &PodCreate) -> Result<Reply, ApiError> {
    let gone = || ApiError::internal("nobody waits for this call");
    let entry = world.control.jobs.entries.get_mut(key).ok_or_else(gone)?;
    let job = entry.cache.as_ref().ok_or_else(gone)?.job();
    if !entry.draft.as_ref().is_some_and(|draft| draft.is_of(job)) {
        entry.draft = Some(Draft::new(job));
    }
    let draft = entry.draft.as_ref().ok_or_else(gone)?;
    let new = NewPod {
        namespace: key.0.clone(),
        name: "".into(),
        generate_name: draft.core.generate_name(create),
        base: draft.base.clone(),
        owners: draft.owners.clone(),
        finalizers: draft.finalizers.clone(),
        index: create.index,
        index_failures: create.index_failures,
    };
    let pod = create_pod(&mut world.store, new, world.now)?;
    Ok(Reply::CreatedPod(pod.name.clone(), pod.resource_version))
}

/// A call was answered; after the last of a wave the sync goes on.
pub(in crate::control) fn answered(
    world: &mut World,
    key: Key,
    place: usize,
    result: Result<Reply, ApiError>,
) {
    let Some(entry) = world.control.jobs.entries.get_mut(&key) else { return };
    let (Some(run), Some(cache)) = (&mut entry.run, &entry.cache) else { return };
    let is_read = matches!(run.calls.get(place), Some(Call::ReadJob));
    let uid = cache.job().metadata.uid.as_str();
    let outcome = match result {
        Err(error) => Outcome::Failed(error.to_call_error()),
        Ok(Reply::Job(job)) if is_read => Outcome::Read {
            uid: job.metadata.uid.clone(),
            deletion_timestamp: job.metadata.deletion_timestamp,
        },
        Ok(Reply::Job(job)) => {
            run.version = job.metadata.resource_version.clone();
            note_written(&mut entry.written, uid, version_of(&run.version), 0);
            Outcome::done()
        }
        Ok(Reply::CreatedPod(name, version)) => {
            note_written(&mut entry.written, uid, 0, version);
            Outcome::Done { name: (*name).into() }
        }
        Ok(Reply::WrotePod(version)) => {
            note_written(&mut entry.written, uid, 0, version);
            Outcome::done()
        }
        Ok(_) => Outcome::done(),
    };
    if let Some(slot) = run.outcomes.get_mut(place) {
        *slot = Some(outcome);
    }
    run.unanswered = run.unanswered.saturating_sub(1);
    if run.unanswered == 0 {
        let (at, epoch) = (answer_time(world), world.control.epoch);
        world.plan_control(at, Due::Answered(epoch, Worker::Job(key)));
    }
}

/// Remembers the versions of own writes (upstream `consistencyStore.WroteAt`).
fn note_written(written: &mut Option<Written>, uid: &str, job: u64, pod: u64) {
    match written.as_mut().filter(|written| written.uid == uid) {
        Some(written) => (written.job, written.pod) = (written.job.max(job), written.pod.max(pod)),
        None => *written = Some(Written { uid: uid.into(), job, pod }),
    }
}

/// The calls that have not reached the server.
pub(in crate::control) fn under_way(world: &World) -> Vec<Caller> {
    let mut callers = Vec::new();
    for (key, entry) in world.control.jobs.entries.iter() {
        let outcomes = entry.run.iter().flat_map(|run| run.outcomes.iter().enumerate());
        let open = outcomes.filter(|(_, outcome)| outcome.is_none());
        callers.extend(open.map(|(place, _)| Caller::Job(key.clone(), place)));
    }
    callers
}
