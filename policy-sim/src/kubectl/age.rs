//! Ages and instants as `kubectl` writes them.

use policy_core::Timestamp;

/// A length of time (`duration.HumanDuration` of apimachinery): the longer, the coarser.
pub fn human_duration(nanos: i64) -> String {
    let seconds = nanos / 1_000_000_000;
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let two = |large: i64, unit: &str, small: i64, small_unit: &str| match small {
        0 => format!("{large}{unit}"),
        _ => format!("{large}{unit}{small}{small_unit}"),
    };
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        _ if minutes < 10 => two(minutes, "m", seconds % 60, "s"),
        _ if minutes < 180 => format!("{minutes}m"),
        _ if hours < 8 => two(hours, "h", minutes % 60, "m"),
        _ if hours < 48 => format!("{hours}h"),
        _ if hours < 24 * 8 => two(hours / 24, "d", hours % 24, "h"),
        _ if hours < 24 * 365 * 2 => format!("{}d", hours / 24),
        _ if hours < 24 * 365 * 8 => two(hours / 24 / 365, "y", hours / 24 % 365, "d"),
        _ => format!("{}y", hours / 24 / 365),
    }
}

/// How long ago an instant was.
pub(super) fn since(then: Timestamp, now: Timestamp) -> String {
    human_duration(now.nanos_since(then))
}

/// An instant as Go's `time.RFC1123Z`: `Thu, 01 Jan 2026 00:00:00 +0000`.
pub(super) fn rfc1123(at: Timestamp) -> String {
    at.datetime().format("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_get_coarser() {
        for (seconds, text) in [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (330, "5m30s"),
            (600, "10m"),
            (10_740, "179m"),
            (10_800, "3h"),
            (27_000, "7h30m"),
            (100_000, "27h"),
            (200_000, "2d7h"),
            (800_000, "9d"),
            (-1, "0s"),
            (-5, "<invalid>"),
        ] {
            assert_eq!(human_duration(seconds * 1_000_000_000), text, "{seconds}");
        }
        assert_eq!(
            rfc1123(Timestamp::parse("2026-01-01T09:05:00.5Z").unwrap()),
            "Thu, 01 Jan 2026 09:05:00 +0000"
        );
    }
}
