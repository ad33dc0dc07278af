//! The codes of findings: what each one says, why Kubernetes is like that, and what to write instead.

use super::Severity::{self, Error, Info, Warning};

/// A kind of finding.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// Its stable name.
    pub name: &'static str,
    /// How serious it is.
    pub severity: Severity,
    /// What is found.
    pub what: &'static str,
    /// Why it happens in Kubernetes.
    pub why: &'static str,
    /// The upstream symbol that makes it so.
    pub upstream: &'static str,
    /// What to write instead.
    pub instead: &'static str,
}

/// The code of that name.
pub fn code(name: &str) -> Option<&'static Code> {
    ALL.iter().copied().find(|code| code.name == name)
}

macro_rules! codes {
    ($($constant:ident = $name:literal, $severity:ident:
        $what:literal; $why:literal; $upstream:literal; $instead:literal.)*) => {
        $(pub(super) static $constant: Code = Code {
            name: $name,
            severity: $severity,
            what: $what,
            why: $why,
            upstream: $upstream,
            instead: $instead,
        };)*

        /// Every code, in the order of the documentation.
        pub static ALL: &[&Code] = &[$(&$constant),*];
    };
}

codes! {
    INVALID_MANIFEST = "invalid-manifest", Error:
        "the API server would refuse the manifest";
        "it decodes strictly, fills in defaults and validates before it stores anything";
        "ValidateJobCreate, ValidateCronJobCreate";
        "what the message asks for; `jobpolicy validate` checks the same".
    CONTAINER_NAME_UNKNOWN = "container-name-unknown", Error:
        "a rule of the Pod failure policy names a container that the template does not have";
        "the API server checks `containerName` against containers and init containers";
        "validatePodFailurePolicyRuleOnExitCodes";
        "the name of a container or init container of the template".
    RULE_NEVER_MATCHES = "rule-never-matches", Error:
        "a rule of the Pod failure policy can match no Pod";
        "exit codes on Linux are 0 to 255, and exit code 0 never matches, not even with `NotIn`";
        "getMatchingContainerFromList";
        "exit codes from 1 to 255 that the program has, or no rule".
    RULE_SHADOWED = "rule-shadowed", Error:
        "earlier rules take all that a rule of the Pod failure policy matches";
        "the first rule that matches decides, and no later one is looked at";
        "matchPodFailurePolicy";
        "the narrower rule before the wider one, or no rule".
    FAIL_JOB_PRE_EMPTS_IGNORE = "fail-job-pre-empts-ignore", Error:
        "a FailJob rule takes failures that a later Ignore rule is meant for";
        "the first rule that matches decides; containers of a Pod that is stopped end with 143 or 137";
        "matchPodFailurePolicy";
        "the Ignore rule first".
    DISRUPTION_TARGET_TOO_LATE = "disruption-target-too-late", Warning:
        "a rule for the condition DisruptionTarget comes after one that takes exit codes 137 or 143";
        "a disrupted Pod has both the condition and these exit codes, and the first rule that matches decides";
        "matchPodFailurePolicy";
        "the rule for DisruptionTarget first".
    VALUE_SHADOWED = "value-shadowed", Warning:
        "a rule lists exit codes or conditions that an earlier rule always takes";
        "the first rule that matches decides";
        "matchPodFailurePolicy";
        "each exit code in one rule only".
    EXIT_CODE_OUT_OF_RANGE = "exit-code-out-of-range", Warning:
        "a rule lists an exit code that no process on Linux can end with";
        "of what is given to exit(2) the low eight bits are kept, so 256 is 0 and 300 is 44";
        "validatePodFailurePolicyRuleOnExitCodes";
        "a number from 1 to 255".
    IGNORE_WITHOUT_BOUND = "ignore-without-bound", Warning:
        "failures with an exit code are ignored, and the Job has no deadline";
        "ignored failures do not count against backoffLimit, so a Pod that always fails is replaced for ever";
        "getNewFailedPods, countsAsFailure of matchPodFailurePolicy";
        "`activeDeadlineSeconds`, or a rule that lets the failure count".
    COUNT_RULE_IDLE = "count-rule-idle", Info:
        "a Count rule does what happens without it";
        "a failure that no rule matches counts";
        "matchPodFailurePolicy";
        "nothing; Count is of use before wider rules".
    NO_DEADLINE = "no-deadline", Info:
        "the Job may last for ever";
        "a Pod that is Pending has not failed: backoffLimit never counts an image that cannot be pulled or a Pod that fits nowhere";
        "pastActiveDeadline";
        "`activeDeadlineSeconds`".
    DEADLINE_IN_TEMPLATE = "deadline-in-template", Warning:
        "activeDeadlineSeconds stands in the Pod template only";
        "there it ends a Pod, which counts as a failure and is tried again; on the Job it ends the Job";
        "pastActiveDeadline, kubelet's activeDeadlineHandler";
        "`spec.activeDeadlineSeconds` of the Job".
    DEADLINE_BEFORE_RETRY = "deadline-before-retry", Warning:
        "the deadline comes before the first retry";
        "a failed Pod is replaced after a back-off of 10 seconds at the earliest";
        "DefaultJobPodFailureBackOff";
        "a longer `activeDeadlineSeconds`, or `backoffLimit: 0`".
    ONE_ROUND_ENDS_JOB = "one-round-ends-job", Info:
        "so many Pods run at once that one round of failures exceeds backoffLimit";
        "Pods that fail together all count, and none of them has been tried again";
        "exceedsBackoffLimit in syncJob";
        "a `backoffLimit` of at least `parallelism`, or `backoffLimitPerIndex`".
    LOGS_LOST = "logs-lost", Info:
        "with OnFailure the logs of failures are lost";
        "containers start again in their Pod, and when backoffLimit is reached the running Pod is deleted";
        "pastBackoffLimitOnFailure, deleteActivePods";
        "`restartPolicy: Never`".
    TTL_ZERO = "ttl-zero", Warning:
        "the Job is deleted as soon as it has finished";
        "`ttlSecondsAfterFinished: 0` lets the TTL controller delete Job, Pods and logs at once, also of failed Jobs";
        "ttlafterfinished.Controller.processJob";
        "some time to read the outcome, such as 3600".
    BACK_OFF_BLOCKS_INDEXES = "back-off-blocks-indexes", Info:
        "an index that waits for its retry blocks the others";
        "the lowest pending indexes are picked before those in back-off are left out, so with `parallelism: 1` nothing else runs";
        "firstPendingIndexes, getPodCreationInfoForIndependentIndexes";
        "a `parallelism` of at least 2".
    COMPLETION_INDEX_OVERRIDDEN = "completion-index-overridden", Warning:
        "JOB_COMPLETION_INDEX is set to a fixed value";
        "the controller adds the variable only to containers that do not have it";
        "addCompletionIndexEnvVariable";
        "another name for the variable".
    HOSTNAME_OVERWRITTEN = "hostname-overwritten", Info:
        "the hostname of the template is not used";
        "Pods of an Indexed Job get the Job's name and the index for a hostname";
        "addCompletionIndexAnnotation, podTemplate.Spec.Hostname in manageJob";
        "no `hostname`".
    INDEXED_DNS_WITHOUT_SERVICE = "indexed-dns-without-service", Warning:
        "an Indexed Job has a subdomain, and there is no such Service";
        "names of Pods resolve through a headless Service named as the subdomain";
        "the DNS specification of Kubernetes";
        "a headless Service with that name in the same input".
    SERVICE_NAMES_NO_POD = "service-names-no-pod", Error:
        "the Service of the subdomain gives no names to the Job's Pods";
        "only a headless Service (`clusterIP: None`) names Pods, and only those that its selector selects";
        "the DNS specification of Kubernetes";
        "`clusterIP: None` and a selector that the template's labels match".
    INDEX_LIST_TOO_LARGE = "index-list-too-large", Warning:
        "the lists of indexes in the status can outgrow what etcd takes";
        "completedIndexes and failedIndexes are text in one object, and etcd refuses requests above 1.5 MiB; then no progress is recorded any more";
        "orderedIntervals.String, etcd's --max-request-bytes";
        "smaller `parallelism` or several Jobs".
    SCHEDULE_NEVER_FIRES = "schedule-never-fires", Error:
        "the schedule has no time";
        "a day such as 30 February is accepted, and the search gives up after five years";
        "robfig/cron SpecSchedule.Next";
        "a day that exists".
    SCHEDULE_DAYS_ARE_ORED = "schedule-days-are-ored", Warning:
        "day of month and day of week are both given, and either is enough";
        "the two are joined by OR unless one of them is a star";
        "robfig/cron dayMatches";
        "one of them as `*`, and a check in the program for the other".
    SCHEDULE_UNEVEN = "schedule-uneven", Warning:
        "the step does not divide the hour or the day, so intervals are uneven";
        "steps are counted anew from the start of each hour or day";
        "robfig/cron getRange";
        "a step that divides 60 (or 24), or `@every`".
    RUN_SKIPPED_BY_DST = "run-skipped-by-dst", Warning:
        "a run does not happen in the night in which clocks go forward";
        "a local time that does not exist is passed over";
        "robfig/cron SpecSchedule.Next";
        "an hour that always exists, or `timeZone: Etc/UTC`".
    RUN_REPEATED_BY_DST = "run-repeated-by-dst", Warning:
        "a run happens twice in the night in which clocks go back";
        "a local time that comes twice fires twice";
        "robfig/cron SpecSchedule.Next";
        "an hour that comes once, or `timeZone: Etc/UTC`".
    STARTING_DEADLINE_ZERO = "starting-deadline-zero", Error:
        "no run can start in time";
        "the controller looks at the schedule a moment after the time, and then the time is over with startingDeadlineSeconds 0";
        "nextScheduleTime, mostRecentScheduleTime";
        "some slack, such as 100".
    FORBID_WITHOUT_DEADLINE = "forbid-without-deadline", Warning:
        "one run that hangs stops all later ones";
        "with Forbid a run is skipped while an earlier one is active, and nothing ends that one";
        "syncCronJob";
        "`jobTemplate.spec.activeDeadlineSeconds`".
    FAILED_HISTORY_ZERO = "failed-history-zero", Info:
        "failed Jobs are deleted at once, with their logs";
        "`failedJobsHistoryLimit: 0` keeps none";
        "cleanupFinishedJobs";
        "at least 1".
}
