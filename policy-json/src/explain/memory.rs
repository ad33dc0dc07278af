//! What only the running controller knows: what can be inferred of it, and what would be otherwise.

use super::pods::AllCounted;
use policy_core::job::{Action, Claim, Intervals, JobView, Phase, Plan, PodFacts, decide};
use policy_core::spec::Job;
use policy_core::{BackoffRecord, Expectations, JobMemory, Timestamp};
use serde::Serialize;
use std::collections::BTreeSet;

/// Something that was worked out from traces.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inferred {
    /// What.
    pub what: &'static str,
    /// Its value.
    pub value: String,
    /// From what.
    pub how: String,
}

/// Something that cannot be known from a listing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unknown {
    /// What.
    pub what: &'static str,
    /// What was taken for it.
    pub assumed: String,
    /// How the answer would differ if it were otherwise; absent when it would not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<String>,
}

/// What the back-off record is called.
const BACKOFF_RECORD: &str = "back-off record";

/// The controller's memory as far as it can be told.
pub(super) struct Memory {
    pub(super) memory: JobMemory,
    pub(super) inferred: Vec<Inferred>,
    pub(super) all_counted: AllCounted,
    alternatives: Vec<Alternative>,
}

/// Another memory that the controller may have.
struct Alternative {
    what: &'static str,
    assumed: String,
    /// In which case it has that memory.
    case: String,
    memory: JobMemory,
}

/// Ended Pods that the status has counted.
#[derive(Default)]
struct Counted {
    succeeded: usize,
    failed: usize,
    ignored: usize,
    record: BackoffRecord,
}

impl Counted {
    fn of(job: &Job, pods: &[PodFacts]) -> Self {
        let lists = job.status.uncounted_terminated_pods.clone().unwrap_or_default();
        let listed: BTreeSet<&str> = lists.succeeded.iter().chain(lists.failed.iter()).collect();
        let only_failed = job.spec.only_replaces_failed_pods();
        let mut counted = Counted::default();
        let mut last_success = None;
        let mut failures = Vec::new();
        for pod in pods.iter().filter(|pod| pod.claim == Claim::Owned) {
            if pod.has_finalizer && !listed.contains(pod.pod.uid()) {
                continue;
            }
            let settled = usize::from(!pod.has_finalizer);
            if pod.phase == Phase::Succeeded {
                counted.succeeded += settled;
                last_success = last_success.max(Some(pod.finished_at));
            } else if pod.is_failed(only_failed) {
                let ignored = pod.policy_match.as_ref().is_some_and(|found| found.action == Action::Ignore);
                *(if ignored { &mut counted.ignored } else { &mut counted.failed }) += settled;
                failures.push(pod.finished_at);
            }
        }
        failures.retain(|failed_at| last_success.is_none_or(|success| *failed_at > success));
        counted.record = BackoffRecord {
            failures_after_last_success: i32::try_from(failures.len()).unwrap_or(i32::MAX),
            last_failure_time: failures.into_iter().max(),
        };
        counted
    }
}

impl Memory {
    /// Infers from the Pods and the status.
    pub(super) fn infer(job: &Job, pods: &[PodFacts], now: Timestamp) -> Self {
        let counted = Counted::of(job, pods);
        let fits =
            |there: usize, counted: i32| i64::try_from(there).is_ok_and(|there| there <= counted.into());
        let mut memory = Memory {
            memory: JobMemory::default(),
            inferred: Vec::new(),
            all_counted: AllCounted {
                succeeded: fits(counted.succeeded, job.status.succeeded),
                failed: fits(counted.failed, job.status.failed),
            },
            alternatives: Vec::new(),
        };
        let failed_gone = memory.infer_deleted(job, pods, &counted);
        if job.status.finished().is_some() {
            return memory;
        }
        if job.spec.backoff_limit_per_index.is_none() {
            memory.infer_backoff(&counted, failed_gone, now);
        }
        memory.add_unknowns(job, pods, now);
        memory
    }

    /// Takes what is known for what was inferred.
    pub(super) fn know(&mut self, memory: &JobMemory) {
        self.memory = memory.clone();
        self.alternatives.clear();
        self.inferred.retain(|inferred| inferred.what != BACKOFF_RECORD);
    }

    /// Pods that the status counts and that are not there any more; returns how many of them failed.
    fn infer_deleted(&mut self, job: &Job, pods: &[PodFacts], counted: &Counted) -> usize {
        let bound = i64::from(job.spec.completions.unwrap_or(0));
        let status = &job.status;
        let present = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let mut succeeded = i64::from(status.succeeded) - present(counted.succeeded);
        if job.spec.is_indexed() {
            let done = Intervals::parse(&status.completed_indexes, bound);
            let there: BTreeSet<i64> = pods
                .iter()
                .filter(|pod| pod.phase == Phase::Succeeded && done.has(pod.index))
                .map(|pod| pod.index)
                .collect();
            succeeded = done.total() - present(there.len());
        }
        let failed = i64::from(status.failed) - present(counted.failed);
        let (succeeded, failed) = (succeeded.max(0), failed.max(0));
        if succeeded + failed > 0 {
            self.inferred.push(Inferred {
                what: "Pods deleted since they were counted",
                value: format!("{succeeded} succeeded, {failed} failed"),
                how: "the status counts more Pods than are there".to_owned(),
            });
        }
        usize::try_from(failed).unwrap_or(usize::MAX)
    }

