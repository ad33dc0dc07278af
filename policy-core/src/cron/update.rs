//! What a changed CronJob means for the work queue (upstream `updateCronJob`).

use super::missed::next_delay_nanos;
use super::schedule::{Schedule, schedule_text};
use super::zone::{TimeZones, Zone};
use crate::Timestamp;
use crate::spec::CronJob;
use crate::step::Event;
use alloc::format;

/// When to sync a CronJob that has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnUpdate {
    /// At once.
    Sync,
    /// After this many nanoseconds; at once if not positive.
    SyncAfter {
        /// The delay until the new schedule's next time.
        delay_nanos: i64,
    },
    /// Not at all, but say why: the new schedule does not parse.
    Report(Event),
}

/// Decides when a CronJob that was updated is synced: with a new schedule or zone only at its next time.
pub fn on_update(old: &CronJob, new: &CronJob, now: Timestamp, zones: &dyn TimeZones) -> OnUpdate {
    let (old_spec, spec) = (&old.spec, &new.spec);
    if old_spec.schedule == spec.schedule && old_spec.time_zone == spec.time_zone {
        return OnUpdate::Sync;
    }
    // A zone that does not exist is passed over here; the sync will report it.
    let time_zone = spec.time_zone.as_deref().filter(|name| Zone::load(name, zones).is_ok());
    let Ok(schedule) = Schedule::parse(&schedule_text(&spec.schedule, time_zone), zones) else {
        let message = format!("unparseable schedule for cronjob: {}", spec.schedule);
        return OnUpdate::Report(Event::warning("UnParseableCronJobSchedule", message));
    };
    let last = new.status.last_schedule_time;
    let since = last.or(new.metadata.creation_timestamp).unwrap_or(Timestamp::ZERO);
    OnUpdate::SyncAfter { delay_nanos: next_delay_nanos(since, now, &schedule, zones) }
}
