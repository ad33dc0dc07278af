//! The Pods of one Job as the watch has shown them, digested as they come.

use crate::Settings;
use crate::job::census::Kept;
use crate::job::{JobView, PodDigester, PodDraft, PodFacts, Pods, PolicyMatch, Source};
use crate::memory::JobMemory;
use crate::spec::{Job, JobStatus, Pod};
use alloc::sync::Arc;
use alloc::vec::Vec;

/// What the watch has shown about a Pod.
#[derive(Clone, Copy, Debug)]
pub enum PodEvent<'a> {
    /// The Pod was added or changed.
    Applied(&'a Pod),
    /// The Pod with this UID is gone.
    Deleted {
        /// The UID.
        uid: &'a str,
    },
}

/// As [`PodEvent`], digested before by the [`PodDigester`] of the Job.
#[derive(Clone, Debug)]
pub enum DigestedEvent {
    /// The Pod was added or changed.
    Applied(PodFacts),
    /// The Pod with this UID is gone.
    Deleted(Arc<str>),
}

/// The digested Pods of one Job, in the order of a view: first seen first; a change keeps the Pod's place, a new UID
/// goes last.
///
/// What decisions ask about them is kept up to date as events come in, so that a decision costs what has changed, not
/// what exists. The law that it keeps: a decision about its view equals a decision about a list of the same Pods in the
/// same order.
///
/// ```
/// use policy_core::{JobCache, PodEvent, Settings};
/// use policy_core::spec::{Job, Pod};
/// let job: Job = serde_json::from_str(r#"{"metadata":{"name":"j","namespace":"n","uid":"u"},
///     "spec":{"selector":{},"template":{}}}"#).unwrap();
/// let pod: Pod = serde_json::from_str(r#"{"metadata":{"name":"p","namespace":"n","uid":"1"}}"#).unwrap();
/// let mut cache = JobCache::new(job);
/// cache.apply(PodEvent::Applied(&pod));
/// assert_eq!(cache.view(&Settings::DEFAULT).pods.len(), 1);
/// cache.apply(PodEvent::Deleted { uid: "1" });
/// assert!(cache.pods().is_empty());
/// ```
#[derive(Clone, Debug)]
pub struct JobCache {
    digester: PodDigester,
    kept: Kept,
    matches: Matches,
    draft: Option<Arc<PodDraft>>,
}

impl JobCache {
    /// An empty cache for a Job.
    pub fn new(job: impl Into<Arc<Job>>) -> Self {
        let job = job.into();
        JobCache {
            digester: PodDigester::new(&job),
            kept: Kept::new(job),
            matches: Matches::default(),
            draft: None,
        }
    }

    /// A newer version of the Job. What Pods are digested by (selector, failure policy, identity) cannot change on an
    /// API server, so Pods are kept; for a Job of another UID make a new cache.
    ///
    /// Where the change is one of what counts as what (`completions` of an Indexed Job, the replacement policy), Pods
    /// are counted anew, which costs their number.
    pub fn set_job(&mut self, job: impl Into<Arc<Job>>) {
        let job = job.into();
        if !self.digester.digests_for(&job) {
            self.digester = PodDigester::new(&job);
        }
        if !PodDraft::is_same(&self.kept.job, &job) {
            self.draft = None;
        }
        self.kept.set_job(job);
    }

    /// The status that a sync has written, for a driver that is its own API server.
    pub fn set_status(&mut self, status: JobStatus) {
        self.kept.set_status(status);
    }

    /// The Job.
    pub fn job(&self) -> &Job {
        &self.kept.job
    }

    /// What Pods are made from: rendered once for all versions of the Job that have the same template.
    pub fn draft(&mut self) -> Arc<PodDraft> {
        let job = &self.kept.job;
        self.draft.get_or_insert_with(|| Arc::new(PodDraft::new(job))).clone()
    }

    /// The Pods in view order.
    pub fn pods(&self) -> Pods<'_> {
        Pods(Source::Kept(&self.kept))
    }

    /// The Pod with this UID.
    pub fn pod(&self, uid: &str) -> Option<&PodFacts> {
        let roll = &self.kept.roll;
        roll.slot_of(uid).and_then(|slot| roll.facts(slot))
    }

    /// Takes in what the watch has shown; returns the Pod as it was before.
    pub fn apply(&mut self, event: PodEvent<'_>) -> Option<PodFacts> {
        match event {
            PodEvent::Applied(pod) => self.apply_facts(self.digester.digest(pod)),
            PodEvent::Deleted { uid } => self.kept.roll.remove(uid),
        }
    }

    /// Takes in many events in their order.
    pub fn apply_all(&mut self, events: impl IntoIterator<Item = DigestedEvent>) {
        for event in events {
            match event {
                DigestedEvent::Applied(facts) => drop(self.apply_facts(facts)),
                DigestedEvent::Deleted(uid) => drop(self.kept.roll.remove(&uid)),
            }
        }
    }

    /// As [`JobCache::apply`], lowering what `memory` awaits (upstream `addPod`, `updatePod`, `deletePod`).
    pub fn apply_and_observe(&mut self, event: PodEvent<'_>, memory: &mut JobMemory) {
        let uid = match event {
            PodEvent::Applied(pod) => pod.metadata.uid.as_str(),
            PodEvent::Deleted { uid } => uid,
        };
        let before = self.apply(event);
        let after = self.pod(uid);
        memory.observe(before.as_ref(), after, self.job().status.finished().is_some());
    }

    /// What a decision looks at.
    pub fn view<'a>(&'a self, settings: &'a Settings) -> JobView<'a> {
        JobView { job: self.job(), pods: self.pods(), settings }
    }

    fn apply_facts(&mut self, mut facts: PodFacts) -> Option<PodFacts> {
        facts.policy_match = facts.policy_match.map(|found| self.matches.shared(found));
        self.kept.roll.apply(facts)
    }
}

