//! `jobpolicy record`: the watch streams of a cluster, as files that `jobpolicy replay` reads.

use super::api::Api;
use super::fetch::{CRON_JOBS, Cluster, JOBS, PODS, Reader, Resource};
use super::reflect::{self, FIRST_DELAY, LONGEST_DELAY, escape};
use super::{Stop, stop_signal};
use crate::diagnostic::Diagnostic;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use stream::{Cut, Stream};
use tokio::task::JoinSet;

mod file;
mod stream;

use file::StreamFile;

/// Streams are recorded in the API version that the newer controllers write.
const EVENTS: Resource = Resource::new("events", "Event", "events.k8s.io/v1", "/apis/events.k8s.io/v1");
const NODES: Resource = Resource::new("nodes", "Node", "v1", "/api/v1");
/// How often what has come is written, and progress told.
const WRITE_PERIOD: Duration = Duration::from_secs(1);
/// At the end, how long slower streams may take to come as far as the fastest one.
const LAST_EVENTS: Duration = Duration::from_secs(1);

/// What is recorded and where.
#[derive(Clone, Debug)]
pub struct Options {
    /// The cluster and the namespace.
    pub cluster: Cluster,
    /// Every namespace instead of one.
    pub all_namespaces: bool,
    /// The directory, which is made if it is not there.
    pub directory: PathBuf,
    /// How long; without it, until the process is asked to end.
    pub duration: Option<Duration>,
    /// A label selector for Jobs, CronJobs and Pods.
    pub selector: Option<String>,
    /// Whether the directory may hold files, and streams of the same names are replaced.
    pub force: bool,
}

/// Who is told how the recording goes.
pub trait Observer {
    /// How many events each stream has.
    fn progress(&self, counts: &BTreeMap<&'static str, u64>);
    /// Something that is worth knowing.
    fn warning(&self, warning: Diagnostic);
}

/// Records until the time is over or the process is asked to end; returns how many events each stream has.
///
/// # Errors
/// No cluster, a missing right, a directory that is in use, or a file that cannot be written. What was recorded up to
/// then can be read.
pub fn record(options: &Options, observer: &dyn Observer) -> Result<BTreeMap<&'static str, u64>, Diagnostic> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Diagnostic::error(format!("cannot start threads: {error}")))?;
    let counts = runtime.block_on(run(options, observer));
    runtime.shutdown_background();
    counts
}

async fn run(options: &Options, observer: &dyn Observer) -> Result<BTreeMap<&'static str, u64>, Diagnostic> {
    let stop = stop_signal()?;
    refuse_used(&options.directory, options.force)?;
    let reader = Arc::new(options.cluster.connect().await?);
    let started = tokio::select! {
        started = Session::start(options, reader, observer) => started?,
        () = stop.clone().wait() => return Ok(BTreeMap::new()),
    };
    started.run(options.duration, stop, observer).await
}

/// A directory with anything in it is somebody's.
fn refuse_used(directory: &Path, force: bool) -> Result<(), Diagnostic> {
    let shown = directory.display();
    match fs::read_dir(directory).map(|mut entries| entries.next().is_some()) {
        Ok(used) if used && !force => Err(Diagnostic::error(format!("the directory `{shown}` is not empty"))
            .help("pass another one, or --force to replace the streams in it")),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Diagnostic::error(format!("cannot record into `{shown}`: {error}"))
                .help("expected a directory"))
        }
        _ => Ok(()),
    }
}

/// The streams under way.
struct Session {
    cut: Arc<Cut>,
    streams: Vec<(Arc<Stream>, StreamFile)>,
    /// Each ends only with what cannot be waited out.
    followers: JoinSet<Diagnostic>,
}

impl Session {
    /// Lists everything, then makes the files and starts the watches: without the rights no file is made.
    async fn start(
        options: &Options,
        reader: Arc<Reader>,
        observer: &dyn Observer,
    ) -> Result<Session, Diagnostic> {
        let namespace = (!options.all_namespaces).then(|| reader.namespace.clone());
        let cut = Arc::new(Cut::default());
        let mut listed = Vec::new();
        for resource in [NODES, EVENTS, CRON_JOBS, JOBS, PODS] {
            let namespace = namespace.as_deref().filter(|_| resource != NODES);
            let path = path_of(resource, namespace, options.selector.as_deref());
            let stream = Arc::new(Stream::new(resource, cut.clone()));
            match reflect::list(&reader.api, &path, &Shared(stream.clone())).await {
                Ok(version) => listed.push((stream, path, version)),
                Err(error) if resource == NODES && error.code == 403 => {
                    let warning = reader.failed(&error, "list", resource, None);
                    observer.warning(Diagnostic::warning(warning.title).help("nodes are left out"));
                }
                Err(error) => return Err(reader.failed(&error, "list", resource, namespace)),
            }
        }
        fs::create_dir_all(&options.directory).map_err(|error| {
            Diagnostic::error(format!("cannot make the directory `{}`: {error}", options.directory.display()))
        })?;
        let mut session = Session { cut, streams: Vec::new(), followers: JoinSet::new() };
        for (stream, path, version) in listed {
            let name = format!("{}.ndjson.gz", stream.resource().name);
            let file = StreamFile::create(options.directory.join(name))?;
            let follower = follow(reader.clone(), path, stream.clone(), version, namespace.clone());
            session.streams.push((stream, file));
            session.followers.spawn(follower);
        }
        Ok(session)
    }

