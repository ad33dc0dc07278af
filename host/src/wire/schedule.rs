//! Lines of `schedule`.

use super::LineError;
use super::fields::{Field, is};
use crate::zones::TzDatabase;
use policy_core::Timestamp;
use policy_core::cron::{NextTime, ResolveError, resolve_schedule};
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
pub fn answer(line: &[u8], out: &mut Vec<u8>) -> Result<(), LineError> {
    let input: Line<'_> =
        serde_json::from_slice(line).map_err(|error| LineError::of_fields(line, &error, FIELDS))?;
    if input.n > MAX_TIMES {
        let id = input.id.and_then(|id| serde_json::from_str(id.get()).ok()).unwrap_or_default();
        return Err(LineError { id, message: format!("`n`: {} is more than {MAX_TIMES}", input.n) });
    }
    let id = input.id;
    serde_json::to_writer(&mut *out, &next_times(&input)).map_err(|error| {
        let id = id.and_then(|id| serde_json::from_str(id.get()).ok()).unwrap_or_default();
        LineError { id, message: error.to_string() }
    })
}

fn next_times<'a>(input: &Line<'a>) -> Answer<'a> {
    let mut answer = Answer { id: input.id, times: Vec::new(), exhausted: false, error: None, stage: None };
    let zones = TzDatabase::shared();
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
