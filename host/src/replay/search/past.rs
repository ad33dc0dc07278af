//! Possible pasts of a controller.

use super::{Cache, Controller, Publication, Sync};
use policy_core::step::Event;
use std::rc::Rc;

/// A list that shares its beginning with others.
pub(super) struct Trail(Option<Rc<(Publication, Trail)>>);

impl Clone for Trail {
    fn clone(&self) -> Self {
        Trail(self.0.clone())
    }
}

/// Long lists would overflow the stack if each link dropped the next.
impl Drop for Trail {
    fn drop(&mut self) {
        let mut next = self.0.take();
        while let Some(link) = next {
            next = Rc::into_inner(link).and_then(|(_, mut rest)| rest.0.take());
        }
    }
}

impl Trail {
    /// Adds the events after the first `known`, published after revision `since`; returns how many are known then.
    pub(super) fn publish(&mut self, events: &[Event], known: usize, since: u64) -> usize {
        for event in events.iter().skip(known) {
            let rest = Trail(self.0.take());
            self.0 = Some(Rc::new(((since, event.clone()), rest)));
        }
        events.len()
    }

    pub(super) fn to_vec(&self) -> Vec<Publication> {
        let links = std::iter::successors(self.0.as_deref(), |(_, rest)| rest.0.as_deref());
        links.map(|(publication, _)| publication.clone()).collect()
    }
}

/// What is left of the syncs that have ended.
pub(super) struct Past<C: Controller> {
    /// What the cache had taken in at the last sync, or must have for the next.
    pub(super) cache: Cache,
    pub(super) memory: C::Memory,
    pub(super) trail: Trail,
}

impl<C: Controller> Clone for Past<C> {
    fn clone(&self) -> Self {
        Past { memory: self.memory.clone(), trail: self.trail.clone(), ..*self }
    }
}

impl<C: Controller> Past<C> {
    /// Nothing has happened yet.
    pub(super) fn none() -> Self {
        Past { cache: Cache::default(), memory: C::Memory::default(), trail: Trail(None) }
    }

    /// Whether nothing that comes can tell the two apart.
    fn is_same(&self, other: &Self) -> bool {
        self.cache == other.cache && self.memory == other.memory
    }

    /// Those that differ from each other.
    pub(super) fn distinct(pasts: Vec<Self>) -> Vec<Self> {
        distinct(pasts, Past::is_same)
    }

    /// Lets the cache take in at least this much.
    pub(super) fn show(&mut self, controller: &C, cache: Cache) {
        let before = self.cache;
        self.cache = before.and(cache);
        controller.observe(&mut self.memory, before.dependents..self.cache.dependents);
    }
}

/// A call that was sent.
pub(super) struct Pending<C: Controller> {
    pub(super) call: Rc<C::Call>,
    pub(super) outcome: Option<Rc<C::Outcome>>,
}

impl<C: Controller> Clone for Pending<C> {
    fn clone(&self) -> Self {
        Pending { call: self.call.clone(), outcome: self.outcome.clone() }
    }
}

impl<C: Controller> Pending<C> {
    pub(super) fn all(calls: Vec<C::Call>) -> Vec<Self> {
        calls.into_iter().map(|call| Pending { call: Rc::new(call), outcome: None }).collect()
    }
}

/// A sync under way.
pub(super) struct Open<C: Controller> {
    pub(super) sync: Sync<C>,
    pub(super) pending: Vec<Pending<C>>,
    /// Calls of the wave before that are still to be seen.
    pub(super) owed: Vec<Rc<C::Call>>,
    /// The number of the object's version that the next status goes onto.
    pub(super) base: usize,
    /// What later syncs must have seen of this one.
    pub(super) shows: Cache,
    /// The revision after which the pending calls went out.
    pub(super) since: u64,
    /// Revisions of the first and the last write that answered one of the pending calls.
    pub(super) answered: Option<(u64, u64)>,
    /// How many events were published so far.
    pub(super) published: usize,
    /// Whether a write has answered any of its calls.
    pub(super) seen: bool,
}

impl<C: Controller> Clone for Open<C> {
    fn clone(&self) -> Self {
        Open { sync: self.sync.clone(), pending: self.pending.clone(), owed: self.owed.clone(), ..*self }
    }
}

impl<C: Controller> Open<C> {
    /// The revision after which events about the pending calls were published.
    pub(super) fn published_since(&self) -> u64 {
        self.answered.map_or(self.since, |(first, _)| first)
    }

    /// The outcomes of the pending calls, if all are known.
    pub(super) fn outcomes(&self) -> Option<Rc<[C::Outcome]>> {
        self.pending.iter().map(|pending| pending.outcome.as_deref().cloned()).collect()
    }

    /// The pending calls that no write has answered.
    pub(super) fn unanswered(&self) -> impl Iterator<Item = &Rc<C::Call>> {
        let unanswered = self.pending.iter().filter(|pending| pending.outcome.is_none());
        unanswered.map(|pending| &pending.call)
    }

    fn is_same(&self, other: &Self) -> bool {
        let answered = |open: &'_ Self, place: usize| open.pending[place].outcome.is_some();
        self.sync.cache == other.sync.cache
            && self.sync.memory == other.sync.memory
            && self.sync.instants().eq(other.sync.instants())
            && (self.base, self.shows, self.owed.len()) == (other.base, other.shows, other.owed.len())
            && self.pending.len() == other.pending.len()
            && (0..self.pending.len()).all(|place| answered(self, place) == answered(other, place))
    }
}

/// One possible past of a controller up to some write.
pub(super) struct Hypothesis<C: Controller> {
    pub(super) past: Past<C>,
    pub(super) open: Option<Open<C>>,
}

impl<C: Controller> Clone for Hypothesis<C> {
    fn clone(&self) -> Self {
        Hypothesis { past: self.past.clone(), open: self.open.clone() }
    }
}

impl<C: Controller> Hypothesis<C> {
    /// Whether nothing that comes can tell the two apart.
    fn is_same(&self, other: &Self) -> bool {
        let same_sync = match (&self.open, &other.open) {
            (None, None) => true,
            (Some(a), Some(b)) => a.is_same(b),
            _ => false,
        };
        same_sync && self.past.is_same(&other.past)
    }

    /// Those that differ from each other.
    pub(super) fn distinct(hypotheses: Vec<Self>) -> Vec<Self> {
        distinct(hypotheses, Hypothesis::is_same)
    }
}

fn distinct<T>(all: Vec<T>, is_same: impl Fn(&T, &T) -> bool) -> Vec<T> {
    let mut distinct: Vec<T> = Vec::new();
    for one in all {
        if !distinct.iter().any(|known| is_same(known, &one)) {
            distinct.push(one);
        }
    }
    distinct
}
