//! The table of rules: a stable code, the upstream symbol it mirrors, and its long text.

use core::fmt;
use serde::{Serialize, Serializer};

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $name:ident = $domain:literal, $code:literal, $upstream:literal;)+) => {
        /// A rule of the Job or CronJob controller. Codes are stable; `jobpolicy explain CODE` prints the text.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Rule { $($(#[doc = $doc])+ $name,)+ }

        impl Rule {
            /// Every rule, in the order in which the controllers come to them.
            pub const ALL: &'static [Rule] = &[$(Rule::$name,)+];

            /// The stable code, for example `backoff-limit-exceeded`.
            pub fn code(self) -> &'static str {
                match self { $(Rule::$name => $code,)+ }
            }

            /// `"job"` or `"cronjob"`.
            pub fn domain(self) -> &'static str {
                match self { $(Rule::$name => $domain,)+ }
            }

            /// The upstream symbol that the rule mirrors.
            pub fn upstream(self) -> &'static str {
                match self { $(Rule::$name => $upstream,)+ }
            }

            /// The long text: the rule's documentation.
            pub fn text(self) -> &'static str {
                match self { $(Rule::$name => concat!($($doc, "\n",)+),)+ }
            }
        }
    };
}

rules! {
    /// The Job is suspended: its active Pods are deleted and none are created.
    ///
    /// `spec.suspend` is true. Pods that are deleted this way lose their finalizer first, so they are not counted
    /// as failed. The 500 limit does not apply to these deletions.
    JobSuspended = "job", "job-suspended", "manageJob";
    /// More successful Jobs are kept than `spec.successfulJobsHistoryLimit` allows: the oldest are deleted.
    ///
    /// Clean-up comes before everything else in a sync, so it also happens while the CronJob is suspended, being
    /// deleted, or has a schedule that does not parse. Jobs are sorted by start time; those that never started come
    /// last, and equal times are settled by name. Pods go in the background. An unset limit keeps every Job.
    SuccessfulJobsHistoryLimit = "cronjob", "successful-jobs-history-limit", "cleanupFinishedJobs";
    /// More failed Jobs are kept than `spec.failedJobsHistoryLimit` allows: the oldest are deleted.
    ///
    /// As for successful Jobs, with a limit of its own. A deletion that fails is reported as `FailedDelete` and tried
    /// again in the next sync; the others go ahead.
    FailedJobsHistoryLimit = "cronjob", "failed-jobs-history-limit", "cleanupFinishedJobs";
    /// A Job of the CronJob is running but not listed in `status.active`: the CronJob is read afresh.
    ///
    /// The list may be behind because the controller's cache is, or because an earlier sync created the Job and could
    /// not write the status. Only the server can tell. If the read fails, the sync fails and is tried again.
    ChildNotInActiveList = "cronjob", "child-not-in-active-list", "syncCronJob";
    /// The fresh copy of the CronJob lists the running Job: the controller's cache was behind.
    ///
    /// From here on the fresh copy decides. Upstream changes the status of the copy but writes that of the old object,
    /// so status changes of the rest of this sync are lost and made up for by the next.
    ActiveListStale = "cronjob", "active-list-stale", "syncCronJob";
    /// A running Job names the CronJob as its controller, and the CronJob does not know it.
    ///
    /// Someone made the Job by hand, or the controller stopped between creating it and recording it. It is reported as
    /// `UnexpectedJob` in every sync and never adopted into `status.active`, so it does not count for
    /// `spec.concurrencyPolicy` either.
    UnexpectedJob = "cronjob", "unexpected-job", "syncCronJob";
    /// A Job in `status.active` has finished: it is taken out of the list.
    ///
    /// Finished means a condition `Complete` or `Failed` that is `True`. The event `SawCompletedJob` names which.
    ActiveJobFinished = "cronjob", "active-job-finished", "syncCronJob";
    /// A Job completed later than `status.lastSuccessfulTime` says: the time moves on.
    ///
    /// The Job need not be in `status.active`. A Job that is complete without a completion time does not move the time,
    /// but while the time is unset it still causes a status write in every sync.
    LastSuccessfulTime = "cronjob", "last-successful-time", "syncCronJob";
    /// A Job in `status.active` is not among the Jobs that the controller sees: the server is asked for each.
    ///
    /// The controller's cache may be behind, so a Job that it does not have is not taken for gone.
    ActiveJobNotSeen = "cronjob", "active-job-not-seen", "syncCronJob";
    /// A Job in `status.active` does not exist on the server: it is taken out of the list.
    ///
    /// Without this a Job that was deleted by hand would hold back a CronJob with the policy Forbid for ever. Any other
    /// error of the read ends the sync.
    ActiveJobMissing = "cronjob", "active-job-missing", "syncCronJob";
    /// The CronJob is being deleted: no run is started.
    ///
    /// `metadata.deletionTimestamp` is set. Clean-up and the active list were still seen to.
    CronJobDeleting = "cronjob", "cron-job-deleting", "syncCronJob";
    /// `spec.timeZone` is not a time zone: no run is started until it is changed.
    ///
    /// Zones are those of the tz database, written exactly; `UTC`, `Local` and an empty name are UTC. Nothing is planned
    /// for later: only a change of the CronJob or of one of its Jobs brings it back.
    UnknownTimeZone = "cronjob", "unknown-time-zone", "syncCronJob";
    /// The CronJob is suspended: no run is started.
    ///
    /// `spec.suspend` is true. Jobs that run already are not touched. Runs that are missed meanwhile count as missed:
    /// when the CronJob is resumed, the most recent one starts at once unless `spec.startingDeadlineSeconds` rules it
    /// out.
    CronJobSuspended = "cronjob", "cron-job-suspended", "syncCronJob";
    /// The schedule has `TZ` in it: `spec.timeZone` is passed over.
    ///
    /// The parser takes a prefix `TZ=ZONE` or `CRON_TZ=ZONE`, which Kubernetes never promised to support. It is reported
    /// as `UnsupportedSchedule` in every sync. Any `TZ` counts, wherever it stands.
    TimeZoneInSchedule = "cronjob", "time-zone-in-schedule", "formatSchedule";
    /// `spec.schedule` does not parse: no run is started until it is changed.
    ///
    /// The dialect has five fields or a descriptor such as `@daily`; it has no `L`, `W`, `#`, seconds or years, and
    /// Sunday is 0 only.
    UnparseableSchedule = "cronjob", "unparseable-schedule", "syncCronJob";
    /// Runs that were due before `spec.startingDeadlineSeconds` ago are given up.
    ///
    /// Runs are counted from the last scheduled time, or from the creation of the CronJob, or from the deadline if that
    /// is later. Deadlines of more than 9,223,372,036 seconds overflow upstream and wrap around, so that they may act as
    /// short ones.
    StartingDeadline = "cronjob", "starting-deadline", "mostRecentScheduleTime";
    /// The schedule parses but has no two times a second apart: upstream gives up on it.
    ///
    /// For example 31 February, or a field of commas only. A time is looked for five years ahead. It is reported as
    /// `InvalidSchedule`, and nothing is planned for later.
    ScheduleNeverFires = "cronjob", "schedule-never-fires", "mostRecentScheduleTime";
    /// No time of the schedule has come since the last run: there is nothing to start.
    ///
    /// The usual outcome of a sync that a change of a Job has caused.
    NoRunDue = "cronjob", "no-run-due", "nextScheduleTime";
    /// More than 100 runs were missed: a warning, nothing more.
    ///
    /// Only the most recent run is started, however many were missed. The number is an estimate from the first interval
    /// of the schedule. It is reported as `TooManyMissedTimes`.
    TooManyMissedTimes = "cronjob", "too-many-missed-times", "nextScheduleTime";
    /// The run that is due is older than `spec.startingDeadlineSeconds`: it is skipped as missed.
    ///
    /// Times before the deadline have been left out already, so this can hold only for deadlines that overflow to the
    /// shortest duration there is, such as 18,014,398,509,481,984 seconds.
    RunTooLate = "cronjob", "run-too-late", "syncCronJob";
    /// The run that is due was started before: its Job is in `status.active`, or `status.lastScheduleTime` is its time.
    ///
    /// Jobs are named after the minute of their scheduled time, so with `@every 30s` the second run of a minute has the
    /// name of the first and is taken for started while that one runs.
    RunAlreadyStarted = "cronjob", "run-already-started", "syncCronJob";
    /// `spec.concurrencyPolicy` is Forbid and a Job is active: the run is not started.
    ///
    /// It is not lost yet: `status.lastScheduleTime` stays, so the run starts when the Job has finished, unless a later
    /// time has come or `spec.startingDeadlineSeconds` has passed by then.
    ForbidConcurrent = "cronjob", "forbid-concurrent", "syncCronJob";
    /// `spec.concurrencyPolicy` is Replace and a Job is active: it is read and deleted before the new one is created.
    ///
    /// One Job after the other, in the order of `status.active`. The first that cannot be read or deleted ends the sync
    /// with an error, and the run is tried again.
    ReplaceConcurrent = "cronjob", "replace-concurrent", "syncCronJob";
    /// A run is due and nothing speaks against it: its Job is created from `spec.jobTemplate`.
    ///
    /// The name is the CronJob's and the minutes since the Unix epoch, so that the same run is never created twice. The
    /// scheduled time goes into an annotation, in the zone of `spec.timeZone`. Of several missed runs only the most
    /// recent is started.
    RunDue = "cronjob", "run-due", "getJobFromTemplate2";
    /// The Job could not be created because its namespace is being deleted.
    ///
    /// Every creation would fail, so there is no event; the sync ends with an error.
    NamespaceTerminating = "cronjob", "namespace-terminating", "syncCronJob";
    /// A Job of the run's name exists: it is read to find out whose it is.
    ///
    /// Most often an earlier sync has created it and could not write the status.
    JobAlreadyExists = "cronjob", "job-already-exists", "syncCronJob";
    /// The Job of the run's name has another controller: the run is given up and nothing is planned for later.
    ///
    /// `status.lastScheduleTime` does not move and no next time is planned, so the CronJob waits for a change.
    JobOfAnother = "cronjob", "job-of-another-controller", "syncCronJob";
    /// The Job of the run's name is in `status.active` already, under another name or namespace than expected.
    ///
    /// The run counts as started; nothing is planned for later.
    JobAlreadyRecorded = "cronjob", "job-already-recorded", "syncCronJob";
    /// The CronJob is looked at again when the schedule's next time has come.
    ///
    /// A tenth of a second is added so that the clock is past that time. If more than one run was missed and the most
    /// recent one cannot be told, the next time is counted from now.
    NextRun = "cronjob", "next-run", "nextScheduleTimeDuration";
    /// The active list or one of the times has changed: the status is written once, at the end of the sync.
    ///
    /// If the write fails, the sync fails and is tried again; a Job that was created is found again by its name.
    CronJobStatusChanged = "cronjob", "cron-job-status-changed", "ControllerV2.sync";
}

impl Rule {
    /// The rule with that code.
    pub fn by_code(code: &str) -> Option<Rule> {
        Rule::ALL.iter().copied().find(|rule| rule.code() == code)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}
