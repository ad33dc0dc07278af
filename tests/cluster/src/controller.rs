//! The controller as a process of its own.

use crate::http::Client;
use crate::{LIMIT, binary, eventually, free_port};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A running controller; killed when it goes away.
pub struct Controller {
    child: Child,
    client: Client,
    log: PathBuf,
}

/// Where logs are kept for a look after a failure.
pub(crate) fn log_dir() -> PathBuf {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/cluster/test-logs");
    fs::create_dir_all(&dir).unwrap();
    dir
}

impl Controller {
    /// Starts a controller and waits until it is ready.
    #[must_use]
    pub fn start(name: &str, kubeconfig: &Path, args: &[&str]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let log = log_dir().join(format!("{name}-{number}.log"));
        let file = File::create(&log).unwrap();
        let port = free_port();
        let child = Command::new(binary())
            .args(["controller", "--kubeconfig", &kubeconfig.display().to_string()])
            .arg(format!("--metrics-bind-address=127.0.0.1:{port}"))
            .args(["--kube-api-qps=100", "--kube-api-burst=200", "--job-sync-batch-period=200ms"])
            .args(args)
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        let mut controller = Controller { child, client: Client::new(port), log };
        eventually("the controller is ready", LIMIT, || {
            let ended = controller.child.try_wait().unwrap();
            assert!(ended.is_none(), "the controller has ended:\n{}", controller.log());
            controller.client.call("GET", "/readyz", None).text()
        });
        controller
    }

    /// What it has printed so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// The value of a metric with these labels, as they are printed; 0 when it is not there.
    #[must_use]
    pub fn metric(&self, name_and_labels: &str) -> f64 {
        let text = self.client.call("GET", "/metrics", None).expect_text();
        let line = text.lines().find_map(|line| line.strip_prefix(name_and_labels)?.strip_prefix(' '));
        line.and_then(|value| value.trim().parse().ok()).unwrap_or(0.0)
    }

    /// The API server has refused nothing as invalid, and nothing for want of rights.
    ///
    /// # Panics
    /// When it has.
    pub fn assert_nothing_refused(&self) {
        let text = self.client.call("GET", "/metrics", None).expect_text();
        let calls = text.lines().filter(|line| line.starts_with("jobpolicy_api_calls_total{"));
        let refused = |line: &&str| ["\"400\"", "\"403\"", "\"422\""].iter().any(|code| line.contains(code));
        let refused: Vec<&str> = calls.filter(refused).collect();
        assert!(refused.is_empty(), "the API server has refused: {refused:?}\n{}", self.log());
    }

    /// Kills it with SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end and waits until it has.
    #[must_use]
    pub fn terminate(mut self) -> ExitStatus {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        eventually("the controller has ended", LIMIT, || {
            self.child.try_wait().unwrap().ok_or_else(|| "it runs".to_owned())
        })
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!(
                "{} ends with:\n{}",
                self.log.display(),
                lines[lines.len().saturating_sub(30)..].join("\n")
            );
        }
    }
}
