//! Schedules in the Kubernetes dialect of cron: robfig/cron v3's `ParseStandard`, as upstream calls it.

use super::civil::{Civil, Clock};
use super::zone::{TimeZones, Zone, ZoneError};
use crate::Timestamp;
use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

mod duration;
mod next;
mod parse;

use next::Walk;

/// A schedule that was parsed and can be asked for times.
///
/// ```
/// use policy_core::Timestamp;
/// use policy_core::cron::{NextTime, Schedule, UtcOnly};
///
/// let schedule = Schedule::parse("30 6-16/4 * * 1-5", &UtcOnly).unwrap();
/// let from = Timestamp::parse("2026-01-02T15:00:00Z").unwrap();
/// let next = Timestamp::parse("2026-01-05T06:30:00Z").unwrap();
/// assert_eq!(schedule.next(from, &UtcOnly), NextTime::At(next));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// `@every`: a fixed delay after the last time (`cron.ConstantDelaySchedule`). A multiple of a second, at least one.
    Every { delay_nanos: i64 },
    /// Fields that the local time must match (`cron.SpecSchedule`).
    Fields(Fields),
}

/// The values each field allows, one bit a value, and the zone in which they are read.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fields {
    minute: u64,
    hour: u64,
    day_of_month: u64,
    month: u64,
    day_of_week: u64,
    zone: Zone,
}

/// When a schedule fires next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextTime {
    /// At this instant.
    At(Timestamp),
    /// Not within five years, which robfig/cron takes for never.
    Exhausted,
    /// Upstream's search would go on for ever: it steps over a day that the zone left out and lands where it was
    /// (Pacific/Apia had no 30 December 2011).
    Hang,
}

impl NextTime {
    /// The instant, if there is one.
    pub fn at(self) -> Option<Timestamp> {
        match self {
            NextTime::At(time) => Some(time),
            NextTime::Exhausted | NextTime::Hang => None,
        }
    }

    /// The instant as upstream's arithmetic sees it: Go's zero time when there is none.
    pub(crate) fn or_zero(self) -> Timestamp {
        self.at().unwrap_or(Timestamp::ZERO)
    }
}

impl Schedule {
    /// Parses a schedule; a `TZ=` or `CRON_TZ=` prefix is looked up in `zones`
    /// (upstream `parsers.ParseCronScheduleWithPanicRecovery`).
    ///
    /// # Errors
    /// Upstream's words.
    pub fn parse(text: &str, zones: &dyn TimeZones) -> Result<Schedule, ScheduleError> {
        parse::parse_standard(text, zones).map(Schedule)
    }

    /// The first time after `after` at which the schedule fires (upstream `Schedule.Next`).
    pub fn next(&self, after: Timestamp, zones: &dyn TimeZones) -> NextTime {
        match &self.0 {
            Kind::Every { delay_nanos } => {
                let fraction = i64::from(after.subsec_nanos());
                NextTime::At(after.plus_nanos(delay_nanos.wrapping_sub(fraction)))
            }
            Kind::Fields(fields) => Walk::new(fields, zones).next(after),
        }
    }

    /// The delay of an `@every` schedule, in nanoseconds.
    pub fn every_nanos(&self) -> Option<i64> {
        match &self.0 {
            Kind::Every { delay_nanos } => Some(*delay_nanos),
            Kind::Fields(_) => None,
        }
    }
}

/// Why a schedule was refused: upstream's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleError(String);

impl ScheduleError {
    fn new(text: impl Into<String>) -> Self {
        ScheduleError(text.into())
    }
}

impl fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for ScheduleError {}

/// An instant as RFC 3339 on a zone's clock, in whole seconds (Go's `t.In(zone).Format(time.RFC3339)`).
pub(crate) fn format_in_zone(time: Timestamp, zone: Zone, zones: &dyn TimeZones) -> String {
    let mut clock = Clock::new(zone, zones);
    let offset_seconds = clock.period(time.unix_seconds()).offset_seconds;
    let Civil { year, month, day, second_of_day } = clock.civil(time.unix_seconds());
    let (hour, minute, second) = (second_of_day / 3_600, second_of_day / 60 % 60, second_of_day % 60);
    let date_time = alloc::format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if offset_seconds == 0 {
        return alloc::format!("{date_time}Z");
    }
    // Offsets are cut to whole minutes, the sign taken after cutting.
    let minutes = offset_seconds / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.unsigned_abs();
    alloc::format!("{date_time}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Why a CronJob's schedule and zone give no schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResolveError {
    /// `spec.timeZone` is not a zone.
    TimeZone(ZoneError),
    /// `spec.schedule` does not parse.
    Schedule(ScheduleError),
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResolveError::TimeZone(error) => error.fmt(f),
            ResolveError::Schedule(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ResolveError {}

/// Parses `spec.schedule` as the controller reads it in `spec.timeZone`.
///
/// # Errors
/// Upstream's words for a zone that does not exist or a schedule that does not parse.
pub fn resolve_schedule(
    schedule: &str,
    time_zone: Option<&str>,
    zones: &dyn TimeZones,
) -> Result<Schedule, ResolveError> {
    if let Some(name) = time_zone {
        Zone::load(name, zones).map_err(ResolveError::TimeZone)?;
    }
    let text = schedule_text(schedule, time_zone);
    Schedule::parse(&text, zones).map_err(ResolveError::Schedule)
}

/// The schedule as it is handed to the parser: with the zone as a prefix, unless the schedule has `TZ` anywhere, in
/// which case `spec.timeZone` is passed over (upstream `formatSchedule`). The zone must be known.
pub(crate) fn schedule_text<'a>(schedule: &'a str, time_zone: Option<&str>) -> Cow<'a, str> {
    match time_zone {
        Some(name) if !mentions_zone(schedule) => Cow::Owned(alloc::format!("TZ={name} {schedule}")),
        _ => Cow::Borrowed(schedule),
    }
}

/// Whether the schedule is taken to name its own zone.
pub(crate) fn mentions_zone(schedule: &str) -> bool {
    schedule.contains("TZ")
}
