//! Updates of a Job's status (`ValidateJobUpdateStatus`).

use super::error::Errors;
use super::field::Field;
use super::job_update::is_condition_true;
use super::metadata::{self, IMMUTABLE};
use super::status_options::{StatusOptions, is_finished};
use super::{indexes, job, names};
use alloc::collections::BTreeSet;
use alloc::format;

/// `jobStatusStrategy.ValidateUpdate`.
pub(super) fn update(new: &Field<'_, '_>, old: &Field<'_, '_>, errors: &mut Errors) {
    let options = StatusOptions::new(new, old);
    metadata::standard_finalizers(&new.child("metadata"), errors);
    let (spec, status, old_status) = (new.child("spec"), new.child("status"), old.child("status"));
    counters(&status, errors);
    uncounted(&status.child("uncountedTerminatedPods"), errors);
    completion(&status, &options, errors);
    ends(&status, &options, errors);
    index_lists(&spec, &status, &options, errors);
    pods(&status, &options, errors);
    criteria(&spec, &status, errors);
    transitions(&spec, &status, &old_status, &options, errors);
}

fn counters(status: &Field<'_, '_>, errors: &mut Errors) {
    for name in ["active", "succeeded", "failed", "ready", "terminating"] {
        names::non_negative(&status.child(name), errors);
    }
}

/// UIDs that are to be counted are there once, in either list.
fn uncounted(pods: &Field<'_, '_>, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for list in ["succeeded", "failed"] {
        for uid in pods.child(list).items() {
            if uid.text().is_empty() {
                errors.invalid(&uid, "must not be empty");
            } else if !seen.insert(uid.text()) {
                errors.duplicate(&uid);
            }
        }
    }
}

/// What being complete rules out and asks for.
fn completion(status: &Field<'_, '_>, options: &StatusOptions, errors: &mut Errors) {
    let conditions = status.child("conditions");
    let complete = is_condition_true(status, "Complete");
    if options.reject_complete_job_with_failed_condition && complete && is_condition_true(status, "Failed") {
        errors.invalid_unshown(&conditions, "cannot set Complete=True and Failed=true conditions");
    }
    if options.reject_complete_job_with_failure_target_condition
        && complete
        && is_condition_true(status, "FailureTarget")
    {
        errors.invalid_unshown(&conditions, "cannot set Complete=True and FailureTarget=true conditions");
    }
    let completion_time = status.child("completionTime");
    if options.completion_time_must_match_complete && completion_time.is_set() && !complete {
        let detail = "cannot set completionTime when there is no Complete=True condition";
        errors.invalid(&completion_time, detail);
    }
    if options.completion_time_must_match_complete && !completion_time.is_set() && complete {
        errors.required(&completion_time, "completionTime is required for Complete jobs");
    }
    if let (Some(start), Some(end)) = (status.child("startTime").time(), completion_time.time())
        && options.reject_completion_time_before_start_time
        && end < start
    {
        errors.invalid(&completion_time, "must be equal to or after `startTime`");
    }
}

/// What must hold once the Job has failed, completed, or either.
fn ends(status: &Field<'_, '_>, options: &StatusOptions, errors: &mut Errors) {
    let conditions = status.child("conditions");
    let is = |kind: &str| is_condition_true(status, kind);
    if options.reject_failed_job_without_failure_target && is("Failed") && !is("FailureTarget") {
        let detail = "cannot set Failed=True condition without the FailureTarget=true condition";
        errors.invalid_unshown(&conditions, detail);
    }
    if options.reject_complete_job_without_success_criteria_met && is("Complete") && !is("SuccessCriteriaMet")
    {
        let detail = "cannot set Complete=True condition without the SuccessCriteriaMet=true condition";
        errors.invalid_unshown(&conditions, detail);
    }
    if !is_finished(status) {
        return;
    }
    let active = status.child("active");
    if options.reject_finished_job_with_active_pods && active.int_or_zero() > 0 {
        errors.invalid(&active, "active>0 is invalid for finished job");
    }
    let start_time = status.child("startTime");
    if options.reject_finished_job_without_start_time && !start_time.is_set() {
        errors.required(&start_time, "startTime is required for finished job");
    }
    let uncounted = status.child("uncountedTerminatedPods");
    let awaited = ["failed", "succeeded"].iter().any(|list| uncounted.child(list).items_len() > 0);
    if options.reject_finished_job_with_uncounted_terminated_pods && awaited {
        errors.invalid(&uncounted, "must be empty for finished job");
    }
}

