//! The law of the cache in every state of the vectors: however the Pods came to be as they are, a cache decides as a list
//! does, and finds the same.

use conformance::cases;
use policy_core::explain::Trace;
use policy_core::job::{JobView, Phase, PodDigester, PodFacts, PodRef, decide};
use policy_core::{DigestedEvent, JobCache, JobMemory, Settings, Timestamp};
use policy_json::job::Line;

/// How a Pod comes to be as the state has it.
#[derive(Clone, Copy)]
enum Detour {
    /// It is shown once.
    None,
    /// It is shown while it was active, then as it is.
    Active,
    /// It is shown as another Pod of the Job ended, then as it is; a stranger comes and goes.
    Ended,
}

fn fed(line: &Line, pods: &[PodFacts], detour: Detour) -> JobCache {
    let mut cache = JobCache::new(line.job.clone());
    for pod in pods {
        let mut before = pod.clone();
        match detour {
            Detour::None => {}
            Detour::Active => {
                (before.phase, before.deleting, before.has_finalizer) = (Phase::Pending, false, true)
            }
            Detour::Ended => {
                (before.phase, before.has_finalizer) = (Phase::Failed, true);
                before.index = pods.first().map_or(0, |first| first.index);
                let mut stranger = before.clone();
                stranger.pod = PodRef::new("stranger", "a stranger");
                cache.apply_all([
                    DigestedEvent::Applied(stranger),
                    DigestedEvent::Deleted("a stranger".into()),
                ]);
            }
        }
        cache.apply_all([DigestedEvent::Applied(before)]);
    }
    // The last is brought up to date first.
    cache.apply_all(pods.iter().rev().cloned().map(DigestedEvent::Applied));
    cache
}

fn assert_same(id: &str, cache: &JobCache, memory: &JobMemory, now: Timestamp) {
    let list: Vec<PodFacts> = cache.pods().iter().cloned().collect();
    let listed = JobView::new(cache.job(), &list, &Settings::DEFAULT);
    let (mut of_cache, mut of_list) = (Trace::default(), Trace::default());
    let plan = decide(cache.view(&Settings::DEFAULT), memory, now, &mut of_cache);
    assert_eq!(plan, decide(listed, memory, now, &mut of_list), "{id}");
    assert_eq!(of_cache.findings(), of_list.findings(), "{id}");
}

#[test]
fn caches_decide_as_lists() {
    for name in ["job-random", "job-trajectory"] {
        let mut count = 0;
        for case in cases(name) {
            let mut line: Line = serde_json::from_slice(&case.line).expect("a line of the protocol");
            let memory = line.memory();
            let digester = PodDigester::new(&line.job);
            let pods: Vec<PodFacts> = line.pods.iter().map(|pod| digester.digest(pod)).collect();
            for detour in [Detour::None, Detour::Active, Detour::Ended] {
                let cache = fed(&line, &pods, detour);
                assert!(cache.pods().iter().eq(&pods), "{}", line.id);
                assert_same(&line.id.to_string(), &cache, &memory, line.now);
            }
            count += 1;
        }
        assert!(count > 1_000, "{name} has {count} cases");
    }
}
