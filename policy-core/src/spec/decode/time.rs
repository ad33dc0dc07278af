//! Times as Go's `time.Parse` reads them in RFC 3339.

use crate::Timestamp;
use alloc::format;
use alloc::string::String;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

const LAYOUT: &str = "2006-01-02T15:04:05Z07:00";

/// Reads a time with Go's leniency: an hour of one digit, a comma before the fraction, offsets of up to 24:60.
///
/// # Errors
/// `ParseError.Error`.
pub(super) fn parse_rfc3339(text: &str) -> Result<Timestamp, String> {
    let mut parser = Parser { whole: text, rest: text };
    let year = parser.year()?;
    parser.literal("-")?;
    let month = parser.ranged("01", "month", 1..=12, true)?;
    parser.literal("-")?;
    let day = parser.number("02", true)?;
    parser.literal("T")?;
    let hour = parser.ranged("15", "hour", 0..=23, false)?;
    parser.literal(":")?;
    let minute = parser.ranged("04", "minute", 0..=59, true)?;
    parser.literal(":")?;
    let second = parser.ranged("05", "second", 0..=59, true)?;
    let nanos = parser.fraction();
    let offset_seconds = parser.offset()?;
    if !parser.rest.is_empty() {
        return Err(parser.refuse(&format!(": extra text: {}", quote(parser.rest))));
    }
    instant((year, month, day), (hour, minute, second, nanos), offset_seconds)
        .ok_or_else(|| parser.refuse(": day out of range"))
}

fn instant(
    (year, month, day): (u32, u32, u32),
    (hour, minute, second, nanos): (u32, u32, u32, u32),
    offset_seconds: i64,
) -> Option<Timestamp> {
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    let local = date.and_hms_nano_opt(hour, minute, second, nanos)?;
    let utc = local.checked_sub_signed(TimeDelta::seconds(offset_seconds))?;
    Some(Timestamp::from(DateTime::<Utc>::from_naive_utc_and_offset(utc, Utc)))
}

struct Parser<'a> {
    whole: &'a str,
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn refuse(&self, message: &str) -> String {
        format!("parsing time {}{message}", quote(self.whole))
    }

    fn mismatch(&self, at: &str, wanted: &str) -> String {
        self.refuse(&format!(" as {}: cannot parse {} as {}", quote(LAYOUT), quote(at), quote(wanted)))
    }

    fn literal(&mut self, wanted: &str) -> Result<(), String> {
        self.rest = self.rest.strip_prefix(wanted).ok_or_else(|| self.mismatch(self.rest, wanted))?;
        Ok(())
    }

    fn year(&mut self) -> Result<u32, String> {
        let (digits, rest) = self.rest.split_at_checked(4).ok_or_else(|| self.mismatch(self.rest, "2006"))?;
        // `atoi` takes a sign, but the first byte must be a digit.
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(self.mismatch(self.rest, "2006"));
        }
        self.rest = rest;
        Ok(digits.parse().unwrap_or_default())
    }

    /// One or two digits (`getnum`); two if `fixed`.
    fn number(&mut self, wanted: &str, fixed: bool) -> Result<u32, String> {
        let count = self.rest.bytes().take(2).take_while(u8::is_ascii_digit).count();
        if count == 0 || (fixed && count < 2) {
            return Err(self.mismatch(self.rest, wanted));
        }
        let (digits, rest) = self.rest.split_at_checked(count).unwrap_or((self.rest, ""));
        self.rest = rest;
        Ok(digits.parse().unwrap_or_default())
    }

    fn ranged(
        &mut self,
        wanted: &str,
        name: &str,
        range: core::ops::RangeInclusive<u32>,
        fixed: bool,
    ) -> Result<u32, String> {
        let number = self.number(wanted, fixed)?;
        if range.contains(&number) {
            return Ok(number);
        }
        Err(self.refuse(&format!(": {name} out of range")))
    }

    /// The fraction of the second in nanoseconds, further digits cut off.
    fn fraction(&mut self) -> u32 {
        let Some(fraction) = self.rest.strip_prefix(['.', ',']) else { return 0 };
        let count = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if count == 0 {
            return 0;
        }
        let (digits, rest) = fraction.split_at_checked(count).unwrap_or((fraction, ""));
        self.rest = rest;
        let padded = digits.bytes().chain(core::iter::repeat(b'0')).take(9);
        padded.fold(0, |nanos: u32, digit| {
            nanos.saturating_mul(10).saturating_add(u32::from(digit.saturating_sub(b'0')))
        })
    }

    fn offset(&mut self) -> Result<i64, String> {
        const WANTED: &str = "Z07:00";
        if let Some(rest) = self.rest.strip_prefix('Z') {
            self.rest = rest;
            return Ok(0);
        }
        let start = self.rest;
        let mut offset = start;
        let mut part = |length: usize| {
            let (part, rest) = offset.split_at_checked(length)?;
            offset = rest;
            Some(part)
        };
        let parts = (part(1), part(2), part(1), part(2));
        let rest = offset;
        let (Some(sign), Some(hours), Some(":"), Some(minutes)) = parts else {
            return Err(self.mismatch(start, WANTED));
        };
        let two_digits = |text: &str| {
            let number = text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<i64>().ok()).flatten();
            number.ok_or_else(|| self.mismatch(start, WANTED))
        };
        let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
        if hours > 24 {
            return Err(self.refuse(": time zone offset hour out of range"));
        }
        if minutes > 60 {
            return Err(self.refuse(": time zone offset minute out of range"));
        }
        let seconds = hours.saturating_mul(60).saturating_add(minutes).saturating_mul(60);
        self.rest = rest;
        match sign {
            "+" => Ok(seconds),
            "-" => Ok(seconds.saturating_neg()),
            _ => Err(self.mismatch(start, WANTED)),
        }
    }
}

/// `time.quote`: other than ASCII as bytes.
fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            ' '..='\u{7f}' => quoted.push(c),
            _ => {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    quoted.push_str(&format!("\\x{byte:02x}"));
                }
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_go_reads() {
        for (text, time) in [
            ("2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
            ("2025-01-01T1:02:03,5+01:30", "2024-12-31T23:32:03.5Z"),
            ("2025-01-01T00:00:00-24:60", "2025-01-02T01:00:00Z"),
        ] {
            assert_eq!(parse_rfc3339(text).unwrap().to_rfc3339_nano(), time, "{text}");
        }
    }

    #[test]
    fn refuses_in_gos_words() {
        let layout = r#" as "2006-01-02T15:04:05Z07:00": cannot parse "#;
        for (text, error) in [
            ("x", format!(r#"parsing time "x"{layout}"x" as "2006""#)),
            (
                "2025-1-01T00:00:00Z",
                format!(r#"parsing time "2025-1-01T00:00:00Z"{layout}"1-01T00:00:00Z" as "01""#),
            ),
            ("2025-13-01T00:00:00Z", r#"parsing time "2025-13-01T00:00:00Z": month out of range"#.into()),
            ("2025-02-30T00:00:00Z", r#"parsing time "2025-02-30T00:00:00Z": day out of range"#.into()),
            ("2025-01-01", format!(r#"parsing time "2025-01-01"{layout}"" as "T""#)),
            ("2025-01-01T00:00:00", format!(r#"parsing time "2025-01-01T00:00:00"{layout}"" as "Z07:00""#)),
            ("2025-01-01T00:00:00Zx", r#"parsing time "2025-01-01T00:00:00Zx": extra text: "x""#.into()),
        ] {
            assert_eq!(parse_rfc3339(text).unwrap_err(), error, "{text}");
        }
    }
}
