//! Whole lives of Jobs in a world where calls fail, answers get lost, views are stale and the controller dies: each Pod
//! is counted exactly once and every Job comes to the right end.
//!
//! `JOBPOLICY_SEED=N cargo test -p policy-core --test lives` lives one life again, `JOBPOLICY_LIVES=N` lives so many.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Tests may panic: that is how they fail.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)]
#![allow(missing_docs)]

mod world;

use policy_core::job::{Call, JobView, PodDigester, Step, begin};
use policy_core::spec::Job;
use policy_core::step::{CallError, CallErrorKind, Outcome};
use policy_core::{JobMemory, Settings, Timestamp};
use serde_json::json;
use std::panic::{AssertUnwindSafe, catch_unwind};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

#[test]
fn every_pod_is_counted_once_and_every_job_ends() {
    let seeds = match number("JOBPOLICY_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("JOBPOLICY_LIVES").unwrap_or(2_000),
    };
    for seed in seeds {
        if catch_unwind(AssertUnwindSafe(|| world::live(seed, number("JOBPOLICY_SEED").is_some()))).is_err() {
            panic!(
                "the life of seed {seed} goes wrong; live it again: JOBPOLICY_SEED={seed} cargo test -p policy-core --test lives"
            );
        }
    }
}

/// Upstream drops what it awaits of a Pod whose finalizer cannot be removed because the Pod is gone
/// (`removeTrackingFinalizerFromPods`). As long as the cache shows the Pod with its finalizer, it looks uncounted.
#[test]
fn a_pod_that_is_gone_and_still_in_the_cache_is_counted_twice() {
    let metadata = |name: &str| json!({"name": name, "namespace": "n", "uid": name});
    let job =
        json!({"metadata": metadata("j"), "spec": {"completions": 3, "parallelism": 0, "selector": {}}});
    let mut job: Job = serde_json::from_value(job).unwrap();
    let mut pod = json!({"metadata": metadata("p"), "status": {"phase": "Succeeded"}});
    pod["metadata"]["finalizers"] = json!(["batch.kubernetes.io/job-tracking"]);
    pod["metadata"]["ownerReferences"] =
        json!([{"kind": "Job", "name": "j", "uid": "j", "controller": true}]);
    let facts = [PodDigester::new(&job).digest(&serde_json::from_value(pod).unwrap())];
    let mut memory = JobMemory::default();
    for counted in [1, 2] {
        let view = JobView::new(&job, &facts, &Settings::DEFAULT);
        let mut step = begin(view, &memory, Timestamp::ZERO, &mut ());
        let mut written = job.status.clone();
        while let Step::Wave(wave, paused) = step {
            memory.expect(&wave.expect, &wave.calls, Timestamp::ZERO);
            let mut outcome = Outcome::done();
            match &wave.calls[0] {
                Call::WriteStatus(status) => written = (**status).clone(),
                Call::RemoveFinalizer(_) => {
                    let error = CallError { kind: CallErrorKind::NotFound, message: "gone".into() };
                    outcome = Outcome::Failed(error);
                }
                other => panic!("{other:?}"),
            }
            step = paused.resume(view, &[outcome], Timestamp::ZERO, &mut ());
        }
        let Step::Finished(end) = step else { panic!("a sync ends") };
        memory.apply(&end.memory);
        assert_eq!(written.succeeded, counted);
        job.status = written;
    }
}
