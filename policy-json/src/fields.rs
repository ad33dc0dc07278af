//! Reading a line, and naming the field that made it unreadable.

use super::LineError;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Error};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// A field's name and whether a value is of its type.
pub(super) type Field = (&'static str, fn(&RawValue) -> bool);

/// Whether a value is of type `T`.
pub(super) fn is<T: DeserializeOwned>(value: &RawValue) -> bool {
    serde_json::from_str::<T>(value.get()).is_ok()
}

/// Reads a line that must be an object; an error names the first of `fields` that is missing or of the wrong type.
pub(super) fn read_object<'a, T: Deserialize<'a>>(line: &'a [u8], fields: &[Field]) -> Result<T, LineError> {
    // Serde would take a list for an object with its fields in order.
    if line.trim_ascii_start().first().is_some_and(|byte| *byte == b'[') {
        let error = serde_json::Error::custom("a list is not an object");
        return Err(LineError::undecodable(line, &error));
    }
    super::parse(line).map_err(|mut error| {
        let values: BTreeMap<String, &RawValue> = super::parse(line).unwrap_or_default();
        let is_wrong = |(name, is_type): &&Field| values.get(*name).is_some_and(|value| !is_type(value));
        if let Some((name, _)) = fields.iter().find(is_wrong) {
            error.message = format!("`{name}`: {}", error.message);
        }
        error
    })
}

/// The error for an answer that could not be written.
pub(super) fn unwritable(id: Option<&RawValue>, error: &serde_json::Error) -> LineError {
    let id = id.and_then(|id| serde_json::from_str(id.get()).ok()).unwrap_or_default();
    LineError { id, message: error.to_string() }
}
