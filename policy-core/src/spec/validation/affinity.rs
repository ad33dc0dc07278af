//! Node and Pod affinity (`validateAffinity`).

use super::error::Errors;
use super::field::Field;
use super::options::{self, PodOptions};
use super::{names, selectors};
use alloc::borrow::Cow;
use alloc::collections::{BTreeMap, BTreeSet};

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

pub(super) fn affinity(affinity: &Field<'_, '_>, options: &PodOptions, errors: &mut Errors) {
    node_affinity(
        &affinity.child("nodeAffinity"),
        options.allow_invalid_label_value_in_required_node_affinity,
        errors,
    );
    for kind in ["podAffinity", "podAntiAffinity"] {
        let terms = affinity.child(kind);
        for term in terms.child(REQUIRED).items() {
            pod_term(&term, options, errors);
        }
        for weighted in terms.child(PREFERRED).items() {
            weight(&weighted, errors);
            pod_term(&weighted.child("podAffinityTerm"), options, errors);
        }
    }
}

fn node_affinity(affinity: &Field<'_, '_>, allow_invalid_values: bool, errors: &mut Errors) {
    let required = affinity.child(REQUIRED);
    if required.is_set() {
        let terms = required.child("nodeSelectorTerms");
        if terms.items_len() == 0 {
            errors.required(&terms, "must have at least one node selector term");
        }
        for term in terms.items() {
            node_term(&term, allow_invalid_values, errors);
        }
    }
    for preferred in affinity.child(PREFERRED).items() {
        weight(&preferred, errors);
        // A preferred term may name labels that no node can have.
        node_term(&preferred.child("preference"), true, errors);
    }
}

fn weight(term: &Field<'_, '_>, errors: &mut Errors) {
    let weight = term.child("weight");
    if names::in_range(weight.int_or_zero(), 1, 100).is_some() {
        errors.invalid_value(&weight, weight.int_or_zero(), "must be in the range 1-100");
    }
}

fn node_term(term: &Field<'_, '_>, allow_invalid_values: bool, errors: &mut Errors) {
    for requirement in term.child("matchExpressions").items() {
        node_requirement(&requirement, allow_invalid_values, errors);
    }
    for requirement in term.child("matchFields").items() {
        node_field_requirement(&requirement, errors);
    }
}

