//! The control plane: the controllers with their caches, queues and calls, garbage collection, faults, and what users
//! do.

use crate::World;
use crate::store::{ObjectChange, PodChange};
use policy_core::Timestamp;

mod calls;
mod cron_job_controller;
pub(crate) mod fault;
mod garbage;
mod informer;
mod job_controller;
mod mind;
mod orphan_pods;
mod patch;
mod process;
#[cfg(test)]
mod tests;
mod ttl_controller;
mod users;
mod watch;

pub use informer::Resource;
pub use mind::JobMind;
pub use users::{Applied, Deletion, Selection};

pub(crate) use informer::{Informer, Key};

use calls::CallId;
use cron_job_controller::CronJobController;
use fault::Faults;
use garbage::Garbage;
use job_controller::JobController;
use orphan_pods::OrphanPods;
use ttl_controller::TtlController;

/// Something due in the control plane.
#[derive(Clone, Debug)]
pub(crate) enum Due {
    /// A watch shows what has come in.
    Watch(Resource),
    /// A watch that was held up goes on.
    Thaw(Resource),
    /// A key's delay in a work queue is over.
    Timer(Timer),
    /// A call of the controllers reaches the API server.
    Call(u64, CallId),
    /// The answers of a wave are in.
    Answered(u64, Worker),
    /// The garbage collector acts.
    Garbage(garbage::Task),
    /// The controllers die, with this said about calls under way.
    Crash(fault::InFlight, i64),
    /// The controllers start again.
    Restart(u64),
}

/// Whose key comes up again.
#[derive(Clone, Debug)]
pub(crate) enum Timer {
    /// The Job controller's.
    Job(Key),
    /// The CronJob controller's.
    CronJob(Key),
    /// The TTL controller's.
    Ttl(Key),
    /// The orphans'.
    Orphan(orphan_pods::OrphanKey),
}

/// Who waits for answers.
#[derive(Clone, Debug)]
pub(crate) enum Worker {
    /// The sync of a Job.
    Job(Key),
    /// The sync of a CronJob.
    CronJob(Key),
}

/// The control plane's state.
#[derive(Clone, Debug)]
pub(crate) struct Control {
    /// Counts the lives of the controllers: what was planned in an earlier one is void.
    pub(crate) epoch: u64,
    /// Whether the controllers run.
    pub(crate) up: bool,
    /// How far the controllers' clock is ahead.
    pub(crate) skew_nanos: i64,
    pub(crate) informer: Informer,
    pub(crate) jobs: JobController,
    pub(crate) cron_jobs: CronJobController,
    pub(crate) ttl: TtlController,
    pub(crate) orphans: OrphanPods,
    pub(crate) garbage: Garbage,
    pub(crate) faults: Faults,
}

impl Control {
    pub(crate) fn new(config: &crate::config::ControllerConfig) -> Self {
        Control {
            epoch: 0,
            up: true,
            skew_nanos: 0,
            informer: Informer::default(),
            jobs: JobController::new(config),
            cron_jobs: CronJobController::new(config),
            ttl: TtlController::new(config),
            orphans: OrphanPods::new(config),
            garbage: Garbage::default(),
            faults: Faults::default(),
        }
    }

    /// Whether any controller works on something right now.
    pub(crate) fn is_idle(&self) -> bool {
        self.jobs.queue.is_idle() && self.cron_jobs.queue.is_idle()
    }

    /// Whether something due still means anything. What does not must not move the clock.
    pub(crate) fn is_live(&self, due: &Due, at: Timestamp) -> bool {
        match due {
            Due::Timer(Timer::Job(key)) => self.jobs.queue.waits(key, at),
            Due::Timer(Timer::CronJob(key)) => self.cron_jobs.queue.waits(key, at),
            Due::Timer(Timer::Ttl(key)) => self.ttl.queue.waits(key, at),
            Due::Timer(Timer::Orphan(key)) => self.orphans.queue.waits(key, at),
            Due::Call(epoch, _) | Due::Answered(epoch, _) | Due::Restart(epoch) => *epoch == self.epoch,
            Due::Watch(resource) => self.up && self.informer.watch(*resource).has_pending(),
            Due::Thaw(_) | Due::Garbage(_) | Due::Crash(..) => true,
        }
    }
}

/// Does what is due.
pub(crate) fn handle(world: &mut World, due: Due) {
    match due {
        Due::Watch(resource) => watch::deliver(world, resource),
        Due::Thaw(resource) => watch::thaw(world, resource),
        Due::Timer(timer) => process::timer(world, timer),
        Due::Call(_, call) => calls::arrive(world, call),
        Due::Answered(_, Worker::Job(key)) => job_controller::resume(world, &key),
        Due::Answered(_, Worker::CronJob(key)) => cron_job_controller::resume(world, &key),
        Due::Garbage(task) => garbage::act(world, task),
        Due::Crash(in_flight, down_nanos) => process::crash(world, in_flight, down_nanos),
        Due::Restart(_) => process::restart(world),
    }
    process::work(world);
}

/// Takes note of a change of a Pod; controllers see it after the watch's latency.
pub(crate) fn observe_pod(world: &mut World, change: &PodChange) {
    garbage::observe_pod(world, change);
    watch::note_pod(world, change);
}

/// Takes note of a change of another object.
pub(crate) fn observe_object(world: &mut World, change: &ObjectChange) {
    garbage::observe_object(world, change);
    watch::note_object(world, change);
}
