//! Annotations of the Pod template with a meaning of their own (`ValidatePodSpecificAnnotations`), and fields that
//! must agree with them.

use super::error::Errors;
use super::field::Field;
use super::options::{self, PodOptions};
use super::paths;
use crate::cron::go_text::quote;
use crate::spec::object::Struct;
use alloc::format;

const MIRROR_POD: &str = "kubernetes.io/config.mirror";
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";
pub(super) const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
pub(super) const SECCOMP_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
pub(super) const APP_ARMOR_CONTAINER: &str = "container.apparmor.security.beta.kubernetes.io/";

/// `ValidatePodSpecificAnnotations`, but for tolerations in an annotation.
pub(super) fn pod_specific(
    annotations: &Field<'_, '_>,
    spec: &Field<'_, '_>,
    options: &PodOptions,
    errors: &mut Errors,
) {
    let mirror = annotations.key(MIRROR_POD);
    if mirror.is_set() && spec.child("nodeName").text().is_empty() {
        errors.invalid(&mirror, "must set spec.nodeName if mirror pod annotation is set");
    }
    if !options.allow_invalid_pod_deletion_cost && !has_valid_deletion_cost(annotations) {
        errors.invalid(&annotations.key(DELETION_COST), "must be a 32bit integer");
    }
    let pod_profile = annotations.key(SECCOMP_POD);
    if pod_profile.is_set() {
        seccomp_profile(pod_profile.text(), &annotations.at(SECCOMP_POD, None), errors);
    }
    for (key, profile) in annotations.entries() {
        if key.starts_with(SECCOMP_CONTAINER) {
            seccomp_profile(profile.text(), &annotations.at(key, None), errors);
        }
    }
    for (key, profile) in annotations.entries() {
        if let Some(container) = key.strip_prefix(APP_ARMOR_CONTAINER) {
            app_armor(container, spec, &profile, errors);
        }
    }
}

/// `GetDeletionCostFromPodAnnotations` without an error: a 32-bit number without plus sign or leading zeros.
pub(super) fn has_valid_deletion_cost(annotations: &Field<'_, '_>) -> bool {
    let cost = annotations.key(DELETION_COST);
    let Some(text) = cost.opt_text() else { return true };
    let first = text.as_bytes().first();
    let well_started = text == "0" || matches!(first, Some(b'-' | b'1'..=b'9'));
    well_started && text.parse::<i32>().is_ok()
}

/// `ValidateSeccompProfile`.
fn seccomp_profile(profile: &str, field: &Field<'_, '_>, errors: &mut Errors) {
    match profile {
        "runtime/default" | "docker/default" | "unconfined" => {}
        _ => match profile.strip_prefix("localhost/") {
            Some(path) => paths::local_descending(path, field, errors),
            None => errors.invalid_value(field, profile, "must be a valid seccomp profile"),
        },
    }
}

fn app_armor(container: &str, spec: &Field<'_, '_>, profile: &Field<'_, '_>, errors: &mut Errors) {
    if !options::containers(spec).any(|c| c.text("name") == container) {
        errors.invalid_value(profile, container, "container not found");
    }
    let text = profile.text();
    if !matches!(text, "" | "runtime/default" | "unconfined") && !text.starts_with("localhost/") {
        errors.invalid(profile, format!("invalid AppArmor profile name: {}", quote(text)));
    }
}

/// `validateSeccompAnnotationsAndFields`.
pub(super) fn seccomp_fields(annotations: &Field<'_, '_>, spec: &Field<'_, '_>, errors: &mut Errors) {
    let context = spec.child("securityContext");
    let profile = context.child("seccompProfile");
    if let (Some(annotation), Some(fields)) = (annotations.key(SECCOMP_POD).opt_text(), profile.fields()) {
        matching_profile(
            "seccomp",
            annotation,
            fields,
            &profile,
            &["runtime/default", "docker/default"],
            errors,
        );
    }
    options::each_container(spec, |container| {
        let context = container.child("securityContext");
        let profile = context.child("seccompProfile");
        let key = format!("{SECCOMP_CONTAINER}{}", container.child("name").text());
        if let (Some(annotation), Some(fields)) = (annotations.key(&key).opt_text(), profile.fields()) {
            matching_profile(
                "seccomp",
                annotation,
                fields,
                &profile,
                &["runtime/default", "docker/default"],
                errors,
            );
        }
    });
}

/// `validateAppArmorAnnotationsAndFieldsMatchOnCreate`.
pub(super) fn app_armor_fields(annotations: &Field<'_, '_>, spec: &Field<'_, '_>, errors: &mut Errors) {
    if spec.child("os").child("name").text() == "windows" {
        return;
    }
    let pod_context = spec.child("securityContext");
    let pod_profile = pod_context.child("appArmorProfile");
    options::each_container(spec, |container| {
        let context = container.child("securityContext");
        let profile = context.child("appArmorProfile");
        let key = format!("{APP_ARMOR_CONTAINER}{}", container.child("name").text());
        let effective = profile.fields().or(pod_profile.fields());
        if let (Some(annotation), Some(fields)) = (annotations.key(&key).opt_text(), effective) {
            matching_profile("apparmor", annotation, fields, &profile, &["runtime/default"], errors);
        }
    });
}

/// Whether a profile in a field is the one in the annotation, by type and then by name.
fn matching_profile(
    what: &str,
    annotation: &str,
    profile: &Struct<'_>,
    field: &Field<'_, '_>,
    runtime_default: &[&str],
    errors: &mut Errors,
) {
    let localhost = annotation.strip_prefix("localhost/");
    let same_type = match profile.text("type") {
        "Unconfined" => annotation == "unconfined",
        "RuntimeDefault" => runtime_default.contains(&annotation),
        "Localhost" => localhost.is_some(),
        _ => return,
    };
    if !same_type {
        let detail = format!("{what} type in annotation and field must match");
        errors.forbidden(&field.at("type", None), detail);
    } else if profile.text("type") == "Localhost"
        && (profile.get("localhostProfile").is_none() || localhost != Some(profile.text("localhostProfile")))
    {
        let detail = format!("{what} profile in annotation and field must match");
        errors.forbidden(&field.at("localhostProfile", None), detail);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::expect_job_errors;

    #[test]
    fn annotations_of_pods() {
        expect_job_errors(&[
            (
                r#"{"spec":{"template":{"metadata":{"annotations":{"controller.kubernetes.io/pod-deletion-cost":"+1"}}}}}"#,
                &[
                    r#"spec.template.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "+1": must be a 32bit integer"#,
                ],
            ),
            (
                r#"{"spec":{"template":{"metadata":{"annotations":{"seccomp.security.alpha.kubernetes.io/pod":"some"}}}}}"#,
                &[
                    r#"spec.template.annotations.seccomp.security.alpha.kubernetes.io/pod: Invalid value: "some": must be a valid seccomp profile"#,
                ],
            ),
            (
                r#"{"spec":{"template":{"metadata":{"annotations":{"container.apparmor.security.beta.kubernetes.io/main":"some"}}}}}"#,
                &[
                    r#"spec.template.annotations[container.apparmor.security.beta.kubernetes.io/main]: Invalid value: "some": invalid AppArmor profile name: "some""#,
                ],
            ),
            (
                r#"{"spec":{"template":{"metadata":{"annotations":{"container.apparmor.security.beta.kubernetes.io/b":"unconfined"}}}}}"#,
                &[
                    r#"spec.template.annotations[container.apparmor.security.beta.kubernetes.io/b]: Invalid value: "b": container not found"#,
                ],
            ),
        ]);
    }
}
