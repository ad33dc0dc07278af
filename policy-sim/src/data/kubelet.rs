//! The kubelet: from a bound Pod to running containers, and what it does when they end.

use super::events::KUBELET;
use super::nodes::{Freed, millis};
use super::plan::should_restart;
use super::run::{Activity, ContainerRun, PodRun, Stage, Stop, Why, waiting_reason};
use super::status::{phase_of, report};
use super::{Due, Of, images, restart, script, stop};
use crate::World;
use crate::object::{Ended, Phase, Pod, PodId, State};
use policy_core::seconds_to_nanos;

/// Plans that the node's kubelet sees the Pod.
pub(super) fn plan_sync(world: &mut World, pod: PodId, turn: u32) {
    let at = world.now.plus_nanos(millis(world.config.timing.watch_millis));
    world.plan_data(at, Due::Sync(pod, turn));
}

/// A Pod whose `spec` names its node is not scheduled: the kubelet checks whether it fits.
pub(super) fn bind_directly(world: &mut World, pod: PodId, name: &str) {
    let index = world.node_index(name);
    let Some(run) = world.data.run_mut(pod) else { return };
    run.node = index;
    let turn = run.turn;
    let shared =
        index.and_then(|index| world.data.nodes.get(index)).map_or_else(|| name.into(), |n| n.name.clone());
    world.store.update_pod(pod, |pod| pod.node.replace(shared.clone()).as_ref() != Some(&shared));
    if index.is_some() {
        plan_sync(world, pod, turn);
    }
}

/// The kubelet sees a Pod for the first time.
pub(super) fn sync(world: &mut World, id: PodId, turn: u32) {
    let Some(run) = world.data.run_at(id, turn).filter(|run| run.stage == Stage::New) else { return };
    let (Some(index), plan) = (run.node, run.plan.clone()) else { return };
    let Some(node) = world.data.nodes.get_mut(index).filter(|node| node.up) else { return };
    let admitted = if node.pods.contains(&id) { Ok(()) } else { node.fits(&plan.needs, &Freed::default()) };
    node.add(id, &plan.needs);
    if let Err(why) = admitted {
        return reject(world, id, why);
    }
    let Some(run) = world.data.run_mut(id) else { return };
    if run.is_stopping() {
        return stop::settle(world, id);
    }
    run.go(Stage::Sandbox);
    let turn = run.turn;
    report(world, id);
    let now = world.now;
    if let Some(seconds) = plan.active_deadline_seconds {
        world.plan_data(now.plus_nanos(seconds_to_nanos(seconds)), Due::PodDeadline(id));
    }
    let at = now.plus_nanos(millis(world.config.timing.sandbox_millis));
    world.plan_data(at, Due::Sandbox(id, turn));
}

/// A Pod that the kubelet cannot admit fails at once, without a condition about a disruption (`rejectPod`).
fn reject(world: &mut World, id: PodId, why: &'static str) {
    let (reason, resource) = match why {
        "Insufficient cpu" => ("OutOfcpu", "cpu"),
        "Insufficient memory" => ("OutOfmemory", "memory"),
        _ => ("OutOfpods", "pods"),
    };
    let message = format!("Pod was rejected: Node didn't have enough resource: {resource}");
    world.kubelet_warning(id, reason, message.clone());
    let now = world.now;
    world.store.update_pod(id, |pod| {
        (pod.phase, pod.reason, pod.message) = (Phase::Failed, reason, Some(message.into()));
        pod.started_at = Some(now);
        true
    });
    stop::forget(world, id);
}

/// A Pod's sandbox is there: its containers can be started.
pub(super) fn sandbox_ready(world: &mut World, id: PodId, turn: u32) {
    let Some(run) = world.data.run_at(id, turn).filter(|run| run.stage == Stage::Sandbox) else { return };
    run.sandbox = true;
    run.go(Stage::Active);
    report(world, id);
    advance(world, id);
    stop::settle(world, id);
}

/// Starts whatever may be started now: init containers one after the other, then all others
/// (`computePodActions`).
pub(super) fn advance(world: &mut World, id: PodId) {
    let Some(base) = world.store.pod(id).map(|pod| pod.base.clone()) else { return };
    let Some(run) = world.data.run(id).filter(|run| run.stage == Stage::Active) else { return };
    let mut next = Vec::new();
    for (index, (spec, container)) in base.containers.iter().zip(&run.containers).enumerate() {
        if !spec.init {
            continue;
        }
        let over = match container.activity {
            Activity::Idle => {
                next.push(index);
                false
            }
            _ if spec.sidecar => container.starts > 0,
            _ => container.activity == Activity::Ended && container.status.ready,
        };
        if !over {
            break;
        }
    }
    let initialized =
        base.containers.iter().zip(&run.containers).filter(|(spec, _)| spec.init).all(|(spec, c)| {
            if spec.sidecar { c.starts > 0 } else { c.activity == Activity::Ended && c.status.ready }
        });
    if initialized {
        let regular = base.containers.iter().zip(&run.containers).enumerate();
        let idle = regular.filter(|(_, (spec, c))| !spec.init && c.activity == Activity::Idle);
        next.extend(idle.map(|(index, _)| index));
    }
    for index in next {
        images::prepare(world, id, index);
    }
}

