//! The report on one Job.

use super::event::{self, EventRow};
use super::memory::{Inferred, Memory, Unknown};
use super::next::{self, Next, Outlook, ends};
use super::pods::{PodRow, Pods};
use super::{CallRow, FindingRow, World, calls, full_name, rows};
use policy_core::explain::{Rule, Trace};
use policy_core::job::{Claim, JobVerdict, JobView, Plan, PodDigester, PodFacts, decide};
use policy_core::spec::{Job, Pod, condition};
use policy_core::ttl::{self, Source};
use policy_core::{JobMemory, Settings, Timestamp};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// Pods named that are gone, at most.
const GONE_SHOWN: usize = 10;

/// What a Job is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum State {
    /// Pods are active.
    Running,
    /// No Pod is active, and the Job is not held.
    Waiting,
    /// It is held by `spec.suspend`.
    Suspended,
    /// Its end is decided and not declared yet.
    Ending,
    /// It has completed.
    Complete,
    /// It has failed.
    Failed,
    /// It is being deleted.
    Deleting,
    /// Another controller manages it.
    ManagedElsewhere,
    /// It cannot be decided about.
    Unusable,
}

/// Everything about one Job.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JobReport {
    /// `NAMESPACE/NAME`.
    pub job: String,
    /// What it is doing.
    pub state: State,
    /// The same in a sentence, with what comes next.
    pub summary: String,
    /// What comes next, the soonest first.
    pub next: Vec<Next>,
    /// Its Pods.
    pub pods: Vec<PodRow>,
    /// Rules that were looked at, in order.
    pub findings: Vec<FindingRow>,
    /// Rules that were not looked at.
    pub not_reached: Vec<Rule>,
    /// The calls that the controller would make.
    pub calls: Vec<CallRow>,
    /// What was worked out about the controller's memory and about what is gone.
    pub inferred: Vec<Inferred>,
    /// What cannot be known.
    pub unknown: Vec<Unknown>,
    /// Events about the Job.
    pub events: Vec<EventRow>,
    /// The plan, as `decide` prints it.
    pub plan: Value,
}

/// Explains a Job among the objects that were listed.
pub fn job(job: &Job, world: &World<'_>, now: Timestamp) -> JobReport {
    report(job, world, now, None)
}

/// As [`job`], for somebody who knows what the controller remembers.
pub fn job_remembered(job: &Job, world: &World<'_>, now: Timestamp, memory: &JobMemory) -> JobReport {
    report(job, world, now, Some(memory))
}

fn report(job: &Job, world: &World<'_>, now: Timestamp, remembered: Option<&JobMemory>) -> JobReport {
    let digester = PodDigester::new(job);
    let own = world.pods_of(job).into_iter().map(|pod| (pod, digester.digest(pod)));
    let (own, pods): (Vec<&Pod>, Vec<PodFacts>) = own.filter(|(_, pod)| pod.claim != Claim::Foreign).unzip();
    let events = event::about(world.events_of(&job.metadata), "Job", &job.metadata);
    let mut memory = Memory::infer(job, &pods, now);
    if let Some(remembered) = remembered {
        memory.know(remembered);
    }
    memory.inferred.extend(gone(&job.metadata.namespace, &events, world));

    let view = JobView::new(job, &pods, &Settings::DEFAULT);
    let mut trace = Trace::default();
    let plan = decide(view, &memory.memory, now, &mut trace);
    // A Job without a finish time is an error of its own, which the outlook shows.
    let _ = ttl::decide(job, Source::Cache, now, &mut trace);
    let calls = calls::of_job(view, &memory.memory, now);
    let coming = Outlook { view, memory: &memory.memory, plan: &plan, now }.all();
    let state = state(&plan, view);
    let described = Pods { job, plan: &plan, all_counted: memory.all_counted };
    JobReport {
        job: full_name(&job.metadata),
        state,
        summary: summary(state, &plan, view, &coming, now) + refused(&plan, &events),
        pods: own.iter().zip(&pods).map(|(pod, facts)| described.row(pod, facts)).collect(),
        findings: rows(trace.findings(), &calls),
        not_reached: trace.not_reached("job").collect(),
        unknown: no_pods(job, world).into_iter().chain(memory.unknowns(view, &plan, now)).collect(),
        plan: crate::job::plan_value(&plan, job, now, memory.memory.backoff.as_ref()),
        inferred: memory.inferred,
        next: coming,
        calls,
        events,
    }
}

/// Pods that an Event says were created and that are not there any more.
fn gone(namespace: &str, events: &[EventRow], world: &World<'_>) -> Option<Inferred> {
    let is_gone = |pod: &&str| !world.has_pod(namespace, pod);
    let gone: BTreeSet<&str> = event::created_pods(events).filter(is_gone).collect();
    if gone.is_empty() {
        return None;
    }
    let mut value: Vec<&str> = gone.iter().copied().take(GONE_SHOWN).collect();
    let more = format!("and {} more", gone.len().saturating_sub(GONE_SHOWN));
    value.extend((gone.len() > GONE_SHOWN).then_some(more.as_str()));
    let how = "Events say that they were created, and they are not among the Pods".to_owned();
    Some(Inferred { what: "Pods that are gone", value: value.join(", "), how })
}

