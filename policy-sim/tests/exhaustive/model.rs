//! A small world as plain data: a store, two watches, a cache, a controller with its memory and perhaps a sync under
//! way. Whatever may happen next is an explicit choice.

use super::checks::{Change, Checked, Fate, PodSeen, Watcher};
use policy_core::job::{self, Call, Claim, JobView, Phase, PodFacts, PodRef, Step};
use policy_core::spec::{Job, JobStatus};
use policy_core::step::{CallError, CallErrorKind, Outcome, Wave};
use policy_core::{JobMemory, Settings, Timestamp};
use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A Pod of the model; its number is its UID and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Pod {
    pub(crate) number: u8,
    index: Option<u8>,
    fate: Fate,
    deleting: bool,
    tracked: bool,
    gone: bool,
}

/// A committed version of the Job.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    job: Arc<Job>,
    number: u32,
    digest: u64,
}

/// A sync under way: what it was shown, and how its calls went. The paused machine follows from that.
#[derive(Clone, Debug)]
struct Run {
    shown: Version,
    pods: Vec<Pod>,
    memory: JobMemory,
    answered: Vec<Vec<Outcome>>,
    calls: Vec<Call>,
    outcomes: Vec<Option<Outcome>>,
    version: u32,
}

/// What may still go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Budget {
    pub(crate) failures: u8,
    pub(crate) crashes: u8,
    /// Calls that are refused, or lose their answer.
    pub(crate) bad_calls: u8,
}

/// A mistake of the controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    None,
    /// Created Pods are not awaited.
    ForgetsCreations,
    /// Removed finalizers are not awaited.
    ForgetsFinalizers,
    /// A finalizer that cannot be removed is taken for removed, and a status that was not written for written.
    BelievesInSuccess,
}

/// What is the same in all states.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) settings: Settings,
    pub(crate) waits_for_own_writes: bool,
    pub(crate) mistake: Mistake,
    pub(crate) most_pods: usize,
}

/// A state of the world.
#[derive(Clone, Debug)]
pub(crate) struct World {
    stored: Version,
    pods: Vec<Pod>,
    jobs_coming: VecDeque<(Version, bool)>,
    pods_coming: VecDeque<(Pod, bool)>,
    cached: Version,
    cached_pods: Vec<Pod>,
    memory: JobMemory,
    due: bool,
    run: Option<Run>,
    budget: Budget,
    pub(crate) watcher: Watcher,
}

/// Something that may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    JobEvent,
    PodEvent,
    Ends(u8, Fate),
    Sync,
    Call(usize, Fortune),
    Resume,
    Crash,
    Orphan(u8),
}

/// How a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fortune {
    Done,
    Refused,
    AnswerLost,
}

const NOW: Timestamp = Timestamp::ZERO;

fn name(number: u8) -> Arc<str> {
    Arc::from(format!("p{number}"))
}

fn digest_of(status: &JobStatus) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    format!("{status:?}").hash(&mut hasher);
    hasher.finish()
}

fn failed(kind: CallErrorKind) -> Outcome {
    Outcome::Failed(CallError { kind, message: format!("{kind:?}") })
}

impl Pod {
    fn facts(self) -> PodFacts {
        let phase = match self.fate {
            Fate::Alive => Phase::Running,
            Fate::Succeeded => Phase::Succeeded,
            Fate::Failed => Phase::Failed,
        };
        let name = name(self.number);
        PodFacts {
            claim: Claim::Owned,
            phase,
            has_finalizer: self.tracked,
            deleting: self.deleting,
            ready: false,
            assigned: true,
            references_job: true,
            index: self.index.map_or(job::UNKNOWN_INDEX, i64::from),
            index_failure_count: 0,
            index_ignored_failure_count: 0,
            restarts: 0,
            max_restarts: 0,
            max_sidecar_restarts: 0,
            finished_at: NOW,
            created_at: Some(NOW),
            ready_at: None,
            policy_match: None,
            pod: PodRef::new(&name, &name),
        }
    }

    fn seen(self) -> PodSeen {
        PodSeen {
            uid: name(self.number),
            controller: Some("job".into()),
            tracked: self.tracked,
            fate: self.fate,
            deleting: self.deleting,
            index: self.index.map(i64::from),
            selected: true,
            ..PodSeen::default()
        }
    }
}

