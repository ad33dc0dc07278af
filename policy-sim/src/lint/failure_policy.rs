//! The Pod failure policy: rules that decide nothing, or other than they seem to.

use super::proof::{Proof, job_name};
use super::subject::Subject;
use super::witness::{LINUX_CODES, Reach, Witness, Witnesses, pick};
use super::{Code, Finding, codes};
use policy_core::job::PolicyMatch;
use policy_core::spec::{PodFailurePolicy, PodFailurePolicyRule};
use serde_json::{Value, json};
use shows::Shows;
use std::collections::BTreeMap;

mod disruption;
mod shows;

/// What the checks of one policy share.
struct Cx<'s> {
    subject: &'s Subject,
    policy: &'s PodFailurePolicy,
    reach: Vec<Reach>,
    linux: bool,
}

pub(super) fn check(subject: &Subject, findings: &mut Vec<Finding>) {
    let Some(policy) = &subject.job.spec.pod_failure_policy else { return };
    let linux = !runs_on_windows(subject);
    let reach = Witnesses::new(policy, &subject.container_names(), linux).reach(policy);
    let cx = Cx { subject, policy, reach, linux };
    for (rule, reach) in cx.reach.iter().enumerate() {
        if reach.matches.is_empty() {
            findings.extend(cx.never_matches(rule));
        } else if !reach.is_picked(rule) {
            findings.extend(cx.shadowed(rule));
        } else {
            findings.extend(cx.out_of_range(rule));
            findings.extend(cx.taken_values(rule));
            findings.extend(cx.unbounded_ignore(rule));
            findings.extend(cx.idle_count(rule));
        }
        findings.extend(disruption::check(&cx, rule));
    }
}

/// Exit codes of Windows have 32 bits.
fn runs_on_windows(subject: &Subject) -> bool {
    let spec = &subject.template["spec"];
    spec["os"]["name"] == "windows"
        || spec["nodeSelector"]["kubernetes.io/os"] == "windows"
        // Where Pods run may also be said in ways that are not looked into.
        || (spec["os"].is_null() && spec["affinity"].is_object() && spec["nodeSelector"].is_null())
}

