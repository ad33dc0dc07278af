//! Volumes of a Pod (`ValidateVolumes`).

use super::error::Errors;
use super::field::Field;
use super::options::PodOptions;
use super::pod_template::one_of;
use super::{claims, env, names, paths, projected};
use crate::spec::object::Struct;
use alloc::collections::BTreeMap;

/// The volumes without an error, by name.
pub(super) type Volumes<'n> = BTreeMap<&'n str, &'n Struct<'n>>;

/// Checks the volumes and returns those that are fine: mounts of any other are reported as not found.
pub(super) fn volumes<'n>(list: &Field<'_, 'n>, options: &PodOptions, errors: &mut Errors) -> Volumes<'n> {
    let mut volumes = Volumes::new();
    for volume in list.items() {
        let before = errors.len();
        source(&volume, options, errors);
        let name = volume.child("name");
        if name.text().is_empty() {
            errors.required(&name, "");
        } else {
            names::dns_label_field(&name, errors);
        }
        if volumes.contains_key(name.text()) {
            errors.duplicate_value(&name, name.text());
        }
        if let Some(fields) = volume.fields().filter(|_| errors.len() == before) {
            volumes.insert(name.text(), fields);
        }
    }
    volumes
}

/// A kind of volume and how it is checked.
type Kind = (&'static str, fn(&Field<'_, '_>, &PodOptions, &mut Errors));

/// All kinds of volumes but emptyDir, in upstream's order. Of those that left the tree, or need another system beside
/// the cluster, only the fields that must be set are checked.
const KINDS: [Kind; 28] = [
    ("hostPath", |field, _, errors| host_path(field, errors)),
    ("gitRepo", |field, _, errors| git_repo(field, errors)),
    ("gcePersistentDisk", |field, _, errors| partitioned(&field.renamed("persistentDisk"), "pdName", errors)),
    ("awsElasticBlockStore", |field, _, errors| partitioned(field, "volumeID", errors)),
    ("secret", |field, _, errors| secret(field, errors)),
    ("nfs", |field, _, errors| nfs(field, errors)),
    ("iscsi", |field, _, errors| required(field, &["targetPortal", "iqn"], errors)),
    ("glusterfs", |field, _, errors| required(field, &["endpoints", "path"], errors)),
    ("flocker", |_, _, _| {}),
    ("persistentVolumeClaim", |field, _, errors| required(field, &["claimName"], errors)),
    ("rbd", |field, _, errors| {
        monitors(field, errors);
        required(field, &["image"], errors);
    }),
    ("cinder", |field, _, errors| required(field, &["volumeID"], errors)),
    ("cephfs", |field, _, errors| monitors(field, errors)),
    ("quobyte", |_, _, _| {}),
    ("downwardAPI", |field, _, errors| downward_api(field, errors)),
    ("fc", |_, _, _| {}),
    ("flexVolume", |field, _, errors| required(field, &["driver"], errors)),
    ("configMap", |field, _, errors| config_map(field, errors)),
    ("azureFile", |field, _, errors| required(field, &["secretName", "shareName"], errors)),
    ("vsphereVolume", |field, _, errors| required(field, &["volumePath"], errors)),
    ("photonPersistentDisk", |field, _, errors| required(field, &["pdID"], errors)),
    ("portworxVolume", |field, _, errors| required(field, &["volumeID"], errors)),
    ("azureDisk", |field, _, errors| required(field, &["diskName", "diskURI"], errors)),
    ("storageos", |_, _, _| {}),
    ("projected", projected::projected),
    ("scaleIO", |field, _, errors| required(field, &["gateway", "system", "volumeName"], errors)),
    ("csi", |field, _, errors| csi(field, errors)),
    ("ephemeral", |field, _, errors| ephemeral(field, errors)),
];

/// `validateVolumeSource`: exactly one kind.
fn source(volume: &Field<'_, '_>, options: &PodOptions, errors: &mut Errors) {
    let empty_dir = volume.child("emptyDir");
    let mut found = empty_dir.is_set();
    self::empty_dir(&empty_dir, errors);
    let image: Kind = ("image", image);
    for (name, check) in KINDS.iter().chain([&image]) {
        let field = volume.child(name);
        if field.is_set() && found {
            let shown = match *name {
                // Upstream's paths.
                "downwardAPI" => "downwarAPI",
                "cephfs" => "cephFS",
                name => name,
            };
            errors.forbidden(&field.renamed(shown), "may not specify more than 1 volume type");
        } else if field.is_set() {
            found = true;
            check(&field, options, errors);
        }
    }
    if !found {
        errors.required(volume, "must specify a volume type");
    }
}

fn required(field: &Field<'_, '_>, names: &[&str], errors: &mut Errors) {
    for name in names {
        let child = field.child(name);
        if child.text().is_empty() {
            errors.required(&child, "");
        }
    }
}

fn empty_dir(field: &Field<'_, '_>, errors: &mut Errors) {
    let limit = field.child("sizeLimit");
    if limit.quantity().is_some_and(|quantity| quantity.is_negative()) {
        errors.forbidden(&limit, "SizeLimit field must be a valid resource quantity");
    }
    let mode = field.child("mode");
    if mode.int().is_some_and(|mode| !(0..=0o1777).contains(&mode)) {
        errors.invalid(&mode, "must be a number between 0 and 01777 (octal), both inclusive");
    }
}

const HOST_PATH_TYPES: [&str; 8] =
    ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];

