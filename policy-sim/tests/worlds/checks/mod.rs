//! Checkers: what must hold of every committed version of every Job and Pod, whoever decides. They keep their own books
//! of what really happened and ask the core nothing but how it writes a list of indexes.

mod book;
mod quiet;
mod seen;
mod status;
mod sync;

pub(crate) use book::{Excuses, JobBook};
pub(crate) use seen::{Fate, PodSeen, ViewedPod};

use policy_core::Timestamp;
use policy_core::job::{Finished, JobView};
use policy_core::spec::Job;
use policy_core::step::{Outcome, Wave};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

macro_rules! checks {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal;)+) => {
        /// A checker by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Check { $($(#[doc = $doc])+ $name,)+ }

        impl fmt::Display for Check {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Check::$name => $text,)+ })
            }
        }
    };
}

checks! {
    /// A Pod's UID is listed as ended once in a Job's life, and counters move by what leaves the lists.
    CountedTwice = "counted-twice";
    /// A Pod that has ended is recorded before its finalizer goes.
    CountedNever = "counted-never";
    /// A Pod is counted as what it really became.
    CountedWrongly = "counted-wrongly";
    /// An index that succeeded is not run again, unless scaling took it off in between.
    IndexRunAgain = "index-run-again";
    /// The lowest free indexes are created, within bounds, none that has failed for good.
    IndexChoice = "index-choice";
    /// What is done stays done: succeeded and completedIndexes shrink by scaling only.
    SucceededDecreases = "succeeded-decreases";
    /// failed and failedIndexes never shrink.
    FailedDecreases = "failed-decreases";
    /// A condition that ends the Job, or says that it will end, stays, and nothing is written after the end.
    EndIsFinal = "end-is-final";
    /// Conditions are unique and in the right order; the end comes with nothing open.
    EndTooEarly = "end-too-early";
    /// A Job ends for a reason that is there.
    EndWithoutCause = "end-without-cause";
    /// A Job whose end has a cause ends.
    CauseIgnored = "cause-ignored";
    /// No Pod of an ended or deleted Job keeps the tracking finalizer.
    FinalizerLeft = "finalizer-left";
    /// Every status has ready ≤ active.
    ReadyExceedsActive = "ready-exceeds-active";
    /// No more Pods are created than the view has room for, and surplus goes at the next satisfied sync.
    Parallelism = "parallelism";
    /// A suspended Job runs nothing.
    SuspendedRuns = "suspended-runs";
    /// Nothing is created before the back-off is over, or beyond its limit.
    Backoff = "backoff";
    /// The start time changes by suspending and resuming only.
    StartTime = "start-time";
    /// In a quiet world the status says what is there.
    StatusStale = "status-stale";
    /// In a quiet world the Job has ended or rightly waits.
    NeverEnds = "never-ends";
    /// Pods that a Job could adopt are adopted, those that it must release are released, others' are left alone.
    Ownership = "ownership";
    /// No status is refused by the API server as not valid.
    StatusRefused = "status-refused";
    /// A CronJob runs each scheduled time once, one at a time if it says so, and keeps as many Jobs as it says.
    CronRuns = "cron-runs";
}

/// What a checker found.
#[derive(Clone, Debug)]
pub(crate) struct Violation {
    pub(crate) check: Check,
    pub(crate) what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.check, self.what)
    }
}

/// The verdict of a checker.
pub(crate) type Checked = Result<(), Violation>;

/// Fails the check unless it holds.
pub(crate) fn ensure(holds: bool, check: Check, what: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(Violation { check, what: what() }) }
}

/// A committed change, in the order of the store.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// A Job is new or has changed.
    Job(Arc<Job>),
    /// A Job is gone.
    JobGone(Arc<Job>),
    /// A Pod is new or has changed.
    Pod(PodSeen),
    /// A Pod is gone.
    PodGone(Arc<str>),
}

