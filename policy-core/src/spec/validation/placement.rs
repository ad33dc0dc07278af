//! Where Pods may go: tolerations, scheduling gates and spread over topologies.

use super::error::Errors;
use super::field::Field;
use super::options::PodOptions;
use super::{affinity, names, selectors};
use crate::cron::go_text::quote;
use alloc::collections::BTreeSet;
use alloc::format;

/// `ValidateTolerations`.
pub(super) fn tolerations(tolerations: &Field<'_, '_>, options: &PodOptions, errors: &mut Errors) {
    for toleration in tolerations.items() {
        let (key, operator, effect) =
            (toleration.child("key"), toleration.child("operator"), toleration.child("effect"));
        if !key.text().is_empty() {
            errors.invalid_all(&key, names::label_key(key.text()));
        } else if operator.text() != "Exists" {
            errors.invalid_value(
                &operator,
                operator.text(),
                "operator must be Exists when `key` is empty, which means \"match all values and all keys\"",
            );
        }
        if toleration.child("tolerationSeconds").is_set() && effect.text() != "NoExecute" {
            let detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            errors.invalid_value(&effect, effect.text(), detail);
        }
        toleration_value(&toleration, &operator, options, errors);
        if !matches!(effect.text(), "" | "NoSchedule" | "PreferNoSchedule" | "NoExecute") {
            errors.not_supported(&effect, &["NoSchedule", "PreferNoSchedule", "NoExecute"]);
        }
    }
}

fn toleration_value(
    toleration: &Field<'_, '_>,
    operator: &Field<'_, '_>,
    options: &PodOptions,
    errors: &mut Errors,
) {
    let value = toleration.child("value");
    match operator.text() {
        "Equal" | "" => {
            let messages = names::label_value(value.text());
            if !messages.is_empty() {
                errors.invalid_value(operator, value.text(), messages.join(";"));
            }
        }
        "Exists" if !value.text().is_empty() => {
            errors.invalid_value(operator, value.text(), "value must be empty when `operator` is 'Exists'");
        }
        "Exists" => {}
        "Lt" | "Gt" if options.allow_taint_toleration_comparison_operators => {
            for message in names::decimal_integer(value.text()) {
                errors.invalid_value(&value, value.text(), message);
            }
            if let Err(error) = parse_int(value.text()) {
                errors.invalid_value(&value, value.text(), error);
            }
        }
        "Lt" | "Gt" => errors.not_supported(operator, &["Equal", "Exists", "Lt", "Gt"]),
        _ => errors.not_supported(operator, &["Equal", "Exists"]),
    }
}

/// `strconv.ParseInt` and its words.
fn parse_int(text: &str) -> Result<i64, alloc::string::String> {
    use core::num::IntErrorKind::{NegOverflow, PosOverflow};
    text.parse().map_err(|error: core::num::ParseIntError| {
        let why = match error.kind() {
            PosOverflow | NegOverflow => "value out of range",
            _ => "invalid syntax",
        };
        format!("strconv.ParseInt: parsing {}: {why}", quote(text))
    })
}

/// `taintTolerationComparisonOperatorsInUse`.
pub(super) fn has_comparison_operator(spec: &Field<'_, '_>) -> bool {
    spec.child("tolerations").items().any(|t| matches!(t.child("operator").text(), "Lt" | "Gt"))
}

/// `validateSchedulingGates`.
pub(super) fn scheduling_gates(gates: &Field<'_, '_>, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for gate in gates.items() {
        let name = gate.child("name").text();
        for message in names::label_key(name) {
            errors.invalid_value(&gate, name, message);
        }
        if !seen.insert(name) {
            errors.duplicate_value(&gate, name);
        }
    }
}

/// `validateTopologySpreadConstraints`.
pub(super) fn topology_spread_constraints(list: &Field<'_, '_>, options: &PodOptions, errors: &mut Errors) {
    for (index, constraint) in list.items().enumerate() {
        names::positive(&constraint.child("maxSkew"), errors);
        let (key, action) = (constraint.child("topologyKey"), constraint.child("whenUnsatisfiable"));
        if key.text().is_empty() {
            errors.required(&key, "can not be empty");
        }
        if !matches!(action.text(), "DoNotSchedule" | "ScheduleAnyway") {
            errors.not_supported_value(&action, action.text(), &["DoNotSchedule", "ScheduleAnyway"]);
        }
        // One constraint for each topology and action.
        let pair = (key.text(), action.text());
        let repeated = list.items().skip(index.saturating_add(1)).any(|other| {
            (other.child("topologyKey").text(), other.child("whenUnsatisfiable").text()) == pair
        });
        if repeated {
            let place = constraint.at("{topologyKey, whenUnsatisfiable}", None);
            errors.duplicate_value(&place, format!("{{{}, {}}}", pair.0, pair.1).as_str());
        }
        min_domains(&constraint.child("minDomains"), action.text(), errors);
        for name in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            let policy = constraint.child(name);
            if policy.opt_text().is_some_and(|policy| !matches!(policy, "Honor" | "Ignore")) {
                errors.not_supported(&policy, &["Honor", "Ignore"]);
            }
        }
        spread_selector(&constraint, options, errors);
    }
}

fn min_domains(min_domains: &Field<'_, '_>, action: &str, errors: &mut Errors) {
    if !min_domains.is_set() {
        return;
    }
    names::positive(min_domains, errors);
    if action != "DoNotSchedule" {
        let detail = format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}");
        errors.invalid(min_domains, detail);
    }
}

