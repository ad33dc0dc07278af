//! The control plane: API verbs, the Job and CronJob controllers, garbage collection, TTL, users.

use crate::World;
use crate::store::PodChange;

/// Something due in the control plane.
#[derive(Debug)]
pub(crate) enum Due {}

/// The control plane's state.
#[derive(Debug, Default)]
pub(crate) struct Control {}

/// Called once, when the world is made.
pub(crate) fn start(_world: &mut World) {}

/// Does what is due.
pub(crate) fn handle(_world: &mut World, due: Due) {
    match due {}
}

/// Takes note of a change of a Pod; controllers see it after the watch's latency.
pub(crate) fn observe_pod(_world: &mut World, _change: &PodChange) {}
