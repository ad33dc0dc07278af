//! How many Pods there can be: at once, ever, and failed.

use super::facts::Facts;
use super::limit::{Bound, Field, Limit, Unit, counted};
use super::reckoning::{Reckoning, batch, waits_within};
use policy_core::explain::Rule;

/// What keeps the number of replacements within bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Brake {
    /// Nothing fails, or what fails ends the Job.
    NoReplacement,
    BackoffLimit,
    PerIndex,
    Deadline,
    /// Ignored failures are replaced for ever.
    Ignored(u32),
    /// The limit is so large that it is never exceeded.
    Nothing,
}

/// How many failed Pods are replaced, and what sets that.
pub(super) fn replacements(r: &Reckoning<'_>) -> (Limit, Brake) {
    let facts = r.facts;
    let by_deadline =
        facts.deadline_millis().map_or(Limit::Unbounded, |deadline| replaced_within(r, deadline));
    let limit = r.retries.min(by_deadline);
    let brake = match (limit, facts.actions.ignore) {
        (Limit::ZERO, _) => Brake::NoReplacement,
        _ if by_deadline < r.retries => Brake::Deadline,
        (Limit::Unbounded, Some(rule)) => Brake::Ignored(rule),
        (Limit::Unbounded, None) => Brake::Nothing,
        _ if facts.per_index.is_some() && Limit::from(facts.backoff_limit) > r.retries => Brake::PerIndex,
        _ => Brake::BackoffLimit,
    };
    (limit, brake)
}

/// How many Pods can be replaced in a time: all that run fail together, wait, and again. A success ends the wait.
fn replaced_within(r: &Reckoning<'_>, time: u128) -> Limit {
    let facts = r.facts;
    if let (Some(_), Some(completions)) = (facts.per_index, facts.completions) {
        return Limit::Finite(completions.saturating_mul(waves_within(facts, r, time, 1)));
    }
    let successes = facts.completions.map_or(0, |completions| completions.saturating_sub(1));
    let waves = successes.saturating_add(waves_within(facts, r, time, successes.saturating_add(1)));
    Limit::Finite(facts.slots().saturating_mul(waves))
}

/// How often Pods are created again in a time. Where a Pod can fail before all of its containers have ended, upstream
/// takes an earlier time for its end, so that the back-off may be over when the failure is seen.
fn waves_within(facts: &Facts, r: &Reckoning<'_>, time: u128, rows: u128) -> u128 {
    let template = &facts.template;
    let ends_early = template.init_containers > 0 || template.sidecars > 0 || r.environment.disruptions;
    if ends_early { time / batch() + 1 } else { waits_within(time, rows) }
}

/// The Pods that there are without any failure.
fn wanted(facts: &Facts) -> u128 {
    match facts.completions {
        Some(completions) if facts.slots() > 0 => completions,
        _ => facts.slots(),
    }
}

pub(super) fn ever(r: &Reckoning<'_>) -> Bound {
    let (replaced, brake) = replacements(r);
    let facts = r.facts;
    let wanted = wanted(facts);
    let mut fields = vec![size_field(facts)];
    let (rule, why) = match brake {
        _ if facts.is_over_at_once() => {
            (Rule::DeadlineExceeded, "the deadline is over before a Pod is created".into())
        }
        Brake::NoReplacement if facts.actions.fail_job.is_some() => {
            (Rule::PodFailurePolicyFailsJob, format!("{wanted} wanted; the first failure ends the Job"))
        }
        Brake::NoReplacement => (Rule::PodsCreated, format!("{wanted} wanted, and none is replaced")),
        Brake::BackoffLimit => (
            Rule::BackoffLimitExceeded,
            format!("{wanted} wanted, and {} failed ones are replaced", Unit::Count.text(replaced)),
        ),
        Brake::PerIndex => (
            Rule::FailedIndexes,
            format!(
                "{}, each tried {} at most",
                counted(wanted, "index"),
                counted(r.index_retries + 1, "time")
            ),
        ),
        Brake::Deadline => (
            Rule::DeadlineExceeded,
            "as many as the back-off lets through before the deadline, if Pods fail at once".into(),
        ),
        Brake::Ignored(rule) => (
            Rule::PodFailurePolicyRuleMatched,
            format!("failures that rules[{rule}] ignores are replaced for ever"),
        ),
        Brake::Nothing => {
            (Rule::BackoffLimitExceeded, "the limit is so large that it is never exceeded".into())
        }
    };
    fields.extend(brake_field(facts, brake));
    Bound::new(Unit::Count, Limit::Finite(wanted) + replaced, rule, fields, why)
}

