//! Processes that outlive xtask: started in groups of their own, known by files with their numbers.

use crate::steps::output;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a process may take to end by itself.
const GRACE: Duration = Duration::from_secs(10);

pub(super) struct Processes {
    pub(super) dir: PathBuf,
    pub(super) kube: PathBuf,
}

impl Processes {
    pub(super) fn new(dir: PathBuf, kube: PathBuf) -> Self {
        Processes { dir, kube }
    }

    /// Starts a part of the cluster's binary.
    pub(super) fn start(&mut self, part: &str, args: &[String]) -> Result<(), String> {
        let mut command = Command::new(&self.kube);
        command.arg(part).args(args);
        self.start_command(part, command)
    }

    /// Starts a command under a name; its output goes to `log/NAME.log`.
    pub(super) fn start_command(&mut self, name: &str, mut command: Command) -> Result<(), String> {
        let fail = |what: &str, error: std::io::Error| format!("cannot {what} {name}: {error}");
        let log = File::create(self.log(name)).map_err(|error| fail("write the log of", error))?;
        let errors = log.try_clone().map_err(|error| fail("write the log of", error))?;
        command.stdin(Stdio::null()).stdout(log).stderr(errors).current_dir(&self.dir).process_group(0);
        let child = command.spawn().map_err(|error| fail("start", error))?;
        fs::write(self.pid_file(name), child.id().to_string())
            .map_err(|error| fail("note the number of", error))
    }

    fn log(&self, name: &str) -> PathBuf {
        self.dir.join(format!("log/{name}.log"))
    }

    fn pid_file(&self, name: &str) -> PathBuf {
        self.dir.join(format!("pid/{name}"))
    }

    /// A kubectl command as the administrator.
    pub(super) fn kubectl(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.kube);
        command.arg("kubectl").args(args).env("KUBECONFIG", self.dir.join("admin.kubeconfig"));
        command.current_dir(&self.dir).stdin(Stdio::null());
        command
    }

    /// Waits until a kubectl command succeeds.
    pub(super) fn wait(&self, what: &str, limit: Duration, kubectl: &[&str]) -> Result<(), String> {
        let began = Instant::now();
        loop {
            let error = match output(self.kubectl(kubectl)) {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            if let Some(name) = self.ended() {
                return Err(format!("{name} has ended:\n{}", self.last_lines(&name)));
            }
            if began.elapsed() > limit {
                return Err(format!("{what} did not come up in {} s:\n{error}", limit.as_secs()));
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// A process that was started and is not there any more.
    fn ended(&self) -> Option<String> {
        self.known().into_iter().find(|(_, pid)| !self.is_alive(*pid)).map(|(name, _)| name)
    }

    fn last_lines(&self, name: &str) -> String {
        let text = fs::read_to_string(self.log(name)).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }

    /// Names and numbers of all processes that were started.
    fn known(&self) -> Vec<(String, u32)> {
        let files = fs::read_dir(self.dir.join("pid")).into_iter().flatten().flatten();
        let read = |file: fs::DirEntry| {
            let pid = fs::read_to_string(file.path()).ok()?.trim().parse().ok()?;
            Some((file.file_name().into_string().ok()?, pid))
        };
        files.filter_map(read).collect()
    }

    /// Those that run.
    pub(super) fn running(&self) -> Vec<(String, u32)> {
        self.known().into_iter().filter(|(_, pid)| self.is_alive(*pid)).collect()
    }

    /// Ends all, those that others need last; tells how many there were.
    pub(super) fn stop_all(&mut self) -> usize {
        let last = ["apiserver", "etcd"];
        let mut running = self.running();
        running.sort_by_key(|(name, _)| {
            last.iter().position(|other| other == name).map_or(0, |place| place + 1)
        });
        for (_, pid) in &running {
            self.stop(*pid);
        }
        for (name, _) in self.known() {
            let path = self.pid_file(&name);
            if let Err(error) = fs::remove_file(&path) {
                eprintln!("cannot remove {}: {error}", path.display());
            }
        }
        running.len()
    }

    fn is_alive(&self, pid: u32) -> bool {
        // A number is used again at some time; a process of another program is not ours.
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
        let state = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().next());
        let is_here = |cwd: PathBuf| self.dir.canonicalize().is_ok_and(|dir| dir == cwd);
        state != Some("Z") && Path::new(&format!("/proc/{pid}/cwd")).read_link().is_ok_and(is_here)
    }

    fn stop(&self, pid: u32) {
        signal("-TERM", pid);
        let began = Instant::now();
        while self.is_alive(pid) && began.elapsed() < GRACE {
            std::thread::sleep(Duration::from_millis(50));
        }
        if self.is_alive(pid) {
            signal("-KILL", pid);
        }
    }
}

fn signal(signal: &str, pid: u32) {
    // It may have ended by itself in between.
    let _ = Command::new("kill").args([signal, &pid.to_string()]).stderr(Stdio::null()).status();
}
