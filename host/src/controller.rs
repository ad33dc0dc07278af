//! `jobpolicy controller`: Jobs and CronJobs on a real cluster, decided by `policy-core`.
//!
//! Watches fill a cache and wake keys in work queues; workers take keys, decide, and carry out the waves of calls. What
//! is decided is the core's; what is here is when to ask, how to call, and what to do when a call is not answered.

use crate::diagnostic::Diagnostic;
use api::Api;
use clock::Clock;
use events::Recorder;
use lease::{Election, Leadership};
use limiter::Limiter;
use metrics::Metrics;
pub use options::{LeaseOptions, Options};
use orphans::Orphans;
use policy_core::spec::Job;
use queue::Queue;
pub use rights::rbac_manifest;
use state::{Key, State};
use std::future::Future;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

mod api;
mod checks;
mod clock;
mod connect;
mod cron_jobs;
mod events;
pub mod fetch;
mod jobs;
mod lease;
mod limiter;
mod metrics;
mod objects;
mod options;
mod orphans;
mod queue;
pub mod record;
mod reflect;
mod rights;
mod serve;
mod state;
mod ttl;
pub mod uninstall;

/// The value of `spec.managedBy` that means this controller, unless told otherwise.
pub const MANAGED_BY: &str = "jobpolicy.dev/controller";

/// How long calls that are under way may take when the process is to end.
const GRACE: Duration = Duration::from_secs(5);

/// What all tasks share.
pub(crate) struct Controller {
    options: Options,
    clock: Clock,
    api: Api,
    metrics: Arc<Metrics>,
    recorder: Recorder,
    leadership: Leadership,
    stopping: AtomicBool,
    state: Mutex<State>,
    job_queue: Queue<Key>,
    cron_job_queue: Queue<Key>,
    ttl_queue: Queue<Key>,
    orphans: Orphans,
    /// What each watch waits for, if it does.
    watches: Mutex<Vec<Watched>>,
}

/// A watch as probes see it.
struct Watched {
    resource: &'static str,
    synced: watch::Receiver<bool>,
    trouble: watch::Receiver<Option<String>>,
}

/// How the process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was asked to.
    Asked,
    /// Another replica leads.
    LeaseLost,
}

/// Runs until the process is asked to end.
///
/// # Errors
/// It could not start: no cluster, no rights, another controller at work.
pub fn run(options: Options) -> Result<End, Diagnostic> {
    // One thread is enough for what the API server takes: a second one only wakes the first up, which has cost 30 % more
    // processor time.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Diagnostic::error(format!("cannot start threads: {error}")))?;
    let end = runtime.block_on(start(options));
    // Calls whose answer nobody waits for do not hold the process up.
    runtime.shutdown_background();
    end
}

async fn start(options: Options) -> Result<End, Diagnostic> {
    // Signals count from the start.
    let stop = stop_signal()?;
    let clock = Clock::new();
    let connection = connect::connect(options.kubeconfig.as_deref(), None).await?;
    let metrics = Arc::new(Metrics::default());
    let limiter = Arc::new(Limiter::new(clock, options.qps, options.burst));
    let api = Api::new(connection.client, limiter, metrics.clone());
    let listener = listen(&options).await?;
    let checked = async {
        checks::server(&api, &connection.server).await?;
        checks::rights(&api, &options).await?;
        if options.all && !options.force && !options.dry_run {
            checks::others(&api, &options, clock).await?;
        }
        Ok::<(), Diagnostic>(())
    };
    tokio::select! {
        checked = checked => checked?,
        () = stop.clone().wait() => return Ok(End::Asked),
    }
    let elects = options.leader_elect.unwrap_or(connection.in_cluster) && !options.dry_run;
    let lease_namespace = options.lease.namespace.clone().unwrap_or(connection.namespace);
    let election = elects.then(|| Election::new(api.clone(), clock, options.lease.clone(), &lease_namespace));
    let controller = Arc::new(Controller::new(options, clock, api, metrics, election.is_some()));
    if let Some(listener) = listener {
        tokio::spawn(serve::serve(listener, controller.clone()));
    }
    Ok(controller.run(election, stop).await)
}

