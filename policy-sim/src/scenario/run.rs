//! Running a scenario: the cluster's own doings, the actions in between, and the assertions over both.

use super::action::{Action, Verb};
use super::assertion::{Assertion, Check, Moment};
use super::duration::Duration;
use super::eval::View;
use super::judge::{Followed, judge};
use super::model::Scenario;
use super::perform::{self, Done, Refusal};
use super::select::like;
use super::source::Source;
use super::timeline::Timeline;
use super::why;
use crate::map::Set;
use crate::{Ending, World};
use policy_core::Timestamp;
use serde::Serialize;

mod extend;

/// How a scenario is run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Another seed than the scenario's.
    pub seed: Option<u64>,
    /// Another end than the scenario's.
    pub until: Option<Duration>,
    /// Whether decisions are recorded with the rules that were looked at.
    pub trace: bool,
}

/// Rules are recorded in runs with so many objects at most: of thousands of Jobs nobody reads them all, and they would
/// take more memory than the cluster.
const TRACED: usize = 1_000;

/// What became of an assertion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Held {
    /// What is claimed.
    pub text: String,
    /// Whether it held.
    pub held: bool,
    /// What was found instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// When it first became true, or stopped to hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Its place among the scenario's assertions; unset for what every scenario claims.
    #[serde(skip)]
    pub place: Option<usize>,
}

/// A run of a scenario. A copy of it goes on as the original would: what both have seen is shared.
#[derive(Clone, Debug)]
pub struct Run<'s> {
    scenario: Source<'s>,
    /// The cluster.
    pub world: World,
    /// The lives of the Pods.
    pub timeline: Timeline,
    /// What was done to the cluster.
    pub done: Vec<Done>,
    deadline: Timestamp,
    seed: u64,
    ending: Option<Ending>,
    why: Vec<String>,
    planned: Set<Planned>,
    /// Actions that wait for a check.
    watching: Vec<usize>,
    followed: Vec<Followed>,
    surprises: Vec<Held>,
    /// What the followed assertions last saw.
    seen: (u64, usize, usize),
}

/// An action at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Planned {
    at: Timestamp,
    action: usize,
    /// The how-manieth time.
    round: u32,
    /// The object of it that comes next.
    object: usize,
}

impl<'s> Run<'s> {
    /// A run at its start, with the scenario's objects created.
    pub fn new(scenario: impl Into<Source<'s>>, options: Options) -> Self {
        let source: Source<'s> = scenario.into();
        let scenario = source.clone();
        let mut config = scenario.config();
        config.seed = options.seed.unwrap_or(config.seed);
        let (seed, start) = (config.seed, config.start);
        let mut world = World::new(config);
        world.trace = options.trace && scenario.size() <= TRACED;
        world.record.pod_changes = Some(Vec::new());
        world.record.only_rules_that_held = scenario.pods() > TRACED;
        let until = options.until.unwrap_or(scenario.until);
        let mut run = Run {
            scenario: source,
            world,
            timeline: Timeline::default(),
            done: Vec::new(),
            deadline: start.plus_nanos(until.nanos()),
            seed,
            ending: None,
            why: Vec::new(),
            planned: Set::default(),
            watching: Vec::new(),
            followed: scenario.assertions.iter().map(|_| Followed::default()).collect(),
            surprises: Vec::new(),
            seen: (u64::MAX, 0, 0),
        };
        for manifest in &scenario.manifests {
            let answer = perform::apply(&mut run.world, manifest);
            let what = format!(
                "kubectl apply ({} {})",
                manifest["kind"].as_str().unwrap_or_default(),
                manifest["metadata"]["name"].as_str().unwrap_or_default()
            );
            run.note(what, None, answer.map(Some));
        }
        for (action, timing) in scenario.actions.iter().map(|action| &action.timing).enumerate() {
            if let Some(at) = timing.at {
                run.plan(action, start.plus_nanos(at.nanos()), 1, 0);
            }
            if timing.when.is_some() {
                run.watching.push(action);
            }
        }
        run.look();
        run
    }

