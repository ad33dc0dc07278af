//! The Pod failure policy (`validatePodFailurePolicy`).

use super::error::Errors;
use super::field::Field;
use super::names;
use alloc::collections::BTreeSet;

/// `maxPodFailurePolicyRules`.
const MAX_RULES: usize = 20;
/// `maxPodFailurePolicyOnExitCodesValues`.
const MAX_EXIT_CODES: usize = 255;
/// `maxPodFailurePolicyOnPodConditionsPatterns`.
const MAX_PATTERNS: usize = 20;

const ACTIONS: [&str; 4] = ["Count", "FailIndex", "FailJob", "Ignore"];

pub(super) fn pod_failure_policy(spec: &Field<'_, '_>, policy: &Field<'_, '_>, errors: &mut Errors) {
    let rules = policy.child("rules");
    if rules.items_len() > MAX_RULES {
        errors.too_many(&rules, MAX_RULES);
    }
    let containers = container_names(spec);
    let per_index = spec.child("backoffLimitPerIndex").is_set();
    for rule in rules.items() {
        action(&rule.child("action"), per_index, errors);
        let exit_codes = rule.child("onExitCodes");
        let conditions = rule.child("onPodConditions");
        if exit_codes.is_set() {
            on_exit_codes(&exit_codes, &containers, errors);
        }
        on_pod_conditions(&conditions, errors);
        match (exit_codes.is_set(), conditions.items_len() > 0) {
            (true, true) => {
                errors.invalid_unshown(
                    &rule,
                    "specifying both OnExitCodes and OnPodConditions is not supported",
                );
            }
            (false, false) => {
                errors
                    .invalid_unshown(&rule, "specifying one of OnExitCodes and OnPodConditions is required");
            }
            _ => {}
        }
    }
}

/// The names of all containers and init containers in the Pod template.
fn container_names<'n>(spec: &Field<'_, 'n>) -> BTreeSet<&'n str> {
    let pod_spec = spec.fields().and_then(|spec| spec.child("template")).and_then(|t| t.child("spec"));
    let lists =
        pod_spec.into_iter().flat_map(|pod| [pod.structs("containers"), pod.structs("initContainers")]);
    lists.flatten().map(|container| container.text("name")).collect()
}

fn action(action: &Field<'_, '_>, per_index: bool, errors: &mut Errors) {
    match action.text() {
        "" => errors.required(action, "valid values: [\"Count\" \"FailIndex\" \"FailJob\" \"Ignore\"]"),
        "FailIndex" if !per_index => {
            errors.invalid(action, "requires the backoffLimitPerIndex to be set");
        }
        known if ACTIONS.contains(&known) => {}
        _ => errors.not_supported(action, &ACTIONS),
    }
}

fn on_exit_codes(requirement: &Field<'_, '_>, containers: &BTreeSet<&str>, errors: &mut Errors) {
    let operator = requirement.child("operator");
    match operator.text() {
        "In" | "NotIn" => {}
        "" => errors.required(&operator, "valid values: [\"In\" \"NotIn\"]"),
        _ => errors.not_supported(&operator, &["In", "NotIn"]),
    }
    let container = requirement.child("containerName");
    if container.opt_text().is_some_and(|name| !containers.contains(name)) {
        errors.invalid(&container, "must be one of the container or initContainer names in the pod template");
    }
    exit_codes(&requirement.child("values"), operator.text() == "In", errors);
}

fn exit_codes(values: &Field<'_, '_>, listed_fail: bool, errors: &mut Errors) {
    match values.items_len() {
        0 => errors.invalid(values, "at least one value is required"),
        count if count > MAX_EXIT_CODES => errors.too_many(values, MAX_EXIT_CODES),
        _ => {}
    }
    let mut seen = BTreeSet::new();
    let (mut last, mut ordered) = (i64::MIN, true);
    for value in values.items() {
        let code = value.int_or_zero();
        if listed_fail && code == 0 {
            errors.invalid(&value, "must not be 0 for the In operator");
        }
        if !seen.insert(code) {
            errors.duplicate(&value);
        }
        ordered &= last <= code;
        last = code;
    }
    if !ordered {
        errors.invalid(values, "must be ordered");
    }
}

fn on_pod_conditions(patterns: &Field<'_, '_>, errors: &mut Errors) {
    if patterns.items_len() > MAX_PATTERNS {
        errors.too_many(patterns, MAX_PATTERNS);
    }
    for pattern in patterns.items() {
        let condition = pattern.child("type");
        for message in names::label_key(condition.text()) {
            errors.invalid_value(&condition, condition.text(), message);
        }
        let status = pattern.child("status");
        match status.text() {
            "False" | "True" | "Unknown" => {}
            "" => errors.required(&status, "valid values: [\"False\" \"True\" \"Unknown\"]"),
            _ => errors.not_supported(&status, &["False", "True", "Unknown"]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::expect_job_errors;

    #[test]
    fn rules() {
        expect_job_errors(&[
            (
                r#"{"spec":{"podFailurePolicy":{"rules":[{"action":"FailJob"}]}}}"#,
                &[
                    "spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required",
                ],
            ),
            (
                r#"{"spec":{"podFailurePolicy":{"rules":[{"action":"Retry","onExitCodes":{"operator":"In","values":[0,1,1]}}]}}}"#,
                &[
                    r#"spec.podFailurePolicy.rules[0].action: Unsupported value: "Retry": supported values: "Count", "FailIndex", "FailJob", "Ignore""#,
                    "spec.podFailurePolicy.rules[0].onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator",
                    "spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Duplicate value: 1",
                ],
            ),
            (
                r#"{"spec":{"podFailurePolicy":{"rules":[{"action":"FailIndex","onExitCodes":{"containerName":"b","operator":"NotIn","values":[2,1]}}]}}}"#,
                &[
                    r#"spec.podFailurePolicy.rules[0].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set"#,
                    r#"spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: "b": must be one of the container or initContainer names in the pod template"#,
                    "spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [2,1]: must be ordered",
                ],
            ),
            (
                r#"{"spec":{"podFailurePolicy":{"rules":[{"action":"Ignore","onPodConditions":[{"type":"a b","status":"Maybe"}],"onExitCodes":{"operator":"Is","values":[]}}]}}}"#,
                &[
                    r#"spec.podFailurePolicy.rules[0].onExitCodes.operator: Unsupported value: "Is": supported values: "In", "NotIn""#,
                    "spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: []: at least one value is required",
                    r#"spec.podFailurePolicy.rules[0].onPodConditions[0].type: Invalid value: "a b": name part must consist of…"#,
                    r#"spec.podFailurePolicy.rules[0].onPodConditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown""#,
                    "spec.podFailurePolicy.rules[0]: Invalid value: specifying both OnExitCodes and OnPodConditions is not supported",
                ],
            ),
            (
                r#"{"spec":{"podFailurePolicy":{"rules":[]},"template":{"spec":{"restartPolicy":"OnFailure"}}}}"#,
                &[
                    r#"spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified"#,
                ],
            ),
        ]);
    }
}
