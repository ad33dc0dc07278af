use super::*;
use crate::scenario::{Document, Options, Run};
use serde_json::json;

/// A Job whose first Pod fails once, after so many seconds.
fn run(seconds: i64) -> Run<'static> {
    let document = json!({
        "name": "pi", "title": "Pi", "until": "10m",
        "manifests": [{"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "pi", "labels": {"a": "b"}}, "spec": {
            "backoffLimit": 2, "template": {"spec": {"restartPolicy": "Never",
                "containers": [{"name": "main", "image": "perl", "command": ["perl", "-v"]}]}}}}],
        "behaviours": [{"script": [{"print": "hello"}, {"run": "5s"}, {"exit": 1}]}],
    });
    let document = Document::load(document).unwrap();
    let mut run = Run::new(std::sync::Arc::new(document.base().clone()), Options::default());
    let until = run.world.config.start.plus_nanos(seconds * 1_000_000_000);
    while run.step_until(until).is_some() {}
    run.world.advance(until);
    run
}

fn printed(run: &Run<'_>, command: &str) -> String {
    text(&run.world, run.world.now(), &serde_json::from_str(command).unwrap()).unwrap()
}

#[test]
fn tables_have_the_columns_of_kubectl() {
    let run = run(3);
    assert_eq!(
        printed(&run, r#"{"verb": "get", "resource": "jobs"}"#),
        "NAME   STATUS    COMPLETIONS   DURATION   AGE\npi     Running   0/1           3s         3s\n"
    );
    let pods = printed(&run, r#"{"verb": "get", "resource": "pods"}"#);
    assert!(pods.starts_with("NAME       READY   STATUS    RESTARTS   AGE\npi-"), "{pods}");
    assert!(pods.ends_with("   1/1     Running   0          2s\n"), "{pods}");
    assert!(
        printed(&run, r#"{"verb": "events"}"#).starts_with("LAST SEEN   TYPE     REASON             OBJECT")
    );
    assert_eq!(printed(&run, r#"{"verb": "get", "resource": "cronJobs"}"#), nothing());
}

#[test]
fn a_job_is_described_in_full() {
    let run = run(3);
    let described = printed(&run, r#"{"verb": "describe", "resource": "jobs", "name": "pi"}"#);
    for line in [
        "Name:             pi\n",
        "Namespace:        default\n",
        "Completion Mode:  NonIndexed\n",
        "Pods Statuses:    1 Active (1 Ready) / 0 Succeeded / 0 Failed\n",
        "Pod Template:\n  Labels:  ",
        "   main:\n    Image:      perl\n    Port:       <none>\n    Host Port:  <none>\n    Command:\n      perl\n      -v\n    Environment:   <none>\n    Mounts:        <none>\n",
        "Events:\n  Type    Reason            Age   From            Message\n  ----    ------            ----  ----            -------\n  Normal  SuccessfulCreate  2s    job-controller  Created pod: pi-",
    ] {
        assert!(described.contains(line), "no {line:?} in\n{described}");
    }
}

#[test]
fn pods_are_described_and_have_logs() {
    let run = run(3);
    let name = run.world.store.pods().next().unwrap().name.clone();
    let pod = printed(&run, &json!({"verb": "describe", "resource": "pods", "name": &*name}).to_string());
    for line in [
        "Status:         Running\n",
        "Controlled By:  Job/pi\n",
        "    State:          Running\n",
        "QoS Class:",
        "Tolerations:",
    ] {
        assert!(pod.contains(line), "no {line:?} in\n{pod}");
    }
    let logs = json!({"verb": "logs", "name": &*name}).to_string();
    assert_eq!(printed(&run, &logs), "hello\n");
    let unknown = Command::Logs { name: "nope".into() };
    assert_eq!(
        text(&run.world, run.world.now(), &unknown).unwrap_err(),
        "Error from server (NotFound): pods \"nope\" not found"
    );
}
