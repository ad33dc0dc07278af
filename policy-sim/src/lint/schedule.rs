//! Schedules that never fire, or at other times than they seem to.

use super::proof::{Proof, job_name};
use super::subject::Subject;
use super::{Finding, codes};
use crate::zones::TzDatabase;
use policy_core::cron::{NextTime, Schedule, resolve_schedule};
use policy_core::spec::CronJob;
use policy_core::{NANOS_PER_SECOND, Timestamp};
use serde_json::json;

/// A CronJob's times.
pub(super) struct Times<'c> {
    pub(super) cron_job: &'c CronJob,
    pub(super) schedule: Schedule,
}

/// The times of a schedule after an instant, as the controller sees them.
pub(super) fn next(schedule: &Schedule, after: Timestamp) -> NextTime {
    schedule.next(after, TzDatabase::shared())
}

/// Whether a schedule fires at that second.
pub(super) fn fires_at(schedule: &Schedule, time: Timestamp) -> bool {
    next(schedule, time.plus_nanos(-NANOS_PER_SECOND)).at() == Some(time)
}

impl<'c> Times<'c> {
    pub(super) fn of(cron_job: &'c CronJob) -> Option<Self> {
        let spec = &cron_job.spec;
        let schedule =
            resolve_schedule(&spec.schedule, spec.time_zone.as_deref(), TzDatabase::shared()).ok()?;
        Some(Times { cron_job, schedule })
    }

    /// The next times, if there are so many.
    pub(super) fn next(&self, from: Timestamp, count: usize) -> Option<Vec<Timestamp>> {
        let mut times = Vec::new();
        let mut after = from;
        while times.len() < count {
            after = next(&self.schedule, after).at()?;
            times.push(after);
        }
        Some(times)
    }

    /// The five fields of the schedule, if that is how it is written.
    pub(super) fn fields(&self) -> Option<[&str; 5]> {
        let mut fields = self.cron_job.spec.schedule.split_whitespace();
        let five = [fields.next()?, fields.next()?, fields.next()?, fields.next()?, fields.next()?];
        fields.next().is_none().then_some(five)
    }

    /// The schedule with one field replaced, in the same zone.
    fn with(&self, place: usize, field: &str) -> Option<Schedule> {
        let mut fields = self.fields()?;
        *fields.get_mut(place)? = field;
        let zone = self.cron_job.spec.time_zone.as_deref();
        resolve_schedule(&fields.join(" "), zone, TzDatabase::shared()).ok()
    }
}

pub(super) fn never_fires(subject: &Subject, times: &Times<'_>, from: Timestamp) -> Option<Finding> {
    if next(&times.schedule, from) != NextTime::Exhausted {
        return None;
    }
    let schedule = &times.cron_job.spec.schedule;
    let proof = Proof::with_cron_job(codes::SCHEDULE_NEVER_FIRES.name, "No Job is ever made", subject)
        .others_end(subject)
        .set("start", from.to_rfc3339_nano())
        .until_seconds(400 * 86_400)
        .asserts(
            json!({"text": "In 400 days no Job was made", "never": true, "jobs": {"count": {"min": 1}}}),
        );
    let message =
        format!("`{schedule}` never fires: there is no such time in the five years that are searched");
    let instead =
        "write a day that exists; for the last day of a month run on the first of the next".to_owned();
    Some(subject.finding(
        &codes::SCHEDULE_NEVER_FIRES,
        "spec.schedule".into(),
        message,
        instead,
        proof.build(),
    ))
}

