//! Images: pulls, what a node has already, and failures with growing pauses.

use super::nodes::millis;
use super::plan::Pull;
use super::run::Activity;
use super::status::report;
use super::{Due, Of, kubelet};
use crate::World;
use crate::object::{PodId, State};
use policy_core::{Timestamp, seconds_to_nanos};

/// The first pause after a failed pull (upstream `imageBackOffPeriod`).
const FIRST_PAUSE_SECONDS: i64 = 10;
/// The longest (upstream `MaxImageBackOff`).
const LONGEST_PAUSE_SECONDS: i64 = 300;

/// Makes sure that a container's image is there, and creates the container when it is (`EnsureImageExists`).
pub(super) fn prepare(world: &mut World, id: PodId, index: usize) {
    let Some(asked) = Asked::of(world, id, index) else { return };
    let Some(image) =
        world.config.images.get(&asked.image).filter(|i| i.pull_millis > 0 || i.error.is_some())
    else {
        present(world, id, &asked.image);
        return kubelet::create(world, id, index);
    };
    let (pull_millis, fails) = (image.pull_millis, image.error.is_some());
    let now = world.now;
    let node = world.data.nodes.get_mut(asked.node);
    let there = node.as_ref().and_then(|node| node.images.get(&asked.image)).copied();
    let at = match (there, asked.pull) {
        (Some(at), Pull::IfNotPresent | Pull::Never) if at <= now => {
            present(world, id, &asked.image);
            return kubelet::create(world, id, index);
        }
        (_, Pull::Never) => return never_there(world, id, index, &asked.image),
        // Another Pod's pull of the same image is waited for; layers that are there already take no time.
        (Some(at), _) => at.max(now),
        (None, _) => now.plus_nanos(millis(pull_millis)),
    };
    if !fails && let Some(node) = node {
        node.images.insert(asked.image.clone(), at);
    }
    world.kubelet_event(id, "Pulling", format!("Pulling image \"{}\"", asked.image));
    let Some(container) = world.data.container_mut(id, index) else { return };
    container.go(Activity::Pulling);
    container.pull_began = now;
    let of = Of { pod: id, container: index, turn: container.turn };
    world.plan_data(at, Due::Pulled(of));
}

impl World {
    /// From now on an image cannot be pulled, and nodes have lost it; containers that run go on.
    pub fn break_image(&mut self, image: &str, error: &str) {
        let config = self.config.images.entry(image.to_owned()).or_default();
        config.error = Some(error.to_owned());
        for node in &mut self.data.nodes {
            node.images.remove(image);
        }
    }

    /// From now on it can be pulled again.
    pub fn repair_image(&mut self, image: &str) {
        if let Some(config) = self.config.images.get_mut(image) {
            config.error = None;
        }
    }
}

/// What is asked of which node.
struct Asked {
    node: usize,
    image: String,
    pull: Pull,
}

impl Asked {
    fn of(world: &World, id: PodId, index: usize) -> Option<Self> {
        let image = world.store.pod(id)?.base.containers.get(index)?.image.clone();
        let run = world.data.run(id)?;
        Some(Asked { node: run.node?, image, pull: run.plan.containers.get(index)?.pull })
    }
}

fn present(world: &mut World, id: PodId, image: &str) {
    let message =
        format!("Container image \"{image}\" already present on machine and can be accessed by the pod");
    world.kubelet_event(id, "Pulled", message);
}

/// The image may not be pulled and is not there.
fn never_there(world: &mut World, id: PodId, index: usize, image: &str) {
    let message = format!("Container image \"{image}\" is not present with pull policy of Never");
    world.kubelet_warning(id, "ErrImageNeverPull", message);
    world.kubelet_warning(id, "Failed", "Error: ErrImageNeverPull".into());
    wait(world, id, index, "ErrImageNeverPull");
}

fn wait(world: &mut World, id: PodId, index: usize, reason: &'static str) -> Option<Of> {
    let container = world.data.container_mut(id, index)?;
    container.go(Activity::Pulling);
    container.status.state = State::Waiting(reason);
    // A container that is restarted keeps showing how it ended.
    container.status.last = container.ended.map(Box::new).or(container.status.last.take());
    let turn = container.turn;
    report(world, id);
    Some(Of { pod: id, container: index, turn })
}

/// A pull is over.
pub(super) fn pulled(world: &mut World, of: Of) {
    let Some(began) = world.data.container_at(of).map(|c| c.pull_began) else { return };
    let Some(asked) = Asked::of(world, of.pod, of.container) else { return };
    let image = world.config.images.get(&asked.image);
    match image.and_then(|image| image.error.clone()) {
        Some(error) => failed(world, of, &asked.image, &error),
        None => {
            let size = image.map_or(0, |image| image.size_bytes);
            let took = go_duration(world.now, began);
            let message = format!(
                "Successfully pulled image \"{}\" in {took} ({took} including waiting). Image size: {size} bytes.",
                asked.image
            );
            world.kubelet_event(of.pod, "Pulled", message);
            kubelet::create(world, of.pod, of.container);
        }
    }
}

/// A span as Go prints it when it is cut to milliseconds: `850ms`, `1.2s`.
fn go_duration(until: Timestamp, since: Timestamp) -> String {
    let millis = until.nanos_since(since) / 1_000_000;
    match (millis / 60_000, millis % 60_000) {
        (0, 0) => "0s".into(),
        (0, millis @ ..1_000) => format!("{millis}ms"),
        (0, millis) => format!("{}s", millis as f64 / 1_000.0),
        (minutes, millis) => format!("{minutes}m{}s", millis as f64 / 1_000.0),
    }
}

/// A pull has failed: `ErrImagePull`, soon shown as `ImagePullBackOff`, and tried again after a pause that doubles.
fn failed(world: &mut World, of: Of, image: &str, error: &str) {
    let message = format!("Failed to pull image \"{image}\": {error}");
    world.kubelet_warning(of.pod, "Failed", message);
    world.kubelet_warning(of.pod, "Failed", "Error: ErrImagePull".into());
    let Some(of) = wait(world, of.pod, of.container, "ErrImagePull") else { return };
    let Some(container) = world.data.container_at(of) else { return };
    let doublings = container.pull_failures.min(5);
    container.pull_failures += 1;
    let pause = seconds_to_nanos((FIRST_PAUSE_SECONDS << doublings).min(LONGEST_PAUSE_SECONDS));
    let notice = millis(world.config.timing.pull_notice_millis).min(pause);
    world.plan_data(world.now.plus_nanos(notice), Due::PullBackOff(of));
    world.plan_data(world.now.plus_nanos(pause), Due::PullAgain(of));
}

/// The kubelet looks at the container again and finds that it must wait.
pub(super) fn back_off(world: &mut World, of: Of) {
    let Some(container) = world.data.container_at(of) else { return };
    container.status.state = State::Waiting("ImagePullBackOff");
    let Some(asked) = Asked::of(world, of.pod, of.container) else { return };
    world.kubelet_event(of.pod, "BackOff", format!("Back-off pulling image \"{}\"", asked.image));
    world.kubelet_warning(of.pod, "Failed", "Error: ImagePullBackOff".into());
    report(world, of.pod);
}

/// The pause is over.
pub(super) fn pull_again(world: &mut World, of: Of) {
    if world.data.container_at(of).is_some() {
        prepare(world, of.pod, of.container);
    }
}
