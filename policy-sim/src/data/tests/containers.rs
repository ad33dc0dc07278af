//! Starts, ends, restarts and deletions.

use super::*;

#[test]
fn a_pod_runs_and_succeeds() {
    let mut world = world(vec![Act::Print("hello".into()), Act::Run(10_000)]);
    let pod = create(&mut world, "a", template("Never"));
    run_for(&mut world, 3);
    assert_eq!((phase(&world, pod), state(&world, pod, 0)), (Phase::Running, "Running 0".into()));
    run_for(&mut world, 12);
    assert_eq!((phase(&world, pod), state(&world, pod, 0)), (Phase::Succeeded, "Completed:0 0".into()));
    assert_eq!(logs(&world, "a"), ["hello"]);
    assert!(world.data.runs.is_empty(), "what is known of a Pod goes with its end");
    assert!(world.agenda.is_empty());
}

#[test]
fn a_failing_container_is_restarted_after_growing_pauses() {
    let mut world = world(vec![Act::Run(1_000), Act::Exit(3)]);
    let pod = create(&mut world, "a", template("OnFailure"));
    let mut starts = Vec::new();
    let until = world.now().plus_nanos(2_000 * 1_000_000_000);
    while let Some(at) = world.step(until) {
        let started = events(&world, "Started").len();
        if started > starts.len() {
            starts.push(at.nanos_since(world.config.start) / 1_000_000);
        }
    }
    let gaps: Vec<i64> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(gaps[..8], [1_950, 11_250, 21_250, 41_250, 81_250, 161_250, 301_250, 301_250]);
    assert_eq!(phase(&world, pod), Phase::Running);
    assert!(
        events(&world, "BackOff")[0].starts_with("Back-off restarting failed container c in pod a_default(")
    );
}

#[test]
fn a_long_run_forgives_earlier_failures() {
    let mut config = config(vec![Act::Run(700_000), Act::Exit(1)]);
    let mut short = behaviour(vec![Act::Exit(1)]);
    short.matches.starts = Some(vec![1, 2, 3]);
    config.behaviours.insert(0, short);
    let mut world = World::new(config);
    let pod = create(&mut world, "a", template("Always"));
    run_for(&mut world, 50);
    assert_eq!(state(&world, pod, 0), "Running 3");
    run_for(&mut world, 700);
    assert_eq!(state(&world, pod, 0), "Running 4", "restarted at once");
}

#[test]
fn init_containers_come_first_and_sidecars_last() {
    let mut config = config(vec![Act::Run(2_000)]);
    let mut sidecar = behaviour(vec![Act::Block]);
    sidecar.matches.container = Some("side".into());
    sidecar.on_term = Some(0);
    config.behaviours.insert(0, sidecar);
    let mut world = World::new(config);
    let spec = json!({"restartPolicy": "Never", "initContainers": [
        {"name": "side", "image": "i:1", "restartPolicy": "Always"}, {"name": "input", "image": "i:1"}],
        "containers": [{"name": "a", "image": "i:1"}, {"name": "b", "image": "i:1"}]});
    let pod = create(&mut world, "a", spec);
    run_for(&mut world, 2);
    let states = |world: &World| (0..4).map(|c| state(world, pod, c)).collect::<Vec<_>>().join(", ");
    assert_eq!(states(&world), "Running 0, Running 0, PodInitializing 0, PodInitializing 0");
    run_for(&mut world, 3);
    assert_eq!(states(&world), "Running 0, Completed:0 0, Running 0, Running 0");
    run_for(&mut world, 4);
    assert_eq!(states(&world), "Completed:0 0, Completed:0 0, Completed:0 0, Completed:0 0");
    assert_eq!(phase(&world, pod), Phase::Succeeded);
}

#[test]
fn a_failed_init_container_fails_the_pod() {
    let mut world = world(vec![Act::Exit(1)]);
    let spec = json!({"restartPolicy": "Never", "initContainers": [{"name": "input", "image": "i:1"}],
        "containers": [{"name": "a", "image": "i:1"}]});
    let pod = create(&mut world, "a", spec);
    run_for(&mut world, 5);
    assert_eq!(phase(&world, pod), Phase::Failed);
    assert_eq!(
        (state(&world, pod, 0), state(&world, pod, 1)),
        ("Error:1 0".into(), "PodInitializing 0".into())
    );
}

