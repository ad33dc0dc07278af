//! How Pods end: by themselves, by deletion, by their deadline or with their node.

use super::kubelet::{exit, exit_reason, take_note, waiting};
use super::nodes::millis;
use super::run::{Activity, Stage, Stop, Why};
use super::status::report;
use super::{Due, Of, dns, scheduler, script};
use crate::World;
use crate::object::{ContainerSpec, Ended, Phase, Pod, PodId, State};
use policy_core::seconds_to_nanos;

/// Containers get at least this long before they are killed (upstream `minimumGracePeriodInSeconds`).
pub(crate) const SHORTEST_GRACE_SECONDS: i64 = 2;
/// The exit code of a container that was killed.
const KILLED: i32 = 137;

/// Takes note of a change: of a deletion that was asked for, or of an end that others have written.
pub(super) fn pod_modified(world: &mut World, pod: &Pod) {
    if pod.is_terminal() && world.data.run(pod.id).is_some() {
        forget_as(world, pod.id, pod);
    }
    let Some(grace_seconds) = pod.deletion_grace_seconds else { return };
    let Some(run) = world.data.run(pod.id) else {
        if pod.is_terminal() && grace_seconds > 0 {
            world.plan_data(world.now, Due::Remove(pod.id));
        }
        return;
    };
    let known = run.stop.as_ref().filter(|stop| matches!(stop.why, Why::Deleted));
    if known.is_some_and(|stop| stop.grace_seconds <= grace_seconds) || run.stage == Stage::Ended {
        return;
    }
    if run.node.is_none() {
        let needs = run.plan.needs.clone();
        scheduler::forget(world, pod.id, &needs);
        return super::eviction::plan_collection(world, 0);
    }
    let at = world.now.plus_nanos(millis(world.config.timing.watch_millis));
    world.plan_data(at, Due::SawDeletion(pod.id));
}

/// The API has the Pod no more: whatever still runs of it is killed.
pub(super) fn pod_gone(world: &mut World, pod: &Pod) {
    let Some(run) = world.data.run(pod.id) else { return };
    if run.node.is_none() {
        let needs = run.plan.needs.clone();
        scheduler::forget(world, pod.id, &needs);
    }
    forget_as(world, pod.id, pod);
}

/// The kubelet sees that a Pod is to be deleted. A start that is under way is finished first, as the worker that does it
/// does one thing at a time.
pub(super) fn saw_deletion(world: &mut World, id: PodId) {
    let Some(grace_seconds) = world.store.pod(id).and_then(|pod| pod.deletion_grace_seconds) else { return };
    let Some(run) = world.data.run_mut(id) else { return };
    let node_up = run.node.and_then(|node| world.data.nodes.get(node)).is_some_and(|node| node.up);
    let Some(run) = world.data.run_mut(id).filter(|_| node_up) else { return };
    match &mut run.stop {
        None => {
            run.stop = Some(Stop { why: Why::Deleted, grace_seconds });
            settle(world, id);
        }
        Some(stop) if grace_seconds < stop.grace_seconds => {
            stop.grace_seconds = grace_seconds;
            if run.stage == Stage::Stopping {
                signal(world, id);
            }
        }
        Some(_) => {}
    }
}

/// The Pod's `activeDeadlineSeconds` are over: it fails, and no disruption is to blame.
pub(super) fn deadline_exceeded(world: &mut World, id: PodId) {
    let Some(grace_seconds) = world.store.pod(id).map(|pod| pod.base.grace_seconds) else { return };
    let message = "Pod was active on the node longer than the specified deadline";
    if world.data.run(id).is_none_or(|run| run.is_stopping() || run.stage == Stage::Lost) {
        return;
    }
    world.kubelet_event(id, "DeadlineExceeded", message.into());
    let why = Why::Failed { reason: "DeadlineExceeded", message: message.into(), disrupted: None };
    begin(world, id, Stop { why, grace_seconds });
}

/// Stops a Pod that is not being stopped yet.
pub(super) fn begin(world: &mut World, id: PodId, stop: Stop) {
    let Some(run) = world.data.run_mut(id).filter(|run| !run.is_stopping()) else { return };
    run.stop = Some(stop);
    settle(world, id);
}

