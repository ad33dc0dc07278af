//! `cargo xtask cluster`: a real Kubernetes v1.37 control plane on loopback, for tests.
//!
//! Everything is built from Go modules, runs as the calling user, and ends with `down`. `--node fake` adds kwok's nodes,
//! whose Pods do what their annotations say (`tests/cluster/stages.yaml`); `--node real` adds a node whose Pods are
//! containers (`tests/cluster/node`), which needs root.

use crate::steps::root;
use std::path::{Path, PathBuf};
use std::time::Duration;

mod build;
mod files;
mod images;
mod processes;
mod real;

use processes::Processes;

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Options {
    /// Whether nodes are there, and which.
    node: Node,
    /// The first of the ports that are used.
    base_port: u16,
    /// Whether the built-in Job and CronJob controllers run.
    built_in_controllers: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    None,
    Fake,
    Real,
}

const HELP: &str = "\
cargo xtask cluster up [--node none|fake|real] [--port BASE] [--built-in-controllers]
cargo xtask cluster down | status | kubectl ARGS…";

/// Runs a subcommand.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    match args.first().map(String::as_str) {
        Some("up") => up(&Options::parse(&args[1..])?),
        Some("down") if args.len() == 1 => down(),
        Some("status") if args.len() == 1 => status(),
        Some("kubectl") => kubectl(&args[1..]),
        _ => Err(format!("expected `up`, `down`, `status` or `kubectl`\n\n{HELP}")),
    }
}

impl Options {
    fn parse(args: &[String]) -> Result<Self, String> {
        let mut options = Options { node: Node::Fake, base_port: 22_000, built_in_controllers: false };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--built-in-controllers" => options.built_in_controllers = true,
                "--node" => {
                    options.node = match args.next().map(String::as_str) {
                        Some("none") => Node::None,
                        Some("fake") => Node::Fake,
                        Some("real") => Node::Real,
                        other => {
                            return Err(format!("--node wants none, fake or real, not {other:?}\n\n{HELP}"));
                        }
                    }
                }
                "--port" => {
                    let port = args.next().and_then(|port| port.parse().ok()).filter(|port| *port <= 64_000);
                    options.base_port = port.ok_or_else(|| format!("--port wants a number\n\n{HELP}"))?;
                }
                other => return Err(format!("unknown argument `{other}`\n\n{HELP}")),
            }
        }
        Ok(options)
    }
}

/// Where the cluster keeps its configuration, logs and process numbers.
pub(crate) fn dir() -> PathBuf {
    root().join("target/cluster/run")
}

/// The kubeconfig of an administrator.
fn kubeconfig(dir: &Path) -> PathBuf {
    dir.join("admin.kubeconfig")
}

/// The first ports of the clusters of CI; one is taken that nobody listens on.
const CI_PORTS: [u16; 5] = [23_000, 24_000, 25_000, 26_000, 27_000];

/// Runs work with a cluster that is there for it alone: beside one that is up, and ended whatever comes of the work.
/// The work gets the binary and the kubeconfig.
pub(crate) fn with_cluster(work: impl FnOnce(&Path, &Path) -> Result<(), String>) -> Result<(), String> {
    let dir = root().join("target/cluster/ci");
    let mut cluster = Ended(Processes::new(dir.clone(), build::kube()?));
    let left = cluster.0.stop_all();
    if left > 0 {
        println!("{left} processes of an earlier run ended");
    }
    let is_free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", port + 443)).is_ok();
    let base_port =
        CI_PORTS.into_iter().find(is_free).ok_or("other programs listen on all ports for tests")?;
    start(&mut cluster.0, &Options { node: Node::Fake, base_port, built_in_controllers: false })?;
    work(&cluster.0.kube, &kubeconfig(&dir))
}

/// Ends a cluster when it goes away, also in a panic.
struct Ended(Processes);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.stop_all();
        if let Err(error) = files::remove_data(&self.0.dir) {
            eprintln!("{error}");
        }
    }
}

fn up(options: &Options) -> Result<(), String> {
    let kube = build::kube()?;
    let mut processes = Processes::new(dir(), kube);
    if !processes.running().is_empty() {
        return Err("a cluster is up already: `cargo xtask cluster down` ends it".into());
    }
    let result = start(&mut processes, options);
    if result.is_err() {
        processes.stop_all();
        real::clean_up(&dir())?;
    }
    result
}

fn start(processes: &mut Processes, options: &Options) -> Result<(), String> {
    let began = std::time::Instant::now();
    let files = files::write(processes, options)?;
    processes.start("etcd", &files.etcd(options))?;
    processes.start("apiserver", &files.apiserver(options))?;
    processes.wait("the API server", Duration::from_secs(120), &["get", "--raw", "/readyz"])?;
    processes.start("controller-manager", &files.controller_manager(options))?;
    processes.start("scheduler", &files.scheduler(options))?;
    processes.wait(
        "the default service account",
        Duration::from_secs(60),
        &["get", "serviceaccount", "default", "--namespace", "default"],
    )?;
    match options.node {
        Node::None => {}
        Node::Fake => {
            processes.start("kwok", &files.kwok(options))?;
            files::apply_fake_nodes(processes)?;
            let ready = ["wait", "node", "--all", "--for=condition=Ready", "--timeout=1s"];
            processes.wait("the fake nodes", Duration::from_secs(60), &ready)?;
        }
        Node::Real => real::start(processes, options)?,
    }
    println!(
        "ready after {:.1} s; export KUBECONFIG={}",
        began.elapsed().as_secs_f64(),
        kubeconfig(&processes.dir).display()
    );
    Ok(())
}

fn down() -> Result<(), String> {
    let mut processes = Processes::new(dir(), PathBuf::new());
    let ended = processes.stop_all();
    real::clean_up(&dir())?;
    files::remove_data(&dir())?;
    println!("{ended} processes ended");
    Ok(())
}

fn status() -> Result<(), String> {
    let running = Processes::new(dir(), PathBuf::new()).running();
    if running.is_empty() {
        println!("no cluster is up");
        return Ok(());
    }
    for (name, pid) in running {
        println!("{name:<20} {pid}");
    }
    println!("KUBECONFIG={}", kubeconfig(&dir()).display());
    Ok(())
}

fn kubectl(args: &[String]) -> Result<(), String> {
    let mut command = std::process::Command::new(build::kube()?);
    command.arg("kubectl").args(args).env("KUBECONFIG", kubeconfig(&dir()));
    let status = command.status().map_err(|error| format!("cannot start kubectl: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("kubectl ended with {status}")) }
}
