//! Fields behind feature gates that are off by default: dropped unless the stored object has them
//! (`job.DropDisabledFields`, `pod.DropDisabledTemplateFields`).

use crate::spec::object::{Node, Struct};

/// The way to a field; `*` stands for all lists of containers.
type Path = &'static [&'static str];

/// The gated fields of the Pod spec. Those of one gate stay together if the old object has any of them.
const GATED: [&[Path]; 7] = [
    // GenericWorkload
    &[&["schedulingGroup"]],
    // EvictionRequestAPI
    &[&["evictionResponders"]],
    // EmptyDirVolumeMode
    &[&["volumes", "emptyDir", "mode"]],
    // VolumeBindMountOptions
    &[&["*", "volumeMounts", "bindMountOptions"]],
    // ContainerStopSignals
    &[&["*", "lifecycle", "stopSignal"]],
    // GRPCContainerProbeTLS
    &[
        &["*", "livenessProbe", "grpc", "mode"],
        &["*", "readinessProbe", "grpc", "mode"],
        &["*", "startupProbe", "grpc", "mode"],
    ],
    // H2CContainerProbe
    &[
        &["*", "livenessProbe", "httpGet", "protocol"],
        &["*", "readinessProbe", "httpGet", "protocol"],
        &["*", "startupProbe", "httpGet", "protocol"],
        &["*", "lifecycle", "postStart", "httpGet", "protocol"],
        &["*", "lifecycle", "preStop", "httpGet", "protocol"],
    ],
];

/// Annotations that meant something before v1.8 (`DropInitContainerAnnotations`).
const INIT_CONTAINER_ANNOTATIONS: [&str; 4] = [
    "pod.beta.kubernetes.io/init-containers",
    "pod.alpha.kubernetes.io/init-containers",
    "pod.beta.kubernetes.io/init-container-statuses",
    "pod.alpha.kubernetes.io/init-container-statuses",
];

/// Drops from a Job's spec what is behind a gate and not in the old spec, if there is one.
pub(super) fn drop_disabled(spec: &mut Struct<'_>, old: Option<&Struct<'_>>) {
    if old.is_none_or(|old| old.get("scheduling").is_none()) {
        spec.remove("scheduling");
    }
    let old_pod = old.and_then(|old| old.child("template")).and_then(|template| template.child("spec"));
    let Some(template) = spec.child_mut("template") else { return };
    if let Some(annotations) = template.child_mut("metadata").and_then(|meta| meta.map_mut("annotations")) {
        for key in INIT_CONTAINER_ANNOTATIONS {
            annotations.remove(key);
        }
    }
    let Some(pod) = template.child_mut("spec") else { return };
    for paths in GATED {
        let in_use = old_pod.is_some_and(|old| paths.iter().any(|path| has(old, path)));
        if !in_use {
            paths.iter().for_each(|path| remove(pod, path));
        }
    }
    if !old_pod.is_some_and(users_in_use) {
        drop_users(pod);
    }
}

/// Kinds of volumes that write files, in the order in which upstream looks for users (AtomicWriteVolumeUserFields). It
/// looks no further than the first kind that a volume has.
const FILE_VOLUMES: [&str; 4] = ["secret", "configMap", "downwardAPI", "projected"];
/// Kinds of sources of projected volumes, likewise.
const FILE_SOURCES: [&str; 6] =
    ["secret", "downwardAPI", "configMap", "serviceAccountToken", "clusterTrustBundle", "podCertificate"];
/// Where a user may stand in either.
const USERS: [Path; 3] = [&["defaultUser"], &["items", "user"], &["user"]];

/// `atomicWriteVolumeUserFieldsInUse`.
fn users_in_use(pod: &Struct<'_>) -> bool {
    let has_user = |fields: &Struct<'_>| USERS.iter().any(|path| has(fields, path));
    let first = |fields: &Struct<'_>, kinds: &[&str]| {
        kinds.iter().find_map(|kind| fields.child(kind)).is_some_and(has_user)
    };
    pod.structs("volumes").any(|volume| {
        first(volume, &FILE_VOLUMES)
            || first_kind(volume, &FILE_VOLUMES) == Some("projected")
                && volume
                    .child("projected")
                    .is_some_and(|p| p.structs("sources").any(|s| first(s, &FILE_SOURCES)))
    })
}

/// `dropDisabledAtomicWriteVolumeUserFields`.
fn drop_users(pod: &mut Struct<'_>) {
    let drop_first = |fields: &mut Struct<'_>, kinds: &[&'static str]| {
        let kind = first_kind(fields, kinds);
        if let Some(fields) = kind.and_then(|kind| fields.child_mut(kind)) {
            USERS.iter().for_each(|path| remove(fields, path));
        }
        kind
    };
    for volume in pod.structs_mut("volumes") {
        if drop_first(volume, &FILE_VOLUMES) == Some("projected")
            && let Some(projected) = volume.child_mut("projected")
        {
            for source in projected.structs_mut("sources") {
                drop_first(source, &FILE_SOURCES);
            }
        }
    }
}

fn first_kind(fields: &Struct<'_>, kinds: &[&'static str]) -> Option<&'static str> {
    kinds.iter().copied().find(|kind| fields.get(kind).is_some())
}

/// Whether anything is set at the end of a path, an empty list not counting.
fn has(fields: &Struct<'_>, path: &[&str]) -> bool {
    let (name, rest) = match path {
        [] => return true,
        ["*", rest @ ..] => {
            return super::options::CONTAINER_LISTS
                .into_iter()
                .any(|list| fields.structs(list).any(|container| has(container, rest)));
        }
        [name, rest @ ..] => (name, rest),
    };
    match fields.get(name) {
        Some(Node::Struct(child)) => has(child, rest),
        Some(Node::List(items)) if rest.is_empty() => !items.is_empty(),
        Some(Node::List(items)) => items.iter().filter_map(Node::as_struct).any(|item| has(item, rest)),
        Some(_) => rest.is_empty(),
        None => false,
    }
}

fn remove(fields: &mut Struct<'_>, path: &[&str]) {
    match path {
        [] => {}
        ["*", rest @ ..] => {
            for list in super::options::CONTAINER_LISTS {
                fields.structs_mut(list).for_each(|container| remove(container, rest));
            }
        }
        [name] => fields.remove(name),
        ["lifecycle", "stopSignal"] => {
            let lifecycle = fields.child_mut("lifecycle");
            let alone = lifecycle.is_some_and(|lifecycle| {
                let had = lifecycle.get("stopSignal").is_some();
                lifecycle.remove("stopSignal");
                had && lifecycle.values().next().is_none()
            });
            // Upstream drops a lifecycle that had nothing else.
            if alone {
                fields.remove("lifecycle");
            }
        }
        [name, rest @ ..] => match fields.get_mut(name) {
            Some(Node::Struct(child)) => remove(child, rest),
            Some(Node::List(_)) => fields.structs_mut(name).for_each(|item| remove(item, rest)),
            _ => {}
        },
    }
}
