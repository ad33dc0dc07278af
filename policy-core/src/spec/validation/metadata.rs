//! Object metadata (`apimachinery/pkg/api/validation/objectmeta.go`).

use super::error::Errors;
use super::field::Field;
use super::names::{self, Messages};
use crate::cron::go_text::{is_printable, quote};
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// The most bytes that all annotations may have together.
const ANNOTATIONS_MAX_BYTES: usize = 256 * 1024;

/// The forms that a name and the start of a name must have.
#[derive(Clone, Copy)]
pub(super) struct NameForm {
    name: fn(&str) -> Messages,
    prefix: fn(&str) -> Messages,
}

/// `NameIsDNSSubdomain`.
pub(super) const DNS_SUBDOMAIN: NameForm =
    NameForm { name: names::dns_subdomain, prefix: names::dns_subdomain_prefix };

/// `path.ValidatePathSegmentName`.
pub(super) const PATH_SEGMENT: NameForm =
    NameForm { name: names::path_segment, prefix: names::path_segment_prefix };

/// `ValidateObjectMetaAccessor` for an object in a namespace.
pub(super) fn on_create(meta: &Field<'_, '_>, form: NameForm, errors: &mut Errors) {
    let generate_name = meta.child("generateName");
    if !generate_name.text().is_empty() {
        errors.invalid_all(&generate_name, (form.prefix)(generate_name.text()));
    }
    let name = meta.child("name");
    if name.text().is_empty() {
        errors.required(&name, "name or generateName is required");
    } else {
        errors.invalid_all(&name, (form.name)(name.text()));
    }
    let namespace = meta.child("namespace");
    if namespace.text().is_empty() {
        errors.required(&namespace, "");
    } else {
        errors.invalid_all(&namespace, names::dns_label(namespace.text()));
    }
    names::non_negative(&meta.child("generation"), errors);
    names::labels(&meta.child("labels"), errors);
    annotations(&meta.child("annotations"), errors);
    owner_references(&meta.child("ownerReferences"), errors);
    finalizers(&meta.child("finalizers"), errors);
    managed_fields(&meta.child("managedFields"), errors);
}

/// `ValidateObjectMetaAccessorUpdate`, but for what [`on_create`] has said already: upstream runs that on updates,
/// too, and an error counts once.
pub(super) fn on_update(new: &Field<'_, '_>, old: &Field<'_, '_>, errors: &mut Errors) {
    if old.child("deletionTimestamp").is_set() {
        no_new_finalizers(&new.child("finalizers"), &old.child("finalizers"), errors);
    }
    let resource_version = new.child("resourceVersion");
    if resource_version.text().is_empty() {
        errors.invalid_value(&resource_version, "", "must be specified for an update");
    }
    let generation = new.child("generation");
    if generation.int_or_zero() < old.child("generation").int_or_zero() {
        errors.invalid(&generation, "must not be decremented");
    }
    for name in ["name", "namespace", "uid"] {
        let text = new.child(name);
        if text.text() != old.child(name).text() {
            errors.invalid_value(&text, text.text(), IMMUTABLE);
        }
    }
    for name in ["creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] {
        immutable(new, old, name, errors);
    }
}

/// `ValidateImmutableField` of one field.
pub(super) fn immutable(new: &Field<'_, '_>, old: &Field<'_, '_>, name: &str, errors: &mut Errors) {
    let same = match (new.fields(), old.fields()) {
        (Some(new), Some(old)) => new.same_at(old, name),
        _ => true,
    };
    if !same {
        errors.invalid(&new.child(name), IMMUTABLE);
    }
}

/// `FieldImmutableErrorMsg`.
pub(super) const IMMUTABLE: &str = "field is immutable";

/// `ValidateAnnotations`: like label keys, but of any case.
pub(super) fn annotations(annotations: &Field<'_, '_>, errors: &mut Errors) {
    let mut bytes: usize = 0;
    for (key, value) in annotations.entries() {
        for message in names::label_key(&key.to_lowercase()) {
            errors.invalid_value(annotations, key, message);
        }
        bytes = bytes.saturating_add(key.len()).saturating_add(value.text().len());
    }
    if bytes > ANNOTATIONS_MAX_BYTES {
        errors.too_long(annotations, ANNOTATIONS_MAX_BYTES);
    }
}