#[test]
fn images_pull_once_and_failures_back_off() {
    let mut config = config(vec![Act::Run(1_000)]);
    let image = |pull_millis, error: Option<&str>| ImageConfig {
        pull_millis,
        error: error.map(String::from),
        size_bytes: 7,
    };
    config.nodes.truncate(1);
    config.images.insert("big:1".into(), image(20_000, None));
    config.images.insert("none:1".into(), image(500, Some("not found")));
    let mut world = World::new(config);
    let with = |image: &str| json!({"restartPolicy": "Never", "containers": [{"name": "c", "image": image}]});
    let slow = create(&mut world, "a", with("big:1"));
    run_for(&mut world, 15);
    assert_eq!(state(&world, slow, 0), "ContainerCreating 0");
    run_for(&mut world, 10);
    assert_eq!(phase(&world, slow), Phase::Succeeded);
    let expected = "Successfully pulled image \"big:1\" in 20s (20s including waiting). Image size: 7 bytes.";
    assert_eq!(events(&world, "Pulled"), [expected]);
    let fast = create(&mut world, "b", with("big:1"));
    let failing = create(&mut world, "c", with("none:1"));
    run_for(&mut world, 5);
    assert_eq!(phase(&world, fast), Phase::Succeeded);
    assert_eq!(
        (phase(&world, failing), state(&world, failing, 0)),
        (Phase::Pending, "ImagePullBackOff 0".into())
    );
    run_for(&mut world, 700);
    let pulls = events(&world, "Pulling").iter().filter(|message| message.contains("none:1")).count();
    assert_eq!(pulls, 7, "after pauses of 10, 20, 40, 80, 160 and 300 s");
}

#[test]
fn grace_periods_are_kept_and_heeded() {
    for (on_term, grace, ends_after, ended) in
        [(Some(143), 30, 1, "Error:143 0"), (None, 30, 31, "Error:137 0"), (None, 0, 3, "Error:137 0")]
    {
        let mut config = config(vec![Act::Block]);
        config.behaviours[0].on_term = on_term;
        let mut world = World::new(config);
        let pod = create(&mut world, "a", template("Never"));
        run_for(&mut world, 5);
        delete(&mut world, pod, grace);
        run_for(&mut world, ends_after - 1);
        assert_eq!(phase(&world, pod), Phase::Running);
        run_for(&mut world, 1);
        assert_eq!((phase(&world, pod), state(&world, pod, 0)), (Phase::Failed, ended.into()));
        release(&mut world, pod);
        assert!(world.store.pod(pod).is_none());
    }
}

#[test]
fn a_container_may_end_well_within_the_grace_period() {
    let mut world = world(vec![Act::Run(10_000)]);
    let pod = create(&mut world, "a", template("Never"));
    run_for(&mut world, 5);
    delete(&mut world, pod, 30);
    run_for(&mut world, 8);
    assert_eq!(phase(&world, pod), Phase::Succeeded);
}

#[test]
fn deadlines_and_memory() {
    let mut world = world(vec![Act::Run(1_000), Act::OomKill]);
    let killed = create(&mut world, "a", template("Never"));
    run_for(&mut world, 4);
    assert_eq!(state(&world, killed, 0), "OOMKilled:137 0");
    let mut world = super::world(vec![Act::Block]);
    let mut spec = template("Never");
    spec["activeDeadlineSeconds"] = json!(10);
    spec["terminationGracePeriodSeconds"] = json!(5);
    let late = create(&mut world, "b", spec);
    run_for(&mut world, 17);
    let pod = world.store.pod(late).unwrap();
    assert_eq!((pod.phase, pod.reason), (Phase::Failed, "DeadlineExceeded"));
    assert_eq!(disruption(&world, late), None);
}

#[test]
fn restart_rules_of_a_container_come_before_the_pods_policy() {
    let mut config = config(vec![Act::Run(1_000)]);
    let mut first = behaviour(vec![Act::Exit(42)]);
    first.matches.starts = Some(vec![1]);
    config.behaviours.insert(0, first);
    let mut world = World::new(config);
    let mut spec = template("Never");
    spec["containers"][0]["restartPolicy"] = json!("Never");
    spec["containers"][0]["restartPolicyRules"] =
        json!([{"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}]);
    let pod = create(&mut world, "a", spec);
    run_for(&mut world, 6);
    assert_eq!((phase(&world, pod), state(&world, pod, 0)), (Phase::Succeeded, "Completed:0 1".into()));
}

#[test]
fn readiness_may_take_a_while() {
    let mut config = config(vec![Act::Block]);
    config.behaviours[0].ready_after_millis = 5_000;
    let mut world = World::new(config);
    let pod = create(&mut world, "a", template("Never"));
    let ready = |world: &World| world.store.pod(pod).unwrap().condition("Ready").map(|c| c.status);
    run_for(&mut world, 3);
    assert_eq!(ready(&world), Some("False"));
    run_for(&mut world, 5);
    assert_eq!(ready(&world), Some("True"));
}
