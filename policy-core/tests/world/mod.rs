//! A world in memory in which Jobs live whole lives under a controller that crashes and calls that fail. A seed decides
//! everything, so a life can be lived again.

mod controller;
mod kubelet;
mod ledger;
mod random;
mod scenario;
mod store;

use controller::Controller;
use kubelet::Kubelet;
use policy_core::NANOS_PER_SECOND;
use policy_core::explain::Finding;
use policy_core::job::{Claim, PodDigester};
use policy_core::spec::{Job, Pod};
use random::Random;
use serde_json::json;
use store::Store;

/// Steps with faults before the world gets quiet.
const TROUBLED_STEPS: usize = 150;
/// Steps in which a Job must then come to its end.
const QUIET_STEPS: usize = 3_000;

struct World {
    random: Random,
    store: Store,
    controller: Controller,
    kubelet: Kubelet,
}

/// Lives the life of this seed and checks it at every step; returns what every sync found.
pub(crate) fn live(seed: u64, verbose: bool) -> Vec<Finding> {
    let mut world = scenario::world(seed);
    world.store.verbose = verbose;
    for _ in 0..TROUBLED_STEPS {
        world.troubled_step();
    }
    world.calm();
    for _ in 0..QUIET_STEPS {
        if !world.quiet_step() {
            break;
        }
    }
    world.check_end();
    world.controller.findings
}

impl World {
    fn troubled_step(&mut self) {
        match self.random.below(20) {
            0..=3 => self.controller.deliver_job(&self.store),
            4..=8 => self.controller.deliver_pod(&self.store),
            9..=12 => self.kubelet.step(&mut self.store, &mut self.random),
            13..=16 => self.sync_if_due(),
            17 => self.pass_time(),
            18 => self.controller.sync_orphans(&mut self.store, &mut self.random),
            _ => self.disturb(),
        }
        self.store.collect_garbage();
    }

    /// Something from outside: a crash, an edit, a disruption.
    fn disturb(&mut self) {
        match self.random.below(12) {
            0 => self.controller.start(&self.store, &mut self.random),
            1 => self.kubelet.disrupt(&mut self.store, &mut self.random),
            2 => self.with_pod(|store, pod| store.delete_pod(&pod.metadata.name).unwrap()),
            3 => self.edit(|job, _| job.spec.suspend = Some(job.spec.suspend != Some(true))),
            4 => self.edit(|job, random| job.spec.parallelism = Some(random.below(5) as i32)),
            5 => self.scale(),
            6 => self.relabel(),
            // Without waiting for its own writes upstream adopts, and counts, such a Pod again while its cache is behind.
            7 if self.controller.waits_for_own_writes => self.make_orphan(),
            8 if self.random.chance(10) => self.delete_job(),
            _ => {}
        }
    }

    fn edit(&mut self, edit: impl FnOnce(&mut Job, &mut Random)) {
        let random = &mut self.random;
        if self.store.job.as_ref().is_some_and(|job| !job.metadata.is_deleting()) {
            self.store.edit_job(|job| edit(job, random));
        }
    }

    fn with_pod(&mut self, act: impl FnOnce(&mut Store, Pod)) {
        let pods: Vec<Pod> = self.store.pods.values().cloned().collect();
        if !pods.is_empty() {
            act(&mut self.store, self.random.pick(&pods));
        }
    }

    /// Completions of an Indexed Job change only together with its parallelism, and not once it ends.
    fn scale(&mut self) {
        let Some(job) = &self.store.job else { return };
        let sized = job.spec.is_indexed() && job.spec.completions == job.spec.parallelism;
        if sized && job.status.conditions.iter().all(|condition| condition.kind == "Suspended") {
            self.store.ledger.scaled = true;
            let size = 1 + self.random.below(5) as i32;
            self.edit(|job, _| (job.spec.completions, job.spec.parallelism) = (Some(size), Some(size)));
        }
    }

    /// A Pod that is not selected any more would hold a Job that is being deleted for ever, as upstream has it.
    fn delete_job(&mut self) {
        if self.store.pods.values().all(|pod| !pod.metadata.labels.is_empty()) {
            let now = self.store.now;
            self.edit(|job, _| job.metadata.deletion_timestamp = Some(now.truncated()));
        }
    }

