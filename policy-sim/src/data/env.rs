//! Environment variables, and texts that name them.

use super::plan::EnvValue;
use super::{Of, dns, script};
use crate::World;
use crate::object::Pod;

/// A text with `${NAME}` replaced: `POD`, `INDEX`, `ITEM` and `NOW`, else an environment variable; what is not set is
/// empty, as in a shell.
///
/// A downward API volume is simplified to `${INDEX}`: its file holds what the variable holds.
pub(super) fn expand(world: &World, of: Of, text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            out.push_str("${");
            out.push_str(after);
            return out;
        };
        out.push_str(&value(world, of, name).unwrap_or_default());
        rest = after;
    }
    out.push_str(rest);
    out
}

fn value(world: &World, of: Of, name: &str) -> Option<String> {
    let pod = world.store.pod(of.pod)?;
    match name {
        "POD" => Some(pod.name.to_string()),
        "INDEX" => pod.index.map(|index| index.to_string()),
        "ITEM" => script::item(world, of).map(|item| item.to_string()),
        "NOW" => Some(world.now.datetime().format("%a %b %e %H:%M:%S UTC %Y").to_string()),
        _ => variable(world, pod, of, name),
    }
}

fn variable(world: &World, pod: &Pod, of: Of, name: &str) -> Option<String> {
    let plan = world.data.run(of.pod)?.plan.clone();
    let env = plan.containers.get(of.container).map_or(&[][..], |container| &container.env);
    // Of several entries with one name, the last counts.
    if let Some((_, value)) = env.iter().rev().find(|(key, _)| key == name) {
        return match value {
            EnvValue::Text(text) => Some(text.clone()),
            EnvValue::Field(path) => field(pod, path),
        };
    }
    match name {
        "JOB_COMPLETION_INDEX" => pod.index.map(|index| index.to_string()),
        "HOSTNAME" => Some(dns::hostname(pod, &plan)),
        _ => dns::service_variable(world, &pod.namespace, name),
    }
}

/// A field by the downward API.
fn field(pod: &Pod, path: &str) -> Option<String> {
    let keyed = |prefix: &str| {
        let inner = path.strip_prefix(prefix)?.strip_suffix("']")?;
        Some(inner.to_string())
    };
    if let Some(key) = keyed("metadata.annotations['") {
        return pod.annotations().remove(&key);
    }
    if let Some(key) = keyed("metadata.labels['") {
        return pod.labels().remove(&key);
    }
    match path {
        "metadata.name" => Some(pod.name.to_string()),
        "metadata.namespace" => Some(pod.namespace.to_string()),
        "metadata.uid" => Some(pod.uid.to_string()),
        "spec.nodeName" => pod.node.as_deref().map(String::from),
        _ => None,
    }
}
