//! Every interleaving of small worlds: up to 3 Pods, 2 failures, one crash between any two things, events of the watches
//! as late as may be; in one of them also one call that is refused or loses its answer. The checkers are those of the
//! random worlds.
//!
//! States are told apart by all that can make a difference later, so that each is looked at once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Tests may panic: that is how they fail.
#![allow(missing_docs)]

#[path = "worlds/checks/mod.rs"]
#[allow(dead_code)] // The random worlds use all of it.
mod checks;
#[path = "exhaustive/model.rs"]
mod model;

use checks::{Check, Violation};
use model::{Budget, Choice, Mistake, Rules, World};
use policy_core::Settings;
use policy_core::spec::Job;
use serde_json::{Value, json};
use std::collections::{HashSet, VecDeque};

/// What a search has seen.
#[derive(Debug, Default)]
struct Seen {
    states: usize,
    steps: u64,
    ends: u64,
}

/// Goes through every state that can be reached; the way to the first that breaks a checker.
fn search(first: World, rules: &Rules) -> Result<Seen, (Violation, Vec<Choice>)> {
    let mut seen = Seen::default();
    let mut known: HashSet<u128> = HashSet::from([first.digest()]);
    let choices = first.choices();
    let mut path: Vec<(World, Vec<Choice>, usize)> = vec![(first, choices, 0)];
    while let Some((world, choices, next)) = path.last_mut() {
        if choices.is_empty() {
            seen.ends += 1;
            world.watcher.quiet(policy_core::Timestamp::ZERO).map_err(|violation| (violation, way(&path)))?;
            path.pop();
            continue;
        }
        let Some(choice) = choices.get(*next).copied() else {
            path.pop();
            continue;
        };
        *next += 1;
        seen.steps += 1;
        let mut after = world.clone();
        after.take(choice, rules).map_err(|violation| (violation, way(&path)))?;
        if known.insert(after.digest()) {
            let choices = after.choices();
            path.push((after, choices, 0));
        }
    }
    seen.states = known.len();
    Ok(seen)
}

/// The shortest way to a state that breaks a checker.
fn find(first: World, rules: &Rules) -> Option<(Violation, Vec<Choice>)> {
    let mut known: HashSet<u128> = HashSet::from([first.digest()]);
    let mut open = VecDeque::from([(first, Vec::new())]);
    while let Some((world, way)) = open.pop_front() {
        for choice in world.choices() {
            let (mut after, mut way) = (world.clone(), way.clone());
            way.push(choice);
            if let Err(violation) = after.take(choice, rules) {
                return Some((violation, way));
            }
            if known.insert(after.digest()) {
                open.push_back((after, way));
            }
        }
    }
    None
}

fn way(path: &[(World, Vec<Choice>, usize)]) -> Vec<Choice> {
    path.iter().filter_map(|(_, choices, next)| choices.get(next.checked_sub(1)?).copied()).collect()
}

fn job(spec: Value) -> Job {
    let mut job = json!({"metadata": {"name": "job", "namespace": "n", "uid": "job"},
        "spec": {"selector": {}, "template": {"spec": {"restartPolicy": "Never"}}, "backoffLimit": 6}});
    for (key, value) in spec.as_object().unwrap() {
        job["spec"][key] = value.clone();
    }
    serde_json::from_value(job).unwrap()
}

fn rules(waits_for_own_writes: bool, mistake: Mistake) -> Rules {
    // No time passes here, so no back-off may keep Pods from being created.
    let settings = Settings { pod_failure_backoff_nanos: 0, ..Settings::DEFAULT };
    Rules { settings, waits_for_own_writes, mistake, most_pods: 3 }
}

/// The worlds: a Job, what may go wrong, and whether syncs wait until own writes are seen.
fn worlds() -> Vec<(&'static str, Value, Budget, bool)> {
    let budget = |failures, crashes, bad_calls| Budget { failures, crashes, bad_calls };
    let one = json!({"completions": 1, "parallelism": 1});
    let two = json!({"completions": 2, "parallelism": 2});
    let indexed = json!({"completions": 2, "parallelism": 2, "completionMode": "Indexed"});
    let strict = json!({"completions": 2, "parallelism": 2, "backoffLimit": 0});
    vec![
        ("one completion", one.clone(), budget(2, 1, 0), true),
        ("one completion, older caches", one.clone(), budget(2, 1, 0), false),
        ("one completion, a bad call", one, budget(2, 1, 1), true),
        ("two at once", two, budget(2, 1, 0), true),
        ("two indexes", indexed, budget(2, 1, 0), true),
        ("the first failure ends it", strict, budget(2, 1, 0), true),
        ("a work queue", json!({"parallelism": 2}), budget(2, 1, 0), true),
    ]
}

/// How many states all worlds have at least, so that a change that makes the search look at less is noticed.
const FLOOR: usize = 390_000;

#[test]
fn every_interleaving_of_small_worlds_holds() {
    let (mut states, mut steps) = (0, 0);
    for (name, spec, budget, waits) in worlds() {
        let rules = rules(waits, Mistake::None);
        match search(World::new(job(spec), budget, &rules), &rules) {
            Ok(seen) => {
                println!("{name}: {} states, {} steps, {} ends", seen.states, seen.steps, seen.ends);
                states += seen.states;
                steps += seen.steps;
            }
            Err((violation, way)) => panic!("{name}: {violation}\nafter {way:?}"),
        }
    }
    println!("{states} states, {steps} steps");
    assert!(states >= FLOOR, "{states} states, at least {FLOOR} are expected");
}

#[test]
fn mistakes_are_found_in_small_worlds() {
    let cases = [
        (Mistake::ForgetsCreations, Check::Parallelism, Budget { failures: 0, crashes: 0, bad_calls: 0 }),
        (Mistake::ForgetsFinalizers, Check::CountedTwice, Budget { failures: 1, crashes: 0, bad_calls: 0 }),
        (Mistake::BelievesInSuccess, Check::CountedNever, Budget { failures: 0, crashes: 0, bad_calls: 1 }),
    ];
    for (mistake, check, budget) in cases {
        let rules = rules(false, mistake);
        let first = World::new(job(json!({"completions": 1, "parallelism": 1})), budget, &rules);
        let (violation, way) = find(first, &rules).expect("the mistake is found");
        println!("{mistake:?}: {violation}\n  after {way:?}");
        assert_eq!(violation.check, check, "{mistake:?}: {violation}");
    }
}
