//! The line protocol of `--stream`: one JSON object in, one answer out, each kind in its own module.

use serde_json::Value;

pub mod cron_job;
mod fields;
pub mod job;
pub mod schedule;
pub mod validate;

/// Why a line got no answer.
#[derive(Clone, Debug, PartialEq)]
pub struct LineError {
    /// The line's `id` where it could be read, else null.
    pub id: Value,
    /// What was wrong with it.
    pub message: String,
}

impl LineError {
    /// An error for a line that is not a JSON object of the expected form; the `id` is saved if possible.
    pub fn undecodable(line: &[u8], error: &serde_json::Error) -> Self {
        #[derive(serde::Deserialize)]
        struct Id {
            id: Value,
        }
        let id = serde_json::from_slice::<Id>(line).map_or(Value::Null, |line| line.id);
        LineError { id, message: error.to_string() }
    }
}
