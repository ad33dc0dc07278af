//! Runs the world of a seed under the checkers.

use super::checks::{Change, Check, Fate, PodSeen, Violation, ensure};
use super::plan::{Plan, QUIET_NANOS, Step, TROUBLE_MILLIS};
use super::shared::{Counting, RuleCounts, Shared, Watched, lock};
use policy_core::Timestamp;
use policy_core::spec::{JOB_TRACKING_FINALIZER, Job, condition};
use policy_sim::config::ApiConfig;
use policy_sim::object::{Pod, State};
use policy_sim::policy::JobPolicy;
use policy_sim::store::{ChangeKind, Kind, Object, ObjectChange, ObjectKey, PodChange};
use policy_sim::{Disturbance, Fault, FaultCounts, InFlight, World};
use serde_json::json;
use std::sync::Arc;

/// What a run amounts to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    pub(crate) pods: u64,
    pub(crate) calls: u64,
    pub(crate) conflicts: u64,
    pub(crate) edits: u64,
    pub(crate) faults: FaultCounts,
    pub(crate) rules: RuleCounts,
    pub(crate) ends: Vec<String>,
}

/// A world and the checkers that watch it.
pub(crate) struct Stage {
    pub(crate) world: World,
    shared: Arc<Shared>,
    job: ObjectKey,
    edits: u64,
    verbose: bool,
    met: FaultCounts,
}

/// Puts something between the core and the driver.
pub(crate) type Wrap<'w> = &'w dyn Fn(Arc<dyn JobPolicy>) -> Arc<dyn JobPolicy>;

/// Runs the world of this seed, under a policy that `wrap` makes of the core.
pub(crate) fn run(
    seed: u64,
    wrap: Wrap<'_>,
    change: impl FnOnce(&mut Plan),
    verbose: bool,
) -> Result<Run, Violation> {
    let mut plan = Plan::new(seed);
    change(&mut plan);
    let shared = Arc::new(Shared::default());
    let inner = wrap(Arc::new(Counting(shared.clone())));
    plan.config.job_policy = Arc::new(Watched { shared: shared.clone(), policy: inner });
    let mut world = World::new(plan.config.clone());
    world.record.quiet = !verbose;
    world.trace = verbose;
    world.record.pod_changes = Some(Vec::new());
    world.record.object_changes = Some(Vec::new());
    if verbose {
        println!("{plan:#?}");
    }
    lock(&shared.watcher).excuses.own_writes_unseen = !plan.config.controller.waits_for_own_writes;
    let job = ObjectKey::new(Kind::Job, "default", "j");
    let mut stage = Stage { world, shared, job, edits: 0, verbose, met: FaultCounts::default() };
    stage.live(&plan)?;
    Ok(stage.sum_up())
}

impl Stage {
    fn live(&mut self, plan: &Plan) -> Result<(), Violation> {
        let start = self.world.now();
        let created = self.world.create(&plan.job);
        assert!(created.is_ok(), "the plan's Job is refused: {created:?}");
        for (at, step) in &plan.steps {
            self.advance(start.plus_nanos(*at as i64 * 1_000_000))?;
            self.perform(step);
        }
        self.advance(start.plus_nanos(TROUBLE_MILLIS as i64 * 1_000_000))?;
        self.calm(plan);
        if !self.becomes_quiet()? && self.waits_for_its_start_time() {
            drop(self.world.patch(&self.job, &json!({"spec": {"suspend": false}})));
        }
        if lock(&self.shared.watcher)
            .jobs
            .values()
            .any(|book| book.stuck && book.job.status.finished().is_none())
        {
            drop(self.world.delete(&self.job, policy_sim::Deletion::default()));
        }
        self.resync();
        let quiet = self.becomes_quiet()?;
        ensure(quiet, Check::NeverEnds, || "the world is not quiet after hours".into())?;
        lock(&self.shared.watcher).quiet(self.world.now())
    }

    /// A Pod that is first shown while it is being deleted leaves its creation awaited; that expires after five minutes,
    /// and the Job is looked at again when informers show everything again, once in half a day. Upstream has it so.
    fn resync(&mut self) {
        if self.met.coalesced + self.met.dropped > 0 {
            drop(self.world.label(&self.job, [("resync", Some("yes"))]));
        }
    }

