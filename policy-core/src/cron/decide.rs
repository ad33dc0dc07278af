//! Driving a sync to its end, for callers whose server answers at once.

use super::call::{Call, CronJobView, Finished, Outcome};
use super::zone::TimeZones;
use super::{Step, begin};
use crate::Timestamp;
use crate::explain::Recorder;
use crate::spec::{CronJob, ObjectMeta};
use crate::step::{CallError, CallErrorKind, Event};
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Answers calls at once.
pub trait Server {
    /// Carries a call out.
    fn carry_out(&mut self, call: &Call) -> Outcome;
}

/// A whole sync: what it asked for, in order, and how it ended.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Every call, each with whether it was carried out.
    pub calls: Vec<(Call, bool)>,
    /// The end; its events are those of the whole sync, in order.
    pub finished: Finished,
}

/// Runs a sync against a server. The clock stands still.
pub fn run(
    view: CronJobView<'_>,
    server: &mut impl Server,
    now: Timestamp,
    zones: &dyn TimeZones,
    rec: &mut impl Recorder,
) -> Plan {
    let mut calls = Vec::new();
    let mut events: Vec<Event> = Vec::new();
    let mut step = begin(view, now, zones, rec);
    loop {
        match step {
            Step::Wave(wave, paused) => {
                events.extend(wave.events);
                let outcomes: Vec<Outcome> = wave.calls.iter().map(|call| server.carry_out(call)).collect();
                let carried_out = outcomes.iter().map(|outcome| !matches!(outcome, Outcome::Failed(_)));
                calls.extend(wave.calls.into_iter().zip(carried_out));
                step = paused.resume(view, outcomes, now, zones, rec);
            }
            Step::Finished(finished) => {
                events.extend(finished.events);
                return Plan { calls, finished: Finished { events, ..finished } };
            }
        }
    }
}

/// What a sync does when the server has these objects and every call to it succeeds.
///
/// ```
/// use policy_core::Timestamp;
/// use policy_core::cron::{Call, CronJobView, LiveObjects, UtcOnly, decide};
/// use policy_core::spec::CronJob;
///
/// let cron_job: CronJob = serde_json::from_str(
///     r#"{"metadata":{"name":"hello","namespace":"default","creationTimestamp":"2026-01-01T00:00:30Z"},
///         "spec":{"schedule":"* * * * *"}}"#,
/// ).unwrap();
/// let view = CronJobView { cron_job: &cron_job, jobs: &[] };
/// let now = Timestamp::parse("2026-01-01T00:01:00Z").unwrap();
/// let plan = decide(view, LiveObjects::default(), now, &UtcOnly, &mut ());
/// assert!(matches!(&plan.calls[0].0, Call::CreateJob { job, .. } if job.metadata.name == "hello-29453761"));
/// assert_eq!(plan.finished.requeue.unwrap().at.to_rfc3339_nano(), "2026-01-01T00:02:00.1Z");
/// ```
pub fn decide(
    view: CronJobView<'_>,
    mut live: LiveObjects<'_>,
    now: Timestamp,
    zones: &dyn TimeZones,
    rec: &mut impl Recorder,
) -> Plan {
    run(view, &mut live, now, zones, rec)
}

/// The objects that a server has, in which every call succeeds that the objects allow.
///
/// A Job that is created gets the UID `uid-of-NAME` and the resource version `1000`, for want of a server that
/// chooses them.
#[derive(Clone, Debug, Default)]
pub struct LiveObjects<'a> {
    /// The CronJob, unless it is gone.
    pub cron_job: Option<&'a CronJob>,
    /// Every Job of the namespace.
    pub jobs: Vec<&'a ObjectMeta>,
    created: Vec<ObjectMeta>,
    deleted: BTreeSet<String>,
}

impl<'a> LiveObjects<'a> {
    /// A server with these objects.
    pub fn new(cron_job: Option<&'a CronJob>, jobs: Vec<&'a ObjectMeta>) -> Self {
        LiveObjects { cron_job, jobs, ..LiveObjects::default() }
    }

    fn job(&self, name: &str) -> Option<&ObjectMeta> {
        let jobs = self.jobs.iter().copied().filter(|job| !self.deleted.contains(&job.name));
        jobs.chain(&self.created).find(|job| job.name == name)
    }
}

impl Server for LiveObjects<'_> {
    fn carry_out(&mut self, call: &Call) -> Outcome {
        match call {
            Call::GetJob { name, .. } => match self.job(name) {
                Some(job) => Outcome::Job(Box::new(job.clone())),
                None => not_found("jobs.batch", name),
            },
            Call::GetCronJob { name, .. } => match self.cron_job {
                Some(cron_job) => Outcome::CronJob(Box::new(cron_job.clone())),
                None => not_found("cronjobs.batch", name),
            },
            Call::DeleteJob { name, .. } => match self.job(name) {
                Some(_) => {
                    self.created.retain(|job| job.name != *name);
                    self.deleted.insert(name.clone());
                    Outcome::Done
                }
                None => not_found("jobs.batch", name),
            },
            Call::CreateJob { job, .. } if self.job(&job.metadata.name).is_some() => {
                let message = format!("jobs.batch \"{}\" already exists", job.metadata.name);
                Outcome::Failed(CallError { kind: CallErrorKind::AlreadyExists, message })
            }
            Call::CreateJob { namespace, job } => {
                let created = ObjectMeta {
                    namespace: namespace.clone(),
                    uid: format!("uid-of-{}", job.metadata.name),
                    resource_version: "1000".into(),
                    ..job.metadata.clone()
                };
                self.created.push(created.clone());
                Outcome::Job(Box::new(created))
            }
            Call::UpdateStatus(_) => Outcome::Done,
        }
    }
}

fn not_found(resource: &str, name: &str) -> Outcome {
    let message = format!("{resource} \"{name}\" not found");
    Outcome::Failed(CallError { kind: CallErrorKind::NotFound, message })
}
