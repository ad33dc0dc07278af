//! `validate --stream`: what the API server would say about creating or changing a Job or CronJob.

use super::LineError;
use super::fields::{Field, is, read_object, unwritable};
use policy_core::Timestamp;
use policy_core::cron::TimeZones;
use policy_core::spec::validation::{
    CreateContext, FieldError, Object, Rules, Subresource, validate_create, validate_update,
};
use serde::de::Error;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A line: `object` to be created, or `old` to be changed to `new`.
#[derive(Deserialize)]
struct Line<'l> {
    #[serde(borrow, default)]
    id: Option<&'l RawValue>,
    #[serde(borrow, default)]
    object: Option<&'l RawValue>,
    #[serde(borrow, default)]
    old: Option<&'l RawValue>,
    #[serde(borrow, default)]
    new: Option<&'l RawValue>,
    #[serde(borrow, default)]
    subresource: Option<Cow<'l, str>>,
}

const FIELDS: &[Field] = &[("subresource", is::<Option<String>>)];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    id: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    defaulted: Option<&'a Object<'a>>,
    errors: Vec<ErrorAnswer<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    warnings: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    strict_errors: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decode_error: Option<&'a str>,
}

#[derive(Serialize)]
struct ErrorAnswer<'a> {
    r#type: &'static str,
    field: &'a str,
    detail: &'a str,
}

impl<'a> From<&'a FieldError> for ErrorAnswer<'a> {
    fn from(error: &'a FieldError) -> Self {
        ErrorAnswer { r#type: error.kind.as_str(), field: &error.field, detail: &error.detail }
    }
}

/// Appends the answer to one line, without a line end.
///
/// # Errors
/// For a line that is not a JSON object of either form.
pub fn answer(line: &[u8], zones: &dyn TimeZones, out: &mut Vec<u8>) -> Result<(), LineError> {
    let parsed: Line<'_> = read_object(line, FIELDS)?;
    let refused = |message: &str| unwritable(parsed.id, &serde_json::Error::custom(message));
    let (review, shows_defaults) = match (parsed.object, parsed.old, parsed.new) {
        (Some(object), None, None) => (validate_create(object, &context(), &rules(zones)), true),
        (None, Some(old), Some(new)) => {
            let subresource = match parsed.subresource.as_deref() {
                None | Some("") => Subresource::Main,
                Some("status") => Subresource::Status,
                Some(other) => {
                    return Err(refused(&format!("`{other}` is not a subresource: want `status` or none")));
                }
            };
            (validate_update(old, new, subresource, &rules(zones)), false)
        }
        _ => return Err(refused("want either `object`, or `old` and `new`")),
    };
    let answer = Answer {
        id: parsed.id,
        defaulted: review.defaulted.as_ref().filter(|_| shows_defaults),
        errors: review.errors.iter().map(ErrorAnswer::from).collect(),
        warnings: &review.warnings,
        strict_errors: review.strict_errors.as_deref(),
        decode_error: review.decode_error.as_deref(),
    };
    serde_json::to_writer(out, &answer).map_err(|error| unwritable(parsed.id, &error))
}

/// The object as the API server would store it if it were created now.
///
/// # Errors
/// What the API server would refuse: fields, empty for the whole object, and what is wrong with them.
pub fn created(
    object: &serde_json::Value,
    now: Timestamp,
    zones: &dyn TimeZones,
) -> Result<serde_json::Value, Vec<(String, String)>> {
    let whole = |message: String| vec![(String::new(), message)];
    let raw = RawValue::from_string(object.to_string()).map_err(|error| whole(error.to_string()))?;
    let review =
        validate_create(&raw, &CreateContext { creation_timestamp: now, ..context() }, &rules(zones));
    let mut refused: Vec<(String, String)> = Vec::new();
    refused.extend(review.decode_error.iter().map(|message| (String::new(), message.clone())));
    refused.extend(review.strict_errors.iter().map(|message| (String::new(), message.clone())));
    refused.extend(review.errors.iter().map(|error| (error.field.clone(), error.detail.to_string())));
    if !refused.is_empty() {
        return Err(refused);
    }
    serde_json::to_value(&review.defaulted).map_err(|error| whole(error.to_string()))
}

/// What created objects get: fixed, so that answers can be compared.
fn context() -> CreateContext<'static> {
    CreateContext {
        namespace: "default",
        uid: "11111111-2222-3333-4444-555555555555",
        // 2025-01-01T00:00:00Z
        creation_timestamp: Timestamp::from_unix(1_735_689_600, 0).unwrap_or(Timestamp::ZERO),
        name_suffix: "abcde",
    }
}

fn rules(zones: &dyn TimeZones) -> Rules<'_> {
    Rules { time_zones: zones, ..Rules::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy_core::cron::UtcOnly;
    use serde_json::Value;

    fn answered(line: &str) -> Value {
        let mut out = Vec::new();
        answer(line.as_bytes(), &UtcOnly, &mut out).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn answers_creation_and_update() {
        let object = r#"{"apiVersion":"batch/v1","kind":"CronJob","metadata":{"generateName":"c-"},"spec":{"schedule":""}}"#;
        let created = answered(&format!(r#"{{"id":1,"object":{object},"expect":null}}"#));
        assert_eq!(created["id"], 1);
        assert_eq!(created["defaulted"]["metadata"]["name"], "c-abcde");
        assert_eq!(created["defaulted"]["metadata"]["creationTimestamp"], "2025-01-01T00:00:00Z");
        let stored = &created["defaulted"];
        let updated =
            answered(&format!(r#"{{"id":"u","old":{stored},"new":{stored},"subresource":"status"}}"#));
        assert_eq!(updated["errors"][0]["detail"], "must be specified for an update");
        assert_eq!(updated["defaulted"], Value::Null);
    }

    #[test]
    fn refuses_lines_of_no_form() {
        for (line, id) in [
            (r#"{"id":"a"}"#, "a"),
            (r#"{"id":"a","object":{},"old":{},"new":{}}"#, "a"),
            (r#"{"id":"a","old":{},"new":{},"subresource":"scale"}"#, "a"),
        ] {
            assert_eq!(answer(line.as_bytes(), &UtcOnly, &mut Vec::new()).unwrap_err().id, id, "{line}");
        }
        for line in [&b""[..], br#"["a",{}]"#, b"\xff"] {
            assert_eq!(answer(line, &UtcOnly, &mut Vec::new()).unwrap_err().id, Value::Null);
        }
    }
}
