//! Fields behind feature gates that are off by default: dropped unless the stored object has them
//! (`job.DropDisabledFields`, `pod.DropDisabledTemplateFields`).

use crate::spec::object::{Node, Struct};

/// The way to a field; `*` stands for all lists of containers.
type Path = &'static [&'static str];

/// The gated fields of the Pod spec, each group with its gate. A group stays if the old object has any of its fields.
const GATED: [(&str, &[Path]); 8] = [
    ("GenericWorkload", &[&["schedulingGroup"]]),
    ("EvictionRequestAPI", &[&["evictionResponders"]]),
    ("EmptyDirVolumeMode", &[&["volumes", "emptyDir", "mode"]]),
    ("VolumeBindMountOptions", &[&["*", "volumeMounts", "bindMountOptions"]]),
    ("ContainerStopSignals", &[&["*", "lifecycle", "stopSignal"]]),
    (
        "GRPCContainerProbeTLS",
        &[
            &["*", "livenessProbe", "grpc", "mode"],
            &["*", "readinessProbe", "grpc", "mode"],
            &["*", "startupProbe", "grpc", "mode"],
        ],
    ),
    (
        "H2CContainerProbe",
        &[
            &["*", "livenessProbe", "httpGet", "protocol"],
            &["*", "readinessProbe", "httpGet", "protocol"],
            &["*", "startupProbe", "httpGet", "protocol"],
            &["*", "lifecycle", "postStart", "httpGet", "protocol"],
            &["*", "lifecycle", "preStop", "httpGet", "protocol"],
        ],
    ),
    (
        "AtomicWriteVolumeUserFields",
        &[
            &["volumes", "secret", "defaultUser"],
            &["volumes", "secret", "items", "user"],
            &["volumes", "configMap", "defaultUser"],
            &["volumes", "configMap", "items", "user"],
            &["volumes", "downwardAPI", "defaultUser"],
            &["volumes", "downwardAPI", "items", "user"],
            &["volumes", "projected", "defaultUser"],
            &["volumes", "projected", "sources", "secret", "items", "user"],
            &["volumes", "projected", "sources", "configMap", "items", "user"],
            &["volumes", "projected", "sources", "downwardAPI", "items", "user"],
            &["volumes", "projected", "sources", "serviceAccountToken", "user"],
            &["volumes", "projected", "sources", "clusterTrustBundle", "user"],
            &["volumes", "projected", "sources", "podCertificate", "user"],
        ],
    ),
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
    for (_, paths) in GATED {
        let in_use = old_pod.is_some_and(|old| paths.iter().any(|path| has(old, path)));
        if !in_use {
            paths.iter().for_each(|path| remove(pod, path));
        }
    }
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
