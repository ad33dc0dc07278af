//! What the kubelet reports of a Pod: its phase, conditions and container states (`generateAPIPodStatus`).

use super::plan::should_restart;
use super::run::{PodRun, Stage, Why};
use crate::World;
use crate::object::{Condition, ContainerSpec, ContainerStatus, Ended, Phase, Pod, PodId, State};
use policy_core::Timestamp;
use std::sync::Arc;

/// The conditions that only the kubelet sets (`PodConditionByKubelet`).
const KUBELETS_OWN: [&str; 5] =
    ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];

/// Writes the Pod's status as the kubelet sees it, if it differs.
pub(super) fn report(world: &mut World, id: PodId) {
    let now = world.now;
    let Some(run) = world.data.runs.get(&id) else { return };
    world.store.update_pod(id, |pod| Report::of(run, pod).write(run, pod, now));
}

/// The phase that the containers' states amount to, as the kubelet would work it out now.
pub(super) fn phase_of(run: &PodRun, pod: &Pod) -> Phase {
    Tally::of(run, pod).phase(run.stage == Stage::Ended)
}

struct Report {
    /// The phase that decides about conditions.
    phase: Phase,
    /// The phase that is written: a Pod with containers or a sandbox has not ended.
    shown: Phase,
    reason: &'static str,
    message: Option<Arc<str>>,
    disrupted: Option<Arc<str>>,
}

impl Report {
    fn of(run: &PodRun, pod: &Pod) -> Self {
        let ended = run.stage == Stage::Ended;
        let mut phase = phase_of(run, pod);
        let (mut reason, mut message) = (pod.reason, pod.message.clone());
        let mut disrupted = None;
        if let Some(Why::Failed { reason: why, message: words, disrupted: disruption }) =
            run.stop.as_ref().map(|stop| &stop.why)
        {
            if ended || disruption.is_none() {
                phase = Phase::Failed;
            }
            if ended {
                (reason, message, disrupted) = (why, Some(words.clone()), disruption.clone());
            }
        }
        let terminal = matches!(phase, Phase::Succeeded | Phase::Failed);
        let shown = if terminal && !ended || pod.is_terminal() { pod.phase } else { phase };
        Report { phase, shown, reason, message, disrupted }
    }

    fn write(self, run: &PodRun, pod: &mut Pod, now: Timestamp) -> bool {
        let conditions = self.conditions(run, pod, now);
        let same_containers = pod.containers.iter().eq(run.containers.iter().map(|c| &c.status));
        let changed = !same_containers
            || pod.conditions != conditions
            || pod.phase != self.shown
            || pod.reason != self.reason
            || pod.message != self.message
            || pod.started_at.is_none();
        if changed {
            if !same_containers {
                pod.containers = run.containers.iter().map(|c| c.status.clone()).collect();
            }
            pod.conditions = conditions;
            (pod.phase, pod.reason, pod.message) = (self.shown, self.reason, self.message);
            pod.started_at = pod.started_at.or(Some(now));
        }
        changed
    }

    /// Conditions of others first, then the kubelet's own, in the order in which it appends them.
    fn conditions(&self, run: &PodRun, pod: &Pod, now: Timestamp) -> Vec<Condition> {
        let others = pod.conditions.iter().filter(|c| !KUBELETS_OWN.contains(&&*c.kind));
        let mut list = Vec::with_capacity(KUBELETS_OWN.len() + others.clone().count());
        list.extend(others.cloned());
        if let Some(message) = &self.disrupted {
            let target = condition("DisruptionTarget", "True", "TerminationByKubelet", message);
            match list.iter_mut().find(|c| c.kind == target.kind) {
                Some(found) => *found = target,
                None => list.push(target),
            }
        }
        list.extend(own_conditions(run, pod, self.phase));
        for new in &mut list {
            let old = pod.condition(&new.kind).filter(|old| old.status == new.status);
            new.since = old.map_or(now, |old| old.since);
        }
        list
    }
}

fn condition(kind: &str, status: &'static str, reason: &str, message: &str) -> Condition {
    Condition::new(kind, status, reason, message, Timestamp::ZERO)
}

fn own_conditions(run: &PodRun, pod: &Pod, phase: Phase) -> [Condition; 5] {
    let sandbox = if run.sandbox {
        condition("PodReadyToStartContainers", "True", "", "")
    } else {
        let had_one = matches!(run.stage, Stage::TearDown | Stage::Ended);
        let why = if had_one { "pod sandbox is not ready" } else { "no pod sandbox exists" };
        condition("PodReadyToStartContainers", "False", "PodSandboxNotReady", why)
    };
    [
        sandbox,
        initialized(run, pod, phase),
        ready("Ready", run, pod, phase),
        ready("ContainersReady", run, pod, phase),
        condition("PodScheduled", "True", "", ""),
    ]
}