pub(super) fn failed(r: &Reckoning<'_>) -> Bound {
    let facts = r.facts;
    let (replaced, brake) = replacements(r);
    let slots = facts.slots();
    let deleted =
        r.restarts_count() || facts.deadline_seconds.is_some() || facts.success_policy == Some(true);
    if slots == 0 || !(facts.actions.any() || deleted) {
        let rule = if facts.is_over_at_once() { Rule::DeadlineExceeded } else { Rule::NewFailureCounted };
        let how = if slots == 0 { "there are no Pods" } else { "no container ends badly" };
        return Bound::new(Unit::Count, Limit::ZERO, rule, vec![size_field(facts)], how.into());
    }
    let last = match facts.max_failed_indexes {
        _ if facts.per_index.is_none() || !(facts.actions.count || facts.actions.fail_index.is_some()) => {
            slots
        }
        Some(most) => most.saturating_add(slots).min(wanted(facts)),
        None => wanted(facts),
    };
    let global = Limit::from(facts.backoff_limit) + Limit::Finite(slots);
    let sum = replaced + Limit::Finite(last);
    let limit = if facts.actions.ignore.is_some() { sum } else { sum.min(global) };
    let mut fields = vec![match brake {
        Brake::PerIndex => size_field(facts),
        _ => Field::new("spec.parallelism", facts.parallelism),
    }];
    fields.extend(brake_field(facts, brake));
    let rule = match brake {
        Brake::Ignored(_) => Rule::PodFailurePolicyRuleMatched,
        Brake::Deadline => Rule::DeadlineExceeded,
        Brake::PerIndex => Rule::FailedIndexes,
        Brake::NoReplacement if facts.actions.fail_job.is_some() => Rule::PodFailurePolicyFailsJob,
        Brake::NoReplacement if r.restarts_count() => Rule::RestartLimitExceeded,
        Brake::NoReplacement => Rule::EndingDeletesActivePods,
        Brake::BackoffLimit | Brake::Nothing => Rule::BackoffLimitExceeded,
    };
    let how = match limit {
        Limit::Unbounded => "as many as there ever are".into(),
        _ if brake == Brake::PerIndex => {
            format!(
                "{} are tried again, and the last try of {last} indexes fails too",
                Unit::Count.text(replaced)
            )
        }
        _ if replaced == Limit::ZERO => {
            format!("all {slots} that run fail together, or are deleted at the end")
        }
        _ => format!(
            "{} fail and are replaced, then all {slots} at once fail before the rest can be stopped",
            Unit::Count.text(replaced)
        ),
    };
    Bound::new(Unit::Count, limit, rule, fields, how)
}

pub(super) fn at_once(r: &Reckoning<'_>) -> Bound {
    let facts = r.facts;
    let slots = facts.slots();
    let (size, rule) = match facts.completions {
        Some(completions) if completions < facts.parallelism => ("spec.completions", Rule::PodsCreated),
        _ => ("spec.parallelism", Rule::PodsCreated),
    };
    let mut fields = vec![Field::new(
        size,
        facts.completions.filter(|c| *c < facts.parallelism).unwrap_or(facts.parallelism),
    )];
    if !r.environment.disruptions || slots == 0 {
        let how = "active Pods never exceed what is wanted".into();
        return Bound::new(Unit::Count, Limit::Finite(slots), rule, fields, how);
    }
    if facts.only_replaces_failed {
        fields.push(Field::new("spec.podReplacementPolicy", "Failed"));
        let how = "a Pod that is being deleted is replaced only once it has ended".into();
        return Bound::new(
            Unit::Count,
            Limit::Finite(slots),
            Rule::CreationWaitsForTerminatingPods,
            fields,
            how,
        );
    }
    let most = Limit::Finite(slots) + overlap(r);
    fields.push(Field::new("spec.podReplacementPolicy", "TerminatingOrFailed"));
    fields.push(Field::new("spec.template.spec.terminationGracePeriodSeconds", facts.template.grace_seconds));
    let how = "disrupted Pods are replaced while they still end".into();
    Bound::new(Unit::Count, most.min(ever(r).limit), rule, fields, how)
}

/// How many Pods that are being deleted can have a replacement already.
fn overlap(r: &Reckoning<'_>) -> Limit {
    let facts = r.facts;
    let Some(window) = r.stops().finite() else { return r.retries_or_ended() };
    // The back-off does not help: it counts from when a container ended or the Pod was not ready any more, which may be
    // long before the deletion.
    let turns = window / batch() + 2;
    r.retries_or_ended().min(Limit::Finite(facts.slots().saturating_mul(turns)))
}

/// The field that says how much work there is.
fn size_field(facts: &Facts) -> Field {
    match facts.completions {
        Some(completions) => Field::new("spec.completions", completions),
        None => Field::new("spec.parallelism", facts.parallelism),
    }
}

/// The field that limits replacements.
pub(super) fn brake_field(facts: &Facts, brake: Brake) -> Option<Field> {
    let limit = facts.backoff_limit.unwrap_or(i32::MAX as u128);
    match brake {
        Brake::NoReplacement => facts.actions.fail_job.map(policy_field("FailJob")),
        Brake::BackoffLimit | Brake::Nothing => Some(Field::new("spec.backoffLimit", limit)),
        Brake::PerIndex => {
            facts.per_index.map(|per_index| Field::new("spec.backoffLimitPerIndex", per_index))
        }
        Brake::Deadline => {
            facts.deadline_seconds.map(|seconds| Field::new("spec.activeDeadlineSeconds", seconds))
        }
        Brake::Ignored(rule) => Some(policy_field("Ignore")(rule)),
    }
}

/// The field of a rule of the Pod failure policy.
pub(super) fn policy_field(action: &'static str) -> impl Fn(u32) -> Field {
    move |rule| Field::new(format!("spec.podFailurePolicy.rules[{rule}].action"), action)
}
