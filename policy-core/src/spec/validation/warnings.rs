//! Warnings about what is accepted but will not do what it seems to (`WarningsForJobSpec`,
//! `warningsForPodSpecAndMeta`).

use super::annotations;
use super::field::Field;
use super::job;
use super::names;
use super::options;
use crate::cron::go_text::quote;
use crate::spec::quantity::Quantity;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::Ipv6Addr;

mod containers;
mod overlaps;

/// `parallelismSoftLimitForUnlimitedCompletions`.
const PARALLELISM_SOFT_LIMIT: i64 = 10_000;

/// The warnings, in upstream's order.
pub(super) type Warnings = Vec<String>;

pub(super) fn job_spec(spec: &Field<'_, '_>, found: &mut Warnings) {
    let number = |name: &str| spec.child(name).int_or_zero();
    if job::is_indexed(spec)
        && number("completions") > job::COMPLETIONS_SOFT_LIMIT
        && number("parallelism") > PARALLELISM_SOFT_LIMIT
    {
        found.push(format!("{spec}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail"));
    }
    let template = spec.child("template");
    let (meta, pod) = (template.child("metadata"), template.child("spec"));
    let annotations = meta.child("annotations");
    node_labels(&pod, found);
    deprecated_annotations(&annotations, found);
    volumes(&pod.child("volumes"), found);
    duplicates(&pod, found);
    for name in ["memory", "ephemeral-storage"] {
        fractional(&pod.child("overhead").key(name), found);
    }
    let context = pod.child("securityContext");
    let seccomp = annotations.key(annotations::SECCOMP_POD);
    if seccomp.is_set() && !context.child("seccompProfile").is_set() {
        found.push(format!("{seccomp}: {NON_FUNCTIONAL_SECCOMP}"));
    }
    options::each_container(&pod, |container| {
        containers::container(container, &annotations, &context, found)
    });
    containers::ports(&pod, found);
    let grace = pod.child("terminationGracePeriodSeconds");
    if grace.int_or_zero() < 0 {
        found.push(format!("{grace}: must be >= 0; negative values are invalid and will be treated as 1"));
    }
    pod_affinity(&pod.child("affinity"), found);
    addresses(&pod, found);
}

const NON_FUNCTIONAL_SECCOMP: &str = "non-functional in v1.27+; use the \"seccompProfile\" field instead";

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// Labels of nodes that have gone, and what to use instead (`deprecatedNodeLabels`).
const DEPRECATED_NODE_LABELS: [(&str, &str); 8] = [
    ("beta.kubernetes.io/arch", "deprecated since v1.14; use \"kubernetes.io/arch\" instead"),
    ("beta.kubernetes.io/os", "deprecated since v1.14; use \"kubernetes.io/os\" instead"),
    (
        "failure-domain.beta.kubernetes.io/region",
        "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead",
    ),
    (
        "failure-domain.beta.kubernetes.io/zone",
        "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead",
    ),
    (
        "beta.kubernetes.io/instance-type",
        "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead",
    ),
    ("app.kubernetes.io/created-by", "deprecated since v1.9"),
    (
        "scheduler.alpha.kubernetes.io/preferAvoidPods",
        "deprecated since v1.22; use Taints and Tolerations instead",
    ),
    ("node-role.kubernetes.io/master", "use \"node-role.kubernetes.io/control-plane\" instead"),
];

fn deprecated(label: &str) -> Option<&'static str> {
    DEPRECATED_NODE_LABELS.iter().find(|(name, _)| *name == label).map(|(_, message)| *message)
}

