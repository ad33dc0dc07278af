//! Changing an object: `BeforeUpdate` and the strategies' `PrepareForUpdate`.

use super::error::Errors;
use super::field::Field;
use super::options::PodOptions;
use super::{
    Kind, Manifest, Object, Review, Rules, Subresource, cron_job, gates, job_status, job_update, metadata,
    scheduling, warnings,
};
use crate::Timestamp;
use crate::cron::mentions_zone;
use crate::spec::object::{Node, Struct};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub(super) fn update<'a>(
    mut old: Manifest<'a>,
    mut new: Manifest<'a>,
    subresource: Subresource,
    rules: &Rules<'_>,
) -> Review<'a> {
    let strict_errors = new.strict_errors.take();
    let kind = new.kind;
    prepare(&mut new, &mut old, subresource);
    let (new, old) = (new.into_node(), old.into_node());
    let (errors, warnings) = {
        let (new, old) = (Field::root(&new), Field::root(&old));
        let errors = validate(kind, &new, &old, subresource, rules);
        let warnings = match subresource {
            Subresource::Main if errors.is_empty() => self::warnings(kind, &new, &old),
            _ => Vec::new(),
        };
        (errors, warnings)
    };
    let Node::Struct(object) = new else { return Review::default() };
    Review {
        defaulted: Some(Object(object)),
        errors: errors.into_distinct(),
        warnings,
        strict_errors,
        decode_error: None,
    }
}

fn prepare<'a>(new: &mut Manifest<'a>, old: &mut Manifest<'a>, subresource: Subresource) {
    copy_meta(&mut new.object, &old.object, "generation");
    match subresource {
        // What stays is the same in both from here on: the rules for a status do not look at the old spec.
        Subresource::Status => match old.object.take_named("spec") {
            Some(spec) => new.object.set("spec", spec),
            None => new.object.remove("spec"),
        },
        Subresource::Main => {
            match old.object.get("status") {
                Some(status) => new.object.set("status", status.clone()),
                None => new.object.remove("status"),
            }
            if let Some(spec) = new.job_spec_mut() {
                gates::drop_disabled(spec, old.job_spec());
            }
            if !new.object.same_at(&old.object, "spec") {
                count_generation(&mut new.object);
            }
        }
    }
    keep_system_fields(&mut new.object, &old.object);
}

fn copy_meta<'a>(new: &mut Struct<'a>, old: &Struct<'a>, name: &str) {
    let value = old.child("metadata").and_then(|meta| meta.get(name));
    let Some(meta) = new.child_or_new("metadata") else { return };
    match value {
        Some(value) => meta.set(name, value.clone()),
        None => meta.remove(name),
    }
}

fn count_generation(object: &mut Struct<'_>) {
    if let Some(meta) = object.child_or_new("metadata") {
        let generation = meta.int("generation").unwrap_or_default();
        meta.set("generation", Node::Int(generation.wrapping_add(1)));
    }
}

/// What a user cannot change is kept, and what a user may leave out is filled in; without a resource version the
/// update is for whatever is stored.
fn keep_system_fields<'a>(new: &mut Struct<'a>, old: &Struct<'a>) {
    let (empty, meta) = (Struct::new(&crate::spec::schema::meta::OBJECT_META), new.child("metadata"));
    let meta = meta.unwrap_or(&empty);
    let old_meta = old.child("metadata").unwrap_or(&empty);
    let is_time =
        |name: &str| old_meta.get(name).and_then(Node::as_time).is_some_and(|t| t != Timestamp::ZERO);
    let kept = [
        ("uid", meta.text("uid").is_empty()),
        ("resourceVersion", meta.text("resourceVersion").is_empty()),
        ("creationTimestamp", is_time("creationTimestamp")),
        ("deletionTimestamp", is_time("deletionTimestamp")),
        (
            "deletionGracePeriodSeconds",
            old_meta.get("deletionGracePeriodSeconds").is_some()
                && meta.get("deletionGracePeriodSeconds").is_none(),
        ),
    ];
    for (name, _) in kept.into_iter().filter(|(_, keep)| *keep) {
        copy_meta(new, old, name);
    }
}