/// Creates a container whose image is there.
pub(super) fn create(world: &mut World, id: PodId, index: usize) {
    let Some(container) = world.data.container_mut(id, index) else { return };
    container.go(Activity::Creating);
    container.pull_failures = 0;
    let of = Of { pod: id, container: index, turn: container.turn };
    world.kubelet_event(id, "Created", "Container created".into());
    let at = world.now.plus_nanos(millis(world.config.timing.start_millis));
    world.plan_data(at, Due::Started(of));
}

/// A container runs.
pub(super) fn started(world: &mut World, of: Of) {
    let now = world.now;
    let Some(container) = world.data.container_at(of) else { return };
    container.go(Activity::Running);
    container.starts += 1;
    let status = &mut container.status;
    status.state = State::Running(now);
    status.last = container.ended.map(Box::new);
    status.restarts = i32::try_from(container.starts - 1).unwrap_or(i32::MAX);
    world.kubelet_event(of.pod, "Started", "Container started".into());
    let Some(of) = world.data.of(of.pod, of.container) else { return };
    begin_script(world, of);
    report(world, of.pod);
    script::go_on(world, of);
    advance(world, of.pod);
    stop::settle(world, of.pod);
}

/// Chooses what the container does, and when it is ready.
fn begin_script(world: &mut World, of: Of) {
    let Some(process) = super::behaviour::choose(world, of.pod, of.container) else { return };
    let is_init = world.store.pod(of.pod).is_some_and(|pod| {
        pod.base.containers.get(of.container).is_some_and(|spec| spec.init && !spec.sidecar)
    });
    let ready_after = process.ready_after_millis();
    let Some(container) = world.data.container_at(of) else { return };
    container.process = Some(Box::new(process));
    container.status.ready = !is_init && ready_after == 0;
    if !is_init && ready_after > 0 {
        world.plan_data(world.now.plus_nanos(millis(ready_after)), Due::Ready(of));
    }
}

/// A container is ready.
pub(super) fn ready(world: &mut World, of: Of) {
    let Some(container) = world.data.container_at(of) else { return };
    container.status.ready = true;
    report(world, of.pod);
}

/// A container ends. What it held of queues goes back; the kubelet notices a little later.
pub(super) fn exit(world: &mut World, of: Of, exit_code: i32, reason: &'static str) {
    let now = world.now;
    let Some(container) = world.data.container_at(of).filter(|c| c.runs()) else { return };
    let started_at = match container.status.state {
        State::Running(since) => Some(since),
        _ => None,
    };
    let ended = Ended { exit_code, reason, started_at, finished_at: Some(now) };
    container.ended_before = container.ended.replace(ended);
    container.go(Activity::Unnoticed);
    if let Some(process) = container.process.take() {
        script::abandon(world, of, *process);
    }
    let Some(run) = world.data.run_mut(of.pod) else { return };
    match run.stage {
        Stage::Stopping => stop::container_stopped(world, of.pod),
        Stage::Active if !run.notice_planned => {
            run.notice_planned = true;
            let turn = run.turn;
            let at = now.plus_nanos(millis(world.config.timing.notice_millis));
            world.plan_data(at, Due::Notice(of.pod, turn));
        }
        _ => {}
    }
}

/// Why a container is killed from outside.
#[derive(Clone, Copy, Debug)]
pub(super) enum KillReason {
    /// It used too much memory.
    OutOfMemory,
    /// Somebody killed it.
    Signal,
}

/// How a container that ends by itself is reported.
pub(super) fn exit_reason(exit_code: i32) -> &'static str {
    if exit_code == 0 { "Completed" } else { "Error" }
}

/// Turns the ends that have not been noticed into statuses; tells which containers they are.
pub(super) fn take_note(world: &mut World, id: PodId) -> Vec<usize> {
    let Some(base) = world.store.pod(id).map(|pod| pod.base.clone()) else { return Vec::new() };
    let Some(run) = world.data.run_mut(id) else { return Vec::new() };
    let mut noticed = Vec::new();
    for (index, container) in run.containers.iter_mut().enumerate() {
        if container.activity != Activity::Unnoticed {
            continue;
        }
        container.go(Activity::Ended);
        let Some(ended) = container.ended else { continue };
        let plain_init = base.containers.get(index).is_some_and(|spec| spec.init && !spec.sidecar);
        container.status.ready = plain_init && ended.exit_code == 0;
        container.status.state = State::Terminated(ended);
        noticed.push(index);
    }
    noticed
}

