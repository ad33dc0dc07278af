//! Label selectors: their form (`ValidateLabelSelector`) and what they match (`LabelSelectorAsSelector`).

use super::error::Errors;
use super::field::Field;
use super::names;

/// `ValidateLabelSelector`; nothing to say about a selector that is not set.
pub(super) fn label_selector(selector: &Field<'_, '_>, allow_invalid_values: bool, errors: &mut Errors) {
    names::labels(&selector.child("matchLabels"), errors);
    for expression in selector.child("matchExpressions").items() {
        requirement(&expression, allow_invalid_values, errors);
    }
}

fn requirement(expression: &Field<'_, '_>, allow_invalid_values: bool, errors: &mut Errors) {
    let values = expression.child("values");
    let operator = expression.child("operator");
    match operator.text() {
        "In" | "NotIn" if values.items_len() == 0 => {
            errors.required(&values, "must be specified when `operator` is 'In' or 'NotIn'");
        }
        "Exists" | "DoesNotExist" if values.items_len() > 0 => {
            errors.forbidden(&values, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        _ => errors.invalid_value(&operator, operator.text(), "not a valid selector operator"),
    }
    let key = expression.child("key");
    for message in names::label_key(key.text()) {
        errors.invalid_value(&key, key.text(), message);
    }
    if !allow_invalid_values {
        for value in values.items() {
            errors.invalid_all(&value, names::label_value(value.text()));
        }
    }
}

/// Whether a selector matches labels; `None` if it is malformed. One that is not set matches nothing.
pub(super) fn matches<'l>(
    selector: &Field<'_, '_>,
    labels: impl Fn(&str) -> Option<&'l str>,
) -> Option<bool> {
    if !selector.is_set() {
        return Some(false);
    }
    let mut all = true;
    for (key, value) in selector.child("matchLabels").entries() {
        let value = value.text();
        if !is_well_formed(key, [value]) {
            return None;
        }
        all &= labels(key) == Some(value);
    }
    for expression in selector.child("matchExpressions").items() {
        all &= expression_matches(&expression, &labels)?;
    }
    Some(all)
}

fn expression_matches<'l>(
    expression: &Field<'_, '_>,
    labels: impl Fn(&str) -> Option<&'l str>,
) -> Option<bool> {
    let key = expression.child("key").text();
    let values = expression.child("values");
    let label = labels(key);
    let (has_values, listed) =
        (values.items_len() > 0, label.is_some_and(|l| values.texts().any(|v| v == l)));
    let (wants_values, holds) = match expression.child("operator").text() {
        "In" => (true, listed),
        "NotIn" => (true, !listed),
        "Exists" => (false, label.is_some()),
        "DoesNotExist" => (false, label.is_none()),
        _ => return None,
    };
    (wants_values == has_values && is_well_formed(key, values.texts())).then_some(holds)
}

fn is_well_formed<'v>(key: &str, values: impl IntoIterator<Item = &'v str>) -> bool {
    names::label_key(key).is_empty() && values.into_iter().all(|value| names::label_value(value).is_empty())
}

/// `LabelSelectorHasInvalidLabelValue`.
pub(super) fn has_invalid_value(selector: &Field<'_, '_>) -> bool {
    let expressions = selector.child("matchExpressions");
    expressions.items().any(|e| e.child("values").texts().any(|value| !names::label_value(value).is_empty()))
}
