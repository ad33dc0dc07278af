//! What became of each Pod of a Job, and by which rule of the failure policy.

use policy_core::Settings;
use policy_core::job::{Action, Cause, Claim, Phase, Plan, PodFacts, PodRef, PolicyMatch};
use policy_core::orphan::{self, OrphanDecision};
use policy_core::spec::{Job, Pod};
use serde::Serialize;

/// One Pod.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PodRow {
    /// Its name.
    pub pod: String,
    /// Its phase; empty when unset.
    pub phase: &'static str,
    /// Its completion index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<i64>,
    /// What it counts as, and what happens to it now.
    pub how: String,
    /// The rule of the failure policy that its state matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
}

/// What is asked about each Pod.
pub(super) struct Pods<'a> {
    pub(super) job: &'a Job,
    pub(super) plan: &'a Plan,
    pub(super) all_counted: AllCounted,
}

/// Whether the status counts as many Pods as have ended and lost their finalizer, so that none made way uncounted.
#[derive(Clone, Copy, Debug)]
pub(super) struct AllCounted {
    pub(super) succeeded: bool,
    pub(super) failed: bool,
}

impl Pods<'_> {
    pub(super) fn row(&self, pod: &Pod, facts: &PodFacts) -> PodRow {
        let index = (self.job.spec.is_indexed() && facts.index >= 0).then_some(facts.index);
        let policy = facts.policy_match.as_deref().filter(|_| self.failed(facts)).map(in_words);
        PodRow {
            pod: pod.metadata.name.clone(),
            phase: facts.phase.as_str(),
            index,
            how: self.how(pod, facts),
            policy,
        }
    }

    fn failed(&self, pod: &PodFacts) -> bool {
        pod.is_failed(self.job.spec.only_replaces_failed_pods())
    }

    fn how(&self, pod: &Pod, facts: &PodFacts) -> String {
        let planned = |list: &[PodRef]| list.iter().any(|planned| planned.uid() == facts.pod.uid());
        match facts.claim {
            Claim::Orphan if planned(&self.plan.adopt) => return "nobody's: adopted now".into(),
            Claim::Orphan => return "nobody's: not adopted".into(),
            Claim::NotSelected if planned(&self.plan.release) => return "not selected: released now".into(),
            Claim::NotSelected => return "not selected: kept while the Job is being deleted".into(),
            Claim::Foreign => return "somebody else's".into(),
            Claim::Owned => {}
        }
        let goes = planned(&self.plan.remove_finalizer);
        if facts.is_active() {
            let state = if facts.ready { "active, ready" } else { "active" };
            let now = if planned(&self.plan.delete) { ": deleted now" } else { "" };
            return format!("{state}{now}");
        }
        let state = match facts.phase {
            Phase::Succeeded => "succeeded",
            Phase::Failed => "failed",
            _ => "being deleted",
        };
        let ended = facts.is_terminal() || self.failed(facts);
        format!("{state}{}", if ended { self.counting(pod, facts, goes) } else { "" })
    }

    /// Whether and when an ended Pod is counted.
    fn counting(&self, pod: &Pod, facts: &PodFacts, goes: bool) -> &'static str {
        let indexed = self.job.spec.is_indexed();
        let valid = 0..i64::from(self.job.spec.completions.unwrap_or(0));
        let ignored = facts.policy_match.as_ref().is_some_and(|found| found.action == Action::Ignore);
        let ignored = ignored && self.failed(facts);
        if !facts.has_finalizer {
            let succeeded = facts.phase == Phase::Succeeded;
            return match ignored {
                true => ": not counted",
                false if succeeded && self.all_counted.succeeded => ": counted before",
                false if !succeeded && self.all_counted.failed => ": counted before",
                false => ": counted before, or made way uncounted",
            };
        }
        if self.job.status.finished().is_some() {
            let decision = orphan::decide(pod, Some(self.job), &Settings::DEFAULT, &mut ());
            return match decision {
                OrphanDecision::RemoveFinalizer(_) => ": too late to be counted, its finalizer is removed",
                OrphanDecision::Nothing => ": its finalizer is not ours to remove",
            };
        }
        let lists = self.job.status.uncounted_terminated_pods.as_ref();
        let listed = lists.is_some_and(|lists| {
            lists.succeeded.contains(facts.pod.uid()) || lists.failed.contains(facts.pod.uid())
        });
        match goes {
            false if listed => ": in the status, not yet in the counters",
            false if self.job.spec.backoff_limit_per_index.is_some() && self.failed(facts) => {
                ": counted when its index has a new Pod"
            }
            false => ": not counted yet",
            true if indexed && !valid.contains(&facts.index) => ": not counted, it has no index of the Job",
            true if listed => ": in the status, moves into the counters now",
            true if ignored => ": not counted",
            true => ": counted now",
        }
    }
}

fn in_words(found: &PolicyMatch) -> String {
    let cause = match &found.cause {
        Cause::ExitCode { container, code } => format!("exit code {code} of container {container}"),
        Cause::Condition { kind } => format!("condition {kind}"),
    };
    format!("rule {} says {}: {cause}", found.rule, found.action.as_str())
}
