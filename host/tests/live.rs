//! `explain` of a cluster and `record`, against an API server that answers what a test says.
#![cfg(feature = "controller")]

mod common;
#[path = "live/server.rs"]
mod server;

use common::{Ran, data, run};
use flate2::read::MultiGzDecoder;
use jobpolicy::manifest;
use jobpolicy::replay::{Recording, replay};
use serde_json::{Value, json};
use server::{Answer, Server};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

const NOW: &str = "--now=2026-01-01T00:01:35Z";
const JOB: &str = "/apis/batch/v1/namespaces/shop/jobs/import";
const JOBS: &str = "/apis/batch/v1/namespaces/shop/jobs";
const PODS: &str = "/api/v1/namespaces/shop/pods";
const EVENTS: &str = "/api/v1/namespaces/shop/events";

/// The objects of a kind in a file, as lists have them: without a kind.
fn objects(file: &str, kind: &str) -> Vec<Value> {
    let (manifests, problems) = manifest::read_all(&[data().join(file)]);
    assert!(problems.is_empty());
    let of_kind = manifests.into_iter().filter(|manifest| manifest.kind() == kind);
    of_kind
        .map(|manifest| {
            let mut object = manifest.object;
            let fields = object.as_object_mut().unwrap();
            fields.remove("kind");
            fields.remove("apiVersion");
            object
        })
        .collect()
}

fn list(items: &[Value]) -> Answer {
    Answer::json(200, &json!({"metadata": {"resourceVersion": "9"}, "items": items}))
}

fn status(code: u16, reason: &str, message: &str) -> Answer {
    Answer::json(code, &json!({"kind": "Status", "code": code, "reason": reason, "message": message}))
}

/// A server with the objects of the file that the snapshots of `explain` are made of.
fn shop() -> Server {
    let server = Server::start();
    let mut jobs = objects("explain/failures.yaml", "Job");
    server.answer(JOBS, list(&jobs));
    server.answer(PODS, list(&objects("explain/failures.yaml", "Pod")));
    server.answer(EVENTS, list(&objects("explain/failures.yaml", "Event")));
    let mut job = jobs.remove(0);
    job["kind"] = json!("Job");
    server.answer(JOB, Answer::json(200, &job));
    server
}

fn explain(server: &Server, args: &[&str]) -> Ran {
    let kubeconfig = server.kubeconfig();
    run(&[&["explain", NOW, "--kubeconfig", kubeconfig.to_str().unwrap()], args].concat(), b"")
}

fn assert_refused(ran: &Ran, words: &[&str]) {
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
    words.iter().for_each(|word| assert!(ran.err.contains(word), "no `{word}` in {}", ran.err));
}

#[test]
fn a_job_of_a_cluster_is_explained_as_one_of_a_file() {
    for format in ["table", "json", "yaml"] {
        let live = explain(&shop(), &["job/import", "-o", format]);
        let of_file = run(&["explain", "explain/failures.yaml", "job/import", NOW, "-o", format], b"");
        assert_eq!((live.code, live.err.as_str(), &live.out), (0, "", &of_file.out));
    }
}

#[test]
fn a_missing_right_is_named() {
    let server = shop();
    server.answer(PODS, status(403, "Forbidden", "pods is forbidden"));
    let refused = explain(&server, &["job/import"]);
    assert_refused(&refused, &["not allowed to list pods in the namespace `shop`", "`list`", "`pods`"]);
    server.answer(JOB, status(401, "Unauthorized", "Unauthorized"));
    assert_refused(&explain(&server, &["job/import"]), &["does not accept the credentials"]);
}

#[test]
fn a_wrong_name_is_told_with_names_that_are_like_it() {
    let server = shop();
    assert_refused(
        &explain(&server, &["job/imprt"]),
        &["no Job `imprt`", "`shop`", "did you mean `import`?"],
    );
    server.answer(JOBS, status(403, "Forbidden", "no"));
    assert_refused(&explain(&server, &["job/imprt"]), &["no Job `imprt`", "check the name"]);
    assert_refused(&explain(&server, &["job/import", "-n", "other"]), &["no Job `import`", "`other`"]);
}

