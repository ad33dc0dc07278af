//! Doing something to the cluster by hand. Each becomes an action of the scenario, at the time at which it was done.

use super::{Answer, Code, Position, Problem, Session, State, of_scenario};
use policy_core::Timestamp;
use policy_sim::scenario::{Document, Duration, PathStep, Scenario, describe};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::rc::Rc;
use std::sync::Arc;

/// The keys of an action that say when it is done.
const WHEN: &[&str] = &["at", "after", "when", "delay"];

/// Something that was injected.
#[derive(Clone, Debug, Serialize)]
pub struct Injected {
    /// Its number.
    pub id: u32,
    /// When, in seconds since the start.
    pub seconds: f64,
    /// The same as an instant.
    pub time: Timestamp,
    /// The action, without its time.
    pub action: Value,
    /// As a `kubectl` command where there is one.
    pub what: String,
}

impl Session {
    /// What was injected, the earliest first.
    pub fn injected(&self) -> &[Injected] {
        &self.injected
    }

    /// Does something now. What was injected at later times is dropped.
    ///
    /// # Errors
    /// The action is none, or names what is not there.
    pub fn inject(&mut self, action: Value) -> Answer<Injected> {
        let fields = untimed(action)?;
        let kept: Vec<Injected> =
            self.injected.iter().filter(|injected| injected.time <= self.at).cloned().collect();
        let dropped = kept.len() < self.injected.len();
        let mut injected = Injected {
            id: self.next_id,
            seconds: self.seconds(self.at),
            time: self.at,
            action: Value::Object(fields),
            what: String::new(),
        };
        let all: Vec<&Injected> = kept.iter().chain([&injected]).collect();
        let scenario = self.with(&all)?;
        injected.what = scenario.actions.last().map(|action| describe(&action.verb)).unwrap_or_default();
        self.next_id += 1;
        self.scenario = Arc::new(scenario);
        self.injected = kept;
        self.injected.push(injected.clone());
        let at = self.at;
        if dropped {
            self.restart();
        } else {
            let still = |state: &Rc<State>| state.now() <= at && state.run.ending().is_none();
            self.checkpoints.retain(still);
            self.restore(|_| true);
        }
        self.seek_to(at, usize::MAX);
        Ok(injected)
    }

    /// Takes an injected action back.
    ///
    /// # Errors
    /// There is none of that number, or a later one cannot be without it.
    pub fn undo(&mut self, id: u32) -> Answer<Position> {
        if !self.injected.iter().any(|injected| injected.id == id) {
            let known: Vec<String> = self.injected.iter().map(|injected| injected.id.to_string()).collect();
            let problem = Problem::at(Code::UnknownObject, "id", format!("nothing was injected as `{id}`"));
            return Err(vec![problem.help(format!("known are: {}", known.join(", ")))]);
        }
        let left: Vec<&Injected> = self.injected.iter().filter(|injected| injected.id != id).collect();
        self.scenario = Arc::new(self.with(&left)?);
        self.injected.retain(|injected| injected.id != id);
        let at = self.at;
        self.restart();
        Ok(self.seek_to(at, usize::MAX))
    }

    /// The scenario with variant, seed, end and all that was injected.
    pub fn export(&self) -> Value {
        self.exported(&self.injected.iter().collect::<Vec<_>>())
    }

    fn exported(&self, injected: &[&Injected]) -> Value {
        let mut document = Value::clone(&self.document);
        if let Some(seed) = self.options.seed {
            document["seed"] = json!(seed);
        }
        if let Some(until) = self.options.until {
            document["until"] = json!(until);
        }
        if injected.is_empty() {
            return document;
        }
        let timed = injected.iter().map(|injected| {
            let mut action = injected.action.clone();
            action["at"] = json!(Duration::from_nanos(injected.time.nanos_since(self.start())));
            action
        });
        match document.get_mut("actions").and_then(Value::as_array_mut) {
            Some(actions) => actions.extend(timed),
            None => document["actions"] = timed.collect(),
        }
        document
    }

    /// The scenario with these injected.
    fn with(&self, injected: &[&Injected]) -> Answer<Scenario> {
        let document = self.exported(injected);
        let last = document["actions"].as_array().map_or(0, Vec::len).wrapping_sub(1);
        let problems = match Document::load(document) {
            Ok(document) => return Ok(document.base().clone()),
            Err(problems) => problems,
        };
        let of_action = |problem: &policy_sim::scenario::Problem| {
            let path = problem.path.0.as_slice();
            matches!(path, [PathStep::Key(key), PathStep::Index(index), ..] if key == "actions" && *index == last)
        };
        if !problems.iter().all(of_action) {
            return Err(of_scenario(&problems));
        }
        Err(problems.iter().map(|problem| Problem::of_scenario(Code::InvalidScenario, problem, 2)).collect())
    }

    /// Starts from the beginning, with the scenario as it is now.
    fn restart(&mut self) {
        self.state = State::new(&self.scenario, self.options);
        self.checkpoints = vec![Rc::new(self.state.clone())];
        self.interval = super::clock::FIRST_INTERVAL;
    }
}

/// The fields of an action that leaves its time to the clock.
fn untimed(action: Value) -> Answer<Map<String, Value>> {
    let Value::Object(fields) = action else {
        return Err(vec![Problem::new(Code::WrongShape, "an action is an object with a verb")]);
    };
    let timed = WHEN.iter().filter(|key| fields.contains_key(**key));
    let problems: Vec<Problem> = timed
        .map(|key| {
            Problem::at(Code::NotAllowedHere, key, format!("`{key}` says when, and this is done now"))
                .help("seek to the time first")
        })
        .collect();
    if problems.is_empty() { Ok(fields) } else { Err(problems) }
}
