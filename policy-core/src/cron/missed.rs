//! Which run is due, how many were missed, and when to look again (upstream `pkg/controller/cronjob/utils.go`).

use super::schedule::Schedule;
use super::zone::TimeZones;
use crate::{NANOS_PER_SECOND, Timestamp, seconds_to_nanos};

/// The error of a schedule that is well formed but never fires, in upstream's words.
pub(super) const NEVER_FIRES: &str = "time difference between two schedules is less than 1 second";

/// Added to every delay so that the controller's clock is past the scheduled time (upstream `nextScheduleDelta`).
const NEXT_SCHEDULE_DELTA_NANOS: i64 = 100_000_000;

/// More missed runs than this are reported (upstream's 100 in `mostRecentScheduleTime`).
pub(super) const MANY_MISSED: i64 = 100;

/// From here on upstream's walk to the most recent time takes minutes: only a CronJob without a creation time, whose
/// runs count from the year 1, gets there.
const LONG_WALK_SECONDS: i64 = 12 * 366 * 86_400;

/// What upstream's `mostRecentScheduleTime` returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MostRecent {
    /// From where runs were counted: the last one, the creation, or the deadline.
    pub(super) earliest: Timestamp,
    /// The most recent time at which a Job should have started, if there is one up to now.
    pub(super) time: Option<Timestamp>,
    /// How many runs were missed, estimated from the first interval; zero when at most one is due.
    pub(super) missed: i64,
}

/// Upstream `mostRecentScheduleTime`, counting from `since` or from `deadline`, whichever is later; `None` where it
/// reports [`NEVER_FIRES`].
pub(super) fn most_recent(
    since: Timestamp,
    deadline: Option<Timestamp>,
    now: Timestamp,
    schedule: &Schedule,
    zones: &dyn TimeZones,
) -> Option<MostRecent> {
    let earliest = deadline.map_or(since, |deadline| deadline.max(since));
    let first = schedule.next(earliest, zones).or_zero();
    let second = schedule.next(first, zones).or_zero();
    if now < first {
        return Some(MostRecent { earliest, time: None, missed: 0 });
    }
    if now < second {
        return Some(MostRecent { earliest, time: Some(first), missed: 0 });
    }
    let interval_seconds = second.nanos_since(first) / NANOS_PER_SECOND;
    if interval_seconds < 1 {
        return None;
    }
    let elapsed_seconds = float_seconds(now.nanos_since(first));
    let missed = elapsed_seconds.checked_div(interval_seconds).unwrap_or(0).wrapping_add(1);
    // Two intervals back from the estimate, because intervals need not be equal.
    let back_seconds = missed.wrapping_sub(2).wrapping_mul(interval_seconds);
    let start = first.plus_nanos(seconds_to_nanos(back_seconds));
    Some(MostRecent { earliest, time: last_until(schedule, start, now, zones), missed })
}

/// Before which no run is started any more. Upstream multiplies without a check, so a deadline of more than
/// 9,223,372,036 seconds wraps around.
pub(super) fn starting_deadline(deadline_seconds: i64, now: Timestamp) -> Timestamp {
    now.plus_nanos(seconds_to_nanos(deadline_seconds).wrapping_neg())
}

/// Go's `int64(d.Seconds())`: by way of a float, which rounds the last nanoseconds of a long time up.
fn float_seconds(nanos: i64) -> i64 {
    let (seconds, rest) = (nanos / NANOS_PER_SECOND, nanos % NANOS_PER_SECOND);
    (seconds as f64 + rest as f64 / 1e9) as i64
}

/// The last time up to `now` on a walk that begins after `start`.
fn last_until(
    schedule: &Schedule,
    start: Timestamp,
    now: Timestamp,
    zones: &dyn TimeZones,
) -> Option<Timestamp> {
    if now.unix_seconds().wrapping_sub(start.unix_seconds()) <= LONG_WALK_SECONDS {
        return walk_until(schedule, start, now, zones);
    }
    if let Some(delay_nanos) = schedule.every_nanos() {
        let first = schedule.next(start, zones).or_zero();
        let delay_seconds = delay_nanos / NANOS_PER_SECOND;
        let behind_seconds = now.unix_seconds().wrapping_sub(first.unix_seconds());
        let since_last = behind_seconds.checked_rem(delay_seconds).unwrap_or(0);
        return Timestamp::from_unix(now.unix_seconds().wrapping_sub(since_last), 0)
            .filter(|last| *last >= first);
    }
    // Where a walk over fields began is soon forgotten: look in windows that end now.
    [86_400, 32 * 86_400, LONG_WALK_SECONDS].into_iter().find_map(|seconds| {
        walk_until(schedule, now.plus_nanos(seconds_to_nanos(seconds).wrapping_neg()), now, zones)
    })
}

