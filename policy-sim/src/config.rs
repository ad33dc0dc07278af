//! What a virtual cluster is made of before anything is created in it.

use crate::policy::{Core, JobPolicy};
use policy_core::{Settings, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The cluster: its clock, its nodes, its limits, and what containers do.
#[derive(Clone, Debug)]
pub struct Config {
    /// Decides every random choice.
    pub seed: u64,
    /// The instant at which the run starts.
    pub start: Timestamp,
    /// Nodes, in the order in which the scheduler prefers equals.
    pub nodes: Vec<NodeConfig>,
    /// Images by name; an image that is not listed pulls at once.
    pub images: BTreeMap<String, ImageConfig>,
    /// How the controllers are run.
    pub controller: ControllerConfig,
    /// What decides about Jobs.
    pub job_policy: Arc<dyn JobPolicy>,
    /// Limits of the API server.
    pub api: ApiConfig,
    /// How long the scheduler, the kubelets and the node controller take.
    pub timing: Timing,
    /// What containers do; the first entry that matches a container decides.
    pub behaviours: Vec<Behaviour>,
    /// Message queues by `host/queue` name, filled at the start.
    pub queues: BTreeMap<String, QueueConfig>,
}

impl Default for Config {
    fn default() -> Self {
        let start = Timestamp::from_unix(1_767_225_610, 0).unwrap_or(Timestamp::ZERO);
        Config {
            seed: 0,
            start,
            nodes: vec![NodeConfig::named("node-1"), NodeConfig::named("node-2")],
            images: BTreeMap::new(),
            controller: ControllerConfig::default(),
            job_policy: Arc::new(Core),
            api: ApiConfig::default(),
            timing: Timing::default(),
            behaviours: Vec::new(),
            queues: BTreeMap::new(),
        }
    }
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeConfig {
    /// Its name.
    pub name: String,
    /// How many Pods fit.
    #[serde(default = "default_pods")]
    pub pods: u32,
    /// Millicores that Pods may request together.
    #[serde(default = "default_cpu")]
    pub cpu_millis: u64,
    /// Bytes that Pods may request together.
    #[serde(default = "default_memory")]
    pub memory_bytes: u64,
    /// Labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Taints as `key=value:Effect` or `key:Effect`.
    #[serde(default)]
    pub taints: Vec<String>,
}

fn default_pods() -> u32 {
    110
}

fn default_cpu() -> u64 {
    8_000
}

fn default_memory() -> u64 {
    32 << 30
}

impl NodeConfig {
    /// A node of the default size.
    pub fn named(name: &str) -> Self {
        NodeConfig {
            name: name.into(),
            pods: default_pods(),
            cpu_millis: default_cpu(),
            memory_bytes: default_memory(),
            labels: BTreeMap::new(),
            taints: Vec::new(),
        }
    }
}

/// How an image pulls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImageConfig {
    /// How long a pull takes, in milliseconds.
    #[serde(default)]
    pub pull_millis: u64,
    /// Why it cannot be pulled, if it cannot.
    #[serde(default)]
    pub error: Option<String>,
    /// Its size in bytes, for the event that reports the pull.
    #[serde(default)]
    pub size_bytes: u64,
}

/// How long the data plane takes for its steps, in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Timing {
    /// From a Pod's creation to its binding.
    pub schedule_millis: u64,
    /// Until a kubelet sees a change of a Pod.
    pub watch_millis: u64,
    /// To make a sandbox.
    pub sandbox_millis: u64,
    /// To create and start a container whose image is there.
    pub start_millis: u64,
    /// From a container's end until the kubelet reports it (upstream relists once a second).
    pub notice_millis: u64,
    /// To take a sandbox down after all containers have ended.
    pub teardown_millis: u64,
    /// From a pull's failure until it is reported as backing off.
    pub pull_notice_millis: u64,
    /// Until a silent node is taken for lost (upstream `nodeMonitorGracePeriod`).
    pub node_grace_millis: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Timing {
            schedule_millis: 5,
            watch_millis: 10,
            sandbox_millis: 600,
            start_millis: 250,
            notice_millis: 700,
            teardown_millis: 700,
            pull_notice_millis: 2_000,
            node_grace_millis: 50_000,
        }
    }
}

/// How the Job and CronJob controllers run.
#[derive(Clone, Debug, PartialEq)]
pub struct ControllerConfig {
    /// The core's limits, periods and gates.
    pub settings: Settings,
    /// Calls a second that the client allows itself (upstream's default 20); 0 is no limit.
    pub qps: f64,
    /// Calls at once before the limit bites (upstream's default 30).
    pub burst: u32,
    /// The first delay of a retried sync, in nanoseconds (upstream `DefaultJobApiBackOff`, 1 s).
    pub api_backoff_nanos: i64,
    /// The longest such delay (upstream `MaxJobApiBackOff`, 1 min).
    pub api_backoff_max_nanos: i64,
    /// How long a change takes to reach the controller's cache, in nanoseconds.
    pub watch_latency_nanos: i64,
    /// How long an API call takes, in nanoseconds.
    pub call_latency_nanos: i64,
    /// Whether finished Jobs with a TTL are deleted.
    pub ttl: bool,
    /// How many syncs run at once (upstream's default 5).
    pub workers: usize,
    /// Whether a Job's sync waits until own writes are in the cache (gate `StaleControllerConsistencyJob`).
    pub waits_for_own_writes: bool,
    /// Whether the Job controller writes a status over whatever is there, as careless controllers do; conflicts are then
    /// not noticed.
    pub overwrites_status: bool,
    /// How long the garbage collector takes to act, in nanoseconds.
    pub garbage_latency_nanos: i64,
}

