//! Patches: JSON merge, and what of a Pod can be patched.

use crate::World;
use crate::object::{Phase, Pod, PodId};
use crate::store::{ApiError, ObjectKey};
use crate::typed::typed;
use policy_core::Timestamp;
use policy_core::spec::OwnerReference;
use serde_json::{Map, Value};

/// Merges a patch into a value (RFC 7396).
pub(super) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(target) = target.as_object_mut() else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

/// Patches a Pod's labels, finalizers, owners, and its status: phase, reason, conditions.
pub(super) fn patch_pod(world: &mut World, key: &ObjectKey, patch: &Value) -> Result<(), ApiError> {
    let id = world.store.pod_id(&key.namespace, &key.name)?;
    refuse_other_fields(world, id, patch)?;
    let metadata = &patch["metadata"];
    let owners: Option<Vec<OwnerReference>> = match &metadata["ownerReferences"] {
        Value::Null if metadata.get("ownerReferences").is_some() => Some(Vec::new()),
        Value::Null => None,
        owners => Some(typed(owners).map_err(|error| {
            ApiError::bad_request(format!("metadata.ownerReferences cannot be read: {error}"))
        })?),
    };
    let phase = patch["status"]["phase"].as_str().map(phase_of).transpose()?;
    let reason = patch["status"]["reason"].as_str().map(reason_of).transpose()?;
    let now = world.now;
    world.store.update_pod(id, |pod| {
        let mut changed = patch_labels(pod, &metadata["labels"]);
        changed |= patch_finalizers(pod, metadata);
        if let Some(owners) = owners.filter(|owners| **owners != *pod.owners) {
            pod.owners = owners.into();
            changed = true;
        }
        if let Some(phase) = phase.filter(|phase| *phase != pod.phase) {
            pod.phase = phase;
            changed = true;
        }
        if let Some(reason) = reason.filter(|reason| *reason != pod.reason) {
            pod.reason = reason;
            changed = true;
        }
        patch_conditions(pod, &patch["status"]["conditions"], now) || changed
    });
    world.store.remove_if_done(id);
    Ok(())
}

/// Refuses what would be lost without a word.
fn refuse_other_fields(world: &World, id: PodId, patch: &Value) -> Result<(), ApiError> {
    let known = [
        ("", &["apiVersion", "kind", "metadata", "spec", "status"][..]),
        (
            "metadata",
            &["name", "namespace", "uid", "resourceVersion", "labels", "finalizers", "ownerReferences"],
        ),
        ("status", &["phase", "reason", "conditions"]),
    ];
    for (part, fields) in known {
        let object = if part.is_empty() { patch } else { &patch[part] };
        for field in object.as_object().into_iter().flatten().map(|(field, _)| field) {
            if !fields.contains(&field.as_str()) {
                let dot = if part.is_empty() { "" } else { "." };
                let message = format!("`{part}{dot}{field}` of a Pod cannot be patched in this cluster");
                return Err(ApiError::bad_request(message));
            }
        }
    }
    let Some(pod) = world.store.pod(id) else { return Ok(()) };
    if let Some(version) = patch["metadata"]["resourceVersion"].as_str()
        && version != pod.resource_version.to_string()
    {
        return Err(ApiError::conflict("pods", &pod.name));
    }
    let mut spec = pod.base.spec.clone();
    merge(&mut spec, patch.get("spec").unwrap_or(&Value::Object(Map::new())));
    if spec != pod.base.spec {
        let error =
            "spec: Forbidden: pod updates may not change fields other than the metadata here".to_owned();
        return Err(ApiError::invalid("Pod", &pod.name, &[error]));
    }
    Ok(())
}

fn patch_labels(pod: &mut Pod, labels: &Value) -> bool {
    let mut changed = false;
    for (key, value) in labels.as_object().into_iter().flatten() {
        let value = value.as_str();
        if pod.labels().get(key).map(String::as_str) != value {
            let others = pod.own_labels.iter().filter(|(known, _)| **known != **key).cloned();
            let new = (key.as_str().into(), value.map(Into::into));
            pod.own_labels = others.chain([new]).collect();
            changed = true;
        }
    }
    changed
}

fn patch_finalizers(pod: &mut Pod, metadata: &Value) -> bool {
    let Some(finalizers) = metadata.get("finalizers") else { return false };
    let wanted = finalizers.as_array().into_iter().flatten().filter_map(Value::as_str);
    let wanted: Vec<_> = wanted.map(Into::into).collect();
    let changed = pod.finalizers != wanted;
    pod.finalizers = wanted;
    changed
}

fn patch_conditions(pod: &mut Pod, conditions: &Value, now: Timestamp) -> bool {
    let mut changed = false;
    for condition in conditions.as_array().into_iter().flatten() {
        let text = |field: &str| condition[field].as_str().unwrap_or_default();
        let status = match text("status") {
            "True" => "True",
            "False" => "False",
            _ => "Unknown",
        };
        changed |= pod.set_condition(text("type"), status, text("reason"), text("message"), now);
    }
    changed
}

fn phase_of(text: &str) -> Result<Phase, ApiError> {
    let phases = [Phase::Pending, Phase::Running, Phase::Succeeded, Phase::Failed, Phase::Unknown];
    let known = phases.into_iter().find(|phase| phase.as_str() == text);
    known.ok_or_else(|| ApiError::bad_request(format!("status.phase: Unsupported value: \"{text}\"")))
}

/// Reasons that a kubelet or controller gives.
fn reason_of(text: &str) -> Result<&'static str, ApiError> {
    const REASONS: [&str; 8] = [
        "",
        "Evicted",
        "NodeLost",
        "NodeAffinity",
        "NodeShutdown",
        "Terminated",
        "DeadlineExceeded",
        "Preempting",
    ];
    let known = REASONS.into_iter().find(|reason| *reason == text);
    known.ok_or_else(|| ApiError::bad_request(format!("status.reason: Unsupported value: \"{text}\"")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nulls_remove_and_objects_merge() {
        let mut value = json!({"a": {"b": 1, "c": 2}, "d": [1]});
        merge(&mut value, &json!({"a": {"b": null, "e": {"f": null, "g": 3}}, "d": [2]}));
        assert_eq!(value, json!({"a": {"c": 2, "e": {"g": 3}}, "d": [2]}));
    }
}
