//! The file of zones is what chrono-tz says, for every zone and at every change of the clocks.
//!
//! With `JOBPOLICY_WRITE_ZONES=1` the file is written anew: after an update of chrono-tz.

use chrono::{DateTime, Datelike, NaiveDate, Offset, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};
use policy_core::cron::{Period, TimeZones, ZoneId};
use policy_zones::{Change, DATA, NotZones, Rule, TzDatabase, YearlyChange};
use std::collections::BTreeMap;

/// The first year of which the clocks are known to differ from the first local time.
const FIRST_YEAR: i32 = 1800;
/// The last year, counted from 1 March, that chrono-tz's data covers in full.
const LAST_YEAR: i32 = 2098;
/// How far apart the offset is sampled. The shortest time that any zone kept an offset is just under four days
/// (Sierra Leone, 1939), so no change goes unseen.
const SAMPLE_SECONDS: i64 = 3 * 86_400;

fn offset_at(tz: Tz, unix_seconds: i64) -> i32 {
    let time = DateTime::from_timestamp(unix_seconds, 0).unwrap().naive_utc();
    tz.offset_from_utc_datetime(&time).fix().local_minus_utc()
}

fn start_of(year: i32) -> i64 {
    NaiveDate::from_ymd_opt(year, 3, 1).unwrap().and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp()
}

/// Every change of a zone's clocks, as chrono-tz has them.
fn changes_of(tz: Tz) -> (i32, Vec<Change>) {
    let (start, end) = (start_of(FIRST_YEAR), start_of(LAST_YEAR + 1));
    let first = offset_at(tz, start);
    let (mut changes, mut offset, mut known) = (Vec::new(), first, start);
    while known < end {
        let sample = (known + SAMPLE_SECONDS).min(end);
        if offset_at(tz, sample) == offset {
            known = sample;
            continue;
        }
        let (mut before, mut after) = (known, sample);
        while after - before > 1 {
            let middle = before + (after - before) / 2;
            if offset_at(tz, middle) == offset { before = middle } else { after = middle }
        }
        offset = offset_at(tz, after);
        changes.push(Change { at: after, offset_seconds: offset });
        known = after;
    }
    (first, changes)
}

fn in_year(changes: &[Change], year: i32) -> &[Change] {
    let from = changes.partition_point(|change| change.at < start_of(year));
    let until = changes.partition_point(|change| change.at < start_of(year + 1));
    &changes[from..until]
}

/// The rule by which the changes of the last decades come.
fn rule_of(changes: &[Change]) -> Option<Rule> {
    let last = in_year(changes, LAST_YEAR);
    if last.is_empty() {
        return None;
    }
    let yearly = (0..last.len()).map(|place| {
        let dates: Vec<_> = (LAST_YEAR - 9..=LAST_YEAR)
            .map(|year| (year, in_year(changes, year)[place]))
            .map(|(year, change)| (year, DateTime::from_timestamp(change.at, 0).unwrap(), change))
            .collect();
        let days = dates.iter().map(|(year, time, _)| (time.timestamp() - start_of(*year)) / 86_400).min();
        let (_, time, change) = dates[0];
        YearlyChange {
            days: u16::try_from(days.unwrap()).unwrap(),
            weekday: u8::try_from(time.weekday().num_days_from_monday()).unwrap(),
            second: u32::try_from(change.at.rem_euclid(86_400)).unwrap(),
            offset_seconds: change.offset_seconds,
        }
    });
    let yearly: Vec<YearlyChange> = yearly.collect();
    let by_rule = |year: i32| -> Vec<Change> {
        let one = |change: &YearlyChange| Change {
            at: change.in_year(year).unwrap(),
            offset_seconds: change.offset_seconds,
        };
        yearly.iter().map(one).collect()
    };
    let follows = |year: &i32| in_year(changes, *year) == by_rule(*year);
    let since = (FIRST_YEAR..=LAST_YEAR).rev().take_while(follows).last();
    since.map(|since| Rule { since, changes: yearly.clone() })
}

fn number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn signed(out: &mut Vec<u8>, number_: i64) {
    let folded = if number_ < 0 { (-(number_ + 1) as u64) << 1 | 1 } else { (number_ as u64) << 1 };
    number(out, folded);
}

fn zone(tz: Tz) -> Vec<u8> {
    let (first, changes) = changes_of(tz);
    let rule = rule_of(&changes);
    let listed = rule
        .as_ref()
        .map_or(changes.len(), |rule| changes.partition_point(|change| change.at < start_of(rule.since)));
    let mut out = Vec::new();
    signed(&mut out, first.into());
    number(&mut out, listed as u64);
    let mut before = 0;
    for change in &changes[..listed] {
        signed(&mut out, change.at - before);
        signed(&mut out, change.offset_seconds.into());
        before = change.at;
    }
    number(&mut out, rule.as_ref().map_or(0, |rule| rule.since as u64));
    if let Some(rule) = rule {
        number(&mut out, rule.changes.len() as u64);
        for change in &rule.changes {
            number(&mut out, change.days.into());
            number(&mut out, change.weekday.into());
            number(&mut out, change.second.into());
            signed(&mut out, change.offset_seconds.into());
        }
    }
    out
}

