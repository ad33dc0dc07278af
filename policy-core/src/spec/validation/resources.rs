//! What containers ask for (`validateResourceRequirements`).

use super::error::{ErrorType, Errors};
use super::field::Field;
use super::names;
use super::options::{self, PodOptions};
use crate::cron::go_text::quote;
use crate::spec::object::Map;
use crate::spec::quantity::Quantity;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// The prefix of resources that are pages of one size.
pub(super) const HUGE_PAGES: &str = "hugepages-";

const STANDARD: [&str; 20] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "storage",
    "requests.storage",
    "services.nodeports",
    "services.loadbalancers",
];

/// Of the standard resources those that are counted in whole numbers (`integerResources`).
const COUNTED: [&str; 9] = [
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
];

/// `ValidateContainerResourceRequirements`.
pub(super) fn container_resources(
    resources: &Field<'_, '_>,
    claims: &BTreeSet<&str>,
    options: &PodOptions,
    errors: &mut Errors,
) {
    requirements(resources, container_resource_name, claims, options, errors);
}

/// The limits that a map holds, reported as if it were in a container.
pub(super) fn limits_only(overhead: &Field<'_, '_>, options: &PodOptions, errors: &mut Errors) {
    let limits = overhead.at("limits", overhead.node());
    for (name, limit) in limits.entries() {
        amount(name, &limit, container_resource_name, errors);
        huge_pages_amount(name, &limit, options, errors);
    }
    huge_pages_alone(overhead, &[&limits], errors);
}

/// `validateResourceRequirements`, with the rule for names of resources.
pub(super) fn requirements(
    resources: &Field<'_, '_>,
    check_name: fn(&str, &Field<'_, '_>, &mut Errors),
    claims: &BTreeSet<&str>,
    options: &PodOptions,
    errors: &mut Errors,
) {
    let (limits, requests) = (resources.child("limits"), resources.child("requests"));
    for (name, limit) in limits.entries() {
        amount(name, &limit, check_name, errors);
        huge_pages_amount(name, &limit, options, errors);
    }
    for (name, request) in requests.entries() {
        amount(name, &request, check_name, errors);
        request_against_limit(name, &request, &requests, &limits, errors);
        huge_pages_amount(name, &request, options, errors);
    }
    huge_pages_alone(resources, &[&limits, &requests], errors);
    claim_names(&resources.child("claims"), claims, errors);
}

fn huge_pages_alone(resources: &Field<'_, '_>, lists: &[&Field<'_, '_>], errors: &mut Errors) {
    let listed = || lists.iter().filter_map(|list| list.map()).flat_map(Map::keys);
    if listed().any(|name| name.starts_with(HUGE_PAGES))
        && !listed().any(|n| matches!(&**n, "cpu" | "memory"))
    {
        errors.forbidden(resources, "HugePages require cpu or memory");
    }
}

/// A resource's name and amount, for limits and requests alike.
fn amount(
    name: &str,
    amount: &Field<'_, '_>,
    check_name: fn(&str, &Field<'_, '_>, &mut Errors),
    errors: &mut Errors,
) {
    check_name(name, amount, errors);
    quantity_value(name, amount, errors);
}

/// `ValidateResourceQuantityValue`.
pub(super) fn quantity_value(name: &str, amount: &Field<'_, '_>, errors: &mut Errors) {
    let Some(quantity) = amount.quantity() else { return };
    if quantity.is_negative() {
        errors.invalid_value(amount, quantity.canonical().as_str(), "must be greater than or equal to 0");
    }
    if (COUNTED.contains(&name) || is_extended(name)) && !quantity.is_integer() {
        errors.invalid_value(amount, quantity.canonical().as_str(), "must be an integer");
    }
}

fn request_against_limit(
    name: &str,
    request: &Field<'_, '_>,
    requests: &Field<'_, '_>,
    limits: &Field<'_, '_>,
    errors: &mut Errors,
) {
    let overcommit = is_native(name) && !name.starts_with(HUGE_PAGES);
    let (Some(requested), limit) = (request.quantity(), limits.key(name).quantity()) else { return };
    let Some(limit) = limit else {
        if !overcommit {
            errors.required(limits, "Limit must be set for non overcommitable resources");
        }
        return;
    };
    let wanted = match requested.cmp(&limit) {
        Ordering::Equal => return,
        _ if !overcommit => "equal to",
        Ordering::Greater => "less than or equal to",
        Ordering::Less => return,
    };
    let detail = format!("must be {wanted} {name} limit of {}", limit.canonical());
    errors.invalid_value(requests, requested.canonical().as_str(), detail);
}

