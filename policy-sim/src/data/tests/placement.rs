//! Where Pods go, and what they are told when they fit nowhere.

use super::*;

fn node_of(world: &World, pod: PodId) -> Option<String> {
    world.store.pod(pod).unwrap().node.as_deref().map(String::from)
}

fn asking(cpu: &str) -> Value {
    let mut spec = template("Never");
    spec["containers"][0]["resources"] = json!({"requests": {"cpu": cpu}});
    spec
}

fn small_nodes(count: usize, cpu_millis: u64) -> Config {
    let node = |n: usize| NodeConfig { cpu_millis, ..NodeConfig::named(&format!("n{n}")) };
    Config { nodes: (0..count).map(node).collect(), ..config(vec![Act::Run(10_000)]) }
}

#[test]
fn pods_are_spread_and_wait_for_room() {
    let mut world = World::new(small_nodes(2, 1_000));
    let pods: Vec<_> = (0..4)
        .map(|n| create(&mut world, &format!("p{n}"), asking(if n < 3 { "600m" } else { "2" })))
        .collect();
    run_for(&mut world, 1);
    assert_eq!(node_of(&world, pods[0]).as_deref(), Some("n0"));
    assert_eq!(node_of(&world, pods[1]).as_deref(), Some("n1"));
    let pod = world.store.pod(pods[2]).unwrap();
    let scheduled = pod.condition("PodScheduled").unwrap();
    assert_eq!((scheduled.status, &*scheduled.reason), ("False", "Unschedulable"));
    let expected = "0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available: \
                    2 No preemption victims found for incoming pod.";
    assert_eq!(&*scheduled.message, expected);
    run_for(&mut world, 15);
    assert_eq!(node_of(&world, pods[2]).as_deref(), Some("n0"));
    run_for(&mut world, 60);
    assert_eq!(node_of(&world, pods[3]), None);
    assert_eq!(events(&world, "FailedScheduling").len(), 2);
}

#[test]
fn selectors_and_taints_are_heeded() {
    let mut config = small_nodes(2, 8_000);
    config.nodes[0].taints = vec!["gpu=yes:NoSchedule".into()];
    config.nodes[1].labels.insert("disk".into(), "ssd".into());
    let mut world = World::new(config);
    let plain = create(&mut world, "a", template("Never"));
    let mut spec = template("Never");
    spec["tolerations"] = json!([{"key": "gpu", "operator": "Exists"}]);
    let tolerant = create(&mut world, "b", spec.clone());
    spec["nodeSelector"] = json!({"disk": "hdd"});
    let picky = create(&mut world, "c", spec);
    run_for(&mut world, 1);
    assert_eq!(node_of(&world, plain).as_deref(), Some("n1"));
    assert_eq!(node_of(&world, tolerant).as_deref(), Some("n0"));
    assert_eq!(node_of(&world, picky), None);
    assert!(
        events(&world, "FailedScheduling")[0].contains("2 node(s) didn't match Pod's node affinity/selector")
    );
}

#[test]
fn higher_priorities_preempt_the_fewest_and_least_important() {
    let mut config = small_nodes(1, 3_000);
    config.behaviours[0].script = vec![Act::Block];
    let mut world = World::new(config);
    let with = |priority: i64, cpu: &str| {
        let mut spec = asking(cpu);
        spec["priority"] = json!(priority);
        spec["terminationGracePeriodSeconds"] = json!(5);
        spec
    };
    let low = create(&mut world, "low", with(1, "1"));
    let middle = create(&mut world, "middle", with(5, "1"));
    let high = create(&mut world, "high", with(9, "1"));
    run_for(&mut world, 5);
    let next = create(&mut world, "next", with(7, "1"));
    run_for(&mut world, 1);
    assert_eq!(disruption(&world, low).as_deref(), Some("PreemptionByScheduler"));
    assert_eq!((disruption(&world, middle), disruption(&world, high)), (None, None));
    assert_eq!(phase(&world, next), Phase::Pending);
    run_for(&mut world, 8);
    assert_eq!((phase(&world, low), phase(&world, next)), (Phase::Failed, Phase::Running));
    let mut meek = with(9, "1");
    meek["preemptionPolicy"] = json!("Never");
    let meek = create(&mut world, "meek", meek);
    run_for(&mut world, 8);
    assert_eq!((node_of(&world, meek), disruption(&world, middle)), (None, None));
}

#[test]
fn pods_that_name_their_node_are_admitted_or_refused_there() {
    let mut world = World::new(small_nodes(1, 1_000));
    let mut spec = asking("800m");
    spec["nodeName"] = json!("n0");
    let first = create(&mut world, "a", spec.clone());
    let second = create(&mut world, "b", spec);
    run_for(&mut world, 5);
    assert_eq!(phase(&world, first), Phase::Running);
    let refused = world.store.pod(second).unwrap();
    assert_eq!((refused.phase, refused.reason), (Phase::Failed, "OutOfcpu"));
    assert_eq!(disruption(&world, second), None);
}

#[test]
fn pods_that_are_deleted_before_they_have_a_place_are_collected() {
    let mut world = World::new(small_nodes(0, 0));
    let pod = create(&mut world, "a", template("Never"));
    run_for(&mut world, 1);
    assert_eq!(events(&world, "FailedScheduling"), ["no nodes available to schedule pods"]);
    delete(&mut world, pod, 30);
    assert_eq!(world.store.pod(pod).unwrap().deletion_grace_seconds, Some(0));
    run_for(&mut world, 20);
    assert_eq!((phase(&world, pod), disruption(&world, pod)), (Phase::Failed, None));
}

#[test]
fn equal_seeds_make_equal_runs() {
    let run = || {
        let mut world = World::new(small_nodes(3, 2_000));
        for n in 0..20 {
            create(&mut world, &format!("p{n}"), asking("500m"));
        }
        run_for(&mut world, 200);
        format!("{:?} {:?}", world.record.events, world.store.pods().collect::<Vec<_>>())
    };
    assert_eq!(run(), run());
}
