//! The search for cache states from which our decisions lead to the recorded writes.
//!
//! A [`Hypothesis`] is one possible past of a controller: how much of the streams its cache had taken in, what it
//! remembered, and the sync it is in, if any. All hypotheses that fit the writes so far are kept; each write either
//! answers a call that a hypothesis waits for, or ends its hypothesis. A write that ends them all is not explained.

use super::writes::{Write, instants};
use policy_core::Timestamp;
use policy_core::step::Event;
use std::ops::Range;
use std::rc::Rc;

/// How many events of either stream a cache has taken in: those of the object that is decided about, and those of its
/// dependents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cache {
    pub(super) own: usize,
    pub(super) dependents: usize,
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
    pub(super) waves: Vec<(Vec<C::Outcome>, Timestamp)>,
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

/// A list that shares its beginning with others.
struct Trail(Option<Rc<(Publication, Trail)>>);

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
    fn push(&mut self, publication: Publication) {
        let rest = Trail(self.0.take());
        self.0 = Some(Rc::new((publication, rest)));
    }

    fn to_vec(&self) -> Vec<Publication> {
        let links = std::iter::successors(self.0.as_deref(), |(_, rest)| rest.0.as_deref());
        links.map(|(publication, _)| publication.clone()).collect()
    }
}

struct Pending<C: Controller> {
    call: Rc<C::Call>,
    outcome: Option<C::Outcome>,
}

impl<C: Controller> Clone for Pending<C> {
    fn clone(&self) -> Self {
        Pending { call: self.call.clone(), outcome: self.outcome.clone() }
    }
}

/// A sync under way.
struct Open<C: Controller> {
    sync: Sync<C>,
    pending: Vec<Pending<C>>,
    /// Calls of the wave before that are still to be seen.
    owed: Vec<Rc<C::Call>>,
    /// The number of the object's version that the next status goes onto.
    base: usize,
    /// What later syncs must have seen of this one.
    shows: Cache,
    /// The revision after which the pending calls went out.
    since: u64,
    published: usize,
    /// Whether a write has answered one of its calls.
    seen: bool,
}

impl<C: Controller> Clone for Open<C> {
    fn clone(&self) -> Self {
        Open { sync: self.sync.clone(), pending: self.pending.clone(), owed: self.owed.clone(), ..*self }
    }
}

/// One possible past.
struct Hypothesis<C: Controller> {
    /// What the cache had taken in at the last sync.
    cache: Cache,
    memory: C::Memory,
    open: Option<Open<C>>,
    trail: Trail,
}

impl<C: Controller> Clone for Hypothesis<C> {
    fn clone(&self) -> Self {
        Hypothesis {
            memory: self.memory.clone(),
            open: self.open.clone(),
            trail: self.trail.clone(),
            ..*self
        }
    }
}

impl<C: Controller> Hypothesis<C> {
    /// Whether nothing that comes can tell the two apart.
    fn is_same(&self, other: &Self) -> bool {
        let same_sync = match (&self.open, &other.open) {
            (None, None) => true,
            (Some(a), Some(b)) => {
                let answered = |open: &Open<C>| -> Vec<bool> {
                    open.pending.iter().map(|pending| pending.outcome.is_some()).collect()
                };
                a.sync.cache == b.sync.cache
                    && a.sync.memory == b.sync.memory
                    && a.sync.instants().eq(b.sync.instants())
                    && (a.base, a.shows, a.owed.len()) == (b.base, b.shows, b.owed.len())
                    && answered(a) == answered(b)
            }
            _ => false,
        };
        same_sync && self.cache == other.cache && self.memory == other.memory
    }
}

/// A hypothesis that a write nearly fits.
struct Miss<C: Controller> {
    differences: Vec<String>,
    /// What the hypothesis becomes if the write is taken for what was decided.
    then: Hypothesis<C>,
}

/// What became of each write, and the events of one past that fits.
pub(super) struct Found {
    /// For each write, what was decided instead; `None` if it is explained.
    pub(super) differences: Vec<Option<String>>,
    pub(super) published: Vec<Publication>,
}

