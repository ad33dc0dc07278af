//! Helpers of the tests on a real API server: a namespace for each test, an HTTP client through `kubectl proxy`, and
//! controllers as processes of their own.
//!
//! There is no skipping: without a cluster every test fails and says how to start one.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

mod controller;
pub mod faults;
mod http;
mod random;
pub mod scale;

pub use controller::Controller;
pub use http::Answer;
pub use random::Random;

/// How long anything may take, on a slow machine that is busy with all other tests.
pub const LIMIT: Duration = Duration::from_secs(90);
/// How often a condition is looked at.
const PERIOD: Duration = Duration::from_millis(150);

/// Waits until a condition gives a value; `what` and `last` (what was seen last) end up in the failure.
///
/// # Panics
/// When the time is over.
pub fn eventually<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Result<T, String>) -> T {
    let began = Instant::now();
    loop {
        match look() {
            Ok(value) => return value,
            Err(last) if began.elapsed() > limit => {
                panic!("not after {} s: {what}; seen last: {last}", limit.as_secs())
            }
            Err(_) => std::thread::sleep(PERIOD),
        }
    }
}

fn setting(variable: &str, default: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = std::env::var_os(variable).map_or_else(|| root.join(default), PathBuf::from);
    assert!(
        path.exists(),
        "{} is missing; run `cargo xtask ci`, or `cargo xtask cluster up` and `cargo build` before the tests",
        path.display()
    );
    path.canonicalize().unwrap()
}

fn kube() -> PathBuf {
    setting("JOBPOLICY_TEST_KUBE", "target/cluster/bin/kube")
}

fn admin_kubeconfig() -> PathBuf {
    setting("JOBPOLICY_TEST_KUBECONFIG", "target/cluster/run/admin.kubeconfig")
}

/// The program under test.
#[must_use]
pub fn binary() -> PathBuf {
    setting("JOBPOLICY_TEST_BINARY", "target/debug/jobpolicy")
}

/// A command that has ended.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; -1 after a signal.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// A namespace of a test, and the way to the API server.
pub struct World {
    /// The name of the namespace.
    pub namespace: String,
    client: http::Client,
    port: u16,
    proxy: Child,
}

impl World {
    /// A new namespace.
    #[must_use]
    pub fn new(name: &str) -> Self {
        World::labelled(name, json!({}))
    }

