//! Random Jobs with random behaviours: no run exceeds a bound, and every end is one of those that were told.

use super::{stored, worst_of};
use crate::config::Act;
use crate::worst_case::{Environment, ExitCodes, Outcome, Sample, Sampler, Unit, WorstCase};
use crate::{Disturbance, PodSelect};
use fastrand::Rng;
use proptest::prelude::*;
use serde_json::{Value, json};

const CODES: [i32; 4] = [0, 1, 3, 42];

fn policy(rng: &mut Rng, per_index: bool, containers: usize) -> Value {
    let actions: &[&str] = if per_index {
        &["FailJob", "Ignore", "Count", "FailIndex"]
    } else {
        &["FailJob", "Ignore", "Count"]
    };
    let rules = (0..rng.usize(1..=3)).map(|_| {
        let action = actions[rng.usize(..actions.len())];
        if rng.u8(..3) == 0 {
            let condition = json!([{"type": "DisruptionTarget", "status": "True"}]);
            return json!({"action": action, "onPodConditions": condition});
        }
        let operator = if rng.bool() { "In" } else { "NotIn" };
        let mut on = json!({"operator": operator, "values": [CODES[rng.usize(1..CODES.len())]]});
        if rng.u8(..3) == 0 {
            on["containerName"] = format!("c{}", rng.usize(..containers)).into();
        }
        json!({"action": action, "onExitCodes": on})
    });
    json!({"rules": rules.collect::<Vec<Value>>()})
}

fn template(rng: &mut Rng, restart: &str, containers: usize) -> Value {
    let named = |name: String| json!({"name": name, "image": "image"});
    let regular: Vec<Value> = (0..containers).map(|n| named(format!("c{n}"))).collect();
    let mut pod = json!({"restartPolicy": restart, "containers": regular});
    let init: Vec<Value> = (0..rng.usize(..3))
        .map(|n| {
            let mut container = named(format!("i{n}"));
            if rng.u8(..3) == 0 {
                container["restartPolicy"] = "Always".into();
            }
            container
        })
        .collect();
    if rng.u8(..3) == 0 {
        pod["initContainers"] = init.into();
    }
    if rng.u8(..5) == 0 {
        pod["activeDeadlineSeconds"] = rng.u32(1..60).into();
    }
    if rng.bool() {
        pod["terminationGracePeriodSeconds"] = [0, 2, 30, 120][rng.usize(..4)].into();
    }
    json!({"spec": pod})
}

fn job(rng: &mut Rng) -> Value {
    let restart = if rng.u8(..3) > 0 { "Never" } else { "OnFailure" };
    let containers = rng.usize(1..=2);
    let mut spec = json!({"template": template(rng, restart, containers), "parallelism": rng.u32(..6)});
    let indexed = rng.bool();
    if indexed || rng.bool() {
        spec["completions"] = rng.u32(..7).into();
    }
    let per_index = indexed && restart == "Never" && rng.bool();
    if indexed {
        spec["completionMode"] = "Indexed".into();
        if rng.u8(..3) == 0 {
            spec["successPolicy"] = json!({"rules": [{"succeededIndexes": "0"}]});
            spec["completions"] = rng.u32(1..7).into();
        }
    }
    if per_index {
        spec["backoffLimitPerIndex"] = rng.u32(..3).into();
        if rng.bool() {
            let completions = spec["completions"].as_u64().unwrap();
            spec["maxFailedIndexes"] = rng.u64(..=completions).into();
        }
    }
    if !per_index || rng.bool() {
        spec["backoffLimit"] = rng.u32(..6).into();
    }
    if restart == "Never" && rng.bool() {
        spec["podFailurePolicy"] = policy(rng, per_index, containers);
    } else if rng.bool() {
        spec["podReplacementPolicy"] = if rng.bool() { "Failed" } else { "TerminatingOrFailed" }.into();
    }
    if rng.u8(..3) == 0 {
        spec["activeDeadlineSeconds"] = [0, 5, 60, 600, 5_000][rng.usize(..5)].into();
    }
    spec
}

