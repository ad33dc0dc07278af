//! What an update may keep that a new object may not have (`GetValidationOptionsFromPodSpecAndMeta`): rules that
//! came after an object must not stand in the way of changing something else in it.

use super::error::Errors;
use super::field::Field;
use super::{affinity, annotations, names, paths, placement, resources, security, selectors};
use crate::spec::object::Struct;

/// What is let through in a Pod template. With the feature gates at their defaults, everything is false for a new
/// object.
#[derive(Debug, Default)]
pub(super) struct PodOptions {
    /// Whether the cluster takes privileged containers (`--allow-privileged`).
    pub(super) allow_privileged: bool,
    pub(super) allow_invalid_pod_deletion_cost: bool,
    pub(super) allow_invalid_label_value_in_selector: bool,
    pub(super) allow_invalid_label_value_in_required_node_affinity: bool,
    pub(super) allow_indivisible_huge_pages_values: bool,
    pub(super) allow_invalid_topology_spread_constraint_label_selector: bool,
    pub(super) old_pod_violates_match_label_keys_validation: bool,
    pub(super) allow_non_local_projected_token_path: bool,
    pub(super) allow_namespaced_sysctls_for_host_net_and_host_ipc: bool,
    pub(super) allow_taint_toleration_comparison_operators: bool,
    pub(super) allow_user_namespaces_host_network_support: bool,
    pub(super) allow_user_namespaces_with_volume_devices: bool,
    pub(super) allow_empty_image_volume_reference: bool,
    pub(super) allow_sys_admin_when_privilege_escalation_false: bool,
    pub(super) allow_existing_restart_container_for_non_sidecar_init_container: bool,
}

impl PodOptions {
    /// The options for a new object.
    pub(super) fn for_create(allow_privileged: bool) -> Self {
        PodOptions { allow_privileged, ..PodOptions::default() }
    }

    /// The options for changing an object whose Pod template is `old`.
    pub(super) fn for_update(old: &Field<'_, '_>, allow_privileged: bool) -> Self {
        let (metadata, spec) = (old.child("metadata"), old.child("spec"));
        let affinity = spec.child("affinity");
        let constraints = spec.child("topologySpreadConstraints");
        let containers = || containers(&spec);
        let without_host_users = spec.child("hostUsers").flag() == Some(false);
        PodOptions {
            allow_privileged,
            allow_invalid_pod_deletion_cost: !annotations::has_valid_deletion_cost(
                &metadata.child("annotations"),
            ),
            allow_invalid_label_value_in_selector: affinity::has_invalid_selector(&affinity),
            allow_invalid_label_value_in_required_node_affinity: affinity::has_invalid_required_value(
                &affinity,
            ),
            allow_indivisible_huge_pages_values: resources::uses_indivisible_huge_pages(&spec),
            allow_invalid_topology_spread_constraint_label_selector: constraints.items().any(|c| {
                violates(|errors| selectors::label_selector(&c.child("labelSelector"), false, errors))
            }),
            old_pod_violates_match_label_keys_validation: constraints
                .items()
                .any(|c| violates(|errors| affinity::match_label_keys(&c, errors))),
            allow_non_local_projected_token_path: has_non_local_token_path(&spec),
            allow_namespaced_sysctls_for_host_net_and_host_ipc: security::has_namespaced_sysctl(&spec),
            allow_taint_toleration_comparison_operators: placement::has_comparison_operator(&spec),
            allow_user_namespaces_host_network_support: without_host_users
                && spec.child("hostNetwork").is_true(),
            allow_user_namespaces_with_volume_devices: without_host_users
                && containers().any(|c| !c.items("volumeDevices").is_empty()),
            allow_empty_image_volume_reference: spec
                .child("volumes")
                .items()
                .any(|v| v.child("image").is_set() && v.child("image").child("reference").text().is_empty()),
            allow_sys_admin_when_privilege_escalation_false: containers().any(security::adds_sys_admin),
            allow_existing_restart_container_for_non_sidecar_init_container: has_restart_container_for_init(
                &spec,
            ),
        }
    }
}

/// Whether a check finds anything.
pub(super) fn violates(check: impl FnOnce(&mut Errors)) -> bool {
    let mut errors = Errors::default();
    check(&mut errors);
    !errors.is_empty()
}

/// The kinds of containers in a Pod, in the order in which upstream visits them (`VisitContainersWithPath`).
pub(super) const CONTAINER_LISTS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// All containers of a Pod.
pub(super) fn containers<'n>(spec: &Field<'_, 'n>) -> impl Iterator<Item = &'n Struct<'n>> + use<'n> {
    let spec = spec.fields();
    spec.into_iter().flat_map(|spec| CONTAINER_LISTS.into_iter().flat_map(|list| spec.structs(list)))
}

/// Visits all containers with their paths.
pub(super) fn each_container<'n>(spec: &Field<'_, 'n>, mut visit: impl FnMut(&Field<'_, 'n>)) {
    for list in CONTAINER_LISTS {
        for container in spec.child(list).items() {
            visit(&container);
        }
    }
}

fn has_non_local_token_path(spec: &Field<'_, '_>) -> bool {
    let Some(spec) = spec.fields() else { return false };
    let projected = spec.structs("volumes").filter_map(|volume| volume.child("projected"));
    let mut sources = projected.flat_map(|projected| projected.structs("sources"));
    sources.any(|source| {
        source
            .child("serviceAccountToken")
            .is_some_and(|token| !paths::is_local_non_reserved(token.text("path")))
    })
}

fn has_restart_container_for_init(spec: &Field<'_, '_>) -> bool {
    let Some(spec) = spec.fields() else { return false };
    spec.structs("initContainers")
        .filter(|container| container.text("restartPolicy") != "Always")
        .flat_map(|container| container.structs("resizePolicy"))
        .any(|policy| policy.text("restartPolicy") == "RestartContainer")
}

/// Whether any of a list's texts is no label value.
pub(super) fn has_invalid_label_value<'v>(mut values: impl Iterator<Item = &'v str>) -> bool {
    values.any(|value| !names::label_value(value).is_empty())
}
