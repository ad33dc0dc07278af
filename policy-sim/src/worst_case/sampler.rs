//! Runs of a Job in the virtual cluster, with containers that behave by chance.

use super::endings::Outcome;
use super::environment::Environment;
use crate::config::{Act, Behaviour, Config, ControllerConfig, Match, NodeConfig, Timing};
use crate::object::PodId;
use crate::store::{ChangeKind, PodChange};
use crate::{Disturbance, World};
use policy_core::spec::condition;
use policy_core::{NANOS_PER_SECOND, Timestamp};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// 30 days.
const HORIZON_SECONDS: i64 = 30 * 86_400;
/// A run is given up when it has created so many Pods.
const MOST_PODS: usize = 200_000;
/// Jobs that want more Pods than this take too long to sample.
const MOST_WANTED: i64 = 20_000;
const NAMESPACE: &str = "default";
const NAME: &str = "sampled";

/// What became of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// How the Job ended.
    pub outcome: Outcome,
    /// The reason of its condition; empty when it did not end.
    pub reason: String,
    /// When it ended, or was given up, after its creation.
    pub millis: u64,
    /// How many Pods were created.
    pub pods: u64,
    /// The most Pods at once that had not ended.
    pub most_at_once: u64,
    /// `status.failed` at the end.
    pub failed: i32,
    /// How long Pods lived, from creation to end, added up.
    pub pod_millis: u64,
}

/// Runs a Job again and again.
#[derive(Clone, Debug)]
pub struct Sampler {
    manifest: Value,
    script: Vec<Act>,
    on_term: Option<i32>,
    /// A Job that has not ended by then is taken not to end.
    pub(super) horizon_seconds: i64,
}

impl Sampler {
    /// Prepares to run a Job whose containers run for `run_seconds` and exit by the probabilities of the environment.
    ///
    /// # Errors
    /// Why it cannot be sampled.
    pub fn new(job: &Value, environment: &Environment) -> Result<Self, String> {
        let Some(codes) = environment.exit_codes.probabilities() else {
            return Err("the exit codes have no probabilities".into());
        };
        let Some(seconds) = environment.run_seconds else {
            return Err("it is not known how long containers run".into());
        };
        let script = vec![Act::Run(seconds.saturating_mul(1_000)), Act::ExitOneOf(codes)];
        Sampler::with_script(job, script, None)
    }

    /// As [`Sampler::new`], with containers that do what a script says, and end with a code when asked to stop.
    ///
    /// # Errors
    /// Why it cannot be sampled.
    pub fn with_script(job: &Value, script: Vec<Act>, on_term: Option<i32>) -> Result<Self, String> {
        let manifest = bare(job);
        let spec = &manifest["spec"];
        let parallelism = spec["parallelism"].as_i64().unwrap_or(1);
        let wanted = spec["completions"].as_i64().unwrap_or(0).max(parallelism);
        if wanted > MOST_WANTED {
            return Err(format!("a run has {wanted} Pods, and more than {MOST_WANTED} take too long"));
        }
        Ok(Sampler { manifest, script, on_term, horizon_seconds: HORIZON_SECONDS })
    }

    /// The run of that number. It depends on the seed and the number alone.
    pub fn run(&self, seed: u64, number: u64) -> Sample {
        self.run_disturbed(seed, number, &[])
    }

    /// As [`Sampler::run`], with disturbances at so many milliseconds from the start, in order of time.
    pub fn run_disturbed(&self, seed: u64, number: u64, disturbances: &[(u64, Disturbance)]) -> Sample {
        let mut world = World::new(self.config(mixed(seed, number)));
        world.record.pod_changes = Some(Vec::new());
        let mut watched = Watched::default();
        let start = world.now();
        if let Err(error) = world.create(&self.manifest) {
            return watched.sample(start, start, Outcome::Never, error.to_string());
        }
        let horizon = start.plus_nanos(self.horizon_seconds * NANOS_PER_SECOND);
        let mut disturbances = disturbances.iter().peekable();
        loop {
            let due = disturbances.peek().map(|(at, _)| start.plus_nanos(nanos(*at)));
            let limit = due.map_or(horizon, |due| due.min(horizon));
            if world.step(limit).is_none() {
                let Some((_, what)) = disturbances.next().filter(|_| due.is_some()) else { break };
                world.advance(limit);
                if let Err(error) = world.disturb(what) {
                    return watched.sample(start, world.now(), Outcome::Never, error);
                }
            }
            if watched.look(&mut world)
                && let Some((outcome, reason)) = ended(&world)
            {
                watched.failed = failed(&world);
                return watched.sample(start, world.now(), outcome, reason);
            }
            if world.store.pods_ever() > MOST_PODS {
                break;
            }
        }
        watched.failed = failed(&world);
        watched.sample(start, world.now(), Outcome::Never, String::new())
    }

