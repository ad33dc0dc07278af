//! Says what happens next to a Job: what the controller would do now and why, and when it looks again.
//!
//! `kubectl get job/NAME pods -o json | cargo run -p policy-core --example whats_next -`; without an argument, a Job of
//! this file.

use policy_core::explain::{Trace, Verdict};
use policy_core::job::{JobView, Plan, PodDigester, PodFacts, decide};
use policy_core::spec::Job;
use policy_core::{JobMemory, Settings, Timestamp};
use serde_json::Value;
use std::{env, error::Error, fs, io, time};

/// A Job of three, one of whose Pods has just failed.
pub(crate) const LIST: &str = r#"{"items": [
  {"kind": "Job", "metadata": {"name": "j", "namespace": "n", "uid": "u"}, "spec": {"completions": 3, "parallelism": 1,
    "activeDeadlineSeconds": 600, "selector": {}, "template": {}}, "status": {"startTime": "2026-01-01T00:00:00Z"}},
  {"kind": "Pod", "metadata": {"name": "j-x7k2p", "namespace": "n", "uid": "1", "finalizers": ["batch.kubernetes.io/job-tracking"],
    "ownerReferences": [{"kind": "Job", "name": "j", "uid": "u", "controller": true}]}, "status": {"phase": "Failed",
    "containerStatuses": [{"state": {"terminated": {"exitCode": 1, "finishedAt": "2026-01-01T00:01:00Z"}}}]}}]}"#;

/// Answers in lines of text.
pub(crate) fn whats_next(list: &Value, now: Timestamp) -> Result<Vec<String>, Box<dyn Error>> {
    let items = list.get("items").and_then(Value::as_array).into_iter().flatten();
    let is = |item: &Value, kind: &str| item.get("kind").is_some_and(|found| found == kind);
    let (jobs, others): (Vec<&Value>, Vec<&Value>) = items.partition(|item| is(item, "Job"));
    let job: Job = serde_json::from_value((*jobs.first().ok_or("there is no Job in the list")?).clone())?;
    let digester = PodDigester::new(&job);
    let pods: Result<Vec<PodFacts>, _> = others
        .into_iter()
        .filter(|item| is(item, "Pod"))
        .map(|pod| Ok::<_, serde_json::Error>(digester.digest(&serde_json::from_value(pod.clone())?)))
        .collect();
    let (pods, mut trace) = (pods?, Trace::default());
    let view = JobView::new(&job, &pods, &Settings::DEFAULT);
    let plan = decide(view, &JobMemory::default(), now, &mut trace);
    Ok(in_words(&plan, &trace))
}

fn in_words(plan: &Plan, trace: &Trace) -> Vec<String> {
    let mut lines = vec![
        format!("creates {} Pods, deletes {}", plan.create.len(), plan.delete.len()),
        format!("takes the finalizer off {} Pods", plan.remove_finalizer.len()),
    ];
    lines.extend(plan.status_updates.iter().map(|status| {
        format!("writes: {} active, {} succeeded, {} failed", status.active, status.succeeded, status.failed)
    }));
    for finding in trace.findings().iter().filter(|finding| finding.verdict == Verdict::Held) {
        let first_line = finding.rule.text().lines().next().unwrap_or_default().trim();
        lines.push(format!("because {}: {first_line}", finding.rule));
    }
    lines.push(
        plan.end.wake.at.map_or("waits for something to change".into(), |at| format!("looks again at {at}")),
    );
    lines
}

fn main() -> Result<(), Box<dyn Error>> {
    let since_epoch = time::UNIX_EPOCH.elapsed()?;
    let now =
        Timestamp::from_unix(i64::try_from(since_epoch.as_secs())?, 0).ok_or("the clock is out of range")?;
    let (text, now) = match env::args().nth(1).as_deref() {
        None => (LIST.to_owned(), Timestamp::parse("2026-01-01T00:01:03Z")?),
        Some("-") => (io::read_to_string(io::stdin())?, now),
        Some(file) => (fs::read_to_string(file)?, now),
    };
    for line in whats_next(&serde_json::from_str(&text)?, now)? {
        println!("{line}");
    }
    Ok(())
}
