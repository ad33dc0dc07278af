//! Everything to be drawn of one time.

use super::{Position, Session};
use policy_core::cron::{NextTime, resolve_schedule};
use policy_core::spec::{CronJob, Job, JobStatus, condition};
use policy_core::{BackoffRecord, Timestamp};
use policy_sim::scenario::{PodLife, Stage};
use policy_sim::store::Object;
use policy_sim::zones::TzDatabase;
use policy_sim::{JobMind, World};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

mod rows;

use rows::{node, queue};

/// Runs of a CronJob that are shown ahead.
const RUNS_SHOWN: usize = 5;

/// What is wanted of a frame.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct FrameOptions {
    lanes: Option<Range>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Range {
    from: usize,
    count: Option<usize>,
}

/// One time of a run.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Frame<'s> {
    #[serde(flatten)]
    position: Position,
    ending: Option<Ended<'s>>,
    jobs: Vec<JobFrame<'s>>,
    cron_jobs: Vec<CronJobFrame<'s>>,
    lane_count: usize,
    lanes: Vec<Lane<'s>>,
    stages: BTreeMap<&'static str, usize>,
    cost: Cost,
    nodes: Vec<Value>,
    queues: Vec<Value>,
    controller: Controller,
}

#[derive(Clone, Debug, Serialize)]
struct Ended<'s> {
    outcome: &'static str,
    why: &'s [String],
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Cost {
    pods_created: usize,
    pod_seconds: f64,
}

#[derive(Clone, Debug, Serialize)]
struct Controller {
    up: bool,
    restarts: u64,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct JobFrame<'s> {
    name: &'s str,
    namespace: &'s str,
    uid: &'s str,
    owner: Option<&'s str>,
    parallelism: Option<i32>,
    completions: Option<i32>,
    backoff_limit: Option<i32>,
    indexed: bool,
    suspended: bool,
    deleting: bool,
    finished: Option<&'s str>,
    status: &'s JobStatus,
    memory: Option<Memory>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Memory {
    backoff: Option<Backoff>,
    expectations: Expectations,
    finalizers_being_removed: Vec<String>,
    finish_recorded: bool,
    awaits_own_writes: bool,
    syncing: bool,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Backoff {
    failures_after_last_success: i32,
    last_failure_time: Option<Timestamp>,
    until: Option<Timestamp>,
}

#[derive(Clone, Debug, Serialize)]
struct Expectations {
    creations: i64,
    deletions: i64,
    since: Option<Timestamp>,
    satisfied: bool,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CronJobFrame<'s> {
    name: &'s str,
    namespace: &'s str,
    uid: &'s str,
    schedule: &'s str,
    time_zone: Option<&'s str>,
    concurrency_policy: Value,
    suspended: bool,
    active: Vec<&'s str>,
    last_schedule_time: Option<Timestamp>,
    last_successful_time: Option<Timestamp>,
    next_runs: Vec<Timestamp>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Lane<'s> {
    place: usize,
    pod: &'s str,
    job: Option<&'s str>,
    index: Option<i64>,
    node: Option<&'s str>,
    stage: Stage,
    stages: Vec<(f64, Stage)>,
    restarts: Vec<f64>,
    exit_code: Option<i32>,
    disruption: Option<&'s str>,
    counted: bool,
}

impl Session {
    /// What is to be drawn of the time at which it stands.
    pub fn frame(&self, options: FrameOptions) -> Frame<'_> {
        let (run, world) = (&self.state.run, &self.state.run.world);
        let mut frame = Frame {
            position: self.position(),
            ending: run.ending().map(|ending| Ended { outcome: ending.as_str(), why: run.why() }),
            jobs: Vec::new(),
            cron_jobs: Vec::new(),
            lane_count: run.timeline.lives().count(),
            lanes: self.lanes(options.lanes.unwrap_or_default()),
            stages: stages(run.timeline.lives()),
            cost: self.cost(),
            nodes: world.nodes().map(|view| node(&view)).collect(),
            queues: world.queues().map(|view| queue(&view)).collect(),
            controller: Controller { up: world.controllers_run(), restarts: world.controller_restarts() },
        };
        for object in world.store.objects() {
            match object {
                Object::Job(job) => frame.jobs.push(job_frame(job, world)),
                Object::CronJob(cron_job) => frame.cron_jobs.push(cron_job_frame(cron_job, self.now())),
                Object::Other(_) => {}
            }
        }
        frame
    }

    fn lanes(&self, range: Range) -> Vec<Lane<'_>> {
        let lives = self.state.run.timeline.lives().enumerate().skip(range.from);
        let lives = lives.take(range.count.unwrap_or(usize::MAX));
        lives.filter_map(|(place, life)| self.lane(place, life)).collect()
    }

