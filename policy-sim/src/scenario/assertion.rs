//! What has to hold in a run.

use super::duration::Duration;
use super::select::PodSelector;
use crate::typed::typed;
use serde::{Deserialize, de};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Something that has to hold.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct Assertion {
    /// What is claimed, in a sentence.
    pub text: String,
    /// When it has to hold.
    pub timing: Moment,
    /// What has to hold.
    pub check: Check,
}

/// When a check has to hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Moment {
    /// At the end.
    #[default]
    End,
    /// At a time, counted from the start.
    At(Duration),
    /// All the time.
    Throughout,
    /// At no time.
    Never,
    /// It becomes true in this window.
    First(Window),
}

/// A window of time, counted from the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Window {
    /// Not before.
    pub min: Duration,
    /// Not after.
    pub max: Option<Duration>,
}

impl Window {
    /// Whether a time lies in it.
    pub fn holds(self, time: Duration) -> bool {
        time >= self.min && self.max.is_none_or(|max| time <= max)
    }
}

/// The keys of an assertion beside its check.
const COMMON: &[&str] = &["name", "text", "at", "throughout", "never", "first"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Common {
    #[serde(default, rename = "name")]
    _name: Option<String>,
    text: String,
    at: Option<Duration>,
    #[serde(default)]
    throughout: bool,
    #[serde(default)]
    never: bool,
    first: Option<Window>,
}

impl TryFrom<Map<String, Value>> for Assertion {
    type Error = serde_json::Error;

    fn try_from(fields: Map<String, Value>) -> Result<Self, Self::Error> {
        let (common, check): (Map<_, _>, Map<_, _>) =
            fields.into_iter().partition(|(key, _)| COMMON.contains(&key.as_str()));
        let common: Common = typed(&common.into())?;
        let timing = match (common.at, common.first) {
            (Some(at), _) => Moment::At(at),
            (None, Some(window)) => Moment::First(window),
            (None, None) if common.throughout => Moment::Throughout,
            (None, None) if common.never => Moment::Never,
            (None, None) => Moment::End,
        };
        Ok(Assertion { text: common.text, timing, check: typed(&check.into())? })
    }
}

/// Something that holds or does not.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Check {
    /// A Job.
    Job(JobCheck),
    /// A CronJob.
    CronJob(CronJobCheck),
    /// How many Jobs there are.
    Jobs(JobsCheck),
    /// How many Pods there are.
    Pods(PodsCheck),
    /// What containers printed.
    Log(LogCheck),
    /// Events.
    Events(EventsCheck),
    /// A queue.
    Queue(QueueCheck),
    /// Requests of users that the server refused.
    Refusals(RefusalsCheck),
    /// How the run ended.
    Outcome(String),
    /// When the run ended.
    Ended(Window),
    /// A line of the explanation is like this.
    Why(String),
    /// These become true one after another.
    Order(Vec<Check>),
}

/// A number, or its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// At least.
    pub min: u64,
    /// At most.
    pub max: u64,
}

impl Bounds {
    /// At least one.
    pub const SOME: Bounds = Bounds { min: 1, max: u64::MAX };

    /// Whether a number is within.
    pub fn hold(self, number: usize) -> bool {
        (self.min..=self.max).contains(&(number as u64))
    }
}

impl<'de> Deserialize<'de> for Bounds {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        struct Full {
            min: u64,
            max: Option<u64>,
        }
        match Value::deserialize(deserializer)? {
            Value::Number(number) => {
                let number = number.as_u64().ok_or_else(|| de::Error::custom("expected a whole number"))?;
                Ok(Bounds { min: number, max: number })
            }
            full => {
                let full: Full = typed(&full).map_err(de::Error::custom)?;
                Ok(Bounds { min: full.min, max: full.max.unwrap_or(u64::MAX) })
            }
        }
    }
}

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Its type.
    pub kind: String,
    /// Its status.
    pub status: String,
    /// Its reason.
    pub reason: Option<String>,
    /// Its message; `*` stands for anything.
    pub message: Option<String>,
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Full {
            #[serde(rename = "type")]
            kind: String,
            status: Option<String>,
            reason: Option<String>,
            message: Option<String>,
        }
        let full = match Value::deserialize(deserializer)? {
            Value::String(kind) => Full { kind, status: None, reason: None, message: None },
            full => typed(&full).map_err(de::Error::custom)?,
        };
        let Full { kind, status, reason, message } = full;
        Ok(Condition { kind, status: status.unwrap_or_else(|| "True".into()), reason, message })
    }
}

