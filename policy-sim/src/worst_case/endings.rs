//! Every way in which a Job can end, or not end.

use super::limit::{Field, Limit, Unit, fields_json};
use super::pods::{policy_field, replacements};
use super::reckoning::Reckoning;
use super::time;
use policy_core::explain::Rule;
use policy_core::spec::reason;
use serde_json::{Value, json};

/// How a Job is when nothing more happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has the condition Complete.
    Complete,
    /// It has the condition Failed.
    Failed,
    /// It goes on for ever.
    Never,
}

impl Outcome {
    /// `Complete`, `Failed` or `never`.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Complete => "Complete",
            Outcome::Failed => "Failed",
            Outcome::Never => "never",
        }
    }
}

/// A way to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// How the Job is then.
    pub outcome: Outcome,
    /// The reason of the condition; unset where there is none.
    pub reason: Option<&'static str>,
    /// The rule that ends it, or that keeps it from ending.
    pub rule: Rule,
    /// The fields that the rule reads.
    pub fields: Vec<Field>,
    /// When it ends like this.
    pub when: String,
}

impl Ending {
    /// The way to end, for programs.
    pub fn to_json(&self) -> Value {
        json!({
            "ending": self.outcome.as_str(),
            "reason": self.reason,
            "rule": self.rule.code(),
            "fields": fields_json(&self.fields),
            "when": self.when,
        })
    }
}

pub(super) fn all(r: &Reckoning<'_>) -> Vec<Ending> {
    let mut endings = Vec::new();
    if !r.facts.is_over_at_once() {
        completions(r, &mut endings);
        failures(r, &mut endings);
    }
    deadline(r, &mut endings);
    never(r, &mut endings);
    endings
}

fn end(
    outcome: Outcome,
    reason: Option<&'static str>,
    rule: Rule,
    fields: Vec<Field>,
    when: impl Into<String>,
) -> Ending {
    Ending { outcome, reason, rule, fields, when: when.into() }
}

fn completions(r: &Reckoning<'_>, endings: &mut Vec<Ending>) {
    let facts = r.facts;
    let succeeds = facts.slots() > 0 && r.environment.exit_codes.has_success();
    if succeeds && facts.success_policy == Some(true) {
        let fields = vec![Field::new("spec.successPolicy", "set")];
        let when = "the indexes that a rule of the success policy asks for have succeeded";
        endings.push(end(
            Outcome::Complete,
            Some(reason::SUCCESS_POLICY),
            Rule::SuccessPolicyMet,
            fields,
            when,
        ));
    }
    // The policy is looked at first: if all indexes satisfy it, the count of completions never decides.
    if facts.completions == Some(0) || succeeds && facts.success_policy != Some(true) {
        let (fields, when) = match facts.completions {
            Some(0) => (vec![Field::new("spec.completions", 0)], "at once: nothing is to be done".to_owned()),
            Some(completions) => (
                vec![Field::new("spec.completions", completions)],
                format!("{completions} {} have succeeded", if facts.indexed { "indexes" } else { "Pods" }),
            ),
            None => (
                vec![Field::new("spec.parallelism", facts.parallelism)],
                "one Pod has succeeded and all others have ended".to_owned(),
            ),
        };
        let reached = Some(reason::COMPLETIONS_REACHED);
        endings.push(end(Outcome::Complete, reached, Rule::CompletionsReached, fields, when));
    }
}

fn failures(r: &Reckoning<'_>, endings: &mut Vec<Ending>) {
    let facts = r.facts;
    if facts.slots() == 0 {
        return;
    }
    if let Some(rule) = facts.actions.fail_job {
        let fields = vec![policy_field("FailJob")(rule)];
        let when = format!("a Pod fails in a way that rules[{rule}] matches");
        let policy = Some(reason::POD_FAILURE_POLICY);
        endings.push(end(Outcome::Failed, policy, Rule::PodFailurePolicyFailsJob, fields, when));
    }
    let Some(limit) = facts.backoff_limit else {
        return indexes(r, endings);
    };
    let exceeded = Some(reason::BACKOFF_LIMIT_EXCEEDED);
    let fields = || vec![Field::new("spec.backoffLimit", limit)];
    if counted_failures(r) > Limit::Finite(limit) {
        let when = if limit == 0 { "a Pod fails".to_owned() } else { format!("more than {limit} Pods fail") };
        endings.push(end(Outcome::Failed, exceeded, Rule::BackoffLimitExceeded, fields(), when));
    }
    if r.restarts_count() {
        let when = format!("containers of running Pods have restarted {} times in all", limit.max(1));
        endings.push(end(Outcome::Failed, exceeded, Rule::RestartLimitExceeded, fields(), when));
    }
    indexes(r, endings);
}