fn host_path(field: &Field<'_, '_>, errors: &mut Errors) {
    let (path, kind) = (field.child("path"), field.child("type"));
    if path.text().is_empty() {
        return errors.required(&path, "");
    }
    paths::no_backsteps(path.text(), &path, errors);
    if kind.opt_text().is_some_and(|kind| !HOST_PATH_TYPES.contains(&kind)) {
        errors.not_supported(&kind, &HOST_PATH_TYPES);
    }
}

fn git_repo(field: &Field<'_, '_>, errors: &mut Errors) {
    required(field, &["repository"], errors);
    let directory = field.child("directory");
    paths::local_descending(directory.text(), &directory, errors);
}

fn partitioned(field: &Field<'_, '_>, disk: &str, errors: &mut Errors) {
    required(field, &[disk], errors);
    let partition = field.child("partition");
    if names::in_range(partition.int_or_zero(), 0, 255).is_some() {
        errors.invalid(&partition, "must be between 1 and 255, inclusive");
    }
}

fn secret(field: &Field<'_, '_>, errors: &mut Errors) {
    required(field, &["secretName"], errors);
    keys_to_paths(field, errors);
}

fn config_map(field: &Field<'_, '_>, errors: &mut Errors) {
    required(field, &["name"], errors);
    keys_to_paths(field, errors);
}

fn keys_to_paths(field: &Field<'_, '_>, errors: &mut Errors) {
    file_mode(&field.child("defaultMode"), errors);
    user(&field.child("defaultUser"), errors);
    for item in field.child("items").items() {
        key_to_path(&item, errors);
    }
}

/// `validateKeyToPath`.
pub(super) fn key_to_path(item: &Field<'_, '_>, errors: &mut Errors) {
    required(item, &["key", "path"], errors);
    let path = item.child("path");
    paths::local_non_reserved(path.text(), &path, errors);
    file_mode(&item.child("mode"), errors);
    user(&item.child("user"), errors);
}

/// A file's mode, if set.
pub(super) fn file_mode(mode: &Field<'_, '_>, errors: &mut Errors) {
    if mode.int().is_some_and(|mode| !(0..=0o777).contains(&mode)) {
        errors.invalid(mode, "must be a number between 0 and 0777 (octal), both inclusive");
    }
}

/// `validateUserField`.
pub(super) fn user(user: &Field<'_, '_>, errors: &mut Errors) {
    if let Some(id) = user.int() {
        errors.invalid_all(user, names::user_id(id));
    }
}

fn nfs(field: &Field<'_, '_>, errors: &mut Errors) {
    required(field, &["server", "path"], errors);
    let path = field.child("path");
    if !path.text().starts_with('/') {
        errors.invalid_value(&path, path.text(), "must be an absolute path");
    }
}

fn monitors(field: &Field<'_, '_>, errors: &mut Errors) {
    let monitors = field.child("monitors");
    if monitors.items_len() == 0 {
        errors.required(&monitors, "");
    }
}

fn downward_api(field: &Field<'_, '_>, errors: &mut Errors) {
    file_mode(&field.child("defaultMode"), errors);
    user(&field.child("defaultUser"), errors);
    for file in field.child("items").items() {
        // Upstream reports at the volume, not at the item.
        downward_api_file(&field.with_node(file.node()), errors);
    }
}

/// `validateDownwardAPIVolumeFile`.
pub(super) fn downward_api_file(file: &Field<'_, '_>, errors: &mut Errors) {
    let path = file.child("path");
    if path.text().is_empty() {
        errors.required(&path, "");
    }
    paths::local_non_reserved(path.text(), &path, errors);
    let (field_ref, resource_ref) = (file.child("fieldRef"), file.child("resourceFieldRef"));
    match (field_ref.is_set(), resource_ref.is_set()) {
        (true, both) => {
            env::field_ref(&field_ref, &env::VOLUME_FIELDS, errors);
            if both {
                let detail = "fieldRef and resourceFieldRef can not be specified simultaneously";
                errors.invalid_value(file, "resource", detail);
            }
        }
        (false, true) => env::resource_field_ref(&resource_ref, true, errors),
        (false, false) => errors.required(file, "one of fieldRef and resourceFieldRef is required"),
    }
    file_mode(&file.child("mode"), errors);
    user(&file.child("user"), errors);
}

/// `validateCSIVolumeSource`.
fn csi(field: &Field<'_, '_>, errors: &mut Errors) {
    let driver = field.child("driver");
    if driver.text().is_empty() {
        errors.required(&driver, "");
    } else {
        if driver.text().len() > 63 {
            errors.too_long(&driver, 63);
        }
        errors.invalid_all(&driver, names::dns_subdomain(&driver.text().to_lowercase()));
    }
    let secret = field.child("nodePublishSecretRef");
    let name = secret.child("name");
    if secret.is_set() && name.text().is_empty() {
        errors.required(&name, "");
    } else if secret.is_set() {
        errors.invalid_all(&field.at("name", name.node()), names::dns_subdomain(name.text()));
    }
}

