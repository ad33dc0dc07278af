//! The virtual cluster: one agenda, one store, and the planes that act on them.

use crate::agenda::Agenda;
use crate::config::Config;
use crate::control::{self, Control};
use crate::data::{self, Data};
use crate::record::Record;
use crate::store::Store;
use policy_core::Timestamp;

/// Something that is due.
#[derive(Clone, Debug)]
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
#[derive(Clone, Debug)]
pub struct World {
    /// The configuration it was made from.
    pub config: Config,
    /// The objects.
    pub store: Store,
    /// What happened.
    pub record: Record,
    /// Whether decisions are recorded with the rules that were looked at.
    pub trace: bool,
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
            store: Store::new(&config),
            record: Record::default(),
            trace: false,
            agenda: Agenda::default(),
            control: Control::new(&config.controller),
            data: Data::default(),
            config,
        };
        data::start(&mut world);
        world
    }

    /// The virtual time.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Does the next thing that is due, if it is due before `until`; returns when that was. Things that have become void
    /// meanwhile are passed over, and time does not go on for them.
    pub fn step(&mut self, until: Timestamp) -> Option<Timestamp> {
        loop {
            let at = self.agenda.next_at().filter(|at| *at <= until)?;
            let (_, what) = self.agenda.take()?;
            match what {
                Happening::Control(due) if self.control.is_live(&due, at) => {
                    self.now = self.now.max(at);
                    control::handle(self, due);
                }
                Happening::Control(_) => continue,
                Happening::Data(due) => {
                    self.now = self.now.max(at);
                    data::handle(self, due);
                }
            }
            self.pass_on_changes();
            return Some(self.now);
        }
    }

    /// Runs until everything has finished, nothing is due any more, or `until`.
    pub fn run(&mut self, until: Timestamp) -> Ending {
        loop {
            if self.is_finished() {
                return Ending::Finished;
            }
            if self.step(until).is_some() {
                continue;
            }
            if self.agenda.is_empty() {
                return Ending::Quiescent;
            }
            self.now = self.now.max(until);
            return Ending::Deadline;
        }
    }

    /// Lets time go on to `until`, whatever happens or does not.
    pub fn advance(&mut self, until: Timestamp) {
        while self.step(until).is_some() {}
        self.now = self.now.max(until);
    }

    /// Whether every Job is terminal and every Pod has ended. A world with CronJobs goes on for ever; one in which
    /// nothing was ever created has nothing to finish.
    pub fn is_finished(&self) -> bool {
        let store = &self.store;
        let over = !store.has_unfinished_jobs() && !store.has_live_pods() && !store.has_cron_jobs();
        over && store.version() > 0 && self.control.is_idle()
    }

    /// Whether anything is due, now or later. Things that have become void count until their time has come.
    pub fn is_busy(&self) -> bool {
        !self.agenda.is_empty()
    }

    /// Shows both planes what has changed, in watch order, until nothing changes any more.
    pub fn pass_on_changes(&mut self) {
        while !self.store.pod_changes.is_empty() || !self.store.object_changes.is_empty() {
            for change in std::mem::take(&mut self.store.object_changes) {
                if let Some(changes) = &mut self.record.object_changes {
                    changes.push(change.clone());
                }
                control::observe_object(self, &change);
                data::observe_object(self, &change);
            }
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