async fn listen(options: &Options) -> Result<Option<tokio::net::TcpListener>, Diagnostic> {
    let Some(address) = options.metrics_address else { return Ok(None) };
    let mut bound = tokio::net::TcpListener::bind(address).await;
    if bound.is_err() && address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
        // `:PORT` on a machine without IPv6.
        bound = tokio::net::TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port())).await;
    }
    bound.map(Some).map_err(|error| {
        Diagnostic::error(format!("cannot listen on {address}: {error}"))
            .help("pass another --metrics-bind-address, or 0 for none")
    })
}

/// Becomes true when the process is asked to end.
#[derive(Clone)]
struct Stop(watch::Receiver<bool>);

impl Stop {
    async fn wait(mut self) {
        // The sender lives as long as the process.
        let _ = self.0.wait_for(|stops| *stops).await;
    }
}

fn stop_signal() -> Result<Stop, Diagnostic> {
    let asked = asked_to_end()?;
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        asked.await;
        sender.send_replace(true);
        // Keeps the channel open for those who ask later.
        sender.closed().await;
    });
    Ok(Stop(receiver))
}

/// Ends when the process is asked to end; requests count from the call on.
#[cfg(unix)]
fn asked_to_end() -> Result<impl Future<Output = ()>, Diagnostic> {
    use tokio::signal::unix::{SignalKind, signal};
    let failed = |error| Diagnostic::error(format!("cannot wait for signals: {error}"));
    let mut term = signal(SignalKind::terminate()).map_err(failed)?;
    let mut int = signal(SignalKind::interrupt()).map_err(failed)?;
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
    })
}

/// Ends when the process is asked to end.
#[cfg(not(unix))]
fn asked_to_end() -> Result<impl Future<Output = ()>, Diagnostic> {
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "cannot wait for signals");
            std::future::pending::<()>().await;
        }
    })
}

impl Controller {
    fn new(options: Options, clock: Clock, api: Api, metrics: Arc<Metrics>, elected: bool) -> Self {
        let (first, longest) = (options.api_backoff_nanos, options.api_backoff_max_nanos);
        Controller {
            recorder: Recorder::start(api.clone(), clock, options.dry_run),
            leadership: Leadership::new(clock, elected),
            stopping: AtomicBool::new(false),
            state: Mutex::new(State::default()),
            job_queue: Queue::new(clock, first, longest),
            cron_job_queue: Queue::new(clock, ttl::RETRY_NANOS.0, ttl::RETRY_NANOS.1),
            ttl_queue: Queue::new(clock, ttl::RETRY_NANOS.0, ttl::RETRY_NANOS.1),
            orphans: Queue::new(clock, first, longest),
            watches: Mutex::new(Vec::new()),
            options,
            clock,
            api,
            metrics,
        }
    }

    /// Follows the cluster, and works while this replica leads.
    async fn run(self: &Arc<Self>, election: Option<Election>, stop: Stop) -> End {
        let follows = self.clone();
        let mut caches = JoinSet::new();
        caches.spawn(async move { follows.follow().await });
        let mut workers = JoinSet::new();
        let (end, election) = self.lead(election, stop, &mut workers).await;
        self.stopping.store(true, Ordering::Release);
        self.drain(&mut workers).await;
        if let Some(mut election) = election {
            election.release(&self.leadership).await;
        }
        if tokio::time::timeout(GRACE, self.recorder.flush()).await.is_err() {
            tracing::warn!("events are not written before the end");
        }
        tracing::info!(?end, "ended");
        end
    }

    /// Leads until the process is asked to end or another replica leads.
    async fn lead(
        self: &Arc<Self>,
        election: Option<Election>,
        stop: Stop,
        workers: &mut JoinSet<()>,
    ) -> (End, Option<Election>) {
        let Some(mut election) = election else {
            self.metrics.leads(true);
            tokio::select! {
                () = self.synced() => self.work(workers),
                () = stop.clone().wait() => {}
            }
            stop.wait().await;
            return (End::Asked, None);
        };
        self.metrics.leads(false);
        let won = tokio::select! {
            () = async { self.synced().await; election.win(&self.leadership).await } => true,
            () = stop.clone().wait() => false,
        };
        if !won {
            return (End::Asked, Some(election));
        }
        self.metrics.leads(true);
        self.work(workers);
        let end = tokio::select! {
            () = election.keep(&self.leadership) => End::LeaseLost,
            () = stop.wait() => End::Asked,
        };
        self.metrics.leads(false);
        (end, Some(election))
    }

