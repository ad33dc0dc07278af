//! How much time and memory many Pods take.

use super::*;
use crate::Ending;
use std::time::Instant;

/// Runs a Job of so many completions on nodes for 5,000 Pods at once.
fn run_large(completions: u32) -> World {
    let node = |n: usize| NodeConfig { pods: 250, ..NodeConfig::named(&format!("n{n}")) };
    let mut config = config(vec![Act::Run(10_000)]);
    config.nodes = (0..20).map(node).collect();
    config.controller.qps = 0.0;
    let mut world = World::new(config);
    let spec = json!({"completions": completions, "parallelism": 6_000, "completionMode": "Indexed",
        "template": {"spec": template("Never")}});
    let metadata = json!({"name": "large", "namespace": "default"});
    world
        .create(&json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}))
        .unwrap();
    let start = Instant::now();
    let until = world.now().plus_nanos(100_000 * 1_000_000_000);
    assert_eq!(world.run(until), Ending::Finished);
    let virtual_seconds = world.now().nanos_since(world.config.start) / 1_000_000_000;
    println!("{completions} Pods: {virtual_seconds} virtual seconds in {:?}", start.elapsed());
    let job = world.store.job("default", "large").unwrap();
    assert_eq!(job.status.succeeded, i32::try_from(completions).unwrap());
    assert!(world.data.runs.is_empty(), "nothing is kept of Pods that have ended");
    world
}

#[test]
fn more_pods_than_fit_at_once_all_run() {
    run_large(7_000);
}

#[test]
#[ignore = "takes seconds; run with --release and --nocapture for figures"]
fn a_hundred_thousand_pods_run() {
    run_large(100_000);
}

/// The data plane alone: Pods that nobody controls.
fn run_alone(pods: u32) -> World {
    let node = |n: usize| NodeConfig { pods: 250, ..NodeConfig::named(&format!("n{n}")) };
    let mut config = config(vec![Act::Run(10_000)]);
    config.nodes = (0..20).map(node).collect();
    let mut world = World::new(config);
    let base = Arc::new(PodBase::new(template("Never"), StringMap::new(), StringMap::new()));
    let start = Instant::now();
    for n in 0..pods {
        create_of(&mut world, &format!("p{n}"), base.clone(), Some(n.into()));
    }
    let until = world.now().plus_nanos(100_000 * 1_000_000_000);
    let mut steps = 0;
    while world.step(until).is_some() {
        steps += 1;
    }
    println!("{pods} Pods alone: {steps} steps in {:?}", start.elapsed());
    assert!(world.store.pods().all(|pod| pod.phase == Phase::Succeeded));
    world
}

#[test]
#[ignore = "takes seconds; run with --release and --nocapture for figures"]
fn a_hundred_thousand_pods_alone() {
    run_alone(10_000);
    run_alone(100_000);
}