fn huge_pages_amount(name: &str, amount: &Field<'_, '_>, options: &PodOptions, errors: &mut Errors) {
    let Some(quantity) = amount.quantity() else { return };
    if !options.allow_indivisible_huge_pages_values && !is_divisible(name, quantity) {
        let text = quantity.canonical();
        let detail = format!("{text} is not positive integer multiple of {name}");
        errors.invalid_value(amount, text.as_str(), detail);
    }
}

/// Whether an amount is made up of whole pages, where the resource is one of pages.
fn is_divisible(name: &str, quantity: Quantity) -> bool {
    let Some(size) = name.strip_prefix(HUGE_PAGES) else { return true };
    Quantity::parse(size).is_ok_and(|size| {
        !size.is_zero() && !size.is_negative() && size.is_integer() && quantity.is_multiple_of(size)
    })
}

/// `usesIndivisibleHugePagesValues`.
pub(super) fn uses_indivisible_huge_pages(spec: &Field<'_, '_>) -> bool {
    let indivisible = |list: Option<&Map<'_>>| {
        let mut amounts = list.into_iter().flatten();
        amounts
            .any(|(name, amount)| amount.as_quantity().is_some_and(|quantity| !is_divisible(name, quantity)))
    };
    options::containers(spec)
        .filter_map(|container| container.child("resources"))
        .any(|resources| indivisible(resources.map("limits")) || indivisible(resources.map("requests")))
        || indivisible(spec.child("overhead").map())
}

/// `validateResourceName`: whether it passed, for those rules that look at a good name only.
pub(super) fn resource_name(name: &str, field: &Field<'_, '_>, errors: &mut Errors) -> bool {
    let before = errors.len();
    for message in names::label_key(name) {
        errors.invalid_value(field, name, message);
    }
    let unknown = || {
        let quota_pages = name.starts_with(HUGE_PAGES) || name.starts_with("requests.hugepages-");
        !name.contains('/') && !STANDARD.contains(&name) && !quota_pages
    };
    if errors.len() == before && unknown() {
        errors.invalid_value(field, name, "must be a standard resource type or fully qualified");
    }
    errors.len() == before
}

/// `ValidateContainerResourceName`.
fn container_resource_name(name: &str, field: &Field<'_, '_>, errors: &mut Errors) {
    resource_name(name, field, errors);
    if !name.contains('/') {
        if !matches!(name, "cpu" | "memory" | "ephemeral-storage") && !name.starts_with(HUGE_PAGES) {
            errors.invalid_value(field, name, "must be a standard resource for containers");
        }
    } else if !is_native(name) && !is_extended(name) {
        errors.invalid_value(field, name, "doesn't follow extended resource name standard");
    }
}

/// `IsNativeResource`.
fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

/// `IsExtendedResourceName`.
fn is_extended(name: &str) -> bool {
    !is_native(name)
        && !name.starts_with("requests.")
        && names::label_key(&format!("requests.{name}")).is_empty()
}

/// `validateResourceClaimNames`.
fn claim_names(claims: &Field<'_, '_>, pod_claims: &BTreeSet<&str>, errors: &mut Errors) {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for claim in claims.items() {
        let (name, request) = (claim.child("name").text(), claim.child("request"));
        if name.is_empty() {
            errors.required(&claim, "");
            continue;
        }
        claim_request(name, &request, &claim, &mut seen, errors);
        if !pod_claims.contains(name) {
            let known: Vec<&str> = pod_claims.iter().copied().collect();
            let detail = match known.as_slice() {
                [] => "must be one of the names in pod.spec.resourceClaims which is empty".into(),
                known => format!("must be one of the names in pod.spec.resourceClaims: {}", known.join(", ")),
            };
            errors.push(ErrorType::NotFound, &claim, Some(quote(name)), detail);
        }
    }
}

/// A claim, or one request of it, may be named once, and not both.
fn claim_request(
    name: &str,
    request: &Field<'_, '_>,
    claim: &Field<'_, '_>,
    seen: &mut BTreeSet<String>,
    errors: &mut Errors,
) {
    if seen.contains(name) {
        return errors.duplicate_value(claim, name);
    }
    let key = match request.text() {
        "" => name.into(),
        text => {
            names::dns_label_field(request, errors);
            format!("{name}/{text}")
        }
    };
    if seen.contains(&key) {
        errors.duplicate_value(claim, key.as_str());
    } else if request.text().is_empty() {
        let requests =
            seen.iter().filter(|other| other.split_once('/').is_some_and(|(claim, _)| claim == name));
        for _ in requests {
            errors.duplicate_value(claim, name);
        }
    }
    seen.insert(key);
}

