//! Which rules an update of a Job's status is held to (`getStatusValidationOptions`).
//!
//! A rule looks only at what changed: a status that broke it before may be written again, and one that a change of
//! the spec made wrong gives the controller time to mend it.

use super::field::Field;
use super::job;
use super::job_update::{has_condition, is_condition_true};

/// The rules, named as upstream names them (`JobStatusValidationOptions`), but for those that always hold.
pub(super) struct StatusOptions {
    pub(super) reject_decreasing_succeeded_counter: bool,
    pub(super) reject_invalid_completed_indexes: bool,
    pub(super) reject_invalid_failed_indexes: bool,
    pub(super) reject_failed_indexes_overlapping_completed: bool,
    pub(super) reject_failed_job_without_failure_target: bool,
    pub(super) reject_complete_job_without_success_criteria_met: bool,
    pub(super) reject_finished_job_with_active_pods: bool,
    pub(super) reject_finished_job_without_start_time: bool,
    pub(super) reject_finished_job_with_uncounted_terminated_pods: bool,
    pub(super) reject_start_time_update_for_unsuspended_job: bool,
    pub(super) reject_completion_time_before_start_time: bool,
    /// `RejectNotCompleteJobWithCompletionTime` and `RejectCompleteJobWithoutCompletionTime`.
    pub(super) completion_time_must_match_complete: bool,
    pub(super) reject_complete_job_with_failed_condition: bool,
    pub(super) reject_complete_job_with_failure_target_condition: bool,
    pub(super) reject_more_ready_than_active_pods: bool,
    pub(super) reject_finished_job_with_terminating_pods: bool,
}

/// `IsJobFinished`.
pub(super) fn is_finished(status: &Field<'_, '_>) -> bool {
    is_condition_true(status, "Complete") || is_condition_true(status, "Failed")
}

impl StatusOptions {
    pub(super) fn new(new: &Field<'_, '_>, old: &Field<'_, '_>) -> Self {
        let spec = new.child("spec");
        let (new, old) = (new.child("status"), old.child("status"));
        let turned = |kind: &str| is_condition_true(&new, kind) != is_condition_true(&old, kind);
        let changed = |name: &str| match (new.fields(), old.fields()) {
            (Some(new), Some(old)) => !new.same_at(old, name),
            (Some(one), None) | (None, Some(one)) => one.get(name).is_some(),
            (None, None) => false,
        };
        let (complete, failed) = (turned("Complete"), turned("Failed"));
        let finished = is_finished(&new) != is_finished(&old);
        let (start_time, completion_time) = (changed("startTime"), changed("completionTime"));
        let (completed_indexes, failed_indexes) = (changed("completedIndexes"), changed("failedIndexes"));
        let suspended_without_work =
            spec.child("suspend").is_true() && spec.child("completions").int() == Some(0);
        let resuming = is_condition_true(&old, "Suspended") && has_condition(&new, "Suspended", "False");
        // Scaling down an Indexed Job takes successes back.
        let scalable =
            job::is_indexed(&spec) && spec.child("completions").int() == spec.child("parallelism").int();
        StatusOptions {
            reject_decreasing_succeeded_counter: !scalable,
            reject_invalid_completed_indexes: completed_indexes,
            reject_invalid_failed_indexes: failed_indexes,
            reject_failed_indexes_overlapping_completed: failed_indexes || completed_indexes,
            reject_failed_job_without_failure_target: failed || failed_indexes,
            reject_complete_job_without_success_criteria_met: complete || turned("SuccessCriteriaMet"),
            reject_finished_job_with_active_pods: finished || changed("active"),
            reject_finished_job_without_start_time: (finished || start_time) && !suspended_without_work,
            reject_finished_job_with_uncounted_terminated_pods: finished
                || changed("uncountedTerminatedPods"),
            reject_start_time_update_for_unsuspended_job: start_time && !resuming,
            reject_completion_time_before_start_time: start_time || completion_time,
            completion_time_must_match_complete: complete || completion_time,
            reject_complete_job_with_failed_condition: complete || failed,
            reject_complete_job_with_failure_target_condition: complete || turned("FailureTarget"),
            reject_more_ready_than_active_pods: changed("ready") || changed("active"),
            reject_finished_job_with_terminating_pods: finished || changed("terminating"),
        }
    }
}