fn index_lists(spec: &Field<'_, '_>, status: &Field<'_, '_>, options: &StatusOptions, errors: &mut Errors) {
    let (completed, failed) = (status.child("completedIndexes"), status.child("failedIndexes"));
    let completions = spec.child("completions").int();
    let per_index = spec.child("backoffLimitPerIndex").is_set();
    if options.reject_invalid_completed_indexes
        && let Some(Err(error)) = completions.map(|n| indexes::count(completed.text(), n))
    {
        errors.invalid(&completed, format!("error parsing completedIndexes: {error}"));
    }
    if options.reject_invalid_failed_indexes
        && per_index
        && let Some(Err(error)) = completions.zip(failed.opt_text()).map(|(n, list)| indexes::count(list, n))
    {
        errors.invalid(&failed, format!("error parsing failedIndexes: {error}"));
    }
    if options.reject_invalid_completed_indexes && !completed.text().is_empty() && !job::is_indexed(spec) {
        let detail = "cannot set non-empty completedIndexes when non-indexed completion mode";
        errors.invalid(&completed, detail);
    }
    if options.reject_invalid_failed_indexes && !per_index && failed.is_set() {
        errors.invalid(&failed, "cannot set non-null failedIndexes when backoffLimitPerIndex is null");
    }
    if options.reject_failed_indexes_overlapping_completed
        && let Some((completions, list)) = completions.zip(failed.opt_text())
        && let Err(error) = indexes::disjoint(completed.text(), list, completions)
    {
        errors.invalid(&failed, error);
    }
}

fn pods(status: &Field<'_, '_>, options: &StatusOptions, errors: &mut Errors) {
    let terminating = status.child("terminating");
    if options.reject_finished_job_with_terminating_pods
        && terminating.int_or_zero() > 0
        && is_finished(status)
    {
        errors.invalid(&terminating, "terminating>0 is invalid for finished job");
    }
    let ready = status.child("ready");
    let more_ready = ready.int().is_some_and(|ready| ready > status.child("active").int_or_zero());
    if options.reject_more_ready_than_active_pods && more_ready {
        errors.invalid(&ready, "cannot set more ready pods than active");
    }
}

/// Rules about SuccessCriteriaMet, which always hold.
fn criteria(spec: &Field<'_, '_>, status: &Field<'_, '_>, errors: &mut Errors) {
    let conditions = status.child("conditions");
    let is = |kind: &str| is_condition_true(status, kind);
    let met = is("SuccessCriteriaMet");
    if met && is("Failed") {
        errors.invalid_unshown(&conditions, "cannot set SuccessCriteriaMet=True and Failed=true conditions");
    }
    if met && is("FailureTarget") {
        let detail = "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions";
        errors.invalid_unshown(&conditions, detail);
    }
    if spec.child("successPolicy").is_set() && !met && is("Complete") {
        let detail = "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True";
        errors.invalid_unshown(&conditions, detail);
    }
}

