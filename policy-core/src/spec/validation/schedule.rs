//! A CronJob's schedule and time zone (`validateScheduleFormat`, `validateTimeZone`).

use super::Rules;
use super::error::Errors;
use super::field::Field;
use crate::cron::{Schedule, Zone, mentions_zone};
use alloc::format;
use alloc::string::ToString;

/// `validateScheduleFormat`: the schedule as it is written, without the zone of `timeZone`.
pub(super) fn format(
    schedule: &Field<'_, '_>,
    allow_zone: bool,
    has_time_zone: bool,
    rules: &Rules<'_>,
    errors: &mut Errors,
) {
    let text = schedule.text();
    if let Err(error) = Schedule::parse(text, rules.time_zones) {
        errors.invalid(schedule, error.to_string());
    }
    if !mentions_zone(text) {
        return;
    }
    if !allow_zone {
        errors.invalid(schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
    } else if has_time_zone {
        errors.invalid(schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule");
    }
}

/// `validateTimeZone`.
pub(super) fn time_zone(zone: &Field<'_, '_>, rules: &Rules<'_>, errors: &mut Errors) {
    let Some(name) = zone.opt_text() else { return };
    if name.is_empty() {
        return errors.invalid(zone, "timeZone must be nil or non-empty string");
    }
    if !name.split('/').all(is_zone_part) {
        return errors.invalid(zone, format!("unknown time zone {name}"));
    }
    if name.eq_ignore_ascii_case("local") {
        errors.invalid(
            zone,
            "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones",
        );
    }
    if let Err(error) = Zone::load(name, rules.time_zones) {
        errors.invalid(zone, error.to_string());
    }
}

fn is_zone_part(part: &str) -> bool {
    !matches!(part, "." | "..")
        && !part.starts_with('-')
        && (1..=14).contains(&part.len())
        && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'+'))
}
