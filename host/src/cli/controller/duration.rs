//! Durations as Go writes them: `10s`, `1m30s`, `1.5h`.

/// The units of Go's `time.ParseDuration`, in nanoseconds.
const UNITS: [(&str, f64); 8] =
    [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("μs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 6e10), ("h", 3.6e12)];

/// The nanoseconds of a duration that is not negative.
pub(in crate::cli) fn nanos(text: &str) -> Result<i64, String> {
    let wrong = || "expected a duration such as 10s, 1m30s or 200ms".to_string();
    if text == "0" {
        return Ok(0);
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let (number, tail) = rest.split_at(digits);
        let number: f64 = number.parse().map_err(|_| wrong())?;
        let end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        let (_, nanos) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        total += number * nanos;
        rest = tail;
    }
    // Go's durations end at 292 years.
    if total < 9.2e18 { Ok(total.round() as i64) } else { Err("the duration is too long".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        let cases =
            [("10s", 10e9), ("1m30s", 90e9), ("200ms", 2e8), ("1.5h", 5400e9), ("0", 0.0), ("100us", 1e5)];
        for (text, wanted) in cases {
            assert_eq!(nanos(text), Ok(wanted as i64), "{text}");
        }
        for text in ["", "10", "s", "-1s", "1x", "1..5s", "1s2", "9999999h"] {
            assert!(nanos(text).is_err(), "{text}");
        }
    }
}
