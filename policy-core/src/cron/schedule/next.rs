//! The search for the next time: upstream `SpecSchedule.Next`, field by field, with Go's `time.Date` at each reset.

use super::parse::STAR_BIT;
use super::{Fields, NextTime};
use crate::Timestamp;
use crate::cron::civil::{Civil, Clock, weekday};
use crate::cron::zone::TimeZones;

/// How many years ahead a time is looked for.
const YEARS_SEARCHED: i64 = 5;

/// What a stage of the search found.
enum Stage {
    /// The field allows the time: on to the next field.
    Matches,
    /// A larger unit has begun anew: back to the first field (upstream `goto WRAP`).
    Wrapped,
    /// The search has come back to where it was.
    Hang,
}

/// A walk through time from field to field, on a zone's clock.
pub(super) struct Walk<'a> {
    fields: &'a Fields,
    clock: Clock<'a>,
    /// Where the walk is, in seconds since the Unix epoch.
    unix: i64,
    /// Whether the smaller units have been set back to their start (upstream `added`).
    reset: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(fields: &'a Fields, zones: &'a dyn TimeZones) -> Self {
        Walk { fields, clock: Clock::new(fields.zone, zones), unix: 0, reset: false }
    }

    pub(super) fn next(mut self, after: Timestamp) -> NextTime {
        self.unix = after.unix_seconds().wrapping_add(1);
        let last_year = self.clock.civil(self.unix).year.wrapping_add(YEARS_SEARCHED);
        while self.clock.civil(self.unix).year <= last_year {
            match self.first_match() {
                Stage::Matches => {
                    return Timestamp::from_unix(self.unix, 0).map_or(NextTime::Exhausted, NextTime::At);
                }
                Stage::Wrapped => {}
                Stage::Hang => return NextTime::Hang,
            }
        }
        NextTime::Exhausted
    }

    /// Goes through the fields from the largest on, until one wraps or all match.
    fn first_match(&mut self) -> Stage {
        for stage in [Self::month, Self::day, Self::hour, Self::minute, Self::second] {
            match stage(self) {
                Stage::Matches => {}
                other => return other,
            }
        }
        Stage::Matches
    }

    fn month(&mut self) -> Stage {
        loop {
            let civil = self.clock.civil(self.unix);
            if allows(self.fields.month, civil.month) {
                return Stage::Matches;
            }
            let start = self.reset_to(Civil { day: 1, second_of_day: 0, ..civil });
            let civil = self.clock.civil(start);
            self.unix = self.clock.date(Civil { month: civil.month.wrapping_add(1), ..civil });
            if self.unix <= start {
                return Stage::Hang;
            }
            if self.clock.civil(self.unix).month == 1 {
                return Stage::Wrapped;
            }
        }
    }

    fn day(&mut self) -> Stage {
        loop {
            let local = self.clock.local(self.unix);
            let civil = Civil::from_local_seconds(local);
            if self.day_matches(civil.day, weekday(local)) {
                return Stage::Matches;
            }
            let start = self.reset_to(Civil { second_of_day: 0, ..civil });
            let civil = self.clock.civil(start);
            self.unix = self.clock.date(Civil { day: civil.day.wrapping_add(1), ..civil });
            self.unix = self.towards_midnight();
            if self.unix <= start {
                return Stage::Hang;
            }
            if self.clock.civil(self.unix).day == 1 {
                return Stage::Wrapped;
            }
        }
    }

    /// Upstream's correction where midnight does not exist: on to the next day from its last hours, back to the start
    /// of the day from its first ones, in whole hours.
    fn towards_midnight(&mut self) -> i64 {
        let hour = self.clock.civil(self.unix).hour();
        let hours = if hour > 12 { 24_i64.wrapping_sub(hour) } else { hour.wrapping_neg() };
        self.unix.wrapping_add(hours.wrapping_mul(3_600))
    }

    /// Upstream `dayMatches`: either day field is enough, unless one of them is a star.
    fn day_matches(&self, day_of_month: i64, day_of_week: i64) -> bool {
        let by_month = allows(self.fields.day_of_month, day_of_month);
        let by_week = allows(self.fields.day_of_week, day_of_week);
        if (self.fields.day_of_month | self.fields.day_of_week) & STAR_BIT != 0 {
            by_month && by_week
        } else {
            by_month || by_week
        }
    }

    fn hour(&mut self) -> Stage {
        loop {
            let civil = self.clock.civil(self.unix);
            if allows(self.fields.hour, civil.hour()) {
                return Stage::Matches;
            }
            let start_of_hour = civil.second_of_day.wrapping_sub(civil.second_of_day % 3_600);
            self.unix = self.reset_to(Civil { second_of_day: start_of_hour, ..civil });
            self.advance(self.fields.hour, 3_600, 24);
            if self.clock.civil(self.unix).hour() == 0 {
                return Stage::Wrapped;
            }
        }
    }

    fn minute(&mut self) -> Stage {
        loop {
            let minute = self.clock.local(self.unix).div_euclid(60).rem_euclid(60);
            if allows(self.fields.minute, minute) {
                return Stage::Matches;
            }
            if !self.reset {
                self.reset = true;
                // `Truncate` counts from UTC, not from the zone's clock.
                self.unix = self.unix.wrapping_sub(self.unix.rem_euclid(60));
            }
            self.advance(self.fields.minute, 60, 60);
            if self.clock.local(self.unix).div_euclid(60).rem_euclid(60) == 0 {
                return Stage::Wrapped;
            }
        }
    }

    /// Standard schedules fire at second 0 only.
    fn second(&mut self) -> Stage {
        if self.clock.local(self.unix).rem_euclid(60) == 0 {
            return Stage::Matches;
        }
        self.reset = true;
        self.advance(1, 1, 60);
        while self.clock.local(self.unix).rem_euclid(60) != 0 {
            self.advance(1, 1, 60);
        }
        Stage::Wrapped
    }

    /// Sets the smaller units back before the first step of the walk; later they are at their start already.
    fn reset_to(&mut self, civil: Civil) -> i64 {
        if self.reset {
            return self.unix;
        }
        self.reset = true;
        self.clock.date(civil)
    }

    /// Moves on by one unit, or by as many as lead to the next allowed value or the next larger unit where the clock
    /// is regular all the way: the same result as single steps, which are upstream's.
    fn advance(&mut self, allowed: u64, unit_seconds: i64, units: i64) {
        let period = self.clock.period(self.unix);
        let local = self.clock.local(self.unix);
        let value = local.div_euclid(unit_seconds).rem_euclid(units);
        let ahead = i64::from(shifted_down(allowed, value.wrapping_add(1)).trailing_zeros());
        let steps = ahead.wrapping_add(1).min(units.wrapping_sub(value));
        let target = self.unix.wrapping_add(steps.wrapping_mul(unit_seconds));
        let is_regular = local.rem_euclid(unit_seconds) == 0 && period.contains(target);
        self.unix = if is_regular { target } else { self.unix.wrapping_add(unit_seconds) };
    }
}

/// Whether a field's bits allow a value.
fn allows(bits: u64, value: i64) -> bool {
    shifted_down(bits, value) & 1 != 0
}

fn shifted_down(bits: u64, by: i64) -> u64 {
    bits.unbounded_shr(u32::try_from(by).unwrap_or(64))
}