#[cfg(test)]
mod tests {
    use super::super::testing::expect_container_errors;

    #[test]
    fn amounts() {
        expect_container_errors(&[
            (
                r#"{"resources":{"limits":{"cpu":"-1"}}}"#,
                &[r#"resources.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0"#],
            ),
            (
                r#"{"resources":{"requests":{"cpu":"2"},"limits":{"cpu":"1"}}}"#,
                &[r#"resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1"#],
            ),
            (
                r#"{"resources":{"limits":{"example.com/gpu":"0.5"}}}"#,
                &[r#"resources.limits[example.com/gpu]: Invalid value: "500m": must be an integer"#],
            ),
            (
                r#"{"resources":{"requests":{"example.com/gpu":"1"}}}"#,
                &["resources.limits: Required value: Limit must be set for non overcommitable resources"],
            ),
            (
                r#"{"resources":{"requests":{"example.com/gpu":"1"},"limits":{"example.com/gpu":"2"}}}"#,
                &[r#"resources.requests: Invalid value: "1": must be equal to example.com/gpu limit of 2"#],
            ),
        ]);
    }

    #[test]
    fn names() {
        expect_container_errors(&[
            (
                r#"{"resources":{"limits":{"gpu":"1"}}}"#,
                &[
                    r#"resources.limits[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified"#,
                    r#"resources.limits[gpu]: Invalid value: "gpu": must be a standard resource for containers"#,
                ],
            ),
            (
                r#"{"resources":{"limits":{"storage":"1Gi"}}}"#,
                &[
                    r#"resources.limits[storage]: Invalid value: "storage": must be a standard resource for containers"#,
                ],
            ),
            (
                r#"{"resources":{"limits":{"A b":"1"}}}"#,
                &[
                    r#"resources.limits[A b]: Invalid value: "A b": name part must consist of…"#,
                    r#"resources.limits[A b]: Invalid value: "A b": must be a standard resource for containers"#,
                ],
            ),
            (
                r#"{"resources":{"limits":{"requests.example.com/x":"1"}}}"#,
                &[
                    r#"resources.limits[requests.example.com/x]: Invalid value: "requests.example.com/x": doesn't follow extended resource name standard"#,
                ],
            ),
        ]);
    }

    #[test]
    fn huge_pages() {
        expect_container_errors(&[
            (
                r#"{"resources":{"limits":{"hugepages-2Mi":"2Mi"}}}"#,
                &["resources: Forbidden: HugePages require cpu or memory"],
            ),
            (
                r#"{"resources":{"limits":{"memory":"1Gi","hugepages-2Mi":"3Mi"}}}"#,
                &[
                    r#"resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi"#,
                ],
            ),
            (
                r#"{"resources":{"requests":{"memory":"1Gi","hugepages-2Mi":"2Mi"}}}"#,
                &["resources.limits: Required value: Limit must be set for non overcommitable resources"],
            ),
        ]);
    }

    #[test]
    fn claims() {
        expect_container_errors(&[(
            r#"{"resources":{"claims":[{"name":"c"},{"name":"c"},{"name":""}]}}"#,
            &[
                r#"resources.claims[0]: Not found: "c": must be one of the names in pod.spec.resourceClaims which is empty"#,
                r#"resources.claims[1]: Duplicate value: "c""#,
                r#"resources.claims[1]: Not found: "c": must be one of the names in pod.spec.resourceClaims which is empty"#,
                "resources.claims[2]: Required value",
            ],
        )]);
    }

    #[test]
    fn resize_policies() {
        expect_container_errors(&[
            (
                r#"{"resizePolicy":[{"resourceName":"disk","restartPolicy":"NotRequired"}]}"#,
                &[r#"resizePolicy: Unsupported value: "disk": supported values: "cpu", "memory""#],
            ),
            (
                r#"{"resizePolicy":[{"resourceName":"cpu","restartPolicy":"Never"},{"resourceName":"cpu","restartPolicy":"NotRequired"}]}"#,
                &[
                    r#"resizePolicy: Unsupported value: "Never": supported values: "NotRequired", "RestartContainer""#,
                    r#"resizePolicy: Invalid value: "Never": must be 'NotRequired' when pod `restartPolicy` is 'Never'"#,
                    r#"resizePolicy[1]: Duplicate value: "cpu""#,
                ],
            ),
            (
                r#"{"resizePolicy":[{"resourceName":"cpu","restartPolicy":"RestartContainer"}]}"#,
                &[
                    r#"resizePolicy: Invalid value: "RestartContainer": must be 'NotRequired' when pod `restartPolicy` is 'Never'"#,
                ],
            ),
        ]);
    }
}
