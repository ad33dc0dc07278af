//! The report on one CronJob.

use super::event::{self, EventRow};
use super::memory::Unknown;
use super::next::Next;
use super::{CallRow, FindingRow, World, calls, count_of, full_name, rows};
use policy_core::Timestamp;
use policy_core::cron::{
    Call, ChildJob, CronJobView, LiveObjects, Plan, Schedule, TimeZones, decide, resolve_schedule,
};
use policy_core::explain::{Rule, Trace, Verdict};
use policy_core::spec::{CronJob, Job, condition};
use serde::Serialize;
use serde_json::Value;

/// Runs shown of those to come.
const RUNS_SHOWN: usize = 3;

/// What a CronJob is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum CronState {
    /// It waits for its next run.
    Scheduled,
    /// A run is due and starts now.
    Due,
    /// A run is due and does not start.
    Skipping,
    /// It is held by `spec.suspend`.
    Suspended,
    /// It is being deleted.
    Deleting,
    /// Its schedule or zone cannot be used.
    Unusable,
}

/// A Job of a CronJob.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChildRow {
    /// Its name.
    pub job: String,
    /// `running`, `complete` or `failed`.
    pub state: &'static str,
    /// When it started.
    pub started: Option<Timestamp>,
}

/// Everything about one CronJob.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CronJobReport {
    /// `NAMESPACE/NAME`.
    pub cron_job: String,
    /// What it is doing.
    pub state: CronState,
    /// The same in a sentence, with what comes next.
    pub summary: String,
    /// What comes next, the soonest first.
    pub next: Vec<Next>,
    /// Its Jobs among the objects.
    pub jobs: Vec<ChildRow>,
    /// Rules that were looked at, in order.
    pub findings: Vec<FindingRow>,
    /// Rules that were not looked at.
    pub not_reached: Vec<Rule>,
    /// The calls that the controller would make.
    pub calls: Vec<CallRow>,
    /// What cannot be known.
    pub unknown: Vec<Unknown>,
    /// Events about the CronJob.
    pub events: Vec<EventRow>,
    /// The plan, as `decide` prints it.
    pub plan: Value,
}

/// Explains a CronJob among the objects that were listed.
pub fn cron_job(
    cron_job: &CronJob,
    world: &World<'_>,
    now: Timestamp,
    zones: &dyn TimeZones,
) -> CronJobReport {
    let own = world.jobs_of(cron_job);
    let children: Vec<ChildJob<'_>> = own.iter().map(|job| ChildJob::from(*job)).collect();
    let known = world.jobs_of_namespace(&cron_job.metadata.namespace);
    let mut trace = Trace::default();
    let live = LiveObjects::new(Some(cron_job), known.to_vec());
    let view = CronJobView { cron_job, jobs: &children };
    let plan = decide(view, live, now, zones, &mut trace);
    let calls = calls::of_cron_job(&plan);
    let held: Vec<Rule> = trace
        .findings()
        .iter()
        .filter(|found| found.verdict == Verdict::Held)
        .map(|found| found.rule)
        .collect();
    let state = state(&held, &plan);
    let next = next(cron_job, &plan, state, now, zones);
    CronJobReport {
        cron_job: full_name(&cron_job.metadata),
        state,
        summary: summary(cron_job, state, &held, own, &next, now),
        jobs: own.iter().map(|job| child(job)).collect(),
        findings: rows(trace.findings(), &calls),
        not_reached: trace.not_reached("cronjob").collect(),
        unknown: unknown(cron_job, world),
        events: event::about(world.events_of(&cron_job.metadata), "CronJob", &cron_job.metadata),
        plan: crate::cron_job::plan_value(&plan),
        next,
        calls,
    }
}

fn child(job: &Job) -> ChildRow {
    let state = match job.status.finished() {
        Some(end) if end.kind == condition::COMPLETE => "complete",
        Some(_) => "failed",
        None => "running",
    };
    ChildRow { job: job.metadata.name.clone(), state, started: job.status.start_time }
}

fn state(held: &[Rule], plan: &Plan) -> CronState {
    let any = |rules: &[Rule]| rules.iter().any(|rule| held.contains(rule));
    if any(&[Rule::CronJobDeleting]) {
        CronState::Deleting
    } else if any(&[Rule::UnknownTimeZone, Rule::UnparseableSchedule, Rule::ScheduleNeverFires]) {
        CronState::Unusable
    } else if any(&[Rule::CronJobSuspended]) {
        CronState::Suspended
    } else if any(&[Rule::ForbidConcurrent, Rule::RunTooLate, Rule::JobOfAnother]) {
        CronState::Skipping
    } else if plan.calls.iter().any(|(call, done)| *done && matches!(call, Call::CreateJob { .. })) {
        CronState::Due
    } else {
        CronState::Scheduled
    }
}

