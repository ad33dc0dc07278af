//! Time zones for the core, from chrono-tz's copy of the tz database.

use chrono::{DateTime, Datelike, NaiveDate, Offset, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};
use policy_core::cron::{Period, TimeZones, ZoneId};
use std::sync::{LazyLock, OnceLock};

/// The length of the stretches in which periods are worked out and kept, in seconds: about 388 days.
const STRETCH_SECONDS: i64 = 1 << 25;
/// The first stretch that is kept; it begins in 1898.
const FIRST_STRETCH: i64 = -67;
/// How many stretches are kept: until 2101.
const STRETCHES: usize = 190;
/// How far apart the offset is sampled. The shortest time that any zone kept an offset is just under four days
/// (Sierra Leone, 1939), so no change goes unseen.
const SAMPLE_SECONDS: i64 = 3 * 86_400;

/// The last year, counted from 1 March, that chrono-tz's data covers in full.
const LAST_YEAR_WITH_DATA: i32 = 2098;

/// The zones of the tz database, with the periods that were asked for kept for the next question.
///
/// ```
/// use policy_sim::zones::TzDatabase;
/// use policy_core::cron::TimeZones;
/// let zones = TzDatabase::shared();
/// let berlin = zones.find("Europe/Berlin").unwrap();
/// assert_eq!(zones.period_at(berlin, 1_767_268_800).offset_seconds, 3600);
/// assert!(zones.find("europe/berlin").is_none());
/// ```
#[derive(Debug)]
pub struct TzDatabase {
    zones: Box<[OnceLock<Box<Stretches>>]>,
}

/// One zone's periods, a stretch of time at a time.
type Stretches = [OnceLock<Box<[Period]>>; STRETCHES];

impl TzDatabase {
    /// The database of this process.
    pub fn shared() -> &'static TzDatabase {
        static SHARED: LazyLock<TzDatabase> =
            LazyLock::new(|| TzDatabase { zones: TZ_VARIANTS.iter().map(|_| OnceLock::new()).collect() });
        &SHARED
    }
}

impl TimeZones for TzDatabase {
    fn find(&self, name: &str) -> Option<ZoneId> {
        // Go's database has one more: the zone of a machine that was never set up, which is UTC.
        let zone = if name == "Factory" { Tz::UTC } else { name.parse::<Tz>().ok()? };
        Some(ZoneId(zone as u32))
    }

    fn period_at(&self, zone: ZoneId, unix_seconds: i64) -> Period {
        let index = zone.0 as usize;
        let (Some(tz), Some(stretches)) = (TZ_VARIANTS.get(index), self.zones.get(index)) else {
            return Period::UTC;
        };
        let stretch = unix_seconds.div_euclid(STRETCH_SECONDS);
        let slot = usize::try_from(stretch - FIRST_STRETCH).ok().filter(|slot| *slot < STRETCHES);
        let Some(slot) = slot else {
            return single_second(*tz, unix_seconds);
        };
        let stretches = stretches.get_or_init(|| Box::new([const { OnceLock::new() }; STRETCHES]));
        let periods = stretches[slot].get_or_init(|| periods_of_stretch(*tz, stretch));
        let found = periods.iter().find(|period| period.contains(unix_seconds));
        found.copied().unwrap_or_else(|| single_second(*tz, unix_seconds))
    }
}

/// A period of one second, where nothing is kept.
fn single_second(tz: Tz, unix_seconds: i64) -> Period {
    let until_seconds = unix_seconds.saturating_add(1);
    Period { offset_seconds: offset_at(tz, unix_seconds), from_seconds: unix_seconds, until_seconds }
}

/// The periods that make up a stretch.
fn periods_of_stretch(tz: Tz, stretch: i64) -> Box<[Period]> {
    let start = stretch * STRETCH_SECONDS;
    let end = start + STRETCH_SECONDS;
    let mut periods = Vec::new();
    let mut current =
        Period { offset_seconds: offset_at(tz, start), from_seconds: start, until_seconds: end };
    let mut known = start;
    while known < end {
        let sample = (known + SAMPLE_SECONDS).min(end);
        if offset_at(tz, sample) != current.offset_seconds {
            let change = first_change(tz, current.offset_seconds, known, sample);
            periods.push(Period { until_seconds: change, ..current });
            current =
                Period { offset_seconds: offset_at(tz, change), from_seconds: change, until_seconds: end };
            known = change;
        } else {
            known = sample;
        }
    }
    if current.from_seconds < end {
        periods.push(current);
    }
    periods.into()
}

