//! The questions of `policy-core` as JSON: one object in, one answer out, each kind in its own module.
//!
//! This is the protocol of `jobpolicy … --stream` (docs/cli.md), of the browser package and of the policy module.
//! Time zones come from the caller. [`explain`] reports on objects as `kubectl get -o json` lists them.

use serde_json::Value;

pub mod cron_job;
pub mod explain;
mod fields;
pub mod job;
pub mod schedule;
pub mod step;
pub mod validate;
mod words;

pub use words::duration;

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
        // As text, like every line: another reader of bytes for each type would only be more code.
        let line = std::str::from_utf8(line).ok();
        let id = line.and_then(|line| serde_json::from_str::<Id>(line).ok()).map(|line| line.id);
        LineError { id: id.unwrap_or_default(), message: error.to_string() }
    }
}

/// Reads a line. Its encoding is checked once, so that the parser need not check every string.
///
/// # Errors
/// When the line is not UTF-8, not JSON, or not of the expected form.
pub fn parse<'de, T: serde::Deserialize<'de>>(line: &'de [u8]) -> Result<T, LineError> {
    let text = std::str::from_utf8(line).map_err(|error| {
        let message = format!("not UTF-8 at byte {}", error.valid_up_to() + 1);
        LineError { id: Value::Null, message }
    })?;
    serde_json::from_str(text).map_err(|error| LineError::undecodable(line, &error))
}
