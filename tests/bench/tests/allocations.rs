//! What decisions allocate, and what a cache takes.

use bench::engine::{Mode, native};
use bench::{Case, Counting, now};
use policy_core::job::{JobView, PodDigester, PodFacts, decide};
use policy_core::spec::Job;
use policy_core::{JobCache, JobMemory, PodEvent, Settings};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const CASES: [Case; 3] = [Case::Steady, Case::Indexed, Case::Policy];

/// The Job with what Jobs have in their status after a while.
fn aged(case: Case, pods: usize) -> Job {
    let mut job = case.job(pods);
    let resumed = serde_json::json!({"type": "Suspended", "status": "False", "reason": "JobResumed", "message": "Job resumed"});
    job.status.conditions.push(serde_json::from_value(resumed).unwrap());
    job
}

fn allocations_of(work: impl FnOnce()) -> usize {
    let before = Counting::allocations();
    work();
    Counting::allocations() - before
}

/// One test: what is counted is counted for the whole program.
#[test]
fn decisions_allocate_what_they_say_and_caches_are_lean() {
    for case in CASES {
        nothing_is_allocated_for_nothing(case);
    }
    indexes_in_the_status_cost_nothing();
    for case in Case::ALL {
        let bytes = native(case, 100_000, Mode::Incremental).bytes() / 100_000;
        println!("{}: {bytes} bytes a Pod in the cache", case.name());
        assert!(bytes < 200, "{}: {bytes} bytes a Pod", case.name());
    }
}

fn nothing_is_allocated_for_nothing(case: Case) {
    let (job, memory) = (aged(case, 1_000), JobMemory::default());
    let mut cache = JobCache::new(job);
    for pod in case.each_pod(1_000) {
        cache.apply(PodEvent::Applied(&pod));
    }
    if case == Case::Policy {
        // Replacements have been made; the failed Pods wait to be counted with them, which is not nothing.
        assert!(!decide(cache.view(&Settings::DEFAULT), &memory, now(), &mut ()).status_updates.is_empty());
        return;
    }
    let mut plan = None;
    let count =
        allocations_of(|| plan = Some(decide(cache.view(&Settings::DEFAULT), &memory, now(), &mut ())));
    assert_eq!(plan.unwrap().status_updates.len(), 0, "{}", case.name());
    assert_eq!(count, 0, "{}: a kept view", case.name());
    let digester = PodDigester::new(cache.job());
    let facts: Vec<PodFacts> = case.each_pod(1_000).map(|pod| digester.digest(&pod)).collect();
    let view = JobView::new(cache.job(), &facts, &Settings::DEFAULT);
    let count = allocations_of(|| drop(decide(view, &memory, now(), &mut ())));
    // A list of an Indexed Job is gone through for its indexes, which are kept meanwhile.
    assert!(count <= 2, "{}: {count} allocations for a list", case.name());
}

/// Half of the indexes are done and in the status.
fn indexes_in_the_status_cost_nothing() {
    let mut job = aged(Case::Indexed, 1_000);
    job.status.completed_indexes = "0-199,300-599".into();
    (job.status.succeeded, job.status.active, job.status.ready) = (500, 500, Some(500));
    let mut cache = JobCache::new(job);
    for (place, pod) in Case::Indexed.each_pod(1_000).enumerate() {
        if !(0..200).contains(&place) && !(300..600).contains(&place) {
            cache.apply(PodEvent::Applied(&pod));
        }
    }
    let mut plan = None;
    let count = allocations_of(|| {
        plan = Some(decide(cache.view(&Settings::DEFAULT), &JobMemory::default(), now(), &mut ()));
    });
    let plan = plan.unwrap();
    assert!(plan.status_updates.is_empty() && plan.create.is_empty(), "{plan:?}");
    assert_eq!(count, 0, "indexes in the status");
}
