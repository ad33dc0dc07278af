//! Environment variables and the downward API (`ValidateEnv`, `ValidateEnvFrom`).

use super::error::Errors;
use super::field::Field;
use super::{names, paths};
use crate::spec::quantity::Quantity;
use alloc::format;
use alloc::string::String;

pub(super) fn env(variables: &Field<'_, '_>, errors: &mut Errors) {
    for variable in variables.items() {
        let name = variable.child("name");
        if name.text().is_empty() {
            errors.required(&name, "");
        } else {
            errors.invalid_all(&name, names::env_var_name(name.text()));
        }
        value_from(&variable.child("valueFrom"), !variable.child("value").text().is_empty(), errors);
    }
}

/// The check of one kind of source.
type SourceCheck = fn(&Field<'_, '_>, &mut Errors);

/// `validateEnvVarValueFrom`.
fn value_from(source: &Field<'_, '_>, has_value: bool, errors: &mut Errors) {
    if !source.is_set() {
        return;
    }
    let mut sources: usize = 0;
    let checks: [(&str, SourceCheck); 5] = [
        ("fieldRef", |field, errors| field_ref(field, &ENV_FIELDS, errors)),
        ("resourceFieldRef", |field, errors| resource_field_ref(field, false, errors)),
        ("configMapKeyRef", key_selector),
        ("secretKeyRef", key_selector),
        ("fileKeyRef", file_key_selector),
    ];
    for (name, check) in checks {
        let field = source.child(name);
        if field.is_set() {
            sources = sources.saturating_add(1);
            check(&field, errors);
        }
    }
    match sources {
        0 => errors.invalid_value(
            source,
            "",
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
        ),
        _ if has_value => errors.invalid_value(source, "", "may not be specified when `value` is not empty"),
        1 => {}
        _ => errors.invalid_value(source, "", "may not have more than one field specified at a time"),
    }
}

/// What a variable may take from the Pod (`validEnvDownwardAPIFieldPathExpressions`).
const ENV_FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// What a file may take from the Pod (`validVolumeDownwardAPIFieldPathExpressions`).
pub(super) const VOLUME_FIELDS: [&str; 5] =
    ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];

/// Fields of a Pod that the downward API knows at all (`ConvertDownwardAPIFieldLabel`).
const KNOWN_FIELDS: [&str; 15] = [
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.serviceAccountName",
    "spec.schedulerName",
    "status.phase",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
    "spec.host",
];

/// `validateObjectFieldSelector`.
pub(super) fn field_ref(field: &Field<'_, '_>, supported: &[&str], errors: &mut Errors) {
    let (api_version, path) = (field.child("apiVersion"), field.child("fieldPath"));
    if api_version.text().is_empty() {
        return errors.required(&api_version, "");
    }
    if path.text().is_empty() {
        return errors.required(&path, "");
    }
    let subscripted = split_subscript(path.text());
    if let Err(error) = known_field(api_version.text(), path.text(), subscripted) {
        return errors.invalid(&path, format!("error converting fieldPath: {error}"));
    }
    match subscripted {
        Some((of, key)) => {
            let key = if of == "metadata.annotations" { key.to_lowercase() } else { key.into() };
            for message in names::label_key(&key) {
                errors.invalid_value(field, key.as_str(), message);
            }
        }
        None => {
            // `spec.host` is the old name of the node's.
            let name = if path.text() == "spec.host" { "spec.nodeName" } else { path.text() };
            if !supported.contains(&name) {
                errors.not_supported_value(&path, name, supported);
            }
        }
    }
}

fn known_field(version: &str, path: &str, subscripted: Option<(&str, &str)>) -> Result<(), String> {
    if version != "v1" {
        return Err(format!("unsupported pod version: {version}"));
    }
    match subscripted {
        Some(("metadata.annotations" | "metadata.labels", _)) => Ok(()),
        Some(_) => Err(format!("field label does not support subscript: {path}")),
        None if KNOWN_FIELDS.contains(&path) => Ok(()),
        None => Err(format!("field label not supported: {path}")),
    }
}

/// `SplitMaybeSubscriptedPath`: `path['key']`.
fn split_subscript(path: &str) -> Option<(&str, &str)> {
    path.strip_suffix("']")?.split_once("['").filter(|(path, _)| !path.is_empty())
}

