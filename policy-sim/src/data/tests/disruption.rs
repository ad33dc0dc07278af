//! Nodes that are drained, lost, shut down or deleted; evictions and preemption.

use super::*;
use crate::data::PodSelect;

fn node(name: &str) -> String {
    name.into()
}

fn disturb(world: &mut World, what: Disturbance) -> usize {
    world.disturb(&what).unwrap()
}

/// A world with a running Pod on `node-1`.
fn running() -> (World, PodId) {
    let mut world = world(vec![Act::Block]);
    let pod = create(&mut world, "a", template("Never"));
    run_for(&mut world, 5);
    assert_eq!(world.store.pod(pod).unwrap().node.as_deref(), Some("node-1"));
    (world, pod)
}

#[test]
fn a_drain_evicts_and_keeps_new_pods_away() {
    let (mut world, pod) = running();
    let drain = Disturbance::Drain { node: node("node-1"), grace_period_seconds: Some(0), force: false };
    assert_eq!(disturb(&mut world, drain), 1);
    assert_eq!(phase(&world, pod), Phase::Running);
    assert_eq!(disruption(&world, pod).as_deref(), Some("EvictionByEvictionAPI"));
    run_for(&mut world, 4);
    assert_eq!((phase(&world, pod), state(&world, pod, 0)), (Phase::Failed, "Error:137 0".into()));
    disturb(&mut world, Disturbance::Cordon { node: node("node-2") });
    let next = create(&mut world, "b", template("Never"));
    run_for(&mut world, 2);
    let expected = "0/2 nodes are available: 2 node(s) were unschedulable. preemption: 0/2 nodes are available: \
                    2 Preemption is not helpful for scheduling.";
    assert_eq!(events(&world, "FailedScheduling"), [expected]);
    disturb(&mut world, Disturbance::Uncordon { node: node("node-1") });
    run_for(&mut world, 2);
    assert_eq!(phase(&world, next), Phase::Running);
}

#[test]
fn a_drain_leaves_bare_pods_unless_it_is_forced() {
    let (mut world, pod) = running();
    world.store.update_pod(pod, |pod| {
        pod.owners = [].into();
        true
    });
    let drain = |force| Disturbance::Drain { node: node("node-1"), grace_period_seconds: None, force };
    let refused = world.disturb(&drain(false)).unwrap_err();
    assert_eq!(refused, "cannot delete Pods that declare no controller (use force to override): default/a");
    assert_eq!(world.disturb(&drain(true)), Ok(1));
    assert_eq!(world.disturb(&Disturbance::Cordon { node: node("x") }), Err("no node is named `x`".into()));
}

#[test]
fn pods_of_a_lost_node_are_deleted_by_the_taint_manager() {
    let (mut world, pod) = running();
    disturb(&mut world, Disturbance::NodeLost { node: node("node-1") });
    run_for(&mut world, 49);
    let ready = |world: &World| world.store.pod(pod).unwrap().condition("Ready").unwrap().status;
    assert_eq!(ready(&world), "True", "nobody has noticed");
    run_for(&mut world, 2);
    assert_eq!((ready(&world), phase(&world, pod)), ("False", Phase::Running));
    run_for(&mut world, 298);
    assert_eq!(disruption(&world, pod), None);
    run_for(&mut world, 2);
    assert_eq!(disruption(&world, pod).as_deref(), Some("DeletionByTaintManager"));
    run_for(&mut world, 3_600);
    assert_eq!(phase(&world, pod), Phase::Running, "nobody is there to say that it has ended");
    disturb(&mut world, Disturbance::NodeReturned { node: node("node-1") });
    run_for(&mut world, 3);
    assert_eq!((phase(&world, pod), state(&world, pod, 0)), (Phase::Failed, "Unknown:255 0".into()));
    release(&mut world, pod);
    assert!(world.store.pod(pod).is_none());
}

#[test]
fn tolerations_decide_how_long_a_lost_node_is_borne() {
    let mut world = world(vec![Act::Block]);
    let mut spec = template("Never");
    spec["tolerations"] = json!([{"key": "node.kubernetes.io/unreachable", "operator": "Exists",
        "effect": "NoExecute", "tolerationSeconds": 10}]);
    let short = create(&mut world, "a", spec.clone());
    spec["tolerations"][0].as_object_mut().unwrap().remove("tolerationSeconds");
    spec["nodeSelector"] = json!({"kubernetes.io/hostname": "node-1"});
    let patient = create(&mut world, "b", spec);
    run_for(&mut world, 5);
    disturb(&mut world, Disturbance::NodeLost { node: node("node-1") });
    run_for(&mut world, 62);
    assert_eq!(disruption(&world, short).as_deref(), Some("DeletionByTaintManager"));
    run_for(&mut world, 3_600);
    assert_eq!(disruption(&world, patient), None);
}

