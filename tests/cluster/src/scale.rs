//! What a controller costs: time, processor time, memory.

use crate::{LIMIT, World, admin_kubeconfig, binary, controller, eventually, free_port, kube};
use std::fmt;
use std::fs::{self, File};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Calls a second and at once that either controller may make.
const CALLS: (u32, u32) = (500, 1000);
/// Connections that make objects side by side.
const CONNECTIONS: usize = 16;
/// Ticks a second of the times that the kernel tells (`USER_HZ`, which is the same on all of Linux).
const TICKS: u64 = 100;

/// Which controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// `jobpolicy controller --all`.
    Ours,
    /// `kube-controller-manager` with the Job controller alone.
    BuiltIn,
}

impl Start {
    /// Its name, for people and for namespaces.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Start::Ours => "ours",
            Start::BuiltIn => "built-in",
        }
    }
}

/// A controller that is measured.
pub struct Measured {
    child: Child,
}

/// What it took.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// From the first Job to the last end.
    pub time: Duration,
    /// Of the controller's processor.
    pub processor: Duration,
    /// The most memory that was resident, in KiB.
    pub peak_kib: u64,
    /// The memory that is resident at the end, in KiB.
    pub resident_kib: u64,
    /// Of it, what is no file's, in KiB.
    pub anonymous_kib: u64,
}

impl Measured {
    /// Starts a controller and waits until it works.
    ///
    /// # Panics
    /// When it does not.
    #[must_use]
    pub fn start(start: Start, world: &World) -> Self {
        let (qps, burst) = CALLS;
        let limits = [format!("--kube-api-qps={qps}"), format!("--kube-api-burst={burst}")];
        let log = controller::log_dir().join(format!("{}-{}.log", world.namespace, start.name()));
        let log = File::create(log).unwrap();
        let port = free_port();
        let mut command = match start {
            Start::Ours => {
                let mut command = Command::new(binary());
                command.args(["controller", "--all", "--force", "--kubeconfig"]).arg(admin_kubeconfig());
                command.arg(format!("--metrics-bind-address=127.0.0.1:{port}"));
                command
            }
            Start::BuiltIn => {
                let mut command = Command::new(kube());
                command.args(["controller-manager", "--controllers=job-controller", "--leader-elect=false"]);
                for flag in ["--kubeconfig", "--authentication-kubeconfig", "--authorization-kubeconfig"] {
                    command.arg(flag).arg(admin_kubeconfig());
                }
                command.arg("--cert-dir").arg(controller::log_dir());
                command.args(["--bind-address=127.0.0.1", &format!("--secure-port={port}")]);
                command
            }
        };
        command.args(limits).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let measured = Measured { child: command.spawn().unwrap() };
        if start == Start::Ours {
            let client = crate::http::Client::new(port);
            eventually("the controller is ready", LIMIT, || client.call("GET", "/readyz", None).text());
        } else {
            // It says nothing of its caches.
            std::thread::sleep(Duration::from_secs(10));
        }
        measured
    }

    /// The processor time that it has taken so far.
    ///
    /// # Panics
    /// When it does not run.
    #[must_use]
    pub fn processor_time(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        // User and system time are the fields 14 and 15, of which the first two are before the parenthesis.
        let ticks: u64 = fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
        Duration::from_millis(ticks * 1000 / TICKS)
    }

    /// What it took since.
    #[must_use]
    pub fn cost(&self, began: Instant, processor_before: Duration) -> Cost {
        Cost {
            time: began.elapsed(),
            processor: self.processor_time() - processor_before,
            peak_kib: self.kib("VmHWM:"),
            resident_kib: self.kib("VmRSS:"),
            anonymous_kib: self.kib("RssAnon:"),
        }
    }

    fn kib(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
    }

    /// Ends it.
    ///
    /// # Panics
    /// When it has ended before.
    pub fn end(mut self) {
        assert!(self.child.try_wait().unwrap().is_none(), "the controller has ended");
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.1} s, {:.1} s of processor time, {} MiB at most, {} MiB at the end ({} MiB of it not files)",
            self.time.as_secs_f64(),
            self.processor.as_secs_f64(),
            self.peak_kib / 1024,
            self.resident_kib / 1024,
            self.anonymous_kib / 1024,
        )
    }
}

impl Cost {
    /// This cost as parts of another.
    #[must_use]
    pub fn beside(&self, other: &Cost) -> String {
        let part = |ours: f64, other: f64| format!("{:.2}", ours / other);
        format!(
            "ours takes {} of the time, {} of the processor time, {} of the memory at most",
            part(self.time.as_secs_f64(), other.time.as_secs_f64()),
            part(self.processor.as_secs_f64(), other.processor.as_secs_f64()),
            part(self.peak_kib as f64, other.peak_kib as f64),
        )
    }
}

/// Does something with each, some side by side.
///
/// # Panics
/// When it panics.
pub fn parallel<T: Send>(items: Vec<T>, work: impl Fn(T) + Sync) {
    let items = Mutex::new(items.into_iter());
    std::thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                loop {
                    let next = items.lock().unwrap().next();
                    let Some(item) = next else { return };
                    work(item);
                }
            });
        }
    });
}
