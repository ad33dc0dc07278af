//! The scheduler: least loaded node first, then in the order of configuration; preemption by priority.

use super::events::SCHEDULER;
use super::nodes::{Freed, Node, millis};
use super::plan::{Needs, plan_of};
use super::run::{ContainerRun, PodRun, Stage};
use super::{Due, eviction};
use crate::World;
use crate::map::{Map, Set};
use crate::object::{Pod, PodId};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Pods without a place, by what they need: Pods with equal needs fit or do not fit together.
#[derive(Clone, Debug, Default)]
pub(super) struct Scheduler {
    queues: Map<Arc<Needs>, Waiting>,
    planned: bool,
    /// Counts what may have made room.
    changes: u64,
    /// How many Pods of each Job and index have been seen.
    attempts: Map<(String, Option<i64>), u32>,
}

/// Pods with the same needs, oldest first.
#[derive(Clone, Debug, Default)]
struct Waiting {
    pods: Set<PodId>,
    /// Those that have not been told that they do not fit.
    untold: Vec<PodId>,
    /// The count of changes at which the oldest did not fit.
    refused_at: Option<u64>,
    /// The node that is being cleared for the oldest.
    nominated: Option<usize>,
}

/// Takes note of a new Pod.
pub(super) fn pod_added(world: &mut World, pod: &Pod) {
    if pod.is_terminal() {
        return;
    }
    let plan = plan_of(pod);
    let waits = pod.base.containers.iter().any(|c| c.init);
    let run = PodRun {
        attempt: attempt_of(world, pod),
        node: None,
        stage: Stage::New,
        sandbox: false,
        notice_planned: false,
        stop: None,
        turn: 0,
        containers: pod.base.containers.iter().map(|_| ContainerRun::new(waits)).collect(),
        plan: plan.clone(),
    };
    world.data.runs.insert(pod.id, run);
    super::dns::add_name(world, pod, &plan);
    let named = pod.node.as_deref().or(plan.node_name.as_deref());
    if let Some(name) = named.map(String::from) {
        return super::kubelet::bind_directly(world, pod.id, &name);
    }
    let waiting = world.data.scheduler.queues.get_or_default(plan.needs.clone());
    waiting.pods.insert(pod.id);
    waiting.untold.push(pod.id);
    plan_schedule(world, world.config.timing.schedule_millis);
}

/// The how-manieth Pod of its Job, or of its index, it is.
fn attempt_of(world: &mut World, pod: &Pod) -> u32 {
    if !world.data.behaviours.count_attempts {
        return 1;
    }
    let owner = pod.owners.iter().find(|owner| owner.controller == Some(true));
    let key = (owner.map_or_else(|| pod.uid.to_string(), |owner| owner.uid.clone()), pod.index);
    let count = world.data.scheduler.attempts.get_or_default(key);
    *count += 1;
    *count
}

fn plan_schedule(world: &mut World, after_millis: u64) {
    if !std::mem::replace(&mut world.data.scheduler.planned, true) {
        world.plan_data(world.now.plus_nanos(millis(after_millis)), Due::Schedule);
    }
}

/// Something ended, came back or became schedulable: what waits may fit now.
pub(super) fn capacity_changed(world: &mut World) {
    world.data.scheduler.changes += 1;
    if !world.data.scheduler.queues.is_empty() {
        plan_schedule(world, world.config.timing.schedule_millis);
    }
}

/// Forgets a Pod that waits for a place.
pub(super) fn forget(world: &mut World, pod: PodId, needs: &Arc<Needs>) {
    let queues = &mut world.data.scheduler.queues;
    if let Some(waiting) = queues.get_mut(needs) {
        waiting.pods.remove(&pod);
        if waiting.pods.is_empty() {
            queues.remove(needs);
        }
    }
}

/// Places whatever fits: higher priorities first, then older Pods.
pub(super) fn schedule(world: &mut World) {
    world.data.scheduler.planned = false;
    loop {
        let scheduler = &world.data.scheduler;
        let open = scheduler.queues.iter().filter(|(_, w)| w.refused_at != Some(scheduler.changes));
        let next = open.min_by_key(|(needs, w)| (Reverse(needs.priority), w.pods.first().copied()));
        let Some((needs, pod)) = next.and_then(|(needs, w)| Some((needs.clone(), *w.pods.first()?))) else {
            break;
        };
        match place(world, &needs) {
            Ok(node) => {
                forget(world, pod, &needs);
                bind(world, pod, node);
            }
            Err(why) => refuse(world, &needs, pod, why),
        }
    }
    tell_refused(world);
}