/// How many failures can be counted before something else ends the Job.
fn counted_failures(r: &Reckoning<'_>) -> Limit {
    let facts = r.facts;
    if !(facts.actions.count || facts.actions.fail_index.is_some()) {
        return Limit::ZERO;
    }
    let (Some(per_index), Some(completions)) = (facts.per_index, facts.completions) else {
        return Limit::Unbounded;
    };
    let retries = completions.saturating_mul(if facts.actions.count { per_index } else { 0 });
    let ended = facts
        .max_failed_indexes
        .map_or(completions, |most| most.saturating_add(facts.slots()).min(completions));
    Limit::Finite(retries.saturating_add(ended))
}

fn indexes(r: &Reckoning<'_>, endings: &mut Vec<Ending>) {
    let facts = r.facts;
    let (Some(per_index), Some(completions)) = (facts.per_index, facts.completions) else { return };
    // The fewest failures that use an index up.
    let fewest = match (facts.actions.fail_index, facts.actions.count) {
        (Some(_), _) => 1,
        (None, true) => per_index.saturating_add(1),
        (None, false) => return,
    };
    let field = match facts.actions.fail_index {
        Some(rule) => policy_field("FailIndex")(rule),
        None => Field::new("spec.backoffLimitPerIndex", per_index),
    };
    let within =
        |indexes: u128| Limit::Finite(fewest.saturating_mul(indexes)) <= Limit::from(facts.backoff_limit);
    if let Some(most) = facts.max_failed_indexes
        && most < completions
        && within(most.saturating_add(1))
    {
        let fields = vec![Field::new("spec.maxFailedIndexes", most), field.clone()];
        let when = format!("more than {most} indexes have failed");
        let exceeded = Some(reason::MAX_FAILED_INDEXES_EXCEEDED);
        endings.push(end(Outcome::Failed, exceeded, Rule::MaxFailedIndexesExceeded, fields, when));
    }
    let failing = if r.environment.exit_codes.has_success() { 1 } else { completions };
    if facts.max_failed_indexes.is_none_or(|most| failing <= most) && within(failing) {
        let when = "every index has ended, and some have failed";
        let failed = Some(reason::FAILED_INDEXES);
        endings.push(end(Outcome::Failed, failed, Rule::FailedIndexes, vec![field], when));
    }
}

fn deadline(r: &Reckoning<'_>, endings: &mut Vec<Ending>) {
    let facts = r.facts;
    let (Some(deadline), Some(seconds)) = (facts.deadline_millis(), facts.deadline_seconds) else { return };
    if deadline > 0 && time::without_deadline(r) < Limit::Finite(deadline) {
        return;
    }
    let fields = vec![Field::new("spec.activeDeadlineSeconds", seconds)];
    let when = format!("it has not ended after {}", Unit::Millis.text(Limit::Finite(deadline)));
    let exceeded = Some(reason::DEADLINE_EXCEEDED);
    endings.push(end(Outcome::Failed, exceeded, Rule::DeadlineExceeded, fields, when));
}

fn never(r: &Reckoning<'_>, endings: &mut Vec<Ending>) {
    let facts = r.facts;
    if facts.suspended {
        let fields = vec![Field::new("spec.suspend", true)];
        endings.push(end(Outcome::Never, None, Rule::JobSuspended, fields, "nobody resumes it"));
    }
    if facts.deadline_seconds.is_some() {
        return;
    }
    let (_, brake) = replacements(r);
    if let Some((rule, field, when)) = time::endless(r, brake) {
        endings.push(end(Outcome::Never, None, rule, field.into_iter().collect(), when));
    }
}
