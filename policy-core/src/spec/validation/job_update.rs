//! What may change in a Job (`ValidateJobUpdate`), and rules of whole Jobs.

use super::create::{CONTROLLER_UID_LABELS, JOB_NAME_LABELS};
use super::error::Errors;
use super::field::Field;
use super::metadata::{self, IMMUTABLE};
use super::options::PodOptions;
use super::{Rules, job, names, scheduling, selectors};
use crate::spec::object::Struct;
use alloc::format;

/// What an update of a Job may do, by the state of the old one (`validationOptionsForJob`).
struct JobOptions {
    pod: PodOptions,
    /// The template may change where Pods go and what containers ask for: the Job is suspended, and no Pod runs.
    /// Upstream has two options, with a gate each, that come to the same.
    mutable_template: bool,
}

impl JobOptions {
    fn new(old: &Field<'_, '_>, rules: &Rules<'_>) -> Self {
        let (spec, status) = (old.child("spec"), old.child("status"));
        let template = spec.child("template");
        let mut pod = PodOptions::for_update(&template, rules.allow_privileged);
        pod.allow_invalid_label_value_in_selector |= selectors::has_invalid_value(&spec.child("selector"));
        // `shouldAllowMutablePodTemplate`
        let never_ran = !status.child("startTime").is_set() || is_condition_true(&status, "Suspended");
        let mutable =
            spec.child("suspend").is_true() && never_ran && status.child("active").int_or_zero() == 0;
        JobOptions { pod, mutable_template: mutable }
    }
}

/// `IsConditionTrue`.
pub(super) fn is_condition_true(status: &Field<'_, '_>, kind: &str) -> bool {
    has_condition(status, kind, "True")
}

/// Whether a condition is there with that status.
pub(super) fn has_condition(status: &Field<'_, '_>, kind: &str, value: &str) -> bool {
    let Some(status) = status.fields() else { return false };
    status.structs("conditions").any(|c| c.text("type") == kind && c.text("status") == value)
}

/// `jobStrategy.ValidateUpdate`.
pub(super) fn update(new: &Field<'_, '_>, old: &Field<'_, '_>, rules: &Rules<'_>, errors: &mut Errors) {
    let options = JobOptions::new(old, rules);
    metadata::standard_finalizers(&new.child("metadata"), errors);
    let (spec, old_spec) = (new.child("spec"), old.child("spec"));
    job::job_spec(&spec, &options.pod, errors);
    completions(&spec, &old_spec, errors);
    metadata::immutable(&spec, &old_spec, "selector", errors);
    template(&spec, &old_spec, &options, errors);
    for name in ["completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"] {
        metadata::immutable(&spec, &old_spec, name, errors);
    }
    scheduling::update(&spec, &old_spec, errors);
    name_allows_completions(new, errors);
}

/// `validateCompletions`: an Indexed Job may be scaled, its parallelism along.
fn completions(spec: &Field<'_, '_>, old: &Field<'_, '_>, errors: &mut Errors) {
    if !job::is_indexed(spec) {
        return metadata::immutable(spec, old, "completions", errors);
    }
    let completions = spec.child("completions");
    let changed = completions.int() != old.child("completions").int();
    if changed && completions.is_set() && completions.int() != spec.child("parallelism").int() {
        errors.invalid(&completions, "can only be modified in tandem with spec.parallelism");
    }
}

/// `validatePodTemplateUpdate`.
fn template(spec: &Field<'_, '_>, old_spec: &Field<'_, '_>, options: &JobOptions, errors: &mut Errors) {
    let template = spec.child("template");
    let old_template = old_spec.child("template");
    let (Some(new), Some(old)) = (template.fields(), old_template.fields()) else { return };
    // Both conditions ask for a suspended Job, so nothing may change in one that is not.
    if !options.mutable_template {
        if !new.same(old) {
            errors.invalid(&template, IMMUTABLE);
        }
        return;
    }
    let mut expected = old.clone();
    allow_scheduling_directives(&mut expected, new);
    let (Some(new_pod), Some(expected_pod)) = (new.child("spec"), expected.child_mut("spec")) else { return };
    for list in ["containers", "initContainers"] {
        allow_resources(expected_pod, new_pod, list);
    }
    if !new_pod.same(expected_pod) {
        // One element of the path has a dot in it.
        errors.invalid(&spec.at("template.spec", template.child("spec").node()), IMMUTABLE);
    }
}