/// Lines the writes about one object up with our decisions.
pub(super) fn search<C: Controller>(controller: &C, writes: &[Write<'_>], start: Cache) -> Found {
    let begin = Hypothesis { cache: start, memory: C::Memory::default(), open: None, trail: Trail(None) };
    let mut search = Search { controller, writes, misses: None };
    let mut hypotheses = vec![begin];
    let mut differences = Vec::new();
    for place in 0..writes.len() {
        let next = search.advance(&hypotheses, place);
        if next.is_empty() {
            let (difference, next) = search.explain_miss(&hypotheses, place);
            differences.push(Some(difference));
            hypotheses = next;
        } else {
            differences.push(None);
            hypotheses = next;
        }
    }
    let published = hypotheses.iter().map(|hypothesis| search.last_events(hypothesis)).next();
    Found { differences, published: published.unwrap_or_default() }
}

struct Search<'s, 'r, C: Controller> {
    controller: &'s C,
    writes: &'s [Write<'r>],
    /// Near misses, while they are wanted.
    misses: Option<Vec<Miss<C>>>,
}

impl<C: Controller> Search<'_, '_, C> {
    /// The hypotheses that a write leaves.
    fn advance(&mut self, hypotheses: &[Hypothesis<C>], place: usize) -> Vec<Hypothesis<C>> {
        let mut found = Vec::new();
        for hypothesis in hypotheses {
            match &hypothesis.open {
                Some(open) => self.follow(hypothesis, open, place, &mut found),
                None => self.begin(hypothesis, place, &mut found),
            }
        }
        let mut distinct: Vec<Hypothesis<C>> = Vec::new();
        for hypothesis in found {
            if !distinct.iter().any(|known| known.is_same(&hypothesis)) {
                distinct.push(hypothesis);
            }
        }
        distinct
    }

    /// Begins a sync in every state of the cache that there may have been.
    fn begin(&mut self, idle: &Hypothesis<C>, place: usize, found: &mut Vec<Hypothesis<C>>) {
        let Some(write) = self.writes.get(place) else { return };
        let newest = self.controller.shown_before(write.version.resource_version);
        let owns = match self.controller.versions_before(write) {
            // A status goes onto the version that was read, so that is the one before it.
            Some(before) => before.max(idle.cache.own)..before + 1,
            None => idle.cache.own..newest.own + 1,
        };
        for own in owns {
            for dependents in self.controller.distinct(idle.cache.dependents..newest.dependents + 1) {
                let cache = Cache { own, dependents };
                let Some(view) = self.controller.view(cache, place).map(Rc::new) else { continue };
                let mut memory = idle.memory.clone();
                self.controller.observe(&mut memory, idle.cache.dependents..dependents);
                for now in instants(&write.seconds, None) {
                    let sync =
                        Sync { cache, view: view.clone(), memory: memory.clone(), now, waves: Vec::new() };
                    self.start(idle, sync, place, found);
                }
            }
        }
    }

    fn start(&mut self, idle: &Hypothesis<C>, sync: Sync<C>, place: usize, found: &mut Vec<Hypothesis<C>>) {
        let reached = self.controller.run(&sync);
        let Some(calls) = reached.calls else { return };
        let mut hypothesis = idle.clone();
        let before = place.checked_sub(1).and_then(|place| self.writes.get(place));
        let since = before.map_or(0, |write| write.version.resource_version);
        let published = publish(&mut hypothesis.trail, &reached.events, 0, since);
        let open = Open {
            base: sync.cache.own,
            shows: sync.cache,
            pending: pending(calls),
            owed: Vec::new(),
            since,
            published,
            seen: false,
            sync,
        };
        self.follow(&hypothesis, &open, place, found);
    }

    /// Takes a write for one of the calls that the sync waits for; or lets the sync go on, if the calls it waits for
    /// may have left no trace.
    fn follow(
        &mut self,
        hypothesis: &Hypothesis<C>,
        open: &Open<C>,
        place: usize,
        found: &mut Vec<Hypothesis<C>>,
    ) {
        if self.answer_pending(hypothesis, open, place, found) {
            return;
        }
        let Some(write) = self.writes.get(place) else { return };
        let window = open.since..write.version.resource_version;
        let unseen = |call: &C::Call| self.controller.unseen(call, window.clone(), open.base);
        let outcomes: Option<Vec<C::Outcome>> = open
            .pending
            .iter()
            .map(|pending| pending.outcome.clone().or_else(|| unseen(&pending.call)))
            .collect();
        if let Some(outcomes) = outcomes
            && open.owed.iter().all(|call| unseen(call).is_some())
        {
            for now in instants(&write.seconds, open.sync.instants().last()) {
                self.go_on(hypothesis, open, outcomes.clone(), now, place, found);
            }
        } else if open.owed.is_empty() {
            self.overlap(hypothesis, open, place, found);
        }
    }

