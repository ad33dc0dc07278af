//! How far Pods have got: the ones that have got the least far are deleted first.

use super::facts::{Phase, PodFacts};
use crate::Timestamp;
use core::cmp::{Ordering, Reverse};

/// The Pod that has got less far comes first (upstream `ActivePods`).
pub(crate) fn by_progress(a: &PodFacts, b: &PodFacts) -> Ordering {
    let ready_at =
        |pod: &PodFacts| if a.ready && b.ready { latest_first(pod.ready_at) } else { latest_first(None) };
    (a.assigned.cmp(&b.assigned))
        .then_with(|| phase_ordinal(a.phase).cmp(&phase_ordinal(b.phase)))
        .then_with(|| a.ready.cmp(&b.ready))
        .then_with(|| ready_at(a).cmp(&ready_at(b)))
        .then_with(|| b.max_restarts.cmp(&a.max_restarts))
        .then_with(|| b.max_sidecar_restarts.cmp(&a.max_sidecar_restarts))
        .then_with(|| latest_first(a.created_at).cmp(&latest_first(b.created_at)))
}

/// Upstream `afterOrZero`: unset first, then the latest.
fn latest_first(time: Option<Timestamp>) -> Option<Reverse<Timestamp>> {
    time.map(Reverse)
}

/// Upstream `podPhaseToOrdinal`; phases it does not name count as Pending.
fn phase_ordinal(phase: Phase) -> u8 {
    match phase {
        Phase::Running => 2,
        Phase::Unknown => 1,
        _ => 0,
    }
}