const RESOURCES: [&str; 6] = [
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

/// `validateContainerResourceFieldSelector`; a volume must name the container.
pub(super) fn resource_field_ref(field: &Field<'_, '_>, in_volume: bool, errors: &mut Errors) {
    let (container, resource) = (field.child("containerName"), field.child("resource"));
    let name = resource.text();
    if in_volume && container.text().is_empty() {
        errors.required(&container, "");
    } else if name.is_empty() {
        errors.required(&resource, "");
    } else if !RESOURCES.contains(&name) && !is_huge_pages(name) {
        errors.not_supported(&resource, &RESOURCES);
    }
    divisor(name, &field.child("divisor"), errors);
}

fn is_huge_pages(resource: &str) -> bool {
    resource.starts_with("requests.hugepages-") || resource.starts_with("limits.hugepages-")
}

const BYTE_DIVISORS: [&str; 13] =
    ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];

/// `validateContainerResourceDivisor`.
fn divisor(resource: &str, divisor: &Field<'_, '_>, errors: &mut Errors) {
    let text = match divisor.quantity().filter(|quantity| !quantity.is_zero()) {
        Some(quantity) => Quantity::canonical(quantity),
        None => return,
    };
    let what = match resource {
        "limits.cpu" | "requests.cpu" => {
            if !matches!(text.as_str(), "1" | "1m") {
                let detail = "only divisor's values 1m and 1 are supported with the cpu resource";
                errors.invalid_value(divisor, resource, detail);
            }
            return;
        }
        "limits.memory" | "requests.memory" => "memory",
        "limits.ephemeral-storage" | "requests.ephemeral-storage" => "local ephemeral storage",
        _ if is_huge_pages(resource) => "hugepages",
        _ => return,
    };
    if !BYTE_DIVISORS.contains(&text.as_str()) {
        let listed = BYTE_DIVISORS.join(", ");
        let detail = format!("only divisor's values {listed} are supported with the {what} resource");
        errors.invalid_value(divisor, resource, detail);
    }
}

/// `validateConfigMapKeySelector` and `validateSecretKeySelector`.
fn key_selector(selector: &Field<'_, '_>, errors: &mut Errors) {
    let (name, key) = (selector.child("name"), selector.child("key"));
    for message in names::dns_subdomain(name.text()) {
        errors.invalid_value(&name, name.text(), message);
    }
    if key.text().is_empty() {
        errors.required(&key, "");
    } else {
        errors.invalid_all(&key, names::config_map_key(key.text()));
    }
}

/// `validateFileKeySelector`.
fn file_key_selector(selector: &Field<'_, '_>, errors: &mut Errors) {
    let (key, volume, path) = (selector.child("key"), selector.child("volumeName"), selector.child("path"));
    if key.text().is_empty() {
        errors.required(&key, "");
    } else {
        errors.invalid_all(&key, names::env_var_name(key.text()));
    }
    if volume.text().is_empty() {
        errors.required(&volume, "");
    } else {
        names::dns_label_field(&volume, errors);
    }
    if path.text().is_empty() {
        errors.required(&path, "");
    } else {
        paths::no_backsteps(path.text(), &path, errors);
    }
}