#[test]
fn pods_of_a_deleted_node_are_collected() {
    let (mut world, pod) = running();
    disturb(&mut world, Disturbance::NodeDeleted { node: node("node-1") });
    run_for(&mut world, 39);
    assert_eq!(phase(&world, pod), Phase::Running);
    run_for(&mut world, 25);
    assert_eq!(phase(&world, pod), Phase::Failed);
    assert_eq!(disruption(&world, pod).as_deref(), Some("DeletionByPodGC"));
    assert_eq!(state(&world, pod, 0), "Running 0", "nobody knows what became of it");
    assert_eq!(world.nodes().count(), 1);
    release(&mut world, pod);
    assert!(world.store.pod(pod).is_none());
}

#[test]
fn a_node_that_comes_back_in_time_restarts_what_may_restart() {
    let mut world = world(vec![Act::Run(60_000)]);
    let never = create(&mut world, "a", template("Never"));
    run_for(&mut world, 1);
    let mut spec = template("OnFailure");
    spec["nodeSelector"] = json!({"kubernetes.io/hostname": "node-1"});
    let again = create(&mut world, "b", spec);
    run_for(&mut world, 5);
    disturb(&mut world, Disturbance::NodeLost { node: node("node-1") });
    run_for(&mut world, 20);
    disturb(&mut world, Disturbance::NodeReturned { node: node("node-1") });
    run_for(&mut world, 3);
    assert_eq!((phase(&world, never), disruption(&world, never)), (Phase::Failed, None));
    assert_eq!((phase(&world, again), state(&world, again, 0)), (Phase::Running, "Running 1".into()));
    run_for(&mut world, 400);
    assert_eq!(phase(&world, again), Phase::Succeeded);
}

#[test]
fn the_kubelet_evicts_and_shuts_down() {
    let (mut world, pod) = running();
    disturb(&mut world, Disturbance::Evict { pods: PodSelect::default(), resource: "memory".into() });
    assert_eq!(disruption(&world, pod), None, "told only when it has ended");
    run_for(&mut world, 3);
    let evicted = world.store.pod(pod).unwrap();
    assert_eq!((evicted.phase, evicted.reason), (Phase::Failed, "Evicted"));
    assert_eq!(disruption(&world, pod).as_deref(), Some("TerminationByKubelet"));
    let (mut world, pod) = running();
    disturb(&mut world, Disturbance::NodeShutdown { node: node("node-1"), grace_period_seconds: 10 });
    run_for(&mut world, 12);
    let ended = world.store.pod(pod).unwrap();
    assert_eq!((ended.phase, ended.reason), (Phase::Failed, "Terminated"));
    assert_eq!(disruption(&world, pod).as_deref(), Some("TerminationByKubelet"));
}

#[test]
fn a_taint_that_does_not_execute_leaves_running_pods() {
    let (mut world, pod) = running();
    let taint = |effect: &str| format!("key=value:{effect}");
    disturb(&mut world, Disturbance::Taint { node: node("node-1"), taint: taint("NoSchedule") });
    run_for(&mut world, 5);
    assert_eq!(disruption(&world, pod), None);
    disturb(&mut world, Disturbance::Taint { node: node("node-1"), taint: taint("NoExecute") });
    assert_eq!(disruption(&world, pod).as_deref(), Some("DeletionByTaintManager"));
}

#[test]
fn a_killed_container_carries_no_disruption() {
    let (mut world, pod) = running();
    let kill = Disturbance::KillContainer { pods: PodSelect::default(), exit_code: 137 };
    assert_eq!(disturb(&mut world, kill), 1);
    run_for(&mut world, 3);
    assert_eq!((phase(&world, pod), disruption(&world, pod)), (Phase::Failed, None));
}

#[test]
fn disturbances_have_a_strict_notation() {
    let drain = json!({"drain": {"node": "node-1", "gracePeriodSeconds": 0}});
    let expected = Disturbance::Drain { node: node("node-1"), grace_period_seconds: Some(0), force: false };
    assert_eq!(serde_json::from_value::<Disturbance>(drain).unwrap(), expected);
    let kill = json!({"killContainer": {"pods": {"job": "job-*", "nth": 1}}});
    let Disturbance::KillContainer { pods, exit_code: 137 } = serde_json::from_value(kill).unwrap() else {
        panic!("another disturbance");
    };
    assert_eq!((pods.job.as_deref(), pods.nth), (Some("job-*"), Some(1)));
    assert!(serde_json::from_value::<Disturbance>(json!({"drain": {"node": "a", "grace": 0}})).is_err());
}
