//! Defaults and validation against the API server's own code.

use conformance::{Case, Report, cases, first_difference};
use jobpolicy::wire;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Of the errors, how many may be explained in other words: some details quote whole objects as Go prints them, and
/// nobody acts on the words. What is wrong, and with which field, always counts.
const MAX_DIFFERENT_DETAILS_PERCENT: usize = 5;

fn answer(line: &[u8]) -> Result<Value, String> {
    let mut out = Vec::new();
    wire::validate::answer(line, &mut out).map_err(|error| error.message)?;
    serde_json::from_slice(&out).map_err(|error| error.to_string())
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// An error's type and field.
fn place(error: &Value) -> (String, String) {
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    (text("type"), text("field"))
}

/// Runs `compare` over a vector file on the answers there are; no answer is a difference.
fn run(name: &str, compare: impl Fn(&Value, &Value) -> Option<String>) -> Report {
    let compare = |case: &Case, ours: &Result<Value, String>| match ours {
        Ok(ours) => compare(ours, &case.expect),
        Err(error) => Some(format!("no answer: {error}")),
    };
    Report::run(name, &mut answer, compare)
}

/// Whether the object is taken, and if not, what is wrong where. These are sets, since Go walks maps in an order of
/// its own. Where upstream panics it has no list; the object must be refused with a field error.
fn same_errors(ours: &Value, upstream: &Value) -> Option<String> {
    let places = |answer: &Value| items(&answer["errors"]).iter().map(place).collect::<BTreeSet<_>>();
    let (found, expected) = (places(ours), places(upstream));
    if upstream["panic"].is_string() {
        return found.is_empty().then(|| format!("accepted, upstream panics: {}", upstream["panic"]));
    }
    (found != expected).then(|| {
        let (extra, missing): (Vec<_>, Vec<_>) =
            (found.difference(&expected).collect(), expected.difference(&found).collect());
        format!("errors: ours alone {extra:?}, upstream alone {missing:?}")
    })
}

/// The errors in the order in which users read them. The recorded cases have no error whose place depends on the order
/// of a Go map.
fn same_order(ours: &Value, upstream: &Value) -> Option<String> {
    let places = |answer: &Value| items(&answer["errors"]).iter().map(place).collect::<Vec<_>>();
    let (found, expected) = (places(ours), places(upstream));
    let differs = !upstream["panic"].is_string() && found != expected;
    differs.then(|| format!("order: ours {found:?}, upstream {expected:?}"))
}

/// Whether the manifest can be read, and what is said about unknown and repeated fields. The words count: they are
/// the only place that names the field.
fn same_decoding(ours: &Value, upstream: &Value) -> Option<String> {
    let part = |answer: &Value| json!({ "decodeError": answer["decodeError"], "strictErrors": answer["strictErrors"] });
    first_difference(&part(ours), &part(upstream))
}

/// The warnings in their order. They are what users read, so their words count.
fn same_warnings(ours: &Value, upstream: &Value) -> Option<String> {
    first_difference(&ours["warnings"], &upstream["warnings"])
}

/// The object as it would be stored: the same everywhere outside the Pod template's spec; within it, all that upstream
/// has. See [`covers`] for what is passed over there.
fn same_defaulted_object(ours: &Value, upstream: &Value) -> Option<String> {
    let (mut ours, mut upstream) = (ours["defaulted"].clone(), upstream["defaulted"].clone());
    let (our_spec, upstream_spec) = (take_pod_spec(&mut ours), take_pod_spec(&mut upstream));
    first_difference(&ours, &upstream).or_else(|| covers("pod spec", &our_spec, &upstream_spec))
}

fn take_pod_spec(object: &mut Value) -> Value {
    let spec = match object.pointer_mut("/spec/jobTemplate/spec/template/spec") {
        Some(spec) => Some(spec),
        None => object.pointer_mut("/spec/template/spec"),
    };
    spec.map(Value::take).unwrap_or_default()
}

/// Whether all that upstream has is there and equal. What ours has beyond that counts as passed through: a Pod
/// template is carried, not acted on. Quantities are passed over, for they may be spelt in several ways.
fn covers(path: &str, ours: &Value, upstream: &Value) -> Option<String> {
    match (ours, upstream) {
        (Value::Object(ours), Value::Object(upstream)) => {
            let compared = upstream.iter().filter(|(name, _)| !holds_quantities(name));
            compared.into_iter().find_map(|(name, value)| {
                covers(&format!("{path}.{name}"), ours.get(name).unwrap_or(&Value::Null), value)
            })
        }
        (Value::Array(ours), Value::Array(upstream)) if ours.len() == upstream.len() => {
            let pairs = ours.iter().zip(upstream).enumerate();
            pairs
                .into_iter()
                .find_map(|(i, (ours, upstream))| covers(&format!("{path}[{i}]"), ours, upstream))
        }
        _ => first_difference(&json!({ path: ours }), &json!({ path: upstream })),
    }
}

fn holds_quantities(name: &str) -> bool {
    matches!(name, "resources" | "limits" | "requests" | "sizeLimit")
}

/// How many of upstream's errors are explained in the same words, and the first that are not.
fn details(name: &str) -> (usize, usize, Vec<String>) {
    let (mut total, mut different) = (0, Vec::new());
    for case in cases(name).filter(|case| !case.expect["panic"].is_string()) {
        let ours = answer(&case.line).unwrap_or_default();
        for error in items(&case.expect["errors"]) {
            total += 1;
            if !items(&ours["errors"]).contains(error) {
                different.push(format!("{}: {error}", case.id));
            }
        }
    }
    (total, total - different.len(), different)
}

fn assert_details(name: &str) {
    let (total, same, different) = details(name);
    println!("{name}: {same} of {total} details are the same");
    let allowed = total * MAX_DIFFERENT_DETAILS_PERCENT / 100;
    let shown: Vec<_> = different.iter().take(20).collect();
    assert!(different.len() <= allowed, "{shown:#?}");
}

#[test]
fn creations_have_upstreams_errors() {
    run("validate", same_errors).assert_parity("validate", "validate");
    run("validate", same_order).assert_parity("validate", "validate");
}

#[test]
fn creations_are_read_as_upstream_reads_them() {
    run("validate", same_decoding).assert_parity("validate", "validate");
}

#[test]
fn creations_have_upstreams_warnings() {
    run("validate", same_warnings).assert_parity("validate", "validate");
}

#[test]
fn creations_have_upstreams_defaults() {
    run("validate", same_defaulted_object).assert_parity("validate", "validate");
}

#[test]
fn creations_are_refused_in_upstreams_words() {
    assert_details("validate");
}

#[test]
fn updates_have_upstreams_errors() {
    run("validateupdate", same_errors).assert_parity("validateupdate", "validate");
    run("validateupdate", same_order).assert_parity("validateupdate", "validate");
}

#[test]
fn updates_are_refused_in_upstreams_words() {
    assert_details("validateupdate");
}
