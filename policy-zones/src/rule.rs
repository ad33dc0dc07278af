//! Changes of the clocks that come every year on the same kind of day.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime};
use policy_core::cron::Period;

/// From some year on, the same changes every year. Years are counted from 1 March, because no rule touches January and
/// February, and from then on all years are alike but for the weekday.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The first year.
    pub since: i32,
    /// The changes of a year, in order.
    pub changes: Vec<YearlyChange>,
}

/// A change that comes every year: on the first such weekday from a day on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct YearlyChange {
    /// The day, so many after 1 March.
    pub days: u16,
    /// The weekday in UTC, so many after Monday.
    pub weekday: u8,
    /// The second of that day in UTC.
    pub second: u32,
    /// Local time less UTC from then on, in seconds.
    pub offset_seconds: i32,
}

impl YearlyChange {
    /// When it comes in a year.
    pub fn in_year(&self, year: i32) -> Option<i64> {
        let earliest = NaiveDate::from_ymd_opt(year, 3, 1)?.checked_add_days(days(self.days.into()))?;
        let wait = (u32::from(self.weekday) + 7 - earliest.weekday().num_days_from_monday()) % 7;
        let date = earliest.checked_add_days(days(wait))?;
        Some(date.and_time(NaiveTime::MIN).and_utc().timestamp() + i64::from(self.second))
    }
}

fn days(count: u32) -> chrono::Days {
    chrono::Days::new(count.into())
}

impl Rule {
    /// What is left of a period that the rule's changes cut, around an instant.
    pub(crate) fn narrowed(&self, listed: Period, unix_seconds: i64) -> Period {
        let Some(time) = DateTime::from_timestamp(unix_seconds, 0) else { return listed };
        let mut period = listed;
        for year in (time.year() - 2).max(self.since)..=time.year().max(self.since) + 1 {
            for change in &self.changes {
                let Some(at) = change.in_year(year) else { continue };
                if at > unix_seconds {
                    period.until_seconds = at;
                    return period;
                }
                (period.from_seconds, period.offset_seconds) = (at, change.offset_seconds);
            }
        }
        period
    }
}