impl World {
    pub(crate) fn new(job: Job, budget: Budget, rules: &Rules) -> Self {
        let stored = Version { digest: digest_of(&job.status), job: Arc::new(job), number: 0 };
        let mut watcher = Watcher::default();
        watcher.excuses.own_writes_unseen = !rules.waits_for_own_writes;
        let added = watcher.observe(Change::Job(stored.job.clone()));
        assert!(added.is_ok(), "{added:?}");
        World {
            cached: stored.clone(),
            stored,
            pods: Vec::new(),
            jobs_coming: VecDeque::new(),
            pods_coming: VecDeque::new(),
            cached_pods: Vec::new(),
            memory: JobMemory::default(),
            due: true,
            run: None,
            budget,
            watcher,
        }
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.stored.job.status.finished().is_some()
    }

    /// Everything that may happen next.
    pub(crate) fn choices(&self) -> Vec<Choice> {
        let mut choices = Vec::new();
        choices.extend((!self.jobs_coming.is_empty()).then_some(Choice::JobEvent));
        choices.extend((!self.pods_coming.is_empty()).then_some(Choice::PodEvent));
        for pod in self.pods.iter().filter(|pod| pod.fate == Fate::Alive && !pod.gone) {
            choices.push(Choice::Ends(pod.number, Fate::Succeeded));
            if self.budget.failures > 0 || pod.deleting {
                choices.push(Choice::Ends(pod.number, Fate::Failed));
            }
        }
        match &self.run {
            None => choices.extend(self.due.then_some(Choice::Sync)),
            Some(run) => {
                let open = || run.outcomes.iter().enumerate().filter(|(_, outcome)| outcome.is_none());
                for (place, _) in open() {
                    choices.push(Choice::Call(place, Fortune::Done));
                    if self.budget.bad_calls > 0 {
                        choices.extend(
                            [Fortune::Refused, Fortune::AnswerLost].map(|how| Choice::Call(place, how)),
                        );
                    }
                }
                choices.extend(open().next().is_none().then_some(Choice::Resume));
            }
        }
        choices.extend((self.budget.crashes > 0 && !self.is_finished()).then_some(Choice::Crash));
        let orphans = self.pods.iter().filter(|pod| self.is_finished() && pod.tracked && !pod.gone);
        choices.extend(orphans.map(|pod| Choice::Orphan(pod.number)));
        choices
    }

    /// Lets it happen.
    pub(crate) fn take(&mut self, choice: Choice, rules: &Rules) -> Checked {
        match choice {
            Choice::JobEvent => {
                if let Some((version, _)) = self.jobs_coming.pop_front() {
                    (self.cached, self.due) = (version, true);
                }
                Ok(())
            }
            Choice::PodEvent => {
                self.pod_event();
                Ok(())
            }
            Choice::Ends(number, fate) => {
                let asked = self.pods.iter().any(|pod| pod.number == number && pod.deleting);
                self.budget.failures -= u8::from(fate == Fate::Failed && !asked);
                self.change_pod(number, false, |pod| pod.fate = fate)
            }
            Choice::Sync => self.sync(rules),
            Choice::Call(place, how) => self.call(place, how, rules),
            Choice::Resume => self.resume(rules),
            Choice::Crash => {
                self.crash();
                Ok(())
            }
            Choice::Orphan(number) => self.change_pod(number, false, |pod| pod.tracked = false),
        }
    }

    fn pod_event(&mut self) {
        let Some((pod, _)) = self.pods_coming.pop_front() else { return };
        let place = self.cached_pods.iter().position(|known| known.number == pod.number);
        let before = place.map(|place| self.cached_pods[place].facts());
        match (place, pod.gone) {
            (Some(place), true) => drop(self.cached_pods.remove(place)),
            (Some(place), false) => self.cached_pods[place] = pod,
            (None, true) => {}
            (None, false) => self.cached_pods.push(pod),
        }
        let after = (!pod.gone).then(|| pod.facts());
        self.memory.observe(before.as_ref(), after.as_ref(), self.cached.job.status.finished().is_some());
        self.due = true;
    }

