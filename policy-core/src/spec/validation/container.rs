//! Containers of all kinds (`validateContainers`, `validateInitContainers`, `validateEphemeralContainers`).

use super::error::Errors;
use super::field::Field;
use super::options::PodOptions;
use super::pod_template::one_of;
use super::volumes::Volumes;
use super::{env, mounts, names, probes, resources, restart, security};
use alloc::collections::BTreeSet;
use alloc::format;

/// What a container is checked against.
pub(super) struct PodContext<'c, 'n> {
    pub(super) volumes: &'c Volumes<'n>,
    /// The names of the Pod's resource claims.
    pub(super) claims: &'c BTreeSet<&'n str>,
    pub(super) options: &'c PodOptions,
    pub(super) restart_policy: &'n str,
    pub(super) grace_period_seconds: Option<i64>,
    /// The name of the operating system, if the Pod has one.
    pub(super) os: Option<&'n str>,
    pub(super) host_users: bool,
}

impl<'c, 'n> PodContext<'c, 'n> {
    pub(super) fn new(
        spec: &Field<'_, 'n>,
        volumes: &'c Volumes<'n>,
        claims: &'c BTreeSet<&'n str>,
        options: &'c PodOptions,
    ) -> Self {
        let os = spec.child("os");
        PodContext {
            volumes,
            claims,
            options,
            restart_policy: spec.child("restartPolicy").text(),
            grace_period_seconds: spec.child("terminationGracePeriodSeconds").int(),
            os: os.is_set().then(|| os.child("name").text()),
            host_users: spec.child("hostUsers").flag() != Some(false),
        }
    }
}

pub(super) fn containers(spec: &Field<'_, '_>, pod: &PodContext<'_, '_>, errors: &mut Errors) {
    let containers = spec.child("containers");
    if containers.items_len() == 0 {
        return errors.required(&containers, "");
    }
    let mut seen = BTreeSet::new();
    for container in containers.items() {
        common(&container, pod, errors);
        let name = container.child("name");
        if !seen.insert(name.text()) {
            errors.duplicate_value(&name, name.text());
        }
        probes::lifecycle_and_probes(&container, pod, errors);
        restart::rules(&container, errors);
    }
    let mut taken = BTreeSet::new();
    for container in containers.items() {
        host_port_conflicts(&container, &mut taken, errors);
    }
}

pub(super) fn init_containers(spec: &Field<'_, '_>, pod: &PodContext<'_, '_>, errors: &mut Errors) {
    let list = spec.child("initContainers");
    let mut seen: BTreeSet<&str> = spec.child("containers").items().map(|c| c.child("name").text()).collect();
    for container in list.items() {
        common(&container, pod, errors);
        restart::init_rules(&container, errors);
        let name = container.child("name");
        if seen.contains(name.text()) {
            errors.duplicate_value(&name, name.text());
        } else if !name.text().is_empty() {
            seen.insert(name.text());
        }
        // Upstream checks each container as the first of a list of its own.
        let alone = list.at_index(0, &container);
        host_port_conflicts(&alone, &mut BTreeSet::new(), errors);
        let sidecar = container.child("restartPolicy").text() == "Always";
        if sidecar {
            probes::lifecycle_and_probes(&container, pod, errors);
        } else {
            for name in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
                let field = container.child(name);
                if field.is_set() {
                    errors
                        .forbidden(&field, "may not be set for init containers without restartPolicy=Always");
                }
            }
        }
        if !sidecar && !pod.options.allow_existing_restart_container_for_non_sidecar_init_container {
            restart_container_resize(&container.child("resizePolicy"), errors);
        }
    }
}

fn restart_container_resize(policies: &Field<'_, '_>, errors: &mut Errors) {
    for policy in policies.items() {
        let restart = policy.child("restartPolicy");
        if restart.text() == "RestartContainer" {
            errors.invalid(&restart, "must not be set to 'RestartContainer' for non-sidecar initContainers");
        }
    }
}

/// What an ephemeral container may not have (the rest of `allowedEphemeralContainerFields`).
const NOT_EPHEMERAL: [&str; 9] = [
    "ports",
    "resources",
    "resizePolicy",
    "restartPolicy",
    "restartPolicyRules",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle",
];

