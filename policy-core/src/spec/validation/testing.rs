//! Manifests for the tests of rules: a valid one with a change, and what the API server says of it.

use super::{CreateContext, Review, Rules, Subresource, validate_create, validate_update};
use crate::Timestamp;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use std::string::{String, ToString};
use std::vec::Vec;

/// A change, as a merge patch of what is tested, and the messages that it brings. One that ends in `…` stands for all
/// that start so.
type Case<'c> = (&'c str, &'c [&'c str]);

/// A patch of the stored object, a patch of that for the new one, what is written, and the errors.
type UpdateCase<'c> = (&'c str, &'c str, Subresource, &'c [&'c str]);

const POD_SPEC: &str = "/spec/template/spec";
const CONTAINER: &str = "/spec/template/spec/containers/0";

pub(super) fn expect_job_errors(cases: &[Case<'_>]) {
    expect(&job(), "", cases, errors);
}

pub(super) fn expect_cron_job_errors(cases: &[Case<'_>]) {
    expect(&cron_job(), "", cases, errors);
}

/// The paths in messages start at the Pod's spec.
pub(super) fn expect_pod_errors(cases: &[Case<'_>]) {
    expect(&job(), POD_SPEC, cases, errors);
}

/// The paths in messages start at the container.
pub(super) fn expect_container_errors(cases: &[Case<'_>]) {
    expect(&job(), CONTAINER, cases, errors);
}

pub(super) fn expect_job_warnings(cases: &[Case<'_>]) {
    expect(&job(), "", cases, |review| review.warnings);
}

pub(super) fn expect_pod_warnings(cases: &[Case<'_>]) {
    expect(&job(), POD_SPEC, cases, |review| review.warnings);
}

pub(super) fn expect_container_warnings(cases: &[Case<'_>]) {
    expect(&job(), CONTAINER, cases, |review| review.warnings);
}

pub(super) fn expect_job_update_errors(cases: &[UpdateCase<'_>]) {
    let mut stored = job();
    let labels = json!({ "batch.kubernetes.io/controller-uid": "u" });
    stored["spec"]["selector"] = json!({ "matchLabels": labels });
    stored["spec"]["template"]["metadata"] = json!({ "labels": labels });
    expect_updates(stored, cases);
}

pub(super) fn expect_cron_job_update_errors(cases: &[UpdateCase<'_>]) {
    expect_updates(cron_job(), cases);
}

fn job() -> Value {
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": { "name": "j" },
        "spec": {
            "template": {
                "spec": { "restartPolicy": "Never", "containers": [{ "name": "main", "image": "bash:5" }] },
            },
        },
    })
}

fn cron_job() -> Value {
    json!({
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": { "name": "c" },
        "spec": { "schedule": "0 0 * * *", "jobTemplate": { "spec": job()["spec"] } },
    })
}

fn errors(review: Review<'_>) -> Vec<String> {
    assert_eq!(review.decode_error, None);
    review.errors.iter().map(ToString::to_string).collect()
}

fn expect(valid: &Value, pointer: &str, cases: &[Case<'_>], messages: fn(Review<'_>) -> Vec<String>) {
    let prefix = match pointer {
        POD_SPEC => "spec.template.spec.",
        CONTAINER => "spec.template.spec.containers[0].",
        _ => "",
    };
    let context = CreateContext {
        uid: "11111111-2222-3333-4444-555555555555",
        creation_timestamp: Timestamp::from_unix(1_735_689_600, 0).unwrap(),
        name_suffix: "abcde",
        ..CreateContext::default()
    };
    for (patch, expected) in cases {
        let mut object = valid.clone();
        merge(object.pointer_mut(pointer).unwrap(), patch_of(patch));
        let object = raw(&object);
        let found = messages(validate_create(&object, &context, &Rules::default()));
        let found: Vec<&str> = found.iter().map(|text| text.strip_prefix(prefix).unwrap_or(text)).collect();
        assert_messages(&found, expected, patch);
    }
}

fn expect_updates(mut valid: Value, cases: &[UpdateCase<'_>]) {
    merge(
        &mut valid["metadata"],
        json!({ "resourceVersion": "1", "uid": "u", "namespace": "default", "generation": 1 }),
    );
    for (old_patch, new_patch, subresource, expected) in cases {
        let mut old = valid.clone();
        merge(&mut old, patch_of(old_patch));
        let mut new = old.clone();
        merge(&mut new, patch_of(new_patch));
        let (old, new) = (raw(&old), raw(&new));
        let found = errors(validate_update(&old, &new, *subresource, &Rules::default()));
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        assert_messages(&found, expected, new_patch);
    }
}

fn assert_messages(found: &[&str], expected: &[&str], patch: &str) {
    let same = |(found, expected): (&&str, &&str)| match expected.strip_suffix('…') {
        Some(start) => found.starts_with(start),
        None => found == expected,
    };
    let all_same = found.len() == expected.len() && found.iter().zip(expected).all(same);
    assert!(all_same, "{patch}:\nfound {found:#?}\nexpected {expected:#?}");
}

fn patch_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn raw(object: &Value) -> std::boxed::Box<RawValue> {
    to_raw_value(object).unwrap()
}

/// RFC 7386.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, value) in patch {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(&name);
        } else {
            merge(&mut target[name], value);
        }
    }
}