fn spread_selector(constraint: &Field<'_, '_>, options: &PodOptions, errors: &mut Errors) {
    let selector = constraint.child("labelSelector");
    if options.old_pod_violates_match_label_keys_validation {
        legacy_match_label_keys(&constraint.child("matchLabelKeys"), &selector, errors);
    } else {
        affinity::match_label_keys(constraint, errors);
    }
    if !options.allow_invalid_topology_spread_constraint_label_selector {
        selectors::label_selector(&selector, false, errors);
    }
}

/// `ValidateMatchLabelKeysInTopologySpread`, the rule before keys were merged into the selector.
fn legacy_match_label_keys(keys: &Field<'_, '_>, selector: &Field<'_, '_>, errors: &mut Errors) {
    if keys.items_len() > 0 && !selector.is_set() {
        errors.forbidden(keys, "must not be specified when labelSelector is not set");
    }
    let labels = selector.child("matchLabels");
    let expressions = selector.child("matchExpressions");
    for key in keys.items() {
        errors.invalid_all(&key, names::label_key(key.text()));
        let selected = labels.key(key.text()).is_set()
            || expressions.items().any(|expression| expression.child("key").text() == key.text());
        if selected {
            errors.invalid(&key, "exists in both matchLabelKeys and labelSelector");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::expect_pod_errors;

    #[test]
    fn tolerations() {
        expect_pod_errors(&[
            (
                r#"{"tolerations":[{"operator":"Equal"}]}"#,
                &[
                    r#"tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys""#,
                ],
            ),
            (
                r#"{"tolerations":[{"key":"a","operator":"Exists","value":"b"}]}"#,
                &[
                    r#"tolerations[0].operator: Invalid value: "b": value must be empty when `operator` is 'Exists'"#,
                ],
            ),
            (
                r#"{"tolerations":[{"key":"a","operator":"In","value":"b"}]}"#,
                &[r#"tolerations[0].operator: Unsupported value: "In": supported values: "Equal", "Exists""#],
            ),
            (
                r#"{"tolerations":[{"key":"a b","value":"c d","effect":"Bad"}]}"#,
                &[
                    r#"tolerations[0].key: Invalid value: "a b": name part must consist of…"#,
                    r#"tolerations[0].operator: Invalid value: "c d": a valid label must be an empty string or consist of…"#,
                    r#"tolerations[0].effect: Unsupported value: "Bad": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute""#,
                ],
            ),
            (
                r#"{"tolerations":[{"key":"a","operator":"Exists","tolerationSeconds":5,"effect":"NoSchedule"}]}"#,
                &[
                    r#"tolerations[0].effect: Invalid value: "NoSchedule": effect must be 'NoExecute' when `tolerationSeconds` is set"#,
                ],
            ),
            (
                r#"{"tolerations":[{"key":"a","operator":"Gt","value":"x"}]}"#,
                &[
                    r#"tolerations[0].operator: Unsupported value: "Gt": supported values: "Equal", "Exists", "Lt", "Gt""#,
                ],
            ),
        ]);
    }

    #[test]
    fn scheduling_gates() {
        expect_pod_errors(&[
            (
                r#"{"schedulingGates":[{"name":"a b"},{"name":"c"},{"name":"c"}]}"#,
                &[
                    r#"schedulingGates[0]: Invalid value: "a b": name part must consist of…"#,
                    r#"schedulingGates[2]: Duplicate value: "c""#,
                ],
            ),
            (r#"{"nodeName":"n","schedulingGates":[{"name":"c"}]}"#, &[]),
        ]);
    }

    #[test]
    fn spread() {
        expect_pod_errors(&[
            (
                r#"{"topologySpreadConstraints":[{}]}"#,
                &[
                    "topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
                    "topologySpreadConstraints[0].topologyKey: Required value: can not be empty",
                    r#"topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "": supported values: "DoNotSchedule", "ScheduleAnyway""#,
                ],
            ),
            (
                r#"{"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"a","whenUnsatisfiable":"ScheduleAnyway","minDomains":2,"labelSelector":{}}]}"#,
                &[
                    "topologySpreadConstraints[0].minDomains: Invalid value: 2: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway",
                ],
            ),
            (
                r#"{"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"a","whenUnsatisfiable":"DoNotSchedule","minDomains":0,"nodeAffinityPolicy":"Bad","labelSelector":{"matchLabels":{"k":"v"}},"matchLabelKeys":["k"]}]}"#,
                &[
                    "topologySpreadConstraints[0].minDomains: Invalid value: 0: must be greater than zero",
                    r#"topologySpreadConstraints[0].nodeAffinityPolicy: Unsupported value: "Bad": supported values: "Honor", "Ignore""#,
                ],
            ),
            (
                r#"{"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"a","whenUnsatisfiable":"DoNotSchedule"},{"maxSkew":2,"topologyKey":"a","whenUnsatisfiable":"DoNotSchedule"}]}"#,
                &[
                    r#"topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{a, DoNotSchedule}""#,
                ],
            ),
        ]);
    }

    #[test]
    fn node_selectors() {
        expect_pod_errors(&[(
            r#"{"nodeSelector":{"a b":"e f"}}"#,
            &[
                r#"nodeSelector: Invalid value: "a b": name part must consist of…"#,
                r#"nodeSelector: Invalid value: "e f": a valid label must be an empty string or consist of…"#,
            ],
        )]);
    }
}