impl Default for ControllerConfig {
    fn default() -> Self {
        ControllerConfig {
            settings: Settings::DEFAULT,
            qps: 20.0,
            burst: 30,
            api_backoff_nanos: 1_000_000_000,
            api_backoff_max_nanos: 60_000_000_000,
            watch_latency_nanos: 2_000_000,
            call_latency_nanos: 4_000_000,
            ttl: true,
            workers: 5,
            waits_for_own_writes: true,
            overwrites_status: false,
            garbage_latency_nanos: 20_000_000,
        }
    }
}

/// Limits of the API server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApiConfig {
    /// How many Pods that have not ended may exist in a namespace; creations beyond are refused with 403.
    #[serde(default)]
    pub quota_pods: Option<u32>,
    /// How many Jobs may exist in a namespace; creations beyond are refused with 403.
    #[serde(default)]
    pub quota_jobs: Option<u32>,
    /// How many creations a second are served; beyond, 429 with a Retry-After of one second.
    #[serde(default)]
    pub creations_per_second: Option<u32>,
    /// How many bytes a Job or CronJob may have when it is written; etcd's default when unset.
    #[serde(default)]
    pub request_bytes: Option<u32>,
}

/// A queue of messages or a list of work items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QueueConfig {
    /// `amqp`: taken messages come back unless acknowledged. `redis`: items are leased.
    pub kind: QueueKind,
    /// What it holds at the start.
    pub items: Vec<String>,
    /// For `redis`: whether a lease that has run out puts its item back.
    #[serde(default)]
    pub reclaim: bool,
}

/// The kind of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum QueueKind {
    /// Acknowledged messages, as RabbitMQ has them.
    Amqp,
    /// Lists with leases, as the tutorial's Redis library has them.
    Redis,
}

/// What the containers do that `matches` selects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Behaviour {
    /// Which containers.
    #[serde(default)]
    pub matches: Match,
    /// What they do, step by step. A script that ends exits with 0.
    pub script: Vec<Act>,
    /// The exit code with which they end when they are asked to stop; unset, they do not heed SIGTERM and are killed
    /// when the grace period is over (exit code 137).
    #[serde(default)]
    pub on_term: Option<i32>,
    /// How long they run before they are ready, in milliseconds.
    #[serde(default)]
    pub ready_after_millis: u64,
}

/// Selects containers; what is not set matches everything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Match {
    /// The Job's name; `*` at the end matches any rest.
    pub job: Option<String>,
    /// The Pod's name; `*` at the end matches any rest.
    pub pod: Option<String>,
    /// The container's name.
    pub container: Option<String>,
    /// Completion indexes, as `0,2-4`.
    pub indexes: Option<String>,
    /// The how-manieth Pod of the Job (of its index, for an Indexed Job), from 1.
    pub attempts: Option<Vec<u32>>,
    /// The how-manieth start of the container in its Pod, from 1.
    pub starts: Option<Vec<u32>>,
    /// Matches with this probability, decided once for each Pod by the seed.
    pub probability: Option<f64>,
}

/// One step of a container's script. Texts may use `${NAME}` for environment variables, `${POD}`, `${INDEX}`, `${ITEM}`
/// (the item taken last) and `${NOW}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub enum Act {
    /// Works for so many milliseconds.
    Run(u64),
    /// Prints a line.
    Print(String),
    /// Ends with this exit code.
    Exit(i32),
    /// Works for so many milliseconds, from the first to the second number; the seed decides at each run.
    RunBetween(u64, u64),
    /// Ends with one of these exit codes, each as likely as its weight says; the seed decides at each run.
    ExitOneOf(Vec<(i32, f64)>),
    /// Is killed for using too much memory: exit code 137, reason OOMKilled.
    OomKill,
    /// Runs for ever.
    Block,
    /// Waits until all of these names resolve and answer; prints failures and successes once a second.
    WaitForDns(Vec<String>),
    /// Takes one message, runs the steps, acknowledges it after they end; blocks while the queue is empty.
    Consume {
        /// The queue.
        queue: String,
        /// What is done with the message.
        work: Vec<Act>,
        /// Acknowledge before the work instead of after it.
        #[serde(default)]
        ack_first: bool,
    },
    /// Leases items and works on them until the main and the processing list are both empty.
    WorkList {
        /// The list.
        queue: String,
        /// How long a lease lasts, in milliseconds.
        lease_millis: u64,
        /// How long an empty take blocks, in milliseconds.
        block_millis: u64,
        /// What is done with an item.
        work: Vec<Act>,
    },
}