/// The node with the fewest Pods of those where they fit.
fn place(world: &World, needs: &Needs) -> Result<usize, BTreeMap<&'static str, usize>> {
    let mut why = BTreeMap::new();
    let mut best: Option<(usize, usize)> = None;
    for (index, node) in world.data.nodes.iter().enumerate().filter(|(_, node)| node.exists) {
        let verdict = node.refuses(needs).map_or_else(|| node.fits(needs, &Freed::default()), Err);
        match verdict {
            Ok(()) if best.is_none_or(|(load, _)| node.pods.len() < load) => {
                best = Some((node.pods.len(), index))
            }
            Ok(()) => {}
            Err(reason) => *why.entry(reason).or_default() += 1,
        }
    }
    best.map(|(_, index)| index).ok_or(why)
}

fn bind(world: &mut World, pod: PodId, index: usize) {
    let now = world.now;
    let Some(node) = world.data.nodes.get_mut(index) else { return };
    let Some(run) = world.data.runs.get_mut(&pod) else { return };
    node.add(pod, &run.plan.needs);
    run.node = Some(index);
    let taints: Vec<_> = node.taints.iter().filter(|taint| taint.effect == "NoExecute").cloned().collect();
    let (turn, name) = (run.turn, node.name.clone());
    let Some((namespace, pod_name)) = world.store.pod(pod).map(|p| (p.namespace.clone(), p.name.clone()))
    else {
        return;
    };
    let message = format!("Successfully assigned {namespace}/{pod_name} to {name}");
    world.store.update_pod(pod, |pod| {
        pod.node = Some(name);
        pod.set_condition("PodScheduled", "True", "", "", now);
        true
    });
    world.pod_event(pod, "Normal", "Scheduled", message, SCHEDULER);
    super::kubelet::plan_sync(world, pod, turn);
    for taint in taints {
        eviction::taint_pods(world, index, &taint, &[pod]);
    }
}

/// Takes note that the oldest Pod with these needs fits nowhere, and makes room if its priority allows that.
fn refuse(world: &mut World, needs: &Arc<Needs>, pod: PodId, why: BTreeMap<&'static str, usize>) {
    let changes = world.data.scheduler.changes;
    let preemption = preempt(world, needs, &why);
    let nodes = world.data.nodes.iter().filter(|node| node.exists).count();
    let message = if nodes == 0 {
        "no nodes available to schedule pods".into()
    } else {
        format!("0/{nodes} nodes are available: {}.{preemption}", counted(&why))
    };
    let Some(waiting) = world.data.scheduler.queues.get_mut(needs) else { return };
    waiting.refused_at = Some(changes);
    if !waiting.untold.contains(&pod) {
        waiting.untold.push(pod);
    }
    let mut untold = std::mem::take(&mut waiting.untold);
    untold.retain(|pod| waiting.pods.contains(pod));
    for pod in untold {
        tell(world, pod, &message);
    }
}

/// New Pods whose equals have been refused already are told so.
fn tell_refused(world: &mut World) {
    let queues = world.data.scheduler.queues.values_mut();
    let told: Vec<_> = queues
        .filter(|w| !w.untold.is_empty())
        .filter_map(|w| Some((*w.pods.first()?, std::mem::take(&mut w.untold))))
        .collect();
    for (first, pods) in told {
        let known = world.store.pod(first).and_then(|pod| pod.condition("PodScheduled"));
        let Some(message) = known.map(|condition| condition.message.clone()) else { continue };
        for pod in pods {
            tell(world, pod, &message);
        }
    }
}

fn tell(world: &mut World, pod: PodId, message: &str) {
    let now = world.now;
    let news = world
        .store
        .update_pod(pod, |pod| pod.set_condition("PodScheduled", "False", "Unschedulable", message, now));
    if news {
        world.pod_event(pod, "Warning", "FailedScheduling", message.into(), SCHEDULER);
    }
}