fn ephemeral(field: &Field<'_, '_>, errors: &mut Errors) {
    let template = field.child("volumeClaimTemplate");
    if template.is_set() {
        claims::claim_template(&template, errors);
    } else {
        errors.required(&template, "");
    }
}

fn image(field: &Field<'_, '_>, options: &PodOptions, errors: &mut Errors) {
    let reference = field.child("reference");
    if !options.allow_empty_image_volume_reference && reference.text().is_empty() {
        errors.required(&reference, "");
    }
    one_of(&field.child("pullPolicy"), &["Always", "IfNotPresent", "Never"], errors);
}

#[cfg(test)]
mod tests {
    use super::super::testing::expect_pod_errors;

    #[test]
    fn names_and_sources() {
        expect_pod_errors(&[
            (r#"{"volumes":[{"name":"v"}]}"#, &[]),
            (
                r#"{"volumes":[{"name":"A","emptyDir":{}},{"name":"","emptyDir":{}}]}"#,
                &[
                    r#"volumes[0].name: Invalid value: "A": a lowercase RFC 1123 label must consist of…"#,
                    "volumes[1].name: Required value",
                ],
            ),
            (
                r#"{"volumes":[{"name":"v","emptyDir":{}},{"name":"v","emptyDir":{}}]}"#,
                &[r#"volumes[1].name: Duplicate value: "v""#],
            ),
            (
                r#"{"volumes":[{"name":"v","emptyDir":{},"hostPath":{"path":"/a"}}]}"#,
                &["volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"],
            ),
        ]);
    }

    #[test]
    fn sources() {
        expect_pod_errors(&[
            (
                r#"{"volumes":[{"name":"v","emptyDir":{"sizeLimit":"-1"}}]}"#,
                &[
                    "volumes[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity",
                ],
            ),
            (
                r#"{"volumes":[{"name":"v","hostPath":{"path":"a/../b","type":"Bad"}}]}"#,
                &[
                    r#"volumes[0].hostPath.path: Invalid value: "a/../b": must not contain '..'"#,
                    r#"volumes[0].hostPath.type: Unsupported value: "Bad": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket""#,
                ],
            ),
            (r#"{"volumes":[{"name":"v","secret":{}}]}"#, &["volumes[0].secret.secretName: Required value"]),
            (
                r#"{"volumes":[{"name":"v","configMap":{"name":"c","defaultMode":512,"items":[{"key":"","path":"/a"}]}}]}"#,
                &[
                    "volumes[0].configMap.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive",
                    "volumes[0].configMap.items[0].key: Required value",
                    r#"volumes[0].configMap.items[0].path: Invalid value: "/a": must be a relative path"#,
                ],
            ),
            (
                r#"{"volumes":[{"name":"v","persistentVolumeClaim":{"claimName":""}}]}"#,
                &["volumes[0].persistentVolumeClaim.claimName: Required value"],
            ),
            (
                r#"{"volumes":[{"name":"v","nfs":{"server":"","path":"a"}}]}"#,
                &[
                    "volumes[0].nfs.server: Required value",
                    r#"volumes[0].nfs.path: Invalid value: "a": must be an absolute path"#,
                ],
            ),
            (
                r#"{"volumes":[{"name":"v","csi":{"driver":"a b"}}]}"#,
                &[
                    r#"volumes[0].csi.driver: Invalid value: "a b": a lowercase RFC 1123 subdomain must consist of…"#,
                ],
            ),
            (
                r#"{"volumes":[{"name":"v","image":{"reference":"","pullPolicy":"Bad"}}]}"#,
                &[
                    "volumes[0].image.reference: Required value",
                    r#"volumes[0].image.pullPolicy: Unsupported value: "Bad": supported values: "Always", "IfNotPresent", "Never""#,
                ],
            ),
        ]);
    }

    #[test]
    fn downward_api() {
        expect_pod_errors(&[
            (
                r#"{"volumes":[{"name":"v","downwardAPI":{"items":[{"path":"a"}]}}]}"#,
                &["volumes[0].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required"],
            ),
            (
                r#"{"volumes":[{"name":"v","downwardAPI":{"items":[{"path":"..a","fieldRef":{"fieldPath":"spec.nodeName"}}]}}]}"#,
                &[
                    r#"volumes[0].downwardAPI.path: Invalid value: "..a": must not start with '..'"#,
                    r#"volumes[0].downwardAPI.fieldRef.fieldPath: Unsupported value: "spec.nodeName": supported values: "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid""#,
                ],
            ),
            (
                r#"{"volumes":[{"name":"v","downwardAPI":{"items":[{"path":"a","resourceFieldRef":{"resource":"limits.cpu"}}]}}]}"#,
                &["volumes[0].downwardAPI.resourceFieldRef.containerName: Required value"],
            ),
        ]);
    }
}