fn file() -> Vec<u8> {
    // Go's database has one more: the zone of a machine that was never set up, which is UTC.
    let mut names: BTreeMap<&str, Tz> = TZ_VARIANTS.iter().map(|tz| (tz.name(), *tz)).collect();
    names.insert("Factory", Tz::UTC);
    let (mut zones, mut places): (Vec<Vec<u8>>, Vec<usize>) = (Vec::new(), Vec::new());
    for tz in names.values() {
        let data = zone(*tz);
        let place = zones.iter().position(|known| *known == data).unwrap_or(zones.len());
        if place == zones.len() {
            zones.push(data);
        }
        places.push(place);
    }
    let mut out = b"zones 1\n".to_vec();
    let text = names.keys().copied().collect::<Vec<_>>().join("\n");
    number(&mut out, text.len() as u64);
    out.extend(text.bytes());
    places.iter().for_each(|place| number(&mut out, *place as u64));
    number(&mut out, zones.len() as u64);
    out.extend(zones.concat());
    out
}

fn named(name: &str) -> ZoneId {
    TzDatabase::shared().find(name).unwrap()
}

#[test]
fn the_file_is_up_to_date_and_says_what_chrono_tz_says() {
    let file = file();
    if std::env::var_os("JOBPOLICY_WRITE_ZONES").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/zones.bin"), &file).unwrap();
    }
    assert!(file == DATA, "chrono-tz has changed: run this test with JOBPOLICY_WRITE_ZONES=1");
    let zones = TzDatabase::read(&file).unwrap();
    let years = start_of(1970)..start_of(LAST_YEAR + 1);
    for tz in TZ_VARIANTS {
        let zone = zones.find(tz.name()).unwrap();
        let (_, changes) = changes_of(tz);
        let around = changes.iter().flat_map(|change| [change.at - 1, change.at, change.at + 1]);
        let months = years.clone().step_by(30 * 86_400);
        for at in around.chain(months).chain([years.end - 1]) {
            let period = zones.period_at(zone, at);
            assert!(period.contains(at), "{tz} at {at}: {period:?}");
            assert_eq!(period.offset_seconds, offset_at(tz, at), "{tz} at {at}");
        }
    }
    assert_eq!(zones.names().count(), TZ_VARIANTS.len() + 1);
}

#[test]
fn periods_join_up() {
    for name in ["America/New_York", "Asia/Gaza", "Africa/Casablanca", "Australia/Lord_Howe", "Pacific/Apia"]
    {
        let (zone, mut at) = (named(name), start_of(1850));
        while at < start_of(2200) {
            let period = TzDatabase::shared().period_at(zone, at);
            assert!(period.contains(at));
            let last = TzDatabase::shared().period_at(zone, period.until_seconds.saturating_sub(1));
            assert_eq!(last, period, "{name} at {at}");
            at = period.until_seconds;
        }
    }
}

#[test]
fn daylight_saving_goes_on_after_the_data_ends() {
    // New York, from the rule M3.2.0,M11.1.0: 14 March 2100 and 7 November 2100 are such Sundays.
    for (time, offset) in [
        ("2100-03-14T06:59:59Z", -18_000),
        ("2100-03-14T07:00:00Z", -14_400),
        ("2100-11-07T05:59:59Z", -14_400),
        ("2100-11-07T06:00:00Z", -18_000),
        ("2101-01-01T00:00:00Z", -18_000),
        ("2451-07-01T00:00:00Z", -14_400),
    ] {
        let at = DateTime::parse_from_rfc3339(time).unwrap().timestamp();
        let period = TzDatabase::shared().period_at(named("America/New_York"), at);
        assert_eq!(period.offset_seconds, offset, "{time}");
    }
    assert!(TzDatabase::shared().period_at(named("America/New_York"), i64::MAX).contains(i64::MAX - 1));
}

#[test]
fn unknown_zones_are_utc_and_other_bytes_are_refused() {
    assert_eq!(TzDatabase::shared().period_at(ZoneId(u32::MAX), 0), Period::UTC);
    assert_eq!(TzDatabase::shared().period_at(named("Factory"), 0).offset_seconds, 0);
    assert!(TzDatabase::shared().find("europe/berlin").is_none());
    let empty = TzDatabase::default();
    assert!(!empty.is_installed() && empty.find("Europe/Berlin").is_none());
    assert_eq!(empty.install(b"zones"), Err(NotZones));
    for cut in (0..DATA.len()).step_by(97) {
        assert!(TzDatabase::read(&DATA[..cut]).is_err(), "{cut} bytes");
    }
    empty.install(DATA).unwrap();
    assert!(empty.is_installed());
}
