//! Instants as Kubernetes writes them, and Go's arithmetic on them.

use alloc::string::{String, ToString};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, SecondsFormat, TimeDelta, Timelike, Utc};
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Nanoseconds in a second.
pub const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// An instant in UTC, with nanoseconds kept in memory and dropped when written, as `metav1.Time` does.
///
/// ```
/// use policy_core::Timestamp;
/// let t = Timestamp::parse("2026-01-01T11:53:43Z").unwrap();
/// assert_eq!(t.unix_seconds(), 1_767_268_423);
/// assert_eq!(t.to_string(), "2026-01-01T11:53:43Z");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// Go's zero time, `0001-01-01T00:00:00Z`, which `metav1.Time` treats as unset.
    pub const ZERO: Timestamp = match DateTime::from_timestamp(-62_135_596_800, 0) {
        Some(t) => Timestamp(t),
        None => Timestamp(DateTime::UNIX_EPOCH),
    };

    /// The instant `seconds` and `nanos` after the Unix epoch; `None` outside chrono's years (±262,000).
    pub fn from_unix(seconds: i64, nanos: u32) -> Option<Self> {
        DateTime::from_timestamp(seconds, nanos).map(Timestamp)
    }

    /// Parses RFC 3339, with any zone offset and fraction.
    ///
    /// # Errors
    /// A text that names the value when it is not RFC 3339.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(time) = parse_utc_seconds(text.as_bytes()) {
            return Ok(time);
        }
        match DateTime::parse_from_rfc3339(text) {
            Ok(t) if text.as_bytes().get(10) == Some(&b'T') => Ok(Timestamp(t.with_timezone(&Utc))),
            _ => Err(alloc::format!("`{text}` is not a time like 2006-01-02T15:04:05Z")),
        }
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub fn unix_seconds(self) -> i64 {
        self.0.timestamp()
    }

    /// The part of the second, 0 to 999,999,999.
    pub fn subsec_nanos(self) -> u32 {
        // chrono marks leap seconds with nanos beyond a second; Go has none.
        self.0.timestamp_subsec_nanos().min(999_999_999)
    }

    /// The same instant in chrono's type.
    pub fn datetime(self) -> DateTime<Utc> {
        self.0
    }

    /// `self - earlier` in nanoseconds, saturating as Go's `Time.Sub` does.
    pub fn nanos_since(self, earlier: Timestamp) -> i64 {
        let (a, b) = (self.0.naive_utc(), earlier.0.naive_utc());
        let is_leap = |time: NaiveDateTime| i64::from(time.nanosecond()) >= NANOS_PER_SECOND;
        if a.date() == b.date() && !is_leap(a) && !is_leap(b) {
            // Of one day, as most are: without going through calendars.
            let nanos = |time: NaiveDateTime| {
                let seconds = i64::from(time.num_seconds_from_midnight());
                seconds.wrapping_mul(NANOS_PER_SECOND).wrapping_add(time.nanosecond().into())
            };
            return nanos(a).wrapping_sub(nanos(b));
        }
        let delta = self.0.signed_duration_since(earlier.0);
        delta.num_nanoseconds().unwrap_or(if delta < TimeDelta::zero() { i64::MIN } else { i64::MAX })
    }

    /// `self + nanos`; stays where it is at the ends of chrono's range.
    #[must_use]
    pub fn plus_nanos(self, nanos: i64) -> Timestamp {
        self.0.checked_add_signed(TimeDelta::nanoseconds(nanos)).map_or(self, Timestamp)
    }

    /// The instant without its fraction of a second, as it reads back after being written.
    #[must_use]
    pub fn truncated(self) -> Timestamp {
        DateTime::from_timestamp(self.0.timestamp(), 0).map_or(self, Timestamp)
    }

    /// RFC 3339 with the fraction of the second, as Go's `RFC3339Nano` writes it.
    pub fn to_rfc3339_nano(self) -> String {
        if self.subsec_nanos() == 0 {
            return self.to_string();
        }
        let text = self.0.to_rfc3339_opts(SecondsFormat::Nanos, true);
        let trimmed = text.trim_end_matches('Z').trim_end_matches('0');
        alloc::format!("{trimmed}Z")
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(t: DateTime<Utc>) -> Self {
        Timestamp(t)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `metav1.Time` marshals with time.RFC3339: whole seconds, cut and not rounded. Chrono's own formatting
        // interprets a pattern each time, which is a tenth of a stream's work.
        let t = &self.0;
        let (date, time) = ((t.year(), t.month(), t.day()), (t.hour(), t.minute(), t.second()));
        write!(f, "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", date.0, date.1, date.2, time.0, time.1, time.2)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339_nano())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Timestamp;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time like 2006-01-02T15:04:05Z")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                Timestamp::parse(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

/// The form that Kubernetes writes, `2006-01-02T15:04:05Z`, without chrono's general parser.
fn parse_utc_seconds(text: &[u8]) -> Option<Timestamp> {
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T', h0, h1, b':', n0, n1, b':', s0, s1, b'Z'] = text
    else {
        return None;
    };
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0_u32, |number, digit| {
            let digit = digit.is_ascii_digit().then(|| u32::from(digit & 0x0f))?;
            Some(number.wrapping_mul(10).wrapping_add(digit))
        })
    };
    let year = i32::try_from(number(&[*y0, *y1, *y2, *y3])?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(&[*m0, *m1])?, number(&[*d0, *d1])?)?;
    let time = date.and_hms_opt(number(&[*h0, *h1])?, number(&[*n0, *n1])?, number(&[*s0, *s1])?)?;
    Some(Timestamp(time.and_utc()))
}

/// Go's `time.Duration(seconds) * time.Second`, which wraps when it overflows 292 years.
pub fn seconds_to_nanos(seconds: i64) -> i64 {
    seconds.wrapping_mul(NANOS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_whole_seconds_and_reads_fractions() {
        let t = Timestamp::parse("2026-01-01T21:54:46.429+02:00").unwrap();
        assert_eq!(t.to_string(), "2026-01-01T19:54:46Z");
        assert_eq!(t.to_rfc3339_nano(), "2026-01-01T19:54:46.429Z");
        assert_eq!(t.truncated().to_rfc3339_nano(), "2026-01-01T19:54:46Z");
    }

    #[test]
    fn the_short_way_reads_what_the_long_way_reads() {
        for text in
            ["2026-01-01T21:54:46Z", "0001-01-01T00:00:00Z", "2024-02-29T23:59:59Z", "9999-12-31T23:59:59Z"]
        {
            let long = DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc);
            assert_eq!(parse_utc_seconds(text.as_bytes()), Some(Timestamp(long)));
            assert_eq!(Timestamp(long).to_string(), text);
        }
        for text in
            ["2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-0aT00:00:00Z", "2026-01-01T00:00:00"]
        {
            assert_eq!(parse_utc_seconds(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn zero_is_gos_zero_time() {
        assert_eq!(Timestamp::ZERO.to_string(), "0001-01-01T00:00:00Z");
    }

    #[test]
    fn differences_saturate_and_seconds_wrap_as_in_go() {
        let far = Timestamp::parse("9999-12-31T23:59:59Z").unwrap();
        assert_eq!(far.nanos_since(Timestamp::ZERO), i64::MAX);
        assert_eq!(Timestamp::ZERO.nanos_since(far), i64::MIN);
        assert_eq!(seconds_to_nanos(1 << 62), 0);
    }

    #[test]
    fn refuses_what_is_not_rfc_3339() {
        for text in ["", "2026-01-01", "2026-01-01 11:53:43Z", "yesterday"] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
    }
}
