//! The spec of a Job (`pkg/apis/batch/validation`, `ValidateJobSpec`).

use super::error::Errors;
use super::field::Field;
use super::options::PodOptions;
use super::{names, pod_failure_policy, pod_template, scheduling, selectors, success_policy};
use crate::spec::object::Node;
use alloc::format;

/// `maxParallelismForIndexedJob`.
const MAX_PARALLELISM_INDEXED: i64 = 100_000;
/// `maxFailedIndexesForIndexedJob`.
const MAX_FAILED_INDEXES: i64 = 100_000;
/// `completionsSoftLimit`.
pub(super) const COMPLETIONS_SOFT_LIMIT: i64 = 100_000;
/// `parallelismLimitForHighCompletions` and `maxFailedIndexesLimitForHighCompletions`.
const LIMIT_FOR_HIGH_COMPLETIONS: i64 = 10_000;
/// `maxManagedByLength`, in bytes.
const MANAGED_BY_MAX: usize = 63;

/// `ValidateJobSpec`: a Job's own spec, with its selector.
pub(super) fn job_spec(spec: &Field<'_, '_>, options: &PodOptions, errors: &mut Errors) {
    template_job_spec(spec, options, errors);
    let selector = spec.child("selector");
    if selector.is_set() {
        selectors::label_selector(&selector, options.allow_invalid_label_value_in_selector, errors);
    } else {
        errors.required(&selector, "");
    }
    let template = spec.child("template");
    let metadata = template.child("metadata");
    let labels = metadata.child("labels");
    let lookup = |key: &str| labels.map().and_then(|map| map.get(key)).and_then(Node::as_text);
    if selectors::matches(&selector, lookup) == Some(false) {
        errors.invalid(&labels, "`selector` does not match template `labels`");
    }
}

/// `validateJobSpec`: what holds for the spec in a CronJob's template, too.
pub(super) fn template_job_spec(spec: &Field<'_, '_>, options: &PodOptions, errors: &mut Errors) {
    for name in [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
    ] {
        names::non_negative(&spec.child(name), errors);
    }
    let max_failed_indexes = spec.child("maxFailedIndexes");
    names::non_negative(&max_failed_indexes, errors);
    let limit_per_index = spec.child("backoffLimitPerIndex");
    if max_failed_indexes.is_set() && !limit_per_index.is_set() {
        errors.required(&limit_per_index, "when maxFailedIndexes is specified");
    }
    managed_by(&spec.child("managedBy"), errors);
    completion_mode(spec, errors);
    let failure_policy = spec.child("podFailurePolicy");
    if failure_policy.is_set() {
        pod_failure_policy::pod_failure_policy(spec, &failure_policy, errors);
    }
    success_policy(spec, errors);
    pod_replacement_policy(spec, errors);
    scheduling::scheduling(spec, errors);
    let template = spec.child("template");
    pod_template::pod_template(&template, options, errors);
    restart_policy(spec, &template, errors);
}

/// Whether the Job is Indexed.
pub(super) fn is_indexed(spec: &Field<'_, '_>) -> bool {
    spec.child("completionMode").opt_text() == Some("Indexed")
}

fn managed_by(managed_by: &Field<'_, '_>, errors: &mut Errors) {
    if !managed_by.is_set() {
        return;
    }
    names::domain_prefixed_path(managed_by, errors);
    if managed_by.text().len() > MANAGED_BY_MAX {
        errors.too_long(managed_by, MANAGED_BY_MAX);
    }
}

fn completion_mode(spec: &Field<'_, '_>, errors: &mut Errors) {
    let mode = spec.child("completionMode");
    match mode.opt_text() {
        Some("Indexed") => indexed(spec, errors),
        None | Some("NonIndexed") => {
            for name in ["backoffLimitPerIndex", "maxFailedIndexes"] {
                let field = spec.child(name);
                if field.is_set() {
                    errors.invalid(&field, "requires indexed completion mode");
                }
            }
        }
        Some(_) => errors.not_supported(&mode, &["NonIndexed", "Indexed"]),
    }
}

