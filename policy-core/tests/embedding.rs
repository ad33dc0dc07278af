//! The driver of docs/embedding.md compiles, works, and is the one in the guide.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // Tests may panic: that is how they fail.
#![allow(missing_docs)]

use policy_core::job::{Call, PodDraft, Step, Wake, begin};
use policy_core::spec::{Job, JobStatus, Pod};
use policy_core::step::{Event, Outcome};
use policy_core::{JobCache, JobMemory, PodEvent, Settings, Timestamp};
use serde_json::json;

// The driver of the guide, from here…
fn sync(cache: &JobCache, memory: &mut JobMemory, api: &mut Api, now: Timestamp) -> Wake {
    // 1. A sync sees one state of the world; what comes in meanwhile belongs to the next one.
    let (seen, draft) = (cache.clone(), PodDraft::new(cache.job()));
    let view = seen.view(&Settings::DEFAULT);
    let mut step = begin(view, memory, now, &mut ());
    let end = loop {
        match step {
            Step::Finished(end) => break end,
            Step::Wave(wave, paused) => {
                // 2. Events and expectations come before the calls: the watch may answer while they are under way.
                api.publish(wave.events);
                memory.expect(&wave.expect, &wave.calls, now);
                // 3. The calls of a wave may run at once. Their outcomes go back in their order.
                let carry_out = |call| api.carry_out(call, view.job, &draft);
                let outcomes: Vec<Outcome> = wave.calls.iter().map(carry_out).collect();
                // 4. Later decisions depend on how these went, so the machine is moved on and cannot be used twice.
                step = paused.resume(view, &outcomes, now, &mut ());
            }
        }
    };
    // 5. What changed is a delta, because the watch writes to the same memory.
    memory.apply(&end.memory);
    api.publish(end.events);
    // 6. Look again at `wake.at`; if `wake.retry`, also after a delay that grows with each failure.
    end.wake
}

fn watch(cache: &mut JobCache, memory: &mut JobMemory, event: PodEvent<'_>) {
    // 7. The second writer of the memory: lowers what the sync expects. Then queue the Job, a second later.
    cache.apply_and_observe(event, memory);
}
// … to here.

/// A server that does as it is told.
#[derive(Default)]
struct Api {
    pods: Vec<Pod>,
    status: JobStatus,
    events: Vec<Event>,
}

impl Api {
    fn publish(&mut self, events: Vec<Event>) {
        self.events.extend(events);
    }

    fn carry_out(&mut self, call: &Call, job: &Job, draft: &PodDraft) -> Outcome {
        match call {
            Call::CreatePod(create) => {
                let mut pod: Pod = serde_json::from_value(draft.pod(create)).unwrap();
                pod.metadata.name = format!("{}{}", draft.generate_name(create), self.pods.len());
                (pod.metadata.uid, pod.metadata.namespace) = (pod.metadata.name.clone(), "n".into());
                let name = pod.metadata.name.clone();
                self.pods.push(pod);
                return Outcome::Done { name };
            }
            Call::RemoveFinalizer(pod) => {
                let pod = self.pods.iter_mut().find(|stored| stored.metadata.uid == pod.uid()).unwrap();
                pod.metadata.finalizers.clear();
            }
            Call::WriteStatus(status) => self.status = (**status).clone(),
            other => return Outcome::failed(format!("{} does not expect {other:?}", job.metadata.name)),
        }
        Outcome::done()
    }
}

#[test]
fn the_driver_of_the_guide_runs_a_job_to_its_end() {
    let job = json!({"metadata": {"name": "j", "namespace": "n", "uid": "u"}, "spec": {"completions": 3,
        "parallelism": 2, "selector": {}, "template": {"spec": {"restartPolicy": "Never"}}}});
    let mut cache = JobCache::new(serde_json::from_value::<Job>(job).unwrap());
    let (mut memory, mut api) = (JobMemory::default(), Api::default());
    let now = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
    for _ in 0..10 {
        let wake = sync(&cache, &mut memory, &mut api, now);
        assert_eq!(wake, Wake::default());
        cache.set_status(api.status.clone());
        for pod in &mut api.pods {
            watch(&mut cache, &mut memory, PodEvent::Applied(pod));
            pod.status.phase = "Succeeded".into();
        }
    }
    assert_eq!((api.pods.len(), api.status.succeeded), (3, 3));
    assert!(api.status.finished().is_some_and(|end| end.kind == "Complete"));
    assert_eq!(api.events.iter().filter(|event| event.reason == "SuccessfulCreate").count(), 3);
    assert!(memory.finalizers_being_removed.is_empty() && memory.expectations.satisfied(now));
}

#[test]
fn the_guide_shows_this_driver() {
    let here = include_str!("embedding.rs");
    let (_, rest) = here.split_once("// The driver of the guide, from here…\n").unwrap();
    let (driver, _) = rest.split_once("// … to here.").unwrap();
    let guide = include_str!("../../docs/embedding.md");
    assert!(guide.contains(driver.trim_end()), "docs/embedding.md shows another driver");
}
