//! The arithmetic: how long Pods live, how often they are replaced, and how long back-offs take together.

use super::environment::Environment;
use super::facts::Facts;
use super::limit::Limit;
use crate::data::restart::{FIRST_PAUSE_SECONDS, FORGIVEN_AFTER_SECONDS, LONGEST_PAUSE_SECONDS};
use policy_core::Settings;
use policy_core::job::backoff_delay_nanos;

/// The numbers that bounds are made of; times in milliseconds.
#[derive(Clone, Debug)]
pub(super) struct Reckoning<'a> {
    pub(super) facts: &'a Facts,
    pub(super) environment: &'a Environment,
    /// The longest run of a container.
    pub(super) run: Limit,
    /// The longest that a container takes to stop.
    pub(super) stop: Limit,
    /// The longest life of a Pod whose Job goes on.
    pub(super) life: Limit,
    /// How many failed Pods are replaced.
    pub(super) retries: Limit,
    /// How often an index is tried again.
    pub(super) index_retries: u128,
}

impl<'a> Reckoning<'a> {
    pub(super) fn new(facts: &'a Facts, environment: &'a Environment) -> Self {
        let run = Limit::from(environment.run_seconds.map(|seconds| u128::from(seconds) * 1_000));
        let stop = run.min(Limit::Finite(facts.template.grace_millis()));
        let mut reckoning = Reckoning {
            facts,
            environment,
            run,
            stop,
            life: Limit::ZERO,
            retries: Limit::ZERO,
            index_retries: 0,
        };
        reckoning.life = reckoning.longest_life();
        reckoning.set_retries();
        reckoning
    }

    /// Whether containers can fail and are restarted in their Pod.
    pub(super) fn restarts_count(&self) -> bool {
        let template = &self.facts.template;
        template.on_failure && (self.can_fail() || template.sidecars > 0)
    }

    pub(super) fn can_fail(&self) -> bool {
        !self.environment.exit_codes.failures().is_empty()
    }

    /// How often containers of running Pods restart together without failing the Job: once less than the limit, and not
    /// at all when that is 0.
    pub(super) fn restarts(&self) -> Limit {
        if !self.restarts_count() {
            return Limit::ZERO;
        }
        Limit::from(self.facts.backoff_limit.map(|limit| limit.saturating_sub(1)))
    }

    /// The life of a Pod whose containers restart so often: init containers one after the other, then the others side by
    /// side. It is longest when one container does all the restarts, as its pauses get longer.
    fn life_with(&self, restarts: Limit, last_run: Limit) -> Limit {
        let template = &self.facts.template;
        let by_itself = if template.own_restarts.is_some() {
            Limit::Unbounded
        } else {
            Limit::Finite(template.init_containers) * self.run
                + self.cycles(restarts)
                + last_run
                + Limit::Finite(template.sidecars) * self.stop
        };
        let deadline = template.deadline_seconds.and_then(|seconds| u128::try_from(seconds).ok());
        let cut = deadline.map(|seconds| Limit::Finite(seconds.saturating_mul(1_000)) + self.stops());
        cut.map_or(by_itself, |cut| cut.min(by_itself))
    }

    /// A Pod whose containers have restarted once too often may still end well before the controller looks.
    fn longest_life(&self) -> Limit {
        let seen = self.life_with(self.restarts(), self.run);
        if !self.restarts_count() {
            return seen;
        }
        let once_more = self.restarts() + Limit::Finite(1);
        seen.max(self.life_with(once_more, self.run.min(Limit::Finite(batch()))))
    }

    /// The longest life of a Pod that is deleted because its containers have restarted once too often.
    pub(super) fn last_life(&self) -> Limit {
        let once_more = self.restarts() + Limit::Finite(1);
        self.life_with(once_more, self.run.min(self.stop + Limit::Finite(batch())))
    }

    /// The longest that a Pod takes to stop: containers together, then sidecars one after the other.
    pub(super) fn stops(&self) -> Limit {
        Limit::Finite(self.facts.template.sidecars + 1) * self.stop
    }

    /// A run and the pause after it, so many times. A container that ran for long is restarted at once.
    fn cycles(&self, count: Limit) -> Limit {
        let forgiven = Limit::Finite(seconds(FORGIVEN_AFTER_SECONDS));
        sum_until_steady(count, |number| {
            let pause = Limit::Finite(restart_pause(number));
            self.run.max(self.run.min(forgiven) + pause)
        })
    }

