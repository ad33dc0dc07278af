//! Properties of schedules: the next time is later and matches, and nothing that can be typed panics or hangs.

// Tests assert, also in their helpers.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use chrono::{DateTime, Datelike, Offset, TimeZone, Timelike, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use policy_core::Timestamp;
use policy_core::cron::{NextTime, Period, Schedule, TimeZones, UtcOnly, ZoneId, resolve_schedule};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// chrono-tz, asked anew for every second.
struct ChronoTz;

impl TimeZones for ChronoTz {
    fn find(&self, name: &str) -> Option<ZoneId> {
        name.parse::<Tz>().ok().map(|tz| ZoneId(tz as u32))
    }

    fn period_at(&self, zone: ZoneId, unix_seconds: i64) -> Period {
        let time = DateTime::from_timestamp(unix_seconds, 0).unwrap().naive_utc();
        let offset_seconds =
            TZ_VARIANTS[zone.0 as usize].offset_from_utc_datetime(&time).fix().local_minus_utc();
        Period { offset_seconds, from_seconds: unix_seconds, until_seconds: unix_seconds + 1 }
    }
}

/// Zones that move their clocks by whole hours and not at midnight. In the others upstream itself fires at times that
/// do not match (an hour or a day that was passed over is not looked at again).
const REGULAR_ZONES: &[&str] =
    &["UTC", "America/New_York", "Europe/Berlin", "Australia/Sydney", "Asia/Kolkata"];

/// A field as text, the values it allows, and whether it is a star.
#[derive(Clone, Debug)]
struct Field {
    text: String,
    values: BTreeSet<u32>,
    is_star: bool,
}

fn field(min: u32, max: u32) -> impl Strategy<Value = Field> {
    let star = Just(Field { text: "*".into(), values: (min..=max).collect(), is_star: true });
    let step = (2_u32..20).prop_map(move |step| Field {
        text: format!("*/{step}"),
        values: (min..=max).step_by(step as usize).collect(),
        is_star: false,
    });
    let range = (min..=max, min..=max).prop_map(|(a, b)| {
        let (low, high) = (a.min(b), a.max(b));
        Field { text: format!("{low}-{high}"), values: (low..=high).collect(), is_star: false }
    });
    let list = prop::collection::btree_set(min..=max, 1..4).prop_map(|values| {
        let text = values.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        Field { text, values, is_star: false }
    });
    prop_oneof![2 => star, 1 => step, 1 => range, 2 => list]
}

fn instant() -> impl Strategy<Value = Timestamp> {
    (946_684_800_i64..4_000_000_000, 0_u32..1_000_000_000)
        .prop_map(|(seconds, nanos)| Timestamp::from_unix(seconds, nanos).unwrap())
}

fn fields() -> impl Strategy<Value = [Field; 5]> {
    (field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6))
        .prop_map(|(minute, hour, day, month, weekday)| [minute, hour, day, month, weekday])
}

fn text_of(fields: &[Field; 5]) -> String {
    fields.iter().map(|field| field.text.as_str()).collect::<Vec<_>>().join(" ")
}

fn matches<T: TimeZone>([minute, hour, day, month, weekday]: &[Field; 5], time: &DateTime<T>) -> bool {
    let by_day = day.values.contains(&time.day());
    let by_weekday = weekday.values.contains(&time.weekday().num_days_from_sunday());
    let by_either = if day.is_star || weekday.is_star { by_day && by_weekday } else { by_day || by_weekday };
    time.second() == 0
        && minute.values.contains(&time.minute())
        && hour.values.contains(&time.hour())
        && month.values.contains(&time.month())
        && by_either
}

