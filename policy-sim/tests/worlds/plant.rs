//! Mistakes put between the core and the driver, to see that the checkers find them.

use super::checks::Check;
use policy_core::explain::Trace;
use policy_core::job::{Call, Finished, JobView, PodFacts};
use policy_core::spec::Job;
use policy_core::step::{Expect, Outcome, Step};
use policy_core::{JobMemory, MemoryDelta, Timestamp};
use policy_sim::config::Config;
use policy_sim::policy::{JobPolicy, JobStep, PausedSync, SyncStart};
use std::sync::Arc;

/// A mistake. What is not set is done right.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bug {
    pub(crate) name: &'static str,
    /// The checkers that may find it.
    pub(crate) found_by: &'static [Check],
    /// Shows the core something else than what the watch has shown.
    pub(crate) view: fn(&mut Job, &mut Vec<PodFacts>),
    pub(crate) memory: fn(&mut JobMemory),
    /// Calls that are claimed to be done and are not made.
    pub(crate) skips: fn(&Job, &Call) -> bool,
    /// Calls that are made before those of the wave.
    pub(crate) extra: fn(&JobView<'_>, &[Call]) -> Vec<Call>,
    pub(crate) call: fn(&Job, &mut Call),
    pub(crate) outcome: fn(&Call, &mut Outcome),
    pub(crate) expect: fn(&mut Expect),
    pub(crate) end: fn(&mut Finished),
    /// Whether the memory sees what the watch shows.
    pub(crate) observes: bool,
    pub(crate) config: fn(&mut Config),
}

impl Bug {
    /// No mistake.
    pub(crate) const NONE: Bug = Bug {
        name: "none",
        found_by: &[],
        view: |_, _| {},
        memory: |_| {},
        skips: |_, _| false,
        extra: |_, _| Vec::new(),
        call: |_, _| {},
        outcome: |_, _| {},
        expect: |_| {},
        end: |_| {},
        observes: true,
        config: |_| {},
    };
}

/// A policy with a mistake.
#[derive(Debug)]
pub(crate) struct Planted {
    pub(crate) bug: Bug,
    pub(crate) policy: Arc<dyn JobPolicy>,
}

/// A sync of it: the calls that the core has asked for, which of them are made, and how many others before them.
#[derive(Clone, Debug)]
struct PlantedSync {
    bug: Bug,
    paused: Box<dyn PausedSync>,
    asked: Vec<Call>,
    made: Vec<bool>,
    extra: usize,
}

impl Bug {
    /// The step as the driver gets it.
    fn spoil(self, view: JobView<'_>, step: JobStep) -> JobStep {
        let (mut wave, paused) = match step {
            Step::Wave(wave, paused) => (wave, paused),
            Step::Finished(mut finished) => {
                (self.end)(&mut finished);
                return Step::Finished(finished);
            }
        };
        let asked = wave.calls.clone();
        wave.calls.iter_mut().for_each(|call| (self.call)(view.job, call));
        let made: Vec<bool> = wave.calls.iter().map(|call| !(self.skips)(view.job, call)).collect();
        let mut keeps = made.iter();
        wave.calls.retain(|_| keeps.next() == Some(&true));
        let extra = (self.extra)(&view, &asked);
        let count = extra.len();
        wave.calls.splice(0..0, extra);
        Step::Wave(wave, Box::new(PlantedSync { bug: self, paused, asked, made, extra: count }))
    }

    fn with_view<T>(self, view: JobView<'_>, act: impl FnOnce(JobView<'_>) -> T) -> T {
        let (mut job, mut pods) = (view.job.clone(), view.pods.iter().cloned().collect());
        (self.view)(&mut job, &mut pods);
        act(JobView::new(&job, &pods, view.settings))
    }
}

impl JobPolicy for Planted {
    fn begin(&self, start: SyncStart<'_>, trace: Option<&mut Trace>) -> JobStep {
        let mut memory = start.memory.clone();
        (self.bug.memory)(&mut memory);
        self.bug.with_view(start.view, |view| {
            let start = SyncStart { view, memory: &memory, now: start.now, pods: start.pods };
            self.bug.spoil(view, self.policy.begin(start, trace))
        })
    }

    fn expect(&self, memory: &mut JobMemory, expect: &Expect, calls: &[Call], now: Timestamp) {
        let mut expect = expect.clone();
        (self.bug.expect)(&mut expect);
        self.policy.expect(memory, &expect, calls, now);
    }

    fn observe(
        &self,
        memory: &mut JobMemory,
        before: Option<&PodFacts>,
        after: Option<&PodFacts>,
        finished: bool,
    ) {
        if self.bug.observes {
            self.policy.observe(memory, before, after, finished);
        }
    }

    fn apply(&self, memory: &mut JobMemory, delta: &MemoryDelta) {
        self.policy.apply(memory, delta);
    }
}

impl PausedSync for PlantedSync {
    fn resume(
        self: Box<Self>,
        view: JobView<'_>,
        outcomes: &[Outcome],
        now: Timestamp,
        trace: Option<&mut Trace>,
    ) -> JobStep {
        let PlantedSync { bug, paused, asked, made, extra } = *self;
        let mut real = outcomes.iter().skip(extra).cloned();
        let told: Vec<Outcome> = asked
            .iter()
            .zip(made)
            .map(|(call, made)| {
                let mut outcome = real.by_ref().take(usize::from(made)).next().unwrap_or_else(Outcome::done);
                (bug.outcome)(call, &mut outcome);
                outcome
            })
            .collect();
        bug.with_view(view, |view| bug.spoil(view, paused.resume(view, &told, now, trace)))
    }

    fn copied(&self) -> Box<dyn PausedSync> {
        Box::new(self.clone())
    }
}
