//! The control plane with a stand-in for the data plane: Pods run for as long as a test says, and end as it says.

use crate::World;
use crate::config::Config;
use crate::object::{ContainerStatus, Ended, Phase, Pod, PodId, State};
use crate::store::{Kind, ObjectKey};
use crate::world::Ending;
use policy_core::spec::{Job, condition};
use policy_core::{NANOS_PER_SECOND, Timestamp};
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::sync::Arc;

mod cron_jobs;
mod deletion;
mod faults;
mod jobs;
mod scale;

/// How a Pod runs: for how many seconds, and with which exit code; `None` runs for ever.
type Behaviour = Box<dyn FnMut(&Pod) -> Option<(i64, i32)>>;

/// A world whose Pods a test runs: it has no nodes, so that nothing else does.
pub(crate) struct Cluster {
    pub(crate) world: World,
    behaviour: Behaviour,
    seen: u32,
    due: BinaryHeap<Reverse<(Timestamp, u32, Stage)>>,
    running: BTreeSet<PodId>,
    looked_at: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Start,
    End(i32),
    Gone,
}

impl Cluster {
    pub(crate) fn new(config: Config, behaviour: impl FnMut(&Pod) -> Option<(i64, i32)> + 'static) -> Self {
        Cluster {
            world: World::new(Config { nodes: Vec::new(), ..config }),
            behaviour: Box::new(behaviour),
            seen: 0,
            due: BinaryHeap::new(),
            running: BTreeSet::new(),
            looked_at: Timestamp::ZERO,
        }
    }

    /// Every Pod runs for a second and succeeds.
    pub(crate) fn succeeding() -> Self {
        Cluster::new(Config::default(), |_| Some((1, 0)))
    }

    pub(crate) fn create(&mut self, manifest: Value) -> ObjectKey {
        self.world.create(&manifest).unwrap()
    }

    /// Runs for so many seconds, unless everything finishes before.
    pub(crate) fn run(&mut self, seconds: i64) -> Ending {
        let until = self.world.now().plus_nanos(seconds * NANOS_PER_SECOND);
        loop {
            self.look_after_pods();
            if self.world.is_finished() {
                return Ending::Finished;
            }
            let next = self.due.peek().map_or(until, |Reverse((at, ..))| until.min(*at));
            if self.world.step(next).is_some() {
                continue;
            }
            match self.due.pop() {
                Some(Reverse((at, pod, stage))) if at <= until => {
                    self.world.now = self.world.now.max(at);
                    self.act(PodId(pod), stage);
                    self.world.pass_on_changes();
                }
                Some(later) => {
                    self.due.push(later);
                    self.world.now = until;
                    return Ending::Deadline;
                }
                None if self.world.agenda.is_empty() => return Ending::Quiescent,
                None => {
                    self.world.now = until;
                    return Ending::Deadline;
                }
            }
        }
    }

    /// Runs for so many seconds, whether or not everything has finished.
    pub(crate) fn run_on(&mut self, seconds: i64) {
        let until = self.world.now().plus_nanos(seconds * NANOS_PER_SECOND);
        self.world.advance(until);
        self.look_after_pods();
    }

    fn look_after_pods(&mut self) {
        let now = self.world.now();
        let ever = u32::try_from(self.world.store.pods_ever()).unwrap();
        for id in self.seen..ever {
            self.due.push(Reverse((now.plus_nanos(50_000_000), id, Stage::Start)));
        }
        self.seen = ever;
        // Deletions are seen once an instant: looking at every Pod at every step would dwarf what is measured.
        if std::mem::replace(&mut self.looked_at, now) == now {
            return;
        }
        let store = &self.world.store;
        let deleted = |id: &PodId| store.pod(*id).is_none_or(|pod| pod.deletion_timestamp.is_some());
        let ending: Vec<PodId> = self.running.iter().copied().filter(deleted).collect();
        for id in ending {
            self.running.remove(&id);
            self.due.push(Reverse((now.plus_nanos(NANOS_PER_SECOND), id.0, Stage::Gone)));
        }
    }

    fn act(&mut self, id: PodId, stage: Stage) {
        let now = self.world.now();
        let Some(pod) = self.world.store.shared_pod(id).cloned() else { return };
        match stage {
            Stage::Start if pod.deletion_timestamp.is_none() => {
                self.world.store.update_pod(id, |pod| {
                    pod.node = Some("node".into());
                    pod.phase = Phase::Running;
                    pod.set_condition("Ready", "True", "", "", now);
                    pod.containers = vec![status(State::Running(now))];
                    true
                });
                self.running.insert(id);
                if let Some((seconds, code)) = (self.behaviour)(&pod) {
                    self.due.push(Reverse((
                        now.plus_nanos(seconds * NANOS_PER_SECOND),
                        id.0,
                        Stage::End(code),
                    )));
                }
            }
            Stage::End(code) if self.running.remove(&id) => self.end(id, code),
            Stage::Gone => {
                if !pod.is_terminal() {
                    self.end(id, 143);
                }
                self.world.store.request_pod_deletion(id, 0, now);
            }
            _ => {}
        }
    }

    fn end(&mut self, id: PodId, exit_code: i32) {
        let now = self.world.now();
        let ended = Ended { exit_code, reason: "Error", started_at: Some(now), finished_at: Some(now) };
        self.world.store.update_pod(id, |pod| {
            pod.phase = if exit_code == 0 { Phase::Succeeded } else { Phase::Failed };
            pod.set_condition("Ready", "False", "PodCompleted", "", now);
            pod.containers = vec![status(State::Terminated(ended))];
            true
        });
    }

    pub(crate) fn job(&self, name: &str) -> Arc<Job> {
        self.world.store.job("default", name).cloned().unwrap()
    }

    /// The types of the Job's conditions that hold.
    pub(crate) fn conditions(&self, name: &str) -> Vec<String> {
        let conditions = self.job(name).status.conditions.clone();
        conditions.into_iter().filter(|c| c.is_true()).map(|c| c.kind).collect()
    }

    /// Seconds from the start at which Pods were created.
    pub(crate) fn creations(&self) -> Vec<i64> {
        let start = self.world.config.start;
        let pods = self.world.store.pods();
        pods.map(|pod| pod.created_at.nanos_since(start) / NANOS_PER_SECOND).collect()
    }

    pub(crate) fn event_reasons(&self) -> Vec<&str> {
        self.world.record.events.iter().map(|event| event.reason()).collect()
    }

    /// Whether the Job is complete and every Pod counted exactly once.
    pub(crate) fn assert_complete(&self, name: &str, succeeded: i32) {
        let job = self.job(name);
        assert!(self.conditions(name).contains(&condition::COMPLETE.into()), "{:?}", job.status);
        assert_eq!(job.status.succeeded, succeeded, "{:?}", job.status);
        let ended = self.world.store.pods().filter(|pod| pod.phase == Phase::Succeeded).count();
        assert_eq!(ended, usize::try_from(succeeded).unwrap());
        assert!(self.world.store.pods().all(|pod| pod.finalizers.is_empty()));
    }
}

fn status(state: State) -> ContainerStatus {
    ContainerStatus { state, last: None, restarts: 0, ready: true }
}

/// A Job of one container; `spec` comes over the defaults.
pub(crate) fn job(name: &str, spec: Value) -> Value {
    let mut job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {
        "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox"}]}}}});
    super::patch::merge(&mut job["spec"], &spec);
    job
}

pub(crate) fn key(kind: Kind, name: &str) -> ObjectKey {
    ObjectKey::new(kind, "default", name)
}
