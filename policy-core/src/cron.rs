//! CronJob decisions: schedules, missed runs, concurrency, history.
//!
//! A sync is a machine that pauses for calls: [`begin`] and [`Paused::resume`] hand out waves of calls until the sync
//! is [`Finished`]. The order of the rules is upstream's `sync`: clean-up (`history`), the active list (`children`),
//! the reasons against a run (`due`), the run (`create`). [`decide`] is the whole sync with every call succeeding.

use crate::Timestamp;
use crate::explain::Recorder;
use alloc::vec::Vec;
use machine::{Machine, Stage, Sync};

mod call;
mod children;
mod civil;
mod create;
mod decide;
mod due;
pub(crate) mod go_text;
mod history;
mod machine;
mod missed;
mod new_job;
mod schedule;
mod update;
mod zone;

pub use call::{Call, ChildJob, CronJobView, Finished, Outcome, Requeue, SyncError};
pub use decide::{LiveObjects, Plan, Server, decide, run};
pub use machine::Paused;
pub use new_job::{NewJob, job_name};
pub(crate) use schedule::mentions_zone;
pub use schedule::{NextTime, ResolveError, Schedule, ScheduleError, resolve_schedule};
pub use update::{OnUpdate, on_update};
pub use zone::{Period, TimeZones, UtcOnly, Zone, ZoneError, ZoneId};

/// What to do next in the sync of a CronJob.
pub type Step = crate::step::Step<Paused, Call, Finished>;

/// Starts the sync of a CronJob (upstream `ControllerV2.sync`).
pub fn begin(view: CronJobView<'_>, now: Timestamp, zones: &dyn TimeZones, rec: &mut impl Recorder) -> Step {
    history::begin(Machine { view, zones, rec, sync: Sync::new(view, now) })
}

impl Paused {
    /// Goes on with the outcomes of the wave's calls, in their order, and the view that [`begin`] was given. An
    /// outcome that is missing or does not fit its call counts as failed. `now` matters after clean-up only, when
    /// upstream reads its clock.
    pub fn resume(
        self,
        view: CronJobView<'_>,
        outcomes: Vec<Outcome>,
        now: Timestamp,
        zones: &dyn TimeZones,
        rec: &mut impl Recorder,
    ) -> Step {
        let Paused { sync, stage } = self;
        let machine = Machine { view, zones, rec, sync };
        match stage {
            Stage::Cleanup(jobs) => history::cleaned_up(machine, jobs, outcomes, now),
            Stage::FreshCopy { index } => children::fresh_copy(machine, index, only(outcomes)),
            Stage::ActiveJobs(references) => children::active_jobs_read(machine, &references, outcomes),
            Stage::ReplacedJob { due, rest } => create::replaced_job_read(machine, due, rest, only(outcomes)),
            Stage::Replacement { due, job, rest } => {
                create::replaced(machine, due, job, rest, only(outcomes))
            }
            Stage::Create(due) => create::created(machine, due, only(outcomes)),
            Stage::ExistingJob(due) => create::existing_job(machine, due, only(outcomes)),
            Stage::StatusWrite(finished) => machine.status_written(*finished, only(outcomes)),
        }
    }
}

/// The outcome of a wave of one call.
fn only(outcomes: Vec<Outcome>) -> Outcome {
    outcomes.into_iter().next().unwrap_or_else(Outcome::missing)
}
