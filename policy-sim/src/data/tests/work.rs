//! Queues, leases, names and what containers print.

use super::*;
use crate::data::{QueueView, Service};

const FRUIT: [&str; 3] = ["apple", "banana", "cherry"];

fn with_queue(kind: QueueKind, reclaim: bool, script: Vec<Act>) -> World {
    let mut config = config(script);
    let items = FRUIT.map(String::from).to_vec();
    config.queues.insert("host/q".into(), QueueConfig { kind, items, reclaim });
    World::new(config)
}

fn consume(ack_first: bool) -> Vec<Act> {
    let work = vec![Act::Print("did ${ITEM}".into()), Act::Run(10_000)];
    vec![Act::Consume { queue: "host/q".into(), work, ack_first }]
}

fn work_list(lease_millis: u64) -> Vec<Act> {
    let work = vec![Act::Run(10_000)];
    vec![Act::WorkList { queue: "host/q".into(), lease_millis, block_millis: 2_000, work }]
}

fn queue(world: &World) -> QueueView {
    world.queues().next().unwrap()
}

fn kill(world: &mut World, pod: &str) {
    let pods = crate::data::PodSelect { pod: Some(pod.into()), ..Default::default() };
    assert_eq!(world.disturb(&Disturbance::KillContainer { pods, exit_code: 137 }), Ok(1));
}

#[test]
fn each_consumer_takes_one_message() {
    let mut world = with_queue(QueueKind::Amqp, false, consume(false));
    for n in 0..4 {
        create(&mut world, &format!("p{n}"), template("OnFailure"));
    }
    run_for(&mut world, 5);
    assert_eq!((queue(&world).taken.len(), queue(&world).waiting), (3, 1));
    run_for(&mut world, 600);
    assert_eq!((queue(&world).taken.len(), queue(&world).ready.len()), (0, 0));
    assert_eq!(logs(&world, "p0"), ["did apple"]);
    let last = world.store.pod_named("default", "p3").unwrap();
    assert_eq!(last.phase, Phase::Running, "it waits for ever");
    assert!(world.agenda.is_empty(), "and nothing is due any more");
    world.push_item("host/q", QueueKind::Amqp, "damson");
    run_for(&mut world, 15);
    assert_eq!(logs(&world, "p3"), ["did damson"]);
}

#[test]
fn a_message_that_was_not_acknowledged_comes_back() {
    let mut world = with_queue(QueueKind::Amqp, false, consume(false));
    let pod = create(&mut world, "a", template("OnFailure"));
    run_for(&mut world, 5);
    kill(&mut world, "a");
    assert_eq!(queue(&world).ready.len(), 3);
    run_for(&mut world, 20);
    assert_eq!((phase(&world, pod), logs(&world, "a")), (Phase::Succeeded, vec!["did apple".into(); 2]));
    assert_eq!(queue(&world).ready.len(), 2);
    let mut world = with_queue(QueueKind::Amqp, false, consume(true));
    create(&mut world, "a", template("OnFailure"));
    run_for(&mut world, 5);
    kill(&mut world, "a");
    run_for(&mut world, 20);
    assert_eq!(logs(&world, "a"), ["did apple", "did banana"]);
}

#[test]
fn a_command_that_fails_has_not_done_its_message() {
    let work = vec![Act::Run(1_000), Act::Exit(1)];
    let script = vec![Act::Consume { queue: "host/q".into(), work, ack_first: false }];
    let mut world = with_queue(QueueKind::Amqp, false, script);
    create(&mut world, "a", template("Never"));
    run_for(&mut world, 5);
    assert_eq!((queue(&world).ready.len(), queue(&world).taken.len()), (3, 0));
}

#[test]
fn workers_share_a_list_until_it_is_empty() {
    let mut world = with_queue(QueueKind::Redis, true, work_list(10_000));
    let pods =
        [create(&mut world, "a", template("OnFailure")), create(&mut world, "b", template("OnFailure"))];
    run_for(&mut world, 60);
    for pod in pods {
        assert_eq!(phase(&world, pod), Phase::Succeeded);
    }
    let log = logs(&world, "a");
    assert!(log[0].starts_with("Worker with sessionID: ") && log[0].len() == 59, "{}", log[0]);
    assert_eq!(log[1..4], ["Initial queue state: empty=False", "Working on cherry", "Working on apple"]);
    assert_eq!(log.last().unwrap(), "Queue empty, exiting");
    let log = logs(&world, "b");
    assert_eq!(log[2], "Working on banana");
    assert!(log.contains(&"Waiting for work".into()));
}

