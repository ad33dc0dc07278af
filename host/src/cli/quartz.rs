//! Quartz-style cron lines (with seconds, perhaps years, and Sunday as day 1): the Kubernetes line that means the
//! same, why there is none, and where the two fire at different times.

use crate::zones::TzDatabase;
use chrono::TimeDelta;
use chrono_tz::Tz;
use cron::TimeUnitSpec;
use policy_core::Timestamp;
use policy_core::cron::{ResolveError, resolve_schedule};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// The years that the `cron` crate knows; a line without a field of years has them all.
const ALL_YEARS: std::ops::RangeInclusive<u32> = 1970..=2100;

/// How far the clock may be put back: the crate gives the two halves of a repeated hour in turns, so times up to this
/// much later may still be followed by earlier ones.
const LONGEST_REPEAT: TimeDelta = TimeDelta::hours(25);

/// What a Quartz-style line means in Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Translation {
    /// The line that was read.
    pub quartz: String,
    /// The `spec.schedule` that means the same, if there is one.
    pub kubernetes: Option<String>,
    /// The nearest `spec.schedule`, where none means the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
    /// Why none means the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
}

impl Translation {
    /// The `spec.schedule` to compare with: the one that means the same, or the nearest.
    pub fn schedule(&self) -> Option<&str> {
        self.kubernetes.as_deref().or(self.nearest.as_deref())
    }
}

/// Something that a Quartz-style line says and a Kubernetes line cannot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// The field that says it.
    pub field: &'static str,
    /// What it says, and what Kubernetes has instead.
    pub message: String,
}

/// Where two lines fire at different times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// The `spec.schedule` that was compared with the Quartz-style line.
    pub schedule: String,
    /// The zone in which both were read.
    pub time_zone: String,
    /// The comparison covers times after this one,
    pub from: Timestamp,
    /// up to and with this one.
    pub until: Timestamp,
    /// How many times are the same.
    pub same: usize,
    /// Times at which only one of the two fires, in order.
    pub differences: Vec<Difference>,
}

/// A time at which only one of two lines fires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// The time.
    pub at: Timestamp,
    /// The same on the zone's clock.
    pub local: String,
    /// Who fires.
    pub only: Side,
}

/// One of the two lines of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Side {
    /// The Quartz-style line.
    Quartz,
    /// The Kubernetes line.
    Kubernetes,
}

/// Why a line cannot be translated or compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuartzError {
    /// It does not have six or seven fields.
    FieldCount {
        /// How many it has.
        found: usize,
    },
    /// The `cron` crate refuses it.
    Line(String),
    /// The zone or the Kubernetes line is refused.
    Schedule(ResolveError),
}