/// The kubelet notices that containers have ended: it restarts them, goes on with the next, or ends the Pod.
pub(super) fn notice(world: &mut World, id: PodId, turn: u32) {
    let Some(run) = world.data.run_at(id, turn) else { return };
    run.notice_planned = false;
    let noticed = take_note(world, id);
    report(world, id);
    let Some(pod) = world.store.pod(id) else { return };
    let Some(run) = world.data.run(id) else { return };
    if is_done(run, pod) {
        let grace_seconds = pod.base.grace_seconds;
        return stop::begin(world, id, Stop { why: Why::Done, grace_seconds });
    }
    let restartable = |index: &usize| {
        let code = run.containers.get(*index).and_then(|c| c.ended).map(|ended| ended.exit_code);
        code.is_some_and(|code| should_restart(&pod.base, &run.plan, *index, code))
    };
    for index in noticed.into_iter().filter(restartable).collect::<Vec<_>>() {
        restart::ended(world, id, index);
    }
    advance(world, id);
}

/// Whether nothing but sidecars is left to run.
fn is_done(run: &PodRun, pod: &Pod) -> bool {
    let over = |(index, c): (usize, &ContainerRun)| {
        let code = c.ended.filter(|_| c.activity == Activity::Ended).map(|ended| ended.exit_code);
        code.is_some_and(|code| !should_restart(&pod.base, &run.plan, index, code))
    };
    let is_regular = |index: usize| pod.base.containers.get(index).is_some_and(|spec| !spec.init);
    let mut regular = run.containers.iter().enumerate().filter(|(index, _)| is_regular(*index));
    matches!(phase_of(run, pod), Phase::Succeeded | Phase::Failed) || regular.all(over)
}

/// A kubelet that starts again finds the Pod: nothing of it runs any more (exit code 255, as containers have after a
/// reboot), and its sandbox is gone.
pub(super) fn found_after_restart(world: &mut World, id: PodId) {
    let now = world.now;
    let Some(run) = world.data.run_mut(id) else { return };
    run.sandbox = false;
    run.notice_planned = false;
    let began = run.containers.iter().any(|c| c.starts > 0 || c.activity != Activity::Idle);
    for container in &mut run.containers {
        if let (State::Running(since), true) =
            (&container.status.state, container.activity != Activity::Unnoticed)
        {
            let started_at = Some(*since);
            let ended = Ended { exit_code: 255, reason: "Unknown", started_at, finished_at: Some(now) };
            container.ended_before = container.ended.replace(ended);
            container.go(Activity::Unnoticed);
        } else if matches!(container.activity, Activity::Pulling | Activity::Creating) {
            container.go(Activity::Idle);
        }
    }
    let deleted = world.store.pod(id).and_then(|pod| pod.deletion_grace_seconds);
    if !began && deleted.is_none() {
        let Some(run) = world.data.run_mut(id) else { return };
        run.go(Stage::New);
        let turn = run.turn;
        return plan_sync(world, id, turn);
    }
    resume(world, id, deleted);
}

/// Goes on with a Pod whose containers were found dead: in a new sandbox, unless it ends.
fn resume(world: &mut World, id: PodId, deleted: Option<i64>) {
    let noticed = take_note(world, id);
    let Some(run) = world.data.run_mut(id) else { return };
    run.go(Stage::Active);
    if let Some(grace_seconds) = deleted {
        return stop::begin(world, id, Stop { why: Why::Deleted, grace_seconds });
    }
    report(world, id);
    let Some(pod) = world.store.pod(id) else { return };
    let Some(run) = world.data.run(id) else { return };
    if is_done(run, pod) {
        let grace_seconds = pod.base.grace_seconds;
        return stop::begin(world, id, Stop { why: Why::Done, grace_seconds });
    }
    world.pod_event(id, "Normal", "SandboxChanged", SANDBOX_CHANGED.into(), KUBELET);
    let Some(run) = world.data.run_mut(id) else { return };
    // A new sandbox starts everything again that is not over for good; init containers that were done stay done.
    for index in noticed {
        if let Some(container) = run.containers.get_mut(index) {
            container.go(Activity::Idle);
        }
    }
    run.go(Stage::Sandbox);
    let turn = run.turn;
    let at = world.now.plus_nanos(millis(world.config.timing.sandbox_millis));
    world.plan_data(at, Due::Sandbox(id, turn));
}

const SANDBOX_CHANGED: &str = "Pod sandbox changed, it will be killed and re-created.";

/// What a container that has not started is shown to wait for.
pub(super) fn waiting(world: &World, id: PodId) -> State {
    let waits = world.store.pod(id).is_some_and(|pod| pod.base.containers.iter().any(|c| c.init));
    State::Waiting(waiting_reason(waits))
}
