//! What a scenario document holds.

use super::action::{Action, Verb};
use super::assertion::Assertion;
use super::duration::Duration;
use super::quantity;
use crate::config::{self, ApiConfig, Config, ControllerConfig, ImageConfig, Match, NodeConfig, QueueConfig};
use policy_core::{Settings, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A scenario, with its variant laid over it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scenario {
    /// Where the schema is, for editors.
    #[serde(default, rename = "$schema")]
    pub schema: Option<String>,
    /// The name.
    pub name: String,
    /// A headline.
    pub title: String,
    /// What is to be seen.
    #[serde(default)]
    pub summary: String,
    /// The Kubernetes tutorial that it shows, 1 to 7.
    #[serde(default)]
    pub tutorial: Option<u8>,
    /// The virtual time at the start.
    #[serde(default = "default_start")]
    pub start: Timestamp,
    /// When the run ends at the latest.
    #[serde(default = "default_until")]
    pub until: Duration,
    /// Decides every random choice.
    #[serde(default)]
    pub seed: u64,
    /// What the cluster is made of.
    #[serde(default)]
    pub cluster: Cluster,
    /// Queues by `host/name`.
    #[serde(default)]
    pub queues: BTreeMap<String, QueueConfig>,
    /// Objects created at the start.
    #[serde(default)]
    pub manifests: Vec<Value>,
    /// What containers do.
    #[serde(default)]
    pub behaviours: Vec<Behaviour>,
    /// What is done, and when.
    #[serde(default)]
    pub actions: Vec<Action>,
    /// What has to hold.
    #[serde(default)]
    pub assertions: Vec<Assertion>,
    /// The variants; none once one is laid over.
    #[serde(default)]
    pub variants: Vec<Variant>,
}

fn default_start() -> Timestamp {
    Config::default().start
}

fn default_until() -> Duration {
    Duration::from_seconds(600)
}

/// A variant: an overlay.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Variant {
    /// The name.
    pub name: String,
    /// A headline.
    pub title: String,
    /// What is to be seen.
    #[serde(default)]
    pub summary: String,
    /// What is laid over the scenario.
    pub patch: Value,
}

/// What the cluster is made of.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Cluster {
    /// Nodes; `node-1` and `node-2` when left out.
    pub nodes: Option<Vec<Node>>,
    /// Images by name.
    pub images: BTreeMap<String, Image>,
    /// Limits of the API server.
    pub api: ApiConfig,
    /// How the controllers run.
    pub controller: Controller,
}

/// A node.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// How many Pods fit.
    #[serde(default)]
    pub pods: Option<u32>,
    /// CPU, as a quantity.
    #[serde(default)]
    pub cpu: Option<Value>,
    /// Memory, as a quantity.
    #[serde(default)]
    pub memory: Option<Value>,
    /// Labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Taints.
    #[serde(default)]
    pub taints: Vec<String>,
}

impl Node {
    fn config(&self) -> NodeConfig {
        let default = NodeConfig::named(&self.name);
        let thousandths = |value: &Option<Value>| value.as_ref().and_then(quantity::thousandths);
        NodeConfig {
            pods: self.pods.unwrap_or(default.pods),
            cpu_millis: thousandths(&self.cpu).map_or(default.cpu_millis, saturated),
            memory_bytes: thousandths(&self.memory)
                .map_or(default.memory_bytes, |bytes| saturated(bytes / 1000)),
            labels: self.labels.clone(),
            taints: self.taints.clone(),
            name: default.name,
        }
    }
}

fn saturated(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// How an image pulls.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Image {
    /// How long a pull takes.
    pub pull: Duration,
    /// Why it cannot be pulled.
    pub error: Option<String>,
}

/// How the controllers run; what is not set is as in Kubernetes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Controller {
    qps: Option<f64>,
    burst: Option<u32>,
    pod_failure_backoff: Option<Duration>,
    pod_failure_backoff_max: Option<Duration>,
    sync_batch_period: Option<Duration>,
    api_backoff: Option<Duration>,
    api_backoff_max: Option<Duration>,
    watch_latency: Option<Duration>,
    call_latency: Option<Duration>,
    ttl: Option<bool>,
    workers: Option<usize>,
    max_uncounted_pods: Option<usize>,
    max_pod_create_delete_per_sync: Option<i32>,
}

impl Controller {
    fn config(&self) -> ControllerConfig {
        let nanos = |set: Option<Duration>, default: i64| set.map_or(default, Duration::nanos);
        let (default, settings) = (ControllerConfig::default(), Settings::DEFAULT);
        ControllerConfig {
            settings: Settings {
                pod_failure_backoff_nanos: nanos(
                    self.pod_failure_backoff,
                    settings.pod_failure_backoff_nanos,
                ),
                pod_failure_backoff_max_nanos: nanos(
                    self.pod_failure_backoff_max,
                    settings.pod_failure_backoff_max_nanos,
                ),
                sync_batch_period_nanos: nanos(self.sync_batch_period, settings.sync_batch_period_nanos),
                max_uncounted_pods: self.max_uncounted_pods.unwrap_or(settings.max_uncounted_pods),
                max_pod_create_delete_per_sync: self
                    .max_pod_create_delete_per_sync
                    .unwrap_or(settings.max_pod_create_delete_per_sync),
                ..settings
            },
            qps: self.qps.unwrap_or(default.qps),
            burst: self.burst.unwrap_or(default.burst),
            api_backoff_nanos: nanos(self.api_backoff, default.api_backoff_nanos),
            api_backoff_max_nanos: nanos(self.api_backoff_max, default.api_backoff_max_nanos),
            watch_latency_nanos: nanos(self.watch_latency, default.watch_latency_nanos),
            call_latency_nanos: nanos(self.call_latency, default.call_latency_nanos),
            ttl: self.ttl.unwrap_or(default.ttl),
            workers: self.workers.unwrap_or(default.workers),
            ..default
        }
    }
}

