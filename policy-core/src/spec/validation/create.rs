//! Creating an object: `BeforeCreate` and the strategies' `PrepareForCreate`.

use super::error::Errors;
use super::field::Field;
use super::options::PodOptions;
use super::{
    CreateContext, Kind, Manifest, Object, Review, Rules, cron_job, gates, job, job_update, metadata, names,
    warnings,
};
use crate::spec::object::{Map, Node, Struct};
use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

pub(super) fn create<'a>(
    mut manifest: Manifest<'a>,
    context: &CreateContext<'a>,
    rules: &Rules<'_>,
) -> Review<'a> {
    fill_in_system_fields(&mut manifest.object, context);
    prepare(&mut manifest);
    let strict_errors = manifest.strict_errors.take();
    let kind = manifest.kind;
    let node = manifest.into_node();
    let errors = {
        let object = Field::root(&node);
        match kind {
            Kind::Job => validate_job(&object, rules),
            Kind::CronJob => validate_cron_job(&object, rules),
        }
    };
    let warnings = if errors.is_empty() { self::warnings(kind, &Field::root(&node)) } else { Vec::new() };
    let Node::Struct(object) = node else { return Review::default() };
    Review {
        defaulted: Some(Object(object)),
        errors: errors.into_distinct(),
        warnings,
        strict_errors,
        decode_error: None,
    }
}

/// `WipeObjectMetaSystemFields`, `FillObjectMetaSystemFields`, and the name and namespace.
fn fill_in_system_fields<'a>(object: &mut Struct<'a>, context: &CreateContext<'a>) {
    let Some(meta) = object.child_or_new("metadata") else { return };
    for name in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"] {
        meta.remove(name);
    }
    meta.set_text("uid", context.uid);
    meta.set("creationTimestamp", Node::Time(context.creation_timestamp));
    if meta.text("namespace").is_empty() {
        meta.set_text("namespace", context.namespace);
    }
    if meta.text("name").is_empty() && !meta.text("generateName").is_empty() {
        meta.set_text("name", generated_name(meta.text("generateName"), context.name_suffix));
    }
}

/// `simpleNameGenerator.GenerateName`: at most 63 bytes with a suffix of 5.
fn generated_name(base: &str, suffix: &str) -> String {
    let kept = base.as_bytes().get(..58).unwrap_or(base.as_bytes());
    format!("{}{suffix}", String::from_utf8_lossy(kept))
}

fn prepare(manifest: &mut Manifest<'_>) {
    if manifest.kind == Kind::Job {
        generate_selector(&mut manifest.object, manifest.shares_labels);
    }
    manifest.object.remove("status");
    if let Some(meta) = manifest.object.child_or_new("metadata") {
        meta.set("generation", Node::Int(1));
    }
    if let Some(spec) = manifest.job_spec_mut() {
        gates::drop_disabled(spec, None);
    }
}

/// `batch.LegacyJobNameLabel` and `batch.JobNameLabel`.
pub(super) const JOB_NAME_LABELS: [&str; 2] = ["job-name", "batch.kubernetes.io/job-name"];
/// `batch.LegacyControllerUidLabel` and `batch.ControllerUidLabel`.
pub(super) const CONTROLLER_UID_LABELS: [&str; 2] = ["controller-uid", "batch.kubernetes.io/controller-uid"];

/// `generateSelectorIfNeeded`: labels that only this Job's Pods have, and a selector for one of them. What the user
/// set is kept; if it conflicts, validation says so.
fn generate_selector(job: &mut Struct<'_>, shares_labels: bool) {
    let meta = job.child("metadata");
    let text = |name| String::from(meta.map(|meta| meta.text(name)).unwrap_or_default());
    let (name, uid) = (text("name"), text("uid"));
    let Some(spec) = job.child_or_new("spec").filter(|spec| spec.flag("manualSelector") != Some(true)) else {
        return;
    };
    if let Some(meta) = spec.child_or_new("template").and_then(|template| template.child_or_new("metadata")) {
        for (keys, value) in [(JOB_NAME_LABELS, &name), (CONTROLLER_UID_LABELS, &uid)] {
            for key in keys {
                insert_unless_set(meta, "labels", key, value);
            }
        }
        let labels = meta.get("labels").filter(|_| shares_labels).cloned();
        if let (Some(labels), Some(meta)) = (labels, job.child_or_new("metadata")) {
            meta.set("labels", labels);
        }
    }
    let [_, uid_label] = CONTROLLER_UID_LABELS;
    let selector = job.child_or_new("spec").and_then(|spec| spec.child_or_new("selector"));
    if let Some(selector) = selector {
        insert_unless_set(selector, "matchLabels", uid_label, &uid);
    }
}

/// Adds an entry to a map of texts, which is made if need be.
fn insert_unless_set(parent: &mut Struct<'_>, map: &str, key: &'static str, value: &str) {
    parent.default_to(map, Node::Map(Map::new()));
    if let Some(map) = parent.map_mut(map) {
        map.entry(Cow::Borrowed(key)).or_insert_with(|| Node::Text(String::from(value).into()));
    }
}

/// `ValidateJobCreate`.
fn validate_job(job: &Field<'_, '_>, rules: &Rules<'_>) -> Errors {
    let mut errors = Errors::default();
    let options = PodOptions::for_create(rules.allow_privileged);
    let (meta, spec) = (job.child("metadata"), job.child("spec"));
    metadata::on_create(&meta, metadata::DNS_SUBDOMAIN, &mut errors);
    metadata::standard_finalizers(&meta, &mut errors);
    job_update::generated_selector(job, &mut errors);
    job::job_spec(&spec, &options, &mut errors);
    job_update::name_allows_completions(job, &mut errors);
    if errors.is_empty() {
        metadata::on_create(&meta, metadata::PATH_SEGMENT, &mut errors);
    }
    errors
}

/// `ValidateCronJobCreate`.
fn validate_cron_job(cron_job: &Field<'_, '_>, rules: &Rules<'_>) -> Errors {
    let mut errors = Errors::default();
    let options = PodOptions::for_create(rules.allow_privileged);
    let (meta, spec) = (cron_job.child("metadata"), cron_job.child("spec"));
    metadata::on_create(&meta, metadata::DNS_SUBDOMAIN, &mut errors);
    metadata::standard_finalizers(&meta, &mut errors);
    cron_job::cron_job_spec(&spec, None, &options, rules, &mut errors);
    let name = meta.child("name");
    if name.text().len() > cron_job::NAME_MAX {
        errors.invalid_value(
            &name,
            name.text(),
            format!("must be no more than {} characters", cron_job::NAME_MAX),
        );
    }
    if errors.is_empty() {
        metadata::on_create(&meta, metadata::PATH_SEGMENT, &mut errors);
    }
    cron_job::required_schedule_last(&spec, None, &mut errors);
    errors
}

/// `WarningsOnCreate`.
fn warnings(kind: Kind, object: &Field<'_, '_>) -> Vec<String> {
    let mut found = Vec::new();
    let meta = object.child("metadata");
    let messages = names::dns_label(meta.child("name").text());
    if !messages.is_empty() {
        found.push(format!(
            "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [{}]",
            messages.join(" ")
        ));
    }
    let spec = object.child("spec");
    match kind {
        Kind::Job => warnings::job_spec(&spec, &mut found),
        Kind::CronJob => warnings::job_spec(&spec.child("jobTemplate").child("spec"), &mut found),
    }
    found
}
