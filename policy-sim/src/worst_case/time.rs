//! How long it can take to the end, and how long creation or a restart can wait.

use super::limit::{Bound, Field, Limit, Unit, counted};
use super::pods::{Brake, brake_field, replacements};
use super::reckoning::{Reckoning, batch, delay, per_sync, restart_pause};
use policy_core::explain::Rule;

/// The longest time to the end, the deadline left out of account.
pub(super) fn without_deadline(r: &Reckoning<'_>) -> Limit {
    let facts = r.facts;
    let sync = Limit::Finite(batch());
    if facts.completions == Some(0) {
        return sync;
    }
    if facts.parallelism == 0 {
        return Limit::Unbounded;
    }
    // What else runs when the end is decided has to stop first.
    let others = facts.slots() > 1 || facts.success_policy == Some(true) || r.environment.disruptions;
    let stopping = if others { r.stops() } else { Limit::ZERO };
    let work = match (facts.per_index, facts.completions) {
        (Some(_), Some(completions)) => indexes(r, completions) + stopping,
        _ => rounds(r, stopping),
    };
    work + sync + crowd(r)
}

/// More Pods than one sync creates, or counts, take several syncs.
fn crowd(r: &Reckoning<'_>) -> Limit {
    let wanted = r.facts.completions.unwrap_or(0).max(r.facts.slots());
    let syncs = match Limit::Finite(wanted) + r.retries {
        Limit::Finite(pods) => Limit::Finite(pods / per_sync()),
        Limit::Unbounded => Limit::Unbounded,
    };
    syncs * Limit::Finite(2 * batch())
}

/// Each failure may take a round of its own, with ever longer waits between. Successes go side by side.
fn rounds(r: &Reckoning<'_>, stopping: Limit) -> Limit {
    let facts = r.facts;
    let slots = facts.slots().max(1);
    let round = r.life + Limit::Finite(batch());
    let before_last = match (facts.completions, r.retries) {
        (Some(completions), retries) => {
            retries + Limit::Finite(completions.div_ceil(slots).saturating_sub(1))
        }
        // Only failures are replaced, and the Pods beside fail as often.
        (None, Limit::Finite(retries)) => Limit::Finite(retries.div_ceil(slots)),
        (None, Limit::Unbounded) => Limit::Unbounded,
    };
    let last = r.life + stopping;
    let last = if r.restarts_count() { last.max(r.last_life()) } else { last };
    before_last * round + last + Limit::Finite(batch()) + r.delays(r.retries)
}

/// Indexes wait each for itself, but hold their place while they wait: the last one begins when the others have done
/// their work side by side.
fn indexes(r: &Reckoning<'_>, completions: u128) -> Limit {
    let (Limit::Finite(life), Limit::Finite(retries)) = (r.life, r.retries) else { return Limit::Unbounded };
    let slots = r.facts.slots().max(1);
    let per_index = r.index_retries;
    let cycle = life.saturating_add(2 * batch());
    let delays = |count: u128| r.delays(Limit::Finite(count)).finite().unwrap_or(u128::MAX);
    let one = cycle.saturating_mul(per_index.saturating_add(1)).saturating_add(delays(per_index));
    if completions <= slots {
        return Limit::Finite(one);
    }
    let (full, rest) =
        (retries.checked_div(per_index).unwrap_or(0), retries.checked_rem(per_index).unwrap_or(0));
    let waiting = full.saturating_mul(delays(per_index)).saturating_add(delays(rest));
    let all = cycle.saturating_mul(completions.saturating_add(retries)).saturating_add(waiting);
    Limit::Finite(one.saturating_add(all.saturating_sub(one).div_ceil(slots)))
}

/// The longest time to the end.
pub(super) fn to_end(r: &Reckoning<'_>) -> Bound {
    let free = without_deadline(r);
    let facts = r.facts;
    if let Some(bound) = by_deadline(r, free) {
        return bound;
    }
    let (_, brake) = replacements(r);
    let mut fields = vec![match facts.completions {
        Some(completions) => Field::new("spec.completions", completions),
        None => Field::new("spec.parallelism", facts.parallelism),
    }];
    if facts.completions.is_some_and(|completions| completions > facts.parallelism) {
        fields.push(Field::new("spec.parallelism", facts.parallelism));
    }
    fields.extend(brake_field(facts, brake));
    let (rule, how) = if let Some((rule, field, how)) = endless(r, brake) {
        fields = field.into_iter().collect();
        (rule, how)
    } else {
        settled(r, brake, &mut fields)
    };
    Bound::new(Unit::Millis, free, rule, fields, how)
}

/// The rule and the words for a time that is bounded without a deadline.
fn settled(r: &Reckoning<'_>, brake: Brake, fields: &mut Vec<Field>) -> (Rule, String) {
    let life = Unit::Millis.text(r.life);
    if r.restarts_count() {
        fields.push(Field::new("spec.backoffLimit", r.facts.backoff_limit.unwrap_or(i32::MAX as u128)));
        fields.dedup();
        // The last one may not be seen in time.
        let restarts = counted(Unit::Count.text(r.restarts() + Limit::Finite(1)), "restart");
        let how = format!("Pods live up to {life}, with {restarts} and the kubelet's pauses between");
        return (Rule::RestartLimitExceeded, how);
    }
    match brake {
        Brake::NoReplacement => {
            (Rule::CompletionsReached, format!("Pods live up to {life}, one round after the other"))
        }
        Brake::PerIndex => {
            let waits = Unit::Millis.text(r.delays(Limit::Finite(r.index_retries)));
            let how = format!("Pods live up to {life}, and each index waits {waits} between its tries");
            (Rule::CreationWaitsForIndexBackoff, how)
        }
        _ => {
            let waits = Unit::Millis.text(r.delays(r.retries));
            let how = format!(
                "Pods live up to {life} and fail one after the other, with {waits} of back-off between"
            );
            (Rule::BackoffLimitExceeded, how)
        }
    }
}