fn walk_until(
    schedule: &Schedule,
    start: Timestamp,
    now: Timestamp,
    zones: &dyn TimeZones,
) -> Option<Timestamp> {
    let mut last = None;
    let mut next = schedule.next(start, zones).at();
    // Upstream goes on from the year 1 once the schedule is exhausted, and never comes back.
    while let Some(time) = next.filter(|time| *time <= now) {
        last = Some(time);
        next = schedule.next(time, zones).at();
    }
    last
}

/// How long to wait before the CronJob is looked at again, in nanoseconds (upstream `nextScheduleTimeDuration`).
/// Far in the past when the schedule is exhausted, as upstream's arithmetic on Go's zero time has it.
pub(super) fn next_delay_nanos(
    since: Timestamp,
    now: Timestamp,
    schedule: &Schedule,
    zones: &dyn TimeZones,
) -> i64 {
    let after = match most_recent(since, None, now, schedule, zones) {
        Some(MostRecent { time: Some(time), .. }) => time,
        Some(MostRecent { earliest, time: None, missed: 0 }) => earliest,
        Some(_) | None => now,
    };
    schedule.next(after, zones).or_zero().plus_nanos(NEXT_SCHEDULE_DELTA_NANOS).nanos_since(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cron::zone::UtcOnly;

    fn time(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn since_to(schedule: &str, since: &str, now: &str) -> Option<MostRecent> {
        let schedule = Schedule::parse(schedule, &UtcOnly).unwrap();
        most_recent(time(since), None, time(now), &schedule, &UtcOnly)
    }

    #[test]
    fn missed_runs_are_estimated_from_the_first_interval() {
        let found = since_to("30 6-16/4 * * 1-5", "2026-01-02T06:31:00Z", "2026-01-05T10:30:00Z").unwrap();
        // From Friday 10:30 to Monday 10:30 are 18 intervals of four hours; four times came.
        assert_eq!(found.missed, 19);
        assert_eq!(found.time, Some(time("2026-01-05T10:30:00Z")));
    }

    #[test]
    fn one_time_is_not_a_missed_one() {
        let found = since_to("0 * * * *", "2026-01-01T00:30:00Z", "2026-01-01T01:59:59Z").unwrap();
        assert_eq!((found.time, found.missed), (Some(time("2026-01-01T01:00:00Z")), 0));
        let found = since_to("0 * * * *", "2026-01-01T00:30:00Z", "2026-01-01T00:59:59Z").unwrap();
        assert_eq!((found.time, found.missed), (None, 0));
    }

    #[test]
    fn an_estimate_beyond_the_last_time_finds_none() {
        // Minutes of 29 February: the first interval is a minute, so the walk starts just before now.
        let found = since_to("* * 29 2 *", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z").unwrap();
        assert_eq!(found.time, None);
        assert!(found.missed > MANY_MISSED);
    }

    #[test]
    fn what_never_fires_is_told_apart() {
        assert_eq!(since_to("0 0 31 2 *", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"), None);
    }

    #[test]
    fn a_long_walk_ends_where_single_steps_would() {
        for (schedule, last) in [
            ("@every 7s", "2025-12-31T23:59:59Z"),
            ("*/7 * * * *", "2026-01-01T00:00:00Z"),
            ("0 0 29 2 *", "2024-02-29T00:00:00Z"),
            ("0 12 1 1 *", "2025-01-01T12:00:00Z"),
        ] {
            let parsed = Schedule::parse(schedule, &UtcOnly).unwrap();
            let (start, now) = (time("2010-01-01T00:00:00Z"), time("2026-01-01T00:00:05Z"));
            let found = last_until(&parsed, start, now, &UtcOnly);
            assert_eq!(found, walk_until(&parsed, start, now, &UtcOnly), "{schedule}");
            assert_eq!(found, Some(time(last)), "{schedule}");
        }
    }

    #[test]
    fn seconds_of_a_long_time_are_rounded_as_gos_floats_are() {
        assert_eq!(float_seconds(1_999_999_999), 1);
        assert_eq!(float_seconds(1_000_000_000_999_999_999), 1_000_000_001);
        assert_eq!(float_seconds(-1_500_000_000), -1);
    }

    #[test]
    fn an_exhausted_schedule_is_due_at_once_and_for_ever() {
        let schedule = Schedule::parse("0 0 29 2 *", &UtcOnly).unwrap();
        let delay =
            next_delay_nanos(time("2097-01-01T00:00:00Z"), time("2097-01-02T00:00:00Z"), &schedule, &UtcOnly);
        assert_eq!(delay, i64::MIN);
    }
}