    fn config(&self, seed: u64) -> Config {
        let node = NodeConfig {
            pods: u32::MAX,
            cpu_millis: u64::MAX / 2,
            memory_bytes: u64::MAX / 2,
            ..NodeConfig::named("node-1")
        };
        // What bounds assume: nothing but the rules takes time.
        let timing = Timing {
            schedule_millis: 0,
            watch_millis: 0,
            sandbox_millis: 0,
            start_millis: 0,
            notice_millis: 0,
            teardown_millis: 0,
            pull_notice_millis: 0,
            ..Timing::default()
        };
        let controller = ControllerConfig {
            qps: 0.0,
            watch_latency_nanos: 1_000,
            call_latency_nanos: 2_000,
            ttl: false,
            ..ControllerConfig::default()
        };
        let behaviour = Behaviour {
            matches: Match::default(),
            script: self.script.clone(),
            on_term: self.on_term,
            ready_after_millis: 0,
        };
        let (nodes, behaviours) = (vec![node], vec![behaviour]);
        Config { seed, nodes, timing, controller, behaviours, ..Config::default() }
    }
}

fn nanos(millis: u64) -> i64 {
    i64::try_from(millis).unwrap_or(i64::MAX).saturating_mul(1_000_000)
}

/// A seed for each number (SplitMix64), so that neighbours have nothing in common.
fn mixed(seed: u64, number: u64) -> u64 {
    let mut z = seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The Job without what would keep its Pods from starting at once, and resumed.
fn bare(job: &Value) -> Value {
    let pod = &job["spec"]["template"]["spec"];
    let kept = |from: &Value, keys: &[&str]| -> Map<String, Value> {
        let keys = keys.iter().filter(|key| !from[**key].is_null());
        keys.map(|key| ((*key).to_owned(), from[*key].clone())).collect()
    };
    let containers = |key: &str| -> Option<Vec<Value>> {
        let list = pod[key].as_array()?.iter().map(|container| {
            let mut container = kept(container, &["name", "restartPolicy", "restartPolicyRules"]);
            container.insert("image".into(), "image".into());
            Value::Object(container)
        });
        Some(list.collect())
    };
    let mut spec = kept(
        &job["spec"],
        &[
            "activeDeadlineSeconds",
            "backoffLimit",
            "backoffLimitPerIndex",
            "completionMode",
            "completions",
            "maxFailedIndexes",
            "parallelism",
            "podFailurePolicy",
            "podReplacementPolicy",
            "successPolicy",
        ],
    );
    let mut template =
        kept(pod, &["restartPolicy", "terminationGracePeriodSeconds", "activeDeadlineSeconds"]);
    for key in ["initContainers", "containers"] {
        template.extend(containers(key).map(|list| (key.to_owned(), list.into())));
    }
    spec.insert("template".into(), json!({"spec": template}));
    let metadata = json!({"name": NAME, "namespace": NAMESPACE});
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec})
}

fn ended(world: &World) -> Option<(Outcome, String)> {
    let job = world.store.job(NAMESPACE, NAME)?;
    let finished = job.status.finished()?;
    let complete = finished.kind == condition::COMPLETE;
    Some((if complete { Outcome::Complete } else { Outcome::Failed }, finished.reason.clone()))
}

fn failed(world: &World) -> i32 {
    world.store.job(NAMESPACE, NAME).map_or(0, |job| job.status.failed)
}

/// What was seen of a run's Pods.
#[derive(Debug, Default)]
struct Watched {
    /// Since when the Pods live that have not ended.
    live: BTreeMap<PodId, Timestamp>,
    pods: u64,
    most_at_once: u64,
    lived_nanos: i64,
    failed: i32,
    version: u64,
}

impl Watched {
    /// Takes note of what has changed; tells whether anything has.
    fn look(&mut self, world: &mut World) -> bool {
        let changes = world.record.pod_changes.as_mut().map(std::mem::take).unwrap_or_default();
        let now = world.now();
        for change in &changes {
            self.note(change, now);
        }
        // Nobody reads these, and a long run makes many.
        world.record.decisions.clear();
        world.record.events = Default::default();
        std::mem::replace(&mut self.version, world.store.version()) != world.store.version()
    }

    fn note(&mut self, change: &PodChange, now: Timestamp) {
        let pod = &change.pod;
        if change.kind == ChangeKind::Added {
            self.pods += 1;
            self.live.insert(pod.id, now);
            self.most_at_once = self.most_at_once.max(self.live.len() as u64);
        }
        if (change.kind == ChangeKind::Deleted || pod.is_terminal())
            && let Some(since) = self.live.remove(&pod.id)
        {
            self.lived_nanos = self.lived_nanos.saturating_add(now.nanos_since(since));
        }
    }

    fn sample(&self, start: Timestamp, now: Timestamp, outcome: Outcome, reason: String) -> Sample {
        let millis = |nanos: i64| u64::try_from(nanos / 1_000_000).unwrap_or(0);
        let running: i64 = self.live.values().map(|since| now.nanos_since(*since)).sum();
        Sample {
            outcome,
            reason,
            millis: millis(now.nanos_since(start)),
            pods: self.pods,
            most_at_once: self.most_at_once,
            failed: self.failed,
            pod_millis: millis(self.lived_nanos.saturating_add(running)),
        }
    }
}
