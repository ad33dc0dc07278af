//! Pods that others than their own Job end: eviction, taints, preemption, garbage collection of Pods.

use super::Due;
use super::events::{SCHEDULER, TAINT_MANAGER};
use super::kubelet::KillReason;
use super::nodes::Taint;
use super::run::{Stage, Stop, Why};
use super::stop;
use crate::World;
use crate::object::{Phase, PodId};
use policy_core::{NANOS_PER_SECOND, seconds_to_nanos};
use std::sync::Arc;

/// How long a Pod bears an unreachable or unready node unless it says otherwise (`DefaultTolerationSeconds`).
const DEFAULT_TOLERATION_SECONDS: i64 = 300;
/// How often the Pod garbage collector looks (upstream `gcCheckPeriod`).
const COLLECTION_SECONDS: i64 = 20;
/// How long a node must be gone before its Pods are collected (upstream `quarantineTime`).
pub(super) const QUARANTINE_SECONDS: i64 = 40;

/// Marks a Pod as disrupted and asks for its deletion.
fn disrupt(world: &mut World, id: PodId, reason: &str, message: &str, grace_seconds: Option<i64>) {
    let now = world.now;
    let Some(default) = world.store.pod(id).map(|pod| pod.base.grace_seconds) else { return };
    world.store.update_pod(id, |pod| pod.set_condition("DisruptionTarget", "True", reason, message, now));
    world.store.request_pod_deletion(id, grace_seconds.unwrap_or(default), now);
}

/// The eviction API is called for a Pod.
pub(super) fn evict(world: &mut World, id: PodId, grace_seconds: Option<i64>) {
    disrupt(world, id, "EvictionByEvictionAPI", "Eviction API: evicting", grace_seconds);
}

/// A Pod makes room for one of higher priority.
pub(super) fn preempted(world: &mut World, id: PodId) {
    let message = "default-scheduler: preempting to accommodate a higher priority pod";
    world.pod_event(id, "Normal", "Preempted", "Preempted by a higher priority pod".into(), SCHEDULER);
    disrupt(world, id, "PreemptionByScheduler", message, None);
}

/// A taint has come over Pods on a node: those that do not bear it are deleted, at once or after a while.
pub(super) fn taint_pods(world: &mut World, node: usize, taint: &Taint, pods: &[PodId]) {
    let Some(turn) = world.data.nodes.get(node).map(|node| node.turn) else { return };
    for pod in pods {
        match bears(world, *pod, taint) {
            Bears::For(seconds) if seconds > 0 => {
                let at = world.now.plus_nanos(seconds_to_nanos(seconds));
                world.plan_data(at, Due::TaintOver(*pod, node, turn));
            }
            Bears::For(_) => delete_by_taint(world, *pod),
            Bears::Always => {}
        }
    }
}

/// How long a Pod bears a taint.
enum Bears {
    For(i64),
    Always,
}

/// `getMinTolerationTime`, with the tolerations that admission adds.
fn bears(world: &World, pod: PodId, taint: &Taint) -> Bears {
    let Some(run) = world.data.run(pod) else { return Bears::Always };
    let mut matching = run.plan.needs.tolerations.iter().filter(|t| t.tolerates(taint)).peekable();
    if matching.peek().is_none() {
        let defaulted = ["node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready"];
        return Bears::For(if defaulted.contains(&&*taint.key) { DEFAULT_TOLERATION_SECONDS } else { 0 });
    }
    matching.filter_map(|t| t.seconds).min().map_or(Bears::Always, |seconds| Bears::For(seconds.max(0)))
}

/// A Pod has borne a taint long enough, if it is still there.
pub(super) fn taint_over(world: &mut World, pod: PodId, node: usize, turn: u32) {
    let there = world.data.run(pod).is_some_and(|run| run.node == Some(node));
    let node = world.data.nodes.get(node).filter(|node| node.turn == turn);
    let tainted = node.is_some_and(|node| !node.ready || node.taints.iter().any(|t| t.effect == "NoExecute"));
    if there && tainted {
        delete_by_taint(world, pod);
    }
}

