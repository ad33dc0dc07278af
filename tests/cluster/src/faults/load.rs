//! Jobs of all kinds whose ends are known, made for as long as faults last, and what must hold of them at the end.

use super::recording::{Recording, Seen};
use crate::random::Random;
use crate::{LIMIT, World, eventually, job};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What a Job does, and how it must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// All Pods succeed.
    Plain,
    /// Each index fails once, then succeeds.
    IndexRetried,
    /// Each index fails for good.
    IndexFailed,
    /// Every Pod fails, up to the limit.
    BackoffLimit,
    /// The first failure ends it by a rule.
    FailurePolicy,
    /// Two of its indexes are enough.
    SuccessPolicy,
    /// It is suspended and resumed while it runs.
    Suspended,
}

const KINDS: [Kind; 7] = [
    Kind::Plain,
    Kind::IndexRetried,
    Kind::IndexFailed,
    Kind::BackoffLimit,
    Kind::FailurePolicy,
    Kind::SuccessPolicy,
    Kind::Suspended,
];

/// How a Job must end: condition, reason, succeeded, failed. A count that depends on what was deleted when is not told.
struct End(&'static str, &'static str, Option<i64>, Option<i64>);

impl Kind {
    fn job(self, name: &str) -> Value {
        let exits = |code: &'static str| [("run-time", "400ms"), ("exit-code", code)];
        let indexed = |limit: i64| json!({"completions": 5, "parallelism": 3, "completionMode": "Indexed", "backoffLimitPerIndex": limit});
        match self {
            Kind::Plain => job(name, &exits("0"), json!({"completions": 6, "parallelism": 4})),
            Kind::IndexRetried => {
                job(name, &[("run-time", "300ms"), ("exit-code", "1"), ("fail-first", "1")], indexed(2))
            }
            Kind::IndexFailed => job(name, &exits("1"), indexed(1)),
            Kind::BackoffLimit => {
                job(name, &exits("1"), json!({"completions": 2, "parallelism": 1, "backoffLimit": 2}))
            }
            Kind::FailurePolicy => {
                let codes = json!({"containerName": "main", "operator": "In", "values": [42]});
                let rules = json!([{"action": "FailJob", "onExitCodes": codes}]);
                let spec = json!({"completions": 6, "parallelism": 3, "podFailurePolicy": {"rules": rules}});
                job(name, &exits("42"), spec)
            }
            Kind::SuccessPolicy => {
                let rules = json!([{"succeededIndexes": "0-3", "succeededCount": 2}]);
                let mut spec = json!({"completions": 6, "parallelism": 3, "completionMode": "Indexed"});
                spec["successPolicy"] = json!({"rules": rules});
                job(name, &exits("0"), spec)
            }
            Kind::Suspended => {
                let spec = json!({"completions": 6, "parallelism": 2, "suspend": true});
                job(name, &[("run-time", "900ms")], spec)
            }
        }
    }

    fn end(self) -> End {
        match self {
            Kind::Plain => End("Complete", "CompletionsReached", Some(6), Some(0)),
            Kind::IndexRetried => End("Complete", "CompletionsReached", Some(5), Some(5)),
            Kind::IndexFailed => End("Failed", "FailedIndexes", Some(0), Some(10)),
            Kind::BackoffLimit => End("Failed", "BackoffLimitExceeded", Some(0), Some(3)),
            Kind::FailurePolicy => End("Failed", "PodFailurePolicy", Some(0), None),
            Kind::SuccessPolicy => End("Complete", "SuccessPolicy", None, None),
            Kind::Suspended => End("Complete", "CompletionsReached", Some(6), None),
        }
    }
}

/// Jobs that are made one after the other.
pub struct Load<'w> {
    world: &'w World,
    recording: Recording,
    random: Random,
    made: BTreeMap<String, Kind>,
    /// Suspended and resumed so many times more.
    flips: BTreeMap<String, u32>,
    /// Statuses that the API server had refused before.
    refused_before: u64,
}

/// What was run.
#[derive(Clone, Debug)]
pub struct Total {
    /// Jobs that have ended.
    pub jobs: usize,
    /// Pods that they had.
    pub pods: usize,
    /// Indexes of which a Pod was created after another had succeeded.
    pub run_again: Vec<String>,
    /// How often the recording has missed versions.
    pub gaps: u64,
}

impl<'w> Load<'w> {
    /// Nothing yet.
    #[must_use]
    pub fn new(world: &'w World, random: Random) -> Self {
        let recording = world.record();
        let (made, flips, refused_before) = (BTreeMap::new(), BTreeMap::new(), world.refused_statuses());
        Load { world, recording, random, made, flips, refused_before }
    }

    /// Makes Jobs until so many run, and suspends and resumes some. The API server may be away.
    pub fn tick(&mut self, running: usize) {
        let ended = self.recording.ended();
        while self.made.len() < running + ended.len() {
            let number = self.made.len();
            let kind = KINDS[number % KINDS.len()];
            let name = format!("job-{number}");
            let answer = self.world.call("POST", &self.world.path("jobs"), Some(&kind.job(&name)));
            if !(200..300).contains(&answer.code) && answer.code != 409 {
                return;
            }
            if kind == Kind::Suspended {
                self.flips.insert(name.clone(), 3);
            }
            self.made.insert(name, kind);
        }
        let names: Vec<String> = self.flips.keys().cloned().collect();
        for name in names {
            if ended.contains(&name) {
                self.flips.remove(&name);
            } else if self.random.happens(0.1) {
                self.flip(&name);
            }
        }
    }

