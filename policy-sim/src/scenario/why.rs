//! Why a run ended as it did: what became of each Job, or what is waited for.

use super::timeline::job_of;
use crate::object::{Phase, Pod, State};
use crate::store::Object;
use crate::{Ending, QueueView, WaitsFor, World};
use policy_core::explain::{Finding, Rule, Verdict};
use policy_core::spec::{CronJob, Job};
use std::collections::BTreeMap;

/// Lines of the same kind shown at most; beyond, their number says enough.
const SHOWN: usize = 6;

/// The explanation, line by line.
pub(super) fn explain(world: &World, ending: Ending) -> Vec<String> {
    let mut lines = Vec::new();
    let objects = || world.store.objects();
    let jobs: Vec<&Job> = objects()
        .filter_map(|object| match object {
            Object::Job(job) => Some(&**job),
            _ => None,
        })
        .collect();
    let (finished, unfinished): (Vec<&Job>, Vec<&Job>) =
        jobs.into_iter().partition(|job| job.status.finished().is_some());
    lines.extend(limited(
        finished.iter().map(|job| finished_line(world, job)).collect(),
        "Jobs have finished",
    ));
    lines.extend(limited(
        unfinished.iter().map(|job| unfinished_line(job)).collect(),
        "Jobs have not finished",
    ));
    lines.extend(objects().filter_map(|object| match object {
        Object::CronJob(cron_job) => Some(cron_job_line(cron_job)),
        _ => None,
    }));
    lines.extend(limited(pod_lines(world), "Pods wait"));
    let used: Vec<QueueView> = world.queues().collect();
    lines.extend(used.iter().filter_map(queue_line));
    lines.extend(nodes(world));
    if ending == Ending::Quiescent {
        lines.push("nothing is under way: no timer, no event and no retry will change this; it takes an action from outside".into());
    }
    lines
}

fn limited(lines: Vec<String>, what: &str) -> Vec<String> {
    let all = lines.len();
    let mut lines: Vec<String> = lines.into_iter().take(SHOWN).collect();
    if all > SHOWN {
        lines.push(format!("… {all} {what} in all"));
    }
    lines
}

fn counts(job: &Job) -> String {
    let status = &job.status;
    let mut parts = vec![match job.spec.completions {
        Some(completions) => format!("{} of {completions} succeeded", status.succeeded),
        None => format!("{} succeeded", status.succeeded),
    }];
    if status.failed > 0 {
        parts.push(format!("{} failed", status.failed));
    }
    if status.active > 0 {
        parts.push(format!("{} active", status.active));
    }
    parts.join(", ")
}

fn finished_line(world: &World, job: &Job) -> String {
    let name = &job.metadata.name;
    let Some(condition) = job.status.finished() else { return format!("Job {name}") };
    let how = if condition.kind == "Complete" { "is complete" } else { "has failed" };
    let mut line = format!("Job {name} {how} ({})", counts(job));
    if !condition.reason.is_empty() {
        line.push_str(&format!(": {}: {}", condition.reason, condition.message));
    }
    if let Some(finding) = deciding(world, name) {
        line.push_str(&format!("; rule {}{}", finding.rule.code(), evidence(finding)));
    }
    line
}

/// The rule that decided how a Job ended, in the latest decision that looked at one.
fn deciding<'w>(world: &'w World, job: &str) -> Option<&'w Finding> {
    let object = format!("Job/{job}");
    let decisions = world.record.decisions.iter().rev().filter(|decision| decision.object == object);
    let ends = |finding: &&Finding| finding.verdict == Verdict::Held && ENDS.contains(&finding.rule);
    decisions.take(16).find_map(|decision| decision.findings.iter().find(ends))
}

/// The rules by which a Job ends.
const ENDS: &[Rule] = &[
    Rule::PodFailurePolicyFailsJob,
    Rule::BackoffLimitExceeded,
    Rule::RestartLimitExceeded,
    Rule::DeadlineExceeded,
    Rule::MaxFailedIndexesExceeded,
    Rule::FailedIndexes,
    Rule::SuccessPolicyMet,
    Rule::CompletionsReached,
];

fn evidence(finding: &Finding) -> String {
    let shown: Vec<String> = finding
        .evidence
        .iter()
        .take(3)
        .map(|evidence| {
            let bound = if evidence.bound.is_empty() {
                String::new()
            } else {
                format!(" against {}", evidence.bound)
            };
            format!("{} is {}{bound}", evidence.path, evidence.value)
        })
        .collect();
    if shown.is_empty() { String::new() } else { format!(" ({})", shown.join("; ")) }
}

