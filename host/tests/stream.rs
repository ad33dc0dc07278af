//! `--stream` as programs use it: waiting for each answer, long lines, a reader that leaves.

mod common;

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::time::{Duration, Instant};

fn start(command: &str) -> (Child, ChildStdin) {
    let mut command = common::command(&[command, "--stream"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let stdin = child.stdin.take().unwrap();
    (child, stdin)
}

const LINE: &str = r#"{"id":ID,"schedule":"@hourly","timeZone":null,"from":"2026-01-01T00:00:00Z","n":1}"#;

#[test]
fn each_line_is_answered_before_the_next_is_written() {
    let (mut child, mut stdin) = start("schedule");
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    for id in 0..200 {
        writeln!(stdin, "{}", LINE.replace("ID", &id.to_string())).unwrap();
        let answer: Value = serde_json::from_str(&answers.next().unwrap().unwrap()).unwrap();
        assert_eq!(answer["id"], id);
    }
    drop(stdin);
    assert!(answers.next().is_none());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn an_answer_comes_though_the_next_line_has_begun() {
    let (mut child, mut stdin) = start("schedule");
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    let second = LINE.replace("ID", "2");
    write!(stdin, "{}\n{}", LINE.replace("ID", "1"), &second[..10]).unwrap();
    stdin.flush().unwrap();
    assert!(answers.next().unwrap().unwrap().contains("\"id\":1"));
    write!(stdin, "{}", &second[10..]).unwrap();
    drop(stdin);
    assert!(answers.next().unwrap().unwrap().contains("\"id\":2"), "a last line needs no line break");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn lines_over_64_mib_are_refused_and_the_stream_goes_on() {
    let (mut child, mut stdin) = start("schedule");
    let stdout = child.stdout.take().unwrap();
    let writer = std::thread::spawn(move || {
        let piece = vec![b'x'; 1 << 20];
        for _ in 0..70 {
            stdin.write_all(&piece).unwrap();
        }
        write!(stdin, "\n{}\n", LINE.replace("ID", "7")).unwrap();
        for _ in 0..65 {
            stdin.write_all(&piece).unwrap();
        }
    });
    let answers: Vec<Value> =
        BufReader::new(stdout).lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    writer.join().unwrap();
    assert_eq!(answers.len(), 3);
    for refused in [&answers[0], &answers[2]] {
        assert_eq!(*refused, serde_json::json!({ "id": null, "error": "the line is longer than 64 MiB" }));
    }
    assert_eq!(answers[1]["times"], serde_json::json!(["2026-01-01T01:00:00Z"]));
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[cfg(target_os = "linux")]
#[test]
fn memory_stays_bounded_over_long_lines_and_many_lines() {
    let (mut child, mut stdin) = start("schedule");
    let mut stdout = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()).unwrap());
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..200 {
        stdin.write_all(&piece).unwrap();
    }
    stdin.write_all(b"\n").unwrap();
    let line = LINE.replace("ID", "1") + "\n";
    for _ in 0..20_000 {
        stdin.write_all(line.as_bytes()).unwrap();
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak_kib: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    reader.join().unwrap();
    assert!(peak_kib < 160 << 10, "{peak_kib} KiB for lines of at most 64 MiB");
}

#[test]
fn a_reader_that_leaves_ends_the_stream_quietly() {
    let mut command = common::command(&["schedule", "--stream"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let line = LINE.replace("ID", "1") + "\n";
    stdin.write_all(line.as_bytes()).unwrap();
    stdout.read_exact(&mut [0; 10]).unwrap();
    drop(stdout);
    let started = Instant::now();
    // Written until the command notices.
    while stdin.write_all(line.as_bytes()).is_ok() {
        assert!(started.elapsed() < Duration::from_secs(60), "the command reads on");
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn decide_takes_jobs_and_cron_jobs_mixed() {
    let job = r#"{"id":"j","now":"2026-01-01T00:00:00Z","job":{"metadata":{"name":"j","namespace":"default","uid":"u"},"spec":{"parallelism":0}}}"#;
    let cron = r#"{"id":"c","now":"2026-01-01T00:00:00Z","jobs":[],"cronJob":{"metadata":{"name":"c","namespace":"default","uid":"u","creationTimestamp":"2025-12-31T23:59:00Z"},"spec":{"schedule":"@daily","jobTemplate":{"spec":{"template":{}}}}}}"#;
    let ran = common::run(&["decide", "--stream"], format!("{job}\n{cron}\n{{\"id\":9}}\n").as_bytes());
    let answers: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((answers[0]["id"].as_str(), answers[1]["id"].as_str()), (Some("j"), Some("c")));
    assert!(answers[0]["plan"]["statusUpdates"].is_array(), "{}", answers[0]);
    assert_eq!(answers[1]["plan"]["createJobs"].as_array().map(Vec::len), Some(1), "{}", answers[1]);
    assert_eq!(answers[2]["id"], 9);
    assert_eq!(ran.code, 1);
}
