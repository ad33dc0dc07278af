//! Following hypotheses from write to write.

use super::miss::Miss;
use super::past::{Hypothesis, Open, Past, Pending};
use super::{Answer, Cache, Controller, Publication, Sync};
use crate::replay::writes::{Write, instants};
use policy_core::Timestamp;
use std::rc::Rc;

/// A search under way.
pub(super) struct Search<'s, 'r, C: Controller> {
    pub(super) controller: &'s C,
    pub(super) writes: &'s [Write<'r>],
    /// Those that fit the writes so far.
    pub(super) hypotheses: Vec<Hypothesis<C>>,
    /// Those that fit the next write, as far as they have been found.
    found: Vec<Hypothesis<C>>,
    /// Pasts whose syncs ended before the next write.
    ended: Vec<Past<C>>,
    /// Near misses, while they are wanted.
    pub(super) misses: Option<Vec<Miss<C>>>,
}

impl<'s, 'r, C: Controller> Search<'s, 'r, C> {
    pub(super) fn new(controller: &'s C, writes: &'s [Write<'r>]) -> Self {
        let start = Hypothesis { past: Past::none(), open: None };
        let (found, ended) = (Vec::new(), Vec::new());
        Search { controller, writes, hypotheses: vec![start], found, ended, misses: None }
    }

    /// Takes the next write; returns what was decided instead if nothing explains it.
    pub(super) fn take(&mut self, place: usize) -> Option<String> {
        let next = self.advance(place);
        if next.is_empty() {
            return Some(self.take_unexplained(place));
        }
        self.hypotheses = next;
        None
    }

    /// The hypotheses that a write leaves.
    pub(super) fn advance(&mut self, place: usize) -> Vec<Hypothesis<C>> {
        let hypotheses = std::mem::take(&mut self.hypotheses);
        for hypothesis in &hypotheses {
            match &hypothesis.open {
                Some(open) => self.follow(&hypothesis.past, open, place),
                None => self.ended.push(hypothesis.past.clone()),
            }
        }
        self.hypotheses = hypotheses;
        for past in Past::distinct(std::mem::take(&mut self.ended)) {
            self.begin(&past, place);
        }
        Hypothesis::distinct(std::mem::take(&mut self.found))
    }

    /// Begins a sync in every state of the cache that there may have been.
    fn begin(&mut self, past: &Past<C>, place: usize) {
        let Some(write) = self.writes.get(place) else { return };
        let newest = self.controller.shown_before(write.version.resource_version);
        let owns = match self.controller.versions_before(write) {
            // A status goes onto the version that was read, so that is the one before it.
            Some(before) => before.max(past.cache.own)..before + 1,
            None => past.cache.own..newest.own + 1,
        };
        let dependents = self.controller.distinct(past.cache.dependents..newest.dependents + 1);
        for own in owns {
            for dependents in dependents.iter().copied() {
                let cache = Cache { own, dependents };
                let Some(view) = self.controller.view(cache, place).map(Rc::new) else { continue };
                let mut memory = past.memory.clone();
                self.controller.observe(&mut memory, past.cache.dependents..dependents);
                for now in instants(&write.seconds, None) {
                    let (view, memory) = (view.clone(), memory.clone());
                    self.start(past, Sync { cache, view, memory, now, waves: Vec::new() }, place);
                }
            }
        }
    }

    fn start(&mut self, past: &Past<C>, sync: Sync<C>, place: usize) {
        let reached = self.controller.run(&sync);
        let Some(calls) = reached.calls else { return };
        let mut past = past.clone();
        let before = place.checked_sub(1).and_then(|place| self.writes.get(place));
        let since = before.map_or(0, |write| write.version.resource_version);
        let open = Open {
            base: sync.cache.own,
            shows: sync.cache,
            pending: Pending::all(calls),
            owed: Vec::new(),
            since,
            answered: None,
            published: past.trail.publish(&reached.events, 0, since),
            seen: false,
            sync,
        };
        self.follow(&past, &open, place);
    }

    /// Takes a write for one of the calls that the sync waits for; or lets the sync go on, if the calls it waits for
    /// may have left no trace.
    fn follow(&mut self, past: &Past<C>, open: &Open<C>, place: usize) {
        if self.answer_pending(past, open, place) {
            return;
        }
        let Some(write) = self.writes.get(place) else { return };
        let window = open.since..write.version.resource_version;
        let unseen = |call: &C::Call| self.controller.unseen(call, window.clone(), open.base);
        let outcomes = open.pending.iter().map(|pending| match &pending.outcome {
            Some(outcome) => Some(C::Outcome::clone(outcome)),
            None => unseen(&pending.call),
        });
        let outcomes: Option<Rc<[C::Outcome]>> = outcomes.collect();
        match outcomes.filter(|_| open.owed.iter().all(|call| unseen(call).is_some())) {
            Some(outcomes) => {
                for now in instants(&write.seconds, open.sync.instants().last()) {
                    self.go_on(past, open, outcomes.clone(), now, place);
                }
            }
            None if open.owed.is_empty() => self.overlap(past, open, place),
            None => {}
        }
    }

    /// Whether a write answers one of the calls that the sync waits for. Near misses are collected if they are wanted.
    fn answer_pending(&mut self, past: &Past<C>, open: &Open<C>, place: usize) -> bool {
        let Some(write) = self.writes.get(place) else { return false };
        let waiting: Vec<Rc<C::Call>> = open.unanswered().chain(&open.owed).cloned().collect();
        for call in waiting {
            let (mut differences, outcome) = match self.controller.answer(&call, write, &open.sync.view) {
                Answer::Other => continue,
                Answer::Of { differences, outcome } => (differences, outcome),
            };
            let versions = self.controller.versions_before(write);
            if versions.is_some_and(|versions| versions != open.base) {
                differences.push("decided on another version of the object".into());
            }
            if !differences.is_empty() && self.misses.is_none() {
                continue;
            }
            let then =
                Hypothesis { past: past.clone(), open: Some(self.answered(open, &call, write, outcome)) };
            match &mut self.misses {
                Some(misses) if !differences.is_empty() => misses.push(Miss { differences, then }),
                _ => {
                    self.found.push(then);
                    return true;
                }
            }
        }
        false
    }

    /// The sync after a write has answered one of its calls.
    fn answered(
        &self,
        open: &Open<C>,
        call: &Rc<C::Call>,
        write: &Write<'_>,
        outcome: C::Outcome,
    ) -> Open<C> {
        let mut next = open.clone();
        match next.pending.iter_mut().find(|pending| Rc::ptr_eq(&pending.call, call)) {
            Some(pending) => pending.outcome = Some(Rc::new(outcome)),
            None => next.owed.retain(|owed| !Rc::ptr_eq(owed, call)),
        }
        next.base = self.controller.versions_before(write).map_or(next.base, |versions| versions + 1);
        next.shows = next.shows.and(self.controller.shows(write));
        let revision = write.version.resource_version;
        next.answered = Some((next.answered.map_or(revision, |(first, _)| first), revision));
        next.seen = true;
        next
    }

    /// Lets a sync go on after a wave.
    fn go_on(
        &mut self,
        past: &Past<C>,
        open: &Open<C>,
        outcomes: Rc<[C::Outcome]>,
        now: Timestamp,
        place: usize,
    ) {
        let (mut past, mut open) = (past.clone(), open.clone());
        open.sync.waves.push((outcomes, now));
        let reached = self.controller.run(&open.sync);
        open.published = past.trail.publish(&reached.events, open.published, open.published_since());
        match reached.calls {
            Some(calls) => {
                open.since = open.answered.take().map_or(open.since, |(_, last)| last);
                open.pending = Pending::all(calls);
                open.owed.clear();
                self.follow(&past, &open, place);
            }
            // A sync that left no trace at all is as good as none.
            None if !open.seen => {}
            None => {
                past.memory = reached.memory;
                past.cache = open.sync.cache;
                past.show(self.controller, open.shows);
                self.ended.push(past);
            }
        }
    }

    /// Lets the sync go on while calls of its wave are still to be seen, where the controller's next calls do not wait
    /// for all of them.
    fn overlap(&mut self, past: &Past<C>, open: &Open<C>, place: usize) {
        let Some(done) = open.pending.iter().find_map(|pending| pending.outcome.clone()) else { return };
        let outcomes =
            open.pending.iter().map(|pending| C::Outcome::clone(pending.outcome.as_ref().unwrap_or(&done)));
        let mut later = open.clone();
        let now = open.sync.instants().last().unwrap_or(open.sync.now);
        later.sync.waves.push((outcomes.collect(), now));
        let reached = self.controller.run(&later.sync);
        let Some(calls) = reached.calls else { return };
        let owed: Vec<Rc<C::Call>> = open.unanswered().cloned().collect();
        let overlaps = |call: &C::Call| owed.iter().all(|owed| self.controller.overlap(owed, call));
        if !calls.iter().all(overlaps) {
            return;
        }
        let mut past = past.clone();
        later.published = past.trail.publish(&reached.events, later.published, later.published_since());
        later.pending = Pending::all(calls);
        later.owed = owed;
        self.answer_pending(&past, &later, place);
    }

    /// The events of a past that fits all writes, with those that follow the last of them.
    pub(super) fn published(&self) -> Vec<Publication> {
        let Some(Hypothesis { past, open }) = self.hypotheses.first() else { return Vec::new() };
        let mut trail = past.trail.clone();
        if let Some(open) = open
            && let Some(outcomes) = open.outcomes()
        {
            let mut sync = open.sync.clone();
            let now = sync.instants().last().unwrap_or(sync.now);
            sync.waves.push((outcomes, now));
            let events = self.controller.run(&sync).events;
            trail.publish(&events, open.published, open.published_since());
        }
        trail.to_vec()
    }
}