#[test]
fn answers_that_are_none_are_refused() {
    let server = shop();
    server.answer(JOB, status(500, "InternalError", "etcd is away"));
    assert_refused(&explain(&server, &["job/import"]), &["cannot get jobs", "500", "etcd is away"]);
    for garbage in ["<html>", "[]", "{}", "", r#"{"kind":"Job"}"#, r#"{"kind":"Pod","metadata":{"uid":"u"}}"#]
    {
        server.answer(JOB, Answer::text(200, garbage));
        assert_refused(&explain(&server, &["job/import"]), &["but not with a Job"]);
    }
    let server = shop();
    server.answer(PODS, Answer::text(200, "<html>"));
    assert_refused(&explain(&server, &["job/import"]), &["cannot list pods"]);
}

#[test]
fn without_a_cluster_there_is_a_message() {
    let missing = ["explain", "job/import", "--kubeconfig", "there-is-none"];
    assert_refused(&run(&missing, b""), &["`there-is-none`"]);
    let server = Server::start();
    let kubeconfig = server.kubeconfig();
    drop(server);
    let away = ["explain", "job/import", "--kubeconfig", kubeconfig.to_str().unwrap()];
    assert_refused(&run(&away, b""), &["cannot get jobs at http://127.0.0.1:"]);
    assert_refused(&run(&["explain", "pod/import"], b""), &["`pod/import` cannot be explained", "job/NAME"]);
    let context = [&away[..], &["--context", "nowhere"]].concat();
    assert_refused(&run(&context, b""), &["nowhere"]);
    assert_refused(
        &run(&["explain", "new.yaml", "-n", "shop"], b""),
        &["--namespace means nothing with files"],
    );
}

/// The streams of a recording from a cluster.
fn traces() -> Vec<(&'static str, String)> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/traces/tutorials");
    let stream = |name| {
        let mut text = String::new();
        let file = fs::File::open(directory.join(format!("{name}.ndjson.gz"))).unwrap();
        MultiGzDecoder::new(file).read_to_string(&mut text).unwrap();
        (name, text)
    };
    ["cronjobs", "events", "jobs", "nodes", "pods"].map(stream).into()
}

fn watched(name: &str) -> String {
    match name {
        "jobs" | "cronjobs" => format!("/apis/batch/v1/{name}"),
        "events" => "/apis/events.k8s.io/v1/events".into(),
        _ => format!("/api/v1/{name}"),
    }
}

fn empty_directory(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    if directory.exists() {
        fs::remove_dir_all(&directory).unwrap();
    }
    directory
}

fn record(server: &Server, directory: &Path, args: &[&str]) -> Ran {
    let kubeconfig = server.kubeconfig();
    let all = ["record", directory.to_str().unwrap(), "--kubeconfig", kubeconfig.to_str().unwrap()];
    run(&[&all, args].concat(), b"")
}

#[test]
fn what_was_recorded_is_replayed_as_what_was_sent() {
    let (server, directory) = (Server::start(), empty_directory("roundtrip"));
    let traces = traces();
    for (name, text) in &traces {
        server.answer(&watched(name), Answer::json(200, &json!({"metadata": {"resourceVersion": "1"}})));
        // The first watch is cut off in the middle, the second brings the rest.
        let half = text.match_indices('\n').nth(text.lines().count() / 2).unwrap().0 + 1;
        server.watch(&watched(name), &[&text[..half], &text[half..]]);
    }
    let ran = record(&server, &directory, &["--all-namespaces", "--for", "3s"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.contains("jobs 166"), "{}", ran.out);
    let recorded = Recording::read(&directory, |_, _| {}).unwrap();
    let sent = Recording::from_streams(traces.iter().map(|(name, text)| (*name, text.as_str()))).unwrap();
    assert_eq!(replay(&recorded, |_, _| {}), replay(&sent, |_, _| {}));
    let refused = record(&server, &directory, &["-A", "--for", "1s"]);
    assert_refused(&refused, &["is not empty", "--force"]);
}

fn stream_of(directory: &Path, name: &str) -> Vec<Value> {
    let mut text = String::new();
    let file = fs::File::open(directory.join(format!("{name}.ndjson.gz"))).unwrap();
    MultiGzDecoder::new(file).read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_watch_that_is_too_far_behind_begins_again_from_a_list() {
    let (server, directory) = (Server::start(), empty_directory("relist"));
    for name in ["cronjobs", "events", "pods", "nodes"] {
        server.answer(&watched(name), list(&[]));
    }
    let job = |name: &str, version: &str| json!({"metadata": {"name": name, "namespace": "shop", "uid": name, "resourceVersion": version}});
    let of = |version: &str, items: &[Value]| {
        Answer::json(200, &json!({"metadata": {"resourceVersion": version}, "items": items}))
    };
    server.answer("/apis/batch/v1/jobs", of("9", &[job("a", "3"), job("b", "4"), job("c", "5")]));
    server.answer_later("/apis/batch/v1/jobs", of("20", &[job("a", "3"), job("c", "15"), job("d", "16")]));
    let gone =
        r#"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}"#;
    server.watch("/apis/batch/v1/jobs", &[&format!("{gone}\n")]);
    let ran = record(&server, &directory, &["-A", "--for", "2s"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("began again from a list"), "{}", ran.err);
    let told: Vec<String> = stream_of(&directory, "jobs")
        .iter()
        .map(|event| {
            let meta = &event["object"]["metadata"];
            let name = meta["name"].as_str().unwrap_or_default();
            format!(
                "{} {name} {}",
                event["type"].as_str().unwrap(),
                meta["resourceVersion"].as_str().unwrap()
            )
        })
        .collect();
    let first = ["ADDED a 3", "ADDED b 4", "ADDED c 5", "BOOKMARK  9"];
    let then = ["MODIFIED c 15", "ADDED d 16", "DELETED b 20", "BOOKMARK  20"];
    assert_eq!(told, [first, then].concat());
    // Nobody's writes are in it, but it can be read.
    let text: String = stream_of(&directory, "jobs").iter().map(|event| format!("{event}\n")).collect();
    Recording::from_streams([("jobs", text.as_str())]).unwrap();
}

#[test]
fn without_the_rights_no_file_is_made() {
    let (server, directory) = (Server::start(), empty_directory("forbidden"));
    for name in ["cronjobs", "events", "jobs"] {
        server.answer(&watched(name), list(&[]));
    }
    server.answer(&watched("nodes"), status(403, "Forbidden", "no"));
    server.answer(&watched("pods"), status(403, "Forbidden", "no"));
    let ran = record(&server, &directory, &["-A", "--for", "1s"]);
    assert_refused(&ran, &["nodes are left out", "not allowed to list pods in all namespaces"]);
    assert!(!directory.exists());
    server.answer(&watched("pods"), list(&[]));
    server.answer_watch_with(&watched("pods"), status(403, "Forbidden", "no"));
    let ran = record(&server, &directory, &["-A", "--for", "5s"]);
    assert_refused(&ran, &["not allowed to watch pods in all namespaces", "`watch`"]);
}