/// Makes the directives of the old template those of the new one, so that they do not count as changed.
fn allow_scheduling_directives<'a>(old: &mut Struct<'a>, new: &Struct<'a>) {
    if let (Some(old), Some(new)) = (old.child_or_new("spec"), new.child("spec")) {
        allow_node_affinity(old, new);
        for name in ["nodeSelector", "tolerations", "schedulingGates"] {
            copy(old, new, name);
        }
    }
    let empty = Struct::new(&crate::spec::schema::meta::OBJECT_META);
    if let Some(old) = old.child_or_new("metadata") {
        for name in ["annotations", "labels"] {
            copy(old, new.child("metadata").unwrap_or(&empty), name);
        }
    }
}

fn allow_node_affinity<'a>(old: &mut Struct<'a>, new: &Struct<'a>) {
    let new_affinity = new.child("affinity");
    match (old.child_mut("affinity"), new_affinity) {
        (Some(affinity), Some(new)) => copy(affinity, new, "nodeAffinity"),
        // Affinity may go away if it had nothing but the nodes'.
        (Some(affinity), None) => {
            affinity.remove("nodeAffinity");
            if affinity.values().next().is_none() {
                old.remove("affinity");
            }
        }
        (None, Some(new)) => {
            if let Some(affinity) = old.child_or_new("affinity") {
                copy(affinity, new, "nodeAffinity");
            }
        }
        (None, None) => {}
    }
}

fn copy<'a>(to: &mut Struct<'a>, from: &Struct<'a>, name: &str) {
    match from.get(name) {
        Some(value) => to.set(name, value.clone()),
        None => to.remove(name),
    }
}

/// `validatePodResourceUpdatesOnly`: containers keep their number and names.
fn allow_resources<'a>(old: &mut Struct<'a>, new: &Struct<'a>, list: &str) {
    if old.items(list).len() != new.items(list).len() {
        return;
    }
    for (old, new) in old.structs_mut(list).zip(new.structs(list)) {
        if old.text("name") == new.text("name") {
            copy(old, new, "resources");
        }
    }
}

/// `validateGeneratedSelector`: the labels that were added are those of this Job, and the selector is for them.
pub(super) fn generated_selector(job: &Field<'_, '_>, errors: &mut Errors) {
    let (spec, meta) = (job.child("spec"), job.child("metadata"));
    let selector = spec.child("selector");
    if spec.child("manualSelector").is_true() || !selector.is_set() {
        return;
    }
    let (uid, name) = (meta.child("uid"), meta.child("name").text());
    if uid.text().is_empty() {
        errors.required(&uid, "");
    }
    let template = spec.child("template");
    let template_meta = template.child("metadata");
    let labels = template_meta.child("labels");
    let ([old_name, new_name], [old_uid, new_uid]) = (JOB_NAME_LABELS, CONTROLLER_UID_LABELS);
    let own = [(old_uid, uid.text()), (old_name, name), (new_uid, uid.text()), (new_name, name)];
    for (key, value) in own {
        has_label(&labels, key, value, errors);
    }
    let expected = |key: &str| own.iter().find(|(k, _)| *k == key).map(|(_, value)| *value);
    if selectors::matches(&selector, expected) == Some(false) {
        errors.invalid(&selector, "`selector` not auto-generated");
    }
}

/// `ValidateHasLabel`.
fn has_label(labels: &Field<'_, '_>, key: &str, value: &str, errors: &mut Errors) {
    let label = labels.key(key);
    let detail = format!("must be '{value}'");
    match label.opt_text() {
        None => errors.required(&label, detail),
        Some(actual) if actual != value => errors.invalid(&label.with_node(labels.node()), detail),
        Some(_) => {}
    }
}