/// `ValidateNodeSelectorRequirement`.
fn node_requirement(requirement: &Field<'_, '_>, allow_invalid_values: bool, errors: &mut Errors) {
    let (operator, values) = (requirement.child("operator"), requirement.child("values"));
    match (operator.text(), values.items_len()) {
        ("In" | "NotIn", 0) => {
            errors.required(&values, "must be specified when `operator` is 'In' or 'NotIn'");
        }
        ("Exists" | "DoesNotExist", 1..) => {
            errors.forbidden(&values, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
        }
        ("Gt" | "Lt", 0 | 2..) => {
            errors.required(&values, "must be specified single value when `operator` is 'Lt' or 'Gt'");
        }
        ("In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt", _) => {}
        (other, _) => errors.invalid_value(&operator, other, "not a valid selector operator"),
    }
    label_name(&requirement.child("key"), errors);
    if !allow_invalid_values {
        for value in values.items() {
            errors.invalid_all(&value, names::label_value(value.text()));
        }
    }
}

/// `ValidateNodeFieldSelectorRequirement`.
fn node_field_requirement(requirement: &Field<'_, '_>, errors: &mut Errors) {
    let (operator, values) = (requirement.child("operator"), requirement.child("values"));
    match operator.text() {
        "In" | "NotIn" if values.items_len() != 1 => errors.required(
            &values,
            "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
        ),
        "In" | "NotIn" => {}
        other => errors.invalid_value(&operator, other, "not a valid selector operator"),
    }
    let key = requirement.child("key");
    if key.text() != "metadata.name" {
        return errors.invalid_value(&key, key.text(), "not a valid field selector key");
    }
    for value in values.items() {
        errors.invalid_all(&value, names::dns_subdomain(value.text()));
    }
}

/// `ValidateLabelName`.
fn label_name(key: &Field<'_, '_>, errors: &mut Errors) {
    for message in names::label_key(key.text()) {
        errors.invalid_value(key, key.text(), message);
    }
}

/// `validatePodAffinityTerm`.
fn pod_term(term: &Field<'_, '_>, options: &PodOptions, errors: &mut Errors) {
    pod_term_selectors(term, options.allow_invalid_label_value_in_selector, errors);
    let namespace = term.at("namespace", None);
    for name in term.child("namespaces").texts() {
        for message in names::dns_label(name) {
            errors.invalid_value(&namespace, name, message);
        }
    }
    match_label_keys(term, errors);
    let topology_key = term.child("topologyKey");
    if topology_key.text().is_empty() {
        errors.required(&topology_key, "can not be empty");
    }
    label_name(&topology_key, errors);
}

/// `ValidatePodAffinityTermSelector`.
fn pod_term_selectors(term: &Field<'_, '_>, allow_invalid_values: bool, errors: &mut Errors) {
    for name in ["labelSelector", "namespaceSelector"] {
        selectors::label_selector(&term.child(name), allow_invalid_values, errors);
    }
}

/// `ValidateMatchLabelKeysAndMismatchLabelKeys`; a topology spread constraint has only the former.
pub(super) fn match_label_keys(term: &Field<'_, '_>, errors: &mut Errors) {
    let (matched, mismatched) = (term.child("matchLabelKeys"), term.child("mismatchLabelKeys"));
    let selector = term.child("labelSelector");
    for keys in [&matched, &mismatched] {
        if keys.items_len() > 0 && !selector.is_set() {
            errors.forbidden(keys, "must not be specified when labelSelector is not set");
        } else {
            for key in keys.items() {
                label_name(&key, errors);
            }
        }
    }
    twice_selected(term, &selector, &matched, errors);
    let mismatched: BTreeSet<&str> = mismatched.texts().collect();
    for key in matched.items().filter(|key| mismatched.contains(key.text())) {
        errors.invalid(&key, "exists in both matchLabelKeys and mismatchLabelKeys");
    }
}

/// A key to be matched stands in the selector as an expression once the API server has merged it; a second time is
/// one too many. Upstream reports at the term, with the index of the key.
fn twice_selected(
    term: &Field<'_, '_>,
    selector: &Field<'_, '_>,
    matched: &Field<'_, '_>,
    errors: &mut Errors,
) {
    let indexes: BTreeMap<&str, usize> =
        matched.texts().enumerate().map(|(index, key)| (key, index)).collect();
    let labels = selector.child("matchLabels");
    let mut seen: BTreeSet<&str> =
        labels.map().into_iter().flatten().map(|(key, _)| Cow::as_ref(key)).collect();
    for expression in selector.child("matchExpressions").items() {
        let key = expression.child("key").text();
        if let Some(index) = indexes.get(key).filter(|_| seen.contains(key)) {
            let place = term.index(*index);
            errors.invalid_value(&place, key, "exists in both matchLabelKeys and labelSelector");
        }
        seen.insert(key);
    }
}

/// `hasInvalidLabelValueInAffinitySelector`.
pub(super) fn has_invalid_selector(affinity: &Field<'_, '_>) -> bool {
    ["podAffinity", "podAntiAffinity"].into_iter().any(|kind| {
        let terms = affinity.child(kind);
        let violates =
            |term: &Field<'_, '_>| options::violates(|errors| pod_term_selectors(term, false, errors));
        terms.child(REQUIRED).items().any(|term| violates(&term))
            || terms.child(PREFERRED).items().any(|weighted| violates(&weighted.child("podAffinityTerm")))
    })
}

/// `hasInvalidLabelValueInRequiredNodeAffinity`.
pub(super) fn has_invalid_required_value(affinity: &Field<'_, '_>) -> bool {
    let node = affinity.child("nodeAffinity");
    let required = node.child(REQUIRED);
    required.child("nodeSelectorTerms").items().any(|term| {
        let expressions = term.child("matchExpressions");
        expressions.items().any(|e| options::has_invalid_label_value(e.child("values").texts()))
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::expect_pod_errors;

    #[test]
    fn node_affinity() {
        expect_pod_errors(&[
            (
                r#"{"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[]}}}}"#,
                &[
                    "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term",
                ],
            ),
            (
                r#"{"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"a","operator":"In"},{"key":"b","operator":"Exists","values":["c"]},{"key":"d","operator":"Gt","values":["1","2"]},{"key":"e","operator":"Is"}]}]}}}}"#,
                &[
                    "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
                    "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[1].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
                    "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[2].values: Required value: must be specified single value when `operator` is 'Lt' or 'Gt'",
                    r#"affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[3].operator: Invalid value: "Is": not a valid selector operator"#,
                ],
            ),
            (
                r#"{"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchFields":[{"key":"metadata.uid","operator":"In","values":["a"]},{"key":"metadata.name","operator":"Exists"}]}]}}}}"#,
                &[
                    r#"affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].key: Invalid value: "metadata.uid": not a valid field selector key"#,
                    r#"affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[1].operator: Invalid value: "Exists": not a valid selector operator"#,
                ],
            ),
            (
                r#"{"affinity":{"nodeAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":0,"preference":{"matchExpressions":[{"key":"a b","operator":"Exists"}]}}]}}}"#,
                &[
                    "affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must be in the range 1-100",
                    r#"affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].key: Invalid value: "a b": name part must consist of…"#,
                ],
            ),
        ]);
    }

    #[test]
    fn pod_affinity() {
        expect_pod_errors(&[
            (
                r#"{"affinity":{"podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"topologyKey":""}]}}}"#,
                &[
                    "affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Required value: can not be empty",
                    r#"affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: "": name part must be non-empty"#,
                    r#"affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: "": name part must consist of…"#,
                ],
            ),
            (
                r#"{"affinity":{"podAntiAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":101,"podAffinityTerm":{"topologyKey":"a b","namespaces":["A"],"labelSelector":{"matchExpressions":[{"key":"a","operator":"In"}]}}}]}}}"#,
                &[
                    "affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 101: must be in the range 1-100",
                    "affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.labelSelector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
                    r#"affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.namespace: Invalid value: "A": a lowercase RFC 1123 label must consist of…"#,
                    r#"affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.topologyKey: Invalid value: "a b": name part must consist of…"#,
                ],
            ),
            (
                r#"{"affinity":{"podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"topologyKey":"z","labelSelector":{"matchLabels":{"a":"b"}},"matchLabelKeys":["k"],"mismatchLabelKeys":["k"]}]}}}"#,
                &[
                    r#"affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].matchLabelKeys[0]: Invalid value: "k": exists in both matchLabelKeys and mismatchLabelKeys"#,
                ],
            ),
        ]);
    }
}
