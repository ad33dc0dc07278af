//! Nodes: what fits on them, their taints, and whether their kubelet is heard of.

use super::events::{KUBELET, NODE_CONTROLLER};
use super::plan::{Needs, Toleration};
use super::{Due, eviction};
use crate::World;
use crate::config::NodeConfig;
use crate::map::{Map, Set};
use crate::object::PodId;
use policy_core::{Timestamp, seconds_to_nanos};
use std::sync::Arc;

/// A node.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) config: NodeConfig,
    /// Its name, as its Pods share it.
    pub(super) name: Arc<str>,
    pub(super) taints: Vec<Taint>,
    pub(super) cordoned: bool,
    /// Whether the API has it.
    pub(super) exists: bool,
    /// Whether its kubelet works.
    pub(super) up: bool,
    /// Whether the node controller takes it for ready.
    pub(super) ready: bool,
    /// Pods bound to it that have not ended.
    pub(super) pods: Set<PodId>,
    /// How many of them have which priority.
    priorities: Map<i64, usize>,
    cpu_used: u64,
    memory_used: u64,
    /// Images that it has, or will have at that time.
    pub(super) images: Map<String, Timestamp>,
    /// Moves on when the node's health changes; what was planned at an earlier turn is void.
    pub(super) turn: u32,
}

/// A taint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Taint {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) effect: String,
}

impl Taint {
    /// Reads `key=value:Effect` or `key:Effect`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (key, effect) = text.rsplit_once(':')?;
        let (key, value) = key.split_once('=').unwrap_or((key, ""));
        let known = ["NoSchedule", "PreferNoSchedule", "NoExecute"].contains(&effect) && !key.is_empty();
        known.then(|| Taint { key: key.into(), value: value.into(), effect: effect.into() })
    }

    fn new(key: &str, effect: &str) -> Self {
        Taint { key: key.into(), value: String::new(), effect: effect.into() }
    }
}

impl Toleration {
    /// `ToleratesTaint`.
    pub(super) fn tolerates(&self, taint: &Taint) -> bool {
        self.effect.as_ref().is_none_or(|effect| *effect == taint.effect)
            && self.key.as_ref().is_none_or(|key| *key == taint.key)
            && self.value.as_ref().is_none_or(|value| *value == taint.value)
    }
}

const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";

/// A node as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeView {
    /// Its name.
    pub name: String,
    /// Whether the node controller takes it for ready.
    pub ready: bool,
    /// Whether it is cordoned.
    pub cordoned: bool,
    /// Pods bound to it that have not ended.
    pub pods: usize,
    /// How many fit.
    pub pod_capacity: u32,
    /// Millicores requested.
    pub cpu_millis_used: u64,
    /// Bytes requested.
    pub memory_bytes_used: u64,
}

impl Node {
    pub(super) fn new(config: NodeConfig) -> Self {
        Node {
            name: config.name.as_str().into(),
            taints: config.taints.iter().filter_map(|text| Taint::parse(text)).collect(),
            config,
            cordoned: false,
            exists: true,
            up: true,
            ready: true,
            pods: Set::default(),
            priorities: Map::default(),
            cpu_used: 0,
            memory_used: 0,
            images: Map::default(),
            turn: 0,
        }
    }

