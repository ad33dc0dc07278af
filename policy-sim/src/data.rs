//! The data plane: scheduler, nodes, kubelets, images, containers, DNS, queues.

mod behaviour;
mod coming;
mod command;
mod disturbance;
mod dns;
mod env;
mod events;
mod eviction;
mod images;
mod kubelet;
mod nodes;
mod plan;
mod program;
mod queues;
pub(crate) mod restart;
mod run;
mod scheduler;
mod script;
mod status;
pub(crate) mod stop;
#[cfg(test)]
mod tests;
mod waiting;

pub use coming::Coming;
pub use disturbance::{Disturbance, PodSelect};
pub use dns::Service;
pub use nodes::NodeView;
pub(crate) use plan::PodPlan;
pub use queues::QueueView;
pub use waiting::{ContainerWait, WaitsFor};

use crate::World;
use crate::map::Map;
use crate::object::PodId;
use crate::store::{ChangeKind, Object, ObjectChange, PodChange};
use behaviour::Behaviours;
use dns::Names;
use nodes::Node;
use queues::Queue;
use run::PodRun;
use scheduler::Scheduler;

/// Something due in the data plane. A turn tells apart what was planned for an earlier state: it is then ignored.
#[derive(Clone, Debug)]
pub(crate) enum Due {
    /// The scheduler looks for places.
    Schedule,
    /// The kubelet sees a Pod that is bound to its node.
    Sync(PodId, u32),
    /// A sandbox is ready.
    Sandbox(PodId, u32),
    /// An image has been pulled, or could not be.
    Pulled(Of),
    /// A failed pull is reported as backing off.
    PullBackOff(Of),
    /// A pull is tried again.
    PullAgain(Of),
    /// A container has been started.
    Started(Of),
    /// A script goes on.
    Wake(Of),
    /// A container becomes ready.
    Ready(Of),
    /// The kubelet notices that containers have ended.
    Notice(PodId, u32),
    /// A container is shown to wait for its restart.
    CrashLoop(Of),
    /// A container's restart has waited long enough.
    Restart(Of),
    /// A container ends: it has heeded SIGTERM, or its grace period is over.
    Kill(Of, i32),
    /// The kubelet sees that a Pod is to be deleted.
    SawDeletion(PodId),
    /// A sandbox is down.
    Stopped(PodId, u32),
    /// The kubelet deletes a Pod that has ended.
    Remove(PodId),
    /// A Pod's `activeDeadlineSeconds` are over.
    PodDeadline(PodId),
    /// A lease of a queue's item has run out.
    LeaseOver { queue: usize, item: u64, lease: u64 },
    /// A node that is shut down goes off; with the node's turn.
    NodeOff(usize, u32),
    /// A node has been silent for the grace period; with the node's turn.
    NodeSilent(usize, u32),
    /// A Pod has borne a NoExecute taint long enough; with the node's turn.
    TaintOver(PodId, usize, u32),
    /// The Pod garbage collector looks.
    PodGc,
}

/// A container of a Pod at a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Of {
    pub(super) pod: PodId,
    pub(super) container: usize,
    pub(super) turn: u32,
}

/// The data plane's state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Data {
    nodes: Vec<Node>,
    scheduler: Scheduler,
    /// What the data plane knows of Pods that have not ended.
    runs: Map<PodId, PodRun>,
    behaviours: Behaviours,
    queues: Vec<Queue>,
    names: Names,
    pod_gc_planned: bool,
}

/// Called once, when the world is made.
pub(crate) fn start(world: &mut World) {
    world.data.nodes = world.config.nodes.iter().cloned().map(Node::new).collect();
    world.data.queues = queues::from_config(&world.config);
    world.data.behaviours = Behaviours::compile(&world.config.behaviours, &mut world.data.queues);
}

/// Does what is due.
pub(crate) fn handle(world: &mut World, due: Due) {
    match due {
        Due::Schedule => scheduler::schedule(world),
        Due::Sync(pod, turn) => kubelet::sync(world, pod, turn),
        Due::Sandbox(pod, turn) => kubelet::sandbox_ready(world, pod, turn),
        Due::Pulled(of) => images::pulled(world, of),
        Due::PullBackOff(of) => images::back_off(world, of),
        Due::PullAgain(of) => images::pull_again(world, of),
        Due::Started(of) => kubelet::started(world, of),
        Due::Wake(of) => script::wake(world, of),
        Due::Ready(of) => kubelet::ready(world, of),
        Due::Notice(pod, turn) => kubelet::notice(world, pod, turn),
        Due::CrashLoop(of) => restart::show(world, of),
        Due::Restart(of) => restart::back_off_over(world, of),
        Due::Kill(of, exit_code) => stop::kill_due(world, of, exit_code),
        Due::SawDeletion(pod) => stop::saw_deletion(world, pod),
        Due::Stopped(pod, turn) => stop::sandbox_down(world, pod, turn),
        Due::Remove(pod) => stop::remove(world, pod),
        Due::PodDeadline(pod) => stop::deadline_exceeded(world, pod),
        Due::LeaseOver { queue, item, lease } => queues::lease_over(world, queue, item, lease),
        Due::NodeOff(node, turn) => nodes::off(world, node, turn),
        Due::NodeSilent(node, turn) => nodes::silent_too_long(world, node, turn),
        Due::TaintOver(pod, node, turn) => eviction::taint_over(world, pod, node, turn),
        Due::PodGc => eviction::collect(world),
    }
}

/// Takes note of a change of a Pod: new Pods are scheduled, bound Pods are run, Pods to be deleted are ended.
pub(crate) fn observe_pod(world: &mut World, change: &PodChange) {
    match change.kind {
        ChangeKind::Added => scheduler::pod_added(world, &change.pod),
        ChangeKind::Modified => stop::pod_modified(world, &change.pod),
        ChangeKind::Deleted => stop::pod_gone(world, &change.pod),
    }
}

/// Takes note of a change of another object: Services give names.
pub(crate) fn observe_object(world: &mut World, change: &ObjectChange) {
    let Object::Other(other) = &change.object else { return };
    if &*other.kind != "Service" {
        return;
    }
    match change.kind {
        ChangeKind::Deleted => world.remove_service(&other.metadata.namespace, &other.metadata.name),
        ChangeKind::Added | ChangeKind::Modified => world.put_service(Service::of(other)),
    }
}
