//! How long Pod creation waits after failures.

use super::census::Tally;
use super::facts::PodFacts;
use crate::memory::BackoffRecord;
use crate::{Settings, Timestamp};

/// The record after newly ended Pods (upstream `newBackoffRecord`): successes reset it, and of the failures only those
/// after the latest new success count. Ignored failures count here as any other.
pub(crate) fn next_record(previous: Option<&BackoffRecord>, tally: &Tally<'_>) -> BackoffRecord {
    let mut record = match tally.last_success {
        Some(_) => BackoffRecord::default(),
        None => previous.cloned().unwrap_or_default(),
    };
    let failures = &mut record.failures_after_last_success;
    *failures = failures.wrapping_add(tally.failures_after_success);
    // The latest of the new ones replaces what was recorded, even when it is earlier.
    record.last_failure_time = tally.last_failure.or(record.last_failure_time);
    record
}

/// How long creation still waits because of `record` (upstream `getRemainingTime`), in nanoseconds.
pub(crate) fn remaining_nanos(record: &BackoffRecord, now: Timestamp, settings: &Settings) -> i64 {
    let failures = record.failures_after_last_success;
    remaining_for_failures(failures, record.last_failure_time, now, settings)
}

/// How long an index still waits because of the Pod that failed last in it (upstream `getRemainingTimePerIndex`).
pub(crate) fn remaining_nanos_for_index(
    last_failed: Option<&PodFacts>,
    now: Timestamp,
    settings: &Settings,
) -> i64 {
    let Some(pod) = last_failed else { return 0 };
    let failures = pod.index_absolute_failure_count().wrapping_add(1);
    remaining_for_failures(failures, Some(pod.finished_at), now, settings)
}

/// Upstream `getRemainingTimeForFailuresCount`. A failure in the future lengthens the wait.
fn remaining_for_failures(
    failures: i32,
    last_failure: Option<Timestamp>,
    now: Timestamp,
    settings: &Settings,
) -> i64 {
    if failures == 0 {
        return 0;
    }
    // A record with failures has a time; upstream would panic without one.
    let Some(last_failure) = last_failure else { return 0 };
    let delay_nanos = delay_nanos(failures, settings);
    let elapsed_nanos = now.nanos_since(last_failure);
    if delay_nanos < elapsed_nanos {
        return 0;
    }
    delay_nanos.wrapping_sub(elapsed_nanos)
}

/// How long Pods are not created after so many failures in a row, in nanoseconds: 10 s for the first failure, doubled for
/// each further one, 10 minutes at most (upstream `getRemainingTimeForFailuresCount`). The first is not cut to the
/// maximum. Without a failure the answer means nothing: nobody waits then.
///
/// ```
/// use policy_core::{Settings, job::backoff_delay_nanos};
/// let seconds = |failures| backoff_delay_nanos(failures, &Settings::DEFAULT) / policy_core::NANOS_PER_SECOND;
/// assert_eq!([1, 2, 6, 7].map(seconds), [10, 20, 320, 600]);
/// ```
pub fn delay_nanos(failures: i32, settings: &Settings) -> i64 {
    let mut delay_nanos = settings.pod_failure_backoff_nanos;
    for _ in 1..failures {
        delay_nanos = delay_nanos.wrapping_mul(2);
        if delay_nanos >= settings.pod_failure_backoff_max_nanos {
            return settings.pod_failure_backoff_max_nanos;
        }
        if delay_nanos <= 0 {
            // A delay of zero stays zero, whatever the number of failures.
            return delay_nanos;
        }
    }
    delay_nanos
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NANOS_PER_SECOND;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(1_700_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn delays_double_up_to_ten_minutes() {
        let seconds = |failures| delay_nanos(failures, &Settings::DEFAULT) / NANOS_PER_SECOND;
        assert_eq!([1, 2, 3, 6, 7, 100, i32::MAX].map(seconds), [10, 20, 40, 320, 600, 600, 600]);
    }

    #[test]
    fn a_success_resets_the_record_and_the_latest_new_failure_replaces_the_time() {
        let previous = BackoffRecord { failures_after_last_success: 4, last_failure_time: Some(at(0)) };
        let tally = Tally { failures_after_success: 1, last_failure: Some(at(-5)), ..Tally::default() };
        let record = next_record(Some(&previous), &tally);
        assert_eq!(record, BackoffRecord { failures_after_last_success: 5, last_failure_time: Some(at(-5)) });
        let record = next_record(Some(&previous), &Tally { last_success: Some(at(10)), ..tally });
        assert_eq!(record, BackoffRecord { failures_after_last_success: 1, last_failure_time: Some(at(-5)) });
    }

    #[test]
    fn a_failure_in_the_future_lengthens_the_wait() {
        let record = BackoffRecord { failures_after_last_success: 1, last_failure_time: Some(at(5)) };
        assert_eq!(remaining_nanos(&record, at(0), &Settings::DEFAULT), 15 * NANOS_PER_SECOND);
        assert_eq!(remaining_nanos(&record, at(15), &Settings::DEFAULT), 0);
        assert_eq!(remaining_nanos(&record, at(16), &Settings::DEFAULT), 0);
    }
}