    /// A new namespace with labels.
    #[must_use]
    pub fn labelled(name: &str, labels: Value) -> Self {
        let port = free_port();
        let proxy = Command::new(kube())
            .args(["kubectl", "proxy", &format!("--port={port}")])
            .env("KUBECONFIG", admin_kubeconfig())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let namespace = format!("{name}-{}", std::process::id());
        let world = World { namespace: namespace.clone(), client: http::Client::new(port), port, proxy };
        eventually("the API server answers", LIMIT, || world.client.call("GET", "/readyz", None).text());
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}});
        world.client.call("POST", "/api/v1/namespaces", Some(&body)).value();
        // Pods are not admitted before.
        let account = format!("/api/v1/namespaces/{namespace}/serviceaccounts/default");
        eventually("the service account", LIMIT, || world.client.call("GET", &account, None).text());
        world
    }

    /// Any call.
    #[must_use]
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.client.call(method, path, body)
    }

    /// The path of the objects of a resource in the namespace, like `jobs`, `jobs/a` or `pods/p/status`.
    #[must_use]
    pub fn path(&self, resource: &str) -> String {
        let group = match resource.split('/').next().unwrap_or_default() {
            "jobs" | "cronjobs" => "/apis/batch/v1",
            "leases" => "/apis/coordination.k8s.io/v1",
            _ => "/api/v1",
        };
        format!("{group}/namespaces/{}/{resource}", self.namespace)
    }

    /// Creates an object.
    pub fn create(&self, resource: &str, object: &Value) -> Value {
        self.call("POST", &self.path(resource), Some(object)).value()
    }

    /// Reads an object or a list.
    #[must_use]
    pub fn get(&self, resource: &str) -> Value {
        self.call("GET", &self.path(resource), None).value()
    }

    /// The objects of a list, however long it takes until the API server answers.
    #[must_use]
    pub fn objects(&self, resource: &str) -> Vec<Value> {
        let path = self.path(resource);
        let text = eventually(&path, LIMIT, || self.client.call("GET", &path, None).text());
        items(serde_json::from_str(&text).unwrap())
    }

    /// Deletes everything in the namespace and waits until it is gone.
    pub fn remove(&self) {
        let path = format!("/api/v1/namespaces/{}", self.namespace);
        let _ = self.call("DELETE", &path, None);
        eventually("the namespace is gone", LIMIT * 20, || match self.call("GET", &path, None).code {
            404 => Ok(()),
            code => Err(format!("{code}")),
        });
    }

    /// Records what becomes of Pods and Jobs of the namespace.
    #[must_use]
    pub fn record(&self) -> faults::Recording {
        faults::Recording::start(self.port, &self.namespace)
    }

    /// A proxy to the API server with faults.
    #[must_use]
    pub fn proxy(&self, random: Random, odds: faults::Odds) -> faults::Proxy {
        faults::Proxy::start(self.port, random, odds)
    }

    /// How many writes of Jobs' statuses the API server has refused as invalid since it was started.
    #[must_use]
    pub fn refused_statuses(&self) -> u64 {
        let metrics = eventually("metrics", LIMIT, || self.client.call("GET", "/metrics", None).text());
        let lines = metrics.lines().filter(|line| line.starts_with("apiserver_request_total{"));
        let refused = lines.filter(|line| {
            let has = |label: &str| line.contains(label);
            has("resource=\"jobs\"")
                && has("subresource=\"status\"")
                && (has("code=\"422\"") || has("code=\"400\""))
        });
        refused.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>() as u64
    }

    /// Patches an object (strategic merge patch).
    pub fn patch(&self, resource: &str, patch: &Value) -> Value {
        self.call("PATCH", &self.path(resource), Some(patch)).value()
    }

    /// Deletes an object in the background.
    pub fn delete(&self, resource: &str) {
        let options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"});
        self.call("DELETE", &self.path(resource), Some(&options)).value();
    }

    /// The Pods of a Job.
    #[must_use]
    pub fn pods(&self, job: &str) -> Vec<Value> {
        items(self.get(&format!("pods?labelSelector=batch.kubernetes.io/job-name%3D{job}")))
    }

    /// Waits until a condition of a Job is true; returns the Job.
    ///
    /// # Panics
    /// When it ends in another way, or not in time.
    pub fn wait_for(&self, job: &str, condition: &str) -> Value {
        eventually(&format!("job/{job} is {condition}"), LIMIT, || {
            let job = self.get(&format!("jobs/{job}"));
            if has_condition(&job, condition) {
                return Ok(job);
            }
            let ended = ["Complete", "Failed"].into_iter().find(|other| has_condition(&job, other));
            assert!(ended.is_none(), "job ended otherwise: {}", job["status"]);
            Err(job["status"].to_string())
        })
    }

    /// Waits until an event about an object is there; returns its message.
    pub fn wait_for_event(&self, object: &str, reason: &str, limit: Duration) -> String {
        let path = format!("events?fieldSelector=involvedObject.name%3D{object}");
        eventually(&format!("event {reason} about {object}"), limit, || {
            let events = items(self.get(&path));
            let found = events.iter().find(|event| event["reason"] == reason);
            let reasons =
                || events.iter().map(|event| event["reason"].to_string()).collect::<Vec<_>>().join(", ");
            found.map(|event| text(&event["message"])).ok_or_else(reasons)
        })
    }

    /// Waits until no Pod of the namespace has the tracking finalizer.
    pub fn wait_for_no_finalizers(&self) {
        eventually("no Pod has the tracking finalizer", LIMIT, || {
            let pods = self.objects("pods");
            let left = pods.iter().filter(|pod| {
                let finalizers = pod["metadata"]["finalizers"].as_array();
                finalizers.is_some_and(|list| list.contains(&json!("batch.kubernetes.io/job-tracking")))
            });
            let names: Vec<String> = left.map(|pod| text(&pod["metadata"]["name"])).collect();
            if names.is_empty() { Ok(()) } else { Err(names.join(", ")) }
        });
    }

    /// A controller for this namespace only, in place of the built-in ones.
    #[must_use]
    pub fn controller(&self, args: &[&str]) -> Controller {
        let own = ["--all", "--force", "--namespace", &self.namespace, "--job-pod-failure-backoff=200ms"];
        self.controller_with(&[&own[..], args].concat())
    }

    /// A controller with these arguments and no others but those that it needs to run.
    #[must_use]
    pub fn controller_with(&self, args: &[&str]) -> Controller {
        Controller::start(&self.namespace, &admin_kubeconfig(), args)
    }

    /// Runs kubectl in the namespace, which must succeed; returns what it prints.
    pub fn kubectl(&self, args: &[&str]) -> String {
        self.try_kubectl(args).unwrap_or_else(|problem| panic!("{problem}"))
    }

    /// Runs kubectl in the namespace.
    ///
    /// # Errors
    /// It does not succeed.
    pub fn try_kubectl(&self, args: &[&str]) -> Result<String, String> {
        // What follows `--` is for another program.
        let own = args.iter().position(|arg| *arg == "--").unwrap_or(args.len());
        let (own, others) = args.split_at(own);
        kubectl(&admin_kubeconfig(), &[own, &["--namespace", &self.namespace], others].concat())
    }

    /// The kubeconfig of an administrator.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        admin_kubeconfig()
    }

    /// Runs a command of the program under test as the administrator.
    #[must_use]
    pub fn jobpolicy(&self, args: &[&str]) -> Ran {
        let mut command = Command::new(binary());
        let output = command.args(args).env("KUBECONFIG", admin_kubeconfig()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let code = output.status.code().unwrap_or(-1);
        Ran { code, out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Waits until an account has a right.
    pub fn wait_for_right(&self, kubeconfig: &Path, right: &[&str]) {
        let args = [&["auth", "can-i", "--namespace", &self.namespace], right].concat();
        eventually(&format!("the right to {}", right.join(" ")), LIMIT, || kubectl(kubeconfig, &args));
    }

    /// The kubeconfig of a service account, written to a file.
    #[must_use]
    pub fn kubeconfig_of(&self, namespace: &str, account: &str) -> PathBuf {
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token");
        let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
        let token = text(&self.call("POST", &path, Some(&request)).value()["status"]["token"]);
        let admin = std::fs::read_to_string(admin_kubeconfig()).unwrap();
        let lines = admin.lines().map(|line| match line.trim_start().starts_with("token: ") {
            true => format!("    token: {token}"),
            false => line.to_owned(),
        });
        let file = controller::log_dir().join(format!("{}-{account}.kubeconfig", self.namespace));
        std::fs::write(&file, lines.collect::<Vec<_>>().join("\n")).unwrap();
        file
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = self.client.call("DELETE", &format!("/api/v1/namespaces/{}", self.namespace), None);
        }
        let _ = self.proxy.kill();
        let _ = self.proxy.wait();
    }
}

/// Runs kubectl; what it prints.
///
/// # Errors
/// It does not succeed.
pub fn kubectl(kubeconfig: &Path, args: &[&str]) -> Result<String, String> {
    let mut command = Command::new(kube());
    command.arg("kubectl").args(args).env("KUBECONFIG", kubeconfig).stdin(Stdio::null());
    let output = command.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!("kubectl {} ended with {}: {errors}", args.join(" "), output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Applies a directory of manifests.
///
/// # Panics
/// When that does not go well.
pub fn apply_kustomization(directory: &Path) {
    let directory = directory.display().to_string();
    kubectl(&admin_kubeconfig(), &["apply", "--kustomize", &directory])
        .unwrap_or_else(|problem| panic!("{problem}"));
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// The items of a list.
#[must_use]
pub fn items(mut list: Value) -> Vec<Value> {
    match list["items"].take() {
        Value::Array(items) => items,
        _ => Vec::new(),
    }
}

/// A string value, empty if it is none.
#[must_use]
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A condition of an object's status.
#[must_use]
pub fn condition(object: &Value, kind: &str) -> Option<Value> {
    object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == kind).cloned()
}

/// Whether a condition of an object's status is true.
#[must_use]
pub fn has_condition(object: &Value, kind: &str) -> bool {
    condition(object, kind).is_some_and(|condition| condition["status"] == "True")
}

/// A Job of one container `main`: fields of its spec, and what its Pods do (the `fake.jobpolicy.dev/` annotations).
#[must_use]
pub fn job(name: &str, behaviour: &[(&str, &str)], spec: Value) -> Value {
    let prefixed = behaviour.iter().map(|(key, value)| (format!("fake.jobpolicy.dev/{key}"), json!(value)));
    let annotations: serde_json::Map<String, Value> = prefixed.collect();
    let container = json!({"name": "main", "image": "docker.io/library/bash:5", "command": ["bash"]});
    let mut job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec});
    job["spec"]["template"] = json!({
        "metadata": {"annotations": annotations},
        "spec": {"restartPolicy": "Never", "containers": [container]},
    });
    job
}

/// Whether a text is this pattern, in which one `*` stands for anything.
#[must_use]
pub fn is_like(text: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => {
            text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end)
        }
        None => text == pattern,
    }
}