impl fmt::Display for QuartzError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            QuartzError::FieldCount { found: 5 } => {
                f.write_str("a line of 5 fields has no seconds: it is in Kubernetes' own form already")
            }
            QuartzError::FieldCount { found } => {
                write!(f, "a Quartz-style line has 6 fields, or 7 with years, not {found}")
            }
            QuartzError::Line(message) => f.write_str(message),
            QuartzError::Schedule(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for QuartzError {}

/// Finds the Kubernetes line that means the same as a Quartz-style line, or the reasons why there is none.
///
/// ```
/// use jobpolicy::cli::quartz::translate;
/// let weekdays = translate("0 30 9 ? * MON-FRI").unwrap();
/// assert_eq!(weekdays.kubernetes.as_deref(), Some("30 9 * * 1-5"));
/// let last_day = translate("0 0 0 L * ?").unwrap();
/// assert_eq!(last_day.kubernetes, None);
/// assert_eq!(last_day.reasons[0].field, "day of month");
/// ```
///
/// # Errors
/// When the line is not in Quartz' form.
pub fn translate(line: &str) -> Result<Translation, QuartzError> {
    let quartz = line.trim().to_owned();
    let reasons = inexpressible(&quartz)?;
    if !reasons.is_empty() {
        return Ok(Translation { quartz, kubernetes: None, nearest: None, reasons });
    }
    let schedule = parse(&quartz)?;
    let reasons = differing_fields(&schedule);
    let text = kubernetes_text(&schedule);
    let (kubernetes, nearest) = if reasons.is_empty() { (Some(text), None) } else { (None, Some(text)) };
    Ok(Translation { quartz, kubernetes, nearest, reasons })
}

/// Compares the next `fires` times of a Quartz-style line, as the `cron` crate reads it, with those of a
/// `spec.schedule`, both in `time_zone` (UTC if none).
///
/// The comparison ends with the first of the two to have fired that often, so that one that fires more rarely is not
/// taken for missing.
///
/// # Errors
/// When one of the lines or the zone is refused.
pub fn compare(
    line: &str,
    schedule: &str,
    time_zone: Option<&str>,
    from: Timestamp,
    fires: usize,
) -> Result<Comparison, QuartzError> {
    let kubernetes = kubernetes_times(schedule, time_zone, from, fires)?;
    // The names that mean UTC to Kubernetes but not to chrono-tz.
    let zone = time_zone.and_then(|name| name.parse::<Tz>().ok()).unwrap_or(Tz::UTC);
    let quartz = quartz_times(&parse(line)?, zone, from, fires);
    let last = |times: &BTreeSet<Timestamp>| times.iter().nth(fires.saturating_sub(1)).copied();
    let ends = [last(&quartz), last(&kubernetes)].into_iter().flatten().min();
    let until = ends.or_else(|| quartz.union(&kubernetes).max().copied()).unwrap_or(from);

    let within = |times: BTreeSet<Timestamp>| times.into_iter().filter(|time| *time <= until).collect();
    let (quartz, kubernetes): (BTreeSet<_>, BTreeSet<_>) = (within(quartz), within(kubernetes));
    let differences = quartz.symmetric_difference(&kubernetes).map(|at| Difference {
        at: *at,
        local: at.datetime().with_timezone(&zone).to_rfc3339(),
        only: if quartz.contains(at) { Side::Quartz } else { Side::Kubernetes },
    });
    Ok(Comparison {
        schedule: schedule.to_owned(),
        time_zone: zone.name().to_owned(),
        from,
        until,
        same: quartz.intersection(&kubernetes).count(),
        differences: differences.collect(),
    })
}

fn parse(line: &str) -> Result<cron::Schedule, QuartzError> {
    cron::Schedule::from_str(line.trim()).map_err(|error| QuartzError::Line(error.to_string()))
}

fn kubernetes_times(
    schedule: &str,
    time_zone: Option<&str>,
    from: Timestamp,
    fires: usize,
) -> Result<BTreeSet<Timestamp>, QuartzError> {
    let zones = TzDatabase::shared();
    let schedule = resolve_schedule(schedule, time_zone, zones).map_err(QuartzError::Schedule)?;
    let next = |time: &Timestamp| schedule.next(*time, zones).at();
    Ok(std::iter::successors(next(&from), next).take(fires).collect())
}

/// The first times after `from`, a few more than `fires` of them where the clock is put back.
fn quartz_times(schedule: &cron::Schedule, zone: Tz, from: Timestamp, fires: usize) -> BTreeSet<Timestamp> {
    let mut times = BTreeSet::new();
    let mut end = None;
    for time in schedule.after(&from.datetime().with_timezone(&zone)) {
        if end.is_some_and(|end| time > end) {
            break;
        }
        times.extend(Some(Timestamp::from(time.to_utc())).filter(|time| *time > from));
        if end.is_none() && times.len() >= fires {
            end = Some(time + LONGEST_REPEAT);
        }
    }
    times
}

/// What the line says with Quartz' own signs, which the `cron` crate does not read either.
fn inexpressible(line: &str) -> Result<Vec<Reason>, QuartzError> {
    if line.starts_with('@') {
        return Ok(Vec::new());
    }
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [_, _, _, day_of_month, _, day_of_week, rest @ ..] = fields.as_slice() else {
        return Err(QuartzError::FieldCount { found: fields.len() });
    };
    if rest.len() > 1 {
        return Err(QuartzError::FieldCount { found: fields.len() });
    }
    let (day_of_month, day_of_week) = (day_of_month.to_uppercase(), day_of_week.to_uppercase());
    let mut reasons = Vec::new();
    for (sign, meaning) in [('L', "the last day"), ('W', "the nearest weekday")] {
        if day_of_month.contains(sign) {
            let message = format!("`{sign}` means {meaning} of the month; Kubernetes has days 1 to 31 only");
            reasons.push(Reason { field: "day of month", message });
        }
    }
    // No name of a day ends in L.
    if day_of_week.split(',').any(|item| item.ends_with('L')) {
        let message = "`L` means the last such day of the month; Kubernetes has plain weekdays only".into();
        reasons.push(Reason { field: "day of week", message });
    }
    if day_of_week.contains('#') {
        let message = "`#` means the n-th such day of the month; Kubernetes has plain weekdays only".into();
        reasons.push(Reason { field: "day of week", message });
    }
    Ok(reasons)
}

/// What the line's fields say that a line without seconds and years cannot.
fn differing_fields(schedule: &cron::Schedule) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let seconds: Vec<u32> = schedule.seconds().iter().collect();
    if seconds != [0] {
        let shown = field_text(&seconds, 0, 59);
        let message = if seconds.len() == 1 {
            format!("fires at second {shown}; Kubernetes fires at second 0")
        } else {
            format!("fires {} times a minute (`{shown}`); Kubernetes fires once", seconds.len())
        };
        reasons.push(Reason { field: "seconds", message });
    }
    if !schedule.days_of_month().is_all() && !schedule.days_of_week().is_all() {
        let message = "wants both the day of the month and the day of the week to match; Kubernetes fires when either does";
        reasons.push(Reason { field: "day of week", message: message.into() });
    }
    let years: Vec<u32> = schedule.years().iter().collect();
    if !schedule.years().is_all() {
        let shown = field_text(&years, *ALL_YEARS.start(), *ALL_YEARS.end());
        let message = format!("fires in the years `{shown}` only; Kubernetes has no years");
        reasons.push(Reason { field: "year", message });
    }
    reasons
}

