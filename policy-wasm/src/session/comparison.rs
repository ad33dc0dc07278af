//! Where two runs part.

use super::{DecisionRow, Session};
use policy_sim::record::{Decision, parting};
use serde::Serialize;

/// The first decisions that are not the same.
#[derive(Clone, Debug, Serialize)]
pub struct Parting<'s> {
    /// When, in seconds since the start.
    pub seconds: f64,
    /// Ours; none when we have no further one.
    pub here: Option<DecisionRow<'s>>,
    /// The other's.
    pub there: Option<DecisionRow<'s>>,
}

impl Session {
    /// The first decision that is not the same in another session, as far as both have come.
    pub fn parting<'s>(&'s self, other: &'s Session) -> Option<Parting<'s>> {
        let (mine, theirs) = (&self.state.run.world.record, &other.state.run.world.record);
        let [here, there] = parting(&mine.decisions, &theirs.decisions)?;
        let here = here.and_then(|decision| self.numbered(decision));
        let there = there.and_then(|decision| other.numbered(decision));
        let seconds = here.iter().chain(&there).map(|row| row.seconds).fold(f64::INFINITY, f64::min);
        Some(Parting { seconds, here, there })
    }

    fn numbered(&self, decision: &Decision) -> Option<DecisionRow<'_>> {
        let decisions = &self.state.run.world.record.decisions;
        let number = decisions.iter().position(|known| std::ptr::eq(&**known, decision))?;
        self.decision(number)
    }
}
