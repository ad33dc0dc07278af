//! The server's clock along a recording.

use super::recording::{Object, Version};
use policy_core::{NANOS_PER_SECOND, Timestamp};
use std::ops::RangeInclusive;

/// When the server took its writes, in whole seconds: some versions tell, and every other one lies between its
/// neighbours.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// Resource versions with the latest time known up to there.
    since: Vec<(u64, i64)>,
    /// Resource versions with the earliest time known from there on.
    until: Vec<(u64, i64)>,
}

impl Clock {
    /// The clock of versions whose `time` is set where they tell it.
    pub(super) fn of(versions: &[Version]) -> Self {
        let mut clock = Clock::default();
        let mut latest = i64::MIN;
        for version in versions {
            for time in [version.time, version.authors.latest].into_iter().flatten() {
                latest = latest.max(time.unix_seconds());
            }
            if latest > i64::MIN {
                clock.since.push((version.resource_version, latest));
            }
        }
        let mut earliest = i64::MAX;
        for version in versions.iter().rev() {
            if let Some(time) = version.time {
                earliest = earliest.min(time.unix_seconds());
                clock.until.push((version.resource_version, earliest));
            }
        }
        clock.until.reverse();
        clock
    }

    /// The seconds in which the server may have taken this write; `None` when nothing tells.
    pub(super) fn at(&self, version: &Version) -> Option<RangeInclusive<i64>> {
        if let Some(time) = version.time {
            return Some(time.unix_seconds()..=time.unix_seconds());
        }
        let revision = version.resource_version;
        let place = self.since.partition_point(|(known, _)| *known <= revision);
        let since = place.checked_sub(1).and_then(|place| self.since.get(place)).map(|(_, time)| *time);
        let place = self.until.partition_point(|(known, _)| *known < revision);
        let until = self.until.get(place).map(|(_, time)| *time);
        let (since, until) = (since.or(until)?, until.or(since)?);
        // Requests that are handled together may get their times and their revisions in different orders.
        Some(since.min(until)..=since.max(until))
    }
}

/// When the server took the write that made a version, where the version itself tells.
pub(super) fn exact_time(version: &Version, before: Option<&Version>) -> Option<Timestamp> {
    if version.is_deleted() {
        return None;
    }
    let Some(metadata) = version.metadata() else {
        return match version.object {
            Object::Event(_) | Object::Other => version.authors.time,
            _ => None,
        };
    };
    let created = before.is_none().then_some(metadata.creation_timestamp).flatten();
    let was_deleting = before.and_then(Version::metadata).is_some_and(|metadata| metadata.is_deleting());
    let deleted = if was_deleting { None } else { deletion_requested(metadata) };
    version.authors.time.or(created).or(deleted)
}

/// When a deletion was asked for: the deletion timestamp without the grace period in it.
pub(super) fn deletion_requested(metadata: &policy_core::spec::ObjectMeta) -> Option<Timestamp> {
    let grace_seconds = metadata.deletion_grace_period_seconds.unwrap_or(0);
    let deleted = metadata.deletion_timestamp?;
    Some(deleted.plus_nanos(grace_seconds.saturating_mul(NANOS_PER_SECOND).saturating_neg()))
}
