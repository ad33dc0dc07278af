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
