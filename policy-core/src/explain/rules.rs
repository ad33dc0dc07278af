//! The table of rules: a stable code, the upstream symbol it mirrors, and its long text.

use core::fmt;
use serde::{Serialize, Serializer};

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $name:ident = $domain:literal, $code:literal, $upstream:literal;)+) => {
        /// A rule of the Kubernetes controllers for Jobs. Codes are stable; `jobpolicy explain CODE` prints the text.
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

            /// Which decision the rule belongs to: `"job"` ([`job`](crate::job)), `"cronjob"` ([`cron`](crate::cron)),
            /// `"ttl"` ([`ttl`](crate::ttl)) or `"orphan"` ([`orphan`](crate::orphan)).
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
    /// The controller's own writes are not in its cache yet, so nothing is decided.
    ///
    /// The sync ends with an error and is tried again after a rate-limited delay. Deciding on a stale cache could
    /// create a Pod twice.
    OwnWritesNotSeenYet = "job", "own-writes-not-seen-yet", "StaleControllerConsistencyJob, consistencyStore.EnsureReady";
    /// `spec.managedBy` names another controller, so the Job is left alone.
    ///
    /// Nothing about the Job is touched: no Pod is created, no finalizer removed, no status written.
    ManagedElsewhere = "job", "managed-elsewhere", "managedByExternalController";
    /// The Job has the condition Complete or Failed, so there is nothing left to decide.
    ///
    /// The back-off record is dropped. Pods that still carry the tracking finalizer lose it through the orphan
    /// queue.
    JobAlreadyFinished = "job", "job-already-finished", "util.IsJobFinished";
    /// The Job's end was written in an earlier sync and is not in the cache yet.
    ///
    /// The sync is skipped: what the cache shows is older than what is already decided.
    FinishNotSeenYet = "job", "finish-not-seen-yet", "finishedJobExpectations";
    /// `spec.completionMode` is neither NonIndexed nor Indexed, so the Job is skipped.
    ///
    /// A warning event goes out on every sync.
    UnknownCompletionMode = "job", "unknown-completion-mode", "syncJob";
    /// The Job's selector is not valid, or it has no namespace, name or UID, so its Pods cannot be told.
    ///
    /// The sync ends with an error and is tried again.
    JobUnusable = "job", "job-unusable", "getPodsForJob";
    /// A Pod that the Job controls is no longer matched by the selector, so it is released.
    ///
    /// One patch takes away the owner reference and the tracking finalizer. A Job that is being deleted releases
    /// nothing.
    PodReleased = "job", "pod-released", "ReleasePod";
    /// Before an orphan is adopted the Job is read live, in case it is being deleted or is another one by now.
    JobReadBeforeAdopting = "job", "job-read-before-adopting", "RecheckDeletionTimestamp";
    /// A Pod without a controller matches the selector, so it is adopted.
    ///
    /// One patch adds the owner reference and the tracking finalizer. The Pod counts in this sync already. Pods
    /// that are being deleted are not adopted, and a Job that is being deleted adopts nothing.
    OrphanAdopted = "job", "orphan-adopted", "AdoptPod";
    /// A failed Pod matches a rule of `spec.podFailurePolicy`; the first rule that matches decides.
    ///
    /// FailJob ends the Job, FailIndex ends the index, Ignore leaves the failure out of the count, Count counts it.
    /// Where no rule matches the failure counts. An exit code of 0 never matches; containers come before init
    /// containers, and those that still run are passed over.
    PodFailurePolicyRuleMatched = "job", "pod-failure-policy-rule-matched", "matchPodFailurePolicy";
    /// A failed Pod that still carries the tracking finalizer counts against `spec.backoffLimit`.
    ///
    /// A Pod that is being deleted counts as failed too, unless `podReplacementPolicy` is Failed. Failures that an
    /// Ignore rule matches do not count, and neither do Pods whose end is recorded already.
    NewFailureCounted = "job", "new-failure-counted", "getNewFinishedPods, nonIgnoredFailedPodsCount";
    /// The Pods are counted: active, ready, terminating, succeeded, failed.
    ///
    /// Evidence shows what the status says and what the Pods say.
    PodsCounted = "job", "pods-counted", "syncJob";
    /// The Job starts: `status.startTime` is set now, since it was not set and the Job is not suspended.
    ///
    /// This alone does not cause a status write.
    StartTimeSet = "job", "start-time-set", "syncJob";
    /// The Job has the condition SuccessCriteriaMet, so it is going to complete, whatever fails from here on.
    SuccessCriteriaAlreadyMet = "job", "success-criteria-already-met", "hasSuccessCriteriaMetCondition";
    /// The Job has the condition FailureTarget, so it is going to fail with that reason.
    FailureTargetAlreadySet = "job", "failure-target-already-set", "newFailedConditionForFailureTarget";
    /// A failed Pod matches a FailJob rule, so the Job fails at once with reason PodFailurePolicy.
    ///
    /// The first such Pod in list order names the reason. Pods that were counted already are looked at too.
    PodFailurePolicyFailsJob = "job", "pod-failure-policy-fails-job", "getFailJobMessage";
    /// More Pods have failed than `spec.backoffLimit` allows, so the Job fails.
    ///
    /// The default limit is 6. The count compares with `>`: six failures are tolerated, the seventh ends the Job.
    BackoffLimitExceeded = "job", "backoff-limit-exceeded", "syncJob (exceedsBackoffLimit)";
    /// With restartPolicy OnFailure, containers have restarted as often as `spec.backoffLimit` says, so the Job
    /// fails.
    ///
    /// Restarts of all containers of Running and Pending Pods are added up, init containers included. Reaching the
    /// limit is enough; with a limit of 0 one restart is too many.
    RestartLimitExceeded = "job", "restart-limit-exceeded", "pastBackoffLimitOnFailure";
    /// The Job has been active for longer than `spec.activeDeadlineSeconds`, so it fails.
    ///
    /// Time counts from `status.startTime`. A suspended Job has no deadline; resuming it starts the time anew, but
    /// only after this rule was looked at.
    DeadlineExceeded = "job", "deadline-exceeded", "pastActiveDeadline";
    /// More indexes have failed than `spec.maxFailedIndexes` allows, so the Job fails.
    MaxFailedIndexesExceeded = "job", "max-failed-indexes-exceeded", "syncJob";
    /// Every index has ended and some have failed, so the Job fails.
    ///
    /// An index that is listed as both failed and succeeded counts twice.
    FailedIndexes = "job", "failed-indexes", "syncJob";
    /// A rule of `spec.successPolicy` is satisfied by the succeeded indexes, so the Job is going to complete.
    ///
    /// Rules are tried in order. A rule asks for all of its indexes, or for a number of them. A rule whose indexes
    /// are all beyond `completions` is skipped.
    SuccessPolicyMet = "job", "success-policy-met", "matchSuccessPolicy";
    /// The Job is to end, so its active Pods are deleted. Their finalizers stay until they are counted.
    EndingDeletesActivePods = "job", "ending-deletes-active-pods", "deleteActivePods";
    /// The Job is to end, but Pods may be left that this sync does not know of, so no condition is written yet.
    ///
    /// Either a deletion failed, or creations and deletions of an earlier sync have not been seen.
    EndingWaitsForPods = "job", "ending-waits-for-pods", "syncJob";
    /// Pods that an earlier sync created or deleted have not been seen yet, so none are created or deleted now.
    ///
    /// Expectations expire after five minutes.
    ExpectationsUnsatisfied = "job", "expectations-unsatisfied", "SatisfiedExpectations";
    /// The Job is being deleted, so no Pods are created or deleted. All of its Pods lose their finalizer.
    JobBeingDeleted = "job", "job-being-deleted", "syncJob";
    /// The Job is suspended: its active Pods are deleted and none are created.
    ///
    /// Pods that are deleted this way lose their finalizer first, so they are not counted as failed. The limit of
    /// 500 does not apply to these deletions.
    JobSuspended = "job", "job-suspended", "manageJob";
    /// More Pods are active than are wanted, or an index has several, so some are deleted.
    ///
    /// First go Pods without a valid index and the repeats of an index, then those that have got the least far: not
    /// assigned to a node, pending, not ready, ready for the shortest time, restarted most, created last. Their
    /// finalizers go first, so they are not counted.
    SurplusPodsDeleted = "job", "surplus-pods-deleted", "activePodsForRemoval";
    /// With podReplacementPolicy Failed, a Pod that is being deleted is replaced only once it has ended.
    CreationWaitsForTerminatingPods = "job", "creation-waits-for-terminating-pods", "manageJob (onlyReplaceFailedPods)";
    /// Pods have failed lately, so no Pod is created until the back-off has passed.
    ///
    /// 10 s after the first failure, twice as long after each further one, ten minutes at most. Ignored failures
    /// lengthen the wait too. A success starts the count anew.
    CreationWaitsForBackoff = "job", "creation-waits-for-backoff", "backoffRecord.getRemainingTime";
    /// Every index that is next has failed lately, so no Pod is created until the shortest back-off has passed.
    ///
    /// The lowest pending indexes are chosen before those in back-off are left out, so a lower index in back-off
    /// can hold back a higher one that is free.
    CreationWaitsForIndexBackoff = "job", "creation-waits-for-index-backoff", "getPodCreationInfoForIndependentIndexes";
    /// Fewer Pods are active than are wanted, so Pods are created.
    ///
    /// Wanted are as many as completions are missing, at most `spec.parallelism`, and at most 500 in one sync. An
    /// Indexed Job gets the lowest indexes that are neither done nor active nor failed. Creation goes in batches of
    /// 1, 2, 4 and so on.
    PodsCreated = "job", "pods-created", "manageJob";
    /// A Pod was refused, so the rest of the Pods are not attempted in this sync.
    SlowStartStopped = "job", "slow-start-stopped", "manageJob (slow start)";
    /// As many Pods have succeeded as the Job wants and none is active, so the Job is going to complete.
    ///
    /// Without `spec.completions` one success is enough, once all Pods have ended.
    CompletionsReached = "job", "completions-reached", "syncJob";
    /// The condition Suspended is set, with an event, and `status.startTime` is cleared.
    JobSuspendedRecorded = "job", "job-suspended-recorded", "ensureJobConditionStatus";
    /// The condition Suspended is set to False, with an event, and `status.startTime` starts anew.
    ///
    /// Only a Job that had the condition gets it changed.
    JobResumedRecorded = "job", "job-resumed-recorded", "ensureJobConditionStatus";
    /// The number of active Pods differs from `status.active`, so the status is written.
    ActiveCountChanged = "job", "active-count-changed", "syncJob (needsStatusUpdate)";
    /// The number of ready Pods differs from `status.ready`, so the status is written.
    ReadyCountChanged = "job", "ready-count-changed", "syncJob (needsStatusUpdate)";
    /// The number of terminating Pods differs from `status.terminating`, so the status is written.
    TerminatingCountChanged = "job", "terminating-count-changed", "syncJob (needsStatusUpdate)";
    /// Pods listed in `status.uncountedTerminatedPods` have lost their finalizer, so they move into the counters.
    UncountedPodsSettled = "job", "uncounted-pods-settled", "cleanUncountedPodsWithoutFinalizers";
    /// A Pod has succeeded: its UID goes into `status.uncountedTerminatedPods` before its finalizer goes.
    PodSuccessRecorded = "job", "pod-success-recorded", "trackJobStatusAndRemoveFinalizers";
    /// A Pod has failed: its UID goes into `status.uncountedTerminatedPods` before its finalizer goes.
    ///
    /// When the Job fails, Pods that still run count as failed too.
    PodFailureRecorded = "job", "pod-failure-recorded", "trackJobStatusAndRemoveFinalizers";
    /// A Pod of an Indexed Job has succeeded: its index goes into `status.completedIndexes`.
    ///
    /// The index is enough to avoid counting twice, so the UID is not listed.
    IndexSucceeded = "job", "index-succeeded", "trackJobStatusAndRemoveFinalizers";
    /// `status.completedIndexes` is written anew: there are new indexes, or old ones are beyond `spec.completions`.
    CompletedIndexesRewritten = "job", "completed-indexes-rewritten", "trackJobStatusAndRemoveFinalizers";
    /// `status.failedIndexes` is written anew.
    FailedIndexesRewritten = "job", "failed-indexes-rewritten", "trackJobStatusAndRemoveFinalizers";
    /// The condition FailureTarget is written before any finalizer goes, so that the reason is not lost.
    FailureTargetAdded = "job", "failure-target-added", "trackJobStatusAndRemoveFinalizers";
    /// The condition SuccessCriteriaMet is written before any finalizer goes.
    SuccessCriteriaAdded = "job", "success-criteria-added", "trackJobStatusAndRemoveFinalizers";
    /// The last failed Pod of an index keeps its finalizer until the index has a new Pod, which carries the count
    /// of failures on.
    FinalizerKeptForIndex = "job", "finalizer-kept-for-index", "canRemoveFinalizer (getPodsWithDelayedDeletionPerIndex)";
    /// As many ended Pods are new in the status as it may hold, so the rest waits for the next sync.
    ///
    /// The limit is 500, and Pods that were listed before are included. The Job does not end in such a sync.
    MaxUncountedPodsReached = "job", "max-uncounted-pods-reached", "MaxUncountedPods";
    /// Pods whose end is recorded lose the tracking finalizer, so that they can be deleted.
    FinalizerRemoved = "job", "finalizer-removed", "removeTrackingFinalizerFromPods";
    /// The Job is to end, but Pods are still listed as uncounted.
    EndWaitsForUncountedPods = "job", "end-waits-for-uncounted-pods", "enactJobFinished";
    /// The Job is to end, but Pods are still being deleted.
    EndWaitsForTerminatingPods = "job", "end-waits-for-terminating-pods", "enactJobFinished";
    /// Nothing is left to wait for: the condition Complete or Failed is written.
    ///
    /// The event and the metric follow the write.
    JobEnded = "job", "job-ended", "enactJobFinished";
    /// The Job has no `spec.ttlSecondsAfterFinished`, has not finished, or is being deleted already.
    TtlDoesNotApply = "ttl", "ttl-does-not-apply", "needsCleanup";
    /// The Job has finished, but the condition has no `lastTransitionTime`, so its time to live cannot be counted.
    ///
    /// The check ends with an error and is tried again; the Job stays until the time is there.
    TtlFinishTimeUnknown = "ttl", "ttl-finish-time-unknown", "jobFinishTime";
    /// The Job finished later than it is now: clocks differ. The deletion is put off by the difference.
    TtlFinishedInFuture = "ttl", "ttl-finished-in-future", "timeLeft";
    /// The Job's time to live is not over yet, so it is looked at again at its end.
    ///
    /// Time counts from the `lastTransitionTime` of the condition Complete or Failed, not from the end of the last Pod.
    TtlNotExpired = "ttl", "ttl-not-expired", "processTTL";
    /// The time to live of the cached Job is over; the Job is read live, in case the time was changed meanwhile.
    ///
    /// Only what was read live leads to the deletion. A Job that is gone needs nothing.
    TtlReadLive = "ttl", "ttl-read-live", "processJob";
    /// The time to live is over, so the Job is deleted.
    ///
    /// Its Pods are deleted first (propagation policy Foreground). The UID is a precondition, so a new Job of the same
    /// name is never hit.
    TtlExpired = "ttl", "ttl-expired", "processJob";
    /// The Pod's controller is not a `batch/v1` Job, so its finalizers are not ours to remove.
    OrphanOfAnotherKind = "orphan", "orphan-of-another-kind", "handleSingleOrphanPod";
    /// `spec.managedBy` of the Pod's Job names another controller, so the Pod is left to that one.
    OrphanManagedElsewhere = "orphan", "orphan-managed-elsewhere", "handleSingleOrphanPod (managedByExternalController)";
    /// The Pod's Job has not finished, so the Job's sync removes the finalizer once the Pod is counted.
    OrphanHasRunningJob = "orphan", "orphan-has-running-job", "handleSingleOrphanPod";
    /// Nobody will count the Pod any more, so it loses the tracking finalizer.
    ///
    /// Nobody controls it, or its Job is gone, is another one of the same name, or has finished.
    OrphanFinalizerRemoved = "orphan", "orphan-finalizer-removed", "handleSingleOrphanPod";
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
