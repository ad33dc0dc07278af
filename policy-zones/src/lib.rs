//! The time zones of the tz database for the core: one small file (`zones.bin`), made from chrono-tz, in which changes of
//! the clocks are listed as far as they follow no rule, and what is left goes on by rule for ever.
//!
//! Programs have the file within them (feature `data`); a page fetches it when a zone is first named.
//!
//! ```
//! use policy_core::cron::TimeZones;
//! use policy_zones::TzDatabase;
//! let zones = TzDatabase::shared();
//! let berlin = zones.find("Europe/Berlin").unwrap();
//! assert_eq!(zones.period_at(berlin, 1_767_268_800).offset_seconds, 3600);
//! assert!(zones.find("europe/berlin").is_none());
//! ```

mod file;
mod rule;

use file::Zone;
use policy_core::cron::{Period, TimeZones, ZoneId};
use std::fmt;
use std::sync::OnceLock;

pub use file::Change;
pub use rule::{Rule, YearlyChange};

/// The data that programs have within them.
#[cfg(feature = "data")]
pub static DATA: &[u8] = include_bytes!("zones.bin");

/// The zones of the tz database.
#[derive(Debug, Default)]
pub struct TzDatabase {
    data: OnceLock<file::Zones>,
}

/// The file of zones cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotZones;

impl fmt::Display for NotZones {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("these bytes are not the file of time zones that belongs to this version")
    }
}

impl std::error::Error for NotZones {}

impl TzDatabase {
    /// The database of this process.
    pub fn shared() -> &'static TzDatabase {
        static SHARED: TzDatabase = TzDatabase { data: OnceLock::new() };
        #[cfg(feature = "data")]
        SHARED.data.get_or_init(|| file::Zones::read(DATA).unwrap_or_default());
        &SHARED
    }

    /// A database of its own from the bytes of a file.
    ///
    /// # Errors
    /// The bytes are not such a file.
    pub fn read(bytes: &[u8]) -> Result<TzDatabase, NotZones> {
        let zones = file::Zones::read(bytes).ok_or(NotZones)?;
        Ok(TzDatabase { data: OnceLock::from(zones) })
    }

    /// Gives a database that has no data the bytes of its file. One that has data keeps it.
    ///
    /// # Errors
    /// The bytes are not such a file.
    pub fn install(&self, bytes: &[u8]) -> Result<(), NotZones> {
        let zones = file::Zones::read(bytes).ok_or(NotZones)?;
        self.data.get_or_init(|| zones);
        Ok(())
    }

    /// Whether there is data; without, only UTC is known.
    pub fn is_installed(&self) -> bool {
        self.data.get().is_some()
    }

    /// The names of all zones, in order of their bytes.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.data.get().into_iter().flat_map(file::Zones::names)
    }
}

impl TimeZones for TzDatabase {
    fn find(&self, name: &str) -> Option<ZoneId> {
        self.data.get()?.find(name).map(ZoneId)
    }

    fn period_at(&self, zone: ZoneId, unix_seconds: i64) -> Period {
        let found = self.data.get().and_then(|zones| zones.zone(zone.0));
        found.map_or(Period::UTC, |zone| period_at(zone, unix_seconds))
    }
}

fn period_at(zone: &Zone, unix_seconds: i64) -> Period {
    let after = zone.changes.partition_point(|change| change.at <= unix_seconds);
    let from = after.checked_sub(1).and_then(|place| zone.changes.get(place));
    let listed = Period {
        offset_seconds: from.map_or(zone.first_offset, |change| change.offset_seconds),
        from_seconds: from.map_or(i64::MIN, |change| change.at),
        until_seconds: zone.changes.get(after).map_or(i64::MAX, |change| change.at),
    };
    match &zone.rule {
        Some(rule) if after == zone.changes.len() => rule.narrowed(listed, unix_seconds),
        _ => listed,
    }
}
