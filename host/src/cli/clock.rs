//! The instant that a command works at, and local times for display.

use crate::zones::TzDatabase;
use chrono::{DateTime, FixedOffset, SecondsFormat};
use policy_core::Timestamp;
use policy_core::cron::TimeZones;
use std::time::{SystemTime, UNIX_EPOCH};

/// What to say about a zone that does not exist.
pub(super) const ZONE_HELP: &str = "names are those of the tz database, like `Europe/Berlin`";

/// The instant, and whether the user gave it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    pub(super) now: Timestamp,
    given: bool,
}

impl Clock {
    /// The time given, else the system's.
    pub(super) fn new(given: Option<Timestamp>) -> Self {
        Clock { now: given.unwrap_or_else(system_time), given: given.is_some() }
    }

    /// `given` or `system`.
    pub(super) fn name(self) -> &'static str {
        if self.given { "given" } else { "system" }
    }

    /// The instant, with a note when it is the system's.
    pub(super) fn described(self) -> String {
        if self.given { self.now.to_rfc3339_nano() } else { format!("{} (system clock)", self.now) }
    }
}

/// The system's time. A clock before 1970 or beyond all calendars reads as the epoch.
fn system_time() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since_epoch.as_secs()).unwrap_or_default();
    Timestamp::from_unix(seconds, since_epoch.subsec_nanos()).unwrap_or(Timestamp::ZERO)
}

/// A time on the command line.
pub(super) fn parse_time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text)
}

/// Writes instants in a zone; `None` when there is no such zone.
pub(super) fn local_times_in(zone: &str) -> Option<impl Fn(Timestamp) -> String> {
    let zones = TzDatabase::shared();
    let zone = zones.find(zone)?;
    Some(move |time: Timestamp| {
        let offset = zones.period_at(zone, time.unix_seconds()).offset_seconds;
        let local: Option<DateTime<FixedOffset>> =
            FixedOffset::east_opt(offset).map(|offset| time.datetime().with_timezone(&offset));
        local.map_or_else(|| time.to_string(), |local| local.to_rfc3339_opts(SecondsFormat::Secs, false))
    })
}
