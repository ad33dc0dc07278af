use super::*;
use serde_json::{Value, json};

fn ask(answer: Answer) -> Value {
    serde_json::from_slice(&answer.unwrap()).unwrap()
}

fn text(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn job() -> Value {
    json!({
        "metadata": {"name": "j", "namespace": "n", "uid": "u"},
        "spec": {"completions": 3, "parallelism": 3, "selector": {"matchLabels": {"j": "j"}},
            "template": {"spec": {"unknown": [1]}}},
    })
}

fn pod(uid: &str, phase: &str) -> Value {
    json!({
        "metadata": {"name": uid, "namespace": "n", "uid": uid, "labels": {"j": "j"},
            "finalizers": ["batch.kubernetes.io/job-tracking"],
            "ownerReferences": [{"kind": "Job", "name": "j", "uid": "u", "controller": true}]},
        "status": {"phase": phase},
    })
}

/// Carries every wave out; the calls by name, and the end.
fn drive(instance: &mut Instance, mut step: Value) -> (Vec<String>, Value) {
    let mut calls = Vec::new();
    while let Some(wave) = step.get("wave") {
        let names = wave["calls"].as_array().unwrap();
        calls.extend(names.iter().map(|call| call["call"].as_str().unwrap().to_owned()));
        let outcomes: Vec<Value> = names.iter().map(|_| json!({"done": {}})).collect();
        let request = json!({"paused": step["paused"], "now": "2026-01-01T00:00:10Z", "outcomes": outcomes});
        step = ask(instance.resume(&text(&request)));
    }
    (calls, step["finished"].clone())
}

#[test]
fn a_sync_goes_on_from_wave_to_wave() {
    let mut instance = Instance::default();
    let cache =
        ask(instance.apply(&text(&json!({"job": job(), "events": [{"applied": pod("p", "Succeeded")}]}))));
    assert_eq!(cache["pods"], 1);
    let request = json!({"cache": cache["cache"], "now": "2026-01-01T00:00:10Z", "trace": true});
    let step = ask(instance.begin(&text(&request)));
    assert!(!step["findings"].as_array().unwrap().is_empty());
    let pod = &step["wave"]["calls"][0]["pod"];
    assert_eq!(pod["spec"]["unknown"], json!([1]));
    let (calls, finished) = drive(&mut instance, step);
    assert_eq!(calls, ["createPod", "createPod", "writeStatus", "removeFinalizer", "writeStatus"]);
    assert_eq!(finished["verdict"], "continues");
    assert!(instance.paused.is_empty());
}

#[test]
fn what_is_applied_during_a_sync_belongs_to_the_next_one() {
    let mut instance = Instance::default();
    let cache = ask(instance.apply(&text(&json!({"job": job()}))))["cache"].clone();
    let begin = text(&json!({"cache": cache, "now": "2026-01-01T00:00:10Z", "render": false}));
    let step = ask(instance.begin(&begin));
    let memory = json!({"expectations": {"creations": 3, "deletions": 0, "since": "2026-01-01T00:00:10Z"}});
    let shown = json!({"cache": cache, "events": [{"applied": pod("p", "Running")}], "memory": memory});
    assert_eq!(ask(instance.apply(&text(&shown)))["memory"]["expectations"]["creations"], 2);
    let (calls, _) = drive(&mut instance, step);
    assert_eq!(calls.iter().filter(|call| *call == "createPod").count(), 3);
    let (calls, _) = {
        let step = ask(instance.begin(&begin));
        drive(&mut instance, step)
    };
    assert_eq!(calls.iter().filter(|call| *call == "createPod").count(), 2);
}

#[test]
fn misuse_is_a_fault_and_changes_nothing() {
    let mut instance = Instance::default();
    let code = |answer: Answer| answer.unwrap_err().code;
    for garbage in [&b""[..], b"{", b"[]", b"\xff", b"{\"now\":\"x\"}", b"{}", b"{\"nope\":1}"] {
        assert_eq!(code(instance.decide(garbage)), Code::Malformed);
        assert_eq!(code(instance.apply(garbage)), Code::Malformed);
        assert_eq!(code(instance.begin(garbage)), Code::Malformed);
        assert_eq!(code(instance.resume(garbage)), Code::Malformed);
    }
    assert_eq!(code(instance.apply(br#"{"cache":9}"#)), Code::UnknownHandle);
    assert_eq!(code(instance.resume(br#"{"paused":9}"#)), Code::UnknownHandle);
    let step = ask(instance.begin(&text(&json!({"job": job(), "now": "2026-01-01T00:00:10Z"}))));
    let too_few = json!({"paused": step["paused"], "now": "2026-01-01T00:00:10Z", "outcomes": []});
    assert_eq!(code(instance.resume(&text(&too_few))), Code::WrongCount);
    let (_, finished) = drive(&mut instance, step.clone());
    assert_eq!(finished["verdict"], "continues");
    assert_eq!(code(instance.resume(&text(&too_few))), Code::UnknownHandle, "a sync goes on once");
}

#[test]
fn a_cron_job_starts_its_run() {
    let cron_job = json!({
        "metadata": {"name": "c", "namespace": "n", "uid": "u", "creationTimestamp": "2026-01-01T00:00:30Z"},
        "spec": {"schedule": "0 9 * * *", "timeZone": "Europe/Berlin", "jobTemplate": {"spec": {"template": {}}}},
    });
    let mut instance = Instance::default();
    let request = json!({"cronJob": cron_job, "now": "2026-01-01T08:00:05Z"});
    let step = ask(instance.begin(&text(&request)));
    assert_eq!(step["wave"]["calls"][0]["call"], "createJob");
    let job = json!({"job": {"name": "c-1", "namespace": "n", "uid": "1"}});
    let resume = json!({"paused": step["paused"], "now": "2026-01-01T08:00:05Z", "outcomes": [job]});
    let step = ask(instance.resume(&text(&resume)));
    assert_eq!(step["wave"]["calls"][0]["call"], "updateStatus");
    let (_, finished) = drive(&mut instance, step);
    assert!(finished["requeueAt"].as_str().unwrap().starts_with("2026-01-02T08:00:00"));
}
