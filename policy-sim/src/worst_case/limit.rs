//! Numbers that may have no bound, and bounds with the rule that sets them.

use policy_core::explain::Rule;
use serde_json::{Value, json};
use std::fmt;
use std::ops::{Add, Mul};

/// A number, or none at all. Sums and products beyond 2^128 stay there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// At most this.
    Finite(u128),
    /// However much.
    Unbounded,
}

impl Limit {
    /// Nothing at all.
    pub const ZERO: Limit = Limit::Finite(0);

    /// The number, if there is one.
    pub fn finite(self) -> Option<u128> {
        match self {
            Limit::Finite(number) => Some(number),
            Limit::Unbounded => None,
        }
    }

    /// Whether there is no bound.
    pub fn is_unbounded(self) -> bool {
        self == Limit::Unbounded
    }
}

impl From<Option<u128>> for Limit {
    fn from(number: Option<u128>) -> Self {
        number.map_or(Limit::Unbounded, Limit::Finite)
    }
}

impl Add for Limit {
    type Output = Limit;

    fn add(self, other: Limit) -> Limit {
        match (self, other) {
            (Limit::Finite(a), Limit::Finite(b)) => Limit::Finite(a.saturating_add(b)),
            _ => Limit::Unbounded,
        }
    }
}

impl Mul for Limit {
    type Output = Limit;

    /// No times an unbounded number is none.
    fn mul(self, other: Limit) -> Limit {
        match (self, other) {
            (Limit::Finite(a), Limit::Finite(b)) => Limit::Finite(a.saturating_mul(b)),
            (Limit::ZERO, _) | (_, Limit::ZERO) => Limit::ZERO,
            _ => Limit::Unbounded,
        }
    }
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Pods or Jobs.
    Count,
    /// Milliseconds, shown as seconds.
    Millis,
}

/// The largest number that is shown; what is larger is "more than" it.
const LARGEST: u128 = i64::MAX as u128;

impl Unit {
    /// The number as programs get it, and whether it is in truth more; `null` for an unbounded one.
    pub fn json(self, limit: Limit) -> (Value, bool) {
        let Some(number) = limit.finite() else { return (Value::Null, false) };
        let (shown, rest) = match self {
            Unit::Count => (number, 0),
            Unit::Millis => (number / 1_000, number % 1_000),
        };
        match i64::try_from(shown) {
            Ok(whole) if rest == 0 => (whole.into(), false),
            Ok(_) => (json!(number as f64 / 1_000.0), false),
            Err(_) => (i64::MAX.into(), true),
        }
    }

    /// The number for people: `64`, `19m20s`, `unbounded`.
    pub fn text(self, limit: Limit) -> String {
        match (self, limit.finite()) {
            (_, None) => "unbounded".into(),
            (Unit::Count, Some(number)) if number > LARGEST => format!("more than {LARGEST}"),
            (Unit::Count, Some(number)) => number.to_string(),
            (Unit::Millis, Some(number)) => span(number),
        }
    }
}

/// A length of time with all of its units, so that a bound is not shown as less than it is.
fn span(millis: u128) -> String {
    const UNITS: [(u128, &str); 5] = [(31_536_000, "y"), (86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    if millis < 60_000 && !millis.is_multiple_of(1_000) {
        let fraction = format!("{:03}", millis % 1_000);
        return format!("{}.{}s", millis / 1_000, fraction.trim_end_matches('0'));
    }
    let mut seconds = millis.div_ceil(1_000);
    if seconds > LARGEST {
        return format!("more than {}y", LARGEST / 31_536_000);
    }
    let mut text = String::new();
    for (size, unit) in UNITS {
        if seconds >= size {
            text.push_str(&format!("{}{unit}", seconds / size));
        }
        seconds %= size;
    }
    if text.is_empty() { "0s".into() } else { text }
}

/// A number and what it counts.
pub(super) fn counted(number: impl fmt::Display, what: &str) -> String {
    let number = number.to_string();
    let plural = match what {
        _ if number == "1" => what.to_owned(),
        "index" => "indexes".to_owned(),
        "try" => "tries".to_owned(),
        _ => format!("{what}s"),
    };
    format!("{number} {plural}")
}

/// A field of the manifest and its value, as the API server would store it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The path: `spec.backoffLimit`.
    pub path: String,
    /// The value; `not set` for one that is missing.
    pub value: String,
}

impl Field {
    pub(super) fn new(path: impl Into<String>, value: impl fmt::Display) -> Self {
        Field { path: path.into(), value: value.to_string() }
    }

    fn json(&self) -> Value {
        json!({"field": self.path, "value": self.value})
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path, self.value)
    }
}

/// A field that would set a bound where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// The field, with a value as an example.
    pub field: Field,
    /// What the bound would be with it.
    pub limit: Limit,
}

/// A bound with the rule and the fields that set it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The bound.
    pub limit: Limit,
    /// What it counts.
    pub unit: Unit,
    /// The rule that sets it, or that leaves it open.
    pub rule: Rule,
    /// The fields that the rule reads.
    pub fields: Vec<Field>,
    /// How the number comes about.
    pub how: String,
    /// What would bound it, if nothing does.
    pub remedies: Vec<Remedy>,
}

impl Bound {
    pub(super) fn new(unit: Unit, limit: Limit, rule: Rule, fields: Vec<Field>, how: String) -> Self {
        Bound { limit, unit, rule, fields, how, remedies: Vec::new() }
    }

    /// The bound for people.
    pub fn text(&self) -> String {
        self.unit.text(self.limit)
    }

    /// The bound for programs.
    pub fn to_json(&self) -> Value {
        let (limit, more) = self.unit.json(self.limit);
        let remedies = self.remedies.iter().map(|remedy| {
            let mut value = remedy.field.json();
            let (limit, more) = self.unit.json(remedy.limit);
            (value["limit"], value["more"]) = (limit, more.into());
            value
        });
        json!({
            "limit": limit,
            "more": more,
            "unbounded": self.limit.is_unbounded(),
            "rule": self.rule.code(),
            "fields": fields_json(&self.fields),
            "how": self.how,
            "wouldBound": remedies.collect::<Vec<Value>>(),
        })
    }
}

pub(super) fn fields_json(fields: &[Field]) -> Vec<Value> {
    fields.iter().map(Field::json).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_is_said_to_be_more() {
        let huge = Limit::Finite(u128::MAX) * Limit::Finite(7) + Limit::Finite(1);
        assert_eq!(Unit::Count.json(huge), (json!(i64::MAX), true));
        assert_eq!(Unit::Count.text(huge), "more than 9223372036854775807");
        assert_eq!(Unit::Millis.text(huge), "more than 292471208677y");
        assert_eq!(Limit::ZERO * Limit::Unbounded, Limit::ZERO);
        assert_eq!(Limit::Finite(3).min(Limit::Unbounded), Limit::Finite(3));
    }

    #[test]
    fn times_have_all_of_their_units() {
        let text = |millis| Unit::Millis.text(Limit::Finite(millis));
        for (millis, expected) in [
            (0, "0s"),
            (1_500, "1.5s"),
            (61_500, "1m2s"),
            (3_600_000, "1h"),
            (90_061_000, "1d1h1m1s"),
            (3_631_000, "1h31s"),
            (31_536_000_000, "1y"),
        ] {
            assert_eq!(text(millis), expected);
        }
    }
}
