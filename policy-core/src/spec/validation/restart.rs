//! When a single container is restarted (`validateContainerRestartPolicy`).

use super::error::Errors;
use super::field::Field;

/// How many rules a container may have.
const MAX_RULES: usize = 20;
/// How many exit codes a rule may list.
const MAX_EXIT_CODES: usize = 255;

/// The policy and rules of a container or sidecar.
pub(super) fn rules(container: &Field<'_, '_>, errors: &mut Errors) {
    let (policy, rules) = (container.child("restartPolicy"), container.child("restartPolicyRules"));
    match policy.opt_text() {
        None if rules.items_len() == 0 => return,
        None => errors.required(&policy, "must specify restartPolicy when restart rules are used"),
        Some("Always" | "Never" | "OnFailure") => {}
        Some(_) => errors.not_supported(&policy, &["Always", "Never", "OnFailure"]),
    }
    if rules.items_len() > MAX_RULES {
        errors.too_many(&rules, MAX_RULES);
    }
    for rule in rules.items() {
        let action = rule.child("action");
        if !matches!(action.text(), "Restart" | "RestartAllContainers") {
            errors.not_supported_value(&action, action.text(), &["Restart", "RestartAllContainers"]);
        }
        exit_codes(&rule.child("exitCodes"), errors);
    }
}

/// `validateInitContainerRestartPolicy`, with the gates for rules and for restarting all containers on: without a
/// policy the rules are not looked at.
pub(super) fn init_rules(container: &Field<'_, '_>, errors: &mut Errors) {
    let policy = container.child("restartPolicy");
    if policy.is_set() {
        rules(container, errors);
    } else if container.child("restartPolicyRules").items_len() > 0 {
        errors.required(&policy, "must specify restartPolicy when restart rules are used");
    }
}

fn exit_codes(codes: &Field<'_, '_>, errors: &mut Errors) {
    if !codes.is_set() {
        return errors.required(codes, "must be specified");
    }
    let operator = codes.child("operator");
    if !matches!(operator.text(), "In" | "NotIn") {
        errors.not_supported_value(&operator, operator.text(), &["In", "NotIn"]);
    }
    let values = codes.child("values");
    if values.items_len() > MAX_EXIT_CODES {
        errors.too_many(&values, MAX_EXIT_CODES);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{expect_container_errors, expect_pod_errors};

    #[test]
    fn restart_policies() {
        expect_container_errors(&[
            (r#"{"restartPolicy":"Always"}"#, &[]),
            (
                r#"{"restartPolicy":"Sometimes"}"#,
                &[
                    r#"restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure""#,
                ],
            ),
            (
                r#"{"restartPolicyRules":[{"action":"Restart","exitCodes":{"operator":"In","values":[1]}}]}"#,
                &["restartPolicy: Required value: must specify restartPolicy when restart rules are used"],
            ),
        ]);
    }

    #[test]
    fn rules() {
        expect_container_errors(&[
            (
                r#"{"restartPolicy":"Never","restartPolicyRules":[{"action":"Pause"}]}"#,
                &[
                    r#"restartPolicyRules[0].action: Unsupported value: "Pause": supported values: "Restart", "RestartAllContainers""#,
                    "restartPolicyRules[0].exitCodes: Required value: must be specified",
                ],
            ),
            (
                r#"{"restartPolicy":"Never","restartPolicyRules":[{"action":"Restart","exitCodes":{"operator":"Is","values":[1]}}]}"#,
                &[
                    r#"restartPolicyRules[0].exitCodes.operator: Unsupported value: "Is": supported values: "In", "NotIn""#,
                ],
            ),
            (
                r#"{"restartPolicy":"OnFailure","restartPolicyRules":[{"action":"Restart","exitCodes":{"operator":"In"}},{"action":"Restart","exitCodes":{"operator":"In","values":[1,1]}}]}"#,
                &[],
            ),
        ]);
    }

    #[test]
    fn rules_of_init_containers() {
        expect_pod_errors(&[(
            r#"{"initContainers":[{"name":"i","image":"b","restartPolicy":"Always","restartPolicyRules":[{"action":"Restart","exitCodes":{"operator":"In","values":[1]}}]}]}"#,
            &[],
        )]);
    }
}
