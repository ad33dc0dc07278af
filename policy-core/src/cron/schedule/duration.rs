//! Go's `time.ParseDuration`.

use alloc::format;
use alloc::string::String;
use core::fmt::Write;

/// 2^63: the magnitude of the shortest duration, one more than that of the longest.
const LIMIT: u64 = 1 << 63;

/// Nanoseconds of a text like `1h30m`, `-1.5h` or `300ms`.
///
/// # Errors
/// Go's words.
pub(super) fn parse_duration(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {}", quote(text));
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..).unwrap_or_default()),
        Some(b'+') => (false, text.get(1..).unwrap_or_default()),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (nanos, tail) = parse_part(rest).map_err(|error| error.message(text))?;
        rest = tail;
        total = total.checked_add(nanos).filter(|total| *total <= LIMIT).ok_or_else(invalid)?;
    }
    match (negative, i64::try_from(total)) {
        (true, Ok(nanos)) => Ok(nanos.wrapping_neg()),
        (true, Err(_)) => Ok(i64::MIN),
        (false, Ok(nanos)) => Ok(nanos),
        (false, Err(_)) => Err(invalid()),
    }
}

enum PartError<'a> {
    Invalid,
    MissingUnit,
    UnknownUnit(&'a str),
}

impl PartError<'_> {
    fn message(&self, text: &str) -> String {
        let text = quote(text);
        match self {
            PartError::Invalid => format!("time: invalid duration {text}"),
            PartError::MissingUnit => format!("time: missing unit in duration {text}"),
            PartError::UnknownUnit(unit) => format!("time: unknown unit {} in duration {text}", quote(unit)),
        }
    }
}

/// One number with its unit, and what follows.
fn parse_part(text: &str) -> Result<(u64, &str), PartError<'_>> {
    let (whole, after_whole) = split_digits(text);
    let mut value = leading_int(whole).ok_or(PartError::Invalid)?;
    let (fraction, after_number) = match after_whole.strip_prefix('.') {
        Some(tail) => split_digits(tail),
        None => ("", after_whole),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(PartError::Invalid);
    }
    let end = after_number.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after_number.len());
    let (unit, rest) = after_number.split_at_checked(end).ok_or(PartError::Invalid)?;
    if unit.is_empty() {
        return Err(PartError::MissingUnit);
    }
    let unit_nanos = unit_nanos(unit).ok_or(PartError::UnknownUnit(unit))?;
    value = value.checked_mul(unit_nanos).filter(|value| *value <= LIMIT).ok_or(PartError::Invalid)?;
    let (fraction, scale) = leading_fraction(fraction);
    if fraction > 0 {
        // In floating point, as upstream: fractions of an hour come out right to the nanosecond.
        let nanos = (fraction as f64 * (unit_nanos as f64 / scale)) as u64;
        value = value.checked_add(nanos).filter(|value| *value <= LIMIT).ok_or(PartError::Invalid)?;
    }
    Ok((value, rest))
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// The value of some digits; `None` above 2^63 (Go's `leadingInt`).
fn leading_int(digits: &str) -> Option<u64> {
    digits.bytes().try_fold(0_u64, |value, byte| {
        let next = value.checked_mul(10)?.checked_add(u64::from(byte.wrapping_sub(b'0')))?;
        (next <= LIMIT).then_some(next)
    })
}

/// The digits behind a decimal point and the power of ten below them; digits beyond 63 bits are dropped
/// (Go's `leadingFraction`).
fn leading_fraction(digits: &str) -> (u64, f64) {
    let (mut value, mut scale) = (0_u64, 1.0);
    for byte in digits.bytes() {
        let digit = u64::from(byte.wrapping_sub(b'0'));
        let next = if value > (LIMIT.wrapping_sub(1)) / 10 { None } else { value.checked_mul(10) };
        match next.and_then(|next| next.checked_add(digit)).filter(|next| *next <= LIMIT) {
            Some(next) => value = next,
            None => break,
        }
        scale *= 10.0;
    }
    (value, scale)
}

fn unit_nanos(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        // Both the micro sign and the Greek letter.
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// The quoting of Go's package `time`, which writes bytes outside ASCII in hexadecimal.
fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            b' '..=0x7f => out.push(char::from(byte)),
            // Writing into a String cannot fail.
            _ => drop(write!(out, "\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_go_reads() {
        for (text, nanos) in [
            ("0", 0),
            ("-0", 0),
            ("5m", 300_000_000_000),
            ("-1.5h", -5_400_000_000_000),
            ("1h0.9s", 3_600_900_000_000),
            (".5m", 30_000_000_000),
            ("1.s", 1_000_000_000),
            ("2\u{b5}s3\u{3bc}s", 5_000),
            ("0.3333333333333333333h", 1_200_000_000_000),
            ("0.9223372036854775807h", 3_320_413_933_267),
            ("9223372036854775807ns", i64::MAX),
            ("-9223372036854775808ns", i64::MIN),
        ] {
            assert_eq!(parse_duration(text), Ok(nanos), "{text}");
        }
    }

    #[test]
    fn refuses_in_gos_words() {
        for (text, message) in [
            ("", r#"time: invalid duration """#),
            ("-", r#"time: invalid duration "-""#),
            (".", r#"time: invalid duration ".""#),
            (" 5m", r#"time: invalid duration " 5m""#),
            ("5", r#"time: missing unit in duration "5""#),
            ("5x", r#"time: unknown unit "x" in duration "5x""#),
            ("5m ", r#"time: unknown unit "m " in duration "5m ""#),
            ("1\u{e9}", r#"time: unknown unit "\xc3\xa9" in duration "1\xc3\xa9""#),
            ("9223372036854775808ns", r#"time: invalid duration "9223372036854775808ns""#),
            ("3000000h", r#"time: invalid duration "3000000h""#),
            ("99999999999999999999s", r#"time: invalid duration "99999999999999999999s""#),
        ] {
            assert_eq!(parse_duration(text), Err(message.into()), "{text}");
        }
    }
}