/// The bound that the deadline sets, if it is the smaller one.
fn by_deadline(r: &Reckoning<'_>, free: Limit) -> Option<Bound> {
    let facts = r.facts;
    let (deadline, seconds) = (facts.deadline_millis()?, facts.deadline_seconds?);
    let stopping = if facts.slots() == 0 { Limit::ZERO } else { r.stops() };
    let limit = Limit::Finite(deadline) + stopping + Limit::Finite(batch());
    if limit >= free {
        return None;
    }
    let mut fields = vec![Field::new("spec.activeDeadlineSeconds", seconds)];
    if r.stop < r.run && facts.slots() > 0 {
        let path = "spec.template.spec.terminationGracePeriodSeconds";
        fields.push(Field::new(path, facts.template.grace_seconds));
    }
    let acts_as = Limit::Finite(deadline);
    let how = if u128::try_from(seconds).ok() != Some(deadline / 1_000) {
        format!("the seconds overflow in nanoseconds and act as {}", Unit::Millis.text(acts_as))
    } else {
        format!("the deadline, and up to {} in which Pods end", Unit::Millis.text(stopping))
    };
    Some(Bound::new(Unit::Millis, limit, Rule::DeadlineExceeded, fields, how))
}

/// Why a time has no bound: the rule, the field and the words.
pub(super) fn endless(r: &Reckoning<'_>, brake: Brake) -> Option<(Rule, Option<Field>, String)> {
    let facts = r.facts;
    if facts.completions == Some(0) {
        return None;
    }
    if facts.parallelism == 0 {
        let field = Field::new("spec.parallelism", 0);
        return Some((Rule::PodsCreated, Some(field), "no Pod is ever wanted".into()));
    }
    let limit = || Field::new("spec.backoffLimit", facts.backoff_limit.unwrap_or(i32::MAX as u128));
    if r.life.is_unbounded() {
        let (rule, field, how) = if r.run.is_unbounded() {
            (Rule::PodsCounted, None, "a container may run for ever, and its Pod stays active".to_owned())
        } else if let Some(name) = &facts.template.own_restarts {
            let how = format!("container `{name}` has a restart policy of its own and may restart for ever");
            (Rule::PodsCounted, None, how)
        } else {
            (Rule::RestartLimitExceeded, Some(limit()), "containers may restart for ever".to_owned())
        };
        return Some((rule, field, how));
    }
    match brake {
        Brake::Ignored(rule) => Some((
            Rule::PodFailurePolicyRuleMatched,
            brake_field(facts, brake),
            format!("failures that rules[{rule}] ignores may go on for ever"),
        )),
        Brake::Nothing => {
            Some((Rule::BackoffLimitExceeded, Some(limit()), "Pods may fail and be replaced for ever".into()))
        }
        _ => None,
    }
}

/// The longest wait before a Pod is created again, or a container restarted.
pub(super) fn longest_backoff(r: &Reckoning<'_>) -> Bound {
    let facts = r.facts;
    let (replaced, brake) = replacements(r);
    let in_a_row = match facts.per_index {
        Some(_) if facts.actions.ignore.is_none() => replaced.min(Limit::Finite(r.index_retries)),
        _ => r.retries.min(Limit::from(facts.backoff_limit.filter(|_| facts.actions.ignore.is_none()))),
    };
    let failures = in_a_row.finite().unwrap_or(u128::MAX);
    let by_job = if replaced == Limit::ZERO || failures == 0 { 0 } else { delay(failures) };
    let restarts = (r.restarts() + Limit::Finite(1)).finite().unwrap_or(u128::MAX);
    let by_kubelet = if r.restarts_count() && facts.slots() > 0 { restart_pause(restarts) } else { 0 };
    let limit = by_job.max(by_kubelet);
    let cut = facts.deadline_millis().filter(|deadline| *deadline < limit);
    let (rule, how) = if limit == 0 {
        (Rule::PodsCreated, "nothing is tried again after a wait".into())
    } else if let Some(deadline) = cut {
        let how = format!("the deadline ends the wait of {}", Unit::Millis.text(Limit::Finite(limit)));
        let fields = vec![Field::new("spec.activeDeadlineSeconds", facts.deadline_seconds.unwrap_or(0))];
        return Bound::new(Unit::Millis, Limit::Finite(deadline), Rule::DeadlineExceeded, fields, how);
    } else if by_kubelet > by_job {
        let how = format!("the kubelet's pause after {}", count(restarts));
        (Rule::RestartLimitExceeded, how)
    } else if facts.per_index.is_some() {
        (Rule::CreationWaitsForIndexBackoff, format!("after {} of an index", count(failures)))
    } else {
        (Rule::CreationWaitsForBackoff, format!("after {} without a success between", count(failures)))
    };
    let fields = match rule {
        Rule::PodsCreated => Vec::new(),
        Rule::RestartLimitExceeded => {
            vec![Field::new("spec.backoffLimit", facts.backoff_limit.unwrap_or(i32::MAX as u128))]
        }
        _ => brake_field(facts, brake).into_iter().collect(),
    };
    Bound::new(Unit::Millis, Limit::Finite(limit), rule, fields, how)
}

/// A number of failures after which it does not matter how many there are.
fn count(number: u128) -> String {
    if number > i32::MAX as u128 { "many failures".into() } else { counted(number, "failure") }
}