fn node_labels(pod: &Field<'_, '_>, found: &mut Warnings) {
    for (key, label) in pod.child("nodeSelector").entries() {
        found.extend(deprecated(key).map(|message| format!("{label}: {message}")));
    }
    let affinity = pod.child("affinity");
    let node = affinity.child("nodeAffinity");
    for term in node.child(REQUIRED).child("nodeSelectorTerms").items() {
        node_term(&term, false, found);
    }
    for preferred in node.child(PREFERRED).items() {
        node_term(&preferred.child("preference"), true, found);
    }
    for constraint in pod.child("topologySpreadConstraints").items() {
        let (key, selector) = (constraint.child("topologyKey"), constraint.child("labelSelector"));
        let name = key.text();
        found.extend(deprecated(name).map(|message| format!("{key}: {name} is {message}")));
        if !selector.is_set() {
            found.push(format!("{selector}: {NULL_SELECTOR}"));
        }
    }
}

const NULL_SELECTOR: &str = "a null labelSelector results in matching no pod";

fn node_term(term: &Field<'_, '_>, check_values: bool, found: &mut Warnings) {
    for expression in term.child("matchExpressions").items() {
        let key = expression.child("key");
        found.extend(deprecated(key.text()).map(|message| format!("{key}: {} is {message}", key.text())));
        if !check_values {
            continue;
        }
        for value in expression.child("values").items() {
            let text = value.text();
            found.extend(names::label_value(text).iter().map(|m| format!("{value}: {text} is invalid, {m}")));
        }
    }
}

const DEPRECATED_ANNOTATIONS: [(&str, &str); 3] = [
    (
        "scheduler.alpha.kubernetes.io/critical-pod",
        "non-functional in v1.16+; use the \"priorityClassName\" field instead",
    ),
    ("security.alpha.kubernetes.io/sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"),
    (
        "security.alpha.kubernetes.io/unsafe-sysctls",
        "non-functional in v1.11+; use the \"sysctls\" field instead",
    ),
];

fn deprecated_annotations(annotations: &Field<'_, '_>, found: &mut Warnings) {
    for (key, message) in DEPRECATED_ANNOTATIONS {
        let annotation = annotations.key(key);
        if annotation.is_set() {
            found.push(format!("{annotation}: {message}"));
        }
    }
}

