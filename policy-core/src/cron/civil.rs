//! The proleptic Gregorian calendar on plain integers, and Go's `time.Date`.

use super::zone::{Period, TimeZones, Zone};

/// Seconds in a day.
pub(super) const SECONDS_PER_DAY: i64 = 86_400;

/// A date and a time of day, without a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Civil {
    pub(super) year: i64,
    /// 1 to 12; more rolls over into the next years, as in `time.Date`.
    pub(super) month: i64,
    /// 1 to 31; more rolls over into the next months.
    pub(super) day: i64,
    /// Seconds since midnight.
    pub(super) second_of_day: i64,
}

impl Civil {
    /// Splits seconds since the epoch of some zone's own clock.
    pub(super) fn from_local_seconds(local_seconds: i64) -> Self {
        let days = local_seconds.div_euclid(SECONDS_PER_DAY);
        let second_of_day = local_seconds.rem_euclid(SECONDS_PER_DAY);
        // Days are counted from 1 March of year 0 in eras of 400 years, so that leap days come last.
        let shifted = days.wrapping_add(719_468);
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let leap_days =
            (day_of_era / 1_460).wrapping_sub(day_of_era / 36_524).wrapping_add(day_of_era / 146_096);
        let year_of_era = day_of_era.wrapping_sub(leap_days) / 365;
        let days_before =
            year_of_era.wrapping_mul(365).wrapping_add(year_of_era / 4).wrapping_sub(year_of_era / 100);
        let day_of_year = day_of_era.wrapping_sub(days_before);
        let month_from_march = day_of_year.wrapping_mul(5).wrapping_add(2) / 153;
        let first = month_from_march.wrapping_mul(153).wrapping_add(2) / 5;
        let month = month_from_march.wrapping_add(if month_from_march < 10 { 3 } else { -9 });
        let year = era.wrapping_mul(400).wrapping_add(year_of_era).wrapping_add(i64::from(month <= 2));
        Civil { year, month, day: day_of_year.wrapping_sub(first).wrapping_add(1), second_of_day }
    }

    /// Seconds since the epoch on the same clock; fields out of range roll over.
    pub(super) fn local_seconds(self) -> i64 {
        let months = self.month.wrapping_sub(1);
        let year = self.year.wrapping_add(months.div_euclid(12));
        let month = months.rem_euclid(12).wrapping_add(1);
        let days = days_before_month(year, month).wrapping_add(self.day.wrapping_sub(1));
        days.wrapping_mul(SECONDS_PER_DAY).wrapping_add(self.second_of_day)
    }

    pub(super) fn hour(self) -> i64 {
        self.second_of_day / 3_600
    }

    pub(super) fn minute(self) -> i64 {
        self.second_of_day / 60 % 60
    }
}

/// Days from the Unix epoch to the first of a month.
fn days_before_month(year: i64, month: i64) -> i64 {
    let year = year.wrapping_sub(i64::from(month <= 2));
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = month.wrapping_add(if month > 2 { -3 } else { 9 });
    let day_of_year = month_from_march.wrapping_mul(153).wrapping_add(2) / 5;
    let day_of_era = year_of_era
        .wrapping_mul(365)
        .wrapping_add(year_of_era / 4)
        .wrapping_sub(year_of_era / 100)
        .wrapping_add(day_of_year);
    era.wrapping_mul(146_097).wrapping_add(day_of_era).wrapping_sub(719_468)
}

/// The day of the week of a local instant, 0 for Sunday.
pub(super) fn weekday(local_seconds: i64) -> i64 {
    local_seconds.div_euclid(SECONDS_PER_DAY).wrapping_add(4).rem_euclid(7)
}

/// A zone with the period that was looked up last, so that a walk through time asks only where the offset changes.
pub(super) struct Clock<'a> {
    zones: &'a dyn TimeZones,
    zone: Zone,
    period: Period,
}

impl<'a> Clock<'a> {
    pub(super) fn new(zone: Zone, zones: &'a dyn TimeZones) -> Self {
        // An empty period: the first question is always asked.
        let period = Period { offset_seconds: 0, from_seconds: 0, until_seconds: 0 };
        Clock { zones, zone, period }
    }

    /// The period that covers an instant.
    pub(super) fn period(&mut self, unix_seconds: i64) -> Period {
        if !self.period.contains(unix_seconds) {
            self.period = self.zone.period_at(unix_seconds, self.zones);
        }
        self.period
    }

    /// Seconds since the epoch of the zone's own clock.
    pub(super) fn local(&mut self, unix_seconds: i64) -> i64 {
        unix_seconds.wrapping_add(i64::from(self.period(unix_seconds).offset_seconds))
    }

    pub(super) fn civil(&mut self, unix_seconds: i64) -> Civil {
        Civil::from_local_seconds(self.local(unix_seconds))
    }

    /// The instant at which the zone's clock shows `civil`, as Go's `time.Date` chooses it: the offset is looked up at
    /// the local reading taken for UTC and, unless it is zero, once more at the instant that this gives.
    pub(super) fn date(&mut self, civil: Civil) -> i64 {
        let naive = civil.local_seconds();
        let first_guess = i64::from(self.period(naive).offset_seconds);
        if first_guess == 0 {
            return naive;
        }
        let offset = self.period(naive.wrapping_sub(first_guess)).offset_seconds;
        naive.wrapping_sub(i64::from(offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Datelike, NaiveDate};

    #[test]
    fn agrees_with_chrono_over_eras_and_back() {
        let mut day = NaiveDate::from_ymd_opt(-1, 1, 1).unwrap();
        while day.year() < 2500 {
            let seconds = day.and_hms_opt(1, 2, 3).unwrap().and_utc().timestamp();
            let civil = Civil::from_local_seconds(seconds);
            let expected = (i64::from(day.year()), i64::from(day.month()), i64::from(day.day()), 3_723);
            assert_eq!((civil.year, civil.month, civil.day, civil.second_of_day), expected);
            assert_eq!(civil.local_seconds(), seconds);
            assert_eq!(weekday(seconds), i64::from(day.weekday().num_days_from_sunday()));
            day += chrono::TimeDelta::days(13);
        }
    }

    #[test]
    fn fields_out_of_range_roll_over() {
        let civil = Civil { year: 2024, month: 14, day: 31, second_of_day: 0 };
        let rolled = Civil::from_local_seconds(civil.local_seconds());
        assert_eq!((rolled.year, rolled.month, rolled.day), (2025, 3, 3));
    }
}