/// The first second after `known` at which the offset is no longer `offset_seconds`; at `changed` it is not.
fn first_change(tz: Tz, offset_seconds: i32, mut known: i64, mut changed: i64) -> i64 {
    while changed - known > 1 {
        let middle = known + (changed - known) / 2;
        if offset_at(tz, middle) == offset_seconds { known = middle } else { changed = middle }
    }
    changed
}

/// Local time less UTC, in seconds, also beyond the years for which chrono-tz has data.
fn offset_at(tz: Tz, unix_seconds: i64) -> i32 {
    let Some(time) = DateTime::from_timestamp(repeated(unix_seconds), 0) else { return 0 };
    tz.offset_from_utc_datetime(&time.naive_utc()).fix().local_minus_utc()
}

/// Moves an instant beyond the data to one with the same rules before its end.
///
/// The tz database goes on for ever by rules of month, week and weekday (Go reads them from the end of the zone's
/// file), chrono-tz stops at 2099. No such rule touches January or February, so a year counted from 1 March depends
/// only on the weekday of that date.
fn repeated(unix_seconds: i64) -> i64 {
    let Some(time) = DateTime::from_timestamp(unix_seconds, 0) else { return unix_seconds };
    let year = if time.month() >= 3 { time.year() } else { time.year() - 1 };
    let first_of_march = |year| NaiveDate::from_ymd_opt(year, 3, 1);
    let Some(start) = first_of_march(year).filter(|_| year > LAST_YEAR_WITH_DATA) else {
        return unix_seconds;
    };
    // The ten years before the end have all seven weekdays and no exception any more (Morocco's and Palestine's
    // end in 2087).
    let same_weekday = (LAST_YEAR_WITH_DATA - 10..=LAST_YEAR_WITH_DATA)
        .filter_map(first_of_march)
        .find(|date| date.weekday() == start.weekday());
    same_weekday.map_or(unix_seconds, |date| unix_seconds - (start - date).num_seconds())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> ZoneId {
        TzDatabase::shared().find(name).unwrap()
    }

    fn seconds(time: &str) -> i64 {
        DateTime::parse_from_rfc3339(time).unwrap().timestamp()
    }

    #[test]
    fn periods_agree_with_chrono_tz_and_join_up() {
        for name in
            ["America/New_York", "Asia/Gaza", "Africa/Casablanca", "Australia/Lord_Howe", "Pacific/Apia"]
        {
            let (tz, zone) = (name.parse::<Tz>().unwrap(), zone(name));
            let mut time = seconds("1895-01-01T00:00:00Z");
            while time < seconds("2099-12-31T00:00:00Z") {
                let period = TzDatabase::shared().period_at(zone, time);
                assert!(period.contains(time));
                for inside in [period.from_seconds, time, period.until_seconds - 1] {
                    let naive = DateTime::from_timestamp(inside, 0).unwrap().naive_utc();
                    let offset = tz.offset_from_utc_datetime(&naive).fix().local_minus_utc();
                    assert_eq!(period.offset_seconds, offset, "{name} at {inside}");
                }
                time += 86_400;
            }
        }
    }

    #[test]
    fn every_id_is_the_index_of_its_zone() {
        for tz in TZ_VARIANTS {
            assert_eq!(TZ_VARIANTS[zone(tz.name()).0 as usize], tz);
        }
        assert_eq!(TzDatabase::shared().period_at(ZoneId(u32::MAX), 0), Period::UTC);
        assert_eq!(TzDatabase::shared().period_at(zone("Factory"), 0).offset_seconds, 0);
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
            let period = TzDatabase::shared().period_at(zone("America/New_York"), seconds(time));
            assert_eq!(period.offset_seconds, offset, "{time}");
        }
    }

    #[test]
    fn the_years_before_the_end_have_every_weekday() {
        let years = LAST_YEAR_WITH_DATA - 10..=LAST_YEAR_WITH_DATA;
        let weekdays: std::collections::HashSet<_> =
            years.map(|year| NaiveDate::from_ymd_opt(year, 3, 1).unwrap().weekday()).collect();
        assert_eq!(weekdays.len(), 7);
    }
}