/// `2 Insufficient cpu, 1 Too many pods`, sorted as texts (`FitError.Error`).
fn counted(why: &BTreeMap<&'static str, usize>) -> String {
    let mut parts: Vec<String> = why.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    parts.sort();
    parts.join(", ")
}

/// Tries to make room by ending Pods of lower priority; tells what stood in the way.
fn preempt(world: &mut World, needs: &Arc<Needs>, why: &BTreeMap<&'static str, usize>) -> String {
    let nodes: usize = why.values().sum();
    if !needs.preempts {
        return " preemption: not eligible due to preemptionPolicy=Never.".into();
    }
    let waiting = world.data.scheduler.queues.get(needs);
    if let Some(index) = waiting.and_then(|w| w.nominated)
        && is_being_cleared(world, index, needs.priority)
    {
        return " preemption: not eligible due to a terminating pod on the nominated node.".into();
    }
    let candidates = world.data.nodes.iter().enumerate().filter(|(_, node)| node.exists);
    let best = candidates
        .filter_map(|(index, node)| Some((victims(world, node, needs)?, index)))
        .min_by_key(|(victims, index)| (highest(world, victims), victims.len(), *index));
    let Some((victims, index)) = best else {
        let helpless = |reason: &&str| reason.starts_with("node(s)");
        let unhelpful: usize = why.iter().filter(|(r, _)| helpless(r)).map(|(_, count)| count).sum();
        let reasons = [
            ("No preemption victims found for incoming pod", nodes - unhelpful),
            ("Preemption is not helpful for scheduling", unhelpful),
        ];
        let reasons = reasons.into_iter().filter(|(_, count)| *count > 0).collect();
        return format!(" preemption: 0/{nodes} nodes are available: {}.", counted(&reasons));
    };
    if let Some(waiting) = world.data.scheduler.queues.get_mut(needs) {
        waiting.nominated = Some(index);
    }
    for victim in &victims {
        eviction::preempted(world, *victim);
    }
    String::new()
}

fn is_being_cleared(world: &World, index: usize, priority: i64) -> bool {
    let pods = world.data.nodes.get(index).into_iter().flat_map(|node| node.pods.iter());
    let terminating = |pod: &&PodId| world.store.pod(**pod).is_some_and(|p| p.deletion_timestamp.is_some());
    pods.filter(terminating).any(|pod| priority_of(world, *pod) < priority)
}

fn priority_of(world: &World, pod: PodId) -> i64 {
    world.data.run(pod).map_or(0, |run| run.plan.needs.priority)
}

fn highest(world: &World, pods: &[PodId]) -> i64 {
    pods.iter().map(|pod| priority_of(world, *pod)).max().unwrap_or(i64::MIN)
}

/// The fewest Pods of lower priority whose end makes room on the node: all of them less those that can stay, the most
/// important first (`SelectVictimsOnNode`).
fn victims(world: &World, node: &Node, needs: &Needs) -> Option<Vec<PodId>> {
    let none_lower = node.lowest_priority().is_none_or(|lowest| lowest >= needs.priority);
    if none_lower || node.refuses(needs).is_some() {
        return None;
    }
    let lower = node.pods.iter().copied().filter(|pod| priority_of(world, *pod) < needs.priority);
    let mut lower: Vec<PodId> = lower.collect();
    lower.sort_by_key(|pod| (Reverse(priority_of(world, *pod)), *pod));
    let mut freed = Freed::default();
    for pod in &lower {
        change(world, &mut freed, *pod, true);
    }
    if lower.is_empty() || node.fits(needs, &freed).is_err() {
        return None;
    }
    lower.retain(|pod| {
        change(world, &mut freed, *pod, false);
        let stays = node.fits(needs, &freed).is_ok();
        if !stays {
            change(world, &mut freed, *pod, true);
        }
        !stays
    });
    Some(lower)
}

fn change(world: &World, freed: &mut Freed, pod: PodId, leaves: bool) {
    let Some(run) = world.data.run(pod) else { return };
    let needs = &run.plan.needs;
    if leaves {
        freed.pods += 1;
        freed.cpu_millis += needs.cpu_millis;
        freed.memory_bytes += needs.memory_bytes;
    } else {
        freed.pods -= 1;
        freed.cpu_millis -= needs.cpu_millis;
        freed.memory_bytes -= needs.memory_bytes;
    }
}
