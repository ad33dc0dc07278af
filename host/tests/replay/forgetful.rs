//! A controller that is restarted remembers nothing. It must not count a Pod twice for that.

use crate::traces::Trace;
use policy_core::job::{JobView, PodDigester, decide};
use policy_core::spec::{Job, JobStatus, Pod};
use policy_core::{JobMemory, Settings, Timestamp};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The Pods that a status accounts for.
fn counted(status: &JobStatus) -> usize {
    let uncounted = status.uncounted_terminated_pods.clone().unwrap_or_default();
    let uids: BTreeSet<&str> = uncounted.succeeded.iter().chain(uncounted.failed.iter()).collect();
    assert_eq!(uids.len(), uncounted.succeeded.len() + uncounted.failed.len(), "a Pod is listed twice");
    usize::try_from(status.succeeded + status.failed).unwrap() + uids.len()
}

/// At every state of the streams, without any memory: never more Pods are counted than there were.
#[test]
fn losing_the_memory_at_any_step_counts_no_pod_twice() {
    let all = Trace::read("tutorials");
    for name in all.names("jobs") {
        let mut trace = all.clone().only(&name);
        let mut events: Vec<Value> = trace.stream("jobs").clone();
        events.extend(trace.stream("pods").iter().cloned());
        let version = |event: &Value| -> u64 {
            event["object"]["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap()
        };
        events.sort_by_key(version);
        let mut job: Option<Job> = None;
        let mut pods: BTreeMap<String, Pod> = BTreeMap::new();
        let mut ever = BTreeSet::new();
        for event in &events {
            let object = event["object"].to_string();
            let gone = event["type"] == "DELETED";
            if event["object"]["kind"] == "Job" {
                job = serde_json::from_str::<Job>(&object).ok().filter(|_| !gone);
            } else {
                let pod: Pod = serde_json::from_str(&object).unwrap();
                ever.insert(pod.metadata.uid.clone());
                match gone {
                    true => pods.remove(&pod.metadata.uid),
                    false => pods.insert(pod.metadata.uid.clone(), pod),
                };
            }
            let Some(job) = &job else { continue };
            let digester = PodDigester::new(job);
            let facts: Vec<_> = pods.values().map(|pod| digester.digest(pod)).collect();
            let view = JobView::new(job, &facts, &Settings::DEFAULT);
            let now = Timestamp::parse("2026-11-23T20:00:00Z").unwrap();
            for status in decide(view, &JobMemory::default(), now, &mut ()).status_updates {
                assert!(counted(&status) <= ever.len(), "{name}: {status:?} with {} Pods", ever.len());
            }
        }
    }
}