    /// Whether `needs` fit beside what is there, if Pods with `freed` needs made room.
    pub(super) fn fits(&self, needs: &Needs, freed: &Freed) -> Result<(), &'static str> {
        if self.pods.len().saturating_sub(freed.pods) >= self.config.pods as usize {
            return Err("Too many pods");
        }
        let fits = |used: u64, freed: u64, asked: u64, all: u64| {
            asked == 0 || used.saturating_sub(freed).saturating_add(asked) <= all
        };
        if !fits(self.cpu_used, freed.cpu_millis, needs.cpu_millis, self.config.cpu_millis) {
            return Err("Insufficient cpu");
        }
        if !fits(self.memory_used, freed.memory_bytes, needs.memory_bytes, self.config.memory_bytes) {
            return Err("Insufficient memory");
        }
        Ok(())
    }

    pub(super) fn add(&mut self, pod: PodId, needs: &Needs) {
        if self.pods.insert(pod) {
            *self.priorities.get_or_default(needs.priority) += 1;
            self.cpu_used = self.cpu_used.saturating_add(needs.cpu_millis);
            self.memory_used = self.memory_used.saturating_add(needs.memory_bytes);
        }
    }

    pub(super) fn remove(&mut self, pod: PodId, needs: &Needs) {
        if self.pods.remove(&pod) {
            if let Some(count) = self.priorities.get_mut(&needs.priority) {
                *count -= 1;
            }
            self.priorities.retain(|_, count| *count > 0);
            self.cpu_used = self.cpu_used.saturating_sub(needs.cpu_millis);
            self.memory_used = self.memory_used.saturating_sub(needs.memory_bytes);
        }
    }

    /// The lowest priority of its Pods.
    pub(super) fn lowest_priority(&self) -> Option<i64> {
        self.priorities.keys().next().copied()
    }

    /// Why Pods with these needs may not come here at all, in the order of the scheduler's filters.
    pub(super) fn refuses(&self, needs: &Needs) -> Option<&'static str> {
        let tolerated = |taint: &Taint| needs.tolerations.iter().any(|t| t.tolerates(taint));
        if self.cordoned && !tolerated(&Taint::new(UNSCHEDULABLE, "NoSchedule")) {
            return Some("node(s) were unschedulable");
        }
        let hard = self.taints.iter().filter(|taint| taint.effect != "PreferNoSchedule");
        let unreachable = Taint::new(UNREACHABLE, "NoSchedule");
        if hard.chain((!self.ready).then_some(&unreachable)).any(|taint| !tolerated(taint)) {
            return Some("node(s) had untolerated taint(s)");
        }
        let label = |key: &str| match key {
            "kubernetes.io/hostname" => Some(&self.config.name),
            _ => self.config.labels.get(key),
        };
        let matches = needs.node_selector.iter().all(|(key, value)| label(key) == Some(value));
        (!matches).then_some("node(s) didn't match Pod's node affinity/selector")
    }

    fn view(&self) -> NodeView {
        NodeView {
            name: self.config.name.clone(),
            ready: self.ready,
            cordoned: self.cordoned,
            pods: self.pods.len(),
            pod_capacity: self.config.pods,
            cpu_millis_used: self.cpu_used,
            memory_bytes_used: self.memory_used,
        }
    }
}

/// What Pods that leave would free.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Freed {
    pub(super) pods: usize,
    pub(super) cpu_millis: u64,
    pub(super) memory_bytes: u64,
}

impl World {
    /// The nodes that exist, in their order.
    pub fn nodes(&self) -> impl Iterator<Item = NodeView> {
        self.data.nodes.iter().filter(|node| node.exists).map(Node::view)
    }

    /// The place of the node of that name, whether the API still has it or not.
    pub(super) fn node_index(&self, name: &str) -> Option<usize> {
        self.data.nodes.iter().position(|node| node.config.name == name)
    }
}

/// Marks a node as unschedulable, or not any more.
pub(super) fn cordon(world: &mut World, index: usize, cordoned: bool) {
    let Some(node) = world.data.nodes.get_mut(index).filter(|node| node.cordoned != cordoned) else { return };
    node.cordoned = cordoned;
    let name = node.config.name.clone();
    let reason = if cordoned { "NodeNotSchedulable" } else { "NodeSchedulable" };
    world.node_event(&name, reason, format!("Node {name} status is now: {reason}"), KUBELET);
    if !cordoned {
        super::scheduler::capacity_changed(world);
    }
}

/// The node's kubelet falls silent and its containers stop: power is lost.
pub(super) fn lose(world: &mut World, index: usize) {
    let now = world.now;
    let grace = millis(world.config.timing.node_grace_millis);
    let Some(node) = world.data.nodes.get_mut(index).filter(|node| node.up) else { return };
    node.up = false;
    node.turn = node.turn.wrapping_add(1);
    let (turn, pods): (u32, Vec<PodId>) = (node.turn, node.pods.iter().copied().collect());
    world.plan_data(now.plus_nanos(grace), Due::NodeSilent(index, turn));
    for pod in pods {
        super::stop::power_lost(world, pod);
    }
}

/// The node controller gives up on a silent node: its Pods are not ready, and a taint drives them away.
pub(super) fn silent_too_long(world: &mut World, index: usize, turn: u32) {
    let now = world.now;
    let Some(node) = world.data.nodes.get_mut(index).filter(|node| node.turn == turn && node.exists) else {
        return;
    };
    node.ready = false;
    let name = node.config.name.clone();
    let pods: Vec<PodId> = node.pods.iter().copied().collect();
    world.node_event(
        &name,
        "NodeNotReady",
        format!("Node {name} status is now: NodeNotReady"),
        NODE_CONTROLLER,
    );
    for pod in &pods {
        let was_ready = world.store.update_pod(*pod, |pod| {
            let ready = pod.conditions.iter_mut().find(|c| &*c.kind == "Ready" && c.status == "True");
            ready.is_some_and(|ready| {
                *ready = ready.with_status("False", now);
                true
            })
        });
        if was_ready {
            world.pod_event(*pod, "Warning", "NodeNotReady", "Node is not ready".into(), NODE_CONTROLLER);
        }
    }
    let taint = Taint::new(UNREACHABLE, "NoExecute");
    eviction::taint_pods(world, index, &taint, &pods);
}

