//! How the runs of a CronJob overlap.

use super::WorstCase;
use super::limit::{Bound, Field, Limit, Remedy, Unit};
use policy_core::Timestamp;
use policy_core::cron::{Schedule, TimeZones, resolve_schedule};
use policy_core::explain::Rule;
use policy_core::spec::CronJob;
use serde_json::{Value, json};

/// How many times of a schedule are looked at.
const LOOKED_AT: usize = 3_000;

/// How many Jobs and Pods of a CronJob there can be at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runs {
    /// Jobs that have not ended.
    pub jobs_at_once: Bound,
    /// Pods of all of them that have not ended.
    pub pods_at_once: Bound,
}

impl Runs {
    /// All of it, for programs.
    pub fn to_json(&self) -> Value {
        json!({"jobsAtOnce": self.jobs_at_once.to_json(), "podsAtOnce": self.pods_at_once.to_json()})
    }
}

/// The bounds; `stopping` is how long the Pods of a replaced Job take to end.
pub(super) fn of(
    cron_job: &CronJob,
    run: &WorstCase,
    stopping: Limit,
    zones: &dyn TimeZones,
) -> Result<Runs, String> {
    let spec = &cron_job.spec;
    let schedule = resolve_schedule(&spec.schedule, spec.time_zone.as_deref(), zones)
        .map_err(|error| error.to_string())?;
    let times = Times::of(&schedule, zones);
    let policy = match spec.concurrency_policy.as_str() {
        "" => "Allow",
        policy => policy,
    };
    let fields =
        vec![Field::new("spec.concurrencyPolicy", policy), Field::new("spec.schedule", &spec.schedule)];
    let per_run = run.pods_at_once.limit;
    let bound = |limit, rule, how: &str| Bound::new(Unit::Count, limit, rule, fields.clone(), how.to_owned());
    if times.0.is_empty() {
        let jobs = bound(Limit::ZERO, Rule::ScheduleNeverFires, "the schedule has no times");
        return Ok(Runs { pods_at_once: jobs.clone(), jobs_at_once: jobs });
    }
    let one = Limit::Finite(1);
    let (jobs, pods) = match policy {
        "Forbid" => {
            let how = "a run that is due waits for the one before";
            (bound(one, Rule::ForbidConcurrent, how), bound(per_run, Rule::ForbidConcurrent, how))
        }
        "Replace" => {
            let how = "the Job before is deleted first, but its Pods still take their time to end";
            let jobs = bound(one, Rule::ReplaceConcurrent, "the Job before is deleted first");
            // The Pods of every Job that was replaced while they take to stop.
            let pods = bound((times.within(stopping) + one) * per_run, Rule::ReplaceConcurrent, how);
            (jobs, pods)
        }
        _ => {
            let count = times.within(run.time_to_end.limit);
            let time = match run.time_to_end.limit {
                Limit::Unbounded => "longer than any interval".to_owned(),
                _ => run.time_to_end.text(),
            };
            let jobs = bound(count, Rule::RunDue, &format!("runs start on time, and each may take {time}"));
            (jobs, bound(count * per_run, Rule::RunDue, "that many Jobs, each with its most Pods"))
        }
    };
    let mut runs = Runs { jobs_at_once: jobs, pods_at_once: pods };
    add_remedies(&mut runs, run, &times);
    Ok(runs)
}

fn add_remedies(runs: &mut Runs, run: &WorstCase, times: &Times) {
    if !runs.jobs_at_once.limit.is_unbounded() {
        return;
    }
    let per_run = run.pods_at_once.limit;
    let forbid = Field::new("spec.concurrencyPolicy", "Forbid");
    let mut helps = vec![(forbid, Limit::Finite(1))];
    helps.extend(run.time_to_end.remedies.iter().map(|r| (r.field.clone(), times.within(r.limit))));
    for (field, jobs) in helps {
        runs.pods_at_once.remedies.push(Remedy { field: field.clone(), limit: jobs * per_run });
        runs.jobs_at_once.remedies.push(Remedy { field, limit: jobs });
    }
}

/// Times of a schedule in Unix milliseconds, ascending.
struct Times(Vec<i128>);

impl Times {
    fn of(schedule: &Schedule, zones: &dyn TimeZones) -> Self {
        let mut now = Timestamp::from_unix(1_767_225_600, 0).unwrap_or(Timestamp::ZERO);
        let next = std::iter::from_fn(|| {
            now = schedule.next(now, zones).at()?;
            Some(i128::from(now.unix_seconds()) * 1_000)
        });
        Times(next.take(LOOKED_AT).collect())
    }

    /// How many Jobs of so long a life overlap at most.
    fn within(&self, life: Limit) -> Limit {
        let Some(life) = life.finite() else { return Limit::Unbounded };
        let (Some(first), Some(last)) = (self.0.first(), self.0.last()) else { return Limit::ZERO };
        let looked_at = u128::try_from(last - first).unwrap_or(0);
        if life > looked_at && self.0.len() >= LOOKED_AT {
            // Longer than was looked at: as if the closest two times came again and again.
            let closest = self.0.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap_or(1).max(1);
            return Limit::Finite(life / closest.unsigned_abs() + 1);
        }
        let life = i128::try_from(life).unwrap_or(i128::MAX);
        let mut oldest = 0;
        let overlapping = self.0.iter().enumerate().map(|(place, time)| {
            while self.0[oldest] < time.saturating_sub(life) {
                oldest += 1;
            }
            place - oldest + 1
        });
        Limit::Finite(overlapping.max().unwrap_or(0) as u128)
    }
}