    async fn run(
        mut self,
        duration: Option<Duration>,
        stop: Stop,
        observer: &dyn Observer,
    ) -> Result<BTreeMap<&'static str, u64>, Diagnostic> {
        let mut ticks = tokio::time::interval(WRITE_PERIOD);
        let over = async {
            match duration {
                Some(duration) => tokio::time::sleep(duration).await,
                None => std::future::pending().await,
            }
        };
        let ended = async {
            tokio::select! { () = over => {}, () = stop.wait() => {} }
        };
        tokio::pin!(ended);
        let mut failed = None;
        while failed.is_none() {
            tokio::select! {
                _ = ticks.tick() => self.write(observer)?,
                () = &mut ended => break,
                Some(end) = self.followers.join_next() => {
                    failed = Some(end.unwrap_or_else(|error| Diagnostic::error(format!("a watch broke off: {error}"))));
                }
            }
        }
        // All streams end at the same version, or the last writes would lack what they follow from.
        self.cut.at_highest();
        if failed.is_none() {
            tokio::time::sleep(LAST_EVENTS).await;
        }
        self.followers.shutdown().await;
        self.write(observer)?;
        match failed {
            Some(problem) => Err(problem),
            None => Ok(self.counts()),
        }
    }

    fn write(&mut self, observer: &dyn Observer) -> Result<(), Diagnostic> {
        for (stream, file) in &mut self.streams {
            file.append(&stream.take())?;
            stream.notes().into_iter().for_each(|note| observer.warning(note));
        }
        observer.progress(&self.counts());
        Ok(())
    }

    fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.streams.iter().map(|(stream, _)| (stream.resource().name, stream.count())).collect()
    }
}

fn path_of(resource: Resource, namespace: Option<&str>, selector: Option<&str>) -> String {
    let path = resource.path(namespace);
    match selector.filter(|_| [JOBS, CRON_JOBS, PODS].contains(&resource)) {
        Some(selector) => format!("{path}?labelSelector={}", escape(selector)),
        None => path,
    }
}

/// A stream that its file's writer looks at, too.
struct Shared(Arc<Stream>);

/// Watches on from a list, and lists again when the watch has fallen too far behind.
async fn follow(
    reader: Arc<Reader>,
    path: String,
    stream: Arc<Stream>,
    mut version: String,
    namespace: Option<String>,
) -> Diagnostic {
    let (api, resource): (&Api, Resource) = (&reader.api, stream.resource());
    let namespace = namespace.as_deref().filter(|_| resource != NODES);
    let sink = Shared(stream.clone());
    let (mut delay, mut lists) = (FIRST_DELAY, false);
    loop {
        let before = version.clone();
        let verb = if lists { "list" } else { "watch" };
        let ended = match lists {
            true => reflect::list(api, &path, &sink).await.map(|listed| version = listed),
            false => reflect::watch_once(api, &path, &sink, &mut version).await,
        };
        if version != before {
            delay = FIRST_DELAY;
        }
        match ended {
            Ok(()) => {
                lists = false;
                // Whoever cuts watches short must not make this a busy loop.
                tokio::time::sleep(FIRST_DELAY / 5).await;
            }
            Err(error) if error.is_expired() => {
                lists = true;
                stream.note(Diagnostic::warning(format!(
                    "the watch of {} fell too far behind and began again from a list: what happened in between is \
                     not in the recording, and replaying it asks only for what came later",
                    resource.name
                )));
            }
            Err(error) if error.is_forbidden() => return reader.failed(&error, verb, resource, namespace),
            Err(error) => {
                let trouble = reader.failed(&error, verb, resource, namespace);
                stream.note(Diagnostic::warning(trouble.title).help("it is tried again until it works"));
                tokio::time::sleep(delay).await;
                delay = (delay * 2).min(LONGEST_DELAY);
            }
        }
    }
}

/// A lock that holds although a thread broke off: what is behind it is whole after every statement.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
