//! The Pod template (`ValidatePodTemplateSpec`) and its spec (`ValidatePodSpec`).

use super::error::Errors;
use super::field::Field;
use super::options::{self, PodOptions};
use super::{
    affinity, annotations, container, dns, metadata, names, os, placement, pod_resources, security, volumes,
};
use alloc::collections::BTreeMap;
use alloc::format;

pub(super) fn pod_template(template: &Field<'_, '_>, options: &PodOptions, errors: &mut Errors) {
    let (meta, spec) = (template.child("metadata"), template.child("spec"));
    // Upstream's paths leave out `metadata` here.
    let labels = template.at("labels", meta.child("labels").node());
    let annotations = template.at("annotations", meta.child("annotations").node());
    names::labels(&labels, errors);
    metadata::annotations(&annotations, errors);
    annotations::pod_specific(&annotations, &spec, options, errors);
    pod_spec(&spec, options, errors);
    annotations::seccomp_fields(&annotations, &spec, errors);
    annotations::app_armor_fields(&annotations, &spec, errors);
    let ephemeral = spec.child("ephemeralContainers");
    if ephemeral.items_len() > 0 {
        errors.forbidden(&ephemeral, "ephemeral containers not allowed in pod template");
    }
}

fn pod_spec(spec: &Field<'_, '_>, options: &PodOptions, errors: &mut Errors) {
    let volumes = volumes::volumes(&spec.child("volumes"), options, errors);
    let claims = pod_resources::resource_claims(&spec.child("resourceClaims"), errors);
    let pod = container::PodContext::new(spec, &volumes, &claims, options);
    container::containers(spec, &pod, errors);
    container::init_containers(spec, &pod, errors);
    container::ephemeral_containers(spec, &pod, errors);
    pod_resources::pod_resources(spec, &claims, options, errors);
    host_network_ports(spec, errors);
    one_of(&spec.child("restartPolicy"), &["Always", "OnFailure", "Never"], errors);
    one_of(&spec.child("dnsPolicy"), &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"], errors);
    names::labels(&spec.child("nodeSelector"), errors);
    security::pod_security_context(spec, options, errors);
    share_process_namespace(spec, errors);
    affinity::affinity(&spec.child("affinity"), options, errors);
    dns::dns_config(spec, errors);
    readiness_gates(&spec.child("readinessGates"), errors);
    placement::scheduling_gates(&spec.child("schedulingGates"), errors);
    placement::topology_spread_constraints(&spec.child("topologySpreadConstraints"), options, errors);
    os::host_process(spec, options, errors);
    host_users(spec, options, errors);
    hostname_override(spec, errors);
    pod_names(spec, options, errors);
    pod_resources::overhead(&spec.child("overhead"), options, errors);
    os::os(spec, errors);
    scheduling_group(spec, errors);
    file_key_ref_volumes(spec, errors);
}

/// A text that must be one of a few.
pub(super) fn one_of(field: &Field<'_, '_>, supported: &[&str], errors: &mut Errors) {
    match field.text() {
        "" => errors.required(field, ""),
        text if supported.contains(&text) => {}
        _ => errors.not_supported(field, supported),
    }
}

/// Names and numbers of the Pod that stand on their own.
fn pod_names(spec: &Field<'_, '_>, options: &PodOptions, errors: &mut Errors) {
    let subdomain_unless_empty = |name: &str, errors: &mut Errors| {
        let field = spec.child(name);
        if !field.text().is_empty() {
            errors.invalid_all(&field, names::dns_subdomain(field.text()));
        }
    };
    let label_unless_empty = |name: &str, errors: &mut Errors| {
        let field = spec.child(name);
        if !field.text().is_empty() {
            names::dns_label_field(&field, errors);
        }
    };
    subdomain_unless_empty("serviceAccountName", errors);
    subdomain_unless_empty("nodeName", errors);
    let deadline = spec.child("activeDeadlineSeconds");
    if let Some(seconds) = deadline.int() {
        errors.invalid_all(&deadline, names::in_range(seconds, 1, i64::from(i32::MAX)));
    }
    label_unless_empty("hostname", errors);
    label_unless_empty("subdomain", errors);
    placement::tolerations(&spec.child("tolerations"), options, errors);
    dns::host_aliases(&spec.child("hostAliases"), errors);
    subdomain_unless_empty("priorityClassName", errors);
    let runtime_class = spec.child("runtimeClassName");
    if let Some(name) = runtime_class.opt_text() {
        errors.invalid_all(&runtime_class, names::dns_subdomain(name));
    }
    let preemption = spec.child("preemptionPolicy");
    if preemption.is_set() {
        one_of(&preemption, &["PreemptLowerPriority", "Never"], errors);
    }
}

/// `validatePodHostNetworkDeps`: in a template a host port may be left to be filled in, but not differ.
fn host_network_ports(spec: &Field<'_, '_>, errors: &mut Errors) {
    if !spec.child("hostNetwork").is_true() {
        return;
    }
    for container in spec.child("containers").items() {
        for port in container.child("ports").items() {
            let host_port = port.child("hostPort");
            let number = host_port.int_or_zero();
            if number != 0 && number != port.child("containerPort").int_or_zero() {
                errors.invalid(&host_port, "must match `containerPort` when `hostNetwork` is true");
            }
        }
    }
}

fn share_process_namespace(spec: &Field<'_, '_>, errors: &mut Errors) {
    let shared = spec.child("shareProcessNamespace");
    if shared.is_true() && spec.child("hostPID").is_true() {
        errors.invalid(&shared, "ShareProcessNamespace and HostPID cannot both be enabled");
    }
}

fn readiness_gates(gates: &Field<'_, '_>, errors: &mut Errors) {
    for gate in gates.items() {
        let condition = gate.child("conditionType");
        for message in names::label_key(condition.text()) {
            errors.invalid_value(&condition, condition.text(), message);
        }
    }
}

/// `validateHostUsers`.
fn host_users(spec: &Field<'_, '_>, options: &PodOptions, errors: &mut Errors) {
    const DETAIL: &str = "when `hostUsers` is false";
    if spec.child("hostUsers").flag() != Some(false) {
        return;
    }
    let host_network = spec.child("hostNetwork");
    if !options.allow_user_namespaces_host_network_support && host_network.is_true() {
        errors.forbidden(&host_network, DETAIL);
    }
    for (name, shown) in [("hostPID", "HostPID"), ("hostIPC", "HostIPC")] {
        if spec.child(name).is_true() {
            errors.forbidden(&spec.at(shown, None), DETAIL);
        }
    }
    if options.allow_user_namespaces_with_volume_devices {
        return;
    }
    options::each_container(spec, |container| {
        let devices = container.child("volumeDevices");
        if devices.items_len() > 0 {
            errors.forbidden(&devices, DETAIL);
        }
    });
}

/// `validatePodHostName`.
fn hostname_override(spec: &Field<'_, '_>, errors: &mut Errors) {
    let hostname = spec.child("hostnameOverride");
    let Some(name) = hostname.opt_text() else { return };
    for other in ["setHostnameAsFQDN", "hostNetwork"] {
        if spec.child(other).is_true() {
            errors.forbidden(&hostname, format!("may not be specified when {other} is true"));
        }
    }
    if name.len() > 64 {
        errors.too_long(&hostname, 64);
    }
    errors.invalid_all(&hostname, names::dns_subdomain(name));
}

/// `validateSchedulingGroup`.
fn scheduling_group(spec: &Field<'_, '_>, errors: &mut Errors) {
    let group = spec.child("schedulingGroup");
    if !group.is_set() {
        return;
    }
    let name = group.child("podGroupName");
    match name.opt_text() {
        None => errors.invalid(&name, "must specify one of: `podGroupName`"),
        Some(text) => errors.invalid_all(&name, names::dns_subdomain(text)),
    }
    if spec.child("evictionResponders").items_len() > 0 {
        errors.forbidden(&group, "may not be set when evictionResponders is set");
    }
}

/// `validateFileKeyRefVolumes`: environment files come from volumes of type emptyDir.
fn file_key_ref_volumes(spec: &Field<'_, '_>, errors: &mut Errors) {
    let volumes = spec.child("volumes");
    let sources: BTreeMap<&str, bool> =
        volumes.items().map(|v| (v.child("name").text(), v.child("emptyDir").is_set())).collect();
    options::each_container(spec, |container| {
        for variable in container.child("env").items() {
            let value_from = variable.child("valueFrom");
            let file = value_from.child("fileKeyRef");
            if !file.is_set() {
                continue;
            }
            let volume = file.child("volumeName");
            match sources.get(volume.text()) {
                None => errors.not_found(&volume),
                Some(false) => {
                    errors.invalid_value(
                        &volume,
                        volume.text(),
                        "referenced volume must be of type emptyDir",
                    );
                }
                Some(true) => {}
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::super::testing::expect_pod_errors;

    #[test]
    fn scalars() {
        expect_pod_errors(&[
            (
                r#"{"activeDeadlineSeconds":0,"terminationGracePeriodSeconds":-1}"#,
                &["activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"],
            ),
            (
                r#"{"hostname":"A","subdomain":"a.b"}"#,
                &[
                    r#"hostname: Invalid value: "A": a lowercase RFC 1123 label must consist of…"#,
                    r#"subdomain: Invalid value: "a.b": must not contain dots"#,
                ],
            ),
            (
                r#"{"serviceAccountName":"A b","nodeName":"a b","priorityClassName":"A"}"#,
                &[
                    r#"serviceAccountName: Invalid value: "A b": a lowercase RFC 1123 subdomain must consist of…"#,
                    r#"nodeName: Invalid value: "a b": a lowercase RFC 1123 subdomain must consist of…"#,
                    r#"priorityClassName: Invalid value: "A": a lowercase RFC 1123 subdomain must consist of…"#,
                ],
            ),
            (
                r#"{"runtimeClassName":"A","preemptionPolicy":"Bad"}"#,
                &[
                    r#"runtimeClassName: Invalid value: "A": a lowercase RFC 1123 subdomain must consist of…"#,
                    r#"preemptionPolicy: Unsupported value: "Bad": supported values: "PreemptLowerPriority", "Never""#,
                ],
            ),
            (
                r#"{"readinessGates":[{"conditionType":"a b"}]}"#,
                &[r#"readinessGates[0].conditionType: Invalid value: "a b": name part must consist of…"#],
            ),
            (
                r#"{"setHostnameAsFQDN":true,"hostnameOverride":"a"}"#,
                &["hostnameOverride: Forbidden: may not be specified when setHostnameAsFQDN is true"],
            ),
        ]);
    }

    #[test]
    fn resource_claims() {
        expect_pod_errors(&[(
            r#"{"resourceClaims":[{"name":"A","resourceClaimName":"c"},{"name":"d","resourceClaimName":"c"},{"name":"d","resourceClaimTemplateName":"C"}]}"#,
            &[
                r#"resourceClaims[0].name: Invalid value: "A": a lowercase RFC 1123 label must consist of…"#,
                r#"resourceClaims[2].name: Duplicate value: "d""#,
                r#"resourceClaims[2].resourceClaimTemplateName: Invalid value: "C": a lowercase RFC 1123 subdomain must consist of…"#,
            ],
        )]);
    }

    #[test]
    fn files_of_volumes() {
        expect_pod_errors(&[(
            r#"{"volumes":[{"name":"v","secret":{"secretName":"s"}}],"containers":[{"name":"a","image":"b","env":[{"name":"a","valueFrom":{"fileKeyRef":{"volumeName":"v","path":"p","key":"k"}}},{"name":"c","valueFrom":{"fileKeyRef":{"volumeName":"w","path":"p","key":"k"}}}]}]}"#,
            &[
                r#"containers[0].env[0].valueFrom.fileKeyRef.volumeName: Invalid value: "v": referenced volume must be of type emptyDir"#,
                r#"containers[0].env[1].valueFrom.fileKeyRef.volumeName: Not found: "w""#,
            ],
        )]);
    }
}