/// The fields that both have, as a Kubernetes line.
fn kubernetes_text(schedule: &cron::Schedule) -> String {
    let weekdays: Vec<u32> = schedule.days_of_week().iter().map(|day| day - 1).collect();
    [
        field_text(&schedule.minutes().iter().collect::<Vec<u32>>(), 0, 59),
        field_text(&schedule.hours().iter().collect::<Vec<u32>>(), 0, 23),
        field_text(&schedule.days_of_month().iter().collect::<Vec<u32>>(), 1, 31),
        field_text(&schedule.months().iter().collect::<Vec<u32>>(), 1, 12),
        field_text(&weekdays, 0, 6),
    ]
    .join(" ")
}

/// The shortest usual way to write some values of a field: a star, a step, or ranges and single values.
fn field_text(values: &[u32], min: u32, max: u32) -> String {
    if values.iter().copied().eq(min..=max) {
        return "*".into();
    }
    if let [first, second, ..] = values
        && *first == min
        && values.len() > 2
    {
        let step = second - first;
        if values.iter().copied().eq((min..=max).step_by(step as usize)) {
            return format!("*/{step}");
        }
    }
    let runs = values.chunk_by(|a, b| a + 1 == *b);
    let texts = runs.map(|run| match run {
        [first, _, .., last] => format!("{first}-{last}"),
        few => few.iter().map(u32::to_string).collect::<Vec<_>>().join(","),
    });
    texts.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kubernetes(line: &str) -> Option<String> {
        translate(line).unwrap().kubernetes
    }

    fn time(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn lines_that_mean_the_same_are_translated() {
        for (line, expected) in [
            ("0 * * * * *", "* * * * *"),
            ("0 */15 * * * ?", "*/15 * * * *"),
            ("0 0/20 8-18 ? * 2-6", "*/20 8-18 * * 1-5"),
            ("0 30 9 ? * MON-FRI", "30 9 * * 1-5"),
            ("0 0 0 1,15 JAN,jul ? *", "0 0 1,15 1,7 *"),
            ("0 5,6,7,9 0 ? * 1", "5-7,9 0 * * 0"),
            ("0 0 0 1-31 * SAT,SUN", "0 0 * * 0,6"),
            ("0 0 12 */2 * ? 1970-2100", "0 12 */2 * *"),
            ("@weekly", "0 0 * * 0"),
        ] {
            assert_eq!(kubernetes(line).as_deref(), Some(expected), "{line}");
        }
    }

    #[test]
    fn lines_without_a_counterpart_say_why() {
        for (line, field, nearest) in [
            ("30 0 12 * * ?", "seconds", Some("0 12 * * *")),
            ("*/10 * * * * *", "seconds", Some("* * * * *")),
            ("0 0 0 13 * FRI", "day of week", Some("0 0 13 * 5")),
            ("0 0 0 1 1 ? 2027", "year", Some("0 0 1 1 *")),
            ("0 0 0 L * ?", "day of month", None),
            ("0 0 0 15W * ?", "day of month", None),
            ("0 0 0 ? * 6L", "day of week", None),
            ("0 0 0 ? * MON#2", "day of week", None),
        ] {
            let translation = translate(line).unwrap();
            assert_eq!(translation.kubernetes, None, "{line}");
            assert_eq!(translation.nearest.as_deref(), nearest, "{line}");
            assert_eq!(translation.reasons.first().unwrap().field, field, "{line}");
        }
        assert_eq!(kubernetes("0 0 0 ? JUL WED").as_deref(), Some("0 0 * 7 3"));
    }

    #[test]
    fn what_is_not_in_quartz_form_is_refused() {
        assert_eq!(translate("*/5 * * * *"), Err(QuartzError::FieldCount { found: 5 }));
        assert_eq!(translate("0 0 0 * * ? * *"), Err(QuartzError::FieldCount { found: 8 }));
        for line in ["0 0 25 * * ?", "0 0 0 * * 8", "x 0 0 * * ?", "@every 5m", "0 0 0 ? * FRI-MON"] {
            assert!(matches!(translate(line), Err(QuartzError::Line(_))), "{line}");
        }
    }

    #[test]
    fn a_translation_fires_at_the_same_times_in_utc() {
        for line in ["0 0/20 8-18 ? * 2-6", "0 0 0 29 2 ?", "0 1-59/7 * 1,31 * ?", "0 0 0 ? * 1"] {
            let schedule = kubernetes(line).unwrap();
            let comparison = compare(line, &schedule, None, time("2026-01-01T00:00:30Z"), 50).unwrap();
            assert_eq!(comparison.differences, [], "{line}");
            assert!(comparison.same > 0, "{line}");
        }
    }

    #[test]
    fn both_days_or_either_day_is_a_difference() {
        let comparison =
            compare("0 0 0 13 * FRI", "0 0 13 * 5", Some("UTC"), time("2026-02-01T00:00:00Z"), 4).unwrap();
        assert_eq!(comparison.same, 1);
        assert_eq!(comparison.until, time("2026-02-27T00:00:00Z"));
        let days: Vec<&str> = comparison.differences.iter().map(|d| &d.local[..10]).collect();
        assert_eq!(days, ["2026-02-06", "2026-02-20", "2026-02-27"]);
        assert!(comparison.differences.iter().all(|d| d.only == Side::Kubernetes));
    }

    #[test]
    fn the_end_of_daylight_saving_is_compared_in_order() {
        let comparison = compare(
            "0 */20 * * * ?",
            "*/20 * * * *",
            Some("Europe/Berlin"),
            time("2026-10-24T22:00:00Z"),
            20,
        )
        .unwrap();
        assert_eq!((comparison.same, comparison.differences), (20, vec![]));
    }

    #[test]
    fn a_gap_of_half_an_hour_is_a_difference() {
        let zone = Some("Australia/Lord_Howe");
        let comparison =
            compare("0 30 1 * * ?", "30 1 * * *", zone, time("2025-10-04T15:01:00Z"), 3).unwrap();
        let Difference { at, local, only } = &comparison.differences[0];
        assert_eq!((*at, only), (time("2025-10-04T15:30:00Z"), &Side::Kubernetes));
        assert_eq!(local, "2025-10-05T02:30:00+11:00");
    }

    #[test]
    fn seconds_end_the_comparison_early() {
        let comparison =
            compare("*/30 * * * * *", "* * * * *", None, time("2026-01-01T00:00:00Z"), 4).unwrap();
        assert_eq!((comparison.same, comparison.differences.len()), (2, 2));
        assert_eq!(comparison.until, time("2026-01-01T00:02:00Z"));
    }

    #[test]
    fn reports_are_json_with_the_units_names() {
        let value = serde_json::to_value(translate("0 0 0 13 * FRI").unwrap()).unwrap();
        assert_eq!(value["kubernetes"], serde_json::Value::Null);
        assert_eq!(value["nearest"], "0 0 13 * 5");
        assert_eq!(value["reasons"][0]["field"], "day of week");
    }
}