/// `ValidateOwnerReferences`.
fn owner_references(owners: &Field<'_, '_>, errors: &mut Errors) {
    let mut controller: Option<String> = None;
    for owner in owners.items() {
        owner_reference(&owner, errors);
        if !owner.child("controller").is_true() {
            continue;
        }
        let this = format!("{}/{}", owner.child("kind").text(), owner.child("name").text());
        match &controller {
            Some(first) => errors.invalid(
                owners,
                format!(
                    "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {this}"
                ),
            ),
            None => controller = Some(this),
        }
    }
}

fn owner_reference(owner: &Field<'_, '_>, errors: &mut Errors) {
    let api_version = owner.child("apiVersion");
    let version = api_version.text();
    // `ParseGroupVersion`: one slash at most.
    let well_formed = match version.split_once('/') {
        Some((_, version)) => !version.is_empty() && !version.contains('/'),
        None => true,
    };
    if version.is_empty() {
        errors.required(&api_version, "must not be empty");
    } else if !well_formed {
        errors.invalid(&api_version, "must be <group>/<version> or <version>");
    }
    for name in ["kind", "name", "uid"] {
        let field = owner.child(name);
        if field.text().is_empty() {
            errors.required(&field, "must not be empty");
        }
    }
    if version == "v1" && owner.child("kind").text() == "Event" {
        errors.invalid(owner, "/v1, Kind=Event is disallowed from being an owner");
    }
}

/// `ValidateFinalizers`.
fn finalizers(finalizers: &Field<'_, '_>, errors: &mut Errors) {
    for finalizer in finalizers.texts() {
        for message in names::label_key(finalizer) {
            errors.invalid_value(finalizers, finalizer, message);
        }
    }
    if finalizers.texts().any(|f| f == "foregroundDeletion") && finalizers.texts().any(|f| f == "orphan") {
        errors.invalid(finalizers, "finalizer orphan and foregroundDeletion cannot be both set");
    }
}

/// The finalizers without a domain that the API server knows (`helper.IsStandardFinalizerName`).
const STANDARD_FINALIZERS: [&str; 3] = ["kubernetes", "orphan", "foregroundDeletion"];

/// `validateKubeFinalizerName`: without a domain, a name must be a known one.
pub(super) fn standard_finalizers(meta: &Field<'_, '_>, errors: &mut Errors) {
    for finalizer in meta.child("finalizers").items() {
        let name = finalizer.text();
        if !name.contains('/') && !STANDARD_FINALIZERS.contains(&name) {
            errors.invalid(&finalizer, "name is neither a standard finalizer name nor is it fully qualified");
        }
    }
}

/// `ValidateNoNewFinalizers`.
fn no_new_finalizers(new: &Field<'_, '_>, old: &Field<'_, '_>, errors: &mut Errors) {
    let kept: BTreeSet<&str> = old.texts().collect();
    let extra: BTreeSet<&str> = new.texts().filter(|finalizer| !kept.contains(finalizer)).collect();
    if extra.is_empty() {
        return;
    }
    let quoted: Vec<String> = extra.into_iter().map(quote).collect();
    errors.forbidden(
        new,
        format!(
            "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
            quoted.join(", ")
        ),
    );
}

/// `ValidateManagedFields`.
fn managed_fields(entries: &Field<'_, '_>, errors: &mut Errors) {
    for entry in entries.items() {
        let operation = entry.child("operation");
        match operation.text() {
            "" => errors.required(&operation, "must not be empty"),
            "Apply" | "Update" => {}
            _ => errors.not_supported(&operation, &["Apply", "Update"]),
        }
        let fields_type = entry.child("fieldsType");
        if !matches!(fields_type.text(), "" | "FieldsV1") {
            errors.invalid(&fields_type, "must be `FieldsV1`");
        }
        field_manager(&entry.child("manager"), errors);
        let subresource = entry.child("subresource");
        if subresource.text().len() > 256 {
            errors.too_long(&subresource, 256);
        }
    }
}

