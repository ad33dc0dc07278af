//! Writes that nothing explains: what was decided instead, and how to go on.

use super::follow::Search;
use super::past::{Hypothesis, Past};
use super::{Controller, Sync};
use crate::replay::writes::instants;
use std::rc::Rc;

/// How many hypotheses of each reading are kept after a write that nothing explains, those that saw the most first. Each
/// such write would multiply them otherwise.
const READINGS: usize = 16;

/// A hypothesis that a write nearly fits.
pub(super) struct Miss<C: Controller> {
    /// How what was decided differs from what was written.
    pub(super) differences: Vec<String>,
    /// What the hypothesis becomes if the write is taken for what was decided.
    pub(super) then: Hypothesis<C>,
}

impl<C: Controller> Search<'_, '_, C> {
    /// Takes a write that nothing explains and tells what was decided instead. Whatever comes after it should still be
    /// explained if it can be, so the search goes on with each reading of it: that it is the nearest decision after
    /// all, that it is somebody else's write, and that the controller has begun anew after it.
    pub(super) fn take_unexplained(&mut self, place: usize) -> String {
        self.misses = Some(Vec::new());
        self.advance(place);
        let misses = self.misses.take().unwrap_or_default();
        let fewest = misses.iter().map(|miss| miss.differences.len()).min();
        let is_near = |miss: &&Miss<C>| Some(miss.differences.len()) == fewest;
        let difference = match misses.iter().rev().find(is_near) {
            Some(miss) => miss.differences.join("; "),
            None => self.decided_instead(place),
        };
        let near = misses.iter().rev().filter(is_near).map(|miss| miss.then.clone()).take(READINGS);
        let mut next: Vec<Hypothesis<C>> = near.collect();
        next.extend(self.begun_anew(place).into_iter().take(READINGS));
        next.extend(std::mem::take(&mut self.hypotheses).into_iter().rev().take(READINGS));
        self.hypotheses = Hypothesis::distinct(next);
        difference
    }

    /// Pasts in which no sync is under way after a write, with the memory as it was and with none.
    fn begun_anew(&self, place: usize) -> Vec<Hypothesis<C>> {
        let Some(write) = self.writes.get(place) else { return Vec::new() };
        let shown = self.controller.shows(write);
        let anew = self.hypotheses.iter().rev().flat_map(|hypothesis| {
            let mut past = hypothesis.past.clone();
            past.show(self.controller, hypothesis.open.as_ref().map_or(shown, |open| shown.and(open.shows)));
            let forgetful = Past { memory: C::Memory::default(), ..past.clone() };
            [past, forgetful]
        });
        Hypothesis::distinct(anew.map(|past| Hypothesis { past, open: None }).collect())
    }

    /// What was decided, where that has nothing in common with what was written.
    fn decided_instead(&self, place: usize) -> String {
        let Some(write) = self.writes.get(place) else { return String::new() };
        let decided = self.hypotheses.iter().rev().find_map(|hypothesis| self.next_calls(hypothesis, place));
        let decided = decided.unwrap_or_else(|| "nothing".into());
        format!("decided {decided}, written {}", write.change.words())
    }

    /// The calls that the hypothesis waits for; else those to which the newest state of the cache leads.
    fn next_calls(&self, hypothesis: &Hypothesis<C>, place: usize) -> Option<String> {
        let open = hypothesis.open.iter();
        let waiting: Vec<String> =
            open.flat_map(|open| open.unanswered()).map(|call| self.controller.describe(call)).collect();
        if !waiting.is_empty() {
            return Some(listed(&waiting));
        }
        let write = self.writes.get(place)?;
        let cache = self.controller.shown_before(write.version.resource_version);
        let view = Rc::new(self.controller.view(cache, place)?);
        let mut past = hypothesis.past.clone();
        past.show(self.controller, cache);
        let now = *instants(&write.seconds, None).first()?;
        let sync = Sync { cache, view, memory: past.memory.clone(), now, waves: Vec::new() };
        let calls = self.controller.run(&sync).calls?;
        Some(listed(&calls.iter().map(|call| self.controller.describe(call)).collect::<Vec<_>>()))
    }
}

/// At most three of the phrases.
fn listed(phrases: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<&str> = phrases.iter().take(SHOWN).map(String::as_str).collect();
    match phrases.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