/// Begins to stop a Pod as soon as nothing of it is being started.
pub(super) fn settle(world: &mut World, id: PodId) {
    let Some(run) = world.data.run_mut(id).filter(|run| run.is_stopping() && !run.is_starting()) else {
        return;
    };
    if !matches!(run.stage, Stage::New | Stage::Active) {
        return;
    }
    run.go(Stage::Stopping);
    run.notice_planned = false;
    take_note(world, id);
    let idle = waiting(world, id);
    let Some(run) = world.data.run_mut(id) else { return };
    for container in run.containers.iter_mut().filter(|c| !c.runs()) {
        container.go(container.activity);
        match container.status.state {
            // What the runtime knows is shown again, not what the kubelet waited for.
            State::Waiting(_) if container.ended.is_some() => {
                container.status.state = container.ended.map_or(idle.clone(), State::Terminated);
                container.status.last = container.ended_before.or(container.ended).map(Box::new);
            }
            State::Waiting(_) => container.status.state = idle.clone(),
            _ => {}
        }
    }
    report(world, id);
    signal(world, id);
}

/// Asks running containers to stop: the regular ones together, then sidecars one by one, the last first.
fn signal(world: &mut World, id: PodId) {
    let now = world.now;
    let Some(base) = world.store.pod(id).map(|pod| pod.base.clone()) else { return };
    let Some(run) = world.data.run_mut(id) else { return };
    let grace_seconds = run.stop.as_ref().map_or(0, |stop| stop.grace_seconds).max(SHORTEST_GRACE_SECONDS);
    let running = |sidecar: bool| {
        let all = base.containers.iter().zip(&run.containers).enumerate();
        all.filter(|(_, (spec, c))| c.runs() && spec.sidecar == sidecar).map(|(index, _)| index).collect()
    };
    let mut targets: Vec<usize> = running(false);
    if targets.is_empty() {
        targets = running(true).split_off(running(true).len().saturating_sub(1));
    }
    if targets.is_empty() {
        return tear_down(world, id);
    }
    for index in targets {
        let Some(container) = world.data.container_mut(id, index) else { continue };
        let first = container.activity == Activity::Running;
        // The process goes on until it ends: what was planned for it stays planned.
        container.activity = Activity::Stopping;
        let heeds = container.process.as_ref().and_then(|process| process.on_term());
        let of = Of { pod: id, container: index, turn: container.turn };
        if first {
            let name = base.containers.get(index).map_or("", |spec: &ContainerSpec| &spec.name);
            world.kubelet_event(id, "Killing", format!("Stopping container {name}"));
        }
        let (after, code) = heeds.map_or((grace_seconds, KILLED), |code| (0, code));
        world.plan_data(now.plus_nanos(seconds_to_nanos(after)), Due::Kill(of, code));
    }
}

/// A container has heeded SIGTERM, or its grace period is over.
pub(super) fn kill_due(world: &mut World, of: Of, exit_code: i32) {
    exit(world, of, exit_code, exit_reason(exit_code));
}

/// A container of a Pod that is being stopped has ended.
pub(super) fn container_stopped(world: &mut World, id: PodId) {
    take_note(world, id);
    let Some(base) = world.store.pod(id).map(|pod| pod.base.clone()) else { return };
    let Some(run) = world.data.run(id) else { return };
    let pairs = || base.containers.iter().zip(&run.containers);
    let regular_run = pairs().any(|(spec, c)| c.runs() && !spec.sidecar);
    let by_itself = run.stop.as_ref().is_some_and(|stop| matches!(stop.why, Why::Done));
    if by_itself {
        report(world, id);
    }
    if !regular_run {
        signal(world, id);
    }
}

fn tear_down(world: &mut World, id: PodId) {
    let Some(run) = world.data.run_mut(id).filter(|run| run.stage == Stage::Stopping) else { return };
    run.go(Stage::TearDown);
    let turn = run.turn;
    let at = world.now.plus_nanos(millis(world.config.timing.teardown_millis));
    world.plan_data(at, Due::Stopped(id, turn));
}

