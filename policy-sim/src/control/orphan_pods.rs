//! Drives `policy_core::orphan`: Pods that no Job counts lose the tracking finalizer.

use super::calls::{self, Caller, Reply};
use super::fault::CallInfo;
use super::informer::Key;
use super::{Due, Timer};
use crate::World;
use crate::config::ControllerConfig;
use crate::map::Set;
use crate::object::{Pod, PodId};
use crate::queue::WorkQueue;
use crate::record::{Of, Verb, Words};
use crate::store::ApiError;
use policy_core::orphan::{OrphanDecision, decide};
use policy_core::spec::{JOB_TRACKING_FINALIZER, Job, LabelSelector, Selector};
use std::sync::Arc;

/// What may be orphaned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum OrphanKey {
    /// A Pod.
    Pod(PodId),
    /// The Pods of a namespace that a selector, written as JSON, selects.
    Selected(Arc<str>, String),
}

impl OrphanKey {
    /// The Pods that a Job selects.
    pub(super) fn selected(job: &Job) -> Self {
        let selector = serde_json::to_string(&job.spec.selector).unwrap_or_default();
        OrphanKey::Selected(job.metadata.namespace.as_str().into(), selector)
    }
}

/// The orphans' queue.
#[derive(Clone, Debug)]
pub(crate) struct OrphanPods {
    pub(super) queue: WorkQueue<OrphanKey>,
    /// Pods whose finalizer is being removed.
    under_way: Set<PodId>,
}

impl OrphanPods {
    pub(super) fn new(config: &ControllerConfig) -> Self {
        let queue = WorkQueue::new(config.api_backoff_nanos, config.api_backoff_max_nanos);
        OrphanPods { queue, under_way: Set::default() }
    }
}

pub(super) fn enqueue(world: &mut World, key: OrphanKey) {
    world.control.orphans.queue.add(key);
}

/// Decides about what is in the queue. Removals of finalizers are on their way when a key is done.
pub(super) fn work(world: &mut World) {
    while let Some(key) = world.control.orphans.queue.take() {
        for pod in candidates(world, &key) {
            let namespace = pod.namespace.clone();
            let owner = pod.owners.iter().find(|owner| owner.is_controller());
            let job_key: Option<Key> = owner.map(|owner| (namespace, owner.name.as_str().into()));
            let job = job_key.and_then(|key| world.control.informer.jobs.get(&key));
            let settings = &world.config.controller.settings;
            if let OrphanDecision::RemoveFinalizer(_) =
                decide(&pod.to_spec(), job.map(|j| &**j), settings, &mut ())
            {
                world.control.orphans.under_way.insert(pod.id);
                calls::send(world, Caller::Orphan(OrphanKey::Pod(pod.id), pod.id));
            }
        }
        world.control.orphans.queue.done(&key);
    }
}

fn candidates(world: &World, key: &OrphanKey) -> Vec<Arc<Pod>> {
    let tracked = |pod: &&Arc<Pod>| pod.finalizers.iter().any(|f| &**f == JOB_TRACKING_FINALIZER);
    match key {
        OrphanKey::Pod(id) => world.control.informer.pod(*id).filter(tracked).cloned().into_iter().collect(),
        OrphanKey::Selected(namespace, selector) => {
            let selector: Option<LabelSelector> = serde_json::from_str(selector).unwrap_or_default();
            let Ok(selector) = Selector::new(selector.as_ref()) else { return Vec::new() };
            let pods = world.control.informer.pods().filter(|pod| pod.namespace == *namespace);
            pods.filter(tracked).filter(|pod| selector.matches(&pod.labels())).cloned().collect()
        }
    }
}

pub(super) fn describe(world: &World, id: PodId) -> Option<CallInfo> {
    let pod = world.control.informer.pod(id)?;
    let (namespace, name) = (pod.namespace.clone(), pod.name.clone());
    Some(CallInfo { words: Words::new(Verb::Patch, Of::Pod), namespace, name })
}

/// The calls that have not reached the server.
pub(super) fn under_way(world: &World) -> Vec<Caller> {
    world.control.orphans.under_way.iter().map(|id| Caller::Orphan(OrphanKey::Pod(*id), *id)).collect()
}

pub(super) fn carry_out(world: &mut World, id: PodId) -> Result<Reply, ApiError> {
    let Some(pod) = world.store.shared_pod(id).cloned() else { return Ok(Reply::Done) };
    world.store.remove_tracking_finalizer(&pod.namespace, &pod.name).map(|_| Reply::Done)
}

/// What failed is tried again, unless there is nothing left to do it to.
pub(super) fn answered(world: &mut World, key: OrphanKey, id: PodId, result: Result<Reply, ApiError>) {
    world.control.orphans.under_way.remove(&id);
    let queue = &mut world.control.orphans.queue;
    match result {
        Err(error) if error.reason != "NotFound" => {
            let at = world.now.plus_nanos(queue.retry_delay_nanos(&key));
            if queue.add_at(key.clone(), at, world.now) {
                world.plan_control(at, Due::Timer(Timer::Orphan(key)));
            }
        }
        _ => queue.forget(&key),
    }
}
