//! What running containers wait for, for explanations.

use super::dns;
use super::program::Op;
use super::{Of, env};
use crate::World;
use std::sync::Arc;

/// What a running container waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitsFor {
    /// Something to take from this queue.
    Queue(String),
    /// A name that answers; with the reason why it does not, where one is known.
    Name(String, Option<String>),
    /// Nothing: it runs for ever.
    Nothing,
}

/// A container that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerWait {
    /// The name of its Pod.
    pub pod: Arc<str>,
    /// Its name.
    pub container: Arc<str>,
    /// What it waits for.
    pub what: WaitsFor,
}

impl World {
    /// The running containers that wait for something else than time, oldest Pod first.
    pub fn waiting_containers(&self) -> Vec<ContainerWait> {
        let mut waits = Vec::new();
        for (id, run) in self.data.runs.iter() {
            let Some(pod) = self.store.pod(*id) else { continue };
            for (container, spec) in pod.base.containers.iter().enumerate() {
                let Some(state) = run.containers.get(container).filter(|state| state.runs()) else {
                    continue;
                };
                let of = Of { pod: *id, container, turn: state.turn };
                let op = state.process.as_ref().and_then(|process| process.op());
                if let Some(what) = self.awaited(of, op) {
                    waits.push(ContainerWait { pod: pod.name.clone(), container: spec.name.clone(), what });
                }
            }
        }
        waits
    }

    fn awaited(&self, of: Of, op: Option<&Op>) -> Option<WaitsFor> {
        if let Some(queue) = self.data.queues.iter().find_map(|queue| queue.name_if_waiting(of)) {
            return Some(WaitsFor::Queue(queue.to_owned()));
        }
        match op? {
            Op::WaitForDns(name) => {
                let name = env::expand(self, of, name);
                let why = dns::why_silent(self, of.pod, &name);
                Some(WaitsFor::Name(name, why))
            }
            Op::Block => Some(WaitsFor::Nothing),
            _ => None,
        }
    }
}