    fn flip(&mut self, name: &str) {
        let left = self.flips.get(name).copied().unwrap_or(0);
        let suspend = json!({"spec": {"suspend": left % 2 == 0}});
        let path = self.world.path(&format!("jobs/{name}"));
        let answer = self.world.call("PATCH", &path, Some(&suspend));
        match answer.code {
            200..300 if left > 1 => drop(self.flips.insert(name.to_owned(), left - 1)),
            200..300 => drop(self.flips.remove(name)),
            _ => {}
        }
    }

    /// The API server has refused no status as invalid.
    ///
    /// # Panics
    /// When it has.
    pub fn assert_nothing_refused(&self) {
        let refused = self.world.refused_statuses() - self.refused_before;
        assert_eq!(refused, 0, "the API server has refused statuses");
    }

    /// The API server has been started again, and counts anew what it refuses.
    pub fn counts_are_new(&mut self) {
        self.refused_before = 0;
    }

    /// Waits until all Jobs have ended, and looks at everything. Unless counts are `exact`, Pods may have been made
    /// twice, as when the answer of a create was lost.
    ///
    /// # Panics
    /// When a Job has not ended as it should, or a Pod is not counted once.
    #[must_use]
    pub fn check(mut self, limit: Duration, is_exact: bool, mut meanwhile: impl FnMut()) -> Total {
        eventually("all Jobs have ended", limit, || {
            self.tick(0);
            meanwhile();
            let ended = self.recording.ended();
            let missing = |name: &&String| !ended.contains(*name);
            let left: Vec<&String> = self.made.keys().filter(missing).collect();
            if left.is_empty() { Ok(()) } else { Err(format!("{left:?} of {}", self.made.len())) }
        });
        self.world.wait_for_no_finalizers();
        eventually("the recording has seen it", LIMIT, || {
            let tracked = self.recording.seen().pods.values().filter(|pod| pod.is_tracked).count();
            if tracked == 0 { Ok(()) } else { Err(format!("{tracked} Pods have the finalizer")) }
        });
        let seen = self.recording.seen();
        let mut wrong = seen.wrong.clone();
        let (jobs, pods) = (self.world.objects("jobs"), self.world.objects("pods"));
        assert_eq!(jobs.len(), self.made.len(), "no Job is lost");
        for job in &jobs {
            self.check_job(job, &pods, &seen, is_exact, &mut wrong);
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        self.assert_nothing_refused();
        Total {
            jobs: jobs.len(),
            pods: seen.pods.len(),
            run_again: seen.indexes_run_again(),
            gaps: seen.gaps,
        }
    }

    fn check_job(&self, job: &Value, pods: &[Value], seen: &Seen, is_exact: bool, wrong: &mut Vec<String>) {
        let (name, uid) = (crate::text(&job["metadata"]["name"]), crate::text(&job["metadata"]["uid"]));
        let kind = self.made[&name];
        let End(condition, reason, succeeded, failed) = kind.end();
        let story = &seen.jobs[&uid];
        let mut complain = |what: String| wrong.push(format!("job/{name} ({kind:?}) {what}"));
        if story.ended != Some((condition.to_owned(), reason.to_owned())) {
            complain(format!("has ended as {:?}", story.ended));
        }
        let status = &job["status"];
        let counts = ["succeeded", "failed"].map(|field| status[field].as_i64().unwrap_or(0));
        let wanted = [succeeded, failed];
        let is_right = |(count, wanted): (i64, Option<i64>)| {
            wanted.is_none_or(|wanted| if is_exact { count == wanted } else { count >= wanted })
        };
        if !counts.into_iter().zip(wanted).all(is_right) {
            complain(format!("has counted {counts:?}, not {wanted:?}"));
        }
        let owned = |pod: &&Value| pod["metadata"]["ownerReferences"][0]["uid"] == uid.as_str();
        let owned: Vec<&Value> = pods.iter().filter(owned).collect();
        let there = ["Succeeded", "Failed"].map(|phase| Ended::of(&owned, phase));
        // Where nothing is deleted, what there is is what was counted; of Indexed Jobs, indexes succeed and not Pods.
        let is_indexed = status["completedIndexes"].is_string();
        let succeeded = if is_indexed { there[0].indexes } else { there[0].pods };
        if wanted.iter().all(Option::is_some) && counts != [succeeded, there[1].pods] {
            complain(format!("has counted {counts:?}, but there are {there:?}"));
        }
        if seen.gaps == 0 {
            // An index may succeed after its Job has ended by a policy.
            let listed = story.listed.clone().map(|pods| pods.len() as i64);
            let ran = seen.indexes_succeeded(&uid);
            let is_listed = if is_indexed { counts[0] <= ran } else { counts[0] == listed[0] };
            if !is_listed || counts[1] != listed[1] {
                complain(format!(
                    "has counted {counts:?}, but listed {listed:?}; {ran} indexes have succeeded"
                ));
            }
        }
    }
}

/// What is left of Pods that have ended in one way.
#[derive(Debug)]
struct Ended {
    pods: i64,
    indexes: i64,
}

impl Ended {
    fn of(pods: &[&Value], phase: &str) -> Self {
        let ended = || pods.iter().filter(|pod| pod["status"]["phase"] == phase);
        let index = |pod: &&Value| {
            crate::text(&pod["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"])
        };
        let indexes: BTreeSet<String> = ended().map(index).collect();
        Ended { pods: ended().count() as i64, indexes: indexes.len() as i64 }
    }
}