    /// Somebody takes a Pod's labels away, so that the Job releases it.
    fn relabel(&mut self) {
        let deleting = self.store.job.as_ref().is_none_or(|job| job.metadata.is_deleting());
        if !deleting && self.random.chance(30) {
            self.with_pod(|store, mut pod| {
                pod.metadata.labels.clear();
                store.put_pod(pod);
            });
        }
    }

    /// Somebody makes a Pod by hand that the Job's selector matches, so that the Job adopts it.
    fn make_orphan(&mut self) {
        let metadata = json!({"generateName": "by-hand-", "labels": {"job": "j"}});
        self.store.create_pod(&json!({"metadata": metadata})).unwrap();
    }

    fn sync_if_due(&mut self) {
        if self.controller.due.is_none_or(|due| due > self.store.now) {
            return;
        }
        if !self.controller.sync(&mut self.store, &mut self.random) {
            self.controller.start(&self.store, &mut self.random);
        }
    }

    fn pass_time(&mut self) {
        let seconds = self.random.pick(&[1_i64, 3, 10, 60]);
        self.store.now = self.store.now.plus_nanos(seconds * NANOS_PER_SECOND);
    }

    /// No more faults, and nothing in the spec that keeps the Job from running.
    fn calm(&mut self) {
        self.controller.faults = controller::Faults::default();
        self.edit(|job, _| {
            job.spec.suspend = Some(false);
            job.spec.parallelism = Some(job.spec.parallelism.unwrap_or(1).max(1));
        });
        self.kubelet.calm();
    }

    /// One thing that is due happens; `false` when nothing is left to happen.
    fn quiet_step(&mut self) -> bool {
        self.store.collect_garbage();
        if self.controller.is_behind(&self.store) {
            self.controller.deliver_job(&self.store);
            self.controller.deliver_pod(&self.store);
        } else if self.controller.has_orphans() {
            self.controller.sync_orphans(&mut self.store, &mut self.random);
        } else if self.controller.due.is_some_and(|due| due <= self.store.now) {
            self.sync_if_due();
        } else if self.kubelet.has_work(&self.store) {
            self.check_parallelism();
            self.kubelet.step(&mut self.store, &mut self.random);
            self.store.now = self.store.now.plus_nanos(NANOS_PER_SECOND);
        } else if let Some(due) = self.controller.due {
            self.store.now = self.store.now.max(due);
        } else {
            return false;
        }
        true
    }

    /// A controller that has seen everything and has nothing due has left no more Pods running than are wanted.
    fn check_parallelism(&self) {
        let Some(job) = self.store.job.as_ref().filter(|job| job.status.finished().is_none()) else { return };
        // A work queue's Pods are left alone from its first success on.
        let winds_down = job.spec.completions.is_none() && job.status.succeeded > 0;
        let digester = PodDigester::new(job);
        let facts = self.store.pods.values().map(|pod| digester.digest(pod));
        let active = facts.filter(|pod| pod.claim == Claim::Owned && pod.is_active()).count();
        let wanted = job.spec.parallelism.unwrap_or(1) as usize;
        assert!(
            active <= wanted || winds_down || job.metadata.is_deleting(),
            "{active} Pods run, {wanted} are wanted"
        );
    }

    fn check_end(&self) {
        let Some(job) = &self.store.job else {
            let left = self.store.owned_pods();
            assert!(left.is_empty(), "Pods outlive the Job: {left:?}");
            return;
        };
        let (spec, status) = (&job.spec, &job.status);
        assert!(
            status.finished().is_some(),
            "the Job does not come to its end: {spec:?} {status:?} memory {:?} due {:?} now {:?} pods {:#?}",
            self.controller.memory,
            self.controller.due,
            self.store.now,
            self.store.pods.values().collect::<Vec<_>>()
        );
        self.store.ledger.check_end(job);
        self.store.ledger.check_total(status, spec.is_indexed());
    }
}
