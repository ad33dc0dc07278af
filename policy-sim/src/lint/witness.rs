//! Which rules of a Pod failure policy can be picked at all, by asking the controller's matcher about Pods.
//!
//! A rule matches a Pod for one of its containers or one of its conditions, and what more there is in a Pod never makes
//! a rule match less. So if any Pod picks a rule, then so does the Pod with that one container or condition alone. Of
//! containers, only those differ that rules name; of exit codes, only those that rules list. Trying one of each kind is
//! therefore trying all Pods.

use policy_core::job::{PolicyMatch, match_pod_failure_policy};
use policy_core::spec::{
    ContainerState, ContainerStateTerminated, ContainerStatus, PodCondition, PodFailurePolicy, PodStatus,
};
use std::collections::BTreeSet;

/// One thing about a Pod for which a rule may match it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Witness {
    Exit { container: String, code: i32 },
    Condition { kind: String, status: String },
}

/// The exit codes that a process on Linux can have, without 0 (which no rule matches).
pub(super) const LINUX_CODES: std::ops::RangeInclusive<i32> = 1..=255;

/// The status of a failed Pod with these.
pub(super) fn pod(witnesses: &[Witness]) -> PodStatus {
    let mut status = PodStatus { phase: "Failed".into(), ..PodStatus::default() };
    for witness in witnesses {
        match witness {
            Witness::Exit { container, code } => {
                let terminated = ContainerStateTerminated { exit_code: *code, ..Default::default() };
                status.container_statuses.push(ContainerStatus {
                    name: container.clone(),
                    state: ContainerState { terminated: Some(terminated) },
                    restart_count: 0,
                });
            }
            Witness::Condition { kind, status: value } => status.conditions.push(PodCondition {
                kind: kind.clone(),
                status: value.clone(),
                ..PodCondition::default()
            }),
        }
    }
    status
}

/// The rule that a Pod with these picks.
pub(super) fn pick(policy: &PodFailurePolicy, witnesses: &[Witness]) -> Option<PolicyMatch> {
    match_pod_failure_policy(policy, &pod(witnesses))
}

/// Everything that the rules tell apart.
pub(super) struct Witnesses {
    all: Vec<Witness>,
}

/// What becomes of one rule.
pub(super) struct Reach {
    /// For which it matches, if it were the only rule, with the rule that is picked.
    pub(super) matches: Vec<(Witness, usize)>,
}

impl Reach {
    /// Whether some Pod picks the rule with this place.
    pub(super) fn is_picked(&self, rule: usize) -> bool {
        self.matches.iter().any(|(_, picked)| *picked == rule)
    }
}

impl Witnesses {
    /// `containers` are the template's, which come first. Without `linux`, exit codes may be any number.
    pub(super) fn new(policy: &PodFailurePolicy, containers: &[&str], linux: bool) -> Self {
        let mut names: Vec<String> = containers.iter().map(|name| (*name).to_owned()).collect();
        let mut codes = BTreeSet::new();
        let mut all = Vec::new();
        for rule in &policy.rules {
            if let Some(exit) = &rule.on_exit_codes {
                names.extend(exit.container_name.clone());
                codes.extend(exit.values.iter().copied().filter(|code| !linux || LINUX_CODES.contains(code)));
            }
            let patterns = rule.on_pod_conditions.iter().flatten();
            all.extend(
                patterns.map(|p| Witness::Condition { kind: p.kind.clone(), status: p.status.clone() }),
            );
        }
        // One that no rule names, as admission may add it: a container name cannot hold a slash.
        names.push("/another".into());
        let other = LINUX_CODES.chain(if linux { 0..=0 } else { 256..=66_000 });
        codes.extend(other.filter(|code| *code != 0).find(|code| !codes.contains(code)));
        codes.remove(&0);
        let mut seen = BTreeSet::new();
        names.retain(|name| seen.insert(name.clone()));
        for container in &names {
            all.extend(codes.iter().map(|code| Witness::Exit { container: container.clone(), code: *code }));
        }
        Witnesses { all }
    }

    /// For each rule, what it would match and who takes it.
    pub(super) fn reach(&self, policy: &PodFailurePolicy) -> Vec<Reach> {
        let alone: Vec<PodFailurePolicy> =
            policy.rules.iter().map(|rule| PodFailurePolicy { rules: vec![rule.clone()] }).collect();
        let mut reach: Vec<Reach> = alone.iter().map(|_| Reach { matches: Vec::new() }).collect();
        for witness in &self.all {
            let status = pod(std::slice::from_ref(witness));
            let Some(picked) = match_pod_failure_policy(policy, &status) else { continue };
            for (alone, reach) in alone.iter().zip(&mut reach) {
                if match_pod_failure_policy(alone, &status).is_some() {
                    reach.matches.push((witness.clone(), picked.rule as usize));
                }
            }
        }
        reach
    }
}