fn indexed(spec: &Field<'_, '_>, errors: &mut Errors) {
    let completions = spec.child("completions");
    let parallelism = spec.child("parallelism");
    let max_failed_indexes = spec.child("maxFailedIndexes");
    if !completions.is_set() {
        errors.required(&completions, "when completion mode is Indexed");
    }
    if parallelism.int_or_zero() > MAX_PARALLELISM_INDEXED {
        let detail = format!(
            "must be less than or equal to {MAX_PARALLELISM_INDEXED} when completion mode is Indexed"
        );
        errors.invalid(&parallelism, detail);
    }
    if let (Some(completions), Some(max)) = (completions.int(), max_failed_indexes.int())
        && max > completions
    {
        errors.invalid(&max_failed_indexes, "must be less than or equal to completions");
    }
    if max_failed_indexes.int_or_zero() > MAX_FAILED_INDEXES {
        errors.invalid(&max_failed_indexes, format!("must be less than or equal to {MAX_FAILED_INDEXES}"));
    }
    if completions.int_or_zero() > COMPLETIONS_SOFT_LIMIT && spec.child("backoffLimitPerIndex").is_set() {
        high_completions(&parallelism, &max_failed_indexes, errors);
    }
}

/// The limits of a Job with back-off per index and more completions than the soft limit.
fn high_completions(parallelism: &Field<'_, '_>, max_failed_indexes: &Field<'_, '_>, errors: &mut Errors) {
    if !max_failed_indexes.is_set() {
        let detail = format!("must be specified when completions is above {COMPLETIONS_SOFT_LIMIT}");
        errors.required(max_failed_indexes, detail);
    }
    for field in [parallelism, max_failed_indexes] {
        if field.int_or_zero() > LIMIT_FOR_HIGH_COMPLETIONS {
            errors.invalid(field, format!(
                "must be less than or equal to {LIMIT_FOR_HIGH_COMPLETIONS} when completions are above {COMPLETIONS_SOFT_LIMIT} and used with backoff limit per index"
            ));
        }
    }
}

fn success_policy(spec: &Field<'_, '_>, errors: &mut Errors) {
    let policy = spec.child("successPolicy");
    if policy.is_set() && is_indexed(spec) {
        success_policy::success_policy(&policy, spec.child("completions").int(), errors);
    } else if policy.is_set() {
        errors.invalid(&policy, "requires indexed completion mode");
    }
}

fn pod_replacement_policy(spec: &Field<'_, '_>, errors: &mut Errors) {
    let policy = spec.child("podReplacementPolicy");
    let supported: &[&str] = if spec.child("podFailurePolicy").is_set() {
        &["Failed"]
    } else {
        &["Failed", "TerminatingOrFailed"]
    };
    if policy.opt_text().is_some_and(|policy| !supported.contains(&policy)) {
        errors.not_supported(&policy, supported);
    }
}

