//! What a seed stands for: a cluster, a Job, what its Pods do, and what goes wrong when.

use fastrand::Rng;
use policy_core::{NANOS_PER_SECOND, Settings};
use policy_sim::config::{Act, ApiConfig, Behaviour, Config, ControllerConfig, Match, Timing};
use policy_sim::store::Propagation;
use policy_sim::{CallMatch, Deletion, Disturbance, Fault, InFlight, InjectedError, PodSelect, Resource};
use serde_json::{Value, json};

/// Everything that a run needs.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) config: Config,
    pub(crate) job: Value,
    /// What is done from outside, by milliseconds from the start, in order.
    pub(crate) steps: Vec<(u64, Step)>,
    /// Whether the Job stays suspended to the end.
    pub(crate) rests: bool,
}

/// What the Job is like, as far as steps depend on it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shape {
    pub(crate) indexed: bool,
    /// Completions and parallelism are equal, so that they can be changed together.
    pub(crate) elastic: bool,
    pub(crate) deleted: bool,
    pub(crate) adopts: bool,
    pub(crate) managed_elsewhere: bool,
    pub(crate) blocks: bool,
}

/// Something done from outside.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Inject(Fault),
    /// A merge patch of the Job.
    Patch(Value),
    /// Suspends the Job, or resumes it.
    Toggle,
    /// Deletes a Pod: the one at this place modulo the Pods there are.
    DeletePod(usize),
    /// Takes a Pod's labels away.
    Relabel(usize),
    /// Makes a Pod by hand that the selector matches.
    Orphan,
    DeleteJob(Deletion),
    Disturb(Disturbance),
}

fn chance(rng: &mut Rng, percent: u32) -> bool {
    rng.u32(0..100) < percent
}

fn maybe(rng: &mut Rng, percent: u32, value: Value) -> Value {
    if chance(rng, percent) { value } else { Value::Null }
}

impl Plan {
    pub(crate) fn new(seed: u64) -> Plan {
        let mut rng = Rng::with_seed(seed);
        let rng = &mut rng;
        let mut shape = Shape {
            indexed: chance(rng, 50),
            deleted: chance(rng, 8),
            adopts: chance(rng, 15),
            managed_elsewhere: chance(rng, 2),
            ..Shape::default()
        };
        let job = job(rng, &mut shape);
        let config = config(rng, seed, &mut shape);
        let rests = chance(rng, 8);
        let mut steps = Vec::new();
        faults(rng, &mut steps);
        edits(rng, &shape, &mut steps);
        disturbances(rng, &shape, &mut steps);
        steps.sort_by_key(|(at, _)| *at);
        Plan { config, job, steps, rests }
    }
}

fn config(rng: &mut Rng, seed: u64, shape: &mut Shape) -> Config {
    let waits_for_own_writes = chance(rng, 70);
    let settings = Settings {
        max_uncounted_pods: [500, 500, 500, 3, 1][rng.usize(0..5)],
        max_pod_create_delete_per_sync: [500, 500, 2][rng.usize(0..3)],
        ..Settings::DEFAULT
    };
    let quota_pods = chance(rng, 5).then(|| 1 + rng.u32(0..3));
    Config {
        seed,
        controller: ControllerConfig {
            settings,
            waits_for_own_writes,
            call_latency_nanos: [4, 40, 900][rng.usize(0..3)] * 1_000_000,
            watch_latency_nanos: [2, 30, 700][rng.usize(0..3)] * 1_000_000,
            ..ControllerConfig::default()
        },
        api: ApiConfig { quota_pods, ..ApiConfig::default() },
        timing: Timing { sandbox_millis: 60, notice_millis: 50, teardown_millis: 50, ..Timing::default() },
        behaviours: behaviours(rng, shape),
        ..Config::default()
    }
}

/// The first Pods (of an index) fail with some probability, then all succeed: every Job could come to an end.
fn behaviours(rng: &mut Rng, shape: &mut Shape) -> Vec<Behaviour> {
    let mut list = Vec::new();
    let attempts: Vec<u32> = (1..=1 + rng.u32(0..5)).collect();
    for (code, weight) in [(1, 30), (42, 8), (43, 15), (2, 10)] {
        if chance(rng, 60) {
            let act = if chance(rng, 10) { Act::OomKill } else { Act::Exit(code) };
            let probability = Some(f64::from(rng.u32(0..weight)) / 40.0);
            // Starts as well, because a Pod that nobody controls is not replaced but restarted.
            let (attempts, starts) = (Some(attempts.clone()), Some(attempts.clone()));
            let matches = Match { attempts, starts, probability, ..Match::default() };
            list.push(behaviour(matches, vec![Act::Run(rng.u64(0..20_000)), act]));
        }
    }
    if chance(rng, 5) {
        shape.blocks = true;
        let matches = Match { probability: Some(0.5), ..Match::default() };
        list.push(behaviour(matches, vec![Act::Block]));
    }
    let matches = Match { probability: Some(0.5), ..Match::default() };
    list.push(behaviour(matches, vec![Act::Run(rng.u64(1..5_000))]));
    let longest = [1_000, 5_000, 30_000][rng.usize(0..3)];
    let on_term = chance(rng, 50).then(|| [0, 143, 42][rng.usize(0..3)]);
    list.push(Behaviour { on_term, ..behaviour(Match::default(), vec![Act::Run(rng.u64(1..longest))]) });
    list
}

