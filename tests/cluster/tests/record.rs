//! `jobpolicy record` on a real API server: what was recorded is replayed, and everything that was written follows from
//! our decisions.

use cluster_tests::{LIMIT, World, binary, eventually, job};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

struct Recording {
    directory: PathBuf,
    child: Child,
}

impl Recording {
    /// Records the namespace until interrupted.
    fn start(world: &World, args: &[&str]) -> Self {
        let directory = std::env::temp_dir().join(format!("{}-recording", world.namespace));
        let mut command = Command::new(binary());
        command.arg("record").arg(&directory).args(["-n", &world.namespace]).args(args);
        command.env("KUBECONFIG", world.kubeconfig()).stdin(Stdio::null()).stdout(Stdio::piped());
        let recording = Recording { child: command.spawn().unwrap(), directory };
        // The files are made when everything is listed.
        eventually("it records", LIMIT, || {
            let file = recording.directory.join("pods.ndjson.gz");
            if file.exists() { Ok(()) } else { Err("no file".to_owned()) }
        });
        recording
    }

    /// Interrupts it as Ctrl-C does; what it says.
    fn interrupt(self) -> (String, Directory) {
        let directory = Directory(self.directory);
        let sent = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let output = self.child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        (String::from_utf8(output.stdout).unwrap(), directory)
    }
}

/// A recording that is removed when it goes away.
struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Replays a recording of writes of ours; how many there are, all of them explained.
fn replayed(world: &World, directory: &Path) -> Value {
    let ran = world.jobpolicy(&["replay", directory.to_str().unwrap(), "-o", "json"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

fn count(report: &Value, kind: &str) -> u64 {
    report["byKind"][kind]["all"].as_u64().unwrap_or_else(|| panic!("no {kind} in {report}"))
}

#[test]
fn a_live_cron_job_is_recorded_until_ctrl_c_and_replayed() {
    let world = World::new("record");
    let recording = Recording::start(&world, &[]);
    let controller = world.controller(&[]);
    let template = job("x", &[("run-time", "500ms")], json!({"completions": 3, "parallelism": 2}));
    let cron_job = json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "cron"},
        "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": template["spec"]}},
    });
    world.create("cronjobs", &cron_job);
    world.patch("cronjobs/cron/status", &json!({"status": {"lastScheduleTime": "2020-01-01T00:00:00Z"}}));
    let created = world.wait_for_event("cron", "SuccessfulCreate", LIMIT);
    world.wait_for(created.strip_prefix("Created job ").unwrap(), "Complete");
    world.wait_for_event("cron", "SawCompletedJob", LIMIT);
    let (said, directory) = recording.interrupt();
    assert!(said.starts_with("Recorded into `"), "{said}");
    let report = replayed(&world, &directory.0);
    assert!(count(&report, "job-create") >= 1 && count(&report, "pod-create") >= 3, "{report}");
    assert!(count(&report, "job-status") >= 2 && count(&report, "cronjob-status") >= 1, "{report}");
    world.patch("cronjobs/cron", &json!({"spec": {"suspend": true}}));
    controller.assert_nothing_refused();
}

#[test]
fn a_selector_picks_what_is_recorded() {
    let world = World::new("record-some");
    let recording = Recording::start(&world, &["--selector", "app=shop"]);
    let controller = world.controller(&[]);
    let mut picked = job("picked", &[], json!({"completions": 2}));
    picked["metadata"]["labels"] = json!({"app": "shop"});
    picked["spec"]["template"]["metadata"]["labels"] = json!({"app": "shop"});
    world.create("jobs", &picked);
    world.create("jobs", &job("other", &[], json!({"completions": 2})));
    world.wait_for("picked", "Complete");
    world.wait_for("other", "Complete");
    let (_, directory) = recording.interrupt();
    let report = replayed(&world, &directory.0);
    assert_eq!(count(&report, "pod-create"), 2, "{report}");
    controller.assert_nothing_refused();
}
