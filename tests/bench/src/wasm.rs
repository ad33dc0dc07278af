//! Rows of the WebAssembly modules, timed in node: decisions with the Pods resident in a module, and what crosses the
//! boundary of the policy module beside them.

use crate::baseline::Row;
use bench::engine::Mode;
use bench::{Case, now};
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const TARGET: &str = "wasm32-unknown-unknown";

/// The modules.
pub(crate) struct Modules {
    cases: PathBuf,
    policy: PathBuf,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Measured {
    min_ns: u64,
    median_ns: u64,
    #[serde(default)]
    bytes: usize,
}

impl Modules {
    /// Builds them as `cargo xtask wasm` does, not shrunk.
    pub(crate) fn build() -> Result<Self, String> {
        cargo(&["rustc", "--package", "bench", "--lib", "--crate-type", "cdylib"])?;
        cargo(&["build", "--package", "policy-guest", "--lib"])?;
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
        let built = |name: &str| target.join(TARGET).join("wasm").join(name);
        Ok(Modules { cases: built("bench.wasm"), policy: built("policy_guest.wasm") })
    }

    /// A decision inside a module.
    pub(crate) fn decide(&self, case: Case, pods: usize, mode: Mode) -> Result<Row, String> {
        let place = |found: Option<usize>| found.unwrap_or_default().to_string();
        let case_place = place(Case::ALL.iter().position(|known| *known == case));
        let mode_place = place(Mode::ALL.iter().position(|known| *known == mode));
        let measured = node("decide", &self.cases, &[&case_place, &pods.to_string(), &mode_place], "")?;
        Ok(row("decide", case, pods, mode.name(), &measured))
    }

    /// Loading all Pods as JSON (`load`), or one event and the sync after it (`event`), over the boundary.
    pub(crate) fn boundary(&self, case: Case, pods: usize, what: &str) -> Result<Row, String> {
        let measured = node(what, &self.policy, &[], &requests(case, pods).to_string())?;
        Ok(row("boundary", case, pods, what, &measured))
    }
}

fn row(bench: &str, case: Case, pods: usize, mode: &str, measured: &Measured) -> Row {
    Row {
        bench: bench.into(),
        case: case.name().into(),
        pods,
        mode: mode.into(),
        engine: "wasm".into(),
        min_ns: measured.min_ns,
        median_ns: measured.median_ns,
        bytes_per_pod: measured.bytes / pods,
    }
}

/// The Job, its Pods, and one of them before and after its container has restarted.
fn requests(case: Case, count: usize) -> Value {
    let text = |place| serde_json::from_str::<Value>(&case.pod_json(place, count)).unwrap_or_default();
    let pods: Vec<Value> = (0..case.pod_count(count)).map(text).collect();
    let mut restarted = text(0);
    restarted["status"]["containerStatuses"][0]["restartCount"] = 1.into();
    json!({"job": case.job(count), "changed": [restarted, text(0)], "pods": pods, "now": now().to_string()})
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn cargo(args: &[&str]) -> Result<(), String> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(args);
    command.args(["--locked", "--quiet", "--target", TARGET, "--profile", "wasm"]);
    let status = command.status().map_err(|error| format!("cannot start cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("cargo ended with {status}")) }
}

fn node(what: &str, module: &Path, args: &[&str], input: &str) -> Result<Measured, String> {
    let mut command = Command::new("node");
    command.arg(root().join("tests/bench/module.mjs")).arg(what).arg(module).args(args);
    let mut node = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start node, which runs modules: {error}"))?;
    let failed = |error: std::io::Error| format!("node: {error}");
    if let Some(mut stdin) = node.stdin.take() {
        stdin.write_all(input.as_bytes()).map_err(failed)?;
    }
    let output = node.wait_with_output().map_err(failed)?;
    if !output.status.success() {
        return Err(format!("node ended with {}", output.status));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("node's answer: {error}"))
}
