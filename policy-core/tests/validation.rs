//! Laws of defaulting and validation: nothing panics, what is stored stays as it is, and what is valid stays valid.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Tests may panic: that is how they fail.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)]
#![allow(missing_docs)]

use policy_core::spec::validation::{
    CreateContext, Review, Rules, Subresource, validate_create, validate_update,
};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

/// Names of fields, so that arbitrary values reach the rules behind them.
const NAMES: [&str; 60] = [
    "activeDeadlineSeconds",
    "affinity",
    "annotations",
    "args",
    "backoffLimit",
    "backoffLimitPerIndex",
    "completionMode",
    "completions",
    "conditions",
    "configMap",
    "containerPort",
    "containers",
    "downwardAPI",
    "emptyDir",
    "env",
    "ephemeral",
    "exec",
    "fieldPath",
    "fieldRef",
    "finalizers",
    "httpGet",
    "initContainers",
    "items",
    "jobTemplate",
    "key",
    "labels",
    "limits",
    "livenessProbe",
    "matchExpressions",
    "matchLabels",
    "maxFailedIndexes",
    "metadata",
    "mountPath",
    "name",
    "nodeAffinity",
    "onExitCodes",
    "operator",
    "ownerReferences",
    "parallelism",
    "path",
    "podFailurePolicy",
    "port",
    "ports",
    "projected",
    "requests",
    "resources",
    "restartPolicy",
    "rules",
    "schedule",
    "securityContext",
    "selector",
    "sources",
    "spec",
    "status",
    "successPolicy",
    "template",
    "tolerations",
    "value",
    "valueFrom",
    "volumes",
];

const TEXTS: [&str; 16] = [
    "",
    "a",
    "A b",
    "-",
    "..",
    "/",
    "0",
    "1-0",
    "1Ki",
    "-1.5e9",
    "In",
    "Indexed",
    "TZ=",
    "é\0",
    "2025-01-01T00:00:00Z",
    "*",
];

/// Changes that keep a Job valid, alone and together.
const VALID_CHANGES: [&str; 14] = [
    r#"{"metadata":{"labels":{"team":"a"},"annotations":{"note":"b"},"finalizers":["example.com/f"]}}"#,
    r#"{"spec":{"parallelism":3,"completions":4}}"#,
    r#"{"spec":{"completionMode":"Indexed","completions":4,"parallelism":2,"backoffLimitPerIndex":1,"maxFailedIndexes":2}}"#,
    r#"{"spec":{"suspend":true,"ttlSecondsAfterFinished":10,"activeDeadlineSeconds":60}}"#,
    r#"{"spec":{"podFailurePolicy":{"rules":[{"action":"Ignore","onPodConditions":[{"type":"DisruptionTarget"}]}]}}}"#,
    r#"{"spec":{"podReplacementPolicy":"Failed"}}"#,
    r#"{"spec":{"managedBy":"example.com/controller"}}"#,
    r#"{"spec":{"template":{"spec":{"volumes":[{"name":"v","emptyDir":{"sizeLimit":"1Gi"}}]}}}}"#,
    r#"{"spec":{"template":{"spec":{"tolerations":[{"key":"a","operator":"Exists"}],"nodeSelector":{"zone":"b"}}}}}"#,
    r#"{"spec":{"template":{"spec":{"initContainers":[{"name":"i","image":"b","restartPolicy":"Always"}]}}}}"#,
    r#"{"spec":{"template":{"spec":{"securityContext":{"runAsUser":1},"hostname":"h"}}}}"#,
    r#"{"spec":{"template":{"spec":{"hostNetwork":true,"dnsPolicy":"ClusterFirstWithHostNet"}}}}"#,
    r#"{"spec":{"template":{"metadata":{"labels":{"app":"a"}}}}}"#,
    r#"{"spec":{"template":{"spec":{"resources":{"limits":{"cpu":"2","memory":"1.5Gi"}}}}}}"#,
];

