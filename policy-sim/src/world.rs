//! The virtual cluster: one agenda, one store, and the planes that act on them.

use crate::agenda::Agenda;
use crate::config::Config;
use crate::control::{self, Control};
use crate::data::{self, Data};
use crate::record::Record;
use crate::store::Store;
use policy_core::Timestamp;

/// Something that is due.
#[derive(Debug)]
pub(crate) enum Happening {
    /// For the control plane: controllers, garbage collection, TTL, what users do.
    Control(control::Due),
    /// For the data plane: scheduler, nodes, kubelets, containers, queues.
    Data(data::Due),
}

/// Why a run stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every Job is terminal and every Pod has ended.
    Finished,
    /// Nothing is due any more: no timer, no event, no retry.
    Quiescent,
    /// The time was up.
    Deadline,
}

/// A virtual cluster.
#[derive(Debug)]
pub struct World {
    /// The configuration it was made from.
    pub config: Config,
    /// The objects.
    pub store: Store,
    /// What happened.
    pub record: Record,
    pub(crate) now: Timestamp,
    pub(crate) rng: fastrand::Rng,
    pub(crate) agenda: Agenda<Happening>,
    pub(crate) control: Control,
    pub(crate) data: Data,
}

impl World {
    /// An empty cluster at its start.
    pub fn new(config: Config) -> Self {
        let mut world = World {
            now: config.start,
            rng: fastrand::Rng::with_seed(config.seed),
            store: Store::default(),
            record: Record::default(),
            agenda: Agenda::default(),
            control: Control::default(),
            data: Data::default(),
            config,
        };
        data::start(&mut world);
        control::start(&mut world);
        world
    }

    /// The virtual time.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Does the next thing that is due, if it is due before `until`; returns when that was.
    pub fn step(&mut self, until: Timestamp) -> Option<Timestamp> {
        let at = self.agenda.next_at().filter(|at| *at <= until)?;
        let (_, what) = self.agenda.take()?;
        self.now = self.now.max(at);
        match what {
            Happening::Control(due) => control::handle(self, due),
            Happening::Data(due) => data::handle(self, due),
        }
        self.pass_on_changes();
        Some(self.now)
    }

    /// Shows both planes what has changed, in watch order, until nothing changes any more.
    pub fn pass_on_changes(&mut self) {
        while !self.store.pod_changes.is_empty() {
            for change in std::mem::take(&mut self.store.pod_changes) {
                if let Some(changes) = &mut self.record.pod_changes {
                    changes.push(change.clone());
                }
                control::observe_pod(self, &change);
                data::observe_pod(self, &change);
            }
        }
    }

    /// Plans something for the control plane.
    pub(crate) fn plan_control(&mut self, at: Timestamp, due: control::Due) {
        self.agenda.plan(at, Happening::Control(due));
    }

    /// Plans something for the data plane.
    pub(crate) fn plan_data(&mut self, at: Timestamp, due: data::Due) {
        self.agenda.plan(at, Happening::Data(due));
    }
}
