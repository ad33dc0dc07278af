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
    /// The same on the zone's clock.
    local: i64,
    /// The same as a date.
    civil: Civil,
    /// Whether the smaller units have been set back to their start (upstream `added`).
    reset: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(fields: &'a Fields, zones: &'a dyn TimeZones) -> Self {
        let clock = Clock::new(fields.zone, zones);
        Walk { fields, clock, unix: 0, local: 0, civil: Civil::from_local_seconds(0), reset: false }
    }

    pub(super) fn next(mut self, after: Timestamp) -> NextTime {
        self.go_to(after.unix_seconds().wrapping_add(1));
        let last_year = self.civil.year.wrapping_add(YEARS_SEARCHED);
        while self.civil.year <= last_year {
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

    fn go_to(&mut self, unix: i64) {
        self.unix = unix;
        self.local = self.clock.local(unix);
        self.civil = Civil::from_local_seconds(self.local);
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
        while !allows(self.fields.month, self.civil.month) {
            self.reset_to(Civil { day: 1, second_of_day: 0, ..self.civil });
            let start = self.unix;
            let next_month = Civil { month: self.civil.month.wrapping_add(1), ..self.civil };
            let next_month = self.clock.date(next_month);
            self.go_to(next_month);
            if self.unix <= start {
                return Stage::Hang;
            }
            if self.civil.month == 1 {
                return Stage::Wrapped;
            }
        }
        Stage::Matches
    }

    fn day(&mut self) -> Stage {
        while !self.day_matches() {
            self.reset_to(Civil { second_of_day: 0, ..self.civil });
            let start = self.unix;
            let next_day = self.clock.date(Civil { day: self.civil.day.wrapping_add(1), ..self.civil });
            self.go_to(next_day);
            self.correct_to_midnight();
            if self.unix <= start {
                return Stage::Hang;
            }
            if self.civil.day == 1 {
                return Stage::Wrapped;
            }
        }
        Stage::Matches
    }

    /// Upstream's correction where midnight does not exist: on to the next day from its last hours, back to the start
    /// of the day from its first ones, in whole hours.
    fn correct_to_midnight(&mut self) {
        let hour = self.civil.hour();
        if hour != 0 {
            let hours = if hour > 12 { 24_i64.wrapping_sub(hour) } else { hour.wrapping_neg() };
            self.go_to(self.unix.wrapping_add(hours.wrapping_mul(3_600)));
        }
    }

    /// Upstream `dayMatches`: either day field is enough, unless one of them is a star.
    fn day_matches(&self) -> bool {
        let by_month = allows(self.fields.day_of_month, self.civil.day);
        let by_week = allows(self.fields.day_of_week, weekday(self.local));
        if (self.fields.day_of_month | self.fields.day_of_week) & STAR_BIT != 0 {
            by_month && by_week
        } else {
            by_month || by_week
        }
    }

    fn hour(&mut self) -> Stage {
        while !allows(self.fields.hour, self.civil.hour()) {
            let second_of_day = self.civil.second_of_day;
            let start_of_hour = second_of_day.wrapping_sub(second_of_day % 3_600);
            self.reset_to(Civil { second_of_day: start_of_hour, ..self.civil });
            self.advance(self.fields.hour, 3_600, 24);
            if self.civil.hour() == 0 {
                return Stage::Wrapped;
            }
        }
        Stage::Matches
    }

    fn minute(&mut self) -> Stage {
        while !allows(self.fields.minute, self.civil.minute()) {
            if !self.reset {
                self.reset = true;
                // `Truncate` counts from UTC, not from the zone's clock.
                self.go_to(self.unix.wrapping_sub(self.unix.rem_euclid(60)));
            }
            self.advance(self.fields.minute, 60, 60);
            if self.civil.minute() == 0 {
                return Stage::Wrapped;
            }
        }
        Stage::Matches
    }

    /// Standard schedules fire at second 0 only.
    fn second(&mut self) -> Stage {
        if self.civil.second_of_day % 60 == 0 {
            return Stage::Matches;
        }
        self.reset = true;
        while self.civil.second_of_day % 60 != 0 {
            self.advance(1, 1, 60);
        }
        Stage::Wrapped
    }

    /// Sets the smaller units back before the first step of the walk; later they are at their start already.
    fn reset_to(&mut self, civil: Civil) {
        if !self.reset {
            self.reset = true;
            let start = self.clock.date(civil);
            self.go_to(start);
        }
    }

    /// Moves on by one unit, or by as many as lead to the next allowed value or the next larger unit where the clock
    /// is regular all the way: the same result as single steps, which are upstream's.
    fn advance(&mut self, allowed: u64, unit_seconds: i64, units: i64) {
        let value = self.local.div_euclid(unit_seconds).rem_euclid(units);
        let ahead = i64::from(shifted_down(allowed, value.wrapping_add(1)).trailing_zeros());
        let steps = ahead.wrapping_add(1).min(units.wrapping_sub(value));
        let target = self.unix.wrapping_add(steps.wrapping_mul(unit_seconds));
        let is_regular =
            self.local.rem_euclid(unit_seconds) == 0 && self.clock.period(self.unix).contains(target);
        self.go_to(if is_regular { target } else { self.unix.wrapping_add(unit_seconds) });
    }
}

/// Whether a field's bits allow a value.
fn allows(bits: u64, value: i64) -> bool {
    shifted_down(bits, value) & 1 != 0
}

fn shifted_down(bits: u64, by: i64) -> u64 {
    bits.unbounded_shr(u32::try_from(by).unwrap_or(64))
}
