//! Naming the field that made a line unreadable.

use super::LineError;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// A field's name and whether a value is of its type.
pub(super) type Field = (&'static str, fn(&RawValue) -> bool);

/// Whether a value is of type `T`.
pub(super) fn is<T: DeserializeOwned>(value: &RawValue) -> bool {
    serde_json::from_str::<T>(value.get()).is_ok()
}

impl LineError {
    /// As [`LineError::undecodable`], with the name of the first of `fields` whose value is of the wrong type.
    /// A missing field is named by `error` itself.
    pub(super) fn of_fields(line: &[u8], error: &serde_json::Error, fields: &[Field]) -> Self {
        let mut line_error = LineError::undecodable(line, error);
        let values: BTreeMap<String, &RawValue> = serde_json::from_slice(line).unwrap_or_default();
        let wrong =
            fields.iter().find(|(name, is_type)| values.get(*name).is_some_and(|value| !is_type(value)));
        if let Some((name, _)) = wrong {
            line_error.message = format!("`{name}`: {error}");
        }
        line_error
    }
}