    /// Commits a change of a Pod. One that has ended, is to go and has no finalizer is gone.
    fn change_pod(&mut self, number: u8, own: bool, change: impl FnOnce(&mut Pod)) -> Checked {
        let Some(pod) = self.pods.iter_mut().find(|pod| pod.number == number && !pod.gone) else {
            return Ok(());
        };
        let before = *pod;
        change(pod);
        let after = *pod;
        if after != before {
            self.pods_coming.push_back((after, own));
            self.watcher.observe(Change::Pod(after.seen()))?;
        }
        if after.deleting && !after.tracked && after.fate != Fate::Alive {
            let gone = Pod { gone: true, ..after };
            self.pods.iter_mut().filter(|pod| pod.number == number).for_each(|pod| *pod = gone);
            self.pods_coming.push_back((gone, false));
            self.watcher.observe(Change::PodGone(name(number)))?;
        }
        Ok(())
    }

    fn crash(&mut self) {
        self.budget.crashes -= 1;
        self.watcher.controllers_died();
        (self.run, self.memory, self.due) = (None, JobMemory::default(), true);
        self.cached = self.stored.clone();
        self.cached_pods = self.pods.iter().copied().filter(|pod| !pod.gone).collect();
        self.jobs_coming.clear();
        self.pods_coming.clear();
    }

    fn sync(&mut self, rules: &Rules) -> Checked {
        self.due = false;
        let behind =
            self.jobs_coming.iter().any(|(_, own)| *own) || self.pods_coming.iter().any(|(_, own)| *own);
        self.memory.awaits_own_writes = rules.waits_for_own_writes && behind;
        let run = Run {
            shown: self.cached.clone(),
            pods: self.cached_pods.clone(),
            memory: self.memory.clone(),
            answered: Vec::new(),
            calls: Vec::new(),
            outcomes: Vec::new(),
            version: self.cached.number,
        };
        let facts: Vec<PodFacts> = run.pods.iter().map(|pod| pod.facts()).collect();
        let view = JobView::new(&run.shown.job, &facts, &rules.settings);
        self.watcher.sync_begins(view, run.memory.expectations.satisfied(NOW), NOW);
        let step = run.step(rules);
        self.next(run, step, rules)
    }

    fn resume(&mut self, rules: &Rules) -> Checked {
        let Some(mut run) = self.run.take() else { return Ok(()) };
        let outcomes: Vec<Outcome> = run.outcomes.drain(..).flatten().collect();
        self.watcher.answered("job", &outcomes, NOW)?;
        run.answered.push(outcomes);
        let step = run.step(rules);
        self.next(run, step, rules)
    }

    fn next(&mut self, mut run: Run, step: job::Step, rules: &Rules) -> Checked {
        match step {
            Step::Finished(finished) => {
                self.watcher.sync_ends("job", &finished)?;
                self.memory.apply(&finished.memory);
                self.due |= finished.wake.retry || finished.wake.at.is_some();
                Ok(())
            }
            Step::Wave(wave, _) => {
                self.watcher.wave("job", &wave)?;
                self.expect(&wave, rules.mistake);
                run.outcomes = vec![None; wave.calls.len()];
                run.calls = wave.calls;
                self.run = Some(run);
                Ok(())
            }
        }
    }

    fn expect(&mut self, wave: &Wave<Call>, mistake: Mistake) {
        let mut expect = wave.expect.clone();
        match mistake {
            Mistake::ForgetsCreations => expect.creations = expect.creations.map(|_| 0),
            Mistake::ForgetsFinalizers => expect.finalizer_removals = false,
            Mistake::None | Mistake::BelievesInSuccess => {}
        }
        self.memory.expect(&expect, &wave.calls, NOW);
    }

    fn call(&mut self, place: usize, how: Fortune, rules: &Rules) -> Checked {
        let Some((call, mut run)) =
            self.run.take().and_then(|run| Some((run.calls.get(place)?.clone(), run)))
        else {
            return Ok(());
        };
        self.budget.bad_calls -= u8::from(how != Fortune::Done);
        let mut checked = Ok(());
        let mut outcome = failed(CallErrorKind::Other);
        if how != Fortune::Refused {
            (outcome, checked) = self.carry_out(&call, &mut run, how == Fortune::Done, rules);
        }
        if how == Fortune::AnswerLost {
            self.watcher.excuses.answer_lost = true;
            outcome = failed(CallErrorKind::Other);
        }
        if rules.mistake == Mistake::BelievesInSuccess && !matches!(call, Call::CreatePod(_)) {
            outcome = Outcome::done();
        }
        run.outcomes[place] = Some(outcome);
        self.run = Some(run);
        checked
    }

