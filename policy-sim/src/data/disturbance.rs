//! Disturbances: what happens to nodes and containers from outside, as scenario files and pages ask for it.

use super::eviction;
use super::kubelet::KillReason;
use super::nodes::{self, Taint};
use super::run::PodRun;
use crate::World;
use crate::object::{Pod, PodId};
use serde::{Deserialize, Serialize};

/// Something that is done to the cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub enum Disturbance {
    /// Marks a node as unschedulable.
    Cordon {
        /// The node.
        node: String,
    },
    /// Marks it as schedulable again.
    Uncordon {
        /// The node.
        node: String,
    },
    /// Cordons a node and evicts its Pods, as `kubectl drain --ignore-daemonsets` does.
    Drain {
        /// The node.
        node: String,
        /// The grace period instead of the Pods' own.
        #[serde(default)]
        grace_period_seconds: Option<i64>,
        /// Whether Pods without a controller go too.
        #[serde(default)]
        force: bool,
    },
    /// A node loses power: its containers stop, and its kubelet falls silent.
    NodeLost {
        /// The node.
        node: String,
    },
    /// A lost or deleted node comes back.
    NodeReturned {
        /// The node.
        node: String,
    },
    /// A node is deleted from the API; it loses power too.
    NodeDeleted {
        /// The node.
        node: String,
    },
    /// A node is shut down in an orderly way: its kubelet ends its Pods, then falls silent.
    NodeShutdown {
        /// The node.
        node: String,
        /// The most that Pods get to end.
        #[serde(default = "default_shutdown_grace")]
        grace_period_seconds: i64,
    },
    /// Adds a taint, as `key=value:Effect` or `key:Effect`.
    Taint {
        /// The node.
        node: String,
        /// The taint.
        taint: String,
    },
    /// Takes a taint away.
    Untaint {
        /// The node.
        node: String,
        /// The taint.
        taint: String,
    },
    /// The kubelet evicts Pods because their node runs short of a resource.
    Evict {
        /// The Pods.
        pods: PodSelect,
        /// The resource.
        #[serde(default = "default_resource")]
        resource: String,
    },
    /// The processes in running containers end with an exit code.
    KillContainer {
        /// The Pods and the container.
        pods: PodSelect,
        /// The exit code.
        #[serde(default = "default_exit_code")]
        exit_code: i32,
    },
    /// The processes in running containers are killed for using too much memory.
    OomKill {
        /// The Pods and the container.
        pods: PodSelect,
    },
}

fn default_shutdown_grace() -> i64 {
    30
}

fn default_resource() -> String {
    "memory".into()
}

fn default_exit_code() -> i32 {
    137
}

/// Selects Pods that have not ended; what is not set matches everything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PodSelect {
    /// The namespace.
    pub namespace: Option<String>,
    /// The Job's name; `*` at the end matches any rest.
    pub job: Option<String>,
    /// The Pod's name; `*` at the end matches any rest.
    pub pod: Option<String>,
    /// The completion index.
    pub index: Option<i64>,
    /// The node.
    pub node: Option<String>,
    /// The container, for what is done to containers.
    pub container: Option<String>,
    /// The how-manieth of those Pods, from 1, oldest first; unset means all.
    pub nth: Option<usize>,
}

impl PodSelect {
    fn matches(&self, pod: &Pod) -> bool {
        let owner = super::behaviour::job_name(pod);
        self.namespace.as_deref().is_none_or(|namespace| namespace == &*pod.namespace)
            && self.job.as_deref().is_none_or(|job| owner.is_some_and(|o| super::behaviour::glob(job, o)))
            && self.pod.as_deref().is_none_or(|name| super::behaviour::glob(name, &pod.name))
            && self.index.is_none_or(|index| pod.index == Some(index))
            && self.node.as_deref().is_none_or(|node| pod.node.as_deref() == Some(node))
    }

    /// The Pods that it selects, oldest first.
    fn pods(&self, world: &World) -> Vec<PodId> {
        let all = world.data.runs.keys().copied();
        let matching = all.filter(|id| world.store.pod(*id).is_some_and(|pod| self.matches(pod)));
        match self.nth {
            Some(nth) => matching.skip(nth.saturating_sub(1)).take(1).collect(),
            None => matching.collect(),
        }
    }