/// Where no Pod was listed, the Job's own are most likely there all the same.
fn no_pods(job: &Job, world: &World<'_>) -> Option<Unknown> {
    let active = job.status.active;
    if active <= 0 || !world.objects.pods.is_empty() {
        return None;
    }
    Some(Unknown {
        what: "Pods",
        assumed: "gone: there is no Pod among the objects".to_owned(),
        otherwise: Some(format!(
            "if the status is right about {active} active, they are not created again; `kubectl get job,pods,events` lists them"
        )),
    })
}

/// What a summary adds when Pods are to be created and the last attempt failed.
fn refused(plan: &Plan, events: &[EventRow]) -> &'static str {
    let creates = !plan.create.is_empty() || plan.end.wake.backoff_ends_at.is_some();
    let last =
        |reason: &str| events.iter().filter(|event| event.reason == reason).map(|event| event.last).max();
    match last("FailedCreate") {
        Some(failed) if creates && last("SuccessfulCreate").is_none_or(|created| failed > created) => {
            "; the last attempt to create a Pod was refused, see the events"
        }
        _ => "",
    }
}

fn state(plan: &Plan, view: JobView<'_>) -> State {
    let job = view.job;
    match &plan.end.verdict {
        JobVerdict::ManagedElsewhere(_) => return State::ManagedElsewhere,
        JobVerdict::UnknownCompletionMode => return State::Unusable,
        JobVerdict::AlreadyFinished if has(job, condition::FAILED) => return State::Failed,
        JobVerdict::AlreadyFinished => return State::Complete,
        // Before any call only a Job that cannot be used is an error.
        JobVerdict::Errored if plan.status_updates.is_empty() && plan.adopt.is_empty() => {
            return State::Unusable;
        }
        _ => {}
    }
    if job.metadata.is_deleting() {
        State::Deleting
    } else if ends(plan, job) {
        State::Ending
    } else if job.spec.is_suspended() {
        State::Suspended
    } else if view.pods.iter().any(|pod| pod.claim == Claim::Owned && pod.is_active()) {
        State::Running
    } else {
        State::Waiting
    }
}

fn has(job: &Job, kind: &str) -> bool {
    job.status.condition(kind).is_some_and(|condition| condition.is_true())
}

fn summary(state: State, plan: &Plan, view: JobView<'_>, coming: &[Next], now: Timestamp) -> String {
    let job = view.job;
    let sentence = match state {
        State::Complete | State::Failed => finished(state, job),
        State::ManagedElsewhere => {
            format!(
                "Managed elsewhere: `spec.managedBy` is `{}`",
                job.spec.managed_by.as_deref().unwrap_or_default()
            )
        }
        State::Unusable => {
            let why = plan.end.error.as_ref().map(|error| error.message.as_str());
            format!("Unusable: {}", why.unwrap_or("`spec.completionMode` is unknown"))
        }
        State::Running => format!("Running: {}", progress(plan, view)),
        State::Waiting => format!("Waiting: {}", progress(plan, view)),
        State::Suspended => format!("Suspended: {}", progress(plan, view)),
        State::Deleting => format!("Being deleted: {}", progress(plan, view)),
        State::Ending => format!("{}; {}", ending(plan, job), progress(plan, view)),
    };
    match next::first(coming) {
        Some(next) => format!("{sentence}; next: {}", next.in_words(now)),
        None => sentence,
    }
}

fn finished(state: State, job: &Job) -> String {
    let done = done(job.status.succeeded, job);
    let Some(end) = job.status.finished() else { return done };
    let since = end.last_transition_time.map_or(String::new(), |at| format!(" since {at}"));
    match state {
        State::Failed => format!("Failed{since}: {}: {}; {done}", end.reason, end.message),
        _ => format!("Complete{since}: {done}"),
    }
}

fn ending(plan: &Plan, job: &Job) -> String {
    let status = plan.status_updates.last().unwrap_or(&job.status);
    let holds = |kind: &str| status.condition(kind).filter(|condition| condition.is_true());
    match (holds(condition::SUCCESS_CRITERIA_MET), holds(condition::FAILURE_TARGET)) {
        (None, Some(failure)) => format!("Failing: {}: {}", failure.reason, failure.message),
        (Some(success), _) => format!("Completing: {}", success.reason),
        (None, None) => "Ending".to_owned(),
    }
}

fn done(succeeded: i32, job: &Job) -> String {
    match job.spec.completions {
        Some(completions) => format!("{succeeded} of {completions} done"),
        None => format!("{succeeded} done, any success is enough"),
    }
}

/// How far the Job is, with the Pods that have ended and are not in its status yet.
fn progress(plan: &Plan, view: JobView<'_>) -> String {
    let status = plan.status_updates.last().unwrap_or(&view.job.status);
    let owned = || view.pods.iter().filter(|pod| pod.claim == Claim::Owned);
    let active = owned().filter(|pod| pod.is_active()).count();
    let mut parts = vec![done(status.succeeded, view.job), format!("{active} active")];
    let going = owned().filter(|pod| pod.is_terminating()).count();
    parts.extend((going > 0).then(|| format!("{going} being deleted")));
    parts.extend((status.failed > 0).then(|| format!("{} failed", status.failed)));
    parts.join(", ")
}
