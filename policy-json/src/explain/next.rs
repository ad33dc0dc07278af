//! What comes next to a Job, and when.

use super::count_of;
use policy_core::job::{Claim, JobVerdict, JobView, Plan, PodFacts, decide};
use policy_core::spec::{Job, condition};
use policy_core::ttl::{self, Source, TtlDecision};
use policy_core::{JobMemory, Timestamp};
use serde::Serialize;

/// Something that comes next.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Next {
    /// When; absent when it waits for something else to happen.
    pub at: Option<Timestamp>,
    /// What, as a clause: `2 Pods are created`.
    pub what: String,
    /// Whether it is bookkeeping, which a summary passes over.
    #[serde(skip)]
    pub(super) minor: bool,
}

impl Next {
    pub(super) fn new(at: Option<Timestamp>, what: impl Into<String>) -> Self {
        Next { at, what: what.into(), minor: false }
    }

    /// The clause with its time: `in 37s …`, `… now`, `when …`.
    pub fn in_words(&self, now: Timestamp) -> String {
        match self.at {
            Some(at) if at > now => format!("in {} {}", wait(at, now), self.what),
            Some(_) => format!("{} now", self.what),
            None => format!("when {}", self.what),
        }
    }
}

/// The time from `now` to `at` in words, in whole seconds when it is longer than one.
pub fn wait(at: Timestamp, now: Timestamp) -> String {
    let millis = at.nanos_since(now) / 1_000_000;
    crate::duration(if millis > 1_000 { (millis + 999) / 1_000 * 1_000 } else { millis })
}

/// What is looked at to tell what comes next.
pub(super) struct Outlook<'a> {
    pub(super) view: JobView<'a>,
    pub(super) memory: &'a JobMemory,
    pub(super) plan: &'a Plan,
    pub(super) now: Timestamp,
}

impl Outlook<'_> {
    /// What comes next, the soonest first; what waits for something else comes last.
    pub(super) fn all(&self) -> Vec<Next> {
        let mut next = Vec::new();
        next.extend(done_now(self.plan, self.view.job).map(|next| Next { at: Some(self.now), ..next }));
        let wake = &self.plan.end.wake;
        next.extend(wake.backoff_ends_at.map(|at| Next::new(Some(at), self.at_end_of_backoff(at))));
        let deadline = "`spec.activeDeadlineSeconds` is over and the Job fails, unless it has ended";
        next.extend(wake.deadline_at.map(|at| Next::new(Some(at), deadline)));
        next.extend(self.time_to_live());
        next.sort_by_key(|next| next.at);
        next.extend(self.waiting_for());
        next
    }

    /// What the sync at the end of the back-off will do if nothing else happens until then.
    fn at_end_of_backoff(&self, at: Timestamp) -> String {
        let mut job = self.view.job.clone();
        if let Some(status) = self.plan.status_updates.last() {
            job.status = status.clone();
        }
        let removed = |pod: &PodFacts| self.plan.remove_finalizer.contains(&pod.pod);
        let pods: Vec<PodFacts> = self
            .view
            .pods
            .iter()
            .map(|pod| PodFacts { has_finalizer: pod.has_finalizer && !removed(pod), ..pod.clone() })
            .collect();
        let mut memory = self.memory.clone();
        memory.apply(&self.plan.end.memory);
        let view = JobView::new(&job, &pods, self.view.settings);
        let then = decide(view, &memory, at, &mut ());
        let failures = memory.backoff.as_ref().map_or(0, |record| record.failures_after_last_success);
        let after = match failures {
            0 => "the back-off".to_owned(),
            failures => {
                format!("the back-off after {}", count_of(failures.unsigned_abs() as usize, "failure"))
            }
        };
        match then.create.len() {
            0 => format!("{after} ends"),
            1 => format!("{after} ends and 1 Pod is created"),
            count => format!("{after} ends and {count} Pods are created"),
        }
    }

    fn time_to_live(&self) -> Option<Next> {
        let over = "the Job's time to live is over and it is deleted";
        match ttl::decide(self.view.job, Source::Cache, self.now, &mut ()) {
            Ok(TtlDecision::WakeAt(at)) => Some(Next::new(Some(at), over)),
            Ok(TtlDecision::ReadLive | TtlDecision::Delete(_)) => Some(Next::new(Some(self.now), over)),
            Ok(_) => None,
            Err(error) => {
                let what = format!("the time to live cannot be counted ({})", error.message);
                Some(Next::new(Some(self.now), what))
            }
        }
    }

    /// What has to happen elsewhere before the Job goes on.
    fn waiting_for(&self) -> Option<Next> {
        let what = match &self.plan.end.verdict {
            JobVerdict::ManagedElsewhere(controller) => format!("`{controller}` acts: it manages the Job"),
            JobVerdict::UnknownCompletionMode => "`spec.completionMode` is one that is known".to_owned(),
            JobVerdict::AlreadyFinished | JobVerdict::Completed | JobVerdict::Failed => return None,
            _ => return self.waiting_for_pods(),
        };
        Some(Next::new(None, what))
    }

    fn waiting_for_pods(&self) -> Option<Next> {
        let job = self.view.job;
        let owned = || self.view.pods.iter().filter(|pod| pod.claim == Claim::Owned);
        let deleted = |pod: &&PodFacts| self.plan.delete.contains(&pod.pod);
        let active = owned().filter(|pod| pod.is_active() && !deleted(pod)).count() + self.plan.create.len();
        let going = owned().filter(|pod| pod.is_terminating() || pod.is_active() && deleted(pod)).count();
        let what = if job.metadata.is_deleting() {
            "its Pods are gone, and the Job goes".to_owned()
        } else if ends(self.plan, job) && going > 0 {
            format!("{}, and the Job's end is declared", have_ended(going))
        } else if job.spec.is_suspended() {
            "`spec.suspend` is set to false".to_owned()
        } else if active == 1 {
            "its Pod ends".to_owned()
        } else if active > 1 {
            format!("one of its {active} Pods ends")
        } else if going > 0 {
            have_ended(going)
        } else if self.plan.end.wake == Default::default() {
            "something changes".to_owned()
        } else {
            return None;
        };
        Some(Next::new(None, what))
    }
}

