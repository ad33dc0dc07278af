//! Lines of `schedule`.

use super::LineError;
use super::fields::{Field, is, read_object, unwritable};
use policy_core::Timestamp;
use policy_core::cron::{NextTime, ResolveError, TimeZones, resolve_schedule};
use serde::de::Error;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The most times that one line may ask for, so that memory stays bounded.
const MAX_TIMES: u32 = 100_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    schedule: Cow<'a, str>,
    #[serde(borrow, default)]
    time_zone: Option<Cow<'a, str>>,
    from: Timestamp,
    n: u32,
}

const FIELDS: &[Field] = &[
    ("schedule", is::<String>),
    ("timeZone", is::<Option<String>>),
    ("from", is::<Timestamp>),
    ("n", is::<u32>),
];

#[derive(Serialize)]
struct Answer<'a> {
    id: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    times: Vec<Timestamp>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    exhausted: bool,
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<&'static str>,
}

/// Appends the answer to one line: the next times of a schedule, or why there are none.
///
/// # Errors
/// When the line is not an object with the fields that are needed; the text names the field.
pub fn answer(line: &[u8], zones: &dyn TimeZones, out: &mut Vec<u8>) -> Result<(), LineError> {
    let input: Line<'_> = read_object(line, FIELDS)?;
    if input.n > MAX_TIMES {
        let error = serde_json::Error::custom(format!("`n`: {} is more than {MAX_TIMES}", input.n));
        return Err(unwritable(input.id, &error));
    }
    serde_json::to_writer(&mut *out, &next_times(&input, zones)).map_err(|error| unwritable(input.id, &error))
}

fn next_times<'a>(input: &Line<'a>, zones: &dyn TimeZones) -> Answer<'a> {
    let mut answer = Answer { id: input.id, times: Vec::new(), exhausted: false, error: None, stage: None };
    let schedule = match resolve_schedule(&input.schedule, input.time_zone.as_deref(), zones) {
        Ok(schedule) => schedule,
        Err(error) => {
            answer.stage = Some(match error {
                ResolveError::TimeZone(_) => "timeZone",
                ResolveError::Schedule(_) => "schedule",
            });
            answer.error = Some(error.to_string());
            return answer;
        }
    };
    let mut after = input.from;
    for _ in 0..input.n {
        match schedule.next(after, zones) {
            NextTime::At(time) => after = time,
            NextTime::Exhausted => {
                answer.exhausted = true;
                break;
            }
            NextTime::Hang => {
                answer.stage = Some("hang");
                answer.error = Some(format!("no next time after {after}: the zone has no such day"));
                break;
            }
        }
        answer.times.push(after);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy_sim::zones::TzDatabase;

    fn answer_to(line: &str) -> Result<String, LineError> {
        let mut out = Vec::new();
        answer(line.as_bytes(), TzDatabase::shared(), &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn next_times_come_in_the_protocols_form() {
        let line = r#"{"id":"a","schedule":"0 0 * * *","timeZone":"Europe/Berlin","from":"2026-03-28T12:00:00Z","n":2,"expect":1}"#;
        let answer = r#"{"id":"a","times":["2026-03-28T23:00:00Z","2026-03-29T22:00:00Z"],"error":null}"#;
        assert_eq!(answer_to(line).unwrap(), answer);
    }

    #[test]
    fn refusals_name_their_stage() {
        let line =
            r#"{"id":1,"schedule":"0 0 * * *","timeZone":"Mars/X","from":"2026-03-28T12:00:00Z","n":2}"#;
        assert_eq!(
            answer_to(line).unwrap(),
            r#"{"id":1,"error":"unknown time zone Mars/X","stage":"timeZone"}"#
        );
        let line = r#"{"schedule":"","from":"2026-03-28T12:00:00Z","n":2}"#;
        assert_eq!(answer_to(line).unwrap(), r#"{"id":null,"error":"empty spec string","stage":"schedule"}"#);
    }

    #[test]
    fn a_zones_missing_day_ends_the_search() {
        let line = r#"{"id":1,"schedule":"0 0 24 * *","timeZone":"Pacific/Apia","from":"2011-12-20T00:00:00Z","n":9}"#;
        let answer = answer_to(line).unwrap();
        assert!(
            answer.contains(r#""times":["2011-12-24T10:00:00Z"]"#) && answer.contains(r#""stage":"hang""#),
            "{answer}"
        );
    }

    #[test]
    fn a_missing_or_ill_typed_field_is_named() {
        for (line, field) in [
            (r#"{"id":1,"from":"2026-03-28T12:00:00Z","n":2}"#, "`schedule`"),
            (r#"{"id":1,"schedule":3,"from":"2026-03-28T12:00:00Z","n":2}"#, "`schedule`"),
            (r#"{"id":1,"schedule":"","timeZone":false,"from":"2026-03-28T12:00:00Z","n":2}"#, "`timeZone`"),
            (r#"{"id":1,"schedule":"","from":"soon","n":2}"#, "`from`"),
            (r#"{"id":1,"schedule":"","from":"2026-03-28T12:00:00Z","n":-2}"#, "`n`"),
            (r#"{"id":1,"schedule":"","from":"2026-03-28T12:00:00Z","n":4000000}"#, "`n`"),
        ] {
            let error = answer_to(line).unwrap_err();
            assert_eq!(error.id, 1);
            assert!(error.message.contains(field), "{}", error.message);
        }
        for line in ["", "3", "[]", "{", r#"[null,"@daily",null,"2026-03-28T12:00:00Z",2]"#] {
            assert_eq!(answer_to(line).unwrap_err().id, serde_json::Value::Null, "{line}");
        }
    }
}
