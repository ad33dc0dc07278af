//! Lives of Pods in a small cluster without a control plane.

use super::Disturbance;
use crate::World;
use crate::config::{Act, Behaviour, Config, ImageConfig, Match, NodeConfig, QueueConfig, QueueKind};
use crate::object::{Phase, Pod, PodBase, PodId, State};
use policy_core::spec::{OwnerReference, StringMap};
use serde_json::{Value, json};
use std::sync::Arc;

mod containers;
mod disruption;
mod placement;
mod scale;
mod work;

const FINALIZER: &str = "batch.kubernetes.io/job-tracking";

/// A cluster in which containers do what the script says.
fn world(script: Vec<Act>) -> World {
    World::new(config(script))
}

fn config(script: Vec<Act>) -> Config {
    Config { behaviours: vec![behaviour(script)], ..Config::default() }
}

fn behaviour(script: Vec<Act>) -> Behaviour {
    Behaviour { matches: Match::default(), script, on_term: None, ready_after_millis: 0 }
}

/// A template with one container `c`.
fn template(restart_policy: &str) -> Value {
    json!({"restartPolicy": restart_policy, "containers": [{"name": "c", "image": "busybox:1.28"}]})
}

/// Creates a Pod of the Job `job`.
fn create(world: &mut World, name: &str, spec: Value) -> PodId {
    create_of(world, name, Arc::new(PodBase::new(spec, StringMap::new(), StringMap::new())), None)
}

fn create_of(world: &mut World, name: &str, base: Arc<PodBase>, index: Option<i64>) -> PodId {
    let now = world.now();
    let owner = owner(world);
    let id = world.store.insert_pod(|id, version| {
        let names = ("default".into(), name.into(), format!("uid-{name}").into());
        let mut pod = Pod::new((id, version), names, base, now);
        pod.owners = [owner].into();
        pod.index = index;
        pod.finalizers.push(FINALIZER.into());
        pod
    });
    world.pass_on_changes();
    id
}

/// The Job `job`, which no controller here looks after.
fn owner(world: &mut World) -> OwnerReference {
    if world.store.job("default", "job").is_none() {
        let template = json!({"spec": template("Never")});
        let manifest = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "job", "namespace": "default"},
            "spec": {"managedBy": "example.com/nobody", "template": template}});
        world.create(&manifest).unwrap();
    }
    let uid = world.store.job("default", "job").unwrap().metadata.uid.clone();
    let (kind, name, controller) = ("Job".into(), "job".into(), Some(true));
    OwnerReference { kind, name, uid, controller, ..OwnerReference::default() }
}

fn run_for(world: &mut World, seconds: i64) {
    let until = world.now().plus_nanos(seconds * 1_000_000_000);
    while world.step(until).is_some() {}
    world.now = until;
}

fn phase(world: &World, pod: PodId) -> Phase {
    world.store.pod(pod).unwrap().phase
}

/// The state of a Pod's container, as `kubectl get` might show it.
fn state(world: &World, pod: PodId, container: usize) -> String {
    let status = &world.store.pod(pod).unwrap().containers[container];
    match &status.state {
        State::Waiting(reason) => format!("{reason} {}", status.restarts),
        State::Running(_) => format!("Running {}", status.restarts),
        State::Terminated(how) => format!("{}:{} {}", how.reason, how.exit_code, status.restarts),
    }
}

fn disruption(world: &World, pod: PodId) -> Option<String> {
    let pod = world.store.pod(pod)?;
    pod.condition("DisruptionTarget").map(|condition| condition.reason.to_string())
}

fn logs(world: &World, pod: &str) -> Vec<String> {
    world.record.logs.get(pod).map(|lines| lines.to_vec()).unwrap_or_default()
}

fn events(world: &World, reason: &str) -> Vec<String> {
    let matching = world.record.events.iter().filter(|event| event.reason() == reason);
    matching.map(|event| event.message().into_owned()).collect()
}

fn delete(world: &mut World, pod: PodId, grace_seconds: i64) {
    let now = world.now();
    world.store.request_pod_deletion(pod, grace_seconds, now);
    world.pass_on_changes();
}

/// Does what the Job controller does when it has counted a Pod.
fn release(world: &mut World, pod: PodId) {
    world.store.update_pod(pod, |pod| {
        pod.finalizers.clear();
        true
    });
    world.store.remove_if_done(pod);
    world.pass_on_changes();
}
