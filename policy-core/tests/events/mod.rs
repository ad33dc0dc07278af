//! Events about the Pods of a Job as chance has them, digested: nothing here is slower than what it tests.

use crate::random::Random;
use policy_core::job::{Action, Cause, Claim, Phase, PodFacts, PodRef, PolicyMatch};
use policy_core::spec::{Condition, Job, JobStatus, UidList, UncountedTerminatedPods};
use policy_core::{BackoffRecord, DigestedEvent, Expectations, JobCache, JobMemory, Settings, Timestamp};
use serde_json::json;
use std::sync::Arc;

/// Seconds into a minute: few, so that Pods tie.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(1_767_225_600 + seconds, 0).unwrap()
}

pub(crate) fn settings(random: &mut Random) -> Settings {
    Settings {
        max_uncounted_pods: random.pick(&[500, 3, 1, 0]),
        max_pod_create_delete_per_sync: random.pick(&[500, 4, 1]),
        ..Settings::DEFAULT
    }
}

pub(crate) fn job(random: &mut Random) -> Job {
    let indexed = random.chance(65);
    let rules = json!([{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}]);
    let job = json!({
        "metadata": {"name": "j", "namespace": "n", "uid": "job"},
        "spec": {
            "completionMode": if indexed { "Indexed" } else { "NonIndexed" },
            "podReplacementPolicy": random.pick(&["Failed", "TerminatingOrFailed"]),
            "podFailurePolicy": random.chance(50).then(|| json!({"rules": rules})),
            "backoffLimitPerIndex": (random.chance(70)).then(|| random.below(3)),
            "maxFailedIndexes": random.chance(20).then(|| random.below(3)),
            "successPolicy": random.chance(10).then(|| json!({"rules": [{"succeededIndexes": "0,2-3"}]})),
            "selector": {},
            "template": {"spec": {"restartPolicy": random.pick(&["OnFailure", "Never", "Never"])}},
        },
    });
    changed(&serde_json::from_value(job).unwrap(), random)
}

/// The Job with another number of Pods, suspended, being deleted, or past its deadline.
pub(crate) fn changed(job: &Job, random: &mut Random) -> Job {
    let mut job = job.clone();
    let spec = &mut job.spec;
    spec.completions = random.chance(85).then(|| random.pick(&[0, 1, 2, 3, 4, 6, 8, -1]));
    spec.parallelism = random.chance(85).then(|| random.below(9) as i32);
    spec.backoff_limit = random.pick(&[None, Some(0), Some(3), Some(100), Some(i32::MAX)]);
    spec.suspend = Some(random.chance(10));
    spec.active_deadline_seconds = random.chance(10).then(|| random.below(20) as i64);
    job.metadata.deletion_timestamp = random.chance(5).then(|| at(1));
    if random.chance(5) {
        spec.pod_replacement_policy = Some(random.pick(&["Failed", "TerminatingOrFailed"]).into());
    }
    job
}

pub(crate) fn status(random: &mut Random) -> JobStatus {
    let mut uids = || (0..random.below(4)).map(|_| format!("u{}", random.below(14))).collect::<UidList>();
    let lists = UncountedTerminatedPods { succeeded: uids(), failed: uids() };
    let indexes = ["", "", "0", "1-3", "0,2,4", "0-2,4-6", "5-9", "3,1", "4-2,0", "x"];
    let mut status = JobStatus {
        active: random.below(4) as i32,
        succeeded: random.below(4) as i32,
        failed: random.pick(&[0, 0, 1, 3, i32::MAX]),
        start_time: random.chance(80).then(|| at(random.below(6) as i64)),
        completed_indexes: random.pick(&indexes).into(),
        failed_indexes: random.chance(60).then(|| random.pick(&indexes).into()),
        uncounted_terminated_pods: random.chance(70).then_some(lists),
        ..JobStatus::default()
    };
    for kind in ["FailureTarget", "SuccessCriteriaMet", "Suspended"] {
        if random.chance(6) {
            let status_text = random.pick(&["True", "False"]);
            status.conditions.push(Condition {
                kind: kind.into(),
                status: status_text.into(),
                reason: "R".into(),
                message: "m".into(),
                ..Condition::default()
            });
        }
    }
    random.shuffle(&mut status.conditions);
    status
}

pub(crate) fn memory(random: &mut Random) -> JobMemory {
    let removed = random.below(4);
    JobMemory {
        backoff: random.chance(50).then(|| BackoffRecord {
            failures_after_last_success: random.below(4) as i32,
            last_failure_time: Some(at(random.below(9) as i64)),
        }),
        expectations: Expectations {
            creations: i64::from(random.chance(8)),
            deletions: 0,
            since: Some(at(0)),
        },
        finalizers_being_removed: (0..removed).map(|_| format!("u{}", random.below(14)).into()).collect(),
        ..JobMemory::default()
    }
}

