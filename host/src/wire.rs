//! The line protocol of `--stream` with the time zones of this process: one JSON object in, one answer out.

pub use policy_json::{LineError, job, parse};

/// CronJob lines of `decide`.
pub mod cron_job {
    use super::LineError;
    use crate::zones::TzDatabase;
    use policy_core::cron::Plan;
    use policy_core::explain::Recorder;
    pub use policy_json::cron_job::plan_value;

    /// See [`policy_json::cron_job::answer`].
    ///
    /// # Errors
    /// When the line is not an object with the fields that are needed; the text names the field.
    pub fn answer(line: &[u8], out: &mut Vec<u8>) -> Result<(), LineError> {
        policy_json::cron_job::answer(line, TzDatabase::shared(), out)
    }

    /// See [`policy_json::cron_job::plan`].
    ///
    /// # Errors
    /// As [`answer`].
    pub fn plan(line: &[u8], rec: &mut impl Recorder) -> Result<Plan, LineError> {
        policy_json::cron_job::plan(line, TzDatabase::shared(), rec)
    }
}

/// Lines of `schedule`.
pub mod schedule {
    use super::LineError;
    use crate::zones::TzDatabase;

    /// See [`policy_json::schedule::answer`].
    ///
    /// # Errors
    /// When the line is not an object with the fields that are needed; the text names the field.
    pub fn answer(line: &[u8], out: &mut Vec<u8>) -> Result<(), LineError> {
        policy_json::schedule::answer(line, TzDatabase::shared(), out)
    }
}

/// Lines of `validate`.
pub mod validate {
    use super::LineError;
    use crate::zones::TzDatabase;

    /// See [`policy_json::validate::answer`].
    ///
    /// # Errors
    /// For a line that is not a JSON object of either form.
    pub fn answer(line: &[u8], out: &mut Vec<u8>) -> Result<(), LineError> {
        policy_json::validate::answer(line, TzDatabase::shared(), out)
    }
}
