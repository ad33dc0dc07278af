//! Going to other times. What is deterministic needs no film: a checkpoint and what happens from there give any time.

use super::{Position, Session, State};
use policy_core::Timestamp;
use std::rc::Rc;

/// How many steps the first checkpoints are apart.
pub(super) const FIRST_INTERVAL: usize = 64;
/// With more checkpoints every second one is dropped, and they are twice as far apart from then on.
const MOST_CHECKPOINTS: usize = 64;

/// As many Pods make a copy as expensive as a step.
const STEPS_SAVED: usize = 2;

/// What one step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// One thing that happens.
    Event,
    /// Whatever happens until a controller has decided once more.
    Decision,
}

impl Session {
    /// Goes on by one.
    pub fn step(&mut self, unit: Unit) -> Position {
        let decisions = self.state.run.world.record.decisions.len();
        let end = self.state.run.deadline();
        while self.advance(end) {
            if unit == Unit::Event || self.state.run.world.record.decisions.len() > decisions {
                break;
            }
        }
        self.at = self.state.now();
        self.position()
    }

    /// Goes back by one.
    pub fn back(&mut self, unit: Unit) -> Position {
        let steps = match unit {
            Unit::Event => self.state.steps.saturating_sub(1),
            Unit::Decision => self.state.changes.decision_before(self.state.steps),
        };
        self.restore(|state| state.steps <= steps && state.run.ending().is_none());
        let end = self.state.run.deadline();
        while self.state.steps < steps && self.advance(end) {}
        self.at = self.state.now();
        self.position()
    }

    /// Goes to a time, with at most so many steps.
    pub fn seek(&mut self, seconds: f64, max_steps: usize) -> Position {
        self.seek_to(self.instant(seconds), max_steps)
    }

    pub(super) fn seek_to(&mut self, to: Timestamp, max_steps: usize) -> Position {
        let ahead = |state: &Rc<State>| state.steps > self.state.steps && state.now() <= to;
        if to < self.state.now() || self.checkpoints.iter().any(ahead) {
            self.restore(|state| state.now() <= to);
        }
        let mut left = max_steps;
        while left > 0 && self.advance(to) {
            left -= 1;
        }
        // Something may be left to do at the very time that was asked for.
        let paused = left == 0 && self.state.now() < to && self.state.run.ending().is_none();
        let over = self.state.run.ending().is_some();
        self.at = if paused || over { self.state.now() } else { to.max(self.state.now()) };
        Position { paused, ..self.position() }
    }

    /// The instant so many seconds after the start, within the run.
    fn instant(&self, seconds: f64) -> Timestamp {
        let (start, end) = (self.start(), self.state.run.deadline());
        let most = end.nanos_since(start);
        // Not a number is the start; a conversion from a float saturates.
        let nanos = (seconds * 1e9).round() as i64;
        start.plus_nanos(nanos.clamp(0, most.max(0)))
    }

    fn advance(&mut self, until: Timestamp) -> bool {
        let stepped = self.state.step(until);
        let last = self.checkpoints.last().map_or(0, |state| state.steps);
        // A copy of a large world costs more, and so does each of its steps.
        let interval = self.interval.max(self.state.run.world.store.pods_ever() / STEPS_SAVED);
        if stepped && self.state.steps >= last + interval {
            self.checkpoints.push(Rc::new(self.state.clone()));
            if self.checkpoints.len() > MOST_CHECKPOINTS {
                let mut place = 0;
                self.checkpoints.retain(|_| {
                    place += 1;
                    place % 2 == 1
                });
                self.interval *= 2;
            }
        }
        stepped
    }

    /// Goes back to the latest checkpoint that will do; the first one always does.
    pub(super) fn restore(&mut self, will_do: impl Fn(&State) -> bool) {
        let found = self.checkpoints.iter().rev().find(|state| will_do(state));
        if let Some(state) = found.or(self.checkpoints.first()) {
            self.state = State::clone(state);
            // A checkpoint from before an injection does not know of it.
            if self.state.run.scenario().actions.len() < self.scenario.actions.len() {
                self.state.run.extend(std::sync::Arc::clone(&self.scenario));
            }
        }
    }
}
