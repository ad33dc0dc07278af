//! Tables.

use super::age::since;
use super::tabs;
use crate::World;
use crate::object::{ContainerSpec, ContainerStatus, Phase, Pod, State};
use crate::record::EventRecord;
use crate::store::Object;
use policy_core::Timestamp;
use policy_core::spec::{CronJob, Job};
use std::fmt;

/// A table: a header in capitals, and rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The header.
    pub header: Vec<&'static str>,
    /// The rows; each has a cell for each word of the header.
    pub rows: Vec<Vec<String>>,
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.header.join("\t");
        for row in &self.rows {
            text.push('\n');
            // A cell is one line.
            let cells = row.iter().map(|cell| cell.replace(char::is_control, " "));
            text.push_str(&cells.collect::<Vec<_>>().join("\t"));
        }
        f.write_str(&tabs::aligned(&text, 3))
    }
}

/// `kubectl get jobs`.
pub fn jobs(world: &World, now: Timestamp) -> Table {
    let header = vec!["NAME", "STATUS", "COMPLETIONS", "DURATION", "AGE"];
    let rows = world.store.objects().filter_map(|object| match object {
        Object::Job(job) => Some(job_row(job, now)),
        _ => None,
    });
    Table { header, rows: rows.collect() }
}

/// `kubectl get cronjobs`.
pub fn cron_jobs(world: &World, now: Timestamp) -> Table {
    let header = vec!["NAME", "SCHEDULE", "TIMEZONE", "SUSPEND", "ACTIVE", "LAST SCHEDULE", "AGE"];
    let rows = world.store.objects().filter_map(|object| match object {
        Object::CronJob(cron_job) => Some(cron_job_row(cron_job, now)),
        _ => None,
    });
    Table { header, rows: rows.collect() }
}

/// `kubectl get pods`; with `nodes` also where they are, as `-o wide` tells among other things.
pub fn pods(world: &World, now: Timestamp, nodes: bool) -> Table {
    let mut table = Table { header: vec!["NAME", "READY", "STATUS", "RESTARTS", "AGE"], rows: Vec::new() };
    // `kubectl` lists them by name.
    let mut pods: Vec<&Pod> = world.store.pods().collect();
    pods.sort_by_key(|pod| (&pod.namespace, &pod.name));
    table.header.extend(nodes.then_some("NODE"));
    for pod in pods {
        let mut row = pod_row(pod, now);
        row.extend(nodes.then(|| pod.node.as_deref().unwrap_or("<none>").to_owned()));
        table.rows.push(row);
    }
    table
}

/// `kubectl get events`: those that repeat are one, the latest last.
pub fn events(world: &World, now: Timestamp) -> Table {
    let row = |Seen { event, count, first }: &Seen<'_>| {
        let last = since(event.at, now);
        let age = if *count > 1 { format!("{last} (x{count} over {})", since(*first, now)) } else { last };
        vec![
            age,
            event.kind().to_owned(),
            event.reason().to_owned(),
            event.object().to_lowercase(),
            event.message().into_owned(),
        ]
    };
    let header = vec!["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];
    Table { header, rows: seen(world, |_| true).iter().map(row).collect() }
}

/// An event, and how often it was seen.
pub(super) struct Seen<'w> {
    /// The last time.
    pub(super) event: &'w EventRecord,
    pub(super) count: usize,
    /// When it was first seen.
    pub(super) first: Timestamp,
}

/// How far back an event looks for one that it repeats.
const LOOKED_AT: usize = 64;

/// The events that are wanted; those that repeat are one, the latest last.
pub(super) fn seen<'w>(world: &'w World, wanted: impl Fn(&EventRecord) -> bool) -> Vec<Seen<'w>> {
    let mut all: Vec<Seen<'w>> = Vec::new();
    for event in world.record.events.iter().filter(|event| wanted(event)) {
        let mut known = all.iter_mut().rev().take(LOOKED_AT);
        match known.find(|known| known.event.repeats(event)) {
            Some(known) => (known.event, known.count) = (event, known.count + 1),
            None => all.push(Seen { event, count: 1, first: event.at }),
        }
    }
    all.sort_by_key(|seen| seen.event.at);
    all
}

fn age_of(created: Option<Timestamp>, now: Timestamp) -> String {
    created.map_or_else(|| "<unknown>".to_owned(), |created| since(created, now))
}