    /// Starts the watches: Jobs before Pods, so that Pods are digested as they come.
    async fn follow(self: Arc<Self>) {
        let path = |group: &str, resource: &str| match &self.options.namespace {
            Some(namespace) => format!("{group}/namespaces/{namespace}/{resource}"),
            None => format!("{group}/{resource}"),
        };
        let (batch, core) = ("/apis/batch/v1", "/api/v1");
        let (jobs, pods) = (self.watched("jobs"), self.watched("pods"));
        let cron_jobs = self.options.all.then(|| self.watched("cronjobs"));
        let jobs_synced = jobs.0.subscribe();
        let mut watches: JoinSet<()> = JoinSet::new();
        let sink = jobs::JobSink(self.clone());
        watches.spawn(reflect::follow(self.api.clone(), path(batch, "jobs"), sink, jobs.0, jobs.1));
        wait_until(jobs_synced).await;
        let sink = jobs::PodSink(self.clone());
        watches.spawn(reflect::follow(self.api.clone(), path(core, "pods"), sink, pods.0, pods.1));
        if let Some(cron_jobs) = cron_jobs {
            let sink = cron_jobs::CronJobSink(self.clone());
            let path = path(batch, "cronjobs");
            watches.spawn(reflect::follow(self.api.clone(), path, sink, cron_jobs.0, cron_jobs.1));
        }
        while watches.join_next().await.is_some() {}
    }

    fn watched(&self, resource: &'static str) -> (watch::Sender<bool>, reflect::Trouble) {
        let (synced, trouble) = (watch::Sender::new(false), watch::Sender::new(None));
        let watched = Watched { resource, synced: synced.subscribe(), trouble: trouble.subscribe() };
        self.watches.lock().unwrap_or_else(PoisonError::into_inner).push(watched);
        (synced, trouble)
    }

    /// Waits until every cache has been filled.
    async fn synced(&self) {
        while self.not_ready().is_some() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tracing::info!("all caches are filled");
    }

    /// Why the process is not ready, if it is not.
    fn not_ready(&self) -> Option<String> {
        let watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        if watches.is_empty() {
            return Some("not started yet".into());
        }
        let waiting = watches.iter().find(|watched| !*watched.synced.borrow())?;
        let trouble = waiting.trouble.borrow().clone();
        Some(trouble.unwrap_or_else(|| format!("the list of {} is not complete yet", waiting.resource)))
    }

    fn work(self: &Arc<Self>, workers: &mut JoinSet<()>) {
        for _ in 0..self.options.job_workers.max(1) {
            workers.spawn(jobs::work(self.clone()));
            workers.spawn(orphans::work(self.clone()));
        }
        if self.options.all {
            for _ in 0..self.options.cron_job_workers.max(1) {
                workers.spawn(cron_jobs::work(self.clone()));
            }
        }
        if self.options.ttl {
            workers.spawn(ttl::work(self.clone()));
        }
        tracing::info!("at work");
    }

    /// Waits for syncs that are under way, for a while. Workers that wait for keys wait for nothing.
    async fn drain(&self, workers: &mut JoinSet<()>) {
        self.job_queue.end();
        self.cron_job_queue.end();
        self.ttl_queue.end();
        self.orphans.end();
        let drained = async { while workers.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, drained).await.is_err() {
            tracing::warn!("calls are under way whose answers nobody waits for");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What a task that panicked has left half done is no worse than what a crash leaves.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Whether calls that change anything may be made now. Asked before every wave.
    fn may_write(&self) -> bool {
        !self.is_stopping() && !self.options.dry_run && self.leadership.leads()
    }

    /// A Job has changed, or is gone: others than the Job controller look at it too.
    fn job_changed(&self, key: &Key, before: Option<&Job>, job: &Job) {
        cron_jobs::job_changed(self, before, job);
        ttl::job_changed(self, key, job);
    }

    /// Prints a line of a dry run.
    fn say(&self, line: &str) {
        let written = writeln!(std::io::stdout().lock(), "{line}");
        if let Err(error) = written {
            tracing::error!(%error, "standard output cannot be written");
        }
    }
}

/// Waits until it is true.
async fn wait_until(mut receiver: watch::Receiver<bool>) {
    // A sender that is gone has nothing more to wait for.
    let _ = receiver.wait_for(|is_true| *is_true).await;
}
