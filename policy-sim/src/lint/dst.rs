//! Runs that are lost or come twice when clocks change.
//!
//! The same fields are asked twice: on the zone's clock, as the controller does, and on a clock without changes. Around
//! each change of the zone's offset the two are counted.

use super::proof::{Proof, job_name};
use super::schedule::{Times, fires_at, next};
use super::subject::Subject;
use super::{Code, Finding, codes};
use crate::zones::TzDatabase;
use policy_core::cron::{Schedule, TimeZones, Zone, resolve_schedule};
use policy_core::{NANOS_PER_SECOND, Timestamp};
use serde_json::json;

/// How far ahead changes are looked for, in seconds.
const AHEAD_SECONDS: i64 = 400 * 86_400;
/// How many periods are looked at; a database may cut them short.
const MOST_PERIODS: usize = 200;
/// Half of the window around a change, in seconds.
const HALF_SECONDS: i64 = 12 * 3_600;

/// A change of the zone's offset.
#[derive(Clone, Copy)]
struct Change {
    at: i64,
    /// Local time less UTC, in seconds.
    before: i64,
    after: i64,
}

pub(super) fn check(subject: &Subject, times: &Times<'_>, from: Timestamp) -> Vec<Finding> {
    let spec = &times.cron_job.spec;
    let Some(zone_name) = spec.time_zone.as_deref() else { return Vec::new() };
    let zones = TzDatabase::shared();
    let Ok(steady) = resolve_schedule(&spec.schedule, None, zones) else { return Vec::new() };
    let Ok(Zone::Named(zone)) = Zone::load(zone_name, zones) else { return Vec::new() };
    if steady.every_nanos().is_some() {
        return Vec::new();
    }
    let (mut skipped, mut repeated) = (None, None);
    for change in changes(zone, from.unix_seconds()) {
        let Some(count) = Count::around(change, &times.schedule, &steady) else { continue };
        let finding = || count.finding(subject, zone_name, &steady);
        if count.actual < count.written && skipped.is_none() {
            skipped = finding();
        } else if count.actual > count.written && repeated.is_none() {
            repeated = finding();
        }
    }
    skipped.into_iter().chain(repeated).collect()
}

fn changes(zone: policy_core::cron::ZoneId, from: i64) -> Vec<Change> {
    let zones = TzDatabase::shared();
    let mut changes = Vec::new();
    let mut period = zones.period_at(zone, from);
    for _ in 0..MOST_PERIODS {
        let at = period.until_seconds;
        if at >= from.saturating_add(AHEAD_SECONDS) || at <= period.from_seconds {
            break;
        }
        let later = zones.period_at(zone, at);
        if later.offset_seconds != period.offset_seconds && at > from.saturating_add(HALF_SECONDS) {
            let (before, after) = (period.offset_seconds.into(), later.offset_seconds.into());
            changes.push(Change { at, before, after });
        }
        period = later;
    }
    changes
}

/// How often a schedule fires around a change.
struct Count {
    change: Change,
    actual: usize,
    /// On a clock that does not change.
    written: usize,
    /// The local times, read as UTC, that are skipped or repeated and at which it would fire.
    affected: Vec<Timestamp>,
}

fn instant(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_unix(seconds, 0)
}

/// The times within a window, its ends not among them.
fn within(schedule: &Schedule, from: Timestamp, until: Timestamp) -> Vec<Timestamp> {
    let mut times = Vec::new();
    let mut after = from;
    while let Some(time) = next(schedule, after).at().filter(|time| *time < until && *time > after) {
        times.push(time);
        after = time;
    }
    times
}

impl Count {
    /// `None` where nothing is lost or doubled.
    fn around(change: Change, actual: &Schedule, steady: &Schedule) -> Option<Self> {
        let Change { at, before, after } = change;
        let (from, until) = (at - HALF_SECONDS, at + HALF_SECONDS);
        let actual = within(actual, instant(from)?, instant(until)?).len();
        let written = within(steady, instant(from + before)?, instant(until + after)?).len();
        // When clocks go back, the local times between are within the window twice.
        let (first, last) = (before.min(after) + at, before.max(after) + at);
        let affected = within(steady, instant(first - 1)?, instant(last)?);
        let shift = (after - before).saturating_mul(NANOS_PER_SECOND);
        let goes_on = |time: &Timestamp| {
            fires_at(steady, time.plus_nanos(shift)) && fires_at(steady, time.plus_nanos(-shift))
        };
        // Once an hour is once an hour, whatever the clock shows.
        let is_steady = !affected.is_empty() && affected.iter().all(goes_on);
        (actual != written && !is_steady).then_some(Count { change, actual, written, affected })
    }

    fn finding(&self, subject: &Subject, zone: &str, steady: &Schedule) -> Option<Finding> {
        let Change { at, after, .. } = self.change;
        let skips = self.actual < self.written;
        let code: &'static Code =
            if skips { &codes::RUN_SKIPPED_BY_DST } else { &codes::RUN_REPEATED_BY_DST };
        let shown = match self.affected.first() {
            Some(time) => *time,
            None => within(steady, instant(at + after - HALF_SECONDS)?, instant(at + after + HALF_SECONDS)?)
                .first()
                .copied()?,
        };
        let (date, time) = date_and_time(shown);
        let start = instant(at - HALF_SECONDS)?;
        let name = job_name(subject);
        let title =
            format!("The clocks of {zone} change: {} runs are written, {} happen", self.written, self.actual);
        let proof = Proof::with_cron_job(code.name, title, subject)
            .others_end(subject)
            .set("start", start.to_rfc3339_nano())
            .until_seconds(2 * HALF_SECONDS)
            .asserts(json!({"text": format!("{} of {} runs are made in the 24 hours around the change", self.actual, self.written),
                "events": {"about": format!("cronjob/{name}"), "reason": "SuccessfulCreate", "count": self.actual}}));
        let message = if skips {
            format!(
                "on {date} the run of {time} does not happen: {zone} skips that time when clocks go forward"
            )
        } else {
            format!(
                "on {date} the run of {time} happens twice: {zone} has that time two times when clocks go back"
            )
        };
        let instead =
            "choose an hour that clocks neither skip nor repeat there, or write `timeZone: Etc/UTC`";
        Some(subject.finding(code, "spec.schedule".into(), message, instead, proof.build()))
    }
}

/// `2026-03-29` and `02:30`.
fn date_and_time(time: Timestamp) -> (String, String) {
    let text = time.to_rfc3339_nano();
    let (date, rest) = text.split_once('T').unwrap_or((&text, ""));
    (date.to_owned(), rest.get(..5).unwrap_or_default().to_owned())
}