    fn carry_out(&mut self, call: &Call, run: &mut Run, heard: bool, rules: &Rules) -> (Outcome, Checked) {
        let number = |pod: &PodRef| pod.uid().trim_start_matches('p').parse().unwrap_or(0);
        match call {
            Call::CreatePod(create) if self.pods.len() < rules.most_pods => {
                let index = create.index.and_then(|index| u8::try_from(index).ok());
                let number = self.pods.len() as u8 + 1;
                let pod =
                    Pod { number, index, fate: Fate::Alive, deleting: false, tracked: true, gone: false };
                self.pods.push(pod);
                self.pods_coming.push_back((pod, heard));
                (
                    Outcome::Done { name: (*name(number)).into() },
                    self.watcher.observe(Change::Pod(pod.seen())),
                )
            }
            Call::DeletePod(pod) => self.touch(number(pod), false, |pod| pod.deleting = true),
            Call::RemoveFinalizer(pod) => self.touch(number(pod), heard, |pod| pod.tracked = false),
            Call::WriteStatus(status) if run.version == self.stored.number => {
                let job = Arc::new(Job { status: (**status).clone(), ..(*self.stored.job).clone() });
                self.stored = Version { digest: digest_of(&job.status), job, number: self.stored.number + 1 };
                if heard {
                    run.version = self.stored.number;
                }
                self.jobs_coming.push_back((self.stored.clone(), heard));
                (Outcome::done(), self.watcher.observe(Change::Job(self.stored.job.clone())))
            }
            Call::WriteStatus(_) => (failed(CallErrorKind::Conflict), Ok(())),
            // There is room for no more Pods: a quota refuses them.
            _ => (failed(CallErrorKind::Other), Ok(())),
        }
    }

    fn touch(&mut self, number: u8, own: bool, change: impl FnOnce(&mut Pod)) -> (Outcome, Checked) {
        if self.pods.iter().any(|pod| pod.number == number && !pod.gone) {
            (Outcome::done(), self.change_pod(number, own, change))
        } else {
            (failed(CallErrorKind::NotFound), Ok(()))
        }
    }

    /// What tells this state from others: versions count by how far they are behind only.
    pub(crate) fn digest(&self) -> u128 {
        let (mut low, mut high) = (std::hash::DefaultHasher::new(), std::hash::DefaultHasher::new());
        high.write_u8(1);
        for hasher in [&mut low, &mut high] {
            self.feed(hasher);
        }
        u128::from(low.finish()) << 64 | u128::from(high.finish())
    }

    fn feed(&self, hasher: &mut impl Hasher) {
        (self.stored.digest, self.cached.digest, self.stored.number - self.cached.number).hash(hasher);
        self.jobs_coming.iter().for_each(|(version, own)| (version.digest, own).hash(hasher));
        (&self.pods, &self.pods_coming, &self.cached_pods, self.due, self.budget).hash(hasher);
        feed_memory(&self.memory, hasher);
        self.watcher.feed(hasher);
        let Some(run) = &self.run else { return };
        (run.shown.digest, self.stored.number - run.version, &run.pods).hash(hasher);
        feed_memory(&run.memory, hasher);
        for outcome in run.answered.iter().flatten().map(Some).chain(run.outcomes.iter().map(Option::as_ref))
        {
            format!("{outcome:?}").hash(hasher);
        }
    }
}

fn feed_memory(memory: &JobMemory, hasher: &mut impl Hasher) {
    let expectations = &memory.expectations;
    (expectations.creations, expectations.deletions, expectations.since.is_some()).hash(hasher);
    (&memory.finalizers_being_removed, memory.finish_recorded.is_some(), memory.awaits_own_writes)
        .hash(hasher);
    memory.backoff.as_ref().map(|record| record.failures_after_last_success).hash(hasher);
}

impl Run {
    /// The machine is run again from the start: it is a function of what it was shown and told.
    fn step(&self, rules: &Rules) -> job::Step {
        let facts: Vec<PodFacts> = self.pods.iter().map(|pod| pod.facts()).collect();
        let view = JobView::new(&self.shown.job, &facts, &rules.settings);
        let mut step = job::begin(view, &self.memory, NOW, &mut ());
        for outcomes in &self.answered {
            step = match step {
                Step::Wave(_, paused) => paused.resume(view, outcomes, NOW, &mut ()),
                finished => finished,
            };
        }
        step
    }
}