    fn set_retries(&mut self) {
        let facts = self.facts;
        let counted = facts.actions.count || facts.actions.fail_index.is_some();
        let global = Limit::from(facts.backoff_limit);
        let slots = Limit::Finite(facts.slots());
        if facts.actions.ignore.is_some() {
            self.retries = slots * Limit::Unbounded;
        } else if let (Some(limit), Some(completions)) = (facts.per_index, facts.completions) {
            let per_index = if facts.actions.count { limit } else { 0 };
            self.index_retries = global.min(Limit::Finite(per_index)).finite().unwrap_or(per_index);
            self.retries = slots.min(Limit::Finite(1))
                * global.min(Limit::Finite(completions.saturating_mul(self.index_retries)));
        } else if counted {
            self.retries = slots.min(Limit::Finite(1)) * global;
        }
    }

    /// How many failed Pods have another one in their place: the next try, or the next index.
    pub(super) fn retries_or_ended(&self) -> Limit {
        match (self.facts.per_index, self.facts.completions) {
            (Some(_), Some(completions)) => self.retries + Limit::Finite(completions),
            _ => self.retries,
        }
    }

    /// How long creation waits altogether after so many failures in a row.
    pub(super) fn delays(&self, failures: Limit) -> Limit {
        sum_until_steady(failures, |number| Limit::Finite(delay(number)))
    }
}

/// The wait after so many failures in a row.
pub(super) fn delay(failures: u128) -> u128 {
    let failures = i32::try_from(failures).unwrap_or(i32::MAX);
    u128::try_from(backoff_delay_nanos(failures, &Settings::DEFAULT)).unwrap_or(0).div_ceil(1_000_000)
}

/// How late a sync may be after what it is about.
pub(super) fn batch() -> u128 {
    u128::try_from(Settings::DEFAULT.sync_batch_period_nanos).unwrap_or(0).div_ceil(1_000_000)
}

/// How many Pods one sync may create, or count.
pub(super) fn per_sync() -> u128 {
    let created = u128::try_from(Settings::DEFAULT.max_pod_create_delete_per_sync).unwrap_or(1);
    created.min(Settings::DEFAULT.max_uncounted_pods as u128).max(1)
}

fn seconds(seconds: i64) -> u128 {
    u128::try_from(seconds).unwrap_or(0).saturating_mul(1_000)
}

/// The kubelet's pause before a container's restart of that number: none before the first.
pub(super) fn restart_pause(number: u128) -> u128 {
    let mut pause = seconds(FIRST_PAUSE_SECONDS);
    for _ in 2..number.min(64) {
        pause = pause.saturating_mul(2).min(seconds(LONGEST_PAUSE_SECONDS));
    }
    if number < 2 { 0 } else { pause }
}

/// The sum of `term` from 1 to `count`, where terms grow until they stay the same.
fn sum_until_steady(count: Limit, term: impl Fn(u128) -> Limit) -> Limit {
    /// Beyond this neither of the two back-offs grows.
    const STEADY: u128 = 16;
    let first = count.min(Limit::Finite(STEADY)).finite().unwrap_or(STEADY);
    let sum = (1..=first).fold(Limit::ZERO, |sum, number| sum + term(number));
    let rest = match count {
        Limit::Finite(count) => Limit::Finite(count.saturating_sub(first)),
        Limit::Unbounded => Limit::Unbounded,
    };
    sum + rest * term(STEADY)
}

/// How often waits can pass in a time, if each of so many rows of failures begins with the shortest wait.
pub(super) fn waits_within(time: u128, rows: u128) -> u128 {
    let shortest = |number: u128| delay(number).saturating_sub(batch()).max(1);
    let (mut left, mut waits) = (time, 0_u128);
    for number in 1.. {
        let wait = shortest(number);
        let fit = left / wait;
        if fit < rows || wait == shortest(number + 1) {
            return waits.saturating_add(fit);
        }
        left -= wait * rows;
        waits = waits.saturating_add(rows);
    }
    waits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_and_sums_follow_the_rules() {
        assert_eq!(
            [1, 2, 3, 4, 6, 7, 99].map(restart_pause),
            [0, 10_000, 20_000, 40_000, 160_000, 300_000, 300_000]
        );
        let sum = |count| sum_until_steady(Limit::Finite(count), |n| Limit::Finite(delay(n)));
        assert_eq!(sum(6), Limit::Finite(630_000));
        assert_eq!(sum(1_006), Limit::Finite(630_000 + 1_000 * 600_000));
        assert_eq!(waits_within(9_000 + 19_000, 1), 2);
        assert_eq!(waits_within(20_000, 5), 2);
    }
}