    /// Whether a write answers one of the calls that the sync waits for.
    fn answer_pending(
        &mut self,
        hypothesis: &Hypothesis<C>,
        open: &Open<C>,
        place: usize,
        found: &mut Vec<Hypothesis<C>>,
    ) -> bool {
        let Some(write) = self.writes.get(place) else { return false };
        let waiting = open.pending.iter().enumerate().filter(|(_, pending)| pending.outcome.is_none());
        let waiting = waiting.map(|(number, pending)| (Some(number), &pending.call));
        for (number, call) in waiting.chain(open.owed.iter().map(|call| (None, call))) {
            let (mut differences, outcome) = match self.controller.answer(call, write, &open.sync.view) {
                Answer::Other => continue,
                Answer::Of { differences, outcome } => (differences, outcome),
            };
            let versions = self.controller.versions_before(write);
            if versions.is_some_and(|versions| versions != open.base) {
                differences.push("decided on an earlier version of the object".into());
            }
            let exact = differences.is_empty();
            if !exact && self.misses.is_none() {
                continue;
            }
            let mut next = open.clone();
            match number.and_then(|number| next.pending.get_mut(number)) {
                Some(pending) => pending.outcome = Some(outcome),
                None => next.owed.retain(|owed| !Rc::ptr_eq(owed, call)),
            }
            next.base = versions.map_or(next.base, |versions| versions + 1);
            let shows = self.controller.shows(write);
            next.shows = max(next.shows, shows);
            next.since = write.version.resource_version;
            next.seen = true;
            let then = Hypothesis { open: Some(next), ..hypothesis.clone() };
            if exact {
                found.push(then);
                return true;
            }
            self.misses.iter_mut().for_each(|misses| {
                misses.push(Miss { differences: differences.clone(), then: then.clone() });
            });
        }
        false
    }

    /// Lets a sync go on after a wave, and begins another one if it ends.
    fn go_on(
        &mut self,
        hypothesis: &Hypothesis<C>,
        open: &Open<C>,
        outcomes: Vec<C::Outcome>,
        now: Timestamp,
        place: usize,
        found: &mut Vec<Hypothesis<C>>,
    ) {
        let mut next = hypothesis.clone();
        let mut open = open.clone();
        open.sync.waves.push((outcomes, now));
        let reached = self.controller.run(&open.sync);
        open.published = publish(&mut next.trail, &reached.events, open.published, open.since);
        match reached.calls {
            Some(calls) => {
                open.pending = pending(calls);
                open.owed.clear();
                self.follow(&next, &open, place, found);
            }
            // A sync that left no trace at all is as good as none.
            None if !open.seen => {}
            None => {
                next.open = None;
                next.memory = reached.memory;
                next.cache = max(open.sync.cache, open.shows);
                self.controller.observe(&mut next.memory, open.sync.cache.dependents..next.cache.dependents);
                self.begin(&next, place, found);
            }
        }
    }

    /// Lets the sync go on while calls of its wave are still to be seen, where the controller's next calls do not wait
    /// for all of them.
    fn overlap(
        &mut self,
        hypothesis: &Hypothesis<C>,
        open: &Open<C>,
        place: usize,
        found: &mut Vec<Hypothesis<C>>,
    ) {
        let owed: Vec<Rc<C::Call>> = open
            .pending
            .iter()
            .filter(|pending| pending.outcome.is_none())
            .map(|pending| pending.call.clone())
            .collect();
        let Some(outcome) = open.pending.iter().find_map(|pending| pending.outcome.clone()) else { return };
        let outcomes = open.pending.iter().map(|pending| pending.outcome.clone().unwrap_or(outcome.clone()));
        let mut later = open.clone();
        let now = open.sync.instants().last().unwrap_or(open.sync.now);
        later.sync.waves.push((outcomes.collect(), now));
        let reached = self.controller.run(&later.sync);
        let Some(calls) = reached.calls else { return };
        let overlaps = |call: &C::Call| owed.iter().all(|owed| self.controller.overlap(owed, call));
        if !calls.iter().all(overlaps) {
            return;
        }
        let mut hypothesis = hypothesis.clone();
        later.published = publish(&mut hypothesis.trail, &reached.events, later.published, later.since);
        later.pending = pending(calls);
        later.owed = owed;
        self.answer_pending(&hypothesis, &later, place, found);
    }

