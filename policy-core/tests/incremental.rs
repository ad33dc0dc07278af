//! The law of the cache: a decision about its view equals one about a list of the same Pods in the same order, for every
//! order of events, with the same findings. Replay one run with `JOBPOLICY_SEED=N`; `JOBPOLICY_EVENTS=N` sets how many
//! events there are at least.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Tests may panic: that is how they fail.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)]
#![allow(missing_docs)]

mod events;
#[path = "world/random.rs"]
mod random;

use events::{Pods, Shown};
use policy_core::explain::Trace;
use policy_core::job::{Call, Finished, JobView, PodFacts, Step, begin, decide};
use policy_core::spec::JobStatus;
use policy_core::step::{CallError, CallErrorKind, Outcome, Wave};
use policy_core::{JobCache, JobMemory, Settings, Timestamp};
use random::Random;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// As many events as take half a minute, or less, unoptimised.
const EVENTS: u64 = 400_000;
/// Events in the life of one cache.
const EVENTS_PER_RUN: u64 = 500;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

#[test]
fn a_kept_view_decides_as_a_list() {
    let seeds = match number("JOBPOLICY_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("JOBPOLICY_EVENTS").unwrap_or(EVENTS).div_ceil(EVENTS_PER_RUN),
    };
    for seed in seeds {
        if catch_unwind(AssertUnwindSafe(|| run(seed))).is_err() {
            panic!(
                "seed {seed} goes wrong; run it again: JOBPOLICY_SEED={seed} cargo test -p policy-core --test incremental"
            );
        }
    }
}

/// One cache under events of every kind, compared after each.
fn run(seed: u64) {
    let mut random = Random::new(seed);
    let settings = events::settings(&mut random);
    let mut pods = Pods::new(&mut random);
    let mut cache = JobCache::new(events::job(&mut random));
    let mut shown = Shown::default();
    let mut memory = JobMemory::default();
    for _ in 0..EVENTS_PER_RUN {
        match random.below(100) {
            0..=3 => cache.set_job(events::changed(cache.job(), &mut random)),
            4..=7 => cache.set_status(events::status(&mut random)),
            8..=10 => memory = events::memory(&mut random),
            _ => pods.event(&mut random, &mut cache, &mut shown),
        }
        let now = events::at(random.below(12) as i64);
        compare(&cache, &shown, &memory, &settings, now, &mut random);
        // Often the driver does as it is told, so that states come up that decisions lead to.
        if random.chance(20) {
            let plan = decide(cache.view(&settings), &memory, now, &mut ());
            if let Some(status) = plan.status_updates.into_iter().last() {
                follow(&mut cache, status);
            }
            memory.finalizers_being_removed.extend(plan.remove_finalizer.iter().map(|pod| pod.uid().into()));
            memory.apply(&plan.end.memory);
        }
    }
}

fn follow(cache: &mut JobCache, status: JobStatus) {
    // A finished Job is not decided about any more, which would end the run.
    if status.finished().is_none() {
        cache.set_status(status);
    }
}

fn compare(
    cache: &JobCache,
    shown: &Shown,
    memory: &JobMemory,
    settings: &Settings,
    now: Timestamp,
    random: &mut Random,
) {
    let list = shown.list();
    assert!(cache.pods().iter().eq(list), "the cache has other Pods, or another order");
    let listed = JobView::new(cache.job(), list, settings);
    let kept = cache.view(settings);
    let plan = decide(kept, memory, now, &mut ());
    assert_eq!(plan, decide(listed, memory, now, &mut ()));
    match random.below(8) {
        0 => {
            let (mut of_kept, mut of_listed) = (Trace::default(), Trace::default());
            assert_eq!(plan, decide(kept, memory, now, &mut of_kept));
            assert_eq!(plan, decide(listed, memory, now, &mut of_listed));
            assert_eq!(of_kept.findings(), of_listed.findings());
        }
        1 => {
            let failing = random.clone();
            let kept = drive(kept, memory, now, failing.clone());
            assert_eq!(kept, drive(listed, memory, now, failing));
        }
        _ => {}
    }
}

/// A sync in which calls fail as chance has it: everything that it says.
fn drive(view: JobView<'_>, memory: &JobMemory, now: Timestamp, mut random: Random) -> Driven {
    let mut trace = Trace::default();
    let mut waves = Vec::new();
    let mut step = begin(view, memory, now, &mut trace);
    loop {
        match step {
            Step::Wave(wave, paused) => {
                let outcomes: Vec<Outcome> =
                    wave.calls.iter().map(|call| outcome(view, call, &mut random)).collect();
                waves.push(wave);
                step = paused.resume(view, &outcomes, now, &mut trace);
            }
            Step::Finished(end) => {
                let findings = format!("{:?}", trace.findings());
                return Driven { waves: waves.into_iter().map(said).collect(), end, findings };
            }
        }
    }
}

#[derive(Debug, PartialEq)]
struct Driven {
    waves: Vec<String>,
    end: Finished,
    findings: String,
}

fn said(wave: Wave<Call>) -> String {
    format!("{wave:?}")
}

fn outcome(view: JobView<'_>, call: &Call, random: &mut Random) -> Outcome {
    let kinds = [CallErrorKind::NotFound, CallErrorKind::Other, CallErrorKind::NamespaceTerminating];
    if random.chance(15) {
        return Outcome::Failed(CallError { kind: random.pick(&kinds), message: "refused".into() });
    }
    let meta = &view.job.metadata;
    match call {
        Call::ReadJob => Outcome::Read { uid: meta.uid.clone(), deletion_timestamp: None },
        _ => Outcome::done(),
    }
}

/// More than 500 ended Pods at once: which are counted first is the order of the list, or of indexes.
#[test]
fn the_same_pods_are_counted_first() {
    for seed in 0..6 {
        let mut random = Random::new(seed);
        let mut cache = JobCache::new(events::job(&mut random));
        let mut shown = Shown::default();
        let mut pods = Pods::many(1_500);
        for _ in 0..3_000 {
            pods.event(&mut random, &mut cache, &mut shown);
        }
        for _ in 0..20 {
            let now = events::at(5);
            cache.set_status(JobStatus::default());
            pods.event(&mut random, &mut cache, &mut shown);
            let job = events::changed(cache.job(), &mut random);
            cache.set_job(job);
            let list: &[PodFacts] = shown.list();
            let memory = JobMemory::default();
            let (mut of_kept, mut of_listed) = (Trace::default(), Trace::default());
            let kept = decide(cache.view(&Settings::DEFAULT), &memory, now, &mut of_kept);
            let listed =
                decide(JobView::new(cache.job(), list, &Settings::DEFAULT), &memory, now, &mut of_listed);
            assert_eq!(kept, listed);
            assert_eq!(of_kept.findings(), of_listed.findings());
        }
    }
}