/// `validateNameAllowsCompletions`: Pods of an Indexed Job have the name and an index for their hostname.
pub(super) fn name_allows_completions(job: &Field<'_, '_>, errors: &mut Errors) {
    let (spec, meta) = (job.child("spec"), job.child("metadata"));
    let Some(last) = spec.child("completions").int().filter(|n| *n > 0 && job::is_indexed(&spec)) else {
        return;
    };
    let name = meta.child("name");
    let hostname = format!("{}-{}", name.text(), last.saturating_sub(1));
    if !names::dns_label(&hostname).is_empty() {
        let detail = format!("will not able to create pod with invalid DNS label: {hostname}");
        errors.invalid_value(&name, name.text(), detail);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Subresource;
    use super::super::testing::expect_job_update_errors;

    #[test]
    fn immutable_fields() {
        expect_job_update_errors(&[
            (
                "{}",
                r#"{"spec":{"completions":2}}"#,
                Subresource::Main,
                &["spec.completions: Invalid value: 2: field is immutable"],
            ),
            (
                "{}",
                r#"{"spec":{"completionMode":"Indexed","completions":1}}"#,
                Subresource::Main,
                &[r#"spec.completionMode: Invalid value: "Indexed": field is immutable"#],
            ),
            (
                "{}",
                r#"{"spec":{"selector":{"matchLabels":{"a":"b"}}}}"#,
                Subresource::Main,
                &[
                    r#"spec.template.metadata.labels: Invalid value: {"batch.kubernetes.io/controller-uid":"u"}: `selector` does not match template `labels`"#,
                    r#"spec.selector: Invalid value: {"matchLabels":{"a":"b","batch.kubernetes.io/controller-uid":"u"}}: field is immutable"#,
                ],
            ),
            (
                "{}",
                r#"{"spec":{"managedBy":"a.b/c"}}"#,
                Subresource::Main,
                &[r#"spec.managedBy: Invalid value: "a.b/c": field is immutable"#],
            ),
            ("{}", r#"{"spec":{"podReplacementPolicy":"Failed"}}"#, Subresource::Main, &[]),
            (
                r#"{"spec":{"podFailurePolicy":{"rules":[{"action":"FailJob","onExitCodes":{"operator":"In","values":[1]}}]}}}"#,
                r#"{"spec":{"podFailurePolicy":null}}"#,
                Subresource::Main,
                &["spec.podFailurePolicy: Invalid value: null: field is immutable"],
            ),
            (
                "{}",
                r#"{"spec":{"backoffLimit":1,"parallelism":3,"suspend":true,"activeDeadlineSeconds":5,"ttlSecondsAfterFinished":1}}"#,
                Subresource::Main,
                &["spec.completions: Invalid value: null: field is immutable"],
            ),
        ]);
    }

    #[test]
    fn elastic_indexed_jobs() {
        expect_job_update_errors(&[
            (
                r#"{"spec":{"completionMode":"Indexed","completions":3,"parallelism":3}}"#,
                r#"{"spec":{"completions":5,"parallelism":5}}"#,
                Subresource::Main,
                &[],
            ),
            (
                r#"{"spec":{"completionMode":"Indexed","completions":3,"parallelism":3}}"#,
                r#"{"spec":{"completions":5}}"#,
                Subresource::Main,
                &["spec.completions: Invalid value: 5: can only be modified in tandem with spec.parallelism"],
            ),
            (
                r#"{"spec":{"completionMode":"Indexed","completions":3,"parallelism":3}}"#,
                r#"{"spec":{"completions":null}}"#,
                Subresource::Main,
                &["spec.completions: Required value: when completion mode is Indexed"],
            ),
        ]);
    }

    #[test]
    fn templates() {
        expect_job_update_errors(&[
            (
                r#"{"spec":{"suspend":true}}"#,
                r#"{"spec":{"template":{"spec":{"nodeSelector":{"a":"b"},"tolerations":[{"operator":"Exists"}],"schedulingGates":[{"name":"g"}]},"metadata":{"labels":{"x":"y"}}}}}"#,
                Subresource::Main,
                &[],
            ),
            (
                r#"{"spec":{"suspend":true},"status":{"startTime":"2025-01-01T00:00:00Z"}}"#,
                r#"{"spec":{"template":{"metadata":{"labels":{"x":"y"}}}}}"#,
                Subresource::Main,
                &["spec.template: Invalid value: …"],
            ),
            (
                r#"{"spec":{"suspend":true}}"#,
                r#"{"spec":{"template":{"spec":{"containers":[{"name":"main","image":"bash:5","resources":{"requests":{"cpu":"1"}}}]}}}}"#,
                Subresource::Main,
                &[],
            ),
        ]);
    }
}
