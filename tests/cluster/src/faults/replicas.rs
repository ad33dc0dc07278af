//! Controllers that are started again when they end, as a Deployment does, and what is done to them and to the cluster.

use crate::{admin_kubeconfig, binary, eventually};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Some controllers that are kept running.
pub struct Replicas {
    command: Vec<String>,
    environment: Vec<(String, String)>,
    logs: Vec<PathBuf>,
    children: Vec<Child>,
    /// How often one has ended by itself and was started again.
    pub restarts: u64,
}

impl Replicas {
    /// Starts so many controllers with these arguments.
    ///
    /// # Panics
    /// When they cannot be started.
    #[must_use]
    pub fn start(name: &str, count: usize, args: &[&str], environment: &[(&str, &str)]) -> Self {
        let command = ["controller", "--metrics-bind-address=0"].iter().chain(args);
        let log = |number| crate::controller::log_dir().join(format!("{name}-replica-{number}.log"));
        let mut replicas = Replicas {
            command: command.map(ToString::to_string).collect(),
            environment: environment.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
            logs: (0..count).map(log).collect(),
            children: Vec::new(),
            restarts: 0,
        };
        replicas.logs.iter().for_each(|log| drop(File::create(log).unwrap()));
        replicas.children = (0..count).map(|number| replicas.spawn(number)).collect();
        replicas
    }

    fn spawn(&self, number: usize) -> Child {
        let log = File::options().append(true).open(&self.logs[number]).unwrap();
        let mut command = Command::new(binary());
        command.args(&self.command).envs(self.environment.iter().cloned()).stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
    }

    /// Starts those again that have ended. The codes that the documentation names are all that they may end with.
    ///
    /// # Panics
    /// When one has ended in another way.
    pub fn revive(&mut self) {
        for number in 0..self.children.len() {
            let Some(status) = self.children[number].try_wait().unwrap() else { continue };
            assert!(matches!(status.code(), Some(1 | 2)), "a controller has ended with {status}");
            self.restarts += 1;
            self.children[number] = self.spawn(number);
        }
    }

    /// Kills one with SIGKILL and starts it again.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(&mut self, number: usize) {
        self.children[number].kill().unwrap();
        self.children[number].wait().unwrap();
        self.children[number] = self.spawn(number);
    }

    /// Stops one, so that its clocks jump when it goes on.
    pub fn pause(&self, number: usize) {
        signal("-STOP", self.children[number].id());
    }

    /// Lets one go on.
    pub fn resume(&self, number: usize) {
        signal("-CONT", self.children[number].id());
    }

    /// Ends all; none has panicked.
    ///
    /// # Panics
    /// When one has.
    pub fn end(mut self) {
        for child in &mut self.children {
            signal("-CONT", child.id());
            child.kill().unwrap();
            child.wait().unwrap();
        }
        for log in &self.logs {
            let text = fs::read_to_string(log).unwrap();
            assert!(!text.contains("panicked"), "{} tells of a panic", log.display());
        }
    }
}

impl Drop for Replicas {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn signal(signal: &str, process: u32) {
    // It may have ended by itself.
    let _ = Command::new("kill").args([signal, &process.to_string()]).stderr(Stdio::null()).status();
}

/// A part of the cluster, such as `etcd` or `apiserver`.
pub struct Part {
    pid_file: PathBuf,
}

impl Part {
    /// The part of that name.
    ///
    /// # Panics
    /// When it does not run.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let directory = admin_kubeconfig().parent().map(Path::to_path_buf).unwrap_or_default();
        let part = Part { pid_file: directory.join("pid").join(name) };
        assert!(part.process().join("cmdline").exists(), "{name} does not run");
        part
    }

    fn pid(&self) -> u32 {
        fs::read_to_string(&self.pid_file).unwrap().trim().parse().unwrap()
    }

    fn process(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}", self.pid()))
    }

    /// Stops it for a while; it answers nobody, and its connections stay.
    pub fn stop_for(&self, time: Duration) {
        signal("-STOP", self.pid());
        std::thread::sleep(time);
        signal("-CONT", self.pid());
    }

    /// Kills it with SIGKILL and starts it again with the same arguments after a while.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn restart(&self, after: Duration) {
        let arguments = fs::read(self.process().join("cmdline")).unwrap();
        let arguments = String::from_utf8(arguments).unwrap();
        let arguments: Vec<&str> = arguments.trim_end_matches('\0').split('\0').collect();
        let program = fs::read_link(self.process().join("exe")).unwrap();
        let directory = fs::read_link(self.process().join("cwd")).unwrap();
        let log = directory.join("log").join(self.pid_file.file_name().unwrap_or_default());
        let pid = self.pid();
        signal("-KILL", pid);
        eventually("it has ended", Duration::from_secs(10), || {
            // Nobody may have waited for it yet.
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let is_gone = stat.is_empty() || stat.contains(") Z ");
            if is_gone { Ok(()) } else { Err(stat) }
        });
        std::thread::sleep(after);
        let log = File::options().append(true).create(true).open(log.with_extension("log")).unwrap();
        let mut command = Command::new(program);
        command.args(&arguments[1..]).current_dir(directory).stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command.spawn().unwrap();
        fs::write(&self.pid_file, child.id().to_string()).unwrap();
        // Whoever ends the cluster looks at the processes that the files name.
        std::thread::spawn(move || {
            let mut child = child;
            child.wait()
        });
    }
}