fn behaviour(matches: Match, script: Vec<Act>) -> Behaviour {
    Behaviour { matches, script, on_term: None, ready_after_millis: 0 }
}

fn job(rng: &mut Rng, shape: &mut Shape) -> Value {
    let indexed = shape.indexed;
    let per_index = indexed && chance(rng, 40);
    let policy = chance(rng, 40);
    shape.elastic = indexed && chance(rng, 40);
    let size = rng.u32(1..6);
    let queue = !indexed && chance(rng, 25);
    let completions = if queue { Value::Null } else { json!(size) };
    let parallelism = if shape.elastic { size } else { rng.u32(1..5) };
    let replacement = if policy || chance(rng, 30) { "Failed" } else { "TerminatingOrFailed" };
    let restart = if !policy && !per_index && chance(rng, 20) { "OnFailure" } else { "Never" };
    let (few, some) = (rng.u32(0..3), rng.u32(0..7));
    let mut spec = json!({
        "parallelism": parallelism,
        "completionMode": if indexed { "Indexed" } else { "NonIndexed" },
        "podReplacementPolicy": replacement,
        "suspend": chance(rng, 10),
        "template": {
            "metadata": {"labels": {"app": "worlds"}},
            "spec": {"restartPolicy": restart, "terminationGracePeriodSeconds": rng.u32(1..20),
                "containers": [{"name": "main", "image": "worlds"}]},
        },
    });
    let numbers = [rng.u32(5..200), rng.u32(0..100)];
    let failure_policy = if policy { failure_policy(rng, per_index) } else { Value::Null };
    let success_policy = if indexed { success_policy(rng, size) } else { Value::Null };
    let optional = [
        ("completions", completions),
        ("backoffLimit", maybe(rng, 70, json!(some))),
        ("backoffLimitPerIndex", if per_index { json!(few) } else { Value::Null }),
        ("maxFailedIndexes", if per_index { maybe(rng, 50, json!(few.min(size))) } else { Value::Null }),
        ("podFailurePolicy", failure_policy),
        ("successPolicy", maybe(rng, 25, success_policy)),
        ("activeDeadlineSeconds", maybe(rng, 10, json!(numbers[0]))),
        ("ttlSecondsAfterFinished", maybe(rng, 10, json!(numbers[1]))),
        ("managedBy", if shape.managed_elsewhere { json!("example.com/other") } else { Value::Null }),
    ];
    for (key, value) in optional.into_iter().filter(|(_, value)| !value.is_null()) {
        spec[key] = value;
    }
    if shape.adopts {
        spec["manualSelector"] = json!(true);
        spec["selector"] = json!({"matchLabels": {"app": "worlds"}});
    }
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": spec})
}