/// Kinds of volumes that have gone or are going. Upstream writes `storageos` with a capital.
const DEPRECATED_VOLUMES: [(&str, &str, &str); 7] = [
    ("photonPersistentDisk", "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    ("gitRepo", "gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
    ("scaleIO", "scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    ("flocker", "flocker", "deprecated in v1.22, non-functional in v1.25+"),
    ("storageos", "storageOS", "deprecated in v1.22, non-functional in v1.25+"),
    ("quobyte", "quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    ("glusterfs", "glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
];

fn volumes(volumes: &Field<'_, '_>, found: &mut Warnings) {
    for volume in volumes.items() {
        for (name, shown, message) in DEPRECATED_VOLUMES {
            let kind = volume.child(name);
            if kind.is_set() {
                found.push(format!("{}: {message}", kind.renamed(shown)));
            }
        }
        let ephemeral = volume.child("ephemeral");
        let template = ephemeral.child("volumeClaimTemplate");
        let claim = template.child("spec");
        let resources = claim.child("resources");
        for list in ["requests", "limits"] {
            fractional(&resources.child(list).key("storage"), found);
        }
        for name in ["cephfs", "rbd"] {
            let kind = volume.child(name);
            if kind.is_set() {
                found.push(format!("{kind}: deprecated in v1.28, non-functional in v1.31+"));
            }
        }
    }
    for volume in volumes.items() {
        overlaps::volume(&volume, found);
    }
}

/// Entries of lists that stand there twice, and secrets without a name.
fn duplicates(pod: &Field<'_, '_>, found: &mut Warnings) {
    for (list, key) in [("hostAliases", "ip"), ("imagePullSecrets", "name")] {
        let mut seen = BTreeSet::new();
        for item in pod.child(list).items() {
            let field = item.child(key);
            if !seen.insert(field.text()) {
                found.push(format!("{field}: duplicate {key} {}", quote(field.text())));
            }
        }
    }
    for secret in pod.child("imagePullSecrets").items() {
        let name = secret.child("name");
        if name.text().is_empty() {
            found.push(format!("{name}: invalid empty name \"\""));
        }
    }
}

/// An amount of bytes that is not a whole number.
fn fractional(amount: &Field<'_, '_>, found: &mut Warnings) {
    if let Some(quantity) = amount.quantity().filter(|quantity| !quantity.is_integer()) {
        let text = quote(&Quantity::canonical(quantity));
        found.push(format!("{amount}: fractional byte value {text} is invalid, must be an integer"));
    }
}

fn pod_affinity(affinity: &Field<'_, '_>, found: &mut Warnings) {
    let mut check = |term: &Field<'_, '_>| {
        let selector = term.child("labelSelector");
        if !selector.is_set() {
            found.push(format!("{selector}: {NULL_SELECTOR}"));
        }
    };
    for kind in ["podAffinity", "podAntiAffinity"] {
        let terms = affinity.child(kind);
        terms.child(REQUIRED).items().for_each(|term| check(&term));
        terms.child(PREFERRED).items().for_each(|weighted| check(&weighted.child("podAffinityTerm")));
    }
}

/// `GetWarningsForIP` of addresses that passed validation.
fn addresses(pod: &Field<'_, '_>, found: &mut Warnings) {
    let mut check = |field: &Field<'_, '_>| {
        let Ok(address) = field.text().parse::<Ipv6Addr>() else { return };
        let canonical = format!("{address}");
        if canonical != field.text() {
            let (text, canonical) = (quote(field.text()), quote(&canonical));
            found.push(format!(
                "{field}: IPv6 address {text} should be in RFC 5952 canonical format ({canonical})"
            ));
        }
    };
    let config = pod.child("dnsConfig");
    config.child("nameservers").items().for_each(|nameserver| check(&nameserver));
    pod.child("hostAliases").items().for_each(|alias| check(&alias.child("ip")));
}

#[cfg(test)]
mod tests {
    use super::super::testing::{expect_container_warnings, expect_job_warnings, expect_pod_warnings};

    #[test]
    fn warnings_of_pods() {
        expect_pod_warnings(&[
            (
                r#"{"nodeSelector":{"beta.kubernetes.io/os":"linux"}}"#,
                &[
                    r#"nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead"#,
                ],
            ),
            (
                r#"{"volumes":[{"name":"v","gitRepo":{"repository":"r"}}]}"#,
                &["volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+"],
            ),
            (
                r#"{"imagePullSecrets":[{"name":""},{"name":"a"}]}"#,
                &[r#"imagePullSecrets[0].name: invalid empty name """#],
            ),
            (
                r#"{"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"a","whenUnsatisfiable":"DoNotSchedule"}]}"#,
                &[
                    "topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod",
                ],
            ),
            (
                r#"{"terminationGracePeriodSeconds":-1}"#,
                &[
                    "terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1",
                ],
            ),
        ]);
    }

    #[test]
    fn warnings_of_containers() {
        expect_container_warnings(&[
            (
                r#"{"env":[{"name":"A","value":"1"},{"name":"A","value":"2"}]}"#,
                &[r#"env[1]: hides previous definition of "A", which may be dropped when using apply"#],
            ),
            (
                r#"{"ports":[{"containerPort":80},{"containerPort":80}]}"#,
                &["ports[1]: duplicate port definition with spec.template.spec.containers[0].ports[0]"],
            ),
            (
                r#"{"resources":{"requests":{"memory":"100m"}}}"#,
                &[
                    r#"resources.requests[memory]: fractional byte value "100m" is invalid, must be an integer"#,
                ],
            ),
        ]);
    }

    #[test]
    fn warnings_of_jobs() {
        expect_job_warnings(&[(
            r#"{"metadata":{"name":"a.b"}}"#,
            &[
                "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]",
            ],
        )]);
    }
}
