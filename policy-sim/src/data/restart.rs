//! Restarts of containers, with pauses that double (`doBackOff`).

use super::nodes::millis;
use super::run::Activity;
use super::status::report;
use super::{Due, Of, images};
use crate::World;
use crate::object::{PodId, State};
use policy_core::seconds_to_nanos;

/// The first pause (upstream `backOffPeriod`).
pub(crate) const FIRST_PAUSE_SECONDS: i64 = 10;
/// The longest (upstream `MaxContainerBackOff`).
pub(crate) const LONGEST_PAUSE_SECONDS: i64 = 300;
/// A container that has run for longer than this since its last restart starts with the first pause again.
pub(crate) const FORGIVEN_AFTER_SECONDS: i64 = 2 * LONGEST_PAUSE_SECONDS;

/// A container that is to be restarted has ended: the first time at once, then after a pause.
pub(super) fn ended(world: &mut World, id: PodId, index: usize) {
    let now = world.now;
    let Some(container) = world.data.container_mut(id, index) else { return };
    let Some(finished) = container.ended.and_then(|ended| ended.finished_at) else { return };
    let forgiven = seconds_to_nanos(FORGIVEN_AFTER_SECONDS);
    let pause = container.back_off.filter(|(_, since)| finished.nanos_since(*since) <= forgiven);
    let Some((pause, _)) = pause else {
        container.back_off = Some((seconds_to_nanos(FIRST_PAUSE_SECONDS), now));
        return images::prepare(world, id, index);
    };
    container.go(Activity::BackOff);
    let of = Of { pod: id, container: index, turn: container.turn };
    world.plan_data(now.plus_nanos(millis(world.config.timing.notice_millis)), Due::CrashLoop(of));
    world.plan_data(finished.plus_nanos(pause).max(now), Due::Restart(of));
}

/// The kubelet looks again and shows that the container waits to be restarted.
pub(super) fn show(world: &mut World, of: Of) {
    let Some(container) = world.data.container_at(of) else { return };
    container.status.last = container.ended.map(Box::new);
    container.status.state = State::Waiting("CrashLoopBackOff");
    report(world, of.pod);
    if let Some(pod) = world.store.pod(of.pod) {
        let name = pod.base.containers.get(of.container).map(|c| c.name.clone()).unwrap_or_default();
        let pod_text = format!("{}_{}({})", pod.name, pod.namespace, pod.uid);
        let message = format!("Back-off restarting failed container {name} in pod {pod_text}");
        world.kubelet_warning(of.pod, "BackOff", message);
    }
}

/// The pause is over.
pub(super) fn back_off_over(world: &mut World, of: Of) {
    let now = world.now;
    let Some(container) = world.data.container_at(of).filter(|c| c.activity == Activity::BackOff) else {
        return;
    };
    let longest = seconds_to_nanos(LONGEST_PAUSE_SECONDS);
    container.back_off = container.back_off.map(|(pause, _)| (pause.saturating_mul(2).min(longest), now));
    images::prepare(world, of.pod, of.container);
}