pub(super) fn ephemeral_containers(spec: &Field<'_, '_>, pod: &PodContext<'_, '_>, errors: &mut Errors) {
    let lists = ["containers", "initContainers"];
    let others: BTreeSet<&str> = lists
        .into_iter()
        .flat_map(|list| spec.fields().into_iter().flat_map(move |spec| spec.structs(list)))
        .map(|container| container.text("name"))
        .collect();
    let mut seen = others.clone();
    for container in spec.child("ephemeralContainers").items() {
        common(&container, pod, errors);
        let image = container.child("image");
        if image.text() != image.text().trim() {
            errors.invalid(&image, "must not have leading or trailing whitespace");
        }
        let name = container.child("name");
        if !seen.insert(name.text()) {
            errors.duplicate_value(&name, name.text());
        }
        let target = container.child("targetContainerName");
        if !target.text().is_empty() && !others.contains(target.text()) {
            errors.not_found(&target);
        }
        not_for_ephemeral(&container, errors);
    }
}

fn not_for_ephemeral(container: &Field<'_, '_>, errors: &mut Errors) {
    const DETAIL: &str = "cannot be set for an Ephemeral Container";
    for name in NOT_EPHEMERAL {
        let field = container.child(name);
        let empty = field.fields().is_some_and(|fields| fields.values().next().is_none());
        if field.is_set() && !(name == "resources" && empty) {
            errors.forbidden(&field, DETAIL);
        }
    }
    for mount in container.child("volumeMounts").items() {
        for name in ["subPath", "subPathExpr"] {
            let field = mount.child(name);
            if !field.text().is_empty() {
                errors.forbidden(&field, DETAIL);
            }
        }
    }
}

/// `validateContainerCommon`.
fn common(container: &Field<'_, '_>, pod: &PodContext<'_, '_>, errors: &mut Errors) {
    let name = container.child("name");
    if name.text().is_empty() {
        errors.required(&name, "");
    } else {
        names::dns_label_field(&name, errors);
    }
    let image = container.child("image");
    if image.text().is_empty() {
        errors.required(&image, "");
    }
    one_of(&container.child("terminationMessagePolicy"), &["File", "FallbackToLogsOnError"], errors);
    ports(&container.child("ports"), errors);
    env::env(&container.child("env"), errors);
    env::env_from(&container.child("envFrom"), errors);
    mounts::volume_mounts(container, pod.volumes, errors);
    mounts::volume_devices(container, pod.volumes, errors);
    one_of(&container.child("imagePullPolicy"), &["Always", "IfNotPresent", "Never"], errors);
    resources::container_resources(&container.child("resources"), pod.claims, pod.options, errors);
    resize_policy(&container.child("resizePolicy"), pod.restart_policy, errors);
    security::security_context(&container.child("securityContext"), pod, errors);
}

/// `validateContainerPorts`.
fn ports(ports: &Field<'_, '_>, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for port in ports.items() {
        let name = port.child("name");
        if !name.text().is_empty() {
            let messages = names::port_name(name.text());
            if messages.is_empty() && !seen.insert(name.text()) {
                errors.duplicate(&name);
            }
            errors.invalid_all(&name, messages);
        }
        let container_port = port.child("containerPort");
        match container_port.int_or_zero() {
            0 => errors.required(&container_port, ""),
            number => errors.invalid_all(&container_port, names::port_number(number)),
        }
        let host_port = port.child("hostPort");
        if host_port.int_or_zero() != 0 {
            errors.invalid_all(&host_port, names::port_number(host_port.int_or_zero()));
        }
        one_of(&port.child("protocol"), &["SCTP", "TCP", "UDP"], errors);
    }
}

/// `AccumulateUniqueHostPorts`.
fn host_port_conflicts<'n>(
    container: &Field<'_, 'n>,
    taken: &mut BTreeSet<(&'n str, &'n str, i64)>,
    errors: &mut Errors,
) {
    for port in container.child("ports").items() {
        let host_port = port.child("hostPort");
        let number = host_port.int_or_zero();
        let (protocol, ip) = (port.child("protocol").text(), port.child("hostIP").text());
        if number != 0 && !taken.insert((protocol, ip, number)) {
            errors.duplicate_value(&host_port, format!("{protocol}/{ip}/{number}").as_str());
        }
    }
}

