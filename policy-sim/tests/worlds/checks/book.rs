//! The books of one Job.

use super::sync::SyncBook;
use super::{Check, Checked, Fate, PodSeen, ensure};
use policy_core::job::Intervals;
use policy_core::spec::{Job, JobSpec, JobStatus, condition};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// What has gone wrong so far and may excuse Pods that nobody accounts for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Excuses {
    /// An answer was lost, so a Pod may be there that the controller believes was refused.
    pub(crate) answer_lost: bool,
    /// An event was lost, so a Pod may be there that the cache never shows.
    pub(crate) event_lost: bool,
    /// The controllers' clock was set, so what they write may lie before what they wrote.
    pub(crate) clock_set: bool,
    /// Syncs do not wait until own writes are seen, as before `StaleControllerConsistencyJob`: a sync may be shown a
    /// status that is older than the Pods.
    pub(crate) own_writes_unseen: bool,
}

/// What is known of one Job.
#[derive(Clone, Debug)]
pub(crate) struct JobBook {
    /// As it was committed last.
    pub(crate) job: Arc<Job>,
    pub(crate) gone: bool,
    /// UIDs ever listed as succeeded.
    pub(super) listed_succeeded: BTreeSet<String>,
    /// UIDs ever listed as failed.
    pub(super) listed_failed: BTreeSet<String>,
    /// UIDs of Pods whose finalizer a sync has asked to remove.
    pub(super) stripped: BTreeSet<Arc<str>>,
    /// UIDs of Pods that were gone when their finalizer was to be removed. Upstream awaits nothing of such a Pod any
    /// more, so it is counted again while the cache still shows it.
    pub(super) forgotten: BTreeSet<Arc<str>>,
    /// UIDs of the Job's Pods that ever succeeded, and their indexes.
    pub(super) succeeded_pods: BTreeSet<Arc<str>>,
    pub(super) succeeded_indexes: BTreeSet<i64>,
    /// Indexes recorded as done and not scaled away since.
    pub(super) done: BTreeSet<i64>,
    pub(super) sync: Option<SyncBook>,
    /// Whether the API server has refused a status for a reason that stays: such a Job never ends.
    pub(crate) stuck: bool,
    /// Whether the Job was ever made smaller.
    pub(super) scaled: bool,
}

pub(super) fn indexes(text: &str) -> BTreeSet<i64> {
    let intervals = Intervals::parse(text, 1 << 30);
    intervals.as_slice().iter().flat_map(|interval| interval.first..=interval.last).collect()
}

pub(super) fn has(status: &JobStatus, kind: &str) -> bool {
    status.condition(kind).is_some_and(policy_core::spec::Condition::is_true)
}

/// Whether the status says that the Job fails or has failed.
pub(super) fn fails(status: &JobStatus) -> bool {
    has(status, condition::FAILURE_TARGET) || has(status, condition::FAILED)
}

/// Whether the status says that the Job ends or has ended, either way.
pub(super) fn ends(status: &JobStatus) -> bool {
    fails(status) || has(status, condition::SUCCESS_CRITERIA_MET) || has(status, condition::COMPLETE)
}

pub(super) fn managed_elsewhere(spec: &JobSpec) -> bool {
    spec.managed_by.as_deref().is_some_and(|by| by != "kubernetes.io/job-controller")
}

/// What the failure policy says of a Pod that failed; the policies of these worlds look at exit codes and
/// DisruptionTarget only.
pub(super) fn action<'s>(pod: &PodSeen, spec: &'s JobSpec) -> Option<&'s str> {
    let rules = &spec.pod_failure_policy.as_ref()?.rules;
    let code = pod.exit_code.filter(|code| *code != 0);
    let rule = rules.iter().find(|rule| match (&rule.on_exit_codes, &rule.on_pod_conditions) {
        (Some(codes), _) => code.is_some_and(|code| codes.values.contains(&code) == (codes.operator == "In")),
        (None, Some(_)) => pod.disrupted,
        (None, None) => false,
    });
    rule.map(|rule| rule.action.as_str())
}

/// Whether the failure policy surely says this of a Pod: when it had just failed and now, after something may have marked
/// it as disrupted.
pub(super) fn acts(pod: &PodSeen, spec: &JobSpec, wanted: &str) -> bool {
    let earlier = PodSeen { disrupted: pod.disrupted_at_end, ..pod.clone() };
    action(pod, spec) == Some(wanted) && action(&earlier, spec) == Some(wanted)
}