/// The Pods as a plain list keeps them.
#[derive(Default)]
pub(crate) struct Shown(Vec<PodFacts>);

impl Shown {
    pub(crate) fn list(&self) -> &[PodFacts] {
        &self.0
    }

    fn apply(&mut self, facts: &PodFacts) {
        match self.0.iter_mut().find(|known| known.pod.uid() == facts.pod.uid()) {
            Some(known) => *known = facts.clone(),
            None => self.0.push(facts.clone()),
        }
    }
}

/// Who there may be, and how wild it gets.
pub(crate) struct Pods {
    universe: usize,
    indexes: usize,
    deletions: usize,
    foreign: usize,
}

impl Pods {
    pub(crate) fn new(random: &mut Random) -> Self {
        Pods {
            universe: random.pick(&[3, 8, 14, 14, 40]),
            indexes: random.pick(&[3, 8, 10, 20]),
            deletions: random.pick(&[5, 15, 30]),
            foreign: random.pick(&[0, 0, 0, 2, 10]),
        }
    }

    pub(crate) fn many(universe: usize) -> Self {
        Pods { universe, indexes: 8, deletions: 2, foreign: 0 }
    }

    /// Shows one event, sometimes several, to the cache and to the list.
    pub(crate) fn event(&mut self, random: &mut Random, cache: &mut JobCache, shown: &mut Shown) {
        let count = if random.chance(5) { 6 } else { 1 };
        let events: Vec<DigestedEvent> = (0..count)
            .map(|_| {
                let uid: Arc<str> = format!("u{}", random.below(self.universe)).into();
                if random.chance(self.deletions) {
                    shown.0.retain(|pod| pod.pod.uid() != &*uid);
                    return DigestedEvent::Deleted(uid);
                }
                let known = shown.0.iter().find(|pod| pod.pod.uid() == &*uid).cloned();
                let facts = match known {
                    Some(known) if random.chance(60) => self.next(known, random),
                    _ => self.any(uid, random),
                };
                shown.apply(&facts);
                DigestedEvent::Applied(facts)
            })
            .collect();
        cache.apply_all(events);
    }

    /// What may become of a Pod: a step on its way.
    fn next(&self, mut pod: PodFacts, random: &mut Random) -> PodFacts {
        match random.below(8) {
            0 => pod.ready = !pod.ready,
            1 => pod.has_finalizer = false,
            2 => pod.deleting = true,
            3 => pod.phase = Phase::Succeeded,
            4 => (pod.phase, pod.policy_match) = (Phase::Failed, policy_match(random)),
            5 => pod.restarts = pod.restarts.wrapping_add(1),
            6 => pod.phase = Phase::Running,
            _ => {}
        }
        pod
    }

    fn any(&self, uid: Arc<str>, random: &mut Random) -> PodFacts {
        let phases = [
            Phase::Pending,
            Phase::Running,
            Phase::Running,
            Phase::Running,
            Phase::Succeeded,
            Phase::Failed,
            Phase::Failed,
            Phase::Unknown,
            Phase::Unset,
        ];
        let phase = random.pick(&phases);
        let foreign = random.chance(self.foreign);
        let index = random.below(self.indexes) as i64;
        PodFacts {
            claim: if foreign {
                random.pick(&[Claim::Foreign, Claim::NotSelected, Claim::Orphan])
            } else {
                Claim::Owned
            },
            phase,
            has_finalizer: random.chance(85),
            deleting: random.chance(12),
            ready: random.chance(50),
            assigned: random.chance(80),
            references_job: random.chance(20),
            index: if random.chance(4) { random.pick(&[-1, -1, 90, i64::MAX]) } else { index },
            index_failure_count: random.below(4) as i32,
            index_ignored_failure_count: random.below(2) as i32,
            restarts: random.pick(&[0, 0, 0, 1, 2, i32::MAX]),
            max_restarts: random.pick(&[0, 0, 1]),
            max_sidecar_restarts: random.pick(&[0, 0, 1]),
            finished_at: at(random.below(6) as i64),
            created_at: random.chance(80).then(|| at(random.below(3) as i64)),
            ready_at: random.chance(80).then(|| at(random.below(3) as i64)),
            policy_match: if phase == Phase::Succeeded { None } else { policy_match(random) },
            pod: PodRef::new(&format!("p-{uid}"), &uid),
        }
    }
}

fn policy_match(random: &mut Random) -> Option<Arc<PolicyMatch>> {
    let action = match random.below(30) {
        0 => Action::FailJob,
        1..=3 => Action::FailIndex,
        4..=8 => Action::Ignore,
        9..=10 => Action::Count,
        _ => return None,
    };
    let code = random.below(3) as i32;
    let cause = Cause::ExitCode { container: "main".into(), code };
    Some(Arc::new(PolicyMatch { rule: 0, action, cause }))
}