#[test]
fn a_dead_workers_item_is_lost_unless_leases_are_reclaimed() {
    for reclaim in [false, true] {
        let mut world = with_queue(QueueKind::Redis, reclaim, work_list(10_000));
        create(&mut world, "a", template("Never"));
        let other = create(&mut world, "b", template("Never"));
        run_for(&mut world, 5);
        kill(&mut world, "a");
        run_for(&mut world, 300);
        assert_eq!(phase(&world, other), if reclaim { Phase::Succeeded } else { Phase::Running });
        let taken = queue(&world).taken;
        assert_eq!(taken, if reclaim { vec![] } else { vec!["cherry".into()] });
        let again = logs(&world, "b").contains(&"Working on cherry".into());
        assert_eq!(again, reclaim);
    }
}

#[test]
fn a_lease_that_is_too_short_makes_work_twice() {
    let mut world = with_queue(QueueKind::Redis, true, work_list(4_000));
    create(&mut world, "a", template("Never"));
    create(&mut world, "b", template("Never"));
    run_for(&mut world, 200);
    let all: Vec<String> = ["a", "b"].iter().flat_map(|pod| logs(&world, pod)).collect();
    let times = FRUIT.map(|fruit| all.iter().filter(|line| line.ends_with(fruit)).count());
    assert!(times.iter().any(|times| *times > 1), "{times:?}");
}

#[test]
fn names_need_a_headless_service_and_ready_pods() {
    let wait =
        vec![Act::WaitForDns(vec!["job-0.svc-h".into(), "job-1.svc-h.default.svc.cluster.local".into()])];
    let mut world = world(wait);
    let labels = StringMap::from([("job-name".into(), "job".into())]);
    let mut spec = template("Never");
    spec["subdomain"] = json!("svc-h");
    let base = PodBase { hostname_stem: Some("job-".into()), ..PodBase::new(spec, labels, StringMap::new()) };
    let base = Arc::new(base);
    for index in 0..2 {
        create_of(&mut world, &format!("job-{index}-x"), base.clone(), Some(index));
    }
    run_for(&mut world, 5);
    let log = logs(&world, "job-0-x");
    assert_eq!(log[0], "Failed to ping pod job-0.svc-h, retrying in 1 second...");
    assert_eq!(log.len(), 5, "once a second");
    let service = |job: &str| {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "svc-h", "namespace": "default"},
            "spec": {"clusterIP": "None", "selector": {"job-name": job}}})
    };
    let key = world.create(&service("other")).unwrap();
    run_for(&mut world, 5);
    assert_eq!(logs(&world, "job-0-x").len(), 10);
    world.delete(&key, crate::Deletion::default()).unwrap();
    world.create(&service("job")).unwrap();
    run_for(&mut world, 5);
    assert_eq!(logs(&world, "job-0-x")[10], "Successfully pinged pod: job-0.svc-h");
    assert!(world.store.pods().all(|pod| pod.phase == Phase::Succeeded));
}

#[test]
fn texts_name_variables() {
    let text = "${GREETING} ${POD} ${INDEX}/${JOB_COMPLETION_INDEX} ${OWN} ${RABBIT_SVC_SERVICE_HOST}:\
                ${RABBIT_SVC_SERVICE_PORT} ${NOTHING}| ${NOW}";
    let mut world = world(vec![Act::Print(text.into())]);
    let service = Service { name: "rabbit-svc".into(), namespace: "default".into(), ..Service::default() };
    world.put_service(Service { port: Some(5672), ..service });
    let mut spec = template("Never");
    spec["containers"][0]["env"] = json!([{"name": "GREETING", "value": "hi"},
        {"name": "OWN", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}]);
    let pod = create(&mut world, "a", spec);
    world.store.update_pod(pod, |pod| pod.index.replace(3).is_none());
    run_for(&mut world, 2);
    let expected = "hi a 3/3 default 10.96.0.2:5672 | Thu Jan  1 00:00:10 UTC 2026";
    assert_eq!(logs(&world, "a"), [expected]);
}

#[test]
fn behaviours_choose_by_index_attempt_and_luck() {
    let mut config = config(vec![Act::Print("else".into())]);
    let mut add = |matches: Match, line: &str| {
        let place = config.behaviours.len() - 1;
        let script = vec![Act::Print(line.into())];
        config.behaviours.insert(place, Behaviour { matches, ..behaviour(script) });
    };
    add(Match { indexes: Some("0,2-3".into()), ..Match::default() }, "index");
    add(Match { attempts: Some(vec![2]), ..Match::default() }, "second");
    add(Match { probability: Some(0.5), ..Match::default() }, "lucky");
    let mut world = World::new(config);
    for n in 0..300 {
        let pod = create(&mut world, &format!("p{n}"), template("Never"));
        if n == 2 {
            world.store.update_pod(pod, |pod| pod.index.replace(2).is_none());
        }
    }
    run_for(&mut world, 60);
    assert_eq!((logs(&world, "p1"), logs(&world, "p2")), (vec!["second".into()], vec!["index".into()]));
    let lucky = world.record.logs.values().filter(|log| log[0] == "lucky").count();
    assert!((100..200).contains(&lucky), "{lucky}");
}
