//! The seam between the driver of the Job controller and what decides.
//!
//! [`Core`] is `policy_core::job`. Another engine decides elsewhere (in a guest, say) and keeps its paused syncs there:
//! to it a [`PausedSync`] is a handle. Tests put a policy with a mistake here and see whether it is found out.

use crate::control::Informer;
use crate::object::Pod;
use policy_core::explain::Trace;
use policy_core::job::{self, Call, Finished, JobView, Paused, PodFacts};
use policy_core::step::{Expect, Outcome, Step};
use policy_core::{JobMemory, MemoryDelta, Timestamp};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A step of a Job's sync, whoever decides.
pub type JobStep = Step<Box<dyn PausedSync>, Call, Finished>;

/// Decides about Jobs.
///
/// The driver calls [`JobPolicy::begin`] for each sync and [`PausedSync::resume`] after each wave. An engine that fails
/// ends the sync with an error, so that it is tried again.
pub trait JobPolicy: fmt::Debug + Send + Sync {
    /// Starts a sync.
    fn begin(&self, start: SyncStart<'_>, trace: Option<&mut Trace>) -> JobStep;

    /// Records what is expected of a wave, before its calls go out.
    fn expect(&self, memory: &mut JobMemory, expect: &Expect, calls: &[Call], now: Timestamp) {
        memory.expect(expect, calls, now);
    }

    /// Lowers what is awaited as the watch shows a Pod of the Job: `before` and `after` as in [`JobMemory::observe`].
    fn observe(
        &self,
        memory: &mut JobMemory,
        before: Option<&PodFacts>,
        after: Option<&PodFacts>,
        job_finished: bool,
    ) {
        memory.observe(before, after, job_finished);
    }

    /// Applies what a sync changed in the memory.
    fn apply(&self, memory: &mut JobMemory, delta: &MemoryDelta) {
        memory.apply(delta);
    }
}

/// A sync that waits for the outcomes of a wave.
pub trait PausedSync: fmt::Debug + Send {
    /// Goes on after a wave; `view` is the one that the sync began with.
    fn resume(
        self: Box<Self>,
        view: JobView<'_>,
        outcomes: &[Outcome],
        now: Timestamp,
        trace: Option<&mut Trace>,
    ) -> JobStep;

    /// A copy, for a copy of the whole world.
    fn copied(&self) -> Box<dyn PausedSync>;
}

impl Clone for Box<dyn PausedSync> {
    fn clone(&self) -> Self {
        (**self).copied()
    }
}

/// What a sync starts from.
#[derive(Clone, Copy, Debug)]
pub struct SyncStart<'a> {
    /// The Job and its Pods, digested.
    pub view: JobView<'a>,
    /// What the controller remembers of the Job.
    pub memory: &'a JobMemory,
    /// The time on the controllers' clock.
    pub now: Timestamp,
    /// Where the Pods themselves are.
    pub pods: ShownPods<'a>,
}

/// The Pods of a view as the watch has shown them, for engines that digest Pods themselves.
#[derive(Clone, Copy)]
pub struct ShownPods<'a>(&'a Informer);

impl<'a> ShownPods<'a> {
    pub(crate) fn new(informer: &'a Informer) -> Self {
        ShownPods(informer)
    }

    /// The Pods of the view, in its order.
    pub fn of(&self, view: JobView<'_>) -> Vec<Arc<Pod>> {
        let metadata = &view.job.metadata;
        let shown = self.0.candidates(&metadata.uid, &metadata.namespace);
        let by_uid: BTreeMap<&str, &Arc<Pod>> = shown.iter().map(|pod| (&*pod.uid, pod)).collect();
        view.pods.iter().filter_map(|facts| by_uid.get(facts.pod.uid()).map(|pod| (*pod).clone())).collect()
    }
}

impl fmt::Debug for ShownPods<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShownPods")
    }
}

/// `policy_core::job` decides.
#[derive(Clone, Copy, Debug, Default)]
pub struct Core;

impl JobPolicy for Core {
    fn begin(&self, start: SyncStart<'_>, trace: Option<&mut Trace>) -> JobStep {
        let SyncStart { view, memory, now, .. } = start;
        boxed(match trace {
            Some(trace) => job::begin(view, memory, now, trace),
            None => job::begin(view, memory, now, &mut ()),
        })
    }
}

impl PausedSync for Paused {
    fn resume(
        self: Box<Self>,
        view: JobView<'_>,
        outcomes: &[Outcome],
        now: Timestamp,
        trace: Option<&mut Trace>,
    ) -> JobStep {
        boxed(match trace {
            Some(trace) => Paused::resume(*self, view, outcomes, now, trace),
            None => Paused::resume(*self, view, outcomes, now, &mut ()),
        })
    }

    fn copied(&self) -> Box<dyn PausedSync> {
        Box::new(self.clone())
    }
}

/// A step of the core as a step of any policy.
fn boxed(step: job::Step) -> JobStep {
    match step {
        Step::Wave(wave, paused) => Step::Wave(wave, Box::new(paused)),
        Step::Finished(finished) => Step::Finished(finished),
    }
}
