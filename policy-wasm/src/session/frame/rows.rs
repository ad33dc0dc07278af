//! Nodes and queues of a frame.

use policy_sim::{NodeView, QueueView};
use serde_json::{Value, json};

pub(super) fn node(view: &NodeView) -> Value {
    let NodeView { name, ready, cordoned, pods, pod_capacity, .. } = view;
    json!({ "name": name, "ready": ready, "cordoned": cordoned, "pods": pods, "podCapacity": pod_capacity })
}

pub(super) fn queue(view: &QueueView) -> Value {
    let texts =
        |items: &[std::sync::Arc<str>]| items.iter().map(|item| Value::from(&**item)).collect::<Vec<_>>();
    json!({
        "name": view.name,
        "ready": texts(&view.ready),
        "taken": texts(&view.taken),
        "waiting": view.waiting,
    })
}
