//! The data plane: scheduler, nodes, kubelets, images, containers, DNS, queues.

use crate::World;
use crate::store::PodChange;

/// Something due in the data plane.
#[derive(Debug)]
pub(crate) enum Due {}

/// The data plane's state.
#[derive(Debug, Default)]
pub(crate) struct Data {}

/// Called once, when the world is made.
pub(crate) fn start(_world: &mut World) {}

/// Does what is due.
pub(crate) fn handle(_world: &mut World, due: Due) {
    match due {}
}

/// Takes note of a change of a Pod: new Pods are scheduled, bound Pods are run, Pods to be deleted are ended.
pub(crate) fn observe_pod(_world: &mut World, _change: &PodChange) {}
