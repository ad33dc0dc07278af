//! Whether a run is due (the second half of upstream `syncCronJob`, up to the creation).

use super::Step;
use super::create::{self, Due};
use super::go_text::quote;
use super::machine::Machine;
use super::missed::{MANY_MISSED, NEVER_FIRES, most_recent, starting_deadline};
use super::new_job::job_name;
use super::schedule::{Schedule, mentions_zone, schedule_text};
use super::zone::Zone;
use crate::explain::{Recorder, Rule};
use crate::step::Event;
use crate::{Timestamp, seconds_to_nanos};
use alloc::boxed::Box;
use alloc::format;

/// Goes through the reasons against a run, in upstream's order.
pub(super) fn check<R: Recorder>(mut machine: Machine<'_, R>) -> Step {
    if is_deleting(&mut machine) || has_unknown_zone(&mut machine) || is_suspended(&mut machine) {
        return machine.stop();
    }
    let Some(schedule) = parse_schedule(&mut machine) else { return machine.stop() };
    let scheduled = match due_time(&mut machine, &schedule) {
        Ok(Some(scheduled)) => scheduled,
        Ok(None) => return machine.stop_until_next_run(&schedule),
        Err(NeverFires) => return machine.stop(),
    };
    let is_refused = is_too_late(&mut machine, scheduled)
        || is_started(&mut machine, scheduled)
        || is_forbidden(&mut machine);
    if is_refused {
        return machine.stop_until_next_run(&schedule);
    }
    create::replace_active(machine, Box::new(Due { schedule, scheduled }))
}

fn is_deleting<R: Recorder>(machine: &mut Machine<'_, R>) -> bool {
    let deletion = machine.sync.cron_job(machine.view).metadata.deletion_timestamp;
    machine.rec.note(Rule::CronJobDeleting, deletion.is_some(), |e| {
        e.value("metadata.deletionTimestamp", deletion.map_or("unset".into(), Timestamp::to_rfc3339_nano));
    });
    deletion.is_some()
}

fn has_unknown_zone<R: Recorder>(machine: &mut Machine<'_, R>) -> bool {
    let Some(name) = machine.sync.cron_job(machine.view).spec.time_zone.as_deref() else { return false };
    let error = Zone::load(name, machine.zones).err();
    machine.rec.note(Rule::UnknownTimeZone, error.is_some(), |e| {
        e.value("spec.timeZone", name);
    });
    let Some(error) = error else { return false };
    let message = format!("invalid timeZone: {}: {error}", quote(name));
    machine.emit(Event::warning("UnknownTimeZone", message));
    true
}

fn is_suspended<R: Recorder>(machine: &mut Machine<'_, R>) -> bool {
    let suspend = machine.sync.cron_job(machine.view).spec.suspend == Some(true);
    machine.rec.note(Rule::CronJobSuspended, suspend, |e| {
        e.value("spec.suspend", suspend);
    });
    suspend
}

/// The schedule, unless it does not parse, which is reported.
fn parse_schedule<R: Recorder>(machine: &mut Machine<'_, R>) -> Option<Schedule> {
    let spec = &machine.sync.cron_job(machine.view).spec;
    let text = spec.schedule.clone();
    let names_zone = mentions_zone(&text);
    machine.rec.note(Rule::TimeZoneInSchedule, names_zone, |e| {
        e.value("spec.schedule", &text);
    });
    let parsed = Schedule::parse(&schedule_text(&text, spec.time_zone.as_deref()), machine.zones);
    machine.rec.note(Rule::UnparseableSchedule, parsed.is_err(), |e| {
        e.value("spec.schedule", &text);
        if let Err(error) = &parsed {
            e.value("error", error);
        }
    });
    if names_zone {
        let message = format!(
            "CRON_TZ or TZ used in schedule {} is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details",
            quote(&text)
        );
        machine.emit(Event::warning("UnsupportedSchedule", message));
    }
    match parsed {
        Ok(schedule) => Some(schedule),
        Err(error) => {
            let message = format!("unparseable schedule: {} : {error}", quote(&text));
            machine.emit(Event::warning("UnparseableSchedule", message));
            None
        }
    }
}

/// The schedule has no two times a second apart, so upstream gives up on it.
struct NeverFires;

