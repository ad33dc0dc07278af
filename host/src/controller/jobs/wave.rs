//! Carries out a wave: its events, what is expected of it, and its calls, side by side.

use super::super::Controller;
use super::super::objects::RawObject;
use super::{COMPONENT, Context, calls, not_made};
use policy_core::job::Call;
use policy_core::step::{Outcome, Wave};
use std::sync::Arc;
use tokio::task::JoinSet;

/// A sync under way.
pub(super) struct Run {
    pub(super) context: Arc<Context>,
    /// The Job on whose version the status is written.
    pub(super) raw: Arc<RawObject>,
}

/// Carries out a wave. `None` if nothing more may be done: the lease may be another's, or the process ends.
pub(super) async fn carry_out(
    controller: &Arc<Controller>,
    run: &mut Run,
    wave: Wave<Call>,
) -> Option<Vec<Outcome>> {
    if !controller.may_write() {
        return None;
    }
    controller.recorder.publish(COMPONENT, &run.context.subject, wave.events);
    {
        let mut state = controller.state();
        let entry = state.jobs.get_mut(&run.context.key);
        if let Some(entry) = entry.filter(|entry| entry.uid() == Some(&run.context.uid)) {
            entry.memory.expect(&wave.expect, &wave.calls, controller.clock.wall());
        }
    }
    let mut outcomes = vec![not_made(); wave.calls.len()];
    let mut under_way = JoinSet::new();
    for (place, call) in wave.calls.into_iter().enumerate() {
        if let Call::WriteStatus(status) = call {
            // The version that it leaves is the one that the next write of this sync is made on.
            let outcome = calls::write_status(controller, run, &status).await;
            set(&mut outcomes, place, outcome);
            continue;
        }
        let (controller, context) = (controller.clone(), run.context.clone());
        under_way.spawn(async move { (place, calls::make(&controller, &context, &call).await) });
    }
    while let Some(joined) = under_way.join_next().await {
        // A task that did not come to its end leaves the outcome of a call that was not made.
        if let Ok((place, outcome)) = joined {
            set(&mut outcomes, place, outcome);
        }
    }
    (!controller.is_stopping()).then_some(outcomes)
}

fn set(outcomes: &mut [Outcome], place: usize, outcome: Outcome) {
    if let Some(slot) = outcomes.get_mut(place) {
        *slot = outcome;
    }
}
