//! Time zones as the caller provides them, and the names that Go's `time.LoadLocation` takes.

use alloc::string::String;
use core::fmt;

/// A zone's number within the [`TimeZones`] that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ZoneId(pub u32);

/// A stretch of time over which a zone's offset does not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Local time less UTC, in seconds.
    pub offset_seconds: i32,
    /// The first second of the stretch, since the Unix epoch.
    pub from_seconds: i64,
    /// The first second after the stretch, since the Unix epoch.
    pub until_seconds: i64,
}

impl Period {
    /// UTC, for ever.
    pub const UTC: Period = Period { offset_seconds: 0, from_seconds: i64::MIN, until_seconds: i64::MAX };

    /// Whether the stretch covers that second.
    pub fn contains(&self, unix_seconds: i64) -> bool {
        self.from_seconds <= unix_seconds && unix_seconds < self.until_seconds
    }
}

/// The time zones that decisions may ask for. The core carries no zone data.
///
/// Names are those of the tz database. The names with a meaning of their own (`""`, `UTC`, `Local`) and the refused
/// ones never get here: [`Zone::load`] answers them, so that every implementation treats them as Go does.
pub trait TimeZones {
    /// The zone of exactly that name; upper and lower case differ.
    fn find(&self, name: &str) -> Option<ZoneId>;

    /// A period of the zone that covers `unix_seconds`. It may be shorter than the whole time between two changes
    /// of the offset. An unknown id is UTC.
    fn period_at(&self, zone: ZoneId, unix_seconds: i64) -> Period;
}

/// Knows no zone but UTC: for callers without zone data.
#[derive(Clone, Copy, Debug, Default)]
pub struct UtcOnly;

impl TimeZones for UtcOnly {
    fn find(&self, _: &str) -> Option<ZoneId> {
        None
    }

    fn period_at(&self, _: ZoneId, _: i64) -> Period {
        Period::UTC
    }
}

/// Where a schedule is read (Go's `*time.Location`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// UTC. The zone `Local` is UTC as well: the controller's machine has no zone of its own.
    Utc,
    /// A zone of the tz database.
    Named(ZoneId),
}

impl Zone {
    /// Looks a name up by the rules of Go's `time.LoadLocation`.
    ///
    /// # Errors
    /// Go's words, when the name is refused or unknown.
    pub fn load(name: &str, zones: &dyn TimeZones) -> Result<Zone, ZoneError> {
        if matches!(name, "" | "UTC" | "Local") {
            return Ok(Zone::Utc);
        }
        if name.contains("..") || name.starts_with(['/', '\\']) {
            return Err(ZoneError::InvalidName);
        }
        zones.find(name).map(Zone::Named).ok_or_else(|| ZoneError::Unknown(name.into()))
    }

    /// A period that covers `unix_seconds`.
    pub(crate) fn period_at(self, unix_seconds: i64, zones: &dyn TimeZones) -> Period {
        match self {
            Zone::Utc => Period::UTC,
            Zone::Named(id) => zones.period_at(id, unix_seconds),
        }
    }
}

/// Why a zone's name was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ZoneError {
    /// The name could reach outside the database (Go's `errLocation`).
    InvalidName,
    /// There is no such zone.
    Unknown(String),
}

impl fmt::Display for ZoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ZoneError::InvalidName => f.write_str("time: invalid location name"),
            ZoneError::Unknown(name) => write!(f, "unknown time zone {name}"),
        }
    }
}

impl core::error::Error for ZoneError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn names_with_a_meaning_in_go_need_no_zone_data() {
        for name in ["", "UTC", "Local"] {
            assert_eq!(Zone::load(name, &UtcOnly), Ok(Zone::Utc), "{name}");
        }
    }

    #[test]
    fn refused_names_are_told_apart_from_unknown_ones() {
        for name in ["../etc/passwd", "/Europe/Berlin", "\\x", "a..b"] {
            assert_eq!(Zone::load(name, &UtcOnly), Err(ZoneError::InvalidName), "{name}");
        }
        let error = Zone::load("utc", &UtcOnly).unwrap_err();
        assert_eq!(error.to_string(), "unknown time zone utc");
    }
}