/// Whether the Job is on its way to its end.
pub(super) fn ends(plan: &Plan, job: &Job) -> bool {
    let status = plan.status_updates.last().unwrap_or(&job.status);
    [condition::FAILURE_TARGET, condition::SUCCESS_CRITERIA_MET]
        .iter()
        .any(|kind| status.condition(kind).is_some_and(|condition| condition.is_true()))
}

fn have_ended(going: usize) -> String {
    match going {
        1 => "the Pod that is being deleted has ended".to_owned(),
        _ => format!("the {going} Pods that are being deleted have ended"),
    }
}

/// What a plan does, as one clause; `None` when it does nothing.
fn done_now(plan: &Plan, job: &Job) -> Option<Next> {
    let mut parts = Vec::new();
    let mut add = |count: usize, done: &str| {
        if count > 0 {
            parts.push(format!(
                "{} {} {done}",
                count_of(count, "Pod"),
                if count == 1 { "is" } else { "are" }
            ));
        }
    };
    add(plan.adopt.len(), "adopted");
    add(plan.release.len(), "released");
    add(plan.delete.len(), "deleted");
    add(plan.create.len(), "created");
    match plan.end.verdict {
        JobVerdict::Completed => parts.push("the Job completes".to_owned()),
        JobVerdict::Failed => parts.push("the Job fails".to_owned()),
        _ => {}
    }
    if let Some(error) = &plan.end.error {
        parts.push(format!("the sync fails and is tried again ({})", error.message));
    }
    let minor = parts.is_empty();
    match plan.remove_finalizer.iter().filter(|pod| !plan.delete.contains(pod)).count() {
        0 => {}
        1 => parts.push("the finalizer of 1 Pod goes".to_owned()),
        lost => parts.push(format!("the finalizers of {lost} Pods go")),
    }
    if parts.is_empty() && plan.status_updates.last().is_some_and(|status| *status != job.status) {
        parts.push("the status is brought up to date".to_owned());
    }
    let last = parts.pop()?;
    let what = if parts.is_empty() { last } else { format!("{} and {last}", parts.join(", ")) };
    Some(Next { minor, ..Next::new(None, what) })
}

/// The first thing to come that is worth a summary.
pub(super) fn first(next: &[Next]) -> Option<&Next> {
    next.iter().find(|next| !next.minor).or(next.first())
}