/// What a field has to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Expectation {
    /// This.
    Is(Value),
    /// What the parts say.
    Has(Parts),
}

/// Parts of an expectation; what is left out does not matter.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Parts {
    /// At least.
    pub min: Option<f64>,
    /// At most.
    pub max: Option<f64>,
    /// Text in which `*` stands for anything.
    pub like: Option<String>,
    /// One of these.
    pub one_of: Option<Vec<Value>>,
    /// Not there, or empty.
    pub absent: Option<bool>,
}

impl<'de> Deserialize<'de> for Expectation {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            parts @ Value::Object(_) => typed(&parts).map(Expectation::Has).map_err(de::Error::custom),
            scalar => Ok(Expectation::Is(scalar)),
        }
    }
}

/// Fields by path, such as `status.succeeded`.
pub type Fields = BTreeMap<String, Expectation>;

/// A Job.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobCheck {
    /// Its name; `*` stands for anything.
    pub name: String,
    /// A condition that it has.
    pub condition: Option<Condition>,
    /// Whether there is one.
    #[serde(default = "yes")]
    pub exists: bool,
    /// Fields.
    #[serde(default)]
    pub fields: Fields,
}

/// A CronJob.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CronJobCheck {
    /// Its name.
    pub name: String,
    /// Whether there is one.
    #[serde(default = "yes")]
    pub exists: bool,
    /// Fields.
    #[serde(default)]
    pub fields: Fields,
}

fn yes() -> bool {
    true
}

/// How many Jobs there are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobsCheck {
    /// Their names; `*` stands for anything.
    pub name: Option<String>,
    /// Labels that they have.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// A condition that they have.
    pub condition: Option<Condition>,
    /// How many.
    pub count: Bounds,
}

/// The keys of [`PodsCheck`] that are not those of a selector.
const PODS_OWN: &[&str] = &["condition", "waiting", "fields", "deleted", "count"];

/// How many Pods there are.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct PodsCheck {
    /// Which.
    pub selector: PodSelector,
    /// The rest of what they have, and how many.
    pub rest: PodsRest,
}

/// The part of a [`PodsCheck`] beside the selector.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PodsRest {
    /// A condition that they have.
    pub condition: Option<Condition>,
    /// The reason for which a container waits.
    pub waiting: Option<String>,
    /// Fields.
    #[serde(default)]
    pub fields: Fields,
    /// Whether those that are gone count too.
    #[serde(default)]
    pub deleted: bool,
    /// How many.
    pub count: Bounds,
}

impl TryFrom<Map<String, Value>> for PodsCheck {
    type Error = serde_json::Error;

    fn try_from(fields: Map<String, Value>) -> Result<Self, Self::Error> {
        let (rest, selector): (Map<_, _>, Map<_, _>) =
            fields.into_iter().partition(|(key, _)| PODS_OWN.contains(&key.as_str()));
        Ok(PodsCheck { selector: typed(&selector.into())?, rest: typed(&rest.into())? })
    }
}

/// What containers printed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogCheck {
    /// The Pod's name; `*` stands for anything.
    pub name: Option<String>,
    /// The Pod's Job; `*` stands for anything.
    pub job: Option<String>,
    /// The Pod's completion index.
    pub index: Option<i64>,
    /// Text in a line.
    pub contains: Option<String>,
    /// All lines of one Pod.
    pub lines: Option<Vec<String>>,
    /// How many lines hold the text, or how many Pods have these lines.
    pub count: Option<Bounds>,
}

/// Events.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventsCheck {
    /// `kind/name`; `*` stands for anything.
    pub about: Option<String>,
    /// `Normal` or `Warning`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Its reason.
    pub reason: Option<String>,
    /// Its message; `*` stands for anything.
    pub message: Option<String>,
    /// How many.
    pub count: Option<Bounds>,
}

/// A queue.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueCheck {
    /// The queue, as `host/name`.
    pub name: String,
    /// Items that nobody has taken.
    pub waiting: Option<Bounds>,
    /// Items that are taken and not acknowledged.
    pub taken: Option<Bounds>,
}

/// Requests of users that the server refused.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusalsCheck {
    /// The HTTP status code.
    pub code: Option<u16>,
    /// How many.
    pub count: Option<Bounds>,
}