pub(super) fn env_from(sources: &Field<'_, '_>, errors: &mut Errors) {
    for source in sources.items() {
        let prefix = source.child("prefix");
        if !prefix.text().is_empty() {
            errors.invalid_all(&prefix, names::env_var_name(prefix.text()));
        }
        let mut count: usize = 0;
        for kind in ["configMapRef", "secretRef"] {
            let reference = source.child(kind);
            if !reference.is_set() {
                continue;
            }
            count = count.saturating_add(1);
            let name = reference.child("name");
            if name.text().is_empty() {
                errors.required(&name, "");
            } else {
                errors.invalid_all(&name, names::dns_subdomain_prefix(name.text()));
            }
        }
        // Upstream reports at the list, not at the item.
        match count {
            0 => errors.invalid_value(sources, "", "must specify one of: `configMapRef` or `secretRef`"),
            1 => {}
            _ => errors.invalid_value(sources, "", "may not have more than one field specified at a time"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::expect_container_errors;

    #[test]
    fn names_and_sources() {
        expect_container_errors(&[
            (
                r#"{"env":[{"name":"","value":"a"},{"name":"a=b"},{"name":"1"}]}"#,
                &[
                    "env[0].name: Required value",
                    r#"env[1].name: Invalid value: "a=b": a valid environment variable name must consist only of printable ASCII characters other than '='"#,
                ],
            ),
            (
                r#"{"env":[{"name":"a","valueFrom":{}}]}"#,
                &[
                    r#"env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"#,
                ],
            ),
            (
                r#"{"env":[{"name":"a","value":"b","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}]}"#,
                &[r#"env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty"#],
            ),
            (
                r#"{"env":[{"name":"a","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"},"secretKeyRef":{"name":"s","key":"k"}}}]}"#,
                &[
                    r#"env[0].valueFrom: Invalid value: "": may not have more than one field specified at a time"#,
                ],
            ),
        ]);
    }

    #[test]
    fn field_references() {
        expect_container_errors(&[
            (r#"{"env":[{"name":"a","valueFrom":{"fieldRef":{"fieldPath":"spec.host"}}}]}"#, &[]),
            (
                r#"{"env":[{"name":"a","valueFrom":{"fieldRef":{"fieldPath":"status.phase"}}}]}"#,
                &[
                    r#"env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs""#,
                ],
            ),
            (
                r#"{"env":[{"name":"a","valueFrom":{"fieldRef":{"fieldPath":"metadata.labels['a b']"}}}]}"#,
                &[r#"env[0].valueFrom.fieldRef: Invalid value: "a b": name part must consist of…"#],
            ),
            (
                r#"{"env":[{"name":"a","valueFrom":{"fieldRef":{"fieldPath":"metadata.name['a']"}}}]}"#,
                &[
                    r#"env[0].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.name['a']": error converting fieldPath: field label does not support subscript: metadata.name['a']"#,
                ],
            ),
            (
                r#"{"env":[{"name":"a","valueFrom":{"fieldRef":{"apiVersion":"v2","fieldPath":"metadata.name"}}}]}"#,
                &[
                    r#"env[0].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.name": error converting fieldPath: unsupported pod version: v2"#,
                ],
            ),
        ]);
    }

    #[test]
    fn resource_and_key_references() {
        expect_container_errors(&[
            (
                r#"{"env":[{"name":"a","valueFrom":{"resourceFieldRef":{"resource":"limits.gpu"}}}]}"#,
                &[
                    r#"env[0].valueFrom.resourceFieldRef.resource: Unsupported value: "limits.gpu": supported values: "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory""#,
                ],
            ),
            (
                r#"{"env":[{"name":"a","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu","divisor":"3"}}}]}"#,
                &[
                    r#"env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor's values 1m and 1 are supported with the cpu resource"#,
                ],
            ),
            (
                r#"{"env":[{"name":"a","valueFrom":{"configMapKeyRef":{"key":""}}}]}"#,
                &[
                    r#"env[0].valueFrom.configMapKeyRef.name: Invalid value: "": a lowercase RFC 1123 subdomain must consist of…"#,
                    "env[0].valueFrom.configMapKeyRef.key: Required value",
                ],
            ),
            (
                r#"{"env":[{"name":"a","valueFrom":{"secretKeyRef":{"name":"s","key":".."}}}]}"#,
                &[r#"env[0].valueFrom.secretKeyRef.key: Invalid value: "..": must not be '..'"#],
            ),
            (
                r#"{"env":[{"name":"a","valueFrom":{"fileKeyRef":{"volumeName":"v","path":"/p","key":"a b"}}}]}"#,
                &[r#"env[0].valueFrom.fileKeyRef.volumeName: Not found: "v""#],
            ),
        ]);
    }

    #[test]
    fn env_from() {
        expect_container_errors(&[
            (
                r#"{"envFrom":[{}]}"#,
                &[r#"envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`"#],
            ),
            (
                r#"{"envFrom":[{"prefix":"a=","configMapRef":{"name":"c"}}]}"#,
                &[
                    r#"envFrom[0].prefix: Invalid value: "a=": a valid environment variable name must consist only of printable ASCII characters other than '='"#,
                ],
            ),
            (r#"{"envFrom":[{"secretRef":{"name":""}}]}"#, &["envFrom[0].secretRef.name: Required value"]),
            (
                r#"{"envFrom":[{"configMapRef":{"name":"c"},"secretRef":{"name":"s"}}]}"#,
                &[r#"envFrom: Invalid value: "": may not have more than one field specified at a time"#],
            ),
        ]);
    }
}
