//! What containers have printed.

use super::{Resource, not_found, pod_named};
use crate::World;
use crate::object::{Pod, State};

/// `kubectl logs POD`.
pub(super) fn text(world: &World, name: &str) -> Result<String, String> {
    let pod = pod_named(world, name).ok_or_else(|| not_found(Resource::Pods, name))?;
    match world.record.logs.get(name) {
        Some(lines) => Ok(lines.iter().map(|line| format!("{line}\n")).collect()),
        None => waiting(pod).map_or(Ok(String::new()), Err),
    }
}

/// Why there is nothing to read yet.
fn waiting(pod: &Pod) -> Option<String> {
    let mut both = pod.base.containers.iter().zip(&pod.containers).filter(|(spec, _)| !spec.init);
    let refused = |container: &str, why: &str| {
        let name = &pod.name;
        format!(
            "Error from server (BadRequest): container \"{container}\" in pod \"{name}\" is waiting to start: {why}"
        )
    };
    match both.next() {
        Some((spec, status)) => match status.state {
            State::Waiting(reason) if status.restarts == 0 => Some(refused(&spec.name, reason)),
            _ => None,
        },
        None => {
            let container = pod.base.containers.iter().find(|spec| !spec.init)?;
            Some(refused(&container.name, "ContainerCreating"))
        }
    }
}