pub(super) fn days_are_ored(subject: &Subject, times: &Times<'_>, from: Timestamp) -> Option<Finding> {
    const LOOKED_AT: usize = 60;
    const DAY_OF_MONTH: usize = 2;
    const DAY_OF_WEEK: usize = 4;
    let [_, _, day_of_month, _, day_of_week] = times.fields()?;
    let (by_month, by_week) = (times.with(DAY_OF_WEEK, "*")?, times.with(DAY_OF_MONTH, "*")?);
    let (mut month_only, mut week_only) = (None, None);
    let mut after = from;
    for _ in 0..LOOKED_AT {
        let Some(time) = next(&times.schedule, after).at() else { break };
        match (fires_at(&by_month, time), fires_at(&by_week, time)) {
            (true, false) => month_only = month_only.or(Some(time)),
            (false, true) => week_only = week_only.or(Some(time)),
            _ => {}
        }
        after = end_of_day(time);
    }
    let (on_day, _) = (month_only?, week_only?);
    let name = job_name(subject);
    let title = format!("A run on a day that is not `{day_of_week}`");
    let proof = Proof::with_cron_job(codes::SCHEDULE_DAYS_ARE_ORED.name, title, subject)
        .others_end(subject)
        .starts_before(on_day, 30)
        .until_seconds(50)
        .asserts(json!({"text": format!("On {on_day}, which day of week `{day_of_week}` leaves out, a Job is made"),
            "events": {"about": format!("cronjob/{name}"), "reason": "SuccessfulCreate", "count": 1}}));
    let message = format!(
        "this fires on days of the month `{day_of_month}` and also on days of the week `{day_of_week}`: either is enough when neither is `*`"
    );
    let instead = "write `*` for one of the two, and let the program check the other".to_owned();
    Some(subject.finding(
        &codes::SCHEDULE_DAYS_ARE_ORED,
        "spec.schedule".into(),
        message,
        instead,
        proof.build(),
    ))
}

/// Schedules of every minute would fill the look-ahead with one day.
fn end_of_day(time: Timestamp) -> Timestamp {
    let second = time.unix_seconds().rem_euclid(86_400);
    time.plus_nanos((86_399 - second) * NANOS_PER_SECOND)
}

pub(super) fn uneven(subject: &Subject, times: &Times<'_>, from: Timestamp) -> Option<Finding> {
    let [minute, hour, ..] = times.fields()?;
    let (step, unit_seconds, whole, what) = match (step(minute), step(hour)) {
        (Some(step), _) if 60 % step != 0 => (step, 60, 60, "minutes"),
        (None, Some(step)) if 24 % step != 0 && minute.parse::<u8>().is_ok() => (step, 3_600, 24, "hours"),
        _ => return None,
    };
    let wanted = step * unit_seconds;
    let due = times.next(from, 100)?;
    let apart = |pair: &[Timestamp]| match pair {
        [a, b] => b.nanos_since(*a) / NANOS_PER_SECOND,
        _ => 0,
    };
    // Only if the step is kept elsewhere, or the interval is that of another field.
    let kept = due.windows(2).any(|pair| apart(pair) == wanted) || step * 2 > whole;
    let short = due.windows(2).find(|pair| apart(pair) < wanted).filter(|_| kept)?;
    let (first, seconds) = (*short.first()?, apart(short));
    let name = job_name(subject);
    let made = |count: i64| json!({"about": format!("cronjob/{name}"), "reason": "SuccessfulCreate", "count": count});
    let title = format!("Two runs {} {what} apart", seconds / unit_seconds);
    let proof = Proof::with_cron_job(codes::SCHEDULE_UNEVEN.name, title, subject)
        .others_end(subject)
        .starts_before(first, 30)
        .until_seconds(30 + seconds + 20)
        .asserts(json!({"text": "The first run is made", "at": "50s", "events": made(1)}))
        .asserts(json!({"text": format!("The second one follows after {} {what}, not {step}", seconds / unit_seconds), "events": made(2)}));
    let message = format!(
        "`*/{step}` is not every {step} {what}: steps start anew with each {}, so the last interval is {} {what}",
        if whole == 60 { "hour" } else { "day" },
        seconds / unit_seconds
    );
    let unit = if whole == 60 { "m" } else { "h" };
    let instead = format!("use a step that divides {whole}, or `@every {step}{unit}`");
    Some(subject.finding(&codes::SCHEDULE_UNEVEN, "spec.schedule".into(), message, instead, proof.build()))
}

/// The step of `*/N`.
fn step(field: &str) -> Option<i64> {
    field.strip_prefix("*/")?.parse().ok().filter(|step| (2..60).contains(step))
}