/// `GeneratePodInitializedCondition`.
fn initialized(run: &PodRun, pod: &Pod, phase: Phase) -> Condition {
    if phase == Phase::Succeeded {
        return condition("Initialized", "True", "PodCompleted", "");
    }
    let all = || pod.base.containers.iter().zip(&run.containers).map(|(spec, c)| (spec, &c.status));
    let begun = all().any(|(spec, status)| !spec.init && has_begun(status));
    let incomplete: Vec<&str> =
        all().filter(|(spec, status)| is_incomplete(spec, status)).map(|(spec, _)| &*spec.name).collect();
    if begun || incomplete.is_empty() {
        return condition("Initialized", "True", "", "");
    }
    let message = format!("containers with incomplete status: [{}]", incomplete.join(" "));
    condition("Initialized", "False", "ContainersNotInitialized", &message)
}

fn has_begun(status: &ContainerStatus) -> bool {
    status.last.is_some() || !matches!(status.state, State::Waiting(_))
}

/// Whether an init container still stands in the way (`isInitContainerInitialized`).
fn is_incomplete(spec: &ContainerSpec, status: &ContainerStatus) -> bool {
    let started = matches!(status.state, State::Running(_));
    spec.init && if spec.sidecar { !started } else { !status.ready }
}

/// `GenerateContainersReadyCondition`, which Ready follows as there are no readiness gates.
fn ready(kind: &str, run: &PodRun, pod: &Pod, phase: Phase) -> Condition {
    match phase {
        Phase::Succeeded => return condition(kind, "False", "PodCompleted", ""),
        Phase::Failed => return condition(kind, "False", "PodFailed", ""),
        _ => {}
    }
    let counted =
        pod.base.containers.iter().zip(&run.containers).filter(|(spec, _)| !spec.init || spec.sidecar);
    let unready: Vec<&str> = counted.filter(|(_, c)| !c.status.ready).map(|(spec, _)| &*spec.name).collect();
    if unready.is_empty() {
        return condition(kind, "True", "", "");
    }
    let message = format!("containers with unready status: [{}]", unready.join(" "));
    condition(kind, "False", "ContainersNotReady", &message)
}

/// Counts of containers by state (`getPhase`).
#[derive(Default)]
struct Tally {
    init_pending: usize,
    init_failed_for_good: usize,
    sidecars_pending: usize,
    running: usize,
    /// Of the running ones, those that are not sidecars.
    regular_running: usize,
    waiting: usize,
    stopped: usize,
    stopped_for_good: usize,
    succeeded: usize,
}

impl Tally {
    fn of(run: &PodRun, pod: &Pod) -> Self {
        let mut tally = Tally::default();
        for (index, (spec, container)) in pod.base.containers.iter().zip(&run.containers).enumerate() {
            let status = &container.status;
            let for_good = |how: &Ended| !should_restart(&pod.base, &run.plan, index, how.exit_code);
            match (spec.init, spec.sidecar) {
                (true, false) => tally.add_init(status, for_good),
                (true, true) => tally.add_sidecar(status),
                _ => tally.add_regular(status, for_good),
            }
        }
        tally
    }

    fn add_init(&mut self, status: &ContainerStatus, for_good: impl Fn(&Ended) -> bool) {
        let how = match (&status.state, status.last.as_deref()) {
            (State::Terminated(how), _) | (State::Waiting(_), Some(how)) => how,
            _ => {
                self.init_pending += 1;
                return;
            }
        };
        if how.exit_code != 0 && for_good(how) {
            self.init_failed_for_good += 1;
        }
    }

    fn add_sidecar(&mut self, status: &ContainerStatus) {
        match (&status.state, &status.last) {
            (State::Running(_), _) => self.running += 1,
            (State::Waiting(_), None) => {
                self.sidecars_pending += 1;
                self.waiting += 1;
            }
            _ => {}
        }
    }

    fn add_regular(&mut self, status: &ContainerStatus, for_good: impl Fn(&Ended) -> bool) {
        match (&status.state, &status.last) {
            (State::Running(_), _) => {
                self.running += 1;
                self.regular_running += 1;
            }
            (State::Waiting(_), None) => self.waiting += 1,
            (State::Terminated(how), _) => {
                self.stopped += 1;
                self.stopped_for_good += usize::from(for_good(how));
                self.succeeded += usize::from(how.exit_code == 0);
            }
            (State::Waiting(_), Some(how)) => {
                self.stopped += 1;
                self.stopped_for_good += usize::from(for_good(how));
            }
        }
    }

    fn phase(&self, pod_is_terminal: bool) -> Phase {
        if self.init_failed_for_good > 0 {
            return Phase::Failed;
        }
        if self.init_pending > 0 || self.sidecars_pending > 0 && self.regular_running == 0 || self.waiting > 0
        {
            return Phase::Pending;
        }
        if self.running > 0 {
            return Phase::Running;
        }
        if self.stopped == 0 {
            return Phase::Pending;
        }
        match () {
            () if !pod_is_terminal && self.stopped != self.stopped_for_good => Phase::Running,
            () if self.stopped == self.succeeded => Phase::Succeeded,
            () => Phase::Failed,
        }
    }
}
