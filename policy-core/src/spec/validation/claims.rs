//! The claim in an ephemeral volume (`ValidatePersistentVolumeClaimTemplate`).

use super::error::{ErrorType, Errors};
use super::field::Field;
use super::{metadata, names, resources, selectors};

const ACCESS_MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

pub(super) fn claim_template(template: &Field<'_, '_>, errors: &mut Errors) {
    let meta = template.child("metadata");
    metadata::annotations(&meta.child("annotations"), errors);
    names::labels(&meta.child("labels"), errors);
    if let Some(fields) = meta.fields() {
        let others = fields.values().filter(|(field, _)| !matches!(field.name, "annotations" | "labels"));
        for (field, _) in others.filter(|(field, value)| !value.is_unset_in(field)) {
            // Upstream forms the name from that of the Go field.
            let name = if field.name == "uid" { "uID" } else { field.name };
            errors.forbidden(&meta.at(name, None), "cannot be set");
        }
    }
    claim_spec(&template.child("spec"), errors);
}

/// `ValidatePersistentVolumeClaimSpec`.
fn claim_spec(spec: &Field<'_, '_>, errors: &mut Errors) {
    let modes = spec.child("accessModes");
    if modes.items_len() == 0 {
        errors.required(&modes, "at least 1 access mode is required");
    }
    selectors::label_selector(&spec.child("selector"), false, errors);
    access_modes(&modes, errors);
    storage(spec, errors);
    class_name(&spec.child("storageClassName"), errors);
    volume_mode(&spec.child("volumeMode"), errors);
    data_sources(spec, errors);
    class_name(&spec.child("volumeAttributesClassName"), errors);
}

fn class_name(class: &Field<'_, '_>, errors: &mut Errors) {
    if !class.text().is_empty() {
        errors.invalid_all(class, names::dns_subdomain(class.text()));
    }
}

fn access_modes(modes: &Field<'_, '_>, errors: &mut Errors) {
    for mode in modes.texts().filter(|mode| !ACCESS_MODES.contains(mode)) {
        errors.not_supported_value(modes, mode, &ACCESS_MODES);
    }
    let is_once_pod = |mode: &str| mode == "ReadWriteOncePod";
    if modes.texts().any(is_once_pod) && modes.texts().any(|m| ACCESS_MODES.contains(&m) && !is_once_pod(m)) {
        errors.forbidden(modes, "may not use ReadWriteOncePod with other access modes");
    }
}

fn storage(spec: &Field<'_, '_>, errors: &mut Errors) {
    let resources = spec.child("resources");
    let requests = resources.child("requests");
    let storage = requests.key("storage");
    // Upstream's path leaves out `requests`.
    let place = resources.key("storage").with_node(storage.node());
    match storage.quantity() {
        None => errors.required(&place, ""),
        Some(quantity) if quantity.is_zero() || quantity.is_negative() => {
            errors.invalid_value(&place, quantity.canonical().as_str(), "must be greater than zero");
        }
        Some(_) => resources::quantity_value("storage", &place, errors),
    }
}

fn volume_mode(mode: &Field<'_, '_>, errors: &mut Errors) {
    if mode.opt_text().is_some_and(|mode| !matches!(mode, "Block" | "Filesystem")) {
        errors.not_supported(mode, &["Block", "Filesystem"]);
    }
}

fn data_sources(spec: &Field<'_, '_>, errors: &mut Errors) {
    let (source, reference) = (spec.child("dataSource"), spec.child("dataSourceRef"));
    for field in [&source, &reference].into_iter().filter(|field| field.is_set()) {
        data_source(field, errors);
    }
    let (Some(one), Some(other)) = (source.fields(), reference.fields()) else { return };
    let detail = if !reference.child("namespace").text().is_empty() {
        "may not be specified when dataSourceRef.namespace is specified"
    } else if ["apiGroup", "kind", "name"].iter().any(|name| one.text(name) != other.text(name)) {
        "must match dataSourceRef"
    } else {
        return;
    };
    // Upstream hands over the field's path as the value, and a path has nothing to print.
    errors.push(ErrorType::Invalid, spec, Some("{}".into()), detail);
}

/// `validateDataSource` and `validateDataSourceRef`.
fn data_source(source: &Field<'_, '_>, errors: &mut Errors) {
    for name in ["name", "kind"] {
        let field = source.child(name);
        if field.text().is_empty() {
            errors.required(&field, "");
        }
    }
    let (group, kind) = (source.child("apiGroup"), source.child("kind").text());
    if group.text().is_empty() && kind != "PersistentVolumeClaim" {
        let detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
        errors.invalid_value(source, kind, detail);
    }
    if !group.text().is_empty() {
        errors.invalid_all(&group, names::dns_subdomain(group.text()));
    }
    let namespace = source.child("namespace");
    if !namespace.text().is_empty() {
        errors.invalid_all(&namespace, names::dns_label(namespace.text()));
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::expect_pod_errors;

    #[test]
    fn templates_of_claims() {
        expect_pod_errors(&[
            (
                r#"{"volumes":[{"name":"v","ephemeral":{}}]}"#,
                &["volumes[0].ephemeral.volumeClaimTemplate: Required value"],
            ),
            (
                r#"{"volumes":[{"name":"v","ephemeral":{"volumeClaimTemplate":{"spec":{}}}}]}"#,
                &[
                    "volumes[0].ephemeral.volumeClaimTemplate.spec.accessModes: Required value: at least 1 access mode is required",
                    "volumes[0].ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value",
                ],
            ),
            (
                r#"{"volumes":[{"name":"v","ephemeral":{"volumeClaimTemplate":{"metadata":{"name":"x"},"spec":{"accessModes":["Bad","ReadWriteOncePod"],"resources":{"requests":{"storage":"0"}},"volumeMode":"Tape"}}}}]}"#,
                &[
                    "volumes[0].ephemeral.volumeClaimTemplate.metadata.name: Forbidden: cannot be set",
                    r#"volumes[0].ephemeral.volumeClaimTemplate.spec.accessModes: Unsupported value: "Bad": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod""#,
                    r#"volumes[0].ephemeral.volumeClaimTemplate.spec.resources[storage]: Invalid value: "0": must be greater than zero"#,
                    r#"volumes[0].ephemeral.volumeClaimTemplate.spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem""#,
                ],
            ),
            (
                r#"{"volumes":[{"name":"v","ephemeral":{"volumeClaimTemplate":{"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}},"dataSource":{"kind":"Pod","name":"p"}}}}}]}"#,
                &[
                    r#"volumes[0].ephemeral.volumeClaimTemplate.spec.dataSource: Invalid value: "Pod": must be 'PersistentVolumeClaim' when referencing the default apiGroup"#,
                ],
            ),
        ]);
    }
}
