//! How what was decided differs from what was written, in words.

use serde::Serialize;
use serde_json::Value;

/// The longest value that is shown whole.
const SHOWN_CHARS: usize = 80;

/// Each field in which two values differ: `status.failed: decided 1, written 2`.
pub(super) fn between(path: &str, decided: &impl Serialize, written: &impl Serialize) -> Vec<String> {
    match (serde_json::to_value(decided), serde_json::to_value(written)) {
        (Ok(decided), Ok(written)) => {
            let mut found = Vec::new();
            compare(path, Some(&decided), Some(&written), &mut found);
            found
        }
        // What was read as JSON can be written as JSON.
        (Err(error), _) | (_, Err(error)) => vec![format!("{path}: {error}")],
    }
}

fn compare(path: &str, decided: Option<&Value>, written: Option<&Value>, found: &mut Vec<String>) {
    if decided == written {
        return;
    }
    match (decided, written) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let added = b.keys().filter(|key| !a.contains_key(*key));
            for key in a.keys().chain(added) {
                compare(&format!("{path}.{key}"), a.get(key), b.get(key), found);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) if a.len() == b.len() => {
            for (place, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}[{place}]"), Some(a), Some(b), found);
            }
        }
        _ => found.push(format!("{path}: decided {}, written {}", shown(decided), shown(written))),
    }
}

fn shown(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => return "nothing".into(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    if text.chars().count() <= SHOWN_CHARS {
        return text;
    }
    text.chars().take(SHOWN_CHARS).chain(['…']).collect()
}

/// Fields that the API server and its admission controllers fill in when an object is created. A dot separates fields,
/// `[]` stands for any element.
const FILLED_IN: [&str; 27] = [
    "apiVersion",
    "kind",
    "status",
    "metadata.creationTimestamp",
    "metadata.generation",
    "metadata.managedFields",
    "metadata.name",
    "metadata.namespace",
    "metadata.resourceVersion",
    "metadata.uid",
    "metadata.annotations.kubernetes.io/limit-ranger",
    "spec.enableServiceLinks",
    "spec.nodeSelector",
    "spec.overhead",
    "spec.preemptionPolicy",
    "spec.priority",
    "spec.priorityClassName",
    "spec.serviceAccount",
    "spec.serviceAccountName",
    "spec.imagePullSecrets",
    "spec.tolerations",
    "spec.volumes",
    "spec.initContainers[].volumeMounts",
    "spec.containers[].volumeMounts",
    "spec.initContainers[].resources",
    "spec.containers[].resources",
    "spec.hostIPC",
];

/// How an object that was created differs from what was decided: everything decided must be there, and nothing else but
/// what the API server fills in. Lists may go on where the server adds to them.
pub(super) fn created_from(decided: &Value, written: &Value) -> Vec<String> {
    let mut found = Vec::new();
    include("", "", decided, Some(written), &mut found);
    found
}

/// `pattern` is the path without numbers.
fn include(path: &str, pattern: &str, decided: &Value, written: Option<&Value>, found: &mut Vec<String>) {
    let inner = |outer: &str, field: &str| {
        if outer.is_empty() { field.to_owned() } else { format!("{outer}.{field}") }
    };
    match (decided, written) {
        (Value::Object(a), Some(Value::Object(b))) => {
            for (key, value) in a.iter().filter(|(_, value)| !is_empty(value)) {
                include(&inner(path, key), &inner(pattern, key), value, b.get(key), found);
            }
            let added = b.iter().filter(|(key, value)| a.get(*key).is_none_or(is_empty) && !is_empty(value));
            for (key, value) in added {
                if !is_filled_in(&inner(pattern, key)) {
                    found.push(format!(
                        "{}: decided nothing, written {}",
                        inner(path, key),
                        shown(Some(value))
                    ));
                }
            }
        }
        (Value::Array(a), Some(Value::Array(b)))
            if a.len() == b.len() || (a.len() < b.len() && is_filled_in(pattern)) =>
        {
            for (place, (a, b)) in a.iter().zip(b).enumerate() {
                include(&format!("{path}[{place}]"), &format!("{pattern}[]"), a, Some(b), found);
            }
        }
        (decided, written) if Some(decided) == written => {}
        _ => found.push(format!("{path}: decided {}, written {}", shown(Some(decided)), shown(written))),
    }
}

fn is_filled_in(pattern: &str) -> bool {
    // The API version of a field reference is defaulted wherever there is one.
    FILLED_IN.contains(&pattern) || pattern.ends_with(".fieldRef.apiVersion")
}

/// What the API server does not write.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_field_that_differs_is_told() {
        let decided = json!({"failed": 1, "conditions": [{"reason": "A"}], "active": 2});
        let written = json!({"failed": 2, "conditions": [{"reason": "B"}], "ready": 0});
        assert_eq!(
            between("status", &decided, &written),
            [
                "status.active: decided 2, written nothing",
                "status.conditions[0].reason: decided A, written B",
                "status.failed: decided 1, written 2",
                "status.ready: decided nothing, written 0",
            ]
        );
    }

    #[test]
    fn a_created_pod_may_have_what_the_server_fills_in() {
        let decided = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"volumes": [{"name": "v"}]}});
        let mut written = json!({
            "metadata": {"labels": {"a": "b"}, "uid": "u"},
            "spec": {"volumes": [{"name": "v"}, {"name": "kube-api-access"}], "priority": 0},
        });
        assert_eq!(created_from(&decided, &written), [""; 0]);
        written["metadata"]["labels"]["x"] = json!("y");
        written["spec"]["volumes"] = json!([]);
        assert_eq!(
            created_from(&decided, &written),
            [
                "metadata.labels.x: decided nothing, written y",
                "spec.volumes: decided [{\"name\":\"v\"}], written []",
            ]
        );
    }
}
