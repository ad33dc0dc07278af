//! The scenario of a run: borrowed, or shared with others.

use super::model::Scenario;
use std::ops::Deref;
use std::sync::Arc;

/// Where a run has its scenario from. A copy costs nothing.
#[derive(Clone, Debug)]
pub enum Source<'s> {
    /// From somebody who outlives the run.
    Borrowed(&'s Scenario),
    /// Shared: such a run outlives everybody else.
    Shared(Arc<Scenario>),
}

impl Deref for Source<'_> {
    type Target = Scenario;

    fn deref(&self) -> &Scenario {
        match self {
            Source::Borrowed(scenario) => scenario,
            Source::Shared(scenario) => scenario,
        }
    }
}

impl<'s> From<&'s Scenario> for Source<'s> {
    fn from(scenario: &'s Scenario) -> Self {
        Source::Borrowed(scenario)
    }
}

impl From<Arc<Scenario>> for Source<'_> {
    fn from(scenario: Arc<Scenario>) -> Self {
        Source::Shared(scenario)
    }
}