fn next(
    cron_job: &CronJob,
    plan: &Plan,
    state: CronState,
    now: Timestamp,
    zones: &dyn TimeZones,
) -> Vec<Next> {
    let mut next: Vec<Next> = plan.calls.iter().filter_map(|(call, _)| done_now(call)).collect();
    next.iter_mut().for_each(|next| next.at = Some(now));
    let waits_for = match state {
        CronState::Suspended => Some("`spec.suspend` is set to false"),
        CronState::Unusable => Some("the schedule or its time zone is changed"),
        CronState::Deleting => Some("its Jobs are gone, and the CronJob goes"),
        CronState::Skipping => Some("the active Job has ended, unless a later run is due by then"),
        CronState::Scheduled | CronState::Due => None,
    };
    if matches!(state, CronState::Scheduled | CronState::Due | CronState::Skipping) {
        next.extend(runs(cron_job, now, zones));
    }
    next.extend(waits_for.map(|what| Next::new(None, what)));
    next
}

fn done_now(call: &Call) -> Option<Next> {
    let what = match call {
        Call::CreateJob { job, .. } => format!("job/{} is created", job.metadata.name),
        Call::DeleteJob { name, .. } => format!("job/{name} is deleted"),
        _ => return None,
    };
    Some(Next::new(None, what))
}

/// The next times of the schedule.
fn runs(cron_job: &CronJob, now: Timestamp, zones: &dyn TimeZones) -> Vec<Next> {
    let spec = &cron_job.spec;
    let Ok(schedule) = resolve_schedule(&spec.schedule, spec.time_zone.as_deref(), zones) else {
        return Vec::new();
    };
    let following = |schedule: &Schedule, after: &Timestamp| schedule.next(*after, zones).at();
    let times = std::iter::successors(following(&schedule, &now), |time| following(&schedule, time));
    times.take(RUNS_SHOWN).map(|at| Next::new(Some(at), "a run is due")).collect()
}

fn unknown(cron_job: &CronJob, world: &World<'_>) -> Vec<Unknown> {
    let active = cron_job.status.active.len();
    if active == 0 || !world.objects.jobs.is_empty() {
        return Vec::new();
    }
    vec![Unknown {
        what: "active Jobs",
        assumed: "gone: there is no Job among the objects".to_owned(),
        otherwise: Some(format!(
            "if the {} of the status are there, they stay in it",
            count_of(active, "active Job")
        )),
    }]
}

fn summary(
    cron_job: &CronJob,
    state: CronState,
    held: &[Rule],
    own: &[&Job],
    next: &[Next],
    now: Timestamp,
) -> String {
    let spec = &cron_job.spec;
    let zone = spec.time_zone.as_deref().map_or("UTC".to_owned(), |zone| format!("`{zone}`"));
    let running = own.iter().filter(|job| job.status.finished().is_none()).count();
    let active = if running == 0 { String::new() } else { format!(", {} running", count_of(running, "Job")) };
    let schedule = format!("`{}` in {zone}{active}", spec.schedule);
    let sentence = match state {
        CronState::Scheduled => format!("Scheduled: {schedule}"),
        CronState::Due => format!("A run is due: {schedule}"),
        CronState::Suspended => format!("Suspended: {schedule}"),
        CronState::Deleting => format!("Being deleted: {schedule}"),
        CronState::Skipping => format!("A run is due and does not start ({}): {schedule}", why(held)),
        CronState::Unusable => format!("Unusable ({}): {schedule}", why(held)),
    };
    match next.first() {
        Some(next) => format!("{sentence}; next: {}", next.in_words(now)),
        None => sentence,
    }
}

/// The rule that stands against a run.
fn why(held: &[Rule]) -> &'static str {
    let against = [
        Rule::UnknownTimeZone,
        Rule::UnparseableSchedule,
        Rule::ScheduleNeverFires,
        Rule::RunTooLate,
        Rule::ForbidConcurrent,
        Rule::JobOfAnother,
    ];
    against.iter().find(|rule| held.contains(rule)).map_or("", |rule| rule.code())
}
