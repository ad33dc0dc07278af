//! Resources of the Pod as a whole (`validatePodResources`, `validatePodResourceClaims`, `validateOverhead`).

use super::error::Errors;
use super::field::Field;
use super::names;
use super::options::PodOptions;
use super::resources::{self, HUGE_PAGES};
use crate::spec::object::{Map, Struct};
use crate::spec::quantity::Quantity;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use core::cmp::Ordering;

/// Checks the Pod's claims and returns their names.
pub(super) fn resource_claims<'n>(claims: &Field<'_, 'n>, errors: &mut Errors) -> BTreeSet<&'n str> {
    let mut seen = BTreeSet::new();
    for claim in claims.items() {
        let name = claim.child("name");
        if name.text().is_empty() {
            errors.required(&name, "");
        } else if seen.insert(name.text()) {
            names::dns_label_field(&name, errors);
        } else {
            errors.duplicate(&name);
        }
        claim_source(&claim, errors);
    }
    seen
}

fn claim_source(claim: &Field<'_, '_>, errors: &mut Errors) {
    let sources = [claim.child("resourceClaimName"), claim.child("resourceClaimTemplateName")];
    match sources.each_ref().map(Field::is_set) {
        [true, true] => errors.invalid(
            claim,
            "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified",
        ),
        [false, false] => {
            errors.invalid(claim, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`");
        }
        _ => {}
    }
    for source in sources.iter().filter(|source| source.is_set()) {
        errors.invalid_all(source, names::dns_subdomain(source.text()));
    }
}

/// `validateOverhead`: like the limits of a container, and with their path.
pub(super) fn overhead(overhead: &Field<'_, '_>, options: &PodOptions, errors: &mut Errors) {
    if overhead.is_set() {
        resources::limits_only(overhead, options, errors);
    }
}

pub(super) fn pod_resources(
    spec: &Field<'_, '_>,
    claims: &BTreeSet<&str>,
    options: &PodOptions,
    errors: &mut Errors,
) {
    let resources = spec.child("resources");
    if !resources.is_set() {
        return;
    }
    if spec.child("os").child("name").text() == "windows" {
        return errors.forbidden(&resources, "may not be set for a windows pod");
    }
    let own_claims = resources.child("claims");
    if own_claims.is_set() {
        errors.forbidden(&own_claims, "claims may not be set for Resources at pod-level");
    }
    resources::requirements(&resources, pod_resource_name, claims, options, errors);
    consistency(spec, &resources, errors);
}

/// `validatePodResourceName`.
fn pod_resource_name(name: &str, field: &Field<'_, '_>, errors: &mut Errors) {
    let supported = matches!(name, "cpu" | "memory") || name.starts_with(HUGE_PAGES);
    if resources::resource_name(name, field, errors) && !supported {
        errors.not_supported_value(field, name, &["cpu", HUGE_PAGES, "memory"]);
    }
}

/// `validatePodResourceConsistency`: the Pod as a whole must have room for its containers.
fn consistency(spec: &Field<'_, '_>, resources: &Field<'_, '_>, errors: &mut Errors) {
    let (requests, limits) = (resources.child("requests"), resources.child("limits"));
    at_least(&requests, &aggregate(spec, "requests"), "requests", |_| true, errors);
    at_least(&limits, &aggregate(spec, "limits"), "limits", |name| name.starts_with(HUGE_PAGES), errors);
    let containers = resources.at("containers", spec.child("containers").node());
    for container in containers.items() {
        let own = container.child("resources");
        for (name, limit) in own.child("limits").entries() {
            let (Some(own), Some(pod)) = (limit.quantity(), limits.key(name).quantity()) else { continue };
            if own.cmp(&pod) == Ordering::Greater {
                let place = container.key(name);
                let detail = format!("must be less than or equal to pod limits of {}", pod.canonical());
                errors.invalid_value(&place.at("limits", None), own.canonical().as_str(), detail);
            }
        }
    }
}

type Amounts<'n> = BTreeMap<&'n str, Quantity>;

fn at_least(
    pod: &Field<'_, '_>,
    containers: &Amounts<'_>,
    what: &str,
    applies: fn(&str) -> bool,
    errors: &mut Errors,
) {
    for (name, needed) in containers.iter().filter(|(name, _)| applies(name)) {
        let place = pod.key(name);
        let Some(given) = place.quantity().filter(|given| needed.cmp(given) == Ordering::Greater) else {
            continue;
        };
        let detail =
            format!("must be greater than or equal to aggregate container {what} of {}", needed.canonical());
        errors.invalid_value(&place, given.canonical().as_str(), detail);
    }
}

/// `aggregateContainerResourcesByFn`: the containers and sidecars together, or an init container together with the
/// sidecars before it, whichever is more.
fn aggregate<'n>(spec: &Field<'_, 'n>, what: &str) -> Amounts<'n> {
    let Some(spec) = spec.fields() else { return Amounts::new() };
    let amounts = |container: &'n Struct<'n>| container.child("resources").and_then(|r| r.map(what));
    let mut total = Amounts::new();
    for container in spec.structs("containers") {
        add(&mut total, amounts(container));
    }
    let (mut sidecars, mut initial) = (Amounts::new(), Amounts::new());
    for container in spec.structs("initContainers") {
        let mut needed = Amounts::new();
        if container.text("restartPolicy") == "Always" {
            add(&mut total, amounts(container));
            add(&mut sidecars, amounts(container));
        } else {
            add(&mut needed, amounts(container));
        }
        for (name, amount) in &sidecars {
            add_one(&mut needed, name, *amount);
        }
        raise(&mut initial, &needed);
    }
    raise(&mut total, &initial);
    total
}

fn add<'n>(total: &mut Amounts<'n>, amounts: Option<&'n Map<'n>>) {
    for (name, amount) in amounts.into_iter().flatten() {
        if let Some(amount) = amount.as_quantity() {
            add_one(total, name, amount);
        }
    }
}

fn add_one<'n>(total: &mut Amounts<'n>, name: &'n str, amount: Quantity) {
    total.entry(name).and_modify(|sum| *sum = sum.plus(amount)).or_insert(amount);
}

fn raise<'n>(total: &mut Amounts<'n>, other: &Amounts<'n>) {
    for (name, amount) in other {
        let entry = total.entry(name).or_insert(*amount);
        if amount.cmp(entry) == Ordering::Greater {
            *entry = *amount;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::expect_pod_errors;

    #[test]
    fn resources_of_the_pod() {
        expect_pod_errors(&[
            (
                r#"{"resources":{"requests":{"cpu":"1"}},"containers":[{"name":"a","image":"b","resources":{"requests":{"cpu":"2"}}}]}"#,
                &[
                    r#"resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 2"#,
                ],
            ),
            (
                r#"{"resources":{"limits":{"example.com/gpu":"1"}}}"#,
                &[
                    r#"resources.limits[example.com/gpu]: Unsupported value: "example.com/gpu": supported values: "cpu", "hugepages-", "memory""#,
                ],
            ),
            (
                r#"{"resources":{"requests":{"memory":"2Gi"},"limits":{"memory":"1Gi"}}}"#,
                &[
                    r#"resources.requests: Invalid value: "2Gi": must be less than or equal to memory limit of 1Gi"#,
                ],
            ),
            (
                r#"{"resources":{"claims":[{"name":"c"}]}}"#,
                &[
                    "resources.claims: Forbidden: claims may not be set for Resources at pod-level",
                    r#"resources.claims[0]: Not found: "c": must be one of the names in pod.spec.resourceClaims which is empty"#,
                ],
            ),
            (
                r#"{"overhead":{"cpu":"-1"}}"#,
                &[r#"overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0"#],
            ),
        ]);
    }
}