fn delete_by_taint(world: &mut World, id: PodId) {
    let Some(pod) = world.store.pod(id).filter(|pod| pod.deletion_timestamp.is_none()) else { return };
    let message = format!("Marking for deletion Pod {}/{}", pod.namespace, pod.name);
    world.pod_event(id, "Normal", "TaintManagerEviction", message, TAINT_MANAGER);
    disrupt(world, id, "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint", None);
}

/// Plans the Pod garbage collector's next look that is not before `after_seconds`.
pub(super) fn plan_collection(world: &mut World, after_seconds: i64) {
    if after_seconds == 0 && world.data.pod_gc_planned {
        return;
    }
    world.data.pod_gc_planned = true;
    let period = COLLECTION_SECONDS * NANOS_PER_SECOND;
    let start = world.config.start;
    let passed = world.now.nanos_since(start).saturating_add(seconds_to_nanos(after_seconds));
    let looks = passed.div_euclid(period).saturating_add(1);
    world.plan_data(start.plus_nanos(looks.saturating_mul(period)), Due::PodGc);
}

/// The Pod garbage collector: Pods on nodes that are gone, and Pods that were deleted before they had a place.
pub(super) fn collect(world: &mut World) {
    world.data.pod_gc_planned = false;
    let gone = |name: &Option<Arc<str>>| {
        let name = name.as_deref()?;
        let node = world.data.nodes.iter().find(|node| node.config.name == name);
        Some(node.is_none_or(|node| !node.exists))
    };
    let found: Vec<(PodId, bool)> = world
        .store
        .pods()
        .filter_map(|pod| match gone(&pod.node) {
            Some(orphaned) => orphaned.then_some((pod.id, true)),
            None => pod.deletion_timestamp.map(|_| (pod.id, false)),
        })
        .collect();
    let now = world.now;
    for (id, orphaned) in found {
        world.store.update_pod(id, |pod| {
            if pod.is_terminal() {
                return false;
            }
            pod.phase = Phase::Failed;
            if orphaned {
                let message = "PodGC: node no longer exists";
                pod.set_condition("DisruptionTarget", "True", "DeletionByPodGC", message, now);
            }
            true
        });
        world.store.request_pod_deletion(id, 0, now);
    }
}

/// The kubelet evicts a Pod because its node runs short of something.
pub(super) fn by_pressure(world: &mut World, id: PodId, resource: &str) {
    let message = format!("The node was low on resource: {resource}. ");
    let running = world.data.run(id).is_some_and(|run| {
        !run.is_stopping() && !matches!(run.stage, Stage::New | Stage::Lost | Stage::Ended)
    });
    if running {
        world.kubelet_warning(id, "Evicted", message.clone());
        let message: Arc<str> = message.into();
        let why = Why::Failed { reason: "Evicted", message: message.clone(), disrupted: Some(message) };
        stop::begin(world, id, Stop { why, grace_seconds: 1 });
    }
}

/// The kubelet ends a Pod because its node is shut down.
pub(super) fn by_shutdown(world: &mut World, id: PodId, grace_seconds: i64) {
    let message: Arc<str> = "Pod was terminated in response to imminent node shutdown.".into();
    let Some(own) = world.store.pod(id).map(|pod| pod.base.grace_seconds) else { return };
    let why = Why::Failed { reason: "Terminated", message: message.clone(), disrupted: Some(message) };
    stop::begin(world, id, Stop { why, grace_seconds: grace_seconds.min(own) });
}

/// A process in a container is killed from outside of Kubernetes: nothing tells that it was a disruption.
pub(super) fn kill_container(
    world: &mut World,
    id: PodId,
    container: usize,
    exit_code: i32,
    why: KillReason,
) {
    let Some(of) = world.data.of(id, container) else { return };
    let reason = match why {
        KillReason::OutOfMemory => "OOMKilled",
        KillReason::Signal => super::kubelet::exit_reason(exit_code),
    };
    super::kubelet::exit(world, of, exit_code, reason);
}