    fn infer_backoff(&mut self, counted: &Counted, failed_gone: usize, now: Timestamp) {
        let record = &counted.record;
        let failures = record.failures_after_last_success;
        if let (1.., Some(last)) = (failures, record.last_failure_time) {
            self.memory.backoff = Some(record.clone());
            self.inferred.push(Inferred {
                what: BACKOFF_RECORD,
                value: format!("failures after the last success: {failures}, the last at {last}"),
                how: "from the ended Pods that are still there and counted".to_owned(),
            });
            self.alternatives.push(Alternative {
                what: BACKOFF_RECORD,
                assumed: "as inferred".to_owned(),
                case: "if the controller was restarted since, it has forgotten these failures".to_owned(),
                memory: JobMemory::default(),
            });
        }
        if failed_gone > 0 {
            let gone = i32::try_from(failed_gone).unwrap_or(i32::MAX);
            let longer = BackoffRecord {
                failures_after_last_success: failures.saturating_add(gone),
                last_failure_time: record.last_failure_time.or(Some(now)),
            };
            self.alternatives.push(Alternative {
                what: "failures of Pods that are gone",
                assumed: "before the last success, or forgotten".to_owned(),
                case: format!("if the controller remembers {gone} more failures"),
                memory: JobMemory { backoff: Some(longer), ..JobMemory::default() },
            });
        }
    }

    fn add_unknowns(&mut self, job: &Job, pods: &[PodFacts], now: Timestamp) {
        let awaited = Expectations { creations: 1, deletions: 0, since: Some(now) };
        self.alternatives.push(Alternative {
            what: "expectations",
            assumed: "met".to_owned(),
            case: "if the controller still waits to see Pods that it has just created or deleted".to_owned(),
            memory: JobMemory { expectations: awaited, ..self.memory.clone() },
        });
        let lists = job.status.uncounted_terminated_pods.as_ref();
        let is_listed = |uid: &str| {
            lists.is_some_and(|lists| lists.succeeded.contains(uid) || lists.failed.contains(uid))
        };
        let removals: BTreeSet<_> = pods
            .iter()
            .filter(|pod| pod.has_finalizer && is_listed(pod.pod.uid()))
            .map(|pod| pod.pod.uid().into())
            .collect();
        if !removals.is_empty() {
            self.alternatives.push(Alternative {
                what: "finalizer removals under way",
                assumed: "none".to_owned(),
                case: format!("if the finalizers of {} recorded Pods are being removed", removals.len()),
                memory: JobMemory { finalizers_being_removed: removals, ..self.memory.clone() },
            });
        }
    }

    /// What is unknown, and what each would change in `plan`.
    pub(super) fn unknowns(&self, view: JobView<'_>, plan: &Plan, now: Timestamp) -> Vec<Unknown> {
        self.alternatives
            .iter()
            .map(|other| {
                let otherwise = difference(plan, &decide(view, &other.memory, now, &mut ()));
                let otherwise = otherwise.map(|difference| format!("{}: {difference}", other.case));
                Unknown { what: other.what, assumed: other.assumed.clone(), otherwise }
            })
            .collect()
    }
}

/// How another plan differs, in words.
fn difference(plan: &Plan, other: &Plan) -> Option<String> {
    let mut parts = Vec::new();
    let mut compare = |verb: &str, ours: usize, theirs: usize, what: &str| {
        if ours != theirs {
            parts.push(format!("{verb} {} instead of {ours}", super::count_of(theirs, what)));
        }
    };
    compare("create", plan.create.len(), other.create.len(), "Pod");
    compare("delete", plan.delete.len(), other.delete.len(), "Pod");
    compare("remove", plan.remove_finalizer.len(), other.remove_finalizer.len(), "finalizer");
    compare("make", plan.status_updates.len(), other.status_updates.len(), "status write");
    if plan.end.verdict != other.end.verdict {
        parts.push("the Job ends otherwise".to_owned());
    }
    if plan.end.wake.at != other.end.wake.at {
        let when = |at: Option<Timestamp>| at.map_or("no set time".to_owned(), |at| at.to_string());
        parts.push(format!(
            "look again at {} instead of {}",
            when(other.end.wake.at),
            when(plan.end.wake.at)
        ));
    }
    if parts.is_empty() && plan.status_updates.last() != other.status_updates.last() {
        parts.push("the status differs".to_owned());
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}
