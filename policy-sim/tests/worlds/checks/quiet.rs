//! What must hold when nothing is due any more.

use super::book::{JobBook, has, indexes, managed_elsewhere};
use super::status::lists;
use super::{Check, Checked, Fate, PodSeen, Watcher, ensure};
use policy_core::spec::condition;
use policy_core::{NANOS_PER_SECOND, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

type Pods = BTreeMap<Arc<str>, PodSeen>;

impl Watcher {
    /// No finalizer is left on a Pod that no Job will count.
    pub(super) fn check_pods(&self) -> Checked {
        for pod in self.pods.values().filter(|pod| pod.tracked && !pod.gone) {
            let book =
                pod.controller.as_deref().and_then(|owner| self.jobs.get(owner)).filter(|book| !book.gone);
            let cared_for = book.is_some_and(|book| {
                // Upstream looks for the Pods of a Job that has ended by its selector.
                managed_elsewhere(&book.job.spec)
                    || !pod.selected
                    || book.job.status.finished().is_none()
                        && (pod.fate == Fate::Alive || book.keeps_failed(pod))
            });
            ensure(cared_for, Check::FinalizerLeft, || {
                format!("{pod:?} of {:?}", book.map(|book| &book.job.status))
            })?;
        }
        Ok(())
    }
}

impl JobBook {
    /// With a limit for each index, the last failed Pod of an index keeps its finalizer until it is replaced, for which
    /// there may be no room.
    fn keeps_failed(&self, pod: &PodSeen) -> bool {
        pod.fate == Fate::Failed && self.job.spec.backoff_limit_per_index.is_some()
    }

    /// The Job has ended or rightly waits, and its status says what is there.
    pub(super) fn check_quiet(&self, pods: &Pods, now: Timestamp) -> Checked {
        if managed_elsewhere(&self.job.spec) {
            return ensure(self.stripped.is_empty(), Check::Ownership, || {
                "a Job managed elsewhere is touched".into()
            });
        }
        self.check_totals()?;
        if self.job.status.finished().is_some() {
            let left = self.pods(pods).find(|pod| pod.is_active());
            return ensure(left.is_none(), Check::Parallelism, || format!("{left:?} outlives the Job's end"));
        }
        self.check_ownership(pods)?;
        self.check_waiting(pods, now)?;
        self.check_status(pods)
    }

    /// What was listed is what is counted.
    fn check_totals(&self) -> Checked {
        if !self.forgotten.is_empty() {
            return Ok(());
        }
        let (status, uncounted) = (&self.job.status, lists(&self.job.status));
        let agree = |kind: &str, counted: i32, open: usize, listed: usize| {
            let check =
                if counted as usize + open > listed { Check::CountedTwice } else { Check::CountedNever };
            ensure(counted as usize + open == listed, check, || {
                format!("{counted} are counted as {kind}, {listed} were ever listed: {status:?}")
            })
        };
        agree("failed", status.failed, uncounted.failed.len(), self.listed_failed.len())?;
        if self.job.spec.is_indexed() {
            return Ok(());
        }
        agree("succeeded", status.succeeded, uncounted.succeeded.len(), self.listed_succeeded.len())
    }

    fn check_waiting(&self, pods: &Pods, now: Timestamp) -> Checked {
        let (spec, status) = (&self.job.spec, &self.job.status);
        let active = self.pods(pods).filter(|pod| pod.is_active()).count() as i32;
        if spec.is_suspended() {
            ensure(active == 0, Check::SuspendedRuns, || format!("{active} Pods run while suspended"))?;
        }
        let failed = indexes(status.failed_indexes.as_deref().unwrap_or_default()).len() as i32;
        let done = status.succeeded.saturating_add(failed);
        let open = spec.completions.map_or(i32::MAX, |completions| completions.saturating_sub(done));
        let wanted = if spec.is_suspended() { 0 } else { spec.parallelism.unwrap_or(1).min(open) };
        let winds_down = spec.completions.is_none() && status.succeeded > 0;
        let waits = if winds_down { active > 0 } else { active == wanted && (wanted > 0 || self.may_rest()) };
        ensure(waits, Check::NeverEnds, || {
            format!("{active} Pods are active, {wanted} are wanted, and nothing happens: {spec:?} {status:?}")
        })?;
        let overdue = spec.active_deadline_seconds.zip(status.start_time).is_some_and(|(seconds, start)| {
            !spec.is_suspended() && now.nanos_since(start) > (seconds + 120) * NANOS_PER_SECOND
        });
        ensure(!overdue, Check::NeverEnds, || format!("the deadline has passed: {status:?}"))
    }

    /// Whether a Job may want no Pods and not be over.
    fn may_rest(&self) -> bool {
        self.job.spec.is_suspended() || self.job.spec.parallelism == Some(0)
    }

    fn check_status(&self, pods: &Pods) -> Checked {
        let status = &self.job.status;
        let count = |what: fn(&PodSeen) -> bool| self.pods(pods).filter(|pod| what(pod)).count() as i32;
        let there = (
            count(PodSeen::is_active),
            count(|pod| pod.is_active() && pod.ready),
            count(PodSeen::is_terminating),
        );
        let told = (status.active, status.ready.unwrap_or(0), status.terminating.unwrap_or(0));
        ensure(there == told, Check::StatusStale, || {
            format!("(active, ready, terminating) are {there:?}, the status says {told:?}")
        })?;
        let uncounted = lists(status);
        ensure(uncounted.succeeded.is_empty() && uncounted.failed.is_empty(), Check::StatusStale, || {
            format!("UIDs are left uncounted: {uncounted:?}")
        })?;
        ensure(has(status, condition::SUSPENDED) == self.job.spec.is_suspended(), Check::StatusStale, || {
            format!("Suspended does not follow the spec: {status:?}")
        })
    }

    /// What can be adopted is adopted, what has to be released is released.
    fn check_ownership(&self, pods: &Pods) -> Checked {
        if self.job.metadata.is_deleting() {
            return Ok(());
        }
        let orphan = |pod: &&PodSeen| pod.controller.is_none() && pod.selected && !pod.deleting && !pod.gone;
        let orphan = pods.values().find(orphan);
        ensure(orphan.is_none(), Check::Ownership, || format!("{orphan:?} is not adopted"))?;
        let stranger = self.pods(pods).find(|pod| !pod.selected && !pod.gone && pod.fate == Fate::Alive);
        ensure(stranger.is_none(), Check::Ownership, || format!("{stranger:?} is not released"))
    }
}
