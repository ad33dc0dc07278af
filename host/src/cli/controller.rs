//! `jobpolicy controller`.

use super::{Console, Failure, Outcome, Verdict};
use crate::controller::{self, End, LeaseOptions, Options};
use crate::diagnostic::Diagnostic;
use clap::ArgAction;
use gates::FeatureGates;
use policy_core::{Manages, Settings};
use std::path::PathBuf;

mod address;
pub(super) mod duration;
mod gates;
mod log;

use duration::nanos;

/// Run Jobs and CronJobs on a cluster, beside the built-in controller or instead of it
///
/// Beside the built-in controller (the default) it runs the Jobs whose `spec.managedBy` names it, and touches nothing
/// else; CronJobs make such Jobs through `jobTemplate.spec.managedBy`. With `--all` it takes the place of the built-in
/// Job and CronJob controllers, which must be turned off. Flags that the built-in controllers have, too, have their
/// names.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The kubeconfig; else KUBECONFIG, else ~/.kube/config, else the account of the Pod
    #[arg(long, value_name = "FILE", help_heading = "Cluster")]
    kubeconfig: Option<PathBuf>,
    /// Look at this namespace only
    #[arg(long, short, value_name = "NAMESPACE", help_heading = "Cluster")]
    namespace: Option<String>,
    /// Calls a second
    #[arg(long, value_name = "N", default_value_t = 20.0, help_heading = "Cluster")]
    kube_api_qps: f64,
    /// Calls at once
    #[arg(long, value_name = "N", default_value_t = 30, help_heading = "Cluster")]
    kube_api_burst: u32,

    /// The value of `spec.managedBy` that means this controller
    #[arg(
        long,
        value_name = "NAME",
        default_value = controller::MANAGED_BY,
        help_heading = "What is ours"
    )]
    managed_by: String,
    /// Take the place of the built-in Job and CronJob controllers
    #[arg(long, help_heading = "What is ours")]
    all: bool,
    /// With --all, start even if another controller wrote statuses lately
    #[arg(long, help_heading = "What is ours")]
    force: bool,
    /// Delete finished Jobs when their time to live is over; not needed where the cluster does it
    #[arg(long, help_heading = "What is ours")]
    ttl: bool,
    /// Decide and print, but write nothing
    #[arg(long, help_heading = "What is ours")]
    dry_run: bool,
    /// Print the ClusterRole and the Role that these options need, and end
    #[arg(long, help_heading = "What is ours")]
    print_rbac: bool,

    /// Where /metrics, /livez and /readyz are served; 0 for nowhere
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", value_parser = address::parse,
        help_heading = "Process")]
    metrics_bind_address: address::Address,
    /// How many Jobs are worked on at once
    #[arg(long, value_name = "N", default_value_t = 5, help_heading = "Process")]
    concurrent_job_syncs: usize,
    /// How many CronJobs are worked on at once
    #[arg(long, value_name = "N", default_value_t = 5, help_heading = "Process")]
    concurrent_cron_job_syncs: usize,
    /// Say more: once for debugging, twice for everything; RUST_LOG says it by module
    #[arg(long, short, action = ArgAction::Count, help_heading = "Process")]
    verbose: u8,
    /// Write the log as JSON lines
    #[arg(long, help_heading = "Process")]
    log_json: bool,

    /// Whether replicas elect a leader; unset: in a cluster they do
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        help_heading = "Leader election")]
    leader_elect: Option<bool>,
    /// The namespace of the lease; unset: the one of the configuration
    #[arg(long, value_name = "NAMESPACE", help_heading = "Leader election")]
    leader_elect_resource_namespace: Option<String>,
    /// The name of the lease
    #[arg(
        long,
        value_name = "NAME",
        default_value = "jobpolicy-controller",
        help_heading = "Leader election"
    )]
    leader_elect_resource_name: String,
    /// How long a leader that is not heard of leads on
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = nanos, help_heading = "Leader election")]
    leader_elect_lease_duration: i64,
    /// How long a leader tries to renew its lease
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = nanos, help_heading = "Leader election")]
    leader_elect_renew_deadline: i64,
    /// How often the lease is looked at
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = nanos, help_heading = "Leader election")]
    leader_elect_retry_period: i64,

    /// Wait after the first failure of a Pod; doubles with each further one
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = nanos, help_heading = "Jobs")]
    job_pod_failure_backoff: i64,
    /// The longest such wait
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = nanos, help_heading = "Jobs")]
    job_pod_failure_backoff_max: i64,
    /// How long events of a Job's Pods are gathered
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = nanos, help_heading = "Jobs")]
    job_sync_batch_period: i64,
    /// Wait after the first sync that failed; doubles with each further one
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = nanos, help_heading = "Jobs")]
    job_api_backoff: i64,
    /// The longest such wait
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = nanos, help_heading = "Jobs")]
    job_api_backoff_max: i64,
    /// How many ended Pods a status may list as uncounted
    #[arg(long, value_name = "N", default_value_t = 500, help_heading = "Jobs")]
    job_max_uncounted_pods: usize,
    /// How many Pods a sync may create or delete
    #[arg(long, value_name = "N", default_value_t = 500, help_heading = "Jobs")]
    job_max_pod_create_delete_per_sync: i32,
    /// Feature gates: NAME=true,NAME=false,…
    #[arg(long, value_name = "GATES", default_value = "", help_heading = "Jobs")]
    feature_gates: FeatureGates,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Outcome {
    let mut problems = args.feature_gates.problems();
    problems.extend(args.problems());
    if !problems.is_empty() {
        return Err(Failure::Problems(problems));
    }
    if args.print_rbac {
        console.stream(|out| out.write_all(controller::rbac_manifest(&args.options()).as_bytes()))?;
        return Ok(Verdict::Yes);
    }
    log::start(args.verbose, args.log_json)?;
    for name in args.feature_gates.unknown() {
        tracing::warn!(gate = name, "this feature gate is not known and changes nothing");
    }
    match controller::run(args.options())? {
        End::Asked => Ok(Verdict::Yes),
        End::LeaseLost => Ok(Verdict::No),
    }
}