/// The most recent time for which no Job was started (upstream `nextScheduleTime`).
fn due_time<R: Recorder>(
    machine: &mut Machine<'_, R>,
    schedule: &Schedule,
) -> Result<Option<Timestamp>, NeverFires> {
    let (now, since) = (machine.now(), machine.sync.unscheduled_since(machine.view));
    let spec = &machine.sync.cron_job(machine.view).spec;
    let deadline = spec.starting_deadline_seconds.map(|seconds| starting_deadline(seconds, now));
    if let Some(deadline) = deadline {
        machine.rec.note(Rule::StartingDeadline, deadline > since, |e| {
            e.value("spec.startingDeadlineSeconds", spec.starting_deadline_seconds.unwrap_or_default())
                .compared("unscheduledSince", since.to_rfc3339_nano(), deadline.to_rfc3339_nano());
        });
    }
    let found = most_recent(since, deadline, now, schedule, machine.zones);
    machine.rec.note(Rule::ScheduleNeverFires, found.is_none(), |e| {
        e.value("spec.schedule", &spec.schedule);
    });
    let Some(found) = found else {
        let message = format!("invalid schedule: {} : {NEVER_FIRES}", spec.schedule);
        machine.emit(Event::warning("InvalidSchedule", message));
        return Err(NeverFires);
    };
    let time = found.time.filter(|time| *time <= now);
    machine.rec.note(Rule::NoRunDue, time.is_none(), |e| {
        let due = time.map_or("none".into(), Timestamp::to_rfc3339_nano);
        e.value("unscheduledSince", found.earliest.to_rfc3339_nano()).compared(
            "due",
            due,
            now.to_rfc3339_nano(),
        );
    });
    if time.is_some() {
        let many = found.missed > MANY_MISSED;
        machine.rec.note(Rule::TooManyMissedTimes, many, |e| {
            e.compared("missedRuns", found.missed, MANY_MISSED);
        });
        if many {
            let message = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
            machine.emit(Event::warning("TooManyMissedTimes", message));
        }
    }
    Ok(time)
}

/// The time itself has been found to be within the deadline before, so this holds only where both multiplications
/// overflow to the one duration that has no opposite.
fn is_too_late<R: Recorder>(machine: &mut Machine<'_, R>, scheduled: Timestamp) -> bool {
    let now = machine.now();
    let seconds = machine.sync.cron_job(machine.view).spec.starting_deadline_seconds;
    let latest = seconds.map(|seconds| scheduled.plus_nanos(seconds_to_nanos(seconds)));
    let too_late = latest.is_some_and(|latest| latest < now);
    machine.rec.note(Rule::RunTooLate, too_late, |e| {
        let latest = latest.map_or("unset".into(), Timestamp::to_rfc3339_nano);
        e.value("scheduled", scheduled).compared("now", now.to_rfc3339_nano(), latest);
    });
    if too_late {
        let time = scheduled.datetime().format("%a, %d %b %Y %H:%M:%S +0000");
        let message = format!("Missed scheduled time to start a job: {time}");
        machine.emit(Event::warning("MissSchedule", message));
    }
    too_late
}

fn is_started<R: Recorder>(machine: &mut Machine<'_, R>, scheduled: Timestamp) -> bool {
    let cron_job = &machine.sync.cron_job(machine.view).metadata;
    let name = job_name(&cron_job.name, scheduled);
    let status = machine.sync.status();
    let is_active =
        status.active.iter().any(|active| active.name == name && active.namespace == cron_job.namespace);
    let is_started = is_active || status.last_schedule_time == Some(scheduled);
    machine.rec.note(Rule::RunAlreadyStarted, is_started, |e| {
        let last = status.last_schedule_time.map_or("unset".into(), Timestamp::to_rfc3339_nano);
        e.compared("status.lastScheduleTime", last, scheduled)
            .value(format!("status.active[{name}]"), is_active);
    });
    is_started
}

fn is_forbidden<R: Recorder>(machine: &mut Machine<'_, R>) -> bool {
    let policy = &machine.sync.cron_job(machine.view).spec.concurrency_policy;
    let active = machine.sync.status().active.len();
    let is_forbidden = policy == "Forbid" && active > 0;
    machine.rec.note(Rule::ForbidConcurrent, is_forbidden, |e| {
        e.value("spec.concurrencyPolicy", policy).compared("status.active", active, 0);
    });
    if is_forbidden {
        let message = "Not starting job because prior execution is running and concurrency policy is Forbid";
        machine.emit(Event::normal("JobAlreadyActive", message));
    }
    is_forbidden
}