/// The node's kubelet starts again: what ran there is found dead.
pub(super) fn come_back(world: &mut World, index: usize) {
    let Some(node) = world.data.nodes.get_mut(index) else { return };
    if node.up && node.exists {
        return;
    }
    let was_gone = !node.exists;
    (node.up, node.ready, node.exists) = (true, true, true);
    node.turn = node.turn.wrapping_add(1);
    if was_gone {
        node.cordoned = false;
    }
    let (name, pods) = (node.config.name.clone(), node.pods.iter().copied().collect::<Vec<_>>());
    world.node_event(&name, "NodeReady", format!("Node {name} status is now: NodeReady"), KUBELET);
    for pod in pods {
        super::kubelet::found_after_restart(world, pod);
    }
    super::scheduler::capacity_changed(world);
}

/// The node leaves the API; the Pod garbage collector removes its Pods after a while (`quarantineTime`).
pub(super) fn delete(world: &mut World, index: usize) {
    lose(world, index);
    let Some(node) = world.data.nodes.get_mut(index).filter(|node| node.exists) else { return };
    node.exists = false;
    node.ready = false;
    node.turn = node.turn.wrapping_add(1);
    node.images = Map::default();
    let name = node.config.name.clone();
    let message = format!("Node {name} event: Removing Node {name} from Controller");
    world.node_event(&name, "RemovingNode", message, NODE_CONTROLLER);
    eviction::plan_collection(world, eviction::QUARANTINE_SECONDS);
}

/// The node is shut down: its kubelet ends its Pods, takes no more, and is off when they have had their time
/// (`nodeshutdown.Manager`).
pub(super) fn shut_down(world: &mut World, index: usize, grace_seconds: i64) {
    let Some(node) = world.data.nodes.get_mut(index).filter(|node| node.up) else { return };
    node.ready = false;
    node.turn = node.turn.wrapping_add(1);
    let (turn, name, pods) =
        (node.turn, node.config.name.clone(), node.pods.iter().copied().collect::<Vec<_>>());
    world.node_event(&name, "NodeNotReady", format!("Node {name} status is now: NodeNotReady"), KUBELET);
    for pod in pods {
        eviction::by_shutdown(world, pod, grace_seconds);
    }
    let off = seconds_to_nanos(grace_seconds.saturating_add(SHUTDOWN_SLACK_SECONDS));
    world.plan_data(world.now.plus_nanos(off), Due::NodeOff(index, turn));
}

/// What is left for statuses to be written after the Pods' time is over.
const SHUTDOWN_SLACK_SECONDS: i64 = 5;

/// A node that was shut down goes off.
pub(super) fn off(world: &mut World, index: usize, turn: u32) {
    if world.data.nodes.get(index).is_some_and(|node| node.turn == turn) {
        lose(world, index);
    }
}

/// Adds a taint; NoExecute drives away the Pods that do not bear it.
pub(super) fn add_taint(world: &mut World, index: usize, taint: Taint) {
    let Some(node) = world.data.nodes.get_mut(index).filter(|node| !node.taints.contains(&taint)) else {
        return;
    };
    node.taints.push(taint.clone());
    let pods: Vec<PodId> = node.pods.iter().copied().collect();
    if taint.effect == "NoExecute" {
        eviction::taint_pods(world, index, &taint, &pods);
    }
}

/// Takes a taint away.
pub(super) fn remove_taint(world: &mut World, index: usize, taint: &Taint) {
    let Some(node) = world.data.nodes.get_mut(index) else { return };
    node.taints.retain(|there| there != taint);
    super::scheduler::capacity_changed(world);
}

/// Milliseconds as nanoseconds.
pub(super) fn millis(millis: u64) -> i64 {
    i64::try_from(millis).unwrap_or(i64::MAX).saturating_mul(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taints_are_read_and_tolerated() {
        let taint = Taint::parse("dedicated=jobs:NoExecute").unwrap();
        assert_eq!((&*taint.key, &*taint.value, &*taint.effect), ("dedicated", "jobs", "NoExecute"));
        assert!(Taint::parse("dedicated:Sometimes").is_none());
        let exists = Toleration { key: Some("dedicated".into()), ..Toleration::default() };
        assert!(exists.tolerates(&taint));
        let other = Toleration { value: Some("web".into()), ..exists.clone() };
        assert!(!other.tolerates(&taint));
        assert!(Toleration::default().tolerates(&taint));
    }
}
