//! The functions that JavaScript sees: bytes in, bytes out.

// wasm-bindgen exports what is `pub`, reachable or not.
#![allow(unreachable_pub)]

use crate::problem::{Answer, Problem, bytes, read, written};
use crate::session::{FrameOptions, Request, Unit, WhyTarget};
use crate::zones::ready;
use policy_sim::kubectl::Command;
use serde_json::Value;
use wasm_bindgen::prelude::wasm_bindgen;

/// See types.d.ts.
#[wasm_bindgen]
pub fn decide(line: &[u8]) -> Vec<u8> {
    with_zones(line, crate::decide)
}

/// See types.d.ts.
#[wasm_bindgen]
pub fn schedule(line: &[u8]) -> Vec<u8> {
    with_zones(line, crate::schedule)
}

/// See types.d.ts.
#[wasm_bindgen]
pub fn validate(line: &[u8]) -> Vec<u8> {
    with_zones(line, crate::validate)
}

/// See types.d.ts.
#[wasm_bindgen]
pub fn version() -> Vec<u8> {
    bytes(&crate::version())
}

/// See types.d.ts.
#[wasm_bindgen(js_name = installZones)]
pub fn install_zones(data: &[u8]) -> bool {
    crate::zones::install(data)
}

/// See types.d.ts.
#[wasm_bindgen]
pub fn explain(request: &[u8]) -> Vec<u8> {
    written(&ready(request).and_then(|()| read(request)).and_then(|request| crate::explain(&request)))
}

/// See types.d.ts.
#[wasm_bindgen]
pub fn rules() -> Vec<u8> {
    bytes(&crate::rules())
}

/// See types.d.ts.
#[wasm_bindgen(js_name = checkScenario)]
pub fn check_scenario(document: &[u8]) -> Vec<u8> {
    written(&ready(document).and_then(|()| read(document)).and_then(crate::check_scenario))
}

/// See types.d.ts.
#[wasm_bindgen(js_name = scenarioOf)]
pub fn scenario_of(manifests: &[u8]) -> Vec<u8> {
    let read = ready(manifests).and_then(|()| read(manifests));
    written(&read.and_then(|manifests: Vec<Value>| crate::scenario_of(&manifests)))
}

/// A session, or why there is none.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Opening {
    opened: Answer<crate::Session>,
}

#[wasm_bindgen]
impl Opening {
    /// Opens a scenario.
    #[wasm_bindgen(constructor)]
    pub fn new(request: &[u8]) -> Opening {
        let read = ready(request).and_then(|()| read::<Request>(request));
        Opening { opened: read.and_then(crate::Session::open) }
    }

    /// The problems as JSON; an empty list when there is a session.
    pub fn problems(&self) -> Vec<u8> {
        let none: &[Problem] = &[];
        bytes(&self.opened.as_ref().err().map_or(none, Vec::as_slice))
    }

    /// The session.
    pub fn take(self) -> Option<Simulation> {
        self.opened.ok().map(|session| Simulation { session })
    }
}

/// See types.d.ts.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Simulation {
    session: crate::Session,
}

#[wasm_bindgen]
impl Simulation {
    /// One step on; a decision's when `decision`.
    pub fn step(&mut self, decision: bool) -> Vec<u8> {
        bytes(&self.session.step(unit(decision)))
    }

    /// One step back.
    pub fn back(&mut self, decision: bool) -> Vec<u8> {
        bytes(&self.session.back(unit(decision)))
    }

    /// See types.d.ts.
    pub fn seek(&mut self, seconds: f64, max_steps: Option<u32>) -> Vec<u8> {
        let most = max_steps.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
        bytes(&self.session.seek(seconds, most))
    }

    /// See types.d.ts.
    pub fn position(&self) -> Vec<u8> {
        bytes(&self.session.position())
    }

    /// See types.d.ts.
    pub fn fork(&self) -> Simulation {
        Simulation { session: self.session.clone() }
    }

    /// See types.d.ts.
    pub fn inject(&mut self, action: &[u8]) -> Vec<u8> {
        written(&ready(action).and_then(|()| read(action)).and_then(|action| self.session.inject(action)))
    }

    /// See types.d.ts.
    pub fn undo(&mut self, id: u32) -> Vec<u8> {
        written(&self.session.undo(id))
    }

    /// See types.d.ts.
    pub fn injected(&self) -> Vec<u8> {
        bytes(&self.session.injected())
    }

    /// See types.d.ts.
    #[wasm_bindgen(js_name = export)]
    pub fn exported(&self) -> Vec<u8> {
        bytes(&self.session.export())
    }

    /// See types.d.ts. Options that cannot be read are none.
    pub fn frame(&self, options: Option<Vec<u8>>) -> Vec<u8> {
        let options = options.and_then(|options| read::<FrameOptions>(&options).ok());
        bytes(&self.session.frame(options.unwrap_or_default()))
    }

    /// See types.d.ts.
    pub fn objects(&self) -> Vec<u8> {
        bytes(&self.session.objects())
    }

    /// See types.d.ts.
    pub fn events(&self, from: Option<u32>) -> Vec<u8> {
        bytes(&self.session.events(number(from).unwrap_or(0)))
    }

    /// See types.d.ts.
    pub fn logs(&self, pod: Option<String>) -> Vec<u8> {
        bytes(&self.session.logs(pod.as_deref()))
    }

    /// See types.d.ts.
    pub fn decisions(&self, from: Option<u32>, count: Option<u32>) -> Vec<u8> {
        bytes(&self.session.decisions(number(from).unwrap_or(0), number(count).unwrap_or(usize::MAX)))
    }

    /// See types.d.ts.
    pub fn actions(&self) -> Vec<u8> {
        bytes(&self.session.done())
    }

    /// See types.d.ts.
    pub fn why(&self, target: &[u8]) -> Vec<u8> {
        written(&read::<WhyTarget>(target).and_then(|target| self.session.why(&target)))
    }

    /// See types.d.ts.
    pub fn kubectl(&self, command: &[u8]) -> Vec<u8> {
        written(&read::<Command>(command).and_then(|command| self.session.kubectl(&command)))
    }

    /// See types.d.ts.
    pub fn next(&self) -> Vec<u8> {
        bytes(&self.session.next())
    }

    /// See types.d.ts.
    pub fn parting(&self, other: &Simulation) -> Vec<u8> {
        bytes(&self.session.parting(&other.session))
    }

    /// See types.d.ts.
    pub fn assertions(&self) -> Vec<u8> {
        bytes(&self.session.assertions())
    }

    /// See types.d.ts.
    pub fn report(&self) -> Vec<u8> {
        self.session.report()
    }
}

/// An answer, unless it would need zones that are not loaded.
fn with_zones(line: &[u8], answer: fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    match ready(line) {
        Ok(()) => answer(line),
        Err(problems) => written::<()>(&Err(problems)),
    }
}

fn unit(decision: bool) -> Unit {
    if decision { Unit::Decision } else { Unit::Event }
}

fn number(number: Option<u32>) -> Option<usize> {
    number.and_then(|number| usize::try_from(number).ok())
}
