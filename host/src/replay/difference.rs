//! How what was decided differs from what was written, in words.

use serde::Serialize;
use serde_json::{Map, Value};

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
        _ => found.push(difference(path, decided, written)),
    }
}

/// A count of zero is not written out.
fn difference(path: &str, decided: Option<&Value>, written: Option<&Value>) -> String {
    let zero = Value::from(0);
    let or_zero = |value: Option<&Value>, other: Option<&Value>| {
        shown(value.or(other.filter(|other| other.is_number()).map(|_| &zero)))
    };
    format!("{path}: decided {}, written {}", or_zero(decided, written), or_zero(written, decided))
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

/// Fields that the API server and its admission controllers fill in when a Pod is created. A dot separates fields, `[]`
/// stands for any element.
const FILLED_IN_OF_PODS: &[&str] = &[
    "metadata.annotations.kubernetes.io/limit-ranger",
    "spec.containers[].resources",
    "spec.containers[].volumeMounts",
    "spec.enableServiceLinks",
    "spec.imagePullSecrets",
    "spec.initContainers[].resources",
    "spec.initContainers[].volumeMounts",
    "spec.nodeSelector",
    "spec.overhead",
    "spec.preemptionPolicy",
    "spec.priority",
    "spec.priorityClassName",
    "spec.serviceAccount",
    "spec.serviceAccountName",
    "spec.tolerations",
    "spec.volumes",
];

/// The same for Jobs; a CronJob's template has no defaults of its own for them.
const FILLED_IN_OF_JOBS: &[&str] = &[
    "metadata.labels.batch.kubernetes.io/controller-uid",
    "metadata.labels.batch.kubernetes.io/job-name",
    "metadata.labels.controller-uid",
    "metadata.labels.job-name",
    "spec.backoffLimit",
    "spec.completionMode",
    "spec.completions",
    "spec.manualSelector",
    "spec.parallelism",
    "spec.podReplacementPolicy",
    "spec.selector",
    "spec.suspend",
    "spec.template.metadata.labels.batch.kubernetes.io/controller-uid",
    "spec.template.metadata.labels.batch.kubernetes.io/job-name",
    "spec.template.metadata.labels.controller-uid",
    "spec.template.metadata.labels.job-name",
];

/// The same for objects of any kind.
const FILLED_IN: &[&str] = &[
    "apiVersion",
    "kind",
    "metadata.creationTimestamp",
    "metadata.generation",
    "metadata.managedFields",
    "metadata.name",
    "metadata.namespace",
    "metadata.resourceVersion",
    "metadata.uid",
    "status",
];

/// How a Pod that was created differs from what was decided: everything decided must be there, and nothing else but what
/// the API server fills in. Lists may go on where the server adds to them.
pub(super) fn created_pod(decided: &Value, written: &Value) -> Vec<String> {
    created(decided, written, FILLED_IN_OF_PODS)
}

/// The same of a Job.
pub(super) fn created_job(decided: &impl Serialize, written: &Value) -> Vec<String> {
    match serde_json::to_value(decided) {
        Ok(decided) => {
            let mut found = created(&decided, written, FILLED_IN_OF_JOBS);
            let name = |job: &Value| job.pointer("/metadata/name").cloned();
            compare("metadata.name", name(&decided).as_ref(), name(written).as_ref(), &mut found);
            found
        }
        Err(error) => vec![error.to_string()],
    }
}

fn created(decided: &Value, written: &Value, filled_in: &[&str]) -> Vec<String> {
    let mut comparison = Creation { filled_in, found: Vec::new() };
    comparison.compare("", "", Some(decided), Some(written));
    comparison.found
}

struct Creation<'a> {
    filled_in: &'a [&'a str],
    found: Vec<String>,
}

impl Creation<'_> {
    /// `pattern` is the path without numbers.
    fn compare(&mut self, path: &str, pattern: &str, decided: Option<&Value>, written: Option<&Value>) {
        let decided = decided.filter(|value| !is_empty(value));
        let written = written.filter(|value| !is_empty(value));
        let inner = |outer: &str, field: &str| match outer {
            "" => field.to_owned(),
            outer => format!("{outer}.{field}"),
        };
        let nothing = Map::new();
        match (decided, written) {
            (decided, written) if decided == written => {}
            _ if FILLED_IN.contains(&pattern) => {}
            (None, Some(_)) if self.is_filled_in(pattern) => {}
            (None | Some(Value::Object(_)), Some(Value::Object(written))) => {
                let decided = decided.and_then(Value::as_object).unwrap_or(&nothing);
                let added = written.keys().filter(|key| !decided.contains_key(*key));
                for key in decided.keys().chain(added) {
                    self.compare(&inner(path, key), &inner(pattern, key), decided.get(key), written.get(key));
                }
            }
            (Some(Value::Array(a)), Some(Value::Array(b)))
                if a.len() == b.len() || (a.len() < b.len() && self.is_filled_in(pattern)) =>
            {
                for (place, (a, b)) in a.iter().zip(b).enumerate() {
                    self.compare(&format!("{path}[{place}]"), &format!("{pattern}[]"), Some(a), Some(b));
                }
            }
            _ => self.found.push(difference(path, decided, written)),
        }
    }

    fn is_filled_in(&self, pattern: &str) -> bool {
        // The API version of a field reference is defaulted wherever there is one.
        self.filled_in.contains(&pattern) || pattern.ends_with(".fieldRef.apiVersion")
    }
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
        let written = json!({"failed": 2, "conditions": [{"reason": "B"}], "note": "x"});
        assert_eq!(
            between("status", &decided, &written),
            [
                "status.active: decided 2, written 0",
                "status.conditions[0].reason: decided A, written B",
                "status.failed: decided 1, written 2",
                "status.note: decided nothing, written x",
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
        assert_eq!(created_pod(&decided, &written), [""; 0]);
        written["metadata"]["labels"]["x"] = json!("y");
        written["spec"]["volumes"] = json!([]);
        assert_eq!(
            created_pod(&decided, &written),
            [
                "metadata.labels.x: decided nothing, written y",
                "spec.volumes: decided [{\"name\":\"v\"}], written nothing",
            ]
        );
    }
}
