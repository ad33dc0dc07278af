//! Looking ahead in a run, and adding to what is to come.

use super::Run;
use crate::scenario::perform;
use crate::scenario::source::Source;
use policy_core::Timestamp;

impl<'s> Run<'s> {
    /// Goes on with a scenario that differs in more actions at its end, none of them due before now.
    pub fn extend(&mut self, scenario: impl Into<Source<'s>>) {
        let known = self.scenario.actions.len();
        self.scenario = scenario.into();
        let start = self.world.config.start;
        let scenario = self.scenario.clone();
        for (place, action) in scenario.actions.iter().enumerate().skip(known) {
            if let Some(at) = action.timing.at {
                self.plan(place, start.plus_nanos(at.nanos()), 1, 0);
            }
        }
    }

    /// When the run ends at the latest.
    pub fn deadline(&self) -> Timestamp {
        self.deadline
    }

    /// The times at which actions of the scenario are due next.
    pub fn planned(&self) -> impl Iterator<Item = (Timestamp, String)> + '_ {
        self.planned.iter().filter_map(|planned| {
            let action = self.scenario.actions.get(planned.action)?;
            Some((planned.at, perform::described(&action.verb)))
        })
    }
}
