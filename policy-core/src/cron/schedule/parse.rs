//! The grammar of `cron.ParseStandard`: five fields, descriptors, and the zone prefixes.

use super::duration::parse_duration;
use super::{Fields, Kind, ScheduleError};
use crate::NANOS_PER_SECOND;
use crate::cron::go_text::atoi;
use crate::cron::zone::{TimeZones, Zone};
use alloc::format;
use alloc::vec::Vec;

/// Set when a field was written as `*` or `?` without a step above 1 (upstream `starBit`).
pub(super) const STAR_BIT: u64 = 1 << 63;

/// The values a field may take, and names for them.
struct Bounds {
    min: u64,
    max: u64,
    /// Three-letter names of the values from `min` on.
    names: &'static [&'static str],
}

const MINUTES: Bounds = Bounds { min: 0, max: 59, names: &[] };
const HOURS: Bounds = Bounds { min: 0, max: 23, names: &[] };
const DAYS_OF_MONTH: Bounds = Bounds { min: 1, max: 31, names: &[] };
const MONTHS: Bounds = Bounds {
    min: 1,
    max: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
const DAYS_OF_WEEK: Bounds =
    Bounds { min: 0, max: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

impl Bounds {
    /// Every value, as a star gives it.
    fn all(&self) -> u64 {
        bits(self.min, self.max, 1) | STAR_BIT
    }
}

/// Upstream `cron.Parser.Parse` with the options of `ParseStandard`.
pub(super) fn parse_standard(text: &str, zones: &dyn TimeZones) -> Result<Kind, ScheduleError> {
    if text.is_empty() {
        return Err(ScheduleError::new("empty spec string"));
    }
    let (zone, text) = parse_zone_prefix(text, zones)?;
    if text.starts_with('@') {
        return parse_descriptor(text, zone);
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let [minute, hour, day_of_month, month, day_of_week] = words.as_slice() else {
        let (count, words) = (words.len(), words.join(" "));
        return Err(ScheduleError::new(format!("expected exactly 5 fields, found {count}: [{words}]")));
    };
    Ok(Kind::Fields(Fields {
        minute: parse_field(minute, &MINUTES)?,
        hour: parse_field(hour, &HOURS)?,
        day_of_month: parse_field(day_of_month, &DAYS_OF_MONTH)?,
        month: parse_field(month, &MONTHS)?,
        day_of_week: parse_field(day_of_week, &DAYS_OF_WEEK)?,
        zone,
    }))
}

/// Takes a `TZ=` or `CRON_TZ=` prefix off. Only with a prefix is the rest trimmed.
fn parse_zone_prefix<'a>(text: &'a str, zones: &dyn TimeZones) -> Result<(Zone, &'a str), ScheduleError> {
    let Some(tail) = text.strip_prefix("TZ=").or_else(|| text.strip_prefix("CRON_TZ=")) else {
        return Ok((Zone::Utc, text));
    };
    let Some((name, rest)) = tail.split_once(' ') else {
        // Upstream slices up to the missing space, panics, and reports the recovered panic.
        let panic = "invalid schedule format: runtime error: slice bounds out of range [:-1]";
        return Err(ScheduleError::new(panic));
    };
    let zone = Zone::load(name, zones)
        .map_err(|error| ScheduleError::new(format!("provided bad location {name}: {error}")))?;
    Ok((zone, rest.trim()))
}

/// Upstream `parseDescriptor`.
fn parse_descriptor(text: &str, zone: Zone) -> Result<Kind, ScheduleError> {
    let midnight = Fields {
        minute: 1,
        hour: 1,
        day_of_month: DAYS_OF_MONTH.all(),
        month: MONTHS.all(),
        day_of_week: DAYS_OF_WEEK.all(),
        zone,
    };
    let first = 1 << 1;
    Ok(Kind::Fields(match text {
        "@yearly" | "@annually" => Fields { day_of_month: first, month: first, ..midnight },
        "@monthly" => Fields { day_of_month: first, ..midnight },
        "@weekly" => Fields { day_of_week: 1, ..midnight },
        "@daily" | "@midnight" => midnight,
        "@hourly" => Fields { hour: HOURS.all(), ..midnight },
        _ => return parse_every(text),
    }))
}

fn parse_every(text: &str) -> Result<Kind, ScheduleError> {
    let Some(duration) = text.strip_prefix("@every ") else {
        return Err(ScheduleError::new(format!("unrecognized descriptor: {text}")));
    };
    let nanos = parse_duration(duration)
        .map_err(|error| ScheduleError::new(format!("failed to parse duration {text}: {error}")))?;
    // Upstream `cron.Every`: at least a second, and whole seconds.
    let nanos = nanos.max(NANOS_PER_SECOND);
    Ok(Kind::Every { delay_nanos: nanos.wrapping_sub(nanos % NANOS_PER_SECOND) })
}

/// A comma-separated list of ranges; empty items are passed over, so that commas alone allow no value
/// (upstream `getField`).
fn parse_field(field: &str, bounds: &Bounds) -> Result<u64, ScheduleError> {
    let mut allowed = 0;
    for range in field.split(',').filter(|range| !range.is_empty()) {
        allowed |= parse_range(range, bounds)?;
    }
    Ok(allowed)
}

/// `*`, `N`, `N-M`, each with an optional `/STEP` (upstream `getRange`).
fn parse_range(range: &str, bounds: &Bounds) -> Result<u64, ScheduleError> {
    let mut slashes = range.split('/');
    let interval = slashes.next().unwrap_or_default();
    let (step, too_many_slashes) = (slashes.next(), slashes.next().is_some());

    let mut hyphens = interval.split('-');
    let low = hyphens.next().unwrap_or_default();
    let (high, too_many_hyphens) = (hyphens.next(), hyphens.next().is_some());

    let is_star = matches!(low, "*" | "?");
    let (start, mut end) = if is_star {
        // What stands behind `*-` is never looked at.
        (bounds.min, bounds.max)
    } else {
        let start = parse_number_or_name(low, bounds)?;
        match high {
            None => (start, start),
            Some(_) if too_many_hyphens => {
                return Err(ScheduleError::new(format!("too many hyphens: {range}")));
            }
            Some(high) => (start, parse_number_or_name(high, bounds)?),
        }
    };
    let mut star_bit = if is_star { STAR_BIT } else { 0 };
    let step = match step {
        None => 1,
        Some(_) if too_many_slashes => return Err(ScheduleError::new(format!("too many slashes: {range}"))),
        Some(step) => {
            let step = parse_number(step)?;
            // `N/STEP` means `N-MAX/STEP`.
            if high.is_none() {
                end = bounds.max;
            }
            if step > 1 {
                star_bit = 0;
            }
            step
        }
    };
    check_range(range, bounds, start, end, step)?;
    Ok(bits(start, end, step) | star_bit)
}

fn check_range(range: &str, bounds: &Bounds, start: u64, end: u64, step: u64) -> Result<(), ScheduleError> {
    let Bounds { min, max, .. } = bounds;
    let message = if start < *min {
        format!("beginning of range ({start}) below minimum ({min}): {range}")
    } else if end > *max {
        format!("end of range ({end}) above maximum ({max}): {range}")
    } else if start > end {
        format!("beginning of range ({start}) beyond end of range ({end}): {range}")
    } else if step == 0 {
        format!("step of range should be a positive number: {range}")
    } else {
        return Ok(());
    };
    Err(ScheduleError(message))
}

/// Upstream `parseIntOrName`.
fn parse_number_or_name(text: &str, bounds: &Bounds) -> Result<u64, ScheduleError> {
    let position = bounds.names.iter().position(|name| is_name(text, name));
    match position.and_then(|position| u64::try_from(position).ok()) {
        Some(position) => Ok(bounds.min.saturating_add(position)),
        None => parse_number(text),
    }
}

/// Whether Go's `strings.ToLower` makes `name` of `text`.
fn is_name(text: &str, name: &str) -> bool {
    let lower = |c: char| match c {
        // The one letter outside ASCII that Go lowers to a letter of a name: the dotted capital I of Turkish.
        '\u{130}' => 'i',
        c => c.to_ascii_lowercase(),
    };
    text.chars().map(lower).eq(name.chars())
}

/// Upstream `mustParseInt`.
fn parse_number(text: &str) -> Result<u64, ScheduleError> {
    let number = atoi(text).map_err(|error| {
        ScheduleError::new(format!("failed to parse int from {text}: {}", error.message(text)))
    })?;
    u64::try_from(number)
        .map_err(|_| ScheduleError(format!("negative number ({number}) not allowed: {text}")))
}

/// Every `step`-th bit from `min` to `max` (upstream `getBits`).
fn bits(min: u64, max: u64, step: u64) -> u64 {
    let step = usize::try_from(step).unwrap_or(usize::MAX).max(1);
    (min..=max)
        .step_by(step)
        .fold(0, |bits, value| bits | 1_u64.unbounded_shl(u32::try_from(value).unwrap_or(64)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cron::zone::UtcOnly;
    use alloc::string::ToString;

    fn fields(text: &str) -> Fields {
        match parse_standard(text, &UtcOnly) {
            Ok(Kind::Fields(fields)) => fields,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn refusal(text: &str) -> alloc::string::String {
        parse_standard(text, &UtcOnly).unwrap_err().to_string()
    }

    #[test]
    fn only_a_star_without_a_step_above_one_carries_the_star_bit() {
        for (day, is_star) in
            [("*", true), ("?", true), ("*/1", true), ("1,*", true), ("*/2", false), ("1-31", false)]
        {
            let day_of_month = fields(&format!("0 0 {day} * 1")).day_of_month;
            assert_eq!(day_of_month & STAR_BIT != 0, is_star, "{day}");
        }
    }

    #[test]
    fn accepts_what_upstream_accepts_though_odd() {
        let every_minute = fields("* * * * *").minute;
        for (minute, same_as) in
            [("*-5", "*"), ("*-a-b", "*"), ("+5", "5"), ("05", "5"), ("1,", "1"), (",1", "1")]
        {
            assert_eq!(
                fields(&format!("{minute} * * * *")).minute,
                fields(&format!("{same_as} * * * *")).minute
            );
        }
        assert_eq!(fields("0/1 * * * *").minute | STAR_BIT, every_minute);
        assert_eq!(fields("7/9999999 * * * *").minute, 1 << 7);
        assert_eq!(fields(", * * * *").minute, 0);
        assert_eq!(fields("0\u{a0}0\u{3000}* * sUn"), fields("0 0 * * 0"));
        assert_eq!(fields("0 0 * * FR\u{130}").day_of_week, 1 << 5);
    }

    #[test]
    fn refuses_in_upstreams_words() {
        for (text, message) in [
            ("", "empty spec string"),
            ("   ", "expected exactly 5 fields, found 0: []"),
            ("* * *  *", "expected exactly 5 fields, found 4: [* * * *]"),
            ("0 0 * * 7", "end of range (7) above maximum (6): 7"),
            ("0 0 0 * *", "beginning of range (0) below minimum (1): 0"),
            ("0 0 * * sat-sun", "beginning of range (6) beyond end of range (0): sat-sun"),
            ("*/0 * * * *", "step of range should be a positive number: */0"),
            ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
            ("1/2/3 * * * *", "too many slashes: 1/2/3"),
            ("* L * * *", "failed to parse int from L: strconv.Atoi: parsing \"L\": invalid syntax"),
            ("*/-1 * * * *", "negative number (-1) not allowed: -1"),
            ("-0-5 * * * *", "failed to parse int from : strconv.Atoi: parsing \"\": invalid syntax"),
            ("@fortnightly", "unrecognized descriptor: @fortnightly"),
            ("@every", "unrecognized descriptor: @every"),
            (" @hourly", "expected exactly 5 fields, found 1: [@hourly]"),
            ("@every x", "failed to parse duration @every x: time: invalid duration \"x\""),
            ("TZ=UTC", "invalid schedule format: runtime error: slice bounds out of range [:-1]"),
            ("TZ=Mars/X * * * * *", "provided bad location Mars/X: unknown time zone Mars/X"),
            ("TZ=UTC\t0 0 * * *", "provided bad location UTC\t0: unknown time zone UTC\t0"),
            ("CRON_TZ=/x 0 * * * *", "provided bad location /x: time: invalid location name"),
            ("TZ=UTC ", "expected exactly 5 fields, found 0: []"),
        ] {
            assert_eq!(refusal(text), message, "{text}");
        }
    }

    #[test]
    fn the_zone_prefix_trims_what_follows() {
        assert_eq!(fields("TZ=UTC  @hourly "), fields("@hourly"));
        assert_eq!(fields("CRON_TZ= 0 0 * * *"), fields("0 0 * * *"));
    }

    #[test]
    fn every_is_at_least_a_second_and_whole_seconds() {
        for (text, seconds) in [("0s", 1), ("-1h", 1), ("1500ms", 1), ("1h0.9s", 3600)] {
            let delay_nanos = seconds * NANOS_PER_SECOND;
            assert_eq!(parse_standard(&format!("@every {text}"), &UtcOnly), Ok(Kind::Every { delay_nanos }));
        }
    }
}