/// What the containers do that `matches` selects.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Behaviour {
    /// A name, for variants.
    #[serde(default)]
    pub name: Option<String>,
    /// Which containers.
    #[serde(default)]
    pub matches: Match,
    /// What they do.
    pub script: Vec<Step>,
    /// The exit code with which they end when they are asked to stop; unset, they do not heed SIGTERM.
    #[serde(default)]
    pub on_term: Option<i32>,
    /// How long they run before they are ready.
    #[serde(default)]
    pub ready_after: Duration,
}

/// One step of a container's script.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Step {
    /// Works for so long.
    Run(Duration),
    /// Prints a line.
    Print(String),
    /// Ends with this exit code.
    Exit(i32),
    /// Is killed for using too much memory.
    OomKill,
    /// Runs for ever.
    Block,
    /// Waits until these names resolve and answer.
    WaitForDns(Vec<String>),
    /// Takes one message.
    #[serde(rename_all = "camelCase")]
    Consume {
        /// The queue.
        queue: String,
        /// What is done with the message.
        work: Vec<Step>,
        /// Acknowledge first.
        #[serde(default)]
        ack_first: bool,
    },
    /// Works on items until there are no more.
    #[serde(rename_all = "camelCase")]
    WorkList {
        /// The list.
        queue: String,
        /// How long a lease lasts.
        lease: Duration,
        /// How long an empty take waits.
        block_timeout: Duration,
        /// What is done with an item.
        work: Vec<Step>,
    },
}

impl Step {
    fn act(&self) -> config::Act {
        use config::Act;
        let acts = |steps: &[Step]| steps.iter().map(Step::act).collect();
        match self {
            Step::Run(time) => Act::Run(time.millis()),
            Step::Print(line) => Act::Print(line.clone()),
            Step::Exit(code) => Act::Exit(*code),
            Step::OomKill => Act::OomKill,
            Step::Block => Act::Block,
            Step::WaitForDns(names) => Act::WaitForDns(names.clone()),
            Step::Consume { queue, work, ack_first } => {
                Act::Consume { queue: queue.clone(), work: acts(work), ack_first: *ack_first }
            }
            Step::WorkList { queue, lease, block_timeout, work } => Act::WorkList {
                queue: queue.clone(),
                lease_millis: lease.millis(),
                block_millis: block_timeout.millis(),
                work: acts(work),
            },
        }
    }

    /// The queue that the step uses, and the steps inside.
    pub(crate) fn queue(&self) -> Option<(&str, &[Step])> {
        match self {
            Step::Consume { queue, work, .. } | Step::WorkList { queue, work, .. } => Some((queue, work)),
            _ => None,
        }
    }
}

impl Scenario {
    /// The cluster to run it in.
    pub fn config(&self) -> Config {
        let cluster = &self.cluster;
        let default = Config::default();
        let image = |image: &Image| ImageConfig {
            pull_millis: image.pull.millis(),
            error: image.error.clone(),
            size_bytes: 0,
        };
        let behaviour = |behaviour: &Behaviour| config::Behaviour {
            matches: behaviour.matches.clone(),
            script: behaviour.script.iter().map(Step::act).collect(),
            on_term: behaviour.on_term,
            ready_after_millis: behaviour.ready_after.millis(),
        };
        Config {
            seed: self.seed,
            start: self.start,
            nodes: cluster
                .nodes
                .as_ref()
                .map_or_else(|| default.nodes.clone(), |nodes| nodes.iter().map(Node::config).collect()),
            images: cluster.images.iter().map(|(name, found)| (name.clone(), image(found))).collect(),
            controller: cluster.controller.config(),
            api: cluster.api.clone(),
            behaviours: self.behaviours.iter().map(behaviour).collect(),
            queues: self.queues.clone(),
            ..default
        }
    }

    /// How many Pods the largest Job wants.
    pub(crate) fn pods(&self) -> usize {
        let wanted = |manifest: &Value| {
            let of = |key: &str| manifest["spec"][key].as_u64().unwrap_or(0);
            usize::try_from(of("completions").max(of("parallelism"))).unwrap_or(usize::MAX)
        };
        self.manifests.iter().map(wanted).max().unwrap_or(0)
    }

    /// How many objects are created by hand.
    pub(crate) fn size(&self) -> usize {
        let applied = self.actions.iter().map(|action| match &action.verb {
            Verb::Apply(objects) => objects.len(),
            Verb::Expand(expansion) => expansion.len(),
            _ => 0,
        });
        self.manifests.len() + applied.sum::<usize>()
    }
}