/// `rest.ValidateUpdate`.
fn validate(
    kind: Kind,
    new: &Field<'_, '_>,
    old: &Field<'_, '_>,
    subresource: Subresource,
    rules: &Rules<'_>,
) -> Errors {
    let mut errors = Errors::default();
    let (new_meta, old_meta) = (new.child("metadata"), old.child("metadata"));
    metadata::on_create(&new_meta, metadata::PATH_SEGMENT, &mut errors);
    metadata::on_update(&new_meta, &old_meta, &mut errors);
    let (spec, old_spec) = (new.child("spec"), old.child("spec"));
    match (kind, subresource) {
        (Kind::Job, Subresource::Main) => {
            job_update::update(new, old, rules, &mut errors);
            scheduling::declarative(&spec, &old_spec, &mut errors);
        }
        (Kind::Job, Subresource::Status) => job_status::update(new, old, &mut errors),
        (Kind::CronJob, Subresource::Main) => {
            cron_job(new, old, rules, &mut errors);
            cron_job::required_schedule_last(&spec, Some(&old_spec), &mut errors);
            let (template, old_template) = (spec.child("jobTemplate"), old_spec.child("jobTemplate"));
            scheduling::declarative(&template.child("spec"), &old_template.child("spec"), &mut errors);
        }
        (Kind::CronJob, Subresource::Status) => {}
    }
    errors
}

/// `ValidateCronJobUpdate`.
fn cron_job(new: &Field<'_, '_>, old: &Field<'_, '_>, rules: &Rules<'_>, errors: &mut Errors) {
    metadata::standard_finalizers(&new.child("metadata"), errors);
    let (spec, old_spec) = (new.child("spec"), old.child("spec"));
    let old_template = old_spec.child("jobTemplate");
    let old_job_spec = old_template.child("spec");
    let options = PodOptions::for_update(&old_job_spec.child("template"), rules.allow_privileged);
    cron_job::cron_job_spec(&spec, Some(&old_spec), &options, rules, errors);
}

/// `WarningsOnUpdate`.
fn warnings(kind: Kind, new: &Field<'_, '_>, old: &Field<'_, '_>) -> Vec<String> {
    let mut found = Vec::new();
    let generation = |object: &Field<'_, '_>| object.child("metadata").child("generation").int_or_zero();
    let (spec, changed) = (new.child("spec"), generation(new) != generation(old));
    match kind {
        Kind::Job if changed => warnings::job_spec(&spec, &mut found),
        Kind::CronJob if changed => warnings::job_spec(&spec.child("jobTemplate").child("spec"), &mut found),
        _ => {}
    }
    if kind == Kind::CronJob && mentions_zone(spec.child("schedule").text()) {
        // Upstream's path has one spec too many.
        found.push("cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details".to_string());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::Subresource;
    use super::super::testing::{expect_cron_job_update_errors, expect_job_update_errors};

    #[test]
    fn metadata() {
        expect_job_update_errors(&[
            ("{}", r#"{"metadata":{"resourceVersion":null}}"#, Subresource::Main, &[]),
            (
                "{}",
                r#"{"metadata":{"name":"k"}}"#,
                Subresource::Main,
                &[r#"metadata.name: Invalid value: "k": field is immutable"#],
            ),
            (
                "{}",
                r#"{"metadata":{"uid":"other"}}"#,
                Subresource::Main,
                &[r#"metadata.uid: Invalid value: "other": field is immutable"#],
            ),
            (
                r#"{"metadata":{"deletionTimestamp":"2025-01-01T00:00:00Z","finalizers":["a/b"]}}"#,
                r#"{"metadata":{"finalizers":["a/b","c/d"]}}"#,
                Subresource::Main,
                &[
                    r#"metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"c/d"}"#,
                ],
            ),
        ]);
    }

    #[test]
    fn cron_jobs() {
        expect_cron_job_update_errors(&[
            (
                "{}",
                r#"{"spec":{"schedule":"TZ=UTC 0 0 * * *"}}"#,
                Subresource::Main,
                &[
                    r#"spec.schedule: Invalid value: "TZ=UTC 0 0 * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead"#,
                ],
            ),
            (
                r#"{"spec":{"schedule":"TZ=UTC 0 0 * * *"}}"#,
                r#"{"spec":{"schedule":"TZ=UTC 0 1 * * *"}}"#,
                Subresource::Main,
                &[],
            ),
            (r#"{"spec":{"timeZone":"Mars/X"}}"#, r#"{"spec":{"suspend":true}}"#, Subresource::Main, &[]),
            ("{}", r#"{"spec":{"schedule":""}}"#, Subresource::Main, &["spec.schedule: Required value"]),
            ("{}", r#"{"spec":{"schedule":"x"}}"#, Subresource::Status, &[]),
        ]);
    }
}