/// What may not be taken back.
fn transitions(
    spec: &Field<'_, '_>,
    status: &Field<'_, '_>,
    old: &Field<'_, '_>,
    options: &StatusOptions,
    errors: &mut Errors,
) {
    let conditions = status.child("conditions");
    for kind in ["Failed", "Complete", "FailureTarget"] {
        if is_condition_true(old, kind) && !is_condition_true(status, kind) {
            errors.invalid_unshown(&conditions, format!("cannot disable the terminal {kind}=True condition"));
        }
    }
    for (name, reject) in [("failed", true), ("succeeded", options.reject_decreasing_succeeded_counter)] {
        let counter = status.child(name);
        let decreased = counter.int_or_zero() < old.child(name).int_or_zero();
        if reject && decreased {
            let detail = format!("cannot decrease the {name} counter");
            errors.invalid_value(&counter, counter.int_or_zero(), detail);
        }
    }
    let (end, old_end) = (status.child("completionTime"), old.child("completionTime"));
    if end.is_set() && old_end.is_set() && end.time() != old_end.time() {
        errors.invalid(&end, IMMUTABLE);
    }
    let (start, old_start) = (status.child("startTime"), old.child("startTime"));
    if options.reject_start_time_update_for_unsuspended_job
        && old_start.is_set()
        && start.time() != old_start.time()
        && !spec.child("suspend").is_true()
    {
        errors.invalid(&start, "field is immutable for unsuspended job once set");
    }
    let (met, was_met) = ("SuccessCriteriaMet", is_condition_true(old, "SuccessCriteriaMet"));
    if was_met && !is_condition_true(status, met) {
        errors.invalid_unshown(&conditions, "cannot disable the SuccessCriteriaMet=True condition");
    }
    if is_condition_true(old, "Complete") && !was_met && is_condition_true(status, met) {
        let detail = "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions";
        errors.invalid_unshown(&conditions, detail);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Subresource;
    use super::super::testing::expect_job_update_errors;

    #[test]
    fn counts_and_indexes() {
        expect_job_update_errors(&[
            (
                "{}",
                r#"{"status":{"active":-1,"succeeded":-1,"failed":-1,"ready":2,"terminating":-1}}"#,
                Subresource::Status,
                &[
                    "status.active: Invalid value: -1: must be greater than or equal to 0",
                    "status.succeeded: Invalid value: -1: must be greater than or equal to 0",
                    "status.failed: Invalid value: -1: must be greater than or equal to 0",
                    "status.terminating: Invalid value: -1: must be greater than or equal to 0",
                    "status.ready: Invalid value: 2: cannot set more ready pods than active",
                    "status.failed: Invalid value: -1: cannot decrease the failed counter",
                    "status.succeeded: Invalid value: -1: cannot decrease the succeeded counter",
                ],
            ),
            (
                "{}",
                r#"{"status":{"completedIndexes":"0"}}"#,
                Subresource::Status,
                &[
                    r#"status.completedIndexes: Invalid value: "0": cannot set non-empty completedIndexes when non-indexed completion mode"#,
                ],
            ),
            (
                r#"{"spec":{"completionMode":"Indexed","completions":3}}"#,
                r#"{"status":{"completedIndexes":"2-1"}}"#,
                Subresource::Status,
                &[
                    r#"status.completedIndexes: Invalid value: "2-1": error parsing completedIndexes: non-increasing order, previous: 2, current: 1"#,
                ],
            ),
            (
                r#"{"spec":{"completionMode":"Indexed","completions":3,"backoffLimitPerIndex":1}}"#,
                r#"{"status":{"completedIndexes":"0-1","failedIndexes":"1,2"}}"#,
                Subresource::Status,
                &[
                    r#"status.failedIndexes: Invalid value: "1,2": failedIndexes and completedIndexes overlap at index: 1"#,
                ],
            ),
            (
                "{}",
                r#"{"status":{"uncountedTerminatedPods":{"succeeded":["a","a",""],"failed":["a"]}}}"#,
                Subresource::Status,
                &[
                    r#"status.uncountedTerminatedPods.succeeded[1]: Duplicate value: "a""#,
                    r#"status.uncountedTerminatedPods.succeeded[2]: Invalid value: "": must not be empty"#,
                    r#"status.uncountedTerminatedPods.failed[0]: Duplicate value: "a""#,
                ],
            ),
        ]);
    }

    #[test]
    fn conditions() {
        expect_job_update_errors(&[
            (
                "{}",
                r#"{"status":{"conditions":[{"type":"Complete","status":"True"},{"type":"Failed","status":"True"}]}}"#,
                Subresource::Status,
                &[
                    "status.conditions: Invalid value: cannot set Complete=True and Failed=true conditions",
                    "status.completionTime: Required value: completionTime is required for Complete jobs",
                    "status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition",
                    "status.conditions: Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true condition",
                    "status.startTime: Required value: startTime is required for finished job",
                ],
            ),
            (
                "{}",
                r#"{"status":{"startTime":"2025-01-01T00:00:00Z","completionTime":"2024-01-01T00:00:00Z"}}"#,
                Subresource::Status,
                &[
                    r#"status.completionTime: Invalid value: "2024-01-01T00:00:00Z": cannot set completionTime when there is no Complete=True condition"#,
                    r#"status.completionTime: Invalid value: "2024-01-01T00:00:00Z": must be equal to or after `startTime`"#,
                ],
            ),
            (
                r#"{"status":{"conditions":[{"type":"Failed","status":"True"}]}}"#,
                r#"{"status":{"conditions":[]}}"#,
                Subresource::Status,
                &["status.conditions: Invalid value: cannot disable the terminal Failed=True condition"],
            ),
            (
                r#"{"status":{"startTime":"2025-01-01T00:00:00Z"}}"#,
                r#"{"status":{"startTime":"2025-01-02T00:00:00Z"}}"#,
                Subresource::Status,
                &[
                    r#"status.startTime: Invalid value: "2025-01-02T00:00:00Z": field is immutable for unsuspended job once set"#,
                ],
            ),
        ]);
    }
}
