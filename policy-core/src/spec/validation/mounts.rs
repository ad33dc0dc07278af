//! Volumes as a container uses them (`ValidateVolumeMounts`, `ValidateVolumeDevices`).

use super::error::Errors;
use super::field::Field;
use super::paths;
use super::volumes::Volumes;
use alloc::collections::{BTreeMap, BTreeSet};

pub(super) fn volume_mounts(container: &Field<'_, '_>, volumes: &Volumes<'_>, errors: &mut Errors) {
    let (mounts, devices) = (container.child("volumeMounts"), container.child("volumeDevices"));
    let devices = by_name(&devices, "devicePath");
    let context = container.child("securityContext");
    let privileged = context.child("privileged").is_true();
    let mut seen = BTreeSet::new();
    for mount in mounts.items() {
        let (name, path) = (mount.child("name"), mount.child("mountPath"));
        if name.text().is_empty() {
            errors.required(&name, "");
        }
        if !volumes.contains_key(name.text()) {
            errors.not_found(&name);
        }
        if path.text().is_empty() {
            errors.required(&path, "");
        }
        if !seen.insert(path.text()) {
            errors.invalid_value(&path, path.text(), "must be unique");
        }
        if devices.contains_key(name.text()) {
            errors.invalid_value(&name, name.text(), "must not already exist in volumeDevices");
        }
        if devices.values().any(|device| *device == path.text()) {
            errors.invalid_value(&path, path.text(), "must not already exist as a path in volumeDevices");
        }
        // From here on upstream's paths lack the index.
        sub_paths(&mount, &mounts, errors);
        propagation(&mount.child("mountPropagation"), &mounts, privileged, errors);
        recursive_read_only(&mount, &mounts, errors);
        bind_mount_options(&mount, volumes, errors);
    }
}

fn sub_paths(mount: &Field<'_, '_>, mounts: &Field<'_, '_>, errors: &mut Errors) {
    let (sub_path, expression) = (mount.child("subPath"), mount.child("subPathExpr"));
    if !sub_path.text().is_empty() {
        paths::local_descending(sub_path.text(), &mounts.at("subPath", None), errors);
    }
    if expression.text().is_empty() {
        return;
    }
    if !sub_path.text().is_empty() {
        errors.invalid(&expression, "subPathExpr and subPath are mutually exclusive");
    }
    paths::local_descending(expression.text(), &mounts.at("subPathExpr", None), errors);
}

fn propagation(mode: &Field<'_, '_>, mounts: &Field<'_, '_>, privileged: bool, errors: &mut Errors) {
    let place = mounts.at("mountPropagation", mode.node());
    match mode.opt_text() {
        None | Some("HostToContainer" | "None") => {}
        Some("Bidirectional") if privileged => {}
        Some("Bidirectional") => {
            let detail = "Bidirectional mount propagation is available only to privileged containers";
            errors.forbidden(&place, detail);
        }
        Some(_) => errors.not_supported(&place, &["Bidirectional", "HostToContainer", "None"]),
    }
}

fn recursive_read_only(mount: &Field<'_, '_>, mounts: &Field<'_, '_>, errors: &mut Errors) {
    let mode = mount.child("recursiveReadOnly");
    let place = mounts.at("recursiveReadOnly", mode.node());
    match mode.opt_text() {
        None | Some("Disabled") => {}
        Some("Enabled" | "IfPossible") => {
            if !mount.child("readOnly").is_true() {
                errors.forbidden(&place, "may only be specified when readOnly is true");
            }
            if mount.child("mountPropagation").opt_text().is_some_and(|mode| mode != "None") {
                let detail = "may only be specified when mountPropagation is None or not specified";
                errors.forbidden(&place, detail);
            }
        }
        Some(_) => errors.not_supported(&place, &["Disabled", "Enabled", "IfPossible"]),
    }
}

fn bind_mount_options(mount: &Field<'_, '_>, volumes: &Volumes<'_>, errors: &mut Errors) {
    const SUPPORTED: [&str; 3] = ["nodev", "noexec", "nosuid"];
    let options = mount.child("bindMountOptions");
    let mut seen = BTreeSet::new();
    for option in options.items() {
        if !SUPPORTED.contains(&option.text()) {
            errors.not_supported(&option, &SUPPORTED);
        }
        if !seen.insert(option.text()) {
            errors.duplicate(&option);
        }
    }
    let volume = volumes.get(mount.child("name").text());
    if options.items_len() > 0 && volume.is_some_and(|volume| volume.get("image").is_some()) {
        errors.invalid(&options, "bindMountOptions may not be used with image volumes");
    }
}

pub(super) fn volume_devices(container: &Field<'_, '_>, volumes: &Volumes<'_>, errors: &mut Errors) {
    let (mounts, devices) = (container.child("volumeMounts"), container.child("volumeDevices"));
    let mounts = by_name(&mounts, "mountPath");
    let (mut names, mut device_paths) = (BTreeSet::new(), BTreeSet::new());
    for device in devices.items() {
        let (name, path) = (device.child("name"), device.child("devicePath"));
        device_name(&name, &names, volumes, errors);
        if path.text().is_empty() {
            errors.required(&path, "");
        }
        if device_paths.contains(path.text()) {
            errors.invalid_value(&path, path.text(), "must be unique");
        }
        if paths::has_backsteps(path.text()) {
            errors.invalid(&path, "can not contain backsteps ('..')");
        } else {
            device_paths.insert(path.text());
        }
        if mounts.contains_key(name.text()) {
            errors.invalid_value(&name, name.text(), "must not already exist in volumeMounts");
        }
        if mounts.values().any(|mount| *mount == path.text()) {
            errors.invalid_value(&path, path.text(), "must not already exist as a path in volumeMounts");
        }
        if !name.text().is_empty() {
            names.insert(name.text());
        }
    }
}