    /// Whether nothing is due any more after a long time.
    fn becomes_quiet(&mut self) -> Result<bool, Violation> {
        let until = self.world.now().plus_nanos(QUIET_NANOS);
        self.advance(until)?;
        Ok(!self.world.is_busy())
    }

    /// A Job that comes to its end while it is being suspended is not allowed to finish, because suspending took its
    /// start time away and the API server wants one; it has to be resumed. Upstream has it so.
    fn waits_for_its_start_time(&self) -> bool {
        self.world.store.job("default", "j").is_some_and(|job| {
            let ends = [condition::SUCCESS_CRITERIA_MET, condition::FAILURE_TARGET];
            let ends = ends.iter().any(|kind| job.status.condition(kind).is_some());
            job.spec.is_suspended() && job.status.start_time.is_none() && ends
        })
    }

    /// Lets time go on, checking everything that is committed.
    fn advance(&mut self, until: Timestamp) -> Result<(), Violation> {
        self.check()?;
        while self.world.step(until).is_some() {
            self.check()?;
        }
        self.world.advance(until);
        self.check()
    }

    fn check(&mut self) -> Result<(), Violation> {
        let record = &mut self.world.record;
        let pods = record.pod_changes.as_mut().map(std::mem::take).unwrap_or_default();
        let objects = record.object_changes.as_mut().map(std::mem::take).unwrap_or_default();
        if !pods.is_empty() || !objects.is_empty() {
            self.take_note(&pods, &objects);
        }
        let met = self.world.faults_met();
        if met != self.met {
            let mut watcher = lock(&self.shared.watcher);
            if met.crashes > self.met.crashes {
                watcher.controllers_died();
            }
            watcher.excuses.answer_lost = met.answers_lost > 0;
            watcher.excuses.event_lost = met.dropped > 0;
            watcher.excuses.clock_set = met.clock_set > 0;
            self.met = met;
        }
        for decision in self.world.record.decisions.drain(..) {
            println!(
                "{} {} {:?} {:?} {:?}",
                decision.at, decision.verdict, decision.told, decision.wake, decision.error
            );
        }
        self.shared.violation().map_or(Ok(()), Err)
    }

    fn take_note(&mut self, pods: &[PodChange], objects: &[ObjectChange]) {
        let mut changes: Vec<(u64, Change)> = pods.iter().map(pod_change).collect();
        changes.extend(objects.iter().filter_map(job_change));
        changes.sort_by_key(|(version, _)| *version);
        let mut watcher = lock(&self.shared.watcher);
        for (version, change) in changes {
            if self.verbose {
                println!("{} {version}: {}", self.world.now(), words(&change));
            }
            self.shared.note(watcher.observe(change));
        }
    }

