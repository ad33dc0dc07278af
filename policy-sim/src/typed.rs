//! Reading values as types.

use serde::de::{DeserializeOwned, Error};
use serde_json::Value;

/// Reads a value as a type, through text: serde makes a reader of its own for each way of reading each type, and a second
/// way would be a third of what a page has to load.
pub(crate) fn typed<T: DeserializeOwned>(value: &Value) -> Result<T, serde_json::Error> {
    serde_json::from_str(&value.to_string()).map_err(|error| {
        // A place in this text says nothing to anybody.
        let text = error.to_string();
        let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
        serde_json::Error::custom(what)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_no_place() {
        let error = typed::<u8>(&Value::from("x")).unwrap_err();
        assert_eq!(error.to_string(), "invalid type: string \"x\", expected u8");
        let nested = typed::<Vec<bool>>(&serde_json::json!([true, 1])).unwrap_err();
        assert_eq!(nested.to_string(), "invalid type: integer `1`, expected a boolean");
    }
}