    /// The scenario.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// The seed that decides every random choice.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How the run ended, once it has.
    pub fn ending(&self) -> Option<Ending> {
        self.ending
    }

    /// Why the run ended like this: what became of the Jobs, or what is waited for.
    pub fn why(&self) -> &[String] {
        &self.why
    }

    /// How long the run has taken so far.
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.world.now().nanos_since(self.world.config.start))
    }

    /// Runs to the end.
    pub fn finish(&mut self) -> Ending {
        loop {
            if let Some(ending) = self.ending {
                return ending;
            }
            self.step();
        }
    }

    /// Does the next thing; returns when that was, or `None` at the end.
    pub fn step(&mut self) -> Option<Timestamp> {
        self.step_until(self.deadline)
    }

    /// As [`Run::step`], if the next thing is due until then; `None` also when it is due later.
    pub fn step_until(&mut self, until: Timestamp) -> Option<Timestamp> {
        if self.ending.is_some() {
            return None;
        }
        if self.world.is_finished() && !self.awaits_actions() && self.next_probe().is_none() {
            self.end(Ending::Finished);
            return None;
        }
        let planned = self.planned.first().map(|planned| planned.at);
        let probe = self.next_probe();
        let limit = planned.into_iter().chain(probe).fold(self.deadline, Timestamp::min);
        if self.world.step(limit.min(until)).is_some() {
            self.look();
            return Some(self.world.now());
        }
        let nothing_to_come = probe.is_none() && planned.is_none_or(|at| at > self.deadline);
        if limit > until && !(nothing_to_come && self.world.agenda.is_empty()) {
            return None;
        }
        if probe.is_some_and(|at| at <= limit) {
            self.world.advance(limit);
            self.probe(limit);
            return Some(limit);
        }
        match self.planned.first().cloned().filter(|planned| planned.at <= limit) {
            Some(planned) => {
                self.planned.remove(&planned);
                self.world.advance(planned.at);
                self.act(planned);
                self.look();
                Some(self.world.now())
            }
            None => {
                self.stop();
                None
            }
        }
    }

    /// Whether actions are to come for which the run goes on when everything has finished.
    fn awaits_actions(&self) -> bool {
        self.planned.iter().any(|planned| {
            let timing = self.scenario.actions.get(planned.action).map(|action| &action.timing);
            let endless = timing.is_some_and(|timing| timing.every.is_some() && timing.times.is_none());
            planned.at <= self.deadline && !endless
        })
    }

    fn stop(&mut self) {
        if self.world.agenda.is_empty() && self.planned.iter().all(|planned| planned.at > self.deadline) {
            self.end(Ending::Quiescent);
        } else {
            self.world.advance(self.deadline);
            self.end(Ending::Deadline);
        }
    }

    fn end(&mut self, ending: Ending) {
        self.ending = Some(ending);
        self.why = why::explain(&self.world, ending);
        let open = |followed: &Followed| followed.probed.is_none();
        let scenario = self.scenario.clone();
        for place in 0..self.followed.len() {
            let Some(assertion) = scenario.assertions.get(place) else { continue };
            let at_end = match assertion.timing {
                Moment::At(_) => self.followed.get(place).is_some_and(open),
                Moment::End => !matches!(assertion.check, Check::Order(_)),
                _ => false,
            };
            if at_end {
                let result = self.view().holds(&assertion.check);
                if let Some(followed) = self.followed.get_mut(place) {
                    followed.probed = Some(result);
                }
            }
        }
    }

    fn view(&self) -> View<'_> {
        View {
            world: &self.world,
            timeline: &self.timeline,
            done: &self.done,
            ending: self.ending,
            why: &self.why,
        }
    }

    fn plan(&mut self, action: usize, at: Timestamp, round: u32, object: usize) {
        self.planned.insert(Planned { at, action, round, object });
    }

    /// Does an action, or goes on with it.
    fn act(&mut self, planned: Planned) {
        let scenario = self.scenario.clone();
        let Some(action) = scenario.actions.get(planned.action) else { return };
        let over = match &action.verb {
            Verb::Apply(objects) => {
                self.submit(action, &planned, objects.len(), |place| objects.get(place).cloned())
            }
            Verb::Expand(template) => {
                self.submit(action, &planned, template.len(), |place| Some(template.object(place)))
            }
            verb => {
                let answer = perform::perform(&mut self.world, verb);
                self.note(perform::described(verb), Some(action), answer.map(Some));
                true
            }
        };
        if over {
            self.acted(action, &planned);
        }
    }

    /// Sends objects one after the other, as `kubectl apply` does. Tells whether all were sent; if the server asks to
    /// wait, the rest is planned for later.
    fn submit(
        &mut self,
        action: &Action,
        planned: &Planned,
        count: usize,
        object: impl Fn(usize) -> Option<serde_json::Value>,
    ) -> bool {
        let what = perform::described(&action.verb);
        let quota_retry = match &action.verb {
            Verb::Expand(template) => template.retry,
            _ => None,
        };
        for place in planned.object..count {
            let Some(object) = object(place) else { continue };
            let answer = perform::apply(&mut self.world, &object);
            let wait = match &answer {
                Err(Refusal { code: 429, retry_after_seconds, .. }) => {
                    Some(Duration::from_seconds(i64::from(retry_after_seconds.unwrap_or(1))))
                }
                Err(Refusal { code: 403, .. }) => quota_retry,
                _ => None,
            };
            let now = self.world.now();
            if let (Some(wait), Err(refusal)) = (wait, &answer) {
                self.record(what, Some(refusal.code), refusal.message.clone());
                self.plan(planned.action, now.plus_nanos(wait.nanos().max(1)), planned.round, place);
                return false;
            }
            // Of thousands of objects, one line for all that went well says enough.
            let quiet = count > 20 && answer.is_ok();
            let answer = answer.map(|answer| if quiet { None } else { Some(answer) });
            self.note(what.clone(), Some(action), answer);
        }
        if count > 20 {
            self.record(what, None, format!("{count} objects sent"));
        }
        true
    }

    /// Takes note of what came of something; an answer of `None` is not worth a line.
    fn note(&mut self, what: String, action: Option<&Action>, answer: Result<Option<String>, Refusal>) {
        let wanted = action.and_then(|action| action.timing.refused.as_deref());
        let surprise = match (&answer, wanted) {
            (Ok(_), Some(_)) => Some(("is refused", "it was accepted".to_owned())),
            (Err(refusal), Some(pattern)) if !like(pattern, &refusal.message) => {
                Some(("is refused as expected", refusal.message.clone()))
            }
            (Err(refusal), None) => Some(("is accepted", refusal.message.clone())),
            _ => None,
        };
        if let Some((claim, found)) = surprise {
            let text = format!("`{what}` {claim}");
            let (found, at) = (Some(found), Some(self.world.now()));
            self.surprises.push(Held { text, held: false, found, at, place: None });
        }
        match answer {
            Ok(Some(answer)) => self.record(what, None, answer),
            Ok(None) => {}
            Err(refusal) => self.record(what, Some(refusal.code), refusal.message),
        }
    }

    fn record(&mut self, what: String, code: Option<u16>, answer: String) {
        let at = self.world.now();
        match self.done.last_mut() {
            Some(last) if code.is_some() && last.code == code && last.what == what => last.count += 1,
            _ => self.done.push(Done { at, what, answer, code, count: 1 }),
        }
    }

    /// Plans what follows an action that is over.
    fn acted(&mut self, action: &Action, planned: &Planned) {
        let now = self.world.now();
        let timing = &action.timing;
        if let Some(every) = timing.every
            && timing.times.is_none_or(|times| planned.round < times)
        {
            self.plan(planned.action, now.plus_nanos(every.nanos()), planned.round.saturating_add(1), 0);
        }
        if planned.round > 1 || timing.name.is_none() {
            return;
        }
        let scenario = self.scenario.clone();
        for (next, follower) in scenario.actions.iter().enumerate() {
            if follower.timing.after.is_some() && follower.timing.after == timing.name {
                self.plan(next, now.plus_nanos(follower.timing.delay.nanos()), 1, 0);
            }
        }
    }

    /// Looks at what has changed: Pods for the timeline, checks that actions wait for, assertions that are followed.
    fn look(&mut self) {
        let now = self.world.now();
        let changes = self.world.record.pod_changes.as_mut().map(std::mem::take).unwrap_or_default();
        self.timeline.note(changes, now);
        let record = &self.world.record;
        let seen = (self.world.store.version(), record.events.len(), record.printed());
        if seen == self.seen {
            return;
        }
        self.seen = seen;
        let scenario = self.scenario.clone();
        let mut due = Vec::new();
        for action in &self.watching {
            let timing = scenario.actions.get(*action).map(|action| &action.timing);
            if let Some(check) = timing.and_then(|timing| timing.when.as_ref())
                && self.view().holds(check).is_ok()
            {
                due.push((*action, timing.map(|timing| timing.delay).unwrap_or_default()));
            }
        }
        for (action, delay) in due {
            self.watching.retain(|watching| *watching != action);
            self.plan(action, now.plus_nanos(delay.nanos()), 1, 0);
        }
        self.follow(now);
    }

    fn follow(&mut self, now: Timestamp) {
        let scenario = self.scenario.clone();
        for (place, assertion) in scenario.assertions.iter().enumerate() {
            let Some(mut followed) = self.followed.get_mut(place).map(std::mem::take) else { continue };
            let view = self.view();
            match (assertion.timing, &assertion.check) {
                (_, Check::Order(checks))
                    if checks.get(followed.progress).is_some_and(|check| view.holds(check).is_ok()) =>
                {
                    followed.progress += 1;
                }
                (Moment::Throughout, check) if followed.broken.is_none() => {
                    followed.broken = view.holds(check).err().map(|found| (now, found));
                }
                (Moment::Never, check) if followed.broken.is_none() && view.holds(check).is_ok() => {
                    followed.broken = Some((now, "it was so".into()));
                }
                (Moment::First(_), check) if followed.first.is_none() && view.holds(check).is_ok() => {
                    followed.first = Some(now);
                }
                _ => {}
            }
            if let Some(slot) = self.followed.get_mut(place) {
                *slot = followed;
            }
        }
    }

    fn probe_time(&self, place: usize, assertion: &Assertion) -> Option<Timestamp> {
        let Moment::At(at) = assertion.timing else { return None };
        let open = self.followed.get(place).is_some_and(|followed| followed.probed.is_none());
        open.then(|| self.world.config.start.plus_nanos(at.nanos()))
    }

    /// When the next assertion about an instant is due. A run goes on for it when everything has finished.
    fn next_probe(&self) -> Option<Timestamp> {
        let assertions = self.scenario.assertions.iter().enumerate();
        let times = assertions.filter_map(|(place, assertion)| self.probe_time(place, assertion));
        times.filter(|at| *at <= self.deadline).min()
    }

    /// Looks at the assertions about this instant, before any action of the same instant.
    fn probe(&mut self, now: Timestamp) {
        let scenario = self.scenario.clone();
        for (place, assertion) in scenario.assertions.iter().enumerate() {
            if self.probe_time(place, assertion).is_some_and(|at| at <= now) {
                let result = self.view().holds(&assertion.check);
                if let Some(followed) = self.followed.get_mut(place) {
                    followed.probed = Some(result);
                }
            }
        }
    }

    /// What became of the assertions, once the run is over.
    pub fn assertions(&self) -> Vec<Held> {
        let own = self.scenario.assertions.iter().zip(&self.followed).enumerate();
        let start = self.world.config.start;
        let judged = own.map(|(place, (assertion, followed))| {
            let (result, at) = judge(assertion, followed, start);
            Held {
                text: assertion.text.clone(),
                held: result.is_ok(),
                found: result.err(),
                at,
                place: Some(place),
            }
        });
        judged.chain(self.surprises.iter().cloned()).collect()
    }

    /// Whether all assertions held.
    pub fn all_held(&self) -> bool {
        self.assertions().iter().all(|assertion| assertion.held)
    }
}
