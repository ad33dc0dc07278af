//! What the command line asks for.

use policy_core::Settings;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The options of `jobpolicy controller`.
#[derive(Clone, Debug)]
pub struct Options {
    /// The kubeconfig file; without it the environment's, or the Pod's own account.
    pub kubeconfig: Option<PathBuf>,
    /// Only this namespace is looked at.
    pub namespace: Option<String>,
    /// Limits, periods, gates, and which Jobs are ours.
    pub settings: Settings,
    /// Whether the built-in controllers are replaced.
    pub all: bool,
    /// Whether to start even if another controller seems to be at work.
    pub force: bool,
    /// Whether to write nothing.
    pub dry_run: bool,
    /// Whether finished Jobs are deleted when their time to live is over.
    pub ttl: bool,
    /// Calls a second.
    pub qps: f64,
    /// Calls at once.
    pub burst: u32,
    /// Where metrics and probes are served.
    pub metrics_address: Option<SocketAddr>,
    /// How many Jobs are worked on at once.
    pub job_workers: usize,
    /// How many CronJobs are worked on at once.
    pub cron_job_workers: usize,
    /// The first delay of a retry, in nanoseconds.
    pub api_backoff_nanos: i64,
    /// The longest delay of a retry, in nanoseconds.
    pub api_backoff_max_nanos: i64,
    /// Whether a sync waits until own writes are in the cache (gate `StaleControllerConsistencyJob`).
    pub waits_for_own_writes: bool,
    /// Whether replicas elect a leader; unset: in a cluster they do.
    pub leader_elect: Option<bool>,
    /// The lease that they elect it by.
    pub lease: LeaseOptions,
}

/// The lease by which replicas elect a leader.
#[derive(Clone, Debug)]
pub struct LeaseOptions {
    /// Its namespace; unset: the one of the configuration.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// How long it is held without being renewed, in nanoseconds.
    pub duration_nanos: i64,
    /// How long renewing is tried before the leader gives up, in nanoseconds.
    pub renew_deadline_nanos: i64,
    /// How often it is renewed or looked at, in nanoseconds.
    pub retry_period_nanos: i64,
}
