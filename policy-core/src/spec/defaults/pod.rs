//! Defaults of the Pod spec (`pkg/apis/core/v1/defaults.go`). Requests are not derived from limits, and host ports
//! not from container ports: upstream does both for Pods only, not for templates.

use super::image;
use crate::spec::object::{Node, Struct};

pub(super) fn default_pod_spec(spec: &mut Struct<'_>) {
    service_account(spec);
    spec.default_text("dnsPolicy", "ClusterFirst");
    spec.default_text("restartPolicy", "Always");
    if spec.get("securityContext").is_none() {
        spec.child_or_new("securityContext");
    }
    spec.default_to("terminationGracePeriodSeconds", Node::Int(30));
    spec.default_text("schedulerName", "default-scheduler");
    for volume in spec.structs_mut("volumes") {
        default_volume(volume);
    }
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for container in spec.structs_mut(list) {
            default_container(container);
        }
    }
    round_up(spec, "overhead");
    if let Some(resources) = spec.child_mut("resources") {
        default_resources(resources);
    }
}

/// Keeps the field's old name in step; the new one wins.
fn service_account(spec: &mut Struct<'_>) {
    let name = match spec.text("serviceAccountName") {
        "" => spec.get("serviceAccount"),
        _ => spec.get("serviceAccountName"),
    };
    if let Some(name) = name.cloned() {
        spec.set("serviceAccountName", name.clone());
        spec.set("serviceAccount", name);
    }
}

fn default_container(container: &mut Struct<'_>) {
    if container.text("imagePullPolicy").is_empty() {
        container.set_text("imagePullPolicy", image::pull_policy(container.text("image")));
    }
    container.default_text("terminationMessagePath", "/dev/termination-log");
    container.default_text("terminationMessagePolicy", "File");
    for port in container.structs_mut("ports") {
        port.default_text("protocol", "TCP");
    }
    for variable in container.structs_mut("env") {
        if let Some(source) = variable.child_mut("valueFrom") {
            default_field_ref(source);
            if let Some(file) = source.child_mut("fileKeyRef") {
                file.default_to("optional", Node::Bool(false));
            }
        }
    }
    if let Some(resources) = container.child_mut("resources") {
        default_resources(resources);
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = container.child_mut(probe) {
            default_probe(probe);
        }
    }
    if let Some(lifecycle) = container.child_mut("lifecycle") {
        for hook in ["postStart", "preStop"] {
            if let Some(hook) = lifecycle.child_mut(hook) {
                default_http_get(hook);
            }
        }
    }
}

fn default_field_ref(source: &mut Struct<'_>) {
    if let Some(field_ref) = source.child_mut("fieldRef") {
        field_ref.default_text("apiVersion", "v1");
    }
}

fn default_resources(resources: &mut Struct<'_>) {
    round_up(resources, "limits");
    round_up(resources, "requests");
}

/// `SetDefaults_ResourceList`: amounts below a thousandth are rounded up.
fn round_up(parent: &mut Struct<'_>, name: &str) {
    for amount in parent.map_mut(name).into_iter().flat_map(|amounts| amounts.values_mut()) {
        if let Node::Quantity(quantity) = amount {
            *quantity = quantity.rounded_to_milli();
        }
    }
}

fn default_probe(probe: &mut Struct<'_>) {
    for (name, value) in
        [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)]
    {
        if probe.int(name).unwrap_or_default() == 0 {
            probe.set(name, Node::Int(value));
        }
    }
    default_http_get(probe);
    if let Some(grpc) = probe.child_mut("grpc") {
        grpc.default_to("service", Node::constant(""));
    }
}

fn default_http_get(handler: &mut Struct<'_>) {
    if let Some(action) = handler.child_mut("httpGet") {
        action.default_text("path", "/");
        action.default_text("scheme", "HTTP");
    }
}

/// Plain defaults of volume kinds: kind, field, value.
const VOLUME_TEXTS: [(&str, &str, &str); 6] = [
    ("iscsi", "iscsiInterface", "default"),
    ("rbd", "pool", "rbd"),
    ("rbd", "user", "admin"),
    ("rbd", "keyring", "/etc/ceph/keyring"),
    ("scaleIO", "storageMode", "ThinProvisioned"),
    ("scaleIO", "fsType", "xfs"),
];

fn default_volume(volume: &mut Struct<'_>) {
    // Beside its name a volume has nothing but its kind.
    if volume.values().all(|(field, _)| field.name == "name") {
        volume.child_or_new("emptyDir");
    }
    if let Some(image) = volume.child_mut("image")
        && image.text("pullPolicy").is_empty()
    {
        image.set_text("pullPolicy", image::pull_policy(image.text("reference")));
    }
    if let Some(host_path) = volume.child_mut("hostPath") {
        host_path.default_to("type", Node::constant(""));
    }
    for kind in ["secret", "downwardAPI", "configMap", "projected"] {
        if let Some(source) = volume.child_mut(kind) {
            source.default_to("defaultMode", Node::Int(0o644));
        }
    }
    for (kind, field, value) in VOLUME_TEXTS {
        if let Some(source) = volume.child_mut(kind) {
            source.default_text(field, value);
        }
    }
    if let Some(disk) = volume.child_mut("azureDisk") {
        disk.default_to("cachingMode", Node::constant("ReadWrite"));
        disk.default_to("fsType", Node::constant("ext4"));
        disk.default_to("readOnly", Node::Bool(false));
        disk.default_to("kind", Node::constant("Shared"));
    }
    default_projections(volume);
    let template =
        volume.child_mut("ephemeral").and_then(|ephemeral| ephemeral.child_mut("volumeClaimTemplate"));
    if let Some(claim) = template.and_then(|template| template.child_or_new("spec")) {
        claim.default_to("volumeMode", Node::constant("Filesystem"));
        if let Some(resources) = claim.child_mut("resources") {
            default_resources(resources);
        }
    }
}

fn default_projections(volume: &mut Struct<'_>) {
    if let Some(downward) = volume.child_mut("downwardAPI") {
        downward.structs_mut("items").for_each(default_field_ref);
    }
    let Some(projected) = volume.child_mut("projected") else { return };
    for source in projected.structs_mut("sources") {
        if let Some(downward) = source.child_mut("downwardAPI") {
            downward.structs_mut("items").for_each(default_field_ref);
        }
        if let Some(token) = source.child_mut("serviceAccountToken") {
            token.default_to("expirationSeconds", Node::Int(3600));
        }
    }
}