/// What is done to Pods: kubelets evict them, and their node is drained.
fn disturbances(rng: &mut Rng) -> Vec<(u64, Disturbance)> {
    let mut at = 0;
    (0..rng.usize(..40))
        .map(|_| {
            at += rng.u64(..20_000);
            let nth = rng.bool().then(|| rng.usize(1..4));
            let pods = PodSelect { nth, ..PodSelect::default() };
            let drain =
                Disturbance::Drain { node: "node-1".into(), grace_period_seconds: None, force: false };
            let evict = Disturbance::Evict { pods, resource: "memory".into() };
            (at, if rng.bool() { drain } else { evict })
        })
        .flat_map(|(at, what)| {
            // A drain cordons, and Pods are to start at once.
            let back = Disturbance::Uncordon { node: "node-1".into() };
            [(at, what), (at, back)]
        })
        .collect()
}

struct Case {
    spec: Value,
    environment: Environment,
    worst: WorstCase,
    sample: Sample,
}

fn case(seed: u64) -> Case {
    let mut rng = Rng::with_seed(seed);
    let spec = job(&mut rng);
    let mut codes: Vec<i32> = CODES.into_iter().filter(|_| rng.u8(..3) > 0).collect();
    if codes.is_empty() {
        codes.push(1);
    }
    let run_seconds = [0, 1, 7, 30, 400, 1_000][rng.usize(..6)];
    let text: Vec<String> = codes.iter().map(ToString::to_string).collect();
    let exit_codes = ExitCodes::parse(&text.join(",")).unwrap();
    let disruptions = rng.u8(..3) == 0;
    let environment = Environment { run_seconds: Some(run_seconds), exit_codes, disruptions };
    let weights = codes.iter().map(|code| (*code, rng.f64() + 0.01)).collect();
    let least = if rng.bool() { run_seconds * 1_000 } else { 0 };
    let script = vec![Act::RunBetween(least, run_seconds * 1_000), Act::ExitOneOf(weights)];
    let on_term = rng.bool().then(|| codes[rng.usize(..codes.len())]);
    let job = stored(&spec);
    let worst = worst_of(&job, &environment);
    let disturbances = if disruptions { disturbances(&mut rng) } else { Vec::new() };
    let mut sampler = Sampler::with_script(&job, script, on_term).unwrap();
    // No bounded time of these Jobs is so long.
    sampler.horizon_seconds = 100_000;
    let sample = sampler.run_disturbed(seed, 0, &disturbances);
    Case { spec, environment, worst, sample }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_run_is_worse_than_the_worst(seed in any::<u64>()) {
        let Case { spec, environment, worst, sample } = case(seed);
        let shown = format!("seed {seed}\n{spec:#}\n{environment:?}\n{sample:?}");
        let seen = [
            (sample.most_at_once, &worst.pods_at_once),
            (sample.pods, &worst.pods_ever),
            (u64::try_from(sample.failed).unwrap(), &worst.failed_pods),
        ];
        for (number, bound) in seen {
            prop_assert!(bound.limit.finite().is_none_or(|limit| u128::from(number) <= limit), "{bound:?}\n{shown}");
        }
        let time = &worst.time_to_end;
        let ended = sample.outcome != Outcome::Never;
        prop_assert!(ended || time.limit.is_unbounded(), "it did not end: {time:?}\n{shown}");
        if ended {
            let within = time.limit.finite().is_none_or(|limit| u128::from(sample.millis) <= limit);
            prop_assert!(within, "{} ms of {}\n{shown}", sample.millis, Unit::Millis.text(time.limit));
        }
        let told = worst.endings.iter().any(|ending| {
            ending.outcome == sample.outcome && ending.reason.unwrap_or_default() == sample.reason
        });
        prop_assert!(told, "{:#?}\n{shown}", worst.endings);
    }
}