fn arbitrary_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        select(&[-1_i64, 0, 1, 7, 70_000, 1 << 40][..]).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        select(&TEXTS[..]).prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(7, 96, 6, |inner| {
        let name = prop_oneof![9 => select(&NAMES[..]).prop_map(str::to_owned), 1 => "\\PC{0,4}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..6).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// A Job or CronJob with an arbitrary value somewhere.
fn damaged_object() -> impl Strategy<Value = Value> {
    const PLACES: [&str; 8] = [
        "/metadata",
        "/spec",
        "/status",
        "/spec/template",
        "/spec/template/spec",
        "/spec/template/spec/containers/0",
        "/spec/jobTemplate",
        "/spec/jobTemplate/spec/template/spec",
    ];
    let damage = (select(&PLACES[..]), select(&NAMES[..]), arbitrary_value());
    (any::<bool>(), prop::collection::vec(damage, 0..6)).prop_map(|(is_job, damages)| {
        let mut object = if is_job { job(&[]) } else { cron_job(&[]) };
        for (place, name, value) in damages {
            match object.pointer_mut(place) {
                Some(Value::Object(fields)) => drop(fields.insert(name.into(), value)),
                Some(place) => *place = value,
                None => {}
            }
        }
        object
    })
}

fn valid_object() -> impl Strategy<Value = Value> {
    (any::<bool>(), subsequence(&VALID_CHANGES[..], 0..=VALID_CHANGES.len()))
        .prop_map(|(is_job, changes)| if is_job { job(&changes) } else { cron_job(&changes) })
}

fn job(changes: &[&str]) -> Value {
    let mut job = json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "j", "labels": {"made": "by-test"}},
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "b"}]}}},
        "status": {},
    });
    for change in changes {
        merge(&mut job, serde_json::from_str(change).unwrap());
    }
    job
}

fn cron_job(changes: &[&str]) -> Value {
    let job = job(changes);
    json!({
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": job["metadata"],
        "spec": {"schedule": "@hourly", "jobTemplate": {"spec": job["spec"]}},
        "status": {},
    })
}

fn merge(target: &mut Value, change: Value) {
    match (target, change) {
        (Value::Object(target), Value::Object(change)) => {
            for (name, value) in change {
                merge(target.entry(name).or_insert(Value::Null), value);
            }
        }
        (target, change) => *target = change,
    }
}

fn raw(value: &Value) -> Box<RawValue> {
    to_raw_value(value).unwrap()
}

fn create(object: &RawValue) -> Review<'_> {
    validate_create(object, &CreateContext::default(), &Rules::default())
}

fn stored(review: &Review<'_>) -> Value {
    serde_json::to_value(&review.defaulted).unwrap()
}

/// The object as it comes back from the API server.
fn read_back(mut stored: Value) -> Box<RawValue> {
    stored["metadata"]["resourceVersion"] = "1".into();
    raw(&stored)
}

proptest! {
    #[test]
    fn no_value_panics(object in arbitrary_value(), other in arbitrary_value()) {
        let (object, other) = (raw(&object), raw(&other));
        create(&object);
        validate_update(&object, &other, Subresource::Main, &Rules::default());
    }

    #[test]
    fn no_damaged_object_panics(old in damaged_object(), new in damaged_object()) {
        let (old, new) = (raw(&old), raw(&new));
        create(&new);
        for subresource in [Subresource::Main, Subresource::Status] {
            validate_update(&old, &new, subresource, &Rules::default());
        }
    }

    #[test]
    fn defaults_of_the_defaulted_change_nothing(object in prop_oneof![valid_object(), damaged_object()]) {
        let object = raw(&object);
        let once = create(&object);
        prop_assume!(once.defaulted.is_some());
        // A Job without labels takes those of its template, which get theirs on creation; so it is only complete when
        // it is read again.
        let once = raw(&stored(&once));
        let twice = stored(&create(&once));
        let again = raw(&twice);
        prop_assert_eq!(stored(&create(&again)), twice);
    }

    #[test]
    fn a_valid_object_stays_as_it_is(object in valid_object()) {
        let object = raw(&object);
        let created = create(&object);
        prop_assert!(created.is_accepted(), "{:?} {:?}", created.errors, created.decode_error);
        let object = read_back(stored(&created));
        for subresource in [Subresource::Main, Subresource::Status] {
            let updated = validate_update(&object, &object, subresource, &Rules::default());
            prop_assert!(updated.is_accepted(), "{:?}", updated.errors);
            prop_assert_eq!(stored(&updated), serde_json::from_str::<Value>(object.get()).unwrap());
        }
    }

    #[test]
    fn what_is_said_is_upstreams_form(object in damaged_object()) {
        let object = raw(&object);
        let review = create(&object);
        for error in &review.errors {
            let (text, start) = (error.to_string(), format!("{}: ", error.field));
            prop_assert!(text.starts_with(&start), "{text}");
        }
        // Nobody is warned of what is refused anyway.
        prop_assert!(review.errors.is_empty() || review.warnings.is_empty());
        prop_assert_eq!(review.defaulted.is_none(), review.decode_error.is_some());
    }
}
