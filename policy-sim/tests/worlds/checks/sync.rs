//! What must hold of one sync: its calls follow from what it was shown.

use super::book::{Excuses, JobBook, action, acts, ends, has, indexes, managed_elsewhere};
use super::status::check_succession;
use super::{Check, Checked, Fate, PodSeen, ViewedPod, ensure};
use policy_core::job::{Call, Finished, JobVerdict, JobView, PodCreate};
use policy_core::spec::{JobStatus, condition};
use policy_core::step::{CallErrorKind, Outcome, Wave};
use policy_core::{NANOS_PER_SECOND, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

type Pods = BTreeMap<Arc<str>, PodSeen>;

/// A sync under way: what it was shown and what it has asked for.
#[derive(Clone, Debug)]
pub(crate) struct SyncBook {
    pub(super) parallelism: i32,
    completions: Option<i32>,
    suspended: bool,
    deleting: bool,
    ending: bool,
    failed: i32,
    succeeded: i32,
    done: BTreeSet<i64>,
    failed_indexes: BTreeSet<i64>,
    start_time: Option<Timestamp>,
    deadline: Option<i64>,
    pub(super) pods: Vec<ViewedPod>,
    satisfied: bool,
    shown: JobStatus,
    first_backoff_nanos: i64,
    /// How many Pods a sync may delete.
    cap: usize,
    /// Whether it was shown an older status than the last, with nothing to keep it from deciding on it.
    pub(super) stale: bool,
    /// When it began, and when it was answered last, by the controllers' clock.
    began: Timestamp,
    now: Timestamp,
    /// UIDs of Pods that came to be while it was under way.
    pub(super) created: BTreeSet<Arc<str>>,
    creates: BTreeSet<i64>,
    create_count: i32,
    deletes: BTreeSet<Arc<str>>,
    /// Pods that lose their finalizer uncounted, to be deleted.
    to_be_deleted: BTreeSet<Arc<str>>,
    calls: Vec<Call>,
    any_failed: bool,
    any_not_found: bool,
}

impl SyncBook {
    pub(super) fn shows(&self, uid: &str) -> bool {
        self.pods.iter().any(|pod| &*pod.uid == uid)
    }

    fn active(&self) -> impl Iterator<Item = &ViewedPod> {
        self.pods.iter().filter(|pod| pod.claimed && pod.is_active())
    }
}

impl JobBook {
    pub(super) fn sync_begins(
        &mut self,
        view: JobView<'_>,
        satisfied: bool,
        now: Timestamp,
        excuses: &Excuses,
    ) {
        let (spec, status) = (&view.job.spec, &view.job.status);
        let deleting = view.job.metadata.is_deleting();
        let viewed: Vec<ViewedPod> = view.pods.iter().map(|facts| ViewedPod::new(facts, deleting)).collect();
        let listed = status.uncounted_terminated_pods.as_ref();
        let is_new = |pod: &&ViewedPod| pod.claimed && pod.tracked && pod.fate == Fate::Succeeded;
        let new_indexes = viewed.iter().filter(is_new).map(|pod| pod.index);
        let done: BTreeSet<i64> = indexes(&status.completed_indexes).into_iter().chain(new_indexes).collect();
        let new = viewed.iter().filter(is_new).filter(|pod| !self.is_listed(&pod.uid)).count();
        let uncounted = listed.map_or(0, |lists| lists.succeeded.len());
        let unseen = excuses.own_writes_unseen || excuses.event_lost || excuses.answer_lost;
        let stale = unseen && *status != self.job.status;
        self.sync = Some(SyncBook {
            parallelism: spec.parallelism.unwrap_or(1),
            completions: spec.completions,
            suspended: spec.is_suspended(),
            deleting,
            ending: ends(status),
            failed: status.failed,
            succeeded: status.succeeded + (uncounted + new) as i32,
            done,
            failed_indexes: indexes(status.failed_indexes.as_deref().unwrap_or_default()),
            start_time: status.start_time,
            deadline: spec.active_deadline_seconds,
            pods: viewed,
            satisfied,
            shown: status.clone(),
            first_backoff_nanos: view.settings.pod_failure_backoff_nanos,
            cap: view.settings.max_pod_create_delete_per_sync as usize,
            stale,
            began: now,
            now,
            created: BTreeSet::new(),
            creates: BTreeSet::new(),
            create_count: 0,
            deletes: BTreeSet::new(),
            to_be_deleted: BTreeSet::new(),
            calls: Vec::new(),
            any_failed: false,
            any_not_found: false,
        });
    }

    pub(super) fn wave(&mut self, wave: &Wave<Call>, pods: &Pods) -> Checked {
        let Some(mut sync) = self.sync.take() else { return Ok(()) };
        sync.calls.clone_from(&wave.calls);
        let checked = wave.calls.iter().try_for_each(|call| match call {
            Call::CreatePod(create) => self.check_create(&mut sync, create, pods),
            Call::RemoveFinalizer(pod) => self.check_removal(&mut sync, &pod.uid().into(), pods),
            Call::DeletePod(pod) => {
                sync.deletes.insert(pod.uid().into());
                ensure(sync.active().any(|seen| &*seen.uid == pod.uid()), Check::Ownership, || {
                    format!("{} is deleted and is none of the Job's active Pods", pod.uid())
                })
            }
            // Upstream's own writes over an older status are refused for their version; these are not.
            Call::WriteStatus(status) if sync.shown == self.job.status => {
                check_succession(self.job.spec.is_indexed(), &sync.shown, status)
            }
            _ => Ok(()),
        });
        self.sync = Some(sync);
        checked
    }

    fn check_create(&self, sync: &mut SyncBook, create: &PodCreate, pods: &Pods) -> Checked {
        let spec = &self.job.spec;
        ensure(!sync.suspended && !sync.deleting, Check::SuspendedRuns, || {
            "a suspended Job creates a Pod".into()
        })?;
        ensure(!sync.ending, Check::CauseIgnored, || "a Job that ends creates a Pod".into())?;
        ensure(sync.satisfied, Check::Parallelism, || {
            "a Pod is created before the last ones were seen".into()
        })?;
        sync.create_count += 1;
        let active = sync.active().count() as i32 + sync.create_count;
        ensure(active <= sync.parallelism, Check::Parallelism, || {
            format!("{active} Pods would be active, parallelism is {}", sync.parallelism)
        })?;
        let enough = sync.completions.is_some_and(|completions| active + sync.succeeded > completions);
        ensure(!enough || spec.is_indexed(), Check::Parallelism, || {
            format!(
                "{active} Pods would be active, {} have succeeded of {:?}",
                sync.succeeded, sync.completions
            )
        })?;
        let limit = spec.backoff_limit.filter(|_| spec.backoff_limit_per_index.is_none());
        ensure(limit.is_none_or(|limit| sync.failed <= limit), Check::Backoff, || {
            format!("{} have failed, the limit is {limit:?}, and a Pod is created", sync.failed)
        })?;
        if spec.backoff_limit_per_index.is_none() {
            self.check_delay(sync, pods)?;
        }
        match create.index {
            Some(index) => self.check_index(sync, index, pods),
            None => {
                ensure(!spec.is_indexed(), Check::IndexChoice, || "a Pod without an index is created".into())
            }
        }
    }

    /// At least the first back-off has passed since failures that nobody has counted yet.
    fn check_delay(&self, sync: &SyncBook, pods: &Pods) -> Checked {
        let is_new = |pod: &&ViewedPod| {
            pod.claimed
                && pod.tracked
                && !self.is_listed(&pod.uid)
                && pods.get(&pod.uid).is_some_and(|pod| pod.tracked)
        };
        let new = || sync.pods.iter().filter(is_new);
        if new().any(|pod| pod.fate == Fate::Succeeded) {
            return Ok(());
        }
        let bound = self.job.spec.completions.filter(|_| self.job.spec.is_indexed()).map(i64::from);
        let counts = |pod: &&ViewedPod| bound.is_none_or(|bound| (0..bound).contains(&pod.index));
        let last =
            new().filter(counts).filter(|pod| pod.fate == Fate::Failed).map(|pod| pod.finished_at).max();
        let passed = last.map(|last| sync.now.nanos_since(last));
        ensure(passed.is_none_or(|nanos| nanos >= sync.first_backoff_nanos), Check::Backoff, || {
            format!("a Pod is created {passed:?} ns after a failure")
        })
    }

    fn check_index(&self, sync: &mut SyncBook, index: i64, pods: &Pods) -> Checked {
        let spec = &self.job.spec;
        ensure(!sync.done.contains(&index), Check::IndexRunAgain, || {
            format!("index {index} is done and created again")
        })?;
        let bound = i64::from(sync.completions.unwrap_or(0));
        let taken: BTreeSet<i64> =
            sync.active().map(|pod| pod.index).chain(sync.creates.iter().copied()).collect();
        let free = |index: i64| !taken.contains(&index) && !sync.failed_indexes.contains(&index);
        ensure(free(index) && (0..bound).contains(&index), Check::IndexChoice, || {
            format!(
                "index {index} of {bound} is created; taken are {taken:?} and failed {:?}",
                sync.failed_indexes
            )
        })?;
        if let Some(limit) = spec.backoff_limit_per_index {
            let mine = |pod: &&PodSeen| pod.index == Some(index) && self.listed_failed.contains(&*pod.uid);
            let failed = self.pods(pods).filter(mine).count() as i64;
            // A Pod that is deleted uncounted takes along what it knew of its index's failures.
            let lost = |pod: &PodSeen| pod.index == Some(index) && !pod.tracked && !self.is_listed(&pod.uid);
            let forgotten = self.pods(pods).any(lost);
            ensure(sync.stale || forgotten || failed <= i64::from(limit), Check::Backoff, || {
                format!("index {index} has failed {failed} times and is created again, the limit is {limit}")
            })?;
        } else {
            let terminating = |index: i64| {
                let mine = |pod: &ViewedPod| pod.index == index && pod.fate == Fate::Alive && pod.deleting;
                spec.only_replaces_failed_pods() && sync.pods.iter().any(mine)
            };
            let lower =
                (0..index).find(|lower| free(*lower) && !sync.done.contains(lower) && !terminating(*lower));
            ensure(lower.is_none(), Check::IndexChoice, || {
                format!("index {index} is created before {lower:?}")
            })?;
        }
        sync.creates.insert(index);
        Ok(())
    }

    /// A finalizer goes when its Pod is counted, or will not be.
    fn check_removal(&mut self, sync: &mut SyncBook, uid: &Arc<str>, pods: &Pods) -> Checked {
        self.stripped.insert(uid.clone());
        let Some(seen) = sync.pods.iter().find(|seen| seen.uid == *uid) else {
            return ensure(false, Check::Ownership, || format!("{uid} is not shown and loses its finalizer"));
        };
        let (spec, pod) = (&self.job.spec, pods.get(uid));
        let bound = i64::from(sync.completions.unwrap_or(0));
        let uncountable = spec.is_indexed() && !(0..bound).contains(&seen.index);
        if self.is_listed(uid) || sync.deleting || uncountable {
            return Ok(());
        }
        let counted = match seen.fate {
            // Scaling may have clipped the index since.
            Fate::Succeeded => {
                spec.is_indexed()
                    && (self.done.contains(&seen.index) || sync.scaled(spec.completions, seen.index))
            }
            Fate::Alive | Fate::Failed if pod.is_some_and(|pod| action(pod, spec) == Some("Ignore")) => true,
            Fate::Failed => false,
            Fate::Alive => {
                if !seen.deleting {
                    sync.to_be_deleted.insert(uid.clone());
                }
                !seen.deleting || has(&self.job.status, condition::SUCCESS_CRITERIA_MET)
            }
        };
        ensure(counted, Check::CountedNever, || {
            format!("{uid} loses its finalizer uncounted: {seen:?} {:?}", self.job.status)
        })
    }

    pub(super) fn answered(
        &mut self,
        outcomes: &[Outcome],
        now: Timestamp,
        pods: &Pods,
        excuses: &Excuses,
    ) -> Checked {
        let Some(mut sync) = self.sync.take() else { return Ok(()) };
        sync.now = now;
        let mut checked = Ok(());
        let calls = std::mem::take(&mut sync.calls);
        for (call, outcome) in calls.iter().zip(outcomes) {
            let Some(error) = outcome.error() else { continue };
            sync.any_failed = true;
            let not_found = error.kind == CallErrorKind::NotFound;
            sync.any_not_found |= not_found;
            if let Call::RemoveFinalizer(pod) = call
                && not_found
            {
                self.forgotten.insert(pod.uid().into());
            }
            if let Call::Adopt(pod) = call {
                sync.pods
                    .iter_mut()
                    .filter(|seen| &*seen.uid == pod.uid())
                    .for_each(|seen| seen.claimed = false);
            }
            if let Call::WriteStatus(status) = call
                && error.message.contains("is invalid")
            {
                self.stuck |= ["overlap", "cannot decrease the succeeded counter"]
                    .iter()
                    .any(|why| error.message.contains(why));
                checked = checked.and(ensure(
                    self.may_refuse(&sync, status, &error.message, pods, excuses),
                    Check::StatusRefused,
                    || format!("{}: {call:?}", error.message),
                ));
            }
        }
        self.sync = Some(sync);
        checked
    }

    /// Statuses that upstream writes and its own API server refuses.
    fn may_refuse(
        &self,
        sync: &SyncBook,
        status: &JobStatus,
        why: &str,
        pods: &Pods,
        excuses: &Excuses,
    ) -> bool {
        let started_later = excuses.clock_set && why.contains("must be equal to or after `startTime`");
        let not_started =
            (sync.suspended || self.job.spec.is_suspended()) && why.contains("startTime is required");
        // An index with two Pods may succeed and fail, and so may one whose Pod counts as failed while it is being deleted
        // and then succeeds. A Job that was made smaller may only drop indexes while completions equal parallelism. A Pod that is gone when its finalizer is to go still counts as ready.
        let done = indexes(&status.completed_indexes);
        let failed = indexes(status.failed_indexes.as_deref().unwrap_or_default());
        let may_do_both = |index: &i64| {
            let mine = pods.values().filter(|pod| pod.index == Some(*index));
            let deleting: Vec<bool> = mine.map(|pod| pod.deleting).collect();
            deleting.len() > 1 || deleting.contains(&true)
        };
        let resized = self.scaled && why.contains("cannot decrease the succeeded counter");
        let unready = sync.any_not_found && why.contains("cannot set more ready pods than active");
        started_later
            || unready
            || resized
            || not_started
            || why.contains("overlap") && done.intersection(&failed).all(may_do_both)
    }

    pub(super) fn sync_ends(&mut self, finished: &Finished, pods: &Pods) -> Checked {
        let Some(sync) = self.sync.take() else { return Ok(()) };
        let decided =
            matches!(finished.verdict, JobVerdict::Continues | JobVerdict::Completed | JobVerdict::Failed);
        if !decided
            || finished.error.is_some()
            || sync.any_failed
            || !sync.satisfied
            || sync.stale
            || sync.deleting
            || self.gone
        {
            return Ok(());
        }
        let undeleted = sync.to_be_deleted.difference(&sync.deletes).next();
        ensure(undeleted.is_none(), Check::CountedNever, || {
            format!("{undeleted:?} has lost its finalizer, is not counted and goes on")
        })?;
        let still = |seen: &&ViewedPod| {
            pods.get(&seen.uid).is_some_and(|pod| pod.is_active() && pod.is_of(self.uid()))
        };
        let left = sync.active().filter(still).count() as i32;
        let ending = ends(&self.job.status);
        ensure(left == 0 || !sync.suspended, Check::SuspendedRuns, || {
            format!("{left} Pods run on while suspended")
        })?;
        ensure(left == 0 || !ending, Check::CauseIgnored, || {
            format!("{left} Pods run on when the Job ends")
        })?;
        let winds_down =
            sync.completions.is_none() && (sync.succeeded > 0 || !self.listed_succeeded.is_empty());
        let capped = sync.deletes.len() >= sync.cap;
        ensure(left <= sync.parallelism || winds_down || capped, Check::Parallelism, || {
            format!("{left} Pods run on, parallelism is {}", sync.parallelism)
        })?;
        ensure(
            ending || managed_elsewhere(&self.job.spec) || !self.should_end(&sync, pods),
            Check::CauseIgnored,
            || {
                format!(
                    "there is cause to end the Job and it goes on: {:?} {:?}",
                    self.job.spec, self.job.status
                )
            },
        )
    }

    /// Whether what the sync was shown ends the Job.
    fn should_end(&self, sync: &SyncBook, pods: &Pods) -> bool {
        let (spec, status) = (&self.job.spec, &self.job.status);
        let failed = sync.failed
            + status.uncounted_terminated_pods.as_ref().map_or(0, |lists| lists.failed.len() as i32);
        let limit = spec.backoff_limit.filter(|_| spec.backoff_limit_per_index.is_none());
        let fail_job = |seen: &ViewedPod| {
            let pod = pods.get(&seen.uid);
            seen.claimed && seen.fate == Fate::Failed && pod.is_some_and(|pod| acts(pod, spec, "FailJob"))
        };
        let deadline = sync.deadline.zip(sync.start_time).is_some_and(|(seconds, start)| {
            !sync.suspended && sync.began.nanos_since(start) >= seconds * NANOS_PER_SECOND
        });
        limit.is_some_and(|limit| failed > limit) || sync.pods.iter().any(fail_job) || deadline
    }
}

impl SyncBook {
    /// Whether the index was within bounds when the sync began and is not any more.
    fn scaled(&self, completions: Option<i32>, index: i64) -> bool {
        completions.is_some_and(|completions| index >= i64::from(completions))
    }
}
