//! Which rule of the Pod failure policy a Pod's state matches.

use crate::spec::{ContainerStatus, OnExitCodes, OnPodCondition, PodFailurePolicy, PodStatus};
use alloc::string::String;
use alloc::sync::Arc;

/// What a rule of the Pod failure policy asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The Job fails at once.
    FailJob,
    /// The Pod's index fails at once.
    FailIndex,
    /// The failure does not count.
    Ignore,
    /// The failure counts, as without a rule.
    Count,
}

impl Action {
    fn of(text: &str) -> Option<Self> {
        match text {
            "FailJob" => Some(Action::FailJob),
            "FailIndex" => Some(Action::FailIndex),
            "Ignore" => Some(Action::Ignore),
            "Count" => Some(Action::Count),
            _ => None,
        }
    }

    /// The action as the spec writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::FailJob => "FailJob",
            Action::FailIndex => "FailIndex",
            Action::Ignore => "Ignore",
            Action::Count => "Count",
        }
    }
}

/// The rule that a Pod's state matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyMatch {
    /// The rule's place in `spec.podFailurePolicy.rules`.
    pub rule: u32,
    /// What it asks for.
    pub action: Action,
    /// What in the Pod's status matched.
    pub cause: Cause,
}

/// What in a Pod's status a rule matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A container's exit code.
    ExitCode {
        /// The container.
        container: Arc<str>,
        /// Its exit code.
        code: i32,
    },
    /// A condition of the Pod.
    Condition {
        /// Its type.
        kind: Arc<str>,
    },
}

impl PolicyMatch {
    /// The message of the Job's failure, upstream's words (upstream `matchPodFailurePolicy`).
    pub fn fail_job_message(&self, namespace: &str, pod: &str) -> String {
        let (rule, action) = (self.rule, self.action.as_str());
        match &self.cause {
            Cause::ExitCode { container, code } => alloc::format!(
                "Container {container} for pod {namespace}/{pod} failed with exit code {code} matching {action} rule at index {rule}"
            ),
            Cause::Condition { kind } => {
                alloc::format!(
                    "Pod {namespace}/{pod} has condition {kind} matching {action} rule at index {rule}"
                )
            }
        }
    }
}

/// Whether a failure with this match counts against `backoffLimit`.
pub(crate) fn counts(policy_match: Option<&PolicyMatch>) -> bool {
    policy_match.is_none_or(|m| m.action != Action::Ignore)
}

/// The first rule that matches a Pod's status (upstream `matchPodFailurePolicy`). A rule with an action that upstream
/// does not know is passed over.
///
/// ```
/// use policy_core::job::{Action, match_pod_failure_policy};
/// let policy = serde_json::from_str(
///     r#"{"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}]}"#,
/// ).unwrap();
/// let status = serde_json::from_str(
///     r#"{"containerStatuses": [{"name": "main", "state": {"terminated": {"exitCode": 42}}}]}"#,
/// ).unwrap();
/// assert_eq!(match_pod_failure_policy(&policy, &status).unwrap().action, Action::FailJob);
/// ```
pub fn match_pod_failure_policy(policy: &PodFailurePolicy, status: &PodStatus) -> Option<PolicyMatch> {
    for (position, rule) in policy.rules.iter().enumerate() {
        let cause = match (&rule.on_exit_codes, &rule.on_pod_conditions) {
            (Some(exit_codes), _) => match_exit_codes(status, exit_codes),
            (None, Some(patterns)) => match_conditions(status, patterns),
            (None, None) => None,
        };
        if let (Some(cause), Some(action)) = (cause, Action::of(&rule.action)) {
            let rule = u32::try_from(position).unwrap_or(u32::MAX);
            return Some(PolicyMatch { rule, action, cause });
        }
    }
    None
}

/// Regular containers come before init containers (upstream `matchOnExitCodes`).
fn match_exit_codes(status: &PodStatus, wanted: &OnExitCodes) -> Option<Cause> {
    match_containers(&status.container_statuses, wanted)
        .or_else(|| match_containers(&status.init_container_statuses, wanted))
}

/// Exit code 0 never matches, not even `NotIn`; running containers are passed over (upstream
/// `getMatchingContainerFromList`).
fn match_containers(statuses: &[ContainerStatus], wanted: &OnExitCodes) -> Option<Cause> {
    statuses.iter().find_map(|status| {
        let code = status.state.terminated.as_ref()?.exit_code;
        let named = wanted.container_name.as_ref().is_none_or(|name| *name == status.name);
        let matches = match wanted.operator.as_str() {
            "In" => wanted.values.contains(&code),
            "NotIn" => !wanted.values.contains(&code),
            _ => false,
        };
        (named && code != 0 && matches)
            .then(|| Cause::ExitCode { container: status.name.as_str().into(), code })
    })
}

/// The Pod's conditions are gone through first, the patterns within (upstream `matchOnPodConditions`).
fn match_conditions(status: &PodStatus, patterns: &[OnPodCondition]) -> Option<Cause> {
    let matched = status.conditions.iter().find(|condition| {
        patterns.iter().any(|p| p.kind == condition.kind && p.status == condition.status)
    })?;
    Some(Cause::Condition { kind: matched.kind.as_str().into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn matched(rules: Value, status: Value) -> Option<PolicyMatch> {
        let policy = serde_json::from_value(json!({"rules": rules})).unwrap();
        match_pod_failure_policy(&policy, &serde_json::from_value(status).unwrap())
    }

    fn ended(name: &str, code: i32) -> Value {
        json!({"name": name, "state": {"terminated": {"exitCode": code}}})
    }

    #[test]
    fn exit_code_zero_never_matches() {
        let rules = json!([{"action": "FailJob", "onExitCodes": {"operator": "NotIn", "values": [1]}}]);
        assert_eq!(matched(rules.clone(), json!({"containerStatuses": [ended("main", 0)]})), None);
        assert!(matched(rules, json!({"containerStatuses": [ended("main", 2)]})).is_some());
    }

    #[test]
    fn containers_come_before_init_containers_and_the_first_rule_wins() {
        let rules = json!([
            {"action": "FailIndex", "onExitCodes": {"containerName": "none", "operator": "In", "values": [3]}},
            {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [3, 4]}},
            {"action": "Ignore", "onExitCodes": {"operator": "In", "values": [3]}},
        ]);
        let status =
            json!({"initContainerStatuses": [ended("init", 3)], "containerStatuses": [ended("main", 4)]});
        let found = matched(rules, status).unwrap();
        assert_eq!((found.rule, found.action), (1, Action::FailJob));
        assert_eq!(
            found.fail_job_message("default", "p"),
            "Container main for pod default/p failed with exit code 4 matching FailJob rule at index 1"
        );
    }

    #[test]
    fn conditions_need_type_and_status() {
        let rules = json!([{"action": "Ignore", "onPodConditions": [
            {"type": "Other", "status": "True"}, {"type": "DisruptionTarget", "status": "True"}]}]);
        let with = |status: &str| json!({"conditions": [{"type": "DisruptionTarget", "status": status}]});
        assert_eq!(matched(rules.clone(), with("False")), None);
        assert_eq!(matched(rules, with("True")).unwrap().action, Action::Ignore);
    }

    #[test]
    fn a_rule_with_an_unknown_action_is_passed_over() {
        let condition = json!([{"type": "X", "status": "True"}]);
        let rules = json!([
            {"action": "Explode", "onPodConditions": condition}, {"action": "Count", "onPodConditions": condition}]);
        let status = json!({"conditions": [{"type": "X", "status": "True"}]});
        assert_eq!(matched(rules, status).unwrap().rule, 1);
    }
}
