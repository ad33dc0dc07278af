//! The spec of a CronJob (`validateCronJobSpec`).

use super::error::Errors;
use super::field::Field;
use super::options::PodOptions;
use super::{Rules, job, names, schedule};
use crate::cron::mentions_zone;
use crate::spec::object::Node;
use alloc::string::ToString;

/// The longest name, in bytes: a Job's has 63, and 11 are for the time in it.
pub(super) const NAME_MAX: usize = 52;

/// Checks a spec, on update against the old one.
pub(super) fn cron_job_spec(
    spec: &Field<'_, '_>,
    old: Option<&Field<'_, '_>>,
    options: &PodOptions,
    rules: &Rules<'_>,
    errors: &mut Errors,
) {
    let schedule = spec.child("schedule");
    if schedule.text().is_empty() {
        errors.required(&schedule, "");
    } else {
        let allow_zone = old.is_some_and(|old| mentions_zone(old.child("schedule").text()));
        schedule::format(&schedule, allow_zone, spec.child("timeZone").is_set(), rules, errors);
    }
    names::non_negative(&spec.child("startingDeadlineSeconds"), errors);
    let zone = spec.child("timeZone");
    // A zone that was stored may have left the tz database since.
    if old.is_none_or(|old| old.child("timeZone").opt_text() != zone.opt_text()) {
        schedule::time_zone(&zone, rules, errors);
    }
    let policy = spec.child("concurrencyPolicy");
    match policy.text() {
        "Allow" | "Forbid" | "Replace" => {}
        "" => errors.required(&policy, ""),
        _ => errors.not_supported(&policy, &["Allow", "Forbid", "Replace"]),
    }
    job_template(&spec.child("jobTemplate"), options, errors);
    for name in ["successfulJobsHistoryLimit", "failedJobsHistoryLimit"] {
        names::non_negative(&spec.child(name), errors);
    }
}

/// `ValidateJobTemplateSpec`.
fn job_template(template: &Field<'_, '_>, options: &PodOptions, errors: &mut Errors) {
    let spec = template.child("spec");
    job::template_job_spec(&spec, options, errors);
    let selector = spec.child("selector");
    if selector.is_set() {
        errors.invalid(&selector, "`selector` will be auto-generated");
    }
    let manual = spec.child("manualSelector");
    if manual.is_true() {
        errors.not_supported(&manual, &["nil", "false"]);
    }
}

/// Moves the error of a missing schedule to the end where the declarative rule, which is the beta of them that is on,
/// takes over from the written one. It does not look at a schedule that was empty before.
pub(super) fn required_schedule_last(spec: &Field<'_, '_>, old: Option<&Field<'_, '_>>, errors: &mut Errors) {
    let schedule = spec.child("schedule");
    let changed = old.is_none_or(|old| {
        old.child("schedule").node().and_then(Node::as_text).is_some_and(|s| !s.is_empty())
    });
    if schedule.text().is_empty() && changed {
        let path = schedule.to_string();
        errors.retain(|error| error.field != path);
        errors.required(&schedule, "");
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::expect_cron_job_errors;

    #[test]
    fn schedules_and_zones() {
        expect_cron_job_errors(&[
            (r#"{"spec":{"schedule":""}}"#, &["spec.schedule: Required value"]),
            (
                r#"{"spec":{"schedule":"0 0 * * 7"}}"#,
                &[r#"spec.schedule: Invalid value: "0 0 * * 7": end of range (7) above maximum (6): 7"#],
            ),
            (
                r#"{"spec":{"schedule":"TZ=UTC 0 0 * * *"}}"#,
                &[
                    r#"spec.schedule: Invalid value: "TZ=UTC 0 0 * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead"#,
                ],
            ),
            (
                r#"{"spec":{"schedule":"TZ=UTC"}}"#,
                &[
                    r#"spec.schedule: Invalid value: "TZ=UTC": invalid schedule format: runtime error: slice bounds out of range [:-1]"#,
                    r#"spec.schedule: Invalid value: "TZ=UTC": cannot use TZ or CRON_TZ in schedule, use timeZone field instead"#,
                ],
            ),
            (
                r#"{"spec":{"timeZone":""}}"#,
                &[r#"spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string"#],
            ),
            (
                r#"{"spec":{"timeZone":"Local"}}"#,
                &[
                    r#"spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"#,
                ],
            ),
            (
                r#"{"spec":{"timeZone":"Mars/Olympus"}}"#,
                &[r#"spec.timeZone: Invalid value: "Mars/Olympus": unknown time zone Mars/Olympus"#],
            ),
            (
                r#"{"spec":{"timeZone":"../etc"}}"#,
                &[r#"spec.timeZone: Invalid value: "../etc": unknown time zone ../etc"#],
            ),
        ]);
    }

    #[test]
    fn other_fields() {
        expect_cron_job_errors(&[
            (
                r#"{"spec":{"concurrencyPolicy":"Some","startingDeadlineSeconds":-1,"successfulJobsHistoryLimit":-1,"failedJobsHistoryLimit":-1}}"#,
                &[
                    "spec.startingDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0",
                    r#"spec.concurrencyPolicy: Unsupported value: "Some": supported values: "Allow", "Forbid", "Replace""#,
                    "spec.successfulJobsHistoryLimit: Invalid value: -1: must be greater than or equal to 0",
                    "spec.failedJobsHistoryLimit: Invalid value: -1: must be greater than or equal to 0",
                ],
            ),
            (
                r#"{"metadata":{"name":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}}"#,
                &[
                    r#"metadata.name: Invalid value: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx": must be no more than 52 characters"#,
                ],
            ),
            (
                r#"{"spec":{"jobTemplate":{"spec":{"selector":{"matchLabels":{"a":"b"}},"manualSelector":true}}}}"#,
                &[
                    r#"spec.jobTemplate.spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: `selector` will be auto-generated"#,
                    r#"spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false""#,
                ],
            ),
            (
                r#"{"spec":{"jobTemplate":{"spec":{"template":{"spec":{"restartPolicy":null}}}}}}"#,
                &[
                    r#"spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never""#,
                ],
            ),
        ]);
    }
}