proptest! {
    #[test]
    fn the_next_time_is_later_and_matches_on_the_zones_clock(
        fields in fields(), zone in prop::sample::select(REGULAR_ZONES), from in instant(),
    ) {
        let schedule = resolve_schedule(&text_of(&fields), Some(zone), &ChronoTz).unwrap();
        let tz: Tz = zone.parse().unwrap();
        let mut from = from;
        for _ in 0..3 {
            let NextTime::At(next) = schedule.next(from, &ChronoTz) else { break };
            prop_assert!(next > from);
            let local = next.datetime().with_timezone(&tz);
            prop_assert!(matches(&fields, &local), "{} does not match {}", local, text_of(&fields));
            from = next;
        }
    }

    #[test]
    fn no_time_is_passed_over_in_utc(fields in fields(), from in instant()) {
        let schedule = Schedule::parse(&text_of(&fields), &UtcOnly).unwrap();
        let minutes = (1_i64..40 * 1_440).filter_map(|minute| {
            DateTime::<Utc>::from_timestamp((from.unix_seconds().div_euclid(60) + minute) * 60, 0)
        });
        let first = minutes.into_iter().find(|time| matches(&fields, time));
        let next = schedule.next(from, &UtcOnly).at().map(Timestamp::datetime);
        match first {
            Some(first) => prop_assert_eq!(next, Some(first)),
            None => prop_assert!(next.is_none_or(|next| next > from.datetime() + chrono::TimeDelta::days(39))),
        }
    }

    #[test]
    fn the_next_time_is_later_in_every_zone(
        fields in fields(), zone in prop::sample::select(&TZ_VARIANTS[..]), from in instant(),
    ) {
        let schedule = resolve_schedule(&text_of(&fields), Some(zone.name()), &ChronoTz).unwrap();
        let next = schedule.next(from, &ChronoTz);
        prop_assert!(next.at().is_none_or(|next| next > from && next.subsec_nanos() == 0));
    }

    #[test]
    fn nothing_that_can_be_typed_panics_or_hangs(
        text in prop_oneof![
            any::<String>(),
            "[-*/,?0-9a-zA-Z ]{0,30}",
            "(TZ=|CRON_TZ=)?[ \t]?(UTC|Asia/Gaza|x)?[ \t]?([0-9*/,?-]{1,6} ){4}[0-9*/,?-]{1,6}",
            "@[a-z]{0,8} ?[-+.0-9a-zµ]{0,12}",
        ],
        zone in prop::option::of(any::<String>()),
        from in instant(),
    ) {
        if let Ok(schedule) = Schedule::parse(&text, &ChronoTz) {
            let next = schedule.next(from, &ChronoTz);
            prop_assert!(next.at().is_none_or(|next| next > from));
        }
        let _ = resolve_schedule(&text, zone.as_deref(), &ChronoTz);
    }
}

#[test]
fn quirks_at_changes_of_the_clock() {
    let next = |schedule: &str, zone: &str, from: &str| {
        let from = Timestamp::parse(from).unwrap();
        let schedule = resolve_schedule(schedule, Some(zone), &ChronoTz).unwrap();
        schedule.next(from, &ChronoTz).at().map(|time| time.to_string())
    };
    // A time in a gap is skipped, one in an overlap comes twice.
    let after = next("30 2 * * *", "America/New_York", "2025-03-09T00:00:00-05:00");
    assert_eq!(after.as_deref(), Some("2025-03-10T06:30:00Z"));
    let after = next("30 1 * * *", "America/New_York", "2025-11-02T05:30:00Z");
    assert_eq!(after.as_deref(), Some("2025-11-02T06:30:00Z"));
    // A gap at midnight costs the day.
    let after = next("0 0 * * *", "Africa/Cairo", "2025-04-24T12:00:00Z");
    assert_eq!(after.as_deref(), Some("2025-04-25T21:00:00Z"));
    // The hour is not looked at again when minutes step over a gap: this is 02:30.
    let after = next("30 1 * * *", "Australia/Lord_Howe", "2025-10-04T15:01:00Z");
    assert_eq!(after.as_deref(), Some("2025-10-04T15:30:00Z"));
    // Nothing within five years is never.
    assert_eq!(next("0 0 29 2 *", "UTC", "2097-01-01T00:00:00Z"), None);
}

#[test]
fn a_day_that_a_zone_left_out_ends_the_search() {
    let schedule = resolve_schedule("0 0 24 * *", Some("Pacific/Apia"), &ChronoTz).unwrap();
    let from = Timestamp::parse("2011-12-25T00:00:00Z").unwrap();
    assert_eq!(schedule.next(from, &ChronoTz), NextTime::Hang);
}