fn failure_policy(rng: &mut Rng, per_index: bool) -> Value {
    let exit_codes = |code: i32| json!({"operator": "In", "values": [code]});
    let mut rules = vec![
        json!({"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}),
        json!({"action": "Count", "onExitCodes": exit_codes(2)}),
    ];
    if chance(rng, 50) {
        rules.push(json!({"action": "FailJob", "onExitCodes": exit_codes(42)}));
    }
    if chance(rng, 30) {
        rules.push(json!({"action": "Ignore", "onExitCodes": {"operator": "NotIn", "values": [1, 42, 43]}}));
    }
    if per_index {
        rules.push(json!({"action": "FailIndex", "onExitCodes": exit_codes(43)}));
    }
    rng.shuffle(&mut rules);
    json!({"rules": rules})
}

fn success_policy(rng: &mut Rng, size: u32) -> Value {
    let mut rules = vec![json!({"succeededCount": 1 + rng.u32(0..size)})];
    if size > 1 {
        rules.push(json!({"succeededIndexes": format!("0-{}", rng.u32(1..size))}));
    }
    rng.shuffle(&mut rules);
    json!({"rules": rules})
}

/// When the troubled time ends, in milliseconds.
pub(crate) const TROUBLE_MILLIS: u64 = 90_000;

fn moment(rng: &mut Rng) -> u64 {
    // Most of a small Job's life is early.
    if rng.bool() { rng.u64(0..8_000) } else { rng.u64(0..TROUBLE_MILLIS) }
}

fn faults(rng: &mut Rng, steps: &mut Vec<(u64, Step)>) {
    for _ in 0..[0, 1, 2, 4][rng.usize(0..4)] {
        let (at, fault) = (moment(rng), fault(rng));
        if let Fault::DropWatchEvents { .. } = fault {
            // A real watch is made anew after it has broken; here the controllers start again.
            let again = Fault::CrashController { at_call: None, in_flight: InFlight::Lost, down_millis: 100 };
            steps.push((at + rng.u64(1_000..40_000), Step::Inject(again)));
        }
        steps.push((at, Step::Inject(fault)));
    }
}

fn fault(rng: &mut Rng) -> Fault {
    let resource = Some([Resource::Pods, Resource::Jobs][rng.usize(0..2)]).filter(|_| rng.bool());
    match rng.u32(0..7) {
        0 => Fault::CrashController {
            at_call: rng.bool().then(|| rng.u64(1..12)),
            in_flight: if rng.bool() { InFlight::Lost } else { InFlight::Committed },
            down_millis: rng.u64(1..5_000),
        },
        1 => Fault::LoseResponse { calls: calls(rng) },
        2 => {
            use InjectedError::{Conflict, InternalError, QuotaExceeded, Timeout, TooManyRequests};
            let errors = [Conflict, InternalError, Timeout, QuotaExceeded, TooManyRequests];
            Fault::FailCalls { calls: calls(rng), error: errors[rng.usize(0..errors.len())] }
        }
        3 => {
            let calls = CallMatch { verb: Some("update".into()), kind: Some("Job".into()), ..calls(rng) };
            Fault::FailCalls { calls, error: InjectedError::Conflict }
        }
        4 => Fault::FreezeWatch { resource, for_millis: rng.u64(500..40_000), coalesce: rng.bool() },
        5 => {
            let resource = [Resource::Pods, Resource::Jobs][rng.usize(0..2)];
            Fault::DropWatchEvents { resource, count: rng.u64(1..4) }
        }
        _ => Fault::SkewClock { millis: rng.i64(-20_000..20_000) },
    }
}

fn calls(rng: &mut Rng) -> CallMatch {
    let verb = ["create", "patch", "update", "delete"][rng.usize(0..4)];
    CallMatch {
        verb: rng.bool().then(|| verb.into()),
        nth: rng.bool().then(|| rng.u64(1..6)),
        count: rng.bool().then(|| rng.u64(1..4)),
        ..CallMatch::default()
    }
}

fn edits(rng: &mut Rng, shape: &Shape, steps: &mut Vec<(u64, Step)>) {
    for _ in 0..[0, 0, 1, 3][rng.usize(0..4)] {
        let at = moment(rng);
        let step = match rng.u32(0..5) {
            0 | 1 => Step::Toggle,
            2 if shape.elastic => {
                let size = rng.u32(1..7);
                Step::Patch(json!({"spec": {"completions": size, "parallelism": size}}))
            }
            2 | 3 => Step::Patch(json!({"spec": {"parallelism": rng.u32(0..6)}})),
            _ => Step::Patch(json!({"spec": {"activeDeadlineSeconds": rng.u32(5..300)}})),
        };
        steps.push((at, step));
    }
    if shape.deleted {
        let propagation =
            [Propagation::Background, Propagation::Foreground, Propagation::Orphan][rng.usize(0..3)];
        let how = Deletion { propagation: Some(propagation), ..Deletion::default() };
        steps.push((moment(rng), Step::DeleteJob(how)));
    }
}

fn disturbances(rng: &mut Rng, shape: &Shape, steps: &mut Vec<(u64, Step)>) {
    if shape.adopts {
        for _ in 0..rng.u32(1..3) {
            steps.push((moment(rng), Step::Orphan));
        }
    }
    for _ in 0..[0, 0, 1, 2][rng.usize(0..4)] {
        let (at, node) = (moment(rng), format!("node-{}", rng.u32(1..3)));
        let step = match rng.u32(0..6) {
            0 | 1 => Step::DeletePod(rng.usize(0..8)),
            // A Pod that is not selected any more would hold a Job that is being deleted, as upstream has it.
            2 if !shape.deleted => Step::Relabel(rng.usize(0..8)),
            3 => {
                steps.push((
                    at + rng.u64(1_000..90_000),
                    Step::Disturb(Disturbance::NodeReturned { node: node.clone() }),
                ));
                Step::Disturb(Disturbance::NodeLost { node })
            }
            4 => {
                steps.push((
                    at + rng.u64(1_000..20_000),
                    Step::Disturb(Disturbance::Uncordon { node: node.clone() }),
                ));
                Step::Disturb(Disturbance::Drain { node, grace_period_seconds: None, force: false })
            }
            _ => Step::Disturb(Disturbance::Evict { pods: PodSelect::default(), resource: "memory".into() }),
        };
        steps.push((at, step));
    }
}

/// How long the world may take to become quiet after the troubled time.
pub(crate) const QUIET_NANOS: i64 = 3 * 3_600 * NANOS_PER_SECOND;