    /// What was decided instead of a write that nothing explains, and the hypotheses to go on with: that it was the
    /// nearest decision after all, that it was somebody else's write, or that the controller began anew after it.
    fn explain_miss(&mut self, hypotheses: &[Hypothesis<C>], place: usize) -> (String, Vec<Hypothesis<C>>) {
        self.misses = Some(Vec::new());
        self.advance(hypotheses, place);
        let misses = self.misses.take().unwrap_or_default();
        let fewest = misses.iter().map(|miss| miss.differences.len()).min();
        let nearest = misses.iter().rev().find(|miss| Some(miss.differences.len()) == fewest);
        let difference = match nearest {
            Some(miss) => miss.differences.join("; "),
            None => self.decided_instead(hypotheses, place),
        };
        let near = misses.iter().filter(|miss| Some(miss.differences.len()) == fewest);
        let mut next: Vec<Hypothesis<C>> = near.map(|miss| miss.then.clone()).collect();
        next.extend(hypotheses.iter().cloned());
        let shown = self.writes.get(place).map(|write| self.controller.shows(write)).unwrap_or_default();
        for hypothesis in hypotheses {
            let mut anew = hypothesis.clone();
            let shows = anew.open.take().map_or(Cache::default(), |open| open.shows);
            anew.cache = max(max(anew.cache, shows), shown);
            self.controller.observe(&mut anew.memory, hypothesis.cache.dependents..anew.cache.dependents);
            let forgetful = Hypothesis { memory: C::Memory::default(), ..anew.clone() };
            next.extend([anew, forgetful]);
        }
        let mut distinct: Vec<Hypothesis<C>> = Vec::new();
        for hypothesis in next {
            if !distinct.iter().any(|known| known.is_same(&hypothesis)) {
                distinct.push(hypothesis);
            }
        }
        (difference, distinct)
    }

    /// What the newest state of the cache leads to, in words.
    fn decided_instead(&self, hypotheses: &[Hypothesis<C>], place: usize) -> String {
        let Some(write) = self.writes.get(place) else { return String::new() };
        let written = write.change.words();
        let decided = hypotheses.iter().rev().find_map(|hypothesis| self.next_calls(hypothesis, place));
        let decided = decided.unwrap_or_else(|| "nothing".into());
        format!("decided {decided}, written {written}")
    }

    fn next_calls(&self, hypothesis: &Hypothesis<C>, place: usize) -> Option<String> {
        let waiting: Vec<String> = match &hypothesis.open {
            Some(open) => {
                let waiting = open.pending.iter().filter(|pending| pending.outcome.is_none());
                waiting.map(|pending| self.controller.describe(&pending.call)).collect()
            }
            None => Vec::new(),
        };
        if !waiting.is_empty() {
            return Some(listed(&waiting));
        }
        let write = self.writes.get(place)?;
        let cache = self.controller.shown_before(write.version.resource_version);
        let view = Rc::new(self.controller.view(cache, place)?);
        let mut memory = hypothesis.memory.clone();
        self.controller.observe(&mut memory, hypothesis.cache.dependents..cache.dependents);
        let now = *instants(&write.seconds, None).first()?;
        let calls = self.controller.run(&Sync { cache, view, memory, now, waves: Vec::new() }).calls?;
        Some(listed(&calls.iter().map(|call| self.controller.describe(call)).collect::<Vec<_>>()))
    }

    /// The events of a hypothesis, with those that follow its last write.
    fn last_events(&self, hypothesis: &Hypothesis<C>) -> Vec<Publication> {
        let mut trail = hypothesis.trail.clone();
        if let Some(open) = &hypothesis.open {
            let outcomes = open.pending.iter().map(|pending| pending.outcome.clone()).collect();
            if let Some(outcomes) = outcomes {
                let mut sync = open.sync.clone();
                let now = sync.instants().last().unwrap_or(sync.now);
                sync.waves.push((outcomes, now));
                publish(&mut trail, &self.controller.run(&sync).events, open.published, open.since);
            }
        }
        trail.to_vec()
    }
}

fn max(a: Cache, b: Cache) -> Cache {
    Cache { own: a.own.max(b.own), dependents: a.dependents.max(b.dependents) }
}

fn pending<C: Controller>(calls: Vec<C::Call>) -> Vec<Pending<C>> {
    calls.into_iter().map(|call| Pending { call: Rc::new(call), outcome: None }).collect()
}

/// Adds the events after the first `known`; returns how many are known then.
fn publish(trail: &mut Trail, events: &[Event], known: usize, since: u64) -> usize {
    for event in events.iter().skip(known) {
        trail.push((since, event.clone()));
    }
    events.len()
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