/// `validateResizePolicy`.
fn resize_policy(policies: &Field<'_, '_>, pod_restart_policy: &str, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for policy in policies.items() {
        let resource = policy.child("resourceName");
        if !seen.insert(resource.text()) {
            errors.duplicate_value(&policy, resource.text());
        }
        let restart = policy.child("restartPolicy");
        // Upstream reports at the list, not at the item.
        let mut known = |value: &str, supported: &[&str]| match value {
            "" => errors.required(policies, ""),
            value if supported.contains(&value) => {}
            value => errors.not_supported_value(policies, value, supported),
        };
        known(resource.text(), &["cpu", "memory"]);
        known(restart.text(), &["NotRequired", "RestartContainer"]);
        if pod_restart_policy == "Never" && restart.text() != "NotRequired" {
            let detail = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
            errors.invalid_value(policies, restart.text(), detail);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{expect_container_errors, expect_pod_errors};

    #[test]
    fn images_and_policies() {
        expect_container_errors(&[
            (r#"{"image":""}"#, &["image: Required value"]),
            (
                r#"{"imagePullPolicy":"Sometimes"}"#,
                &[
                    r#"imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never""#,
                ],
            ),
            (
                r#"{"terminationMessagePath":"","terminationMessagePolicy":"Both"}"#,
                &[
                    r#"terminationMessagePolicy: Unsupported value: "Both": supported values: "File", "FallbackToLogsOnError""#,
                ],
            ),
        ]);
    }

    #[test]
    fn ports() {
        expect_container_errors(&[
            (r#"{"ports":[{"containerPort":0}]}"#, &["ports[0].containerPort: Required value"]),
            (
                r#"{"ports":[{"containerPort":65536,"hostPort":-1,"protocol":"tcp"}]}"#,
                &[
                    "ports[0].containerPort: Invalid value: 65536: must be between 1 and 65535, inclusive",
                    "ports[0].hostPort: Invalid value: -1: must be between 1 and 65535, inclusive",
                    r#"ports[0].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP""#,
                ],
            ),
            (
                r#"{"ports":[{"containerPort":1,"name":"Web"},{"containerPort":2,"name":"a-very-long-port-name"}]}"#,
                &[
                    r#"ports[0].name: Invalid value: "Web": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"#,
                    r#"ports[1].name: Invalid value: "a-very-long-port-name": must be no more than 15 characters"#,
                ],
            ),
            (
                r#"{"ports":[{"containerPort":1,"name":"web"},{"containerPort":2,"name":"web"}]}"#,
                &[r#"ports[1].name: Duplicate value: "web""#],
            ),
            (
                r#"{"ports":[{"containerPort":1,"hostPort":9},{"containerPort":2,"hostPort":9}]}"#,
                &[r#"ports[1].hostPort: Duplicate value: "TCP//9""#],
            ),
        ]);
    }

    #[test]
    fn names() {
        expect_pod_errors(&[
            (r#"{"containers":[]}"#, &["containers: Required value"]),
            (r#"{"containers":[{"image":"b"}]}"#, &["containers[0].name: Required value"]),
            (
                r#"{"containers":[{"name":"A","image":"b"}]}"#,
                &[r#"containers[0].name: Invalid value: "A": a lowercase RFC 1123 label must consist of…"#],
            ),
            (
                r#"{"containers":[{"name":"a","image":"b"},{"name":"a","image":"b"}]}"#,
                &[r#"containers[1].name: Duplicate value: "a""#],
            ),
            (
                r#"{"initContainers":[{"name":"main","image":"b"}]}"#,
                &[r#"initContainers[0].name: Duplicate value: "main""#],
            ),
        ]);
    }

    #[test]
    fn init_containers() {
        expect_pod_errors(&[
            (
                r#"{"initContainers":[{"name":"i","image":"b","livenessProbe":{"exec":{"command":["a"]}}}]}"#,
                &[
                    "initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
                ],
            ),
            (
                r#"{"initContainers":[{"name":"i","image":"b","restartPolicy":"Always","lifecycle":{"preStop":{"sleep":{"seconds":1}}}}]}"#,
                &[],
            ),
            (
                r#"{"initContainers":[{"name":"i","image":"b","lifecycle":{"preStop":{"sleep":{"seconds":1}}}}]}"#,
                &[
                    "initContainers[0].lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always",
                ],
            ),
        ]);
    }

    #[test]
    fn ephemeral_containers() {
        expect_pod_errors(&[(
            r#"{"ephemeralContainers":[{"name":"e","image":"b"}]}"#,
            &["ephemeralContainers: Forbidden: ephemeral containers not allowed in pod template"],
        )]);
    }
}
