//! A whole sync at once: the reading in which every call succeeds.

use super::create::PodCreate;
use super::outcome::{Finished, JobVerdict};
use super::pod_ref::PodRef;
use super::{Call, JobView, Step, begin};
use crate::Timestamp;
use crate::explain::Recorder;
use crate::memory::JobMemory;
use crate::spec::JobStatus;
use crate::step::{Event, Outcome};
use alloc::string::String;
use alloc::vec::Vec;

/// What one sync does when every call succeeds, by kind of call, each in the order in which the calls go out.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Pods to adopt.
    pub adopt: Vec<PodRef>,
    /// Pods to release.
    pub release: Vec<PodRef>,
    /// Pods to create.
    pub create: Vec<PodCreate>,
    /// Pods to delete.
    pub delete: Vec<PodRef>,
    /// Pods that lose the tracking finalizer, be it because they are counted or deleted.
    pub remove_finalizer: Vec<PodRef>,
    /// The statuses to write, in order: none, one or two.
    pub status_updates: Vec<JobStatus>,
    /// Events about the Job, without those of the creation and deletion of single Pods, whose names are not known yet.
    pub events: Vec<Event>,
    /// How the sync ends.
    pub end: Finished,
}

/// Outcomes for a wave in which every call succeeds. Shared, so that a plan of 500 creations makes none of its own.
static ALL_DONE: [Outcome; 512] = [const { Outcome::Done { name: String::new() } }; 512];

/// Events of single Pods: a plan leaves them to the driver, which knows the names.
const POD_EVENTS: [&str; 2] = ["SuccessfulCreate", "SuccessfulDelete"];

/// Decides a whole sync, taking every call to succeed at `now`.
///
/// ```
/// use policy_core::job::{JobView, decide};
/// use policy_core::{JobMemory, Settings, Timestamp, spec::Job};
/// let job: Job = serde_json::from_str(r#"{"metadata":{"name":"j","namespace":"default","uid":"u"},
///     "spec":{"completions":3,"parallelism":2,"selector":{},"template":{}}}"#).unwrap();
/// let view = JobView::new(&job, &[], &Settings::DEFAULT);
/// let now = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
/// let plan = decide(view, &JobMemory::default(), now, &mut ());
/// assert_eq!(plan.create.len(), 2);
/// assert_eq!(plan.status_updates[0].active, 2);
/// ```
pub fn decide<R: Recorder>(view: JobView<'_>, memory: &JobMemory, now: Timestamp, rec: &mut R) -> Plan {
    let mut plan = Plan::default();
    let mut step = begin(view, memory, now, rec);
    loop {
        match step {
            Step::Finished(end) => {
                plan.take_events(end.events.iter().cloned());
                plan.end = end;
                return plan;
            }
            Step::Wave(wave, paused) => {
                plan.take_events(wave.events.into_iter());
                let creations = wave.expect.creations.and_then(|count| usize::try_from(count).ok());
                plan.create.reserve(creations.unwrap_or(0));
                let count = wave.calls.len();
                let read = plan.take(wave.calls, view);
                step = match (read, ALL_DONE.get(..count)) {
                    (None, Some(done)) => paused.resume(view, done, now, rec),
                    (read, _) => {
                        let mut outcomes = alloc::vec![Outcome::done(); count];
                        if let (Some(read), Some(last)) = (read, outcomes.last_mut()) {
                            *last = read;
                        }
                        paused.resume(view, &outcomes, now, rec)
                    }
                };
            }
        }
    }
}

impl Plan {
    /// Files the calls of a wave. The live read, which comes last in its wave, is answered with the Job as it is seen.
    fn take(&mut self, calls: Vec<Call>, view: JobView<'_>) -> Option<Outcome> {
        let mut read = None;
        if self.remove_finalizer.is_empty() && matches!(calls.first(), Some(Call::RemoveFinalizer(_))) {
            // A wave of them has no other calls; the list takes their place in memory.
            self.remove_finalizer = calls
                .into_iter()
                .filter_map(|call| match call {
                    Call::RemoveFinalizer(pod) => Some(pod),
                    _ => None,
                })
                .collect();
            return None;
        }
        for call in calls {
            match call {
                Call::ReadJob => {
                    let meta = &view.job.metadata;
                    let deletion_timestamp = meta.deletion_timestamp;
                    read = Some(Outcome::Read { uid: meta.uid.clone(), deletion_timestamp });
                }
                Call::Adopt(pod) => self.adopt.push(pod),
                Call::Release(pod) => self.release.push(pod),
                Call::CreatePod(create) => self.create.push(create),
                Call::DeletePod(pod) => self.delete.push(pod),
                Call::RemoveFinalizer(pod) => self.remove_finalizer.push(pod),
                Call::WriteStatus(status) => self.status_updates.push(*status),
            }
        }
        read
    }

    fn take_events(&mut self, events: impl Iterator<Item = Event>) {
        self.events.extend(events.filter(|event| !POD_EVENTS.contains(&event.reason.as_str())));
    }
}

impl Default for Plan {
    fn default() -> Self {
        Plan {
            adopt: Vec::new(),
            release: Vec::new(),
            create: Vec::new(),
            delete: Vec::new(),
            remove_finalizer: Vec::new(),
            status_updates: Vec::new(),
            events: Vec::new(),
            end: Finished {
                memory: Default::default(),
                wake: Default::default(),
                verdict: JobVerdict::Continues,
                events: Vec::new(),
                counted: super::outcome::Counted::new(&Default::default()),
                error: None,
            },
        }
    }
}
