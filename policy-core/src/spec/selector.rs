//! Label selectors (`metav1.LabelSelector`) and matching with them.

use super::{StringMap, null_default};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// `metav1.LabelSelector`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LabelSelector {
    /// Labels that must have exactly these values.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "StringMap::is_empty")]
    pub match_labels: StringMap,
    /// Further requirements, all of which must hold.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "Vec::is_empty")]
    pub match_expressions: Vec<LabelSelectorRequirement>,
}

/// `metav1.LabelSelectorRequirement`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LabelSelectorRequirement {
    /// The label's key.
    #[serde(deserialize_with = "null_default")]
    pub key: String,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    #[serde(deserialize_with = "null_default")]
    pub operator: String,
    /// Values for `In` and `NotIn`.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// A label selector that was checked and is ready to match (`metav1.LabelSelectorAsSelector`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// `None` matches nothing, as a missing selector does.
    requirements: Option<Vec<Requirement>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

impl Selector {
    /// Checks and prepares a selector. A missing one matches nothing, an empty one everything.
    ///
    /// # Errors
    /// Upstream's words for an unknown operator or a wrong number of values.
    pub fn new(selector: Option<&LabelSelector>) -> Result<Self, String> {
        let Some(selector) = selector else { return Ok(Selector { requirements: None }) };
        let mut requirements = Vec::new();
        for (key, value) in &selector.match_labels {
            let values = alloc::vec![value.clone()];
            requirements.push(Requirement { key: key.clone(), operator: Operator::In, values });
        }
        for expression in &selector.match_expressions {
            requirements.push(Requirement::new(expression)?);
        }
        Ok(Selector { requirements: Some(requirements) })
    }

    /// The error that [`Selector::new`] would give, without preparing anything.
    pub(crate) fn error(selector: Option<&LabelSelector>) -> Option<String> {
        let mut expressions = selector.into_iter().flat_map(|selector| &selector.match_expressions);
        expressions.find_map(|expression| expression.checked().err())
    }

    /// Whether an object with these labels is selected.
    pub fn matches(&self, labels: &StringMap) -> bool {
        self.requirements.as_ref().is_some_and(|all| all.iter().all(|r| r.matches(labels.get(&r.key))))
    }
}

impl LabelSelectorRequirement {
    /// What the operator asks for, or upstream's error for a requirement that cannot be used.
    fn checked(&self) -> Result<Operator, String> {
        let operator = match self.operator.as_str() {
            "In" => Operator::In,
            "NotIn" => Operator::NotIn,
            "Exists" => Operator::Exists,
            "DoesNotExist" => Operator::DoesNotExist,
            other => return Err(format!("\"{other}\" is not a valid label selector operator")),
        };
        let takes_values = matches!(operator, Operator::In | Operator::NotIn);
        if takes_values == self.values.is_empty() {
            let what = if takes_values { "must be non-empty" } else { "must be empty" };
            let operator = &self.operator;
            return Err(format!("values: Invalid value: []: values set {what} for `{operator}`"));
        }
        Ok(operator)
    }
}

impl Requirement {
    fn new(expression: &LabelSelectorRequirement) -> Result<Self, String> {
        let operator = expression.checked()?;
        Ok(Requirement { key: expression.key.clone(), operator, values: expression.values.clone() })
    }

    fn matches(&self, value: Option<&String>) -> bool {
        match self.operator {
            Operator::In => value.is_some_and(|v| self.values.contains(v)),
            Operator::NotIn => value.is_none_or(|v| !self.values.contains(v)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}
