//! The policy of these worlds: the core, with every rule that held counted, and checkers that see what it is shown and
//! what it asks for. A planted bug goes in between.

use super::checks::{Checked, Violation, Watcher};
use policy_core::explain::{EvidenceList, Finding, Recorder, Rule, Trace};
use policy_core::job::{self, Call, JobView, Paused};
use policy_core::step::{CallErrorKind, Expect, Outcome, Step};
use policy_core::{JobMemory, MemoryDelta, Timestamp};
use policy_sim::policy::{JobPolicy, JobStep, PausedSync, SyncStart};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How often each rule held.
#[derive(Clone, Debug)]
pub(crate) struct RuleCounts(pub(crate) Vec<u64>);

impl Default for RuleCounts {
    fn default() -> Self {
        RuleCounts(vec![0; Rule::ALL.len()])
    }
}

impl RuleCounts {
    pub(crate) fn add(&mut self, rule: Rule) {
        self.0[rule as usize] += 1;
    }
}

impl Recorder for RuleCounts {
    fn record(&mut self, finding: Finding) {
        if finding.verdict == policy_core::explain::Verdict::Held {
            self.add(finding.rule);
        }
    }

    // Evidence is not built: it would be thrown away.
    fn note_calls(&mut self, rule: Rule, held: bool, _: Range<u32>, _: impl FnOnce(&mut EvidenceList)) {
        if held {
            self.add(rule);
        }
    }
}

/// What the policy and the run share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) watcher: Mutex<Watcher>,
    violation: Mutex<Option<Violation>>,
    pub(crate) rules: Mutex<RuleCounts>,
    /// Conflicts that syncs were answered.
    pub(crate) conflicts: Mutex<u64>,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Remembers the first violation.
    pub(crate) fn note(&self, checked: Checked) {
        if let Err(violation) = checked {
            lock(&self.violation).get_or_insert(violation);
        }
    }

    pub(crate) fn violation(&self) -> Option<Violation> {
        lock(&self.violation).clone()
    }
}

/// The core, with rules counted unless they are traced.
#[derive(Debug)]
pub(crate) struct Counting(pub(crate) Arc<Shared>);

#[derive(Clone, Debug)]
struct CountingSync(Arc<Shared>, Paused);

fn counted(shared: &Arc<Shared>, step: job::Step) -> JobStep {
    match step {
        Step::Wave(wave, paused) => Step::Wave(wave, Box::new(CountingSync(shared.clone(), paused))),
        Step::Finished(finished) => Step::Finished(finished),
    }
}

impl JobPolicy for Counting {
    fn begin(&self, start: SyncStart<'_>, trace: Option<&mut Trace>) -> JobStep {
        let SyncStart { view, memory, now, .. } = start;
        let step = match trace {
            Some(trace) => job::begin(view, memory, now, trace),
            None => job::begin(view, memory, now, &mut *lock(&self.0.rules)),
        };
        counted(&self.0, step)
    }
}

impl PausedSync for CountingSync {
    fn resume(
        self: Box<Self>,
        view: JobView<'_>,
        outcomes: &[Outcome],
        now: Timestamp,
        trace: Option<&mut Trace>,
    ) -> JobStep {
        let CountingSync(shared, paused) = *self;
        let step = match trace {
            Some(trace) => paused.resume(view, outcomes, now, trace),
            None => paused.resume(view, outcomes, now, &mut *lock(&shared.rules)),
        };
        counted(&shared, step)
    }

    fn copied(&self) -> Box<dyn PausedSync> {
        Box::new(self.clone())
    }
}

/// Shows the checkers what the policy within is shown and what it asks for.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) shared: Arc<Shared>,
    pub(crate) policy: Arc<dyn JobPolicy>,
}

#[derive(Clone, Debug)]
struct WatchedSync(Arc<Shared>, Box<dyn PausedSync>);

fn watched(shared: &Arc<Shared>, uid: &str, step: JobStep) -> JobStep {
    let mut watcher = lock(&shared.watcher);
    match step {
        Step::Wave(wave, paused) => {
            shared.note(watcher.wave(uid, &wave));
            Step::Wave(wave, Box::new(WatchedSync(shared.clone(), paused)))
        }
        Step::Finished(finished) => {
            shared.note(watcher.sync_ends(uid, &finished));
            Step::Finished(finished)
        }
    }
}

impl JobPolicy for Watched {
    fn begin(&self, start: SyncStart<'_>, trace: Option<&mut Trace>) -> JobStep {
        let satisfied = start.memory.expectations.satisfied(start.now);
        lock(&self.shared.watcher).sync_begins(start.view, satisfied, start.now);
        let step = self.policy.begin(start, trace);
        watched(&self.shared, &start.view.job.metadata.uid, step)
    }

    fn expect(&self, memory: &mut JobMemory, expect: &Expect, calls: &[Call], now: Timestamp) {
        self.policy.expect(memory, expect, calls, now);
    }

    fn observe(
        &self,
        memory: &mut JobMemory,
        before: Option<&job::PodFacts>,
        after: Option<&job::PodFacts>,
        job_finished: bool,
    ) {
        self.policy.observe(memory, before, after, job_finished);
    }

    fn apply(&self, memory: &mut JobMemory, delta: &MemoryDelta) {
        self.policy.apply(memory, delta);
    }
}

impl PausedSync for WatchedSync {
    fn resume(
        self: Box<Self>,
        view: JobView<'_>,
        outcomes: &[Outcome],
        now: Timestamp,
        trace: Option<&mut Trace>,
    ) -> JobStep {
        let WatchedSync(shared, paused) = *self;
        let uid = &view.job.metadata.uid;
        shared.note(lock(&shared.watcher).answered(uid, outcomes, now));
        let is_conflict =
            |outcome: &&Outcome| outcome.error().is_some_and(|e| e.kind == CallErrorKind::Conflict);
        *lock(&shared.conflicts) += outcomes.iter().filter(is_conflict).count() as u64;
        let step = paused.resume(view, outcomes, now, trace);
        watched(&shared, uid, step)
    }

    fn copied(&self) -> Box<dyn PausedSync> {
        Box::new(self.clone())
    }
}