impl JobBook {
    pub(super) fn new(job: Arc<Job>) -> Self {
        JobBook {
            job,
            gone: false,
            listed_succeeded: BTreeSet::new(),
            listed_failed: BTreeSet::new(),
            stripped: BTreeSet::new(),
            forgotten: BTreeSet::new(),
            succeeded_pods: BTreeSet::new(),
            succeeded_indexes: BTreeSet::new(),
            done: BTreeSet::new(),
            sync: None,
            stuck: false,
            scaled: false,
        }
    }

    pub(super) fn uid(&self) -> &str {
        &self.job.metadata.uid
    }

    pub(super) fn is_listed(&self, uid: &str) -> bool {
        self.listed_succeeded.contains(uid) || self.listed_failed.contains(uid)
    }

    pub(super) fn pods<'p>(
        &self,
        pods: &'p BTreeMap<Arc<str>, PodSeen>,
    ) -> impl Iterator<Item = &'p PodSeen> {
        let uid = self.uid().to_owned();
        pods.values().filter(move |pod| pod.is_of(&uid))
    }

    /// A newer version of the Job.
    pub(super) fn job_changed(&mut self, job: Arc<Job>, pods: &BTreeMap<Arc<str>, PodSeen>) -> Checked {
        let old = std::mem::replace(&mut self.job, job);
        let new = self.job.clone();
        if let Some(completions) = new.spec.completions {
            self.scaled |= old.spec.completions.is_some_and(|before| completions < before);
            self.done.retain(|index| *index < i64::from(completions));
        }
        if old.status != new.status {
            self.status_written(&old, &new, pods)?;
        }
        Ok(())
    }

    /// A Pod is new that the Job controls.
    pub(super) fn pod_created(
        &mut self,
        pod: &PodSeen,
        pods: &BTreeMap<Arc<str>, PodSeen>,
        excuses: &Excuses,
    ) -> Checked {
        let index = pod.index.unwrap_or(-1);
        let stale = self.sync.as_ref().is_some_and(|sync| sync.stale);
        ensure(stale || !self.done.contains(&index), Check::IndexRunAgain, || {
            format!("{} is created for index {index}, which is done: {:?}", pod.uid, self.job.status)
        })?;
        let Some(mut sync) = self.sync.take() else { return Ok(()) };
        sync.created.insert(pod.uid.clone());
        let active: Vec<&PodSeen> = self.pods(pods).filter(|pod| pod.is_active()).collect();
        let is_known = |pod: &&&PodSeen| sync.created.contains(&pod.uid) || sync.shows(&pod.uid);
        let known = active.iter().filter(is_known).count();
        let room = usize::try_from(sync.parallelism).unwrap_or(0);
        let excused = excuses.answer_lost || excuses.event_lost;
        let holds = stale || known <= room && (active.len() <= room || excused);
        self.sync = Some(sync);
        ensure(holds, Check::Parallelism, || {
            format!(
                "{} Pods are active, {known} of them known to the sync, with room for {room}",
                active.len()
            )
        })
    }

    /// A Pod of the Job has changed.
    pub(super) fn pod_changed(&mut self, pod: &PodSeen) -> Checked {
        if pod.fate == Fate::Succeeded {
            self.succeeded_pods.insert(pod.uid.clone());
            self.succeeded_indexes.extend(pod.index);
        }
        let lost = !pod.tracked && pod.fate != Fate::Alive && !self.is_listed(&pod.uid);
        let cared_for = !self.gone
            && self.job.status.finished().is_none()
            && !self.job.metadata.is_deleting()
            && !managed_elsewhere(&self.job.spec);
        // Pods that refer to the Job without being controlled by it are adopted untracked; worlds have none.
        ensure(!(lost && cared_for) || self.stripped.contains(&pod.uid), Check::CountedNever, || {
            format!("{} has lost its finalizer, and no sync of the Job has asked for it", pod.uid)
        })
    }

    pub(super) fn feed(&self, hasher: &mut impl Hasher) {
        (&self.listed_succeeded, &self.listed_failed, &self.stripped, &self.forgotten).hash(hasher);
        (&self.succeeded_pods, &self.done, self.sync.is_some()).hash(hasher);
    }

    pub(super) fn controller_died(&mut self) {
        self.sync = None;
    }
}