/// Upstream `printJob`.
fn job_row(job: &Job, now: Timestamp) -> Vec<String> {
    let (spec, status) = (&job.spec, &job.status);
    let completions = match (spec.completions, spec.parallelism) {
        (Some(completions), _) => format!("{}/{completions}", status.succeeded),
        (None, Some(parallelism)) if parallelism > 1 => format!("{}/1 of {parallelism}", status.succeeded),
        (None, _) => format!("{}/1", status.succeeded),
    };
    let taken = match (status.start_time, status.completion_time) {
        (None, _) => String::new(),
        (Some(start), Some(end)) => since(start, end),
        (Some(start), None) => since(start, now),
    };
    let name = job.metadata.name.clone();
    vec![name, job_status(job).to_owned(), completions, taken, age_of(job.metadata.creation_timestamp, now)]
}

fn job_status(job: &Job) -> &'static str {
    let holds = |kind: &str| job.status.condition(kind).is_some_and(|condition| condition.is_true());
    if holds("Complete") {
        "Complete"
    } else if holds("Failed") {
        "Failed"
    } else if job.metadata.deletion_timestamp.is_some() {
        "Terminating"
    } else if holds("Suspended") {
        "Suspended"
    } else if holds("FailureTarget") {
        "FailureTarget"
    } else if holds("SuccessCriteriaMet") {
        "SuccessCriteriaMet"
    } else {
        "Running"
    }
}

/// Upstream `printCronJob`.
fn cron_job_row(cron_job: &CronJob, now: Timestamp) -> Vec<String> {
    let (spec, status) = (&cron_job.spec, &cron_job.status);
    vec![
        cron_job.metadata.name.clone(),
        spec.schedule.clone(),
        spec.time_zone.clone().unwrap_or_else(|| "<none>".to_owned()),
        if spec.suspend == Some(true) { "True" } else { "False" }.to_owned(),
        status.active.len().to_string(),
        status.last_schedule_time.map_or_else(|| "<none>".to_owned(), |last| since(last, now)),
        age_of(cron_job.metadata.creation_timestamp, now),
    ]
}

/// Upstream `printPod`.
fn pod_row(pod: &Pod, now: Timestamp) -> Vec<String> {
    let both = || pod.base.containers.iter().zip(&pod.containers);
    let main = || both().filter(|(spec, _)| !spec.init);
    let ready = main().filter(|(_, status)| status.ready).count();
    let count = pod.base.containers.iter().filter(|spec| !spec.init).count();
    let restarts: i32 = pod.containers.iter().map(|status| status.restarts).sum();
    let last =
        both().filter_map(|(_, status)| status.last.as_ref().and_then(|ended| ended.finished_at)).max();
    let restarts = match last {
        Some(last) if restarts > 0 => format!("{restarts} ({} ago)", since(last, now)),
        _ => restarts.to_string(),
    };
    vec![
        pod.name.to_string(),
        format!("{ready}/{count}"),
        pod_status(pod),
        restarts,
        since(pod.created_at, now),
    ]
}

/// The column STATUS.
pub fn pod_status(pod: &Pod) -> String {
    let both = || pod.base.containers.iter().zip(&pod.containers);
    let mut reason = if pod.reason.is_empty() { pod.phase.as_str() } else { pod.reason }.to_owned();
    let inits = || both().filter(|(spec, _)| spec.init && !spec.sidecar);
    if let Some((place, (_, status))) = inits().enumerate().find(|(_, (_, status))| !succeeded(status)) {
        reason = init_status(status, place, inits().count());
    } else {
        for state in both().filter(|(spec, _)| !spec.init).filter_map(container_reason) {
            reason = state;
        }
    }
    let gone = pod.reason == "NodeLost";
    if pod.deletion_timestamp.is_some() && !matches!(pod.phase, Phase::Succeeded | Phase::Failed) {
        reason = if gone { "Unknown" } else { "Terminating" }.to_owned();
    }
    reason
}

fn succeeded(status: &ContainerStatus) -> bool {
    matches!(status.state, State::Terminated(ended) if ended.exit_code == 0)
}

fn init_status(status: &ContainerStatus, place: usize, count: usize) -> String {
    match status.state {
        State::Terminated(ended) => format!("Init:{}", ended.reason),
        State::Waiting(reason) if reason != "PodInitializing" => format!("Init:{reason}"),
        _ => format!("Init:{place}/{count}"),
    }
}

fn container_reason((_, status): (&ContainerSpec, &ContainerStatus)) -> Option<String> {
    match status.state {
        State::Waiting(reason) => Some(reason.to_owned()),
        State::Terminated(ended) if ended.reason.is_empty() => Some(format!("ExitCode:{}", ended.exit_code)),
        State::Terminated(ended) => Some(ended.reason.to_owned()),
        State::Running(_) => None,
    }
}