/// Matches of failure policy rules that Pods share: there are many Pods and few ways to fail.
#[derive(Clone, Debug, Default)]
struct Matches(Vec<Arc<PolicyMatch>>);

impl Matches {
    /// More different ones than this are not shared.
    const MOST: usize = 64;

    fn shared(&mut self, found: Arc<PolicyMatch>) -> Arc<PolicyMatch> {
        if let Some(known) = self.0.iter().find(|known| **known == found) {
            return known.clone();
        }
        if self.0.len() < Self::MOST {
            self.0.push(found.clone());
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Plan, decide};
    use crate::{Timestamp, job::Claim};
    use alloc::format;
    use alloc::string::{String, ToString};
    use proptest::prelude::*;
    use serde_json::json;

    fn job() -> Job {
        let job = json!({
            "metadata": {"name": "j", "namespace": "n", "uid": "u"},
            "spec": {"completions": 4, "parallelism": 3, "completionMode": "Indexed", "backoffLimitPerIndex": 1,
                "selector": {"matchLabels": {"j": "j"}}, "template": {}},
        });
        serde_json::from_str(&job.to_string()).unwrap()
    }

    fn pod(number: u8, phase: &str, index: u8, finalizer: bool) -> Pod {
        let finalizers = if finalizer { json!(["batch.kubernetes.io/job-tracking"]) } else { json!([]) };
        let pod = json!({
            "metadata": {"name": format!("p{number}"), "namespace": "n", "uid": format!("{number}"),
                "labels": {"j": "j"}, "finalizers": finalizers,
                "annotations": {"batch.kubernetes.io/job-completion-index": format!("{index}")},
                "ownerReferences": [{"kind": "Job", "name": "j", "uid": "u", "controller": true}]},
            "status": {"phase": phase},
        });
        serde_json::from_value(pod).unwrap()
    }

    fn summary(plan: &Plan) -> String {
        format!("{plan:?}")
    }

    proptest! {
        /// decide(cache.view()) == decide(fresh digest of the Pods in view order), after any events in any order.
        #[test]
        fn a_cached_view_decides_as_a_fresh_one(
            events in prop::collection::vec((0_u8..6, 0_u8..5, 0_u8..5, any::<bool>()), 0..40)
        ) {
            let mut cache = JobCache::new(job());
            let mut in_bulk = JobCache::new(job());
            let mut bulk = Vec::new();
            let mut shown: Vec<Pod> = Vec::new();
            let now = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
            for (number, phase, index, finalizer) in events {
                let uid = format!("{number}");
                let place = shown.iter().position(|pod| pod.metadata.uid == uid);
                match (["Pending", "Running", "Succeeded", "Failed"].get(phase as usize), place) {
                    (None, place) => {
                        cache.apply(PodEvent::Deleted { uid: &uid });
                        bulk.push(DigestedEvent::Deleted(uid.as_str().into()));
                        place.map(|place| shown.remove(place));
                    }
                    (Some(phase), place) => {
                        let pod = pod(number, phase, index, finalizer);
                        cache.apply(PodEvent::Applied(&pod));
                        bulk.push(DigestedEvent::Applied(PodDigester::new(cache.job()).digest(&pod)));
                        match place {
                            Some(place) => shown[place] = pod,
                            None => shown.push(pod),
                        }
                    }
                }
                let digester = PodDigester::new(cache.job());
                let fresh: Vec<PodFacts> = shown.iter().map(|pod| digester.digest(pod)).collect();
                prop_assert!(cache.pods().iter().eq(&fresh));
                let view = JobView::new(cache.job(), &fresh, &Settings::DEFAULT);
                let of_fresh = decide(view, &JobMemory::default(), now, &mut ());
                let of_cache = decide(cache.view(&Settings::DEFAULT), &JobMemory::default(), now, &mut ());
                prop_assert_eq!(summary(&of_cache), summary(&of_fresh));
                if bulk.len() > 4 {
                    in_bulk.apply_all(bulk.drain(..));
                    prop_assert!(in_bulk.pods().iter().eq(&fresh));
                }
            }
        }
    }

    #[test]
    fn what_the_watch_shows_lowers_what_is_awaited() {
        let now = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        let mut cache = JobCache::new(job());
        let mut memory = JobMemory::default();
        memory.expect(&crate::step::Expect { creations: Some(1), ..Default::default() }, &[], now);
        assert!(!memory.expectations.satisfied(now));
        cache.apply_and_observe(PodEvent::Applied(&pod(1, "Pending", 0, true)), &mut memory);
        assert!(memory.expectations.satisfied(now));
        assert_eq!(cache.pod("1").unwrap().claim, Claim::Owned);

        let removal = crate::step::Expect { finalizer_removals: true, ..Default::default() };
        let call = crate::job::Call::RemoveFinalizer(crate::job::PodRef::new("p1", "1"));
        memory.expect(&removal, &[call], now);
        cache.apply_and_observe(PodEvent::Applied(&pod(1, "Failed", 0, true)), &mut memory);
        assert_eq!(memory.finalizers_being_removed.len(), 1);
        cache.apply_and_observe(PodEvent::Applied(&pod(1, "Failed", 0, false)), &mut memory);
        assert!(memory.finalizers_being_removed.is_empty());
    }
}