/// What a Job asks of its Pods' restart policy, beyond what any Pod must have.
fn restart_policy(spec: &Field<'_, '_>, template: &Field<'_, '_>, errors: &mut Errors) {
    let pod_spec = template.child("spec");
    let policy = pod_spec.child("restartPolicy");
    match policy.text() {
        // Always is also what a missing one was defaulted to.
        "" | "Always" => errors.required(&policy, "valid values: \"OnFailure\", \"Never\""),
        "OnFailure" if spec.child("podFailurePolicy").is_set() => {
            errors.invalid(&policy, "only \"Never\" is supported when podFailurePolicy is specified");
        }
        "OnFailure" | "Never" => {}
        _ => errors.not_supported(&policy, &["OnFailure", "Never"]),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::expect_job_errors;

    #[test]
    fn numbers() {
        expect_job_errors(&[
            (
                r#"{"spec":{"parallelism":-1,"completions":-1,"backoffLimit":-1,"activeDeadlineSeconds":-1,"ttlSecondsAfterFinished":-1}}"#,
                &[
                    "spec.parallelism: Invalid value: -1: must be greater than or equal to 0",
                    "spec.completions: Invalid value: -1: must be greater than or equal to 0",
                    "spec.activeDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0",
                    "spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0",
                    "spec.ttlSecondsAfterFinished: Invalid value: -1: must be greater than or equal to 0",
                ],
            ),
            (r#"{"spec":{"completionMode":"Indexed"}}"#, &[]),
            (
                r#"{"spec":{"completionMode":"Indexed","completions":1,"parallelism":100001}}"#,
                &[
                    "spec.parallelism: Invalid value: 100001: must be less than or equal to 100000 when completion mode is Indexed",
                ],
            ),
            (r#"{"spec":{"completionMode":"Indexed","completions":100001,"parallelism":10001}}"#, &[]),
            (
                r#"{"spec":{"completionMode":"Some"}}"#,
                &[
                    r#"spec.completionMode: Unsupported value: "Some": supported values: "NonIndexed", "Indexed""#,
                ],
            ),
        ]);
    }

    #[test]
    fn per_index_backoff() {
        expect_job_errors(&[
            (
                r#"{"spec":{"backoffLimitPerIndex":1}}"#,
                &["spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"],
            ),
            (
                r#"{"spec":{"completionMode":"Indexed","completions":2,"maxFailedIndexes":1}}"#,
                &["spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified"],
            ),
            (
                r#"{"spec":{"completionMode":"Indexed","completions":2,"backoffLimitPerIndex":1,"maxFailedIndexes":3}}"#,
                &["spec.maxFailedIndexes: Invalid value: 3: must be less than or equal to completions"],
            ),
            (
                r#"{"spec":{"completionMode":"Indexed","completions":100001,"backoffLimitPerIndex":1}}"#,
                &[
                    "spec.maxFailedIndexes: Required value: must be specified when completions is above 100000",
                ],
            ),
        ]);
    }

    #[test]
    fn other_fields() {
        expect_job_errors(&[
            (
                r#"{"spec":{"managedBy":"a"}}"#,
                &[
                    r#"spec.managedBy: Invalid value: "a": must be a domain-prefixed path (such as "acme.io/foo")"#,
                ],
            ),
            (
                r#"{"spec":{"podReplacementPolicy":"Some"}}"#,
                &[
                    r#"spec.podReplacementPolicy: Unsupported value: "Some": supported values: "Failed", "TerminatingOrFailed""#,
                ],
            ),
            (
                r#"{"spec":{"manualSelector":true}}"#,
                &[
                    "spec.selector: Required value",
                    "spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`",
                ],
            ),
            (
                r#"{"spec":{"manualSelector":true,"selector":{"matchLabels":{"a":"b"}}}}"#,
                &[
                    "spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`",
                ],
            ),
            (
                r#"{"spec":{"selector":{"matchLabels":{"a":"b"}}}}"#,
                &[
                    r#"spec.selector: Invalid value: {"matchLabels":{"a":"b","batch.kubernetes.io/controller-uid":"11111111-2222-3333-4444-555555555555"}}: `selector` not auto-generated"#,
                    r#"spec.template.metadata.labels: Invalid value: {"batch.kubernetes.io/controller-uid":"11111111-2222-3333-4444-555555555555","batch.kubernetes.io/job-name":"j","controller-uid":"11111111-2222-3333-4444-555555555555","job-name":"j"}: `selector` does not match template `labels`"#,
                ],
            ),
            (
                r#"{"spec":{"template":{"spec":{"restartPolicy":"Always"}}}}"#,
                &[r#"spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never""#],
            ),
            (
                r#"{"metadata":{"name":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},"spec":{"completionMode":"Indexed","completions":100000}}"#,
                &[
                    r#"metadata.name: Invalid value: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx": will not able to create pod with invalid DNS label: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-99999"#,
                ],
            ),
        ]);
    }
}
