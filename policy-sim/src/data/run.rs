//! What the data plane remembers of a Pod until it has ended.

use super::plan::PodPlan;
use super::script::Process;
use super::{Data, Of};
use crate::object::{ContainerStatus, Ended, PodId, State};
use policy_core::Timestamp;
use std::sync::Arc;

/// A Pod that has not ended.
#[derive(Clone, Debug)]
pub(crate) struct PodRun {
    pub(super) plan: Arc<PodPlan>,
    /// The how-manieth Pod of its Job (and index) it is, from 1.
    pub(super) attempt: u32,
    /// The node it is bound to.
    pub(super) node: Option<usize>,
    pub(super) stage: Stage,
    /// Whether a sandbox exists.
    pub(super) sandbox: bool,
    /// Whether the kubelet is about to notice an end.
    pub(super) notice_planned: bool,
    /// Why it is being stopped.
    pub(super) stop: Option<Stop>,
    /// Moves on with the stage; what was planned at an earlier turn is void.
    pub(super) turn: u32,
    pub(super) containers: Vec<ContainerRun>,
}

/// How far a Pod has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Its kubelet has not seen it; it may not be bound either.
    New,
    /// Its sandbox is being made.
    Sandbox,
    /// Its containers are started and run.
    Active,
    /// Its containers are being stopped.
    Stopping,
    /// Its sandbox is being taken down.
    TearDown,
    /// Its node is gone.
    Lost,
    /// Its kubelet has said how it ended.
    Ended,
}

/// Why a Pod is stopped.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    pub(super) why: Why,
    pub(super) grace_seconds: i64,
}

/// The causes of a stop.
#[derive(Clone, Debug)]
pub(super) enum Why {
    /// Its containers have ended by themselves.
    Done,
    /// Its deletion was asked for.
    Deleted,
    /// The kubelet ends it: it fails, for this reason.
    Failed { reason: &'static str, message: Arc<str>, disrupted: Option<Arc<str>> },
}

/// A container of such a Pod.
#[derive(Clone, Debug)]
pub(super) struct ContainerRun {
    pub(super) status: ContainerStatus,
    pub(super) activity: Activity,
    /// Moves on with the activity; what was planned at an earlier turn is void.
    pub(super) turn: u32,
    /// How often it has started.
    pub(super) starts: u32,
    pub(super) pull_failures: u32,
    pub(super) pull_began: Timestamp,
    /// The delay of the next restart, and when it was set.
    pub(super) back_off: Option<(i64, Timestamp)>,
    /// How its last run ended, and how the one before.
    pub(super) ended: Option<Ended>,
    pub(super) ended_before: Option<Ended>,
    pub(super) process: Option<Box<Process>>,
}

/// What happens to a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Activity {
    /// Nothing yet.
    Idle,
    /// Its image is being pulled, or is waited for.
    Pulling,
    /// It is being created.
    Creating,
    /// It runs.
    Running,
    /// It runs and has been asked to stop.
    Stopping,
    /// It has ended, and the kubelet has not noticed.
    Unnoticed,
    /// It waits to be restarted.
    BackOff,
    /// It has ended.
    Ended,
}

impl ContainerRun {
    pub(super) fn new(waits_for_init: bool) -> Self {
        let state = State::Waiting(waiting_reason(waits_for_init));
        ContainerRun {
            status: ContainerStatus { state, last: None, restarts: 0, ready: false },
            activity: Activity::Idle,
            turn: 0,
            starts: 0,
            pull_failures: 0,
            pull_began: Timestamp::ZERO,
            back_off: None,
            ended: None,
            ended_before: None,
            process: None,
        }
    }

    /// Goes over to another activity, which voids what was planned.
    pub(super) fn go(&mut self, activity: Activity) {
        self.activity = activity;
        self.turn = self.turn.wrapping_add(1);
    }

    pub(super) fn runs(&self) -> bool {
        matches!(self.activity, Activity::Running | Activity::Stopping)
    }
}

/// What a container waits for that has not started.
pub(super) fn waiting_reason(waits_for_init: bool) -> &'static str {
    if waits_for_init { "PodInitializing" } else { "ContainerCreating" }
}

impl PodRun {
    pub(super) fn is_stopping(&self) -> bool {
        self.stop.is_some()
    }

    /// Goes over to another stage, which voids what was planned.
    pub(super) fn go(&mut self, stage: Stage) {
        self.stage = stage;
        self.turn = self.turn.wrapping_add(1);
    }

    /// Whether the kubelet is in the middle of starting something, which it finishes before it stops the Pod.
    pub(super) fn is_starting(&self) -> bool {
        self.stage == Stage::Sandbox || self.containers.iter().any(|c| c.activity == Activity::Creating)
    }
}

impl Data {
    pub(super) fn run(&self, pod: PodId) -> Option<&PodRun> {
        self.runs.get(&pod)
    }

    pub(super) fn run_mut(&mut self, pod: PodId) -> Option<&mut PodRun> {
        self.runs.get_mut(&pod)
    }

    /// A Pod at the turn for which something was planned.
    pub(super) fn run_at(&mut self, pod: PodId, turn: u32) -> Option<&mut PodRun> {
        self.runs.get_mut(&pod).filter(|run| run.turn == turn)
    }

    /// A container at the turn for which something was planned.
    pub(super) fn container_at(&mut self, of: Of) -> Option<&mut ContainerRun> {
        self.container_mut(of.pod, of.container).filter(|c| c.turn == of.turn)
    }

    pub(super) fn container_mut(&mut self, pod: PodId, container: usize) -> Option<&mut ContainerRun> {
        self.runs.get_mut(&pod)?.containers.get_mut(container)
    }

    /// The container as it is now.
    pub(super) fn of(&self, pod: PodId, container: usize) -> Option<Of> {
        let turn = self.runs.get(&pod)?.containers.get(container)?.turn;
        Some(Of { pod, container, turn })
    }
}