    fn perform(&mut self, step: &Step) {
        if self.verbose {
            println!("{} {step:?}", self.world.now());
        }
        self.edits += u64::from(!matches!(step, Step::Inject(_)));
        // What is refused, because it has no object any more or is not valid now, is left undone.
        match step {
            Step::Inject(fault) => self.world.inject(fault.clone()),
            Step::Patch(patch) => drop(self.world.patch(&self.job, patch)),
            Step::Toggle => {
                let suspended =
                    self.world.store.job("default", "j").is_some_and(|job| job.spec.is_suspended());
                drop(self.world.patch(&self.job, &json!({"spec": {"suspend": !suspended}})));
            }
            Step::DeletePod(place) => {
                if let Some(key) = self.pod(*place) {
                    drop(self.world.delete(&key, policy_sim::Deletion::default()));
                }
            }
            Step::Relabel(place) => {
                if let Some(key) = self.pod(*place) {
                    let none = ["app", "batch.kubernetes.io/controller-uid", "controller-uid"]
                        .map(|label| (label, None));
                    drop(self.world.label(&key, none));
                }
            }
            Step::Orphan => {
                let name = format!("by-hand-{}", self.edits);
                let pod = json!({"apiVersion": "v1", "kind": "Pod",
                    "metadata": {"name": name, "labels": {"app": "worlds"}},
                    "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "worlds"}]}});
                drop(self.world.create(&pod));
            }
            Step::DeleteJob(how) => drop(self.world.delete(&self.job, *how)),
            Step::Disturb(disturbance) => drop(self.world.disturb(disturbance)),
        }
    }

    fn pod(&self, place: usize) -> Option<ObjectKey> {
        let pods: Vec<&Pod> = self.world.store.pods().collect();
        let pod = pods.get(place.checked_rem(pods.len())?)?;
        Some(ObjectKey::new(Kind::Pod, &pod.namespace, &pod.name))
    }

    /// No more faults; nodes are back; unless the Job rests, nothing in its spec keeps it from running.
    fn calm(&mut self, plan: &Plan) {
        self.world.clear_faults();
        self.world.store.set_limits(ApiConfig::default());
        if self.world.faults_met().dropped > 0 {
            let again = Fault::CrashController { at_call: None, in_flight: InFlight::Lost, down_millis: 100 };
            self.world.inject(again);
        }
        for node in ["node-1", "node-2"].map(String::from) {
            drop(self.world.disturb(&Disturbance::NodeReturned { node: node.clone() }));
            drop(self.world.disturb(&Disturbance::Uncordon { node }));
        }
        let parallelism = self.world.store.job("default", "j").and_then(|job| job.spec.parallelism);
        let mut patch = json!({"spec": {"suspend": plan.rests}});
        if parallelism == Some(0) && !plan.rests {
            patch["spec"]["parallelism"] = json!(1);
        }
        if self.verbose {
            println!("{} calm: {patch}", self.world.now());
        }
        drop(self.world.patch(&self.job, &patch));
    }

    fn sum_up(self) -> Run {
        let watcher = lock(&self.shared.watcher);
        let ends = watcher.jobs.values().map(|book| match book.job.status.finished() {
            Some(end) => format!("{} {}", end.kind, end.reason),
            None if book.gone => "deleted".into(),
            None => "waits".into(),
        });
        Run {
            pods: watcher.pods_ever,
            calls: self.world.controller_calls(),
            conflicts: *lock(&self.shared.conflicts),
            edits: self.edits,
            faults: self.world.faults_met(),
            rules: lock(&self.shared.rules).clone(),
            ends: ends.collect(),
        }
    }
}

fn pod_change(change: &PodChange) -> (u64, Change) {
    let pod = &change.pod;
    let seen = match change.kind {
        ChangeKind::Deleted => Change::PodGone(pod.uid.clone()),
        ChangeKind::Added | ChangeKind::Modified => Change::Pod(pod_seen(pod)),
    };
    (pod.resource_version, seen)
}

fn pod_seen(pod: &Pod) -> PodSeen {
    let controller = pod.owners.iter().find(|owner| owner.is_controller());
    let codes = pod.containers.iter().filter_map(|status| match &status.state {
        State::Terminated(ended) => Some(ended.exit_code),
        _ => None,
    });
    PodSeen {
        uid: pod.uid.clone(),
        controller: controller.map(|owner| owner.uid.clone()),
        tracked: pod.finalizers.iter().any(|finalizer| &**finalizer == JOB_TRACKING_FINALIZER),
        fate: Fate::of(pod.phase),
        deleting: pod.deletion_timestamp.is_some(),
        ready: pod.condition("Ready").is_some_and(|ready| ready.status == "True"),
        index: pod.index,
        exit_code: codes.into_iter().find(|code| *code != 0),
        disrupted: pod.condition("DisruptionTarget").is_some_and(|condition| condition.status == "True"),
        disrupted_at_end: false,
        restarts: pod.containers.iter().map(|status| status.restarts).sum(),
        selected: pod.own_labels.iter().all(|(label, value)| &**label != "app" || value.is_some()),
        gone: false,
    }
}

fn job_change(change: &ObjectChange) -> Option<(u64, Change)> {
    let Object::Job(job) = &change.object else { return None };
    let version = job.metadata.resource_version.parse().ok()?;
    let change = if change.kind == ChangeKind::Deleted { Change::JobGone } else { Change::Job };
    Some((version, change(job.clone())))
}

fn words(change: &Change) -> String {
    let status = |job: &Job| format!("{:?}", job.status);
    match change {
        Change::Job(job) => format!("Job {}", status(job)),
        Change::JobGone(job) => format!("Job gone {}", status(job)),
        other => format!("{other:?}"),
    }
}
