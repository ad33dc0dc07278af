//! CronJob decisions: schedules, missed runs, concurrency, history.

mod civil;
mod go_text;
mod schedule;
mod zone;

pub use schedule::{NextTime, ResolveError, Schedule, ScheduleError, resolve_schedule};
pub use zone::{Period, TimeZones, UtcOnly, Zone, ZoneError, ZoneId};
