//! Checks that times can be.

use super::Checker;
use crate::scenario::assertion::{Assertion, Moment, Window};
use crate::scenario::duration::Duration;
use crate::scenario::model::Scenario;
use crate::scenario::problem::{FieldPath, Problem};

impl Checker {
    pub(super) fn action_time(&mut self, scenario: &Scenario, index: usize, path: &FieldPath) {
        let Some(action) = scenario.actions.get(index) else { return };
        let timing = &action.timing;
        let given =
            [("at", timing.at.is_some()), ("after", timing.after.is_some()), ("when", timing.when.is_some())];
        let given: Vec<&str> = given.iter().filter(|(_, given)| *given).map(|(key, _)| *key).collect();
        match given.as_slice() {
            [] => self.problems.push(
                Problem::new(path, "the action has no time")
                    .help("add `at: 30s`, `after: ACTION` or `when: CHECK`"),
            ),
            [first, second, ..] => {
                self.report(&path.key(second), format!("`{first}` and `{second}` exclude each other"));
            }
            [_] => {}
        }
        if timing.delay > Duration::default() && timing.at.is_some() {
            self.report(&path.key("delay"), "`delay` goes with `after` or `when`; add it to `at` instead");
        }
        if timing.times.is_some() && timing.every.is_none() {
            self.report(&path.key("times"), "`times` needs `every`");
        }
        if timing.every.is_some_and(|every| every.nanos() < 1_000_000) {
            self.report(&path.key("every"), "expected at least `1ms`");
        }
        self.before_the_end(timing.at, &path.key("at"));
        if let Some(after) = &timing.after {
            self.after(scenario, index, after, &path.key("after"));
        }
    }

    /// Follows `after` from action to action; it has to end at one with a time of its own.
    fn after(&mut self, scenario: &Scenario, index: usize, after: &str, path: &FieldPath) {
        let place_of = |name: &str| {
            scenario.actions.iter().position(|action| action.timing.name.as_deref() == Some(name))
        };
        let mut next = Some(after);
        let mut steps = 0;
        while let Some(name) = next {
            let Some(place) = place_of(name) else {
                if name == after {
                    let known = scenario.actions.iter().filter_map(|action| action.timing.name.as_deref());
                    let problem = Problem::new(path, format!("there is no action `{name}`"));
                    self.problems.push(problem.suggest(name, known));
                }
                return;
            };
            steps += 1;
            if place == index || steps > scenario.actions.len() {
                return self.report(path, "the action waits for itself");
            }
            next = scenario.actions.get(place).and_then(|action| action.timing.after.as_deref());
        }
    }

    pub(super) fn assertion_time(&mut self, assertion: &Assertion, path: &FieldPath) {
        match assertion.timing {
            Moment::At(at) => self.before_the_end(Some(at), &path.key("at")),
            Moment::First(window) => self.window(window, &path.key("first")),
            Moment::End | Moment::Throughout | Moment::Never => {}
        }
    }

    pub(super) fn window(&mut self, window: Window, path: &FieldPath) {
        if let Some(max) = window.max.filter(|max| *max < window.min) {
            self.report(path, format!("the window is empty: `{max}` is before `{}`", window.min));
        }
        self.before_the_end(Some(window.min), &path.key("min"));
    }

    fn before_the_end(&mut self, time: Option<Duration>, path: &FieldPath) {
        if let Some(time) = time.filter(|time| *time > self.until) {
            let until = self.until;
            let problem = Problem::new(path, format!("`{time}` is after the end of the run at `{until}`"));
            self.problems.push(problem.help("make it earlier, or `until` later"));
        }
    }
}
