//! A scenario on its clock, which can be set to any time: a run, checkpoints behind it, and what was injected.

use crate::problem::{Answer, Code, Problem};
use changes::Changes;
use policy_core::Timestamp;
use policy_sim::scenario::{BASE, Document, Duration, Options, Run, Scenario};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::rc::Rc;
use std::sync::Arc;

mod changes;
mod clock;
mod comparison;
mod frame;
mod inject;
mod next;
mod records;
mod why;

pub use changes::StatusChange;
pub use clock::Unit;
pub use comparison::Parting;
pub use frame::{Frame, FrameOptions};
pub use inject::Injected;
pub use next::Next;
pub use records::DecisionRow;
pub use why::{Why, WhyTarget};

/// What a simulation is made from.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Request {
    /// The scenario's document.
    pub scenario: Value,
    /// The variant; the scenario itself when left out.
    #[serde(default)]
    pub variant: Option<String>,
    /// Another seed.
    #[serde(default)]
    pub seed: Option<u64>,
    /// Another end.
    #[serde(default)]
    pub until: Option<Duration>,
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Position {
    /// Seconds since the start.
    pub seconds: f64,
    /// The same as an instant.
    pub time: Timestamp,
    /// Things that have happened.
    pub steps: usize,
    /// Decisions so far.
    pub decisions: usize,
    /// Events so far.
    pub events: usize,
    /// Whether the run is over.
    pub ended: bool,
    /// Whether it stopped before it was where it was sent.
    pub paused: bool,
}

/// A run with what is told about it.
#[derive(Clone, Debug)]
struct State {
    run: Run<'static>,
    steps: usize,
    changes: Changes,
}

impl State {
    fn new(scenario: &Arc<Scenario>, options: Options) -> Self {
        let run = Run::new(Arc::clone(scenario), options);
        let mut changes = Changes::default();
        changes.note(&run.world, 0);
        State { run, steps: 0, changes }
    }

    /// Does the next thing, if it is due until then.
    fn step(&mut self, until: Timestamp) -> bool {
        if self.run.step_until(until).is_none() {
            return false;
        }
        self.steps += 1;
        self.changes.note(&self.run.world, self.steps);
        true
    }

    fn now(&self) -> Timestamp {
        self.run.world.now()
    }
}

/// A scenario on its clock. A copy shares its past.
#[derive(Clone, Debug)]
pub struct Session {
    /// The scenario's document with this variant, without what was injected.
    document: Arc<Value>,
    variant: Arc<str>,
    options: Options,
    /// The scenario with what was injected.
    scenario: Arc<Scenario>,
    injected: Vec<Injected>,
    next_id: u32,
    state: State,
    at: Timestamp,
    /// States at earlier times, the earliest first.
    checkpoints: Vec<Rc<State>>,
    /// How many steps they are apart.
    interval: usize,
}

impl Session {
    /// A session at the scenario's start.
    ///
    /// # Errors
    /// The scenario has problems, or no such variant.
    pub fn open(request: Request) -> Answer<Self> {
        let document = Document::load(request.scenario).map_err(|problems| of_scenario(&problems))?;
        let variant = request.variant.as_deref().unwrap_or(BASE);
        let own = document.document_of(variant).map_err(|problem| {
            let found = Problem::of_scenario(Code::UnknownVariant, &problem, 0);
            vec![Problem { path: "variant".into(), ..found }]
        })?;
        let scenario = document.scenario(variant).cloned().map(Arc::new);
        let scenario = scenario.map_err(|problem| of_scenario(&[problem]))?;
        let options = Options { seed: request.seed, until: request.until, trace: true };
        let state = State::new(&scenario, options);
        Ok(Session {
            document: Arc::new(own),
            variant: variant.into(),
            options,
            scenario,
            injected: Vec::new(),
            next_id: 1,
            at: state.now(),
            checkpoints: vec![Rc::new(state.clone())],
            state,
            interval: clock::FIRST_INTERVAL,
        })
    }

    /// Where it stands.
    pub fn position(&self) -> Position {
        let record = &self.state.run.world.record;
        Position {
            seconds: self.seconds(self.at),
            time: self.at,
            steps: self.state.steps,
            decisions: record.decisions.len(),
            events: record.events.len(),
            ended: self.state.run.ending().is_some(),
            paused: false,
        }
    }

    /// The report of the whole run, as `jobpolicy scenario run --output json` prints it.
    pub fn report(&self) -> Vec<u8> {
        let mut run = self.state.run.clone();
        run.finish();
        let mut out = Vec::new();
        let report = policy_sim::scenario::RunReport { run: &run, variant: &self.variant };
        // A list of bytes takes all that is written to it.
        let _ = report.write_json(&mut out);
        out
    }

    fn start(&self) -> Timestamp {
        self.state.run.world.config.start
    }

    fn seconds(&self, at: Timestamp) -> f64 {
        at.nanos_since(self.start()) as f64 / 1e9
    }
}

fn of_scenario(problems: &[policy_sim::scenario::Problem]) -> Vec<Problem> {
    problems.iter().map(|problem| Problem::of_scenario(Code::InvalidScenario, problem, 0)).collect()
}