impl Cx<'_> {
    fn rule(&self, rule: usize) -> Option<&PodFailurePolicyRule> {
        self.policy.rules.get(rule)
    }

    fn action(&self, rule: usize) -> &str {
        self.rule(rule).map(|rule| rule.action.as_str()).unwrap_or_default()
    }

    fn path(&self, rule: usize, field: &str) -> String {
        self.subject.path(&format!("podFailurePolicy.rules[{rule}]{field}"))
    }

    fn is_of_template(&self, witness: &Witness) -> bool {
        match witness {
            Witness::Exit { container, .. } => self.subject.container_names().contains(&container.as_str()),
            Witness::Condition { .. } => true,
        }
    }

    /// A finding whose proof is a Pod with these witnesses, which another rule than this one takes, or none.
    fn shown(
        &self,
        code: &'static Code,
        (path, rule): (String, usize),
        witnesses: &[Witness],
        (message, instead): (String, String),
    ) -> Option<Finding> {
        let witnesses = &self.complete(witnesses)?;
        let picked = pick(self.policy, witnesses);
        let title = match &picked {
            Some(picked) => format!("{} decides, not rule {rule}", numbered(picked)),
            None => format!("Rule {rule} does not decide"),
        };
        let proof = Proof::with_job(code.name, title, self.subject);
        let proof =
            Shows { subject: self.subject, picked: picked.as_ref(), not: Some(rule) }.of(proof, witnesses);
        Some(self.subject.finding(code, path, message, instead, proof.others_end(self.subject).build()))
    }

    /// A Pod that fails has a container that does. With a condition alone, one whose exit code changes nothing.
    fn complete(&self, witnesses: &[Witness]) -> Option<Vec<Witness>> {
        if witnesses.iter().any(|witness| matches!(witness, Witness::Exit { .. })) {
            return Some(witnesses.to_vec());
        }
        let picked = pick(self.policy, witnesses)?.rule;
        let container = (*self.subject.container_names().first()?).to_owned();
        let with = |code: i32| {
            let exit = Witness::Exit { container: container.clone(), code };
            witnesses.iter().cloned().chain([exit]).collect::<Vec<_>>()
        };
        let mut pods = LINUX_CODES.map(with);
        pods.find(|pod| pick(self.policy, pod).is_some_and(|by| by.rule == picked))
    }

    fn never_matches(&self, rule: usize) -> Option<Finding> {
        let exit = self.rule(rule)?.on_exit_codes.as_ref()?;
        let container = exit.container_name.clone();
        let container = container.or_else(|| Some((*self.subject.container_names().first()?).to_owned()))?;
        let (code, why) = if exit.operator == "In" {
            let given = *exit.values.first()?;
            let low = u8::try_from(given & 0xff).unwrap_or(0);
            (
                i32::from(low).max(1),
                format!(
                    "lists no exit code that a process on Linux can end with: they are 1 to 255, and {given} is seen as {low}"
                ),
            )
        } else {
            (1, "leaves out every exit code from 1 to 255, and 0 never matches".to_owned())
        };
        let message = format!("rule {rule} ({}) can never match: it {why}", self.action(rule));
        let instead = "list the exit codes that are meant, between 1 and 255, or remove the rule".to_owned();
        let path = self.path(rule, ".onExitCodes.values");
        self.shown(
            &codes::RULE_NEVER_MATCHES,
            (path, rule),
            &[Witness::Exit { container, code }],
            (message, instead),
        )
    }

    fn shadowed(&self, rule: usize) -> Option<Finding> {
        let matches = &self.reach.get(rule)?.matches;
        let (witness, by) = matches.iter().find(|(witness, _)| self.is_of_template(witness))?;
        let mut takers: Vec<usize> = matches.iter().map(|(_, by)| *by).collect();
        takers.sort_unstable();
        takers.dedup();
        let listed: Vec<String> =
            takers.iter().map(|by| format!("rule {by} ({})", self.action(*by))).collect();
        let action = self.action(rule);
        let message = format!(
            "rule {rule} ({action}) never decides: {} takes all that it matches, and the first rule that matches decides",
            listed.join(" and ")
        );
        let instead = if takers.iter().all(|by| self.action(*by) == action) {
            "remove the rule: the one before does the same".to_owned()
        } else {
            format!(
                "move the rule before rule {}, or narrow that one; remove it if it is not needed",
                takers.first().unwrap_or(by)
            )
        };
        let path = self.path(rule, "");
        self.shown(&codes::RULE_SHADOWED, (path, rule), std::slice::from_ref(witness), (message, instead))
    }

    /// Values that no process can end with, beside others in the same rule.
    fn out_of_range(&self, rule: usize) -> Vec<Finding> {
        let Some(exit) = self.rule(rule).and_then(|rule| rule.on_exit_codes.as_ref()) else {
            return Vec::new();
        };
        let odd = exit
            .values
            .iter()
            .enumerate()
            .filter(|(_, code)| self.linux && **code != 0 && !LINUX_CODES.contains(code));
        let finding = |(place, given): (usize, &i32)| {
            let low = i32::from(u8::try_from(given & 0xff).unwrap_or(0));
            let path = self.path(rule, &format!(".onExitCodes.values[{place}]"));
            let message = format!(
                "no process on Linux ends with {given}: exit codes are 0 to 255, and `exit {given}` is seen as {low}"
            );
            let instead = match low {
                0 => format!("remove {given}: it is seen as 0, which is success and never matches"),
                low => format!("write {low} if that is what the program does, or remove it"),
            };
            let container = exit
                .container_name
                .clone()
                .or_else(|| Some((*self.subject.container_names().first()?).to_owned()))?;
            if low == 0 {
                return Some(self.subject.finding(
                    &codes::EXIT_CODE_OUT_OF_RANGE,
                    path,
                    message,
                    instead,
                    self.succeeds(&container, *given),
                ));
            }
            self.shown(
                &codes::EXIT_CODE_OUT_OF_RANGE,
                (path, rule),
                &[Witness::Exit { container, code: low }],
                (message, instead),
            )
        };
        odd.filter_map(finding).collect()
    }

    /// The container ends with what is left of its exit code, which is 0.
    fn succeeds(&self, container: &str, given: i32) -> Value {
        let name = job_name(self.subject);
        let title = format!("`exit {given}` is success");
        Proof::with_job(codes::EXIT_CODE_OUT_OF_RANGE.name, title, self.subject)
            .behaviour(json!({"container": container}), json!([{"run": "1s"}, {"exit": 0}]))
            .others_end(self.subject)
            .asserts(json!({"text": "No failure is seen", "never": true, "job": {"name": name, "fields": {"status.failed": {"min": 1}}}}))
            .asserts(json!({"text": "The Pods succeed", "job": {"name": name, "fields": {"status.succeeded": {"min": 1}}}}))
            .build()
    }

    /// Listed values and patterns that earlier rules always take, in a rule that decides about others.
    fn taken_values(&self, rule: usize) -> Vec<Finding> {
        let Some(reach) = self.reach.get(rule) else { return Vec::new() };
        let mut by_taker: BTreeMap<usize, Vec<(String, Witness)>> = BTreeMap::new();
        for (place, is_it) in self.listed(rule) {
            let about: Vec<&(Witness, usize)> =
                reach.matches.iter().filter(|(witness, _)| is_it(witness)).collect();
            let taken = !about.is_empty() && about.iter().all(|(_, by)| *by != rule);
            let shown = about.iter().find(|(witness, _)| self.is_of_template(witness));
            if let Some((witness, by)) = shown.filter(|_| taken) {
                by_taker.entry(*by).or_default().push((place, witness.clone()));
            }
        }
        let of = |(by, taken): (&usize, &Vec<(String, Witness)>)| self.taken(rule, *by, taken);
        by_taker.iter().filter_map(of).collect()
    }

    /// What a rule lists one by one, with a test for each.
    fn listed(&self, rule: usize) -> Vec<(String, Box<dyn Fn(&Witness) -> bool + '_>)> {
        let Some(rule) = self.rule(rule) else { return Vec::new() };
        let mut listed: Vec<(String, Box<dyn Fn(&Witness) -> bool + '_>)> = Vec::new();
        match (&rule.on_exit_codes, &rule.on_pod_conditions) {
            (Some(exit), _) if exit.operator == "In" => {
                for (place, value) in exit.values.iter().enumerate() {
                    let is_it = move |witness: &Witness| matches!(witness, Witness::Exit { code, .. } if code == value);
                    listed.push((format!(".onExitCodes.values[{place}]"), Box::new(is_it)));
                }
            }
            (None, Some(patterns)) => {
                for (place, pattern) in patterns.iter().enumerate() {
                    let is_it = move |witness: &Witness| matches!(witness, Witness::Condition { kind, status } if *kind == pattern.kind && *status == pattern.status);
                    listed.push((format!(".onPodConditions[{place}]"), Box::new(is_it)));
                }
            }
            _ => {}
        }
        listed
    }

    fn taken(&self, rule: usize, by: usize, taken: &[(String, Witness)]) -> Option<Finding> {
        let (place, witness) = taken.first()?;
        let names: Vec<String> = taken.iter().take(6).map(|(_, witness)| witness.shown()).collect();
        let more = if taken.len() > names.len() { ", …" } else { "" };
        let (earlier, later) = (self.action(by), self.action(rule));
        let message = format!(
            "rule {rule} ({later}) lists {}{more}, but rule {by} ({earlier}) comes first and takes it",
            names.join(", ")
        );
        let (code, instead) = match (earlier, later) {
            ("FailJob", "Ignore") => (
                &codes::FAIL_JOB_PRE_EMPTS_IGNORE,
                format!(
                    "move rule {rule} before rule {by}, or take {} out of one of the two",
                    names.join(", ")
                ),
            ),
            (a, b) if a == b => (
                &codes::VALUE_SHADOWED,
                format!("remove {}{more} here: rule {by} does the same", names.join(", ")),
            ),
            _ => (
                &codes::VALUE_SHADOWED,
                format!(
                    "take {}{more} out of rule {by} if rule {rule} is to decide, else out of rule {rule}",
                    names.join(", ")
                ),
            ),
        };
        self.shown(code, (self.path(rule, place), rule), std::slice::from_ref(witness), (message, instead))
    }

    /// An Ignore rule by exit code, and nothing that ends the Job.
    fn unbounded_ignore(&self, rule: usize) -> Option<Finding> {
        self.rule(rule).filter(|rule| rule.action == "Ignore" && rule.on_exit_codes.is_some())?;
        if self.subject.job.spec.active_deadline_seconds.is_some() {
            return None;
        }
        let own = |(witness, by): &&(Witness, usize)| *by == rule && self.is_of_template(witness);
        let (witness, _) = self.reach.get(rule)?.matches.iter().find(own)?;
        let Witness::Exit { container, code } = witness else { return None };
        let name = job_name(self.subject);
        let title = format!("A container that always exits with {code} is tried for ever");
        let proof = Proof::with_job(codes::IGNORE_WITHOUT_BOUND.name, title, self.subject)
            .behaviour(json!({"container": container}), json!([{"run": "1s"}, {"exit": code}]))
            .others_end(self.subject)
            .until_seconds(6 * 3600)
            .asserts(json!({"text": "No failure is counted, so no limit is ever reached", "never": true,
                "job": {"name": name, "fields": {"status.failed": {"min": 1}}}}))
            .asserts(json!({"text": "After six hours Pods are still being replaced", "pods": {"job": name, "deleted": true, "count": {"min": 10}}}))
            .asserts(json!({"text": "The Job has not ended", "outcome": "deadline"}));
        let message = format!(
            "rule {rule} ignores exit code {code} of container `{container}`, and nothing bounds how often: ignored failures never reach backoffLimit, and there is no deadline"
        );
        let instead = format!(
            "set `{}` so that the Job ends some day, or let the failure count",
            self.subject.path("activeDeadlineSeconds")
        );
        Some(self.subject.finding(
            &codes::IGNORE_WITHOUT_BOUND,
            self.path(rule, ""),
            message,
            instead,
            proof.build(),
        ))
    }

    /// A Count rule after which nothing else could have matched.
    fn idle_count(&self, rule: usize) -> Option<Finding> {
        let later = self.policy.rules.get(rule + 1..)?;
        if self.action(rule) != "Count" || later.iter().any(|rule| rule.action != "Count") {
            return None;
        }
        let own = |(witness, by): &&(Witness, usize)| *by == rule && self.is_of_template(witness);
        let (witness, _) = self.reach.get(rule)?.matches.iter().find(own)?;
        let witnesses = &self.complete(std::slice::from_ref(witness))?;
        let picked = pick(self.policy, witnesses);
        let title = format!("Rule {rule} does what happens without it");
        let proof = Proof::with_job(codes::COUNT_RULE_IDLE.name, title, self.subject);
        let shows = Shows { subject: self.subject, picked: picked.as_ref(), not: None };
        let proof = shows.of(proof, witnesses);
        let message = format!(
            "rule {rule} (Count) does what happens without it: a failure that no rule matches counts, and no other rule follows"
        );
        let instead = "remove the rule, or keep it as a comment on what is meant".to_owned();
        let proof = proof.others_end(self.subject).build();
        Some(self.subject.finding(&codes::COUNT_RULE_IDLE, self.path(rule, ""), message, instead, proof))
    }
}

fn numbered(picked: &PolicyMatch) -> String {
    format!("Rule {} ({})", picked.rule, picked.action.as_str())
}

impl Witness {
    fn shown(&self) -> String {
        match self {
            Witness::Exit { code, .. } => format!("exit code {code}"),
            Witness::Condition { kind, status } => format!("condition {kind}={status}"),
        }
    }
}
