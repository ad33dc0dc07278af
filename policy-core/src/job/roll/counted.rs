//! What of a Pod is counted, and counting it in and out.

use super::ends::Ends;
use super::index_counts::IndexCounts;
use super::sorted::Sorted;
use crate::Timestamp;
use crate::job::Action;
use crate::job::census::CountRules;
use crate::job::facts::{Claim, Phase, PodFacts};
use crate::job::pod_failure_policy::counts;
use alloc::collections::BTreeMap;
use core::cmp::Ordering;

/// How a Pod that has ended, or is going, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Succeeded,
    Failed,
}

/// What is counted of a Pod.
pub(super) struct Counted {
    pub(super) claim: Claim,
    pub(super) index: i64,
    /// What sorts it for counting, before its place.
    pub(super) key: i64,
    pub(super) runs: bool,
    pub(super) active: bool,
    pub(super) terminating: bool,
    pub(super) ready: bool,
    pub(super) restarts: i32,
    pub(super) tracked: bool,
    pub(super) fails_job: bool,
    pub(super) end: Option<End>,
    pub(super) ended_at: Timestamp,
    pub(super) counts_end: bool,
    pub(super) counts: bool,
    pub(super) fails_index: bool,
}

impl Counted {
    pub(super) fn of(pod: &PodFacts, rules: &CountRules) -> Self {
        let failed = rules.is_failed(pod);
        let end = match pod.phase {
            Phase::Succeeded => Some(End::Succeeded),
            _ if failed => Some(End::Failed),
            _ => None,
        };
        let action = pod.policy_match.as_deref().map(|m| m.action);
        Counted {
            claim: pod.claim,
            index: pod.index,
            key: if rules.indexed { pod.index } else { 0 },
            runs: matches!(pod.phase, Phase::Running | Phase::Pending),
            active: pod.is_active(),
            terminating: pod.is_terminating(),
            ready: pod.ready,
            restarts: pod.restarts,
            tracked: pod.has_finalizer,
            fails_job: failed && action == Some(Action::FailJob),
            end,
            ended_at: pod.finished_at,
            counts_end: rules.counts_end(pod),
            counts: counts(pod.policy_match.as_deref()),
            fails_index: failed && rules.fails_index(pod),
        }
    }
}

/// Whether a Pod is counted in or out.
#[derive(Clone, Copy)]
pub(super) enum Change {
    In,
    Out,
}

impl Change {
    pub(super) fn sum(self, sum: &mut i32, value: i32) {
        *sum = match self {
            Change::In => sum.wrapping_add(value),
            Change::Out => sum.wrapping_sub(value),
        };
    }

    pub(super) fn number(self, number: &mut u32) {
        *number = match self {
            Change::In => number.saturating_add(1),
            Change::Out => number.saturating_sub(1),
        };
    }

    pub(super) fn index(self, indexes: &mut IndexCounts, index: i64) {
        match self {
            Change::In => indexes.add(index),
            Change::Out => indexes.remove(index),
        }
    }

    pub(super) fn end(self, ends: &mut Ends, facts: &Counted) {
        match self {
            _ if !facts.counts_end => {}
            Change::In => ends.add(facts.ended_at),
            Change::Out => ends.remove(facts.ended_at),
        }
    }

    pub(super) fn in_map(self, map: &mut BTreeMap<u64, u32>, seq: u64, slot: u32) {
        match self {
            Change::In => drop(map.insert(seq, slot)),
            Change::Out => drop(map.remove(&seq)),
        }
    }

    pub(super) fn in_list(self, list: &mut Sorted, slot: u32, order: impl Fn(u32) -> Ordering) {
        match self {
            Change::In => list.insert(slot, order),
            Change::Out => list.remove(order),
        }
    }
}