/// All books.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watcher {
    pub(crate) pods: BTreeMap<Arc<str>, PodSeen>,
    pub(crate) jobs: BTreeMap<String, JobBook>,
    pub(crate) excuses: Excuses,
    /// How many Pods there ever were.
    pub(crate) pods_ever: u64,
}

impl Watcher {
    /// Takes a committed change into the books and checks it.
    pub(crate) fn observe(&mut self, change: Change) -> Checked {
        match change {
            Change::Job(job) => match self.jobs.get_mut(&job.metadata.uid) {
                Some(book) => book.job_changed(job, &self.pods),
                None => {
                    self.jobs.insert(job.metadata.uid.clone(), JobBook::new(job));
                    Ok(())
                }
            },
            Change::JobGone(job) => {
                if let Some(book) = self.jobs.get_mut(&job.metadata.uid) {
                    book.gone = true;
                }
                Ok(())
            }
            Change::Pod(pod) => self.pod_changed(pod),
            Change::PodGone(uid) => {
                if let Some(pod) = self.pods.get_mut(&uid) {
                    pod.gone = true;
                }
                Ok(())
            }
        }
    }

    fn pod_changed(&mut self, mut pod: PodSeen) -> Checked {
        let ended = self.pods.get(&pod.uid).filter(|before| before.fate != Fate::Alive);
        pod.disrupted_at_end = ended.map_or(pod.disrupted, |before| before.disrupted_at_end);
        let (is_new, uid) = (!self.pods.contains_key(&pod.uid), pod.uid.clone());
        self.pods_ever += u64::from(is_new);
        let book = pod.controller.as_deref().and_then(|owner| self.jobs.get_mut(owner));
        self.pods.insert(uid.clone(), pod);
        let Some(book) = book else { return Ok(()) };
        let pod = &self.pods[&uid];
        if is_new { book.pod_created(pod, &self.pods, &self.excuses) } else { book.pod_changed(pod) }
    }

    /// A sync begins with this view; `satisfied` is whether everything expected has been seen.
    pub(crate) fn sync_begins(&mut self, view: JobView<'_>, satisfied: bool, now: Timestamp) {
        if let Some(book) = self.jobs.get_mut(&view.job.metadata.uid) {
            book.sync_begins(view, satisfied, now, &self.excuses);
        }
    }

    /// A wave is about to go out.
    pub(crate) fn wave(&mut self, uid: &str, wave: &Wave<policy_core::job::Call>) -> Checked {
        match self.jobs.get_mut(uid) {
            Some(book) => book.wave(wave, &self.pods),
            None => Ok(()),
        }
    }

    /// A wave's outcomes are in.
    pub(crate) fn answered(&mut self, uid: &str, outcomes: &[Outcome], now: Timestamp) -> Checked {
        match self.jobs.get_mut(uid) {
            Some(book) => book.answered(outcomes, now, &self.pods, &self.excuses),
            None => Ok(()),
        }
    }

    /// A sync has ended.
    pub(crate) fn sync_ends(&mut self, uid: &str, finished: &Finished) -> Checked {
        match self.jobs.get_mut(uid) {
            Some(book) => book.sync_ends(finished, &self.pods),
            None => Ok(()),
        }
    }

    /// The controllers have died: no sync is under way.
    pub(crate) fn controllers_died(&mut self) {
        self.jobs.values_mut().for_each(JobBook::controller_died);
    }

    /// What tells these books from others, as far as later checks depend on it and nothing else shows it.
    pub(crate) fn feed(&self, hasher: &mut impl std::hash::Hasher) {
        self.jobs.values().for_each(|book| book.feed(hasher));
        std::hash::Hash::hash(&self.excuses, hasher);
    }

    /// Nothing is due any more.
    pub(crate) fn quiet(&self, now: Timestamp) -> Checked {
        self.check_pods()?;
        self.jobs.values().filter(|book| !book.gone).try_for_each(|book| book.check_quiet(&self.pods, now))
    }
}
