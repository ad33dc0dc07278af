//! How it shows which rule has decided about a Pod.

use crate::lint::proof::{ENOUGH_PODS, Proof, job_name};
use crate::lint::subject::Subject;
use crate::lint::witness::Witness;
use policy_core::job::{Action, PolicyMatch};
use serde_json::json;

/// A proof that one rule decides, and not another.
pub(super) struct Shows<'s> {
    pub(super) subject: &'s Subject,
    /// The rule that decides.
    pub(super) picked: Option<&'s PolicyMatch>,
    /// The rule that might be thought to.
    pub(super) not: Option<usize>,
}

impl Shows<'_> {
    /// Lets all Pods fail with these, and claims what has to be seen.
    pub(super) fn of(&self, proof: Proof, witnesses: &[Witness]) -> Proof {
        let proof = self.happens(proof, witnesses).until_seconds(300);
        self.claims(proof)
    }

    fn happens(&self, proof: Proof, witnesses: &[Witness]) -> Proof {
        let name = job_name(self.subject);
        let exit = witnesses.iter().find_map(|witness| match witness {
            Witness::Exit { container, code } => Some((container, *code)),
            Witness::Condition { .. } => None,
        });
        let condition = witnesses.iter().find_map(|witness| match witness {
            Witness::Condition { kind, status } => Some((kind.as_str(), status.as_str())),
            Witness::Exit { .. } => None,
        });
        let Some((container, code)) = exit else { return proof };
        let matches = json!({"container": container});
        match condition {
            None => proof.behaviour(matches, json!([{"run": "1s"}, {"exit": code}])),
            Some(("DisruptionTarget", "True")) => {
                // Whatever stops a Pod sends SIGTERM and, to containers that do not heed it, SIGKILL.
                let behaviour = match code {
                    137 => json!({"matches": matches, "script": ["block"]}),
                    code => json!({"matches": matches, "script": ["block"], "onTerm": code}),
                };
                let node = json!({"ofPod": {"job": name, "nth": 1}});
                proof.behaviour_with(behaviour).action(
                    json!({"name": "drain", "at": "10s", "drain": {"node": node, "gracePeriod": "1s"}}),
                )
            }
            Some((kind, status)) => {
                // Only the first Pod gets the condition; the others wait, lest they fail without it.
                let mut first = json!({"container": container, "attempts": [1]});
                if self.subject.job.spec.is_indexed() {
                    first["indexes"] = "0".into();
                }
                let condition = json!({"type": kind, "status": status, "reason": "Proof"});
                let pod = json!({"job": name, "nth": 1});
                let patch = json!({"pod": pod, "subresource": "status",
                    "patch": {"status": {"conditions": [condition]}}});
                proof
                    .behaviour(first, json!([{"run": "15s"}, {"exit": code}]))
                    .behaviour(matches, json!(["block"]))
                    .action(json!({"name": "mark", "at": "10s", "patch": patch}))
            }
        }
    }

    fn claims(&self, proof: Proof) -> Proof {
        let name = job_name(self.subject);
        let first = self.subject.first_pods().clamp(1, ENOUGH_PODS);
        let failed_by = |rule: usize| json!({"type": "Failed", "reason": "PodFailurePolicy", "message": format!("*matching FailJob rule at index {rule}")});
        let proof = match self.picked {
            Some(picked) if picked.action == Action::FailJob => proof.asserts(json!({
                "text": format!("The Job fails by rule {}", picked.rule),
                "job": {"name": name, "condition": failed_by(picked.rule as usize)}})),
            Some(picked) if picked.action == Action::Ignore => proof
                .asserts(json!({"text": "The failure is not counted", "at": "25s", "job": {"name": name, "fields": {"status.failed": 0}}}))
                .asserts(json!({"text": "The Pod is replaced", "pods": {"job": name, "deleted": true, "count": {"min": first + 1}}})),
            Some(picked) if picked.action == Action::FailIndex => proof.asserts(json!({
                "text": "The index has failed", "job": {"name": name, "fields": {"status.failedIndexes": {"like": "*0*"}}}})),
            _ => proof.asserts(json!({
                "text": "The failure counts", "job": {"name": name, "fields": {"status.failed": {"min": 1}}}})),
        };
        if self.picked.is_some_and(|picked| picked.action == Action::FailJob) {
            return proof;
        }
        let text = match self.not {
            Some(rule) => format!("Rule {rule} does not fail the Job"),
            None => "No rule fails the Job".to_owned(),
        };
        let by_rule = json!({"type": "Failed", "reason": "PodFailurePolicy"});
        proof.asserts(json!({"text": text, "never": true, "job": {"name": name, "condition": by_rule}}))
    }
}