/// `ValidateFieldManager`.
fn field_manager(manager: &Field<'_, '_>, errors: &mut Errors) {
    if manager.text().len() > 128 {
        errors.too_long(manager, 128);
    }
    for (position, c) in manager.text().char_indices().filter(|(_, c)| !is_printable(*c)) {
        errors.invalid(manager, format!("invalid character U+{:04X} (at position {position})", u32::from(c)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::expect_job_errors;

    #[test]
    fn names() {
        expect_job_errors(&[
            (
                r#"{"metadata":{"name":""}}"#,
                &["metadata.name: Required value: name or generateName is required"],
            ),
            (
                r#"{"metadata":{"name":"A_b"}}"#,
                &[r#"metadata.name: Invalid value: "A_b": a lowercase RFC 1123 subdomain must consist of…"#],
            ),
            (
                r#"{"metadata":{"name":null,"generateName":"A-"}}"#,
                &[
                    r#"metadata.name: Invalid value: "A-abcde": a lowercase RFC 1123 subdomain must consist of…"#,
                ],
            ),
            (
                r#"{"metadata":{"namespace":"A"}}"#,
                &[r#"metadata.namespace: Invalid value: "A": a lowercase RFC 1123 label must consist of…"#],
            ),
        ]);
    }

    #[test]
    fn labels_annotations_and_owners() {
        expect_job_errors(&[
            (
                r#"{"metadata":{"labels":{"a b":"c"}}}"#,
                &[r#"metadata.labels: Invalid value: "a b": name part must consist of…"#],
            ),
            (
                r#"{"metadata":{"labels":{"d":"e f"}}}"#,
                &[
                    r#"metadata.labels: Invalid value: "e f": a valid label must be an empty string or consist of…"#,
                ],
            ),
            (
                r#"{"metadata":{"annotations":{"a b":"c"}}}"#,
                &[r#"metadata.annotations: Invalid value: "a b": name part must consist of…"#],
            ),
            (
                r#"{"metadata":{"finalizers":["a","a b/c"]}}"#,
                &[
                    r#"metadata.finalizers: Invalid value: "a b/c": prefix part a lowercase RFC 1123 subdomain must consist of…"#,
                    r#"metadata.finalizers[0]: Invalid value: "a": name is neither a standard finalizer name nor is it fully qualified"#,
                ],
            ),
            (
                r#"{"metadata":{"finalizers":["orphan","foregroundDeletion"]}}"#,
                &[
                    r#"metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set"#,
                ],
            ),
            (
                r#"{"metadata":{"ownerReferences":[{}]}}"#,
                &[
                    "metadata.ownerReferences[0].apiVersion: Required value: must not be empty",
                    "metadata.ownerReferences[0].kind: Required value: must not be empty",
                    "metadata.ownerReferences[0].name: Required value: must not be empty",
                    "metadata.ownerReferences[0].uid: Required value: must not be empty",
                ],
            ),
            (
                r#"{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"Event","name":"e","uid":"u"}]}}"#,
                &[
                    r#"metadata.ownerReferences[0]: Invalid value: {"apiVersion":"v1","kind":"Event","name":"e","uid":"u"}: /v1, Kind=Event is disallowed from being an owner"#,
                ],
            ),
            (
                r#"{"metadata":{"ownerReferences":[{"apiVersion":"a/v1","kind":"A","name":"a","uid":"u","controller":true},{"apiVersion":"a/v1","kind":"A","name":"b","uid":"w","controller":true}]}}"#,
                &[
                    r#"metadata.ownerReferences: Invalid value: [{"apiVersion":"a/v1","kind":"A","name":"a","uid":"u","controller":true},{"apiVersion":"a/v1","kind":"A","name":"b","uid":"w","controller":true}]: Only one reference can have Controller set to true. Found "true" in references for A/a and A/b"#,
                ],
            ),
        ]);
    }
}