/// The sandbox is down: the Pod has ended, and its status says how.
pub(super) fn sandbox_down(world: &mut World, id: PodId, turn: u32) {
    let Some(run) = world.data.run_at(id, turn).filter(|run| run.stage == Stage::TearDown) else { return };
    run.sandbox = false;
    run.go(Stage::Ended);
    report(world, id);
    if world.store.pod(id).is_some_and(|pod| !pod.is_terminal()) {
        fail_unstarted(world, id);
    }
    forget(world, id);
    if world.store.pod(id).is_some_and(|pod| pod.deletion_timestamp.is_some()) {
        let at = world.now.plus_nanos(millis(world.config.timing.watch_millis));
        world.plan_data(at, Due::Remove(id));
    }
}

/// A Pod that ends without all of its containers having run fails: nobody knows what they would have done
/// (`TerminatePod`).
fn fail_unstarted(world: &mut World, id: PodId) {
    let unknown =
        Ended { exit_code: KILLED, reason: "ContainerStatusUnknown", started_at: None, finished_at: None };
    world.store.update_pod(id, |pod| {
        let base = pod.base.clone();
        let initialized = has_initialized(pod);
        // Init containers that have not begun stay as they are, save the first.
        let begun = base
            .containers
            .iter()
            .zip(&pod.containers)
            .enumerate()
            .filter(|(_, (spec, status))| spec.init && !matches!(status.state, State::Waiting(_)));
        let inits = begun.map(|(index, _)| index).max().unwrap_or(0);
        for (index, (spec, status)) in base.containers.iter().zip(&mut pod.containers).enumerate() {
            let counts = if spec.init { index <= inits } else { initialized };
            if counts && !matches!(status.state, State::Terminated(_)) {
                status.state = State::Terminated(unknown);
            }
        }
        pod.phase = Phase::Failed;
        true
    });
}

/// Whether regular containers have had their turn (`hasPodInitialized`).
fn has_initialized(pod: &Pod) -> bool {
    let pairs = || pod.base.containers.iter().zip(&pod.containers);
    let last_init = pairs().rfind(|(spec, _)| spec.init);
    let Some((spec, last_init)) = last_init else { return true };
    let begun = |status: &crate::object::ContainerStatus| {
        status.last.is_some() || !matches!(status.state, State::Waiting(_))
    };
    if pairs().any(|(spec, status)| !spec.init && begun(status)) {
        return true;
    }
    match (&last_init.state, spec.sidecar) {
        (State::Running(_), true) => true,
        (State::Terminated(how), false) => how.exit_code == 0,
        _ => false,
    }
}

/// The kubelet deletes a Pod that has ended.
pub(super) fn remove(world: &mut World, id: PodId) {
    let now = world.now;
    world.store.request_pod_deletion(id, 0, now);
}

/// Forgets a Pod that has ended: its place on the node is free.
pub(super) fn forget(world: &mut World, id: PodId) {
    let Some(pod) = world.store.pod(id).cloned() else { return };
    forget_as(world, id, &pod);
}

fn forget_as(world: &mut World, id: PodId, pod: &Pod) {
    release_all(world, id);
    let Some(run) = world.data.runs.remove(&id) else { return };
    dns::remove_name(world, pod, &run.plan);
    if let Some(node) = run.node.and_then(|index| world.data.nodes.get_mut(index)) {
        node.remove(id, &run.plan.needs);
        scheduler::capacity_changed(world);
    }
}

/// What the Pod's containers held of queues goes back.
fn release_all(world: &mut World, id: PodId) {
    let count = world.data.run(id).map_or(0, |run| run.containers.len());
    for index in 0..count {
        let process = world.data.container_mut(id, index).and_then(|container| {
            container.go(container.activity);
            container.process.take()
        });
        if let (Some(process), Some(of)) = (process, world.data.of(id, index)) {
            script::abandon(world, of, *process);
        }
    }
}

/// The Pod's node has lost power: its containers are gone, and nobody reports it.
pub(super) fn power_lost(world: &mut World, id: PodId) {
    release_all(world, id);
    if let Some(run) = world.data.run_mut(id) {
        run.go(Stage::Lost);
        run.stop = None;
    }
}