fn device_name(name: &Field<'_, '_>, seen: &BTreeSet<&str>, volumes: &Volumes<'_>, errors: &mut Errors) {
    if name.text().is_empty() {
        errors.required(name, "");
    }
    if seen.contains(name.text()) {
        errors.invalid(name, "must be unique");
    }
    match volumes.get(name.text()) {
        None => errors.not_found(name),
        Some(volume)
            if volume.get("persistentVolumeClaim").is_some() || volume.get("ephemeral").is_some() => {}
        Some(_) => errors.invalid(
            name,
            "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode",
        ),
    }
}

/// The paths of a list by name; of two with one name the last.
fn by_name<'n>(list: &Field<'_, 'n>, path: &str) -> BTreeMap<&'n str, &'n str> {
    list.items().map(|item| (item.child("name").text(), item.child(path).text())).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{expect_container_errors, expect_pod_errors};

    #[test]
    fn volume_mounts() {
        expect_container_errors(&[
            (
                r#"{"volumeMounts":[{"name":"v","mountPath":"/a"}]}"#,
                &[r#"volumeMounts[0].name: Not found: "v""#],
            ),
            (
                r#"{"volumeMounts":[{"name":"","mountPath":""}]}"#,
                &[
                    "volumeMounts[0].name: Required value",
                    r#"volumeMounts[0].name: Not found: """#,
                    "volumeMounts[0].mountPath: Required value",
                ],
            ),
        ]);
    }

    #[test]
    fn mounts_of_volumes() {
        expect_pod_errors(&[
            (
                r#"{"volumes":[{"name":"v","emptyDir":{}}],"containers":[{"name":"a","image":"b","volumeMounts":[{"name":"v","mountPath":"/a"},{"name":"v","mountPath":"/a"}]}]}"#,
                &[r#"containers[0].volumeMounts[1].mountPath: Invalid value: "/a": must be unique"#],
            ),
            (
                r#"{"volumes":[{"name":"v","emptyDir":{}}],"containers":[{"name":"a","image":"b","volumeMounts":[{"name":"v","mountPath":"/a","subPath":"../b"},{"name":"v","mountPath":"/c","subPath":"d","subPathExpr":"e"}]}]}"#,
                &[
                    r#"containers[0].volumeMounts.subPath: Invalid value: "../b": must not contain '..'"#,
                    r#"containers[0].volumeMounts[1].subPathExpr: Invalid value: "e": subPathExpr and subPath are mutually exclusive"#,
                ],
            ),
            (
                r#"{"volumes":[{"name":"v","emptyDir":{}}],"containers":[{"name":"a","image":"b","volumeMounts":[{"name":"v","mountPath":"/a","mountPropagation":"Bidirectional"}]}]}"#,
                &[
                    "containers[0].volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers",
                ],
            ),
            (
                r#"{"volumes":[{"name":"v","emptyDir":{}}],"containers":[{"name":"a","image":"b","volumeMounts":[{"name":"v","mountPath":"/a","recursiveReadOnly":"Enabled"}]}]}"#,
                &[
                    "containers[0].volumeMounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true",
                ],
            ),
        ]);
    }

    #[test]
    fn volume_devices() {
        expect_pod_errors(&[
            (
                r#"{"volumes":[{"name":"v","emptyDir":{}}],"containers":[{"name":"a","image":"b","volumeDevices":[{"name":"v","devicePath":"/a"}]}]}"#,
                &[
                    r#"containers[0].volumeDevices[0].name: Invalid value: "v": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"#,
                ],
            ),
            (
                r#"{"volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"c"}}],"containers":[{"name":"a","image":"b","volumeMounts":[{"name":"v","mountPath":"/a"}],"volumeDevices":[{"name":"v","devicePath":"/a"}]}]}"#,
                &[
                    r#"containers[0].volumeMounts[0].name: Invalid value: "v": must not already exist in volumeDevices"#,
                    r#"containers[0].volumeMounts[0].mountPath: Invalid value: "/a": must not already exist as a path in volumeDevices"#,
                    r#"containers[0].volumeDevices[0].name: Invalid value: "v": must not already exist in volumeMounts"#,
                    r#"containers[0].volumeDevices[0].devicePath: Invalid value: "/a": must not already exist as a path in volumeMounts"#,
                ],
            ),
            (
                r#"{"volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"c"}}],"containers":[{"name":"a","image":"b","volumeDevices":[{"name":"v","devicePath":"../a"},{"name":"v","devicePath":""}]}]}"#,
                &[
                    r#"containers[0].volumeDevices[0].devicePath: Invalid value: "../a": can not contain backsteps ('..')"#,
                    r#"containers[0].volumeDevices[1].name: Invalid value: "v": must be unique"#,
                    "containers[0].volumeDevices[1].devicePath: Required value",
                ],
            ),
        ]);
    }
}