fn unfinished_line(job: &Job) -> String {
    let name = &job.metadata.name;
    let state = counts(job);
    let spec = &job.spec;
    if let Some(manager) =
        spec.managed_by.as_deref().filter(|manager| *manager != "kubernetes.io/job-controller")
    {
        return format!("Job {name} is left to the controller `{manager}` ({state})");
    }
    if spec.suspend == Some(true) {
        return format!("Job {name} is suspended ({state}); it goes on when spec.suspend is false");
    }
    if spec.parallelism == Some(0) {
        return format!("Job {name} may run no Pod, because spec.parallelism is 0 ({state})");
    }
    match spec.completions {
        Some(completions) => {
            let missing = completions.saturating_sub(job.status.succeeded);
            let pods = if missing == 1 {
                "1 more Pod succeeds".to_owned()
            } else {
                format!("{missing} more Pods succeed")
            };
            format!("Job {name} is not complete ({state}): it waits until {pods}")
        }
        None => format!("Job {name} is not complete ({state}): it waits until all its Pods have ended"),
    }
}

fn cron_job_line(cron_job: &CronJob) -> String {
    let name = &cron_job.metadata.name;
    let schedule = &cron_job.spec.schedule;
    if cron_job.spec.suspend == Some(true) {
        return format!("CronJob {name} is suspended");
    }
    let last = match cron_job.status.last_schedule_time {
        Some(last) => format!("it last did so for {last}"),
        None => "it has not done so yet".into(),
    };
    format!("CronJob {name} goes on making Jobs at `{schedule}`; {last}")
}

/// Pods that have not ended, and what for.
fn pod_lines(world: &World) -> Vec<String> {
    let waits = world.waiting_containers();
    let mut by_pod: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for wait in &waits {
        let container = &wait.container;
        let line = match &wait.what {
            WaitsFor::Queue(queue) => {
                format!("container {container} waits for something to take from the queue {queue}")
            }
            WaitsFor::Name(name, Some(why)) => {
                format!("container {container} waits for the name {name}, which does not answer: {why}")
            }
            WaitsFor::Name(name, None) => format!("container {container} waits for the name {name}"),
            WaitsFor::Nothing => format!("container {container} runs for ever"),
        };
        by_pod.entry(&wait.pod).or_default().push(line);
    }
    let live = world.store.pods().filter(|pod| !matches!(pod.phase, Phase::Succeeded | Phase::Failed));
    live.filter_map(|pod| {
        let what = match by_pod.get(&*pod.name) {
            Some(lines) => lines.join(", "),
            None => pod_state(world, pod)?,
        };
        let of = job_of(pod).map(|job| format!(" of Job {job}")).unwrap_or_default();
        Some(format!("Pod {}{of} is {}: {what}", pod.name, pod.phase.as_str()))
    })
    .collect()
}

fn pod_state(world: &World, pod: &Pod) -> Option<String> {
    let silent =
        pod.node.as_deref().filter(|node| world.nodes().any(|view| view.name == **node && !view.ready));
    if let Some(node) = silent {
        return Some(format!("its node {node} is silent, and nobody else may say that the Pod has ended"));
    }
    if pod.deletion_timestamp.is_some() {
        return Some("it is being deleted".into());
    }
    if pod.node.is_none() {
        let reason = pod.condition("PodScheduled").map(|condition| condition.message.to_string());
        return Some(reason.filter(|text| !text.is_empty()).unwrap_or_else(|| "it waits for a node".into()));
    }
    let specs = pod.base.containers.iter().zip(&pod.containers);
    specs
        .filter_map(|(spec, status)| match status.state {
            State::Waiting(reason @ ("PodInitializing" | "ContainerCreating")) => {
                Some(format!("container {} waits ({reason})", spec.name))
            }
            State::Waiting(reason) => {
                Some(format!("container {} waits ({reason}: image {})", spec.name, spec.image))
            }
            State::Running(_) => Some(format!("container {} works", spec.name)),
            State::Terminated(_) => None,
        })
        .next()
}

fn queue_line(queue: &QueueView) -> Option<String> {
    let name = &queue.name;
    let some = |items: &[std::sync::Arc<str>]| {
        let shown: Vec<&str> = items.iter().take(SHOWN).map(|item| &**item).collect();
        let more = if items.len() > SHOWN { ", …" } else { "" };
        format!("{}{more}", shown.join(", "))
    };
    match (queue.ready.as_slice(), queue.taken.as_slice()) {
        ([], []) if queue.waiting > 0 => {
            Some(format!("the queue {name} is empty, and {} wait for it", containers(queue.waiting)))
        }
        ([], []) => None,
        ([], taken) => {
            Some(format!("the queue {name} has nothing to take; taken and not done: {}", some(taken)))
        }
        (ready, []) => Some(format!("the queue {name} still holds {}: {}", ready.len(), some(ready))),
        (ready, taken) => Some(format!(
            "the queue {name} still holds {}: {}; taken and not done: {}",
            ready.len(),
            some(ready),
            some(taken)
        )),
    }
}

fn containers(count: usize) -> String {
    if count == 1 { "1 container".into() } else { format!("{count} containers") }
}

fn nodes(world: &World) -> Vec<String> {
    let lines = world.nodes().filter_map(|node| {
        if !node.ready {
            Some(format!("node {} is not ready", node.name))
        } else if node.cordoned {
            Some(format!("node {} is cordoned", node.name))
        } else {
            None
        }
    });
    lines.collect()
}