    fn lane<'s>(&'s self, place: usize, life: &'s PodLife) -> Option<Lane<'s>> {
        let pod = life.pod();
        let disruption = pod.and_then(|pod| pod.condition("DisruptionTarget"));
        let tracked = |finalizers: &[std::sync::Arc<str>]| {
            finalizers.iter().any(|finalizer| &**finalizer == policy_core::spec::JOB_TRACKING_FINALIZER)
        };
        Some(Lane {
            place,
            pod: life.name(),
            job: life.job(),
            index: life.index(),
            node: life.node(),
            stage: life.stage()?,
            stages: life.stages().iter().map(|(at, stage)| (self.seconds(*at), *stage)).collect(),
            restarts: life.restarts().iter().map(|at| self.seconds(*at)).collect(),
            exit_code: life.exit_code(),
            disruption: disruption.map(|condition| &*condition.reason),
            counted: life.job().is_some() && pod.is_none_or(|pod| !tracked(&pod.finalizers)),
        })
    }

    fn cost(&self) -> Cost {
        let lives = self.state.run.timeline.lives();
        let nanos: i64 = lives.map(|life| life.running_nanos(self.now())).sum();
        let pods_created = self.state.run.timeline.lives().filter(|life| life.job().is_some()).count();
        Cost { pods_created, pod_seconds: nanos as f64 / 1e9 }
    }
}

fn stages<'l>(lives: impl Iterator<Item = &'l PodLife>) -> BTreeMap<&'static str, usize> {
    let mut stages: BTreeMap<&'static str, usize> =
        Stage::ALL.iter().map(|stage| (stage.as_str(), 0)).collect();
    for stage in lives.filter_map(PodLife::stage) {
        *stages.entry(stage.as_str()).or_default() += 1;
    }
    stages
}

fn job_frame<'s>(job: &'s Job, world: &'s World) -> JobFrame<'s> {
    let (meta, spec) = (&job.metadata, &job.spec);
    let finished = job.status.finished().map(|condition| condition.kind.as_str());
    JobFrame {
        name: &meta.name,
        namespace: &meta.namespace,
        uid: &meta.uid,
        owner: meta.controller().filter(|owner| owner.kind == "CronJob").map(|owner| owner.name.as_str()),
        parallelism: spec.parallelism,
        completions: spec.completions,
        backoff_limit: spec.backoff_limit,
        indexed: spec.is_indexed(),
        suspended: spec.is_suspended(),
        deleting: meta.is_deleting(),
        finished: finished.map(|kind| if kind == condition::COMPLETE { "Complete" } else { "Failed" }),
        status: &job.status,
        memory: world
            .job_mind(&meta.namespace, &meta.name)
            .map(|mind| memory(&mind, world.controller_clock())),
    }
}

fn memory(mind: &JobMind<'_>, now: Timestamp) -> Memory {
    let JobMind { memory, syncing, backoff_ends_at } = *mind;
    let backoff = |record: &BackoffRecord| Backoff {
        failures_after_last_success: record.failures_after_last_success,
        last_failure_time: record.last_failure_time,
        until: backoff_ends_at,
    };
    let expected = &memory.expectations;
    Memory {
        backoff: memory.backoff.as_ref().map(backoff),
        expectations: Expectations {
            creations: expected.creations,
            deletions: expected.deletions,
            since: expected.since,
            satisfied: expected.satisfied(now),
        },
        finalizers_being_removed: memory.finalizers_being_removed.iter().map(|uid| uid.to_string()).collect(),
        finish_recorded: memory.finish_recorded.is_some(),
        awaits_own_writes: memory.awaits_own_writes,
        syncing,
    }
}

fn cron_job_frame(cron_job: &CronJob, now: Timestamp) -> CronJobFrame<'_> {
    let (meta, spec, status) = (&cron_job.metadata, &cron_job.spec, &cron_job.status);
    CronJobFrame {
        name: &meta.name,
        namespace: &meta.namespace,
        uid: &meta.uid,
        schedule: &spec.schedule,
        time_zone: spec.time_zone.as_deref(),
        concurrency_policy: serde_json::to_value(&spec.concurrency_policy).unwrap_or_default(),
        suspended: spec.suspend == Some(true),
        active: status.active.iter().map(|job| job.name.as_str()).collect(),
        last_schedule_time: status.last_schedule_time,
        last_successful_time: status.last_successful_time,
        next_runs: next_runs(cron_job, now),
    }
}

/// The next runs, as far as the schedule tells.
pub(super) fn next_runs(cron_job: &CronJob, now: Timestamp) -> Vec<Timestamp> {
    let (spec, zones) = (&cron_job.spec, TzDatabase::shared());
    let Ok(schedule) = resolve_schedule(&spec.schedule, spec.time_zone.as_deref(), zones) else {
        return Vec::new();
    };
    let following = |after: &Timestamp| match schedule.next(*after, zones) {
        NextTime::At(at) => Some(at),
        NextTime::Exhausted | NextTime::Hang => None,
    };
    std::iter::successors(following(&now), following).take(RUNS_SHOWN).collect()
}