    /// The running containers that it selects.
    fn containers(&self, world: &World) -> Vec<(PodId, usize)> {
        let in_pod = |id: PodId| {
            let names = world.store.pod(id).map(|pod| pod.base.clone());
            let runs = world.data.run(id).map_or(&[][..], |run: &PodRun| &run.containers);
            let running = runs.iter().enumerate().filter(|(_, c)| c.runs()).map(|(index, _)| index);
            let wanted = running.filter(|index| {
                let name = names.as_ref().and_then(|base| base.containers.get(*index)).map(|c| &*c.name);
                self.container.is_none() || self.container.as_deref() == name
            });
            wanted.map(|index| (id, index)).collect::<Vec<_>>()
        };
        self.pods(world).into_iter().flat_map(in_pod).collect()
    }
}

impl World {
    /// Disturbs the cluster; tells how many Pods or containers were touched.
    ///
    /// # Errors
    /// The node is not known, the taint cannot be read, or a drain meets Pods without a controller.
    pub fn disturb(&mut self, what: &Disturbance) -> Result<usize, String> {
        let touched = self.disturbed(what);
        self.pass_on_changes();
        touched
    }

    fn disturbed(&mut self, what: &Disturbance) -> Result<usize, String> {
        match what {
            Disturbance::Cordon { node } => {
                self.on_node(node, |world, index| nodes::cordon(world, index, true))
            }
            Disturbance::Uncordon { node } => {
                self.on_node(node, |world, index| nodes::cordon(world, index, false))
            }
            Disturbance::Drain { node, grace_period_seconds, force } => {
                self.drain(node, *grace_period_seconds, *force)
            }
            Disturbance::NodeLost { node } => self.on_node(node, nodes::lose),
            Disturbance::NodeReturned { node } => self.on_node(node, nodes::come_back),
            Disturbance::NodeDeleted { node } => self.on_node(node, nodes::delete),
            Disturbance::NodeShutdown { node, grace_period_seconds } => {
                self.on_node(node, |world, index| nodes::shut_down(world, index, *grace_period_seconds))
            }
            Disturbance::Taint { node, taint } => {
                let taint = read_taint(taint)?;
                self.on_node(node, |world, index| nodes::add_taint(world, index, taint))
            }
            Disturbance::Untaint { node, taint } => {
                let taint = read_taint(taint)?;
                self.on_node(node, |world, index| nodes::remove_taint(world, index, &taint))
            }
            Disturbance::Evict { pods, resource } => {
                let pods = pods.pods(self);
                pods.iter().for_each(|pod| eviction::by_pressure(self, *pod, resource));
                Ok(pods.len())
            }
            Disturbance::KillContainer { pods, exit_code } => {
                Ok(self.kill_containers(pods, *exit_code, KillReason::Signal))
            }
            Disturbance::OomKill { pods } => Ok(self.kill_containers(pods, 137, KillReason::OutOfMemory)),
        }
    }

    /// Does something to a node; tells how many Pods that have not ended are on it.
    fn on_node(&mut self, name: &str, act: impl FnOnce(&mut World, usize)) -> Result<usize, String> {
        let index = self.node_index(name).ok_or_else(|| format!("no node is named `{name}`"))?;
        let pods = self.data.nodes.get(index).map_or(0, |node| node.pods.len());
        act(self, index);
        Ok(pods)
    }

    fn kill_containers(&mut self, pods: &PodSelect, exit_code: i32, why: KillReason) -> usize {
        let containers = pods.containers(self);
        for (pod, container) in &containers {
            eviction::kill_container(self, *pod, *container, exit_code, why);
        }
        containers.len()
    }

    /// Drains a node: also Pods that have ended go, as `kubectl` lets them.
    fn drain(&mut self, name: &str, grace_seconds: Option<i64>, force: bool) -> Result<usize, String> {
        self.on_node(name, |world, index| nodes::cordon(world, index, true))?;
        let there = |pod: &&Pod| pod.node.as_deref() == Some(name) && pod.deletion_timestamp.is_none();
        let bare = |pod: &&Pod| !pod.is_terminal() && pod.owners.iter().all(|o| o.controller != Some(true));
        let stuck: Vec<String> = self
            .store
            .pods()
            .filter(there)
            .filter(bare)
            .map(|p| format!("{}/{}", p.namespace, p.name))
            .collect();
        if !force && !stuck.is_empty() {
            let pods = stuck.join(", ");
            return Err(format!(
                "cannot delete Pods that declare no controller (use force to override): {pods}"
            ));
        }
        let pods: Vec<PodId> = self.store.pods().filter(there).map(|pod| pod.id).collect();
        for pod in &pods {
            eviction::evict(self, *pod, grace_seconds);
        }
        Ok(pods.len())
    }
}

fn read_taint(text: &str) -> Result<Taint, String> {
    Taint::parse(text).ok_or_else(|| format!("`{text}` is not a taint like `key=value:NoSchedule`"))
}
