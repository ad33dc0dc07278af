//! The search for cache states from which our decisions lead to the recorded writes.
//!
//! A [`Hypothesis`](past::Hypothesis) is one possible past of a controller: how much of the streams its cache had taken in, what it
//! remembered, and the sync it is in, if any. All hypotheses that fit the writes so far are kept; each write either
//! answers a call that a hypothesis waits for, or ends its hypothesis. A write that ends them all is not explained.

use super::writes::{Write, instants};
use follow::Search;
use policy_core::Timestamp;
use policy_core::step::Event;
use std::ops::{Range, RangeInclusive};
use std::rc::Rc;

mod follow;
mod miss;
mod past;

/// How many events of either stream a cache has taken in: those of the object that is decided about, and those of its
/// dependents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cache {
    pub(super) own: usize,
    pub(super) dependents: usize,
}

impl Cache {
    /// The state in which both have been taken in.
    fn and(self, other: Cache) -> Cache {
        Cache { own: self.own.max(other.own), dependents: self.dependents.max(other.dependents) }
    }
}

/// How a call and a recorded write compare.
pub(super) enum Answer<O> {
    /// The write is something else.
    Other,
    /// The write is this call's if there is no difference; then the call came out so.
    Of { differences: Vec<String>, outcome: O },
}

/// What a controller makes of one object: its decisions, and the recording of what it saw.
pub(super) trait Controller {
    /// What a sync looks at.
    type View;
    /// What is remembered between syncs.
    type Memory: Clone + PartialEq + Default;
    /// A call to the API server.
    type Call;
    /// How a call went.
    type Outcome: Clone;

    /// What a sync sees in this state of the cache, unless there is nothing to decide about. Where an order is open,
    /// it is that of the writes from place `next` on.
    fn view(&self, cache: Cache, next: usize) -> Option<Self::View>;
    /// Runs a sync up to where its outcomes end.
    fn run(&self, sync: &Sync<Self>) -> Reached<Self>;
    /// What both streams had shown before a revision.
    fn shown_before(&self, revision: u64) -> Cache;
    /// What the cache must have taken in for a sync to begin after this write of the controller's own.
    fn shows(&self, write: &Write<'_>) -> Cache;
    /// The sizes within `range` at which the dependents look different, the first included.
    fn distinct(&self, range: Range<usize>) -> Vec<usize>;
    /// Takes into the memory that the watch has shown these dependents.
    fn observe(&self, memory: &mut Self::Memory, shown: Range<usize>);
    /// Whether a write made a version of the object itself, and if so how many there were before.
    fn versions_before(&self, write: &Write<'_>) -> Option<usize>;
    /// Compares a call with a write.
    fn answer(&self, call: &Self::Call, write: &Write<'_>, view: &Self::View) -> Answer<Self::Outcome>;
    /// How a call went that left no trace between two revisions, if that can be. `base` is the number of the version
    /// of the object that the sync works on.
    fn unseen(&self, call: &Self::Call, between: Range<u64>, base: usize) -> Option<Self::Outcome>;
    /// Whether the controller may carry out `later` for one dependent before `earlier` is done for another.
    fn overlap(&self, earlier: &Self::Call, later: &Self::Call) -> bool;
    /// The call in words, as what was decided.
    fn describe(&self, call: &Self::Call) -> String;
}

/// A sync: what it started from, and how its calls went.
pub(super) struct Sync<C: Controller + ?Sized> {
    pub(super) cache: Cache,
    pub(super) view: Rc<C::View>,
    pub(super) memory: C::Memory,
    pub(super) now: Timestamp,
    /// The outcomes of each wave so far, and when the sync went on with them.
    pub(super) waves: Vec<(Rc<[C::Outcome]>, Timestamp)>,
}

impl<C: Controller> Clone for Sync<C> {
    fn clone(&self) -> Self {
        Sync { view: self.view.clone(), memory: self.memory.clone(), waves: self.waves.clone(), ..*self }
    }
}

impl<C: Controller> Sync<C> {
    fn instants(&self) -> impl Iterator<Item = Timestamp> {
        std::iter::once(self.now).chain(self.waves.iter().map(|(_, now)| *now))
    }
}

/// Where a sync has got to.
pub(super) struct Reached<C: Controller + ?Sized> {
    pub(super) memory: C::Memory,
    /// Everything published up to here.
    pub(super) events: Vec<Event>,
    /// The calls to carry out next; none at the end.
    pub(super) calls: Option<Vec<C::Call>>,
}

/// An event that was published, and the revision it came after.
pub(super) type Publication = (u64, Event);

/// What became of each write, and the events of one past that fits.
pub(super) struct Found {
    /// For each write, what was decided instead; `None` if it is explained.
    pub(super) differences: Vec<Option<String>>,
    pub(super) published: Vec<Publication>,
}

/// Lines the writes about one object up with our decisions.
pub(super) fn search<C: Controller>(controller: &C, writes: &[Write<'_>]) -> Found {
    let mut search = Search::new(controller, writes);
    let differences = (0..writes.len()).map(|place| search.take(place)).collect();
    Found { differences, published: search.published() }
}

/// Whether a sync that writes nothing publishes an event, in some state of the cache before a revision.
pub(super) fn publishes<C: Controller>(
    controller: &C,
    revision: u64,
    seconds: &RangeInclusive<i64>,
    is_it: impl Fn(&Event) -> bool,
) -> bool {
    let newest = controller.shown_before(revision);
    let dependents = controller.distinct(0..newest.dependents + 1);
    let caches = (1..=newest.own).flat_map(|own| dependents.iter().map(move |shown| (own, *shown)));
    caches.map(|(own, dependents)| Cache { own, dependents }).any(|cache| {
        let Some(view) = controller.view(cache, usize::MAX).map(Rc::new) else { return false };
        instants(seconds, None).into_iter().any(|now| {
            let memory = C::Memory::default();
            let mut sync = Sync { cache, view: view.clone(), memory, now, waves: Vec::new() };
            loop {
                let reached = controller.run(&sync);
                let Some(calls) = reached.calls else { return reached.events.iter().any(&is_it) };
                let outcomes = calls.iter().map(|call| controller.unseen(call, 0..revision, cache.own));
                let Some(outcomes) = outcomes.collect::<Option<Rc<[_]>>>() else { return false };
                sync.waves.push((outcomes, now));
            }
        })
    })
}
