//! Reports on objects as `kubectl` lists them, with the time zones of this process, and as text for people.

use crate::zones::TzDatabase;
use policy_core::Timestamp;
use policy_core::spec::CronJob;
pub use policy_json::explain::*;

pub mod text;

/// See [`policy_json::explain::cron_job`].
pub fn cron_job(cron_job: &CronJob, world: &World<'_>, now: Timestamp) -> CronJobReport {
    policy_json::explain::cron_job(cron_job, world, now, TzDatabase::shared())
}