impl Args {
    fn problems(&self) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        if self.force && !self.all {
            problems.push(Diagnostic::error("--force means nothing without --all"));
        }
        if !self.managed_by.contains('/') {
            let title = format!("--managed-by: `{}` must be a domain, a slash and a path", self.managed_by);
            problems.push(Diagnostic::error(title).help("for example jobpolicy.dev/controller"));
        }
        let (lease, renew) = (self.leader_elect_lease_duration, self.leader_elect_renew_deadline);
        if lease <= renew || renew <= self.leader_elect_retry_period {
            problems.push(Diagnostic::error(
                "--leader-elect-lease-duration must be longer than --leader-elect-renew-deadline, and that longer \
                 than --leader-elect-retry-period",
            ));
        }
        problems
    }

    fn options(&self) -> Options {
        let name = self.managed_by.clone();
        let manages = if self.all { Manages::InsteadOfBuiltIn(name) } else { Manages::BesideBuiltIn(name) };
        Options {
            kubeconfig: self.kubeconfig.clone(),
            namespace: self.namespace.clone(),
            settings: Settings {
                pod_failure_backoff_nanos: self.job_pod_failure_backoff,
                pod_failure_backoff_max_nanos: self.job_pod_failure_backoff_max,
                sync_batch_period_nanos: self.job_sync_batch_period,
                max_uncounted_pods: self.job_max_uncounted_pods,
                max_pod_create_delete_per_sync: self.job_max_pod_create_delete_per_sync,
                gates: self.feature_gates.gates(),
                manages,
            },
            all: self.all,
            force: self.force,
            dry_run: self.dry_run,
            ttl: self.ttl,
            qps: self.kube_api_qps,
            burst: self.kube_api_burst,
            metrics_address: self.metrics_bind_address.0,
            job_workers: self.concurrent_job_syncs,
            cron_job_workers: self.concurrent_cron_job_syncs,
            api_backoff_nanos: self.job_api_backoff,
            api_backoff_max_nanos: self.job_api_backoff_max,
            waits_for_own_writes: self.feature_gates.waits_for_own_writes(),
            leader_elect: self.leader_elect,
            lease: LeaseOptions {
                namespace: self.leader_elect_resource_namespace.clone(),
                name: self.leader_elect_resource_name.clone(),
                duration_nanos: self.leader_elect_lease_duration,
                renew_deadline_nanos: self.leader_elect_renew_deadline,
                retry_period_nanos: self.leader_elect_retry_period,
            },
        }
    }
}
