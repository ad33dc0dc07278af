//! Which Job a seed stands for, and how much goes wrong in its life.

use super::World;
use super::controller::{Controller, Faults};
use super::kubelet::Kubelet;
use super::random::Random;
use super::store::Store;
use policy_core::spec::Job;
use policy_core::{NANOS_PER_SECOND, Settings, Timestamp};
use serde_json::{Value, json};

pub(super) fn world(seed: u64) -> World {
    let mut random = Random::new(seed);
    let job = job(&mut random);
    let now = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
    let settings = Settings {
        max_uncounted_pods: random.pick(&[500, 500, 3, 1]),
        max_pod_create_delete_per_sync: random.pick(&[500, 500, 2]),
        sync_batch_period_nanos: NANOS_PER_SECOND,
        ..Settings::DEFAULT
    };
    let kubelet = Kubelet {
        failures_left: random.below(12),
        on_failure: job.spec.template.restart_policy() == "OnFailure",
    };
    let faults = random.pick(&[
        Faults::default(),
        Faults { refused: 5, lost: 5, crash: 2, late: 30 },
        Faults { refused: 15, lost: 15, crash: 5, late: 50 },
    ]);
    let store = Store::new(job, now);
    let mut controller = Controller::new(settings, random.chance(50), faults);
    controller.start(&store, &mut random);
    World { random, store, controller, kubelet }
}

fn job(random: &mut Random) -> Job {
    let indexed = random.chance(50);
    let per_index = indexed && random.chance(40);
    let policy = random.chance(40);
    let completions = if indexed || random.chance(75) { json!(1 + random.below(5)) } else { json!(null) };
    let maybe = |random: &mut Random, percent: usize, value: Value| {
        if random.chance(percent) { value } else { json!(null) }
    };
    let replacement = if policy || random.chance(30) { "Failed" } else { "TerminatingOrFailed" };
    let restart_policy = if !policy && !per_index && random.chance(20) { "OnFailure" } else { "Never" };
    let same_size = random.chance(30);
    let (few, some) = (random.below(3), random.below(7));
    let job = json!({
        "metadata": {"name": "j", "namespace": "default", "uid": "job-uid"},
        "spec": {
            "completions": completions,
            "parallelism": if same_size && indexed { completions.clone() } else { json!(1 + random.below(4)) },
            "completionMode": if indexed { "Indexed" } else { "NonIndexed" },
            "backoffLimit": maybe(random, 70, json!(some)),
            "backoffLimitPerIndex": if per_index { json!(few) } else { json!(null) },
            "maxFailedIndexes": if per_index { maybe(random, 50, json!(few)) } else { json!(null) },
            "podFailurePolicy": if policy { failure_policy(random, per_index) } else { json!(null) },
            "podReplacementPolicy": replacement,
            "successPolicy": if indexed { maybe(random, 25, success_policy(few)) } else { json!(null) },
            "activeDeadlineSeconds": maybe(random, 10, json!(300)),
            "suspend": random.chance(10),
            "selector": {"matchLabels": {"job": "j"}},
            "template": {
                "metadata": {"labels": {"job": "j"}},
                "spec": {"restartPolicy": restart_policy, "containers": [{"name": "main"}]},
            },
        },
    });
    serde_json::from_value(job).unwrap()
}

fn failure_policy(random: &mut Random, per_index: bool) -> Value {
    let exit_codes = |code: i32| json!({"operator": "In", "values": [code]});
    let mut rules = vec![
        json!({"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}),
        json!({"action": "Count", "onExitCodes": exit_codes(2)}),
    ];
    if random.chance(50) {
        rules.push(json!({"action": "FailJob", "onExitCodes": exit_codes(42)}));
    }
    if per_index {
        rules.push(json!({"action": "FailIndex", "onExitCodes": exit_codes(43)}));
    }
    random.shuffle(&mut rules);
    json!({"rules": rules})
}

fn success_policy(count: usize) -> Value {
    json!({"rules": [{"succeededIndexes": "0,2"}, {"succeededCount": count + 1}]})
}
