//! What is in a virtual cluster, as `kubectl get` shows it.

use super::{duration, table};
use policy_core::Timestamp;
use policy_core::spec::{CronJob, Job};
use policy_sim::World;
use policy_sim::object::{ContainerSpec, ContainerStatus, Phase, Pod, State};
use policy_sim::record::EventRecord;
use policy_sim::store::Object;

/// Rows shown of one table; a note says how many more there are.
const ROWS: usize = 40;

/// `kubectl get jobs`; empty when there are none.
pub fn jobs(world: &World) -> String {
    let all = objects(world, |object| match object {
        Object::Job(job) => Some(&**job),
        _ => None,
    });
    limited(&["NAME", "STATUS", "COMPLETIONS", "DURATION", "AGE"], &all, |job| job_row(job, world.now()))
}

/// `kubectl get cronjobs`; empty when there are none.
pub fn cron_jobs(world: &World) -> String {
    let all = objects(world, |object| match object {
        Object::CronJob(cron_job) => Some(&**cron_job),
        _ => None,
    });
    let header = ["NAME", "SCHEDULE", "TIMEZONE", "SUSPEND", "ACTIVE", "LAST SCHEDULE", "AGE"];
    limited(&header, &all, |cron_job| cron_job_row(cron_job, world.now()))
}

/// `kubectl get pods`; empty when there are none.
pub fn pods(world: &World) -> String {
    let all: Vec<&Pod> = world.store.pods().collect();
    limited(&["NAME", "READY", "STATUS", "RESTARTS", "AGE", "NODE"], &all, |pod| pod_row(pod, world.now()))
}

/// `kubectl get events`: the last ones, those that repeat taken together.
pub fn events(world: &World, most: usize) -> String {
    let mut rows: Vec<(&EventRecord, usize)> = Vec::new();
    for event in &world.record.events {
        let same = |other: &&mut (&EventRecord, usize)| other.0.repeats(event);
        match rows.iter_mut().rev().take(most).find(same) {
            Some(found) => *found = (event, found.1 + 1),
            None => rows.push((event, 1)),
        }
    }
    let hidden = rows.len().saturating_sub(most);
    let row = |(event, count): &(&EventRecord, usize)| {
        let times = if *count > 1 { format!(" (x{count})") } else { String::new() };
        vec![
            since(event.at, world.now()) + &times,
            event.kind().to_owned(),
            event.reason().to_owned(),
            event.object().to_lowercase(),
            event.message().into_owned(),
        ]
    };
    if rows.is_empty() {
        return String::new();
    }
    let header = ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];
    let mut text = table(&header, rows.iter().skip(hidden).map(row));
    if hidden > 0 {
        text.push_str(&format!("… and {hidden} earlier ones\n"));
    }
    text
}

fn objects<'w, T>(world: &'w World, pick: impl Fn(&'w Object) -> Option<&'w T>) -> Vec<&'w T> {
    world.store.objects().filter_map(pick).collect()
}

fn limited<T>(header: &[&str], all: &[T], row: impl Fn(&T) -> Vec<String>) -> String {
    if all.is_empty() {
        return String::new();
    }
    let mut text = table(header, all.iter().take(ROWS).map(row));
    if all.len() > ROWS {
        text.push_str(&format!("… and {} more\n", all.len() - ROWS));
    }
    text
}

fn since(then: Timestamp, now: Timestamp) -> String {
    // Whole seconds, as `kubectl` counts.
    duration(now.nanos_since(then) / 1_000_000_000 * 1_000)
}

fn age(created: Option<Timestamp>, now: Timestamp) -> String {
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
    vec![name, job_status(job).to_owned(), completions, taken, age(job.metadata.creation_timestamp, now)]
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
        age(cron_job.metadata.creation_timestamp, now),
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
        pod.node.as_deref().unwrap_or("<none>").to_owned(),
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
