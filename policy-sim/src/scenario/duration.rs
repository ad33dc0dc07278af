//! Lengths of time as Go writes them: `30s`, `1m30s`, `500ms`.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// A length of time, never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(i64);

/// Units, longest first, in nanoseconds.
const UNITS: &[(&str, i64)] = &[
    ("h", 3_600_000_000_000),
    ("ms", 1_000_000),
    ("m", 60_000_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
    ("s", 1_000_000_000),
];

impl Duration {
    /// So many nanoseconds; a negative number is zero.
    pub const fn from_nanos(nanos: i64) -> Self {
        Duration(if nanos < 0 { 0 } else { nanos })
    }

    /// So many seconds.
    pub fn from_seconds(seconds: i64) -> Self {
        Duration::from_nanos(seconds.saturating_mul(1_000_000_000))
    }

    /// In nanoseconds.
    pub fn nanos(self) -> i64 {
        self.0
    }

    /// In whole milliseconds.
    pub fn millis(self) -> u64 {
        u64::try_from(self.0 / 1_000_000).unwrap_or(0)
    }

    /// In whole seconds.
    pub fn seconds(self) -> i64 {
        self.0 / 1_000_000_000
    }

    /// Reads Go's notation (upstream `time.ParseDuration`, without signs).
    ///
    /// # Errors
    /// What is wrong with the text and how it is written right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let refused = || format!("`{text}` is not a length of time like `30s`, `5m` or `1h30m`");
        if text == "0" {
            return Ok(Duration(0));
        }
        let mut total: i64 = 0;
        let mut rest = text;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            let (number, after) = rest.split_at(digits);
            let Some((unit, nanos)) = UNITS.iter().find(|(unit, _)| after.starts_with(unit)) else {
                return Err(if after.is_empty() && !number.is_empty() && digits == text.len() {
                    format!("`{text}` needs a unit: `{text}s` or `{text}m`")
                } else {
                    refused()
                });
            };
            let part = scaled(number, *nanos).ok_or_else(refused)?;
            total = total.checked_add(part).ok_or_else(|| format!("`{text}` is too long a time"))?;
            rest = &after[unit.len()..];
        }
        if text.is_empty() { Err(refused()) } else { Ok(Duration(total)) }
    }
}

/// A decimal number times a unit, rounded down.
fn scaled(number: &str, unit: i64) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let (mut sum, mut share) = (whole.checked_mul(unit)?, unit);
    for digit in fraction.chars() {
        share /= 10;
        sum = sum.checked_add(share.checked_mul(i64::from(digit.to_digit(10)?))?)?;
    }
    Some(sum)
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0;
        if nanos == 0 {
            return f.write_str("0s");
        }
        if nanos < 1_000_000_000 {
            return match nanos {
                n if n % 1_000_000 == 0 => write!(f, "{}ms", n / 1_000_000),
                n => write!(f, "{n}ns"),
            };
        }
        let (hours, minutes) = (nanos / UNITS[0].1, nanos / UNITS[2].1 % 60);
        let seconds = nanos % UNITS[2].1;
        for (number, unit) in [(hours, "h"), (minutes, "m")] {
            if number > 0 {
                write!(f, "{number}{unit}")?;
            }
        }
        match (seconds / 1_000_000_000, seconds % 1_000_000_000) {
            (0, 0) => Ok(()),
            (whole, 0) => write!(f, "{whole}s"),
            (whole, part) => write!(f, "{whole}.{}s", format!("{part:09}").trim_end_matches('0')),
        }
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Duration::parse(&text).map_err(de::Error::custom)
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_as_go_does() {
        for (text, nanos, written) in [
            ("30s", 30_000_000_000, "30s"),
            ("1h0m0.5s", 3_600_500_000_000, "1h0.5s"),
            ("90s", 90_000_000_000, "1m30s"),
            ("500ms", 500_000_000, "500ms"),
            ("1.5m", 90_000_000_000, "1m30s"),
            (".5s", 500_000_000, "500ms"),
            ("0", 0, "0s"),
            ("3us", 3_000, "3000ns"),
        ] {
            let read = Duration::parse(text).unwrap();
            assert_eq!((read.nanos(), read.to_string().as_str()), (nanos, written), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(Duration::parse("30").unwrap_err(), "`30` needs a unit: `30s` or `30m`");
        for text in ["", "-3s", "s", "1..s", "3 s", "1.2.3s", "5minutes", "m5"] {
            assert!(Duration::parse(text).unwrap_err().contains("is not a length of time"), "{text}");
        }
        assert!(Duration::parse("99999999999h").is_err());
        assert!(Duration::parse("2562047h2562047h").unwrap_err().contains("too long"));
    }
}
