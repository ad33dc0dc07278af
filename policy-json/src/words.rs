//! Words that reports share.

/// A length of time as `kubectl` shows ages: the two largest units (`3d4h`, `5m30s`, `1.5s`).
pub fn duration(millis: i64) -> String {
    let sign = if millis < 0 { "-" } else { "" };
    let millis = millis.unsigned_abs();
    let seconds = millis / 1_000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let two = |large: u64, unit: &str, small: u64, small_unit: &str| match small {
        0 => format!("{sign}{large}{unit}"),
        _ => format!("{sign}{large}{unit}{small}{small_unit}"),
    };
    if days > 0 {
        two(days, "d", hours, "h")
    } else if hours > 0 {
        two(hours, "h", minutes, "m")
    } else if minutes > 0 {
        two(minutes, "m", seconds % 60, "s")
    } else if millis.is_multiple_of(1_000) {
        format!("{sign}{seconds}s")
    } else {
        let fraction = format!("{:03}", millis % 1_000);
        format!("{sign}{seconds}.{}s", fraction.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units_at_most() {
        let cases = [
            (0, "0s"),
            (1_500, "1.5s"),
            (-5_000, "-5s"),
            (330_000, "5m30s"),
            (90_061_000, "1d1h"),
            (7_200_000, "2h"),
        ];
        for (millis, text) in cases {
            assert_eq!(duration(millis), text);
        }
    }
}
