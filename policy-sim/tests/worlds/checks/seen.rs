//! What checkers see of Pods.

use policy_core::Timestamp;
use policy_core::job::{Claim, Phase, PodFacts};
use std::sync::Arc;

/// What became of a Pod.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Fate {
    /// It has not ended.
    #[default]
    Alive,
    /// It succeeded.
    Succeeded,
    /// It failed.
    Failed,
}

impl Fate {
    pub(crate) fn of(phase: Phase) -> Self {
        match phase {
            Phase::Succeeded => Fate::Succeeded,
            Phase::Failed => Fate::Failed,
            _ => Fate::Alive,
        }
    }
}

/// A committed version of a Pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct PodSeen {
    pub(crate) uid: Arc<str>,
    /// The UID of its controller.
    pub(crate) controller: Option<String>,
    /// Whether it carries the tracking finalizer.
    pub(crate) tracked: bool,
    pub(crate) fate: Fate,
    pub(crate) deleting: bool,
    pub(crate) ready: bool,
    pub(crate) index: Option<i64>,
    /// The exit code of its first container that ended badly.
    pub(crate) exit_code: Option<i32>,
    /// Whether it has the condition DisruptionTarget.
    pub(crate) disrupted: bool,
    /// Whether it had that condition when it ended.
    pub(crate) disrupted_at_end: bool,
    /// Restarts of its containers.
    pub(crate) restarts: i32,
    /// Whether the Job's selector matches it.
    pub(crate) selected: bool,
    /// Whether it is gone from the store; the rest is as it was last.
    pub(crate) gone: bool,
}

impl PodSeen {
    pub(crate) fn is_of(&self, job_uid: &str) -> bool {
        self.controller.as_deref() == Some(job_uid)
    }

    /// There, not ended and not asked to end.
    pub(crate) fn is_active(&self) -> bool {
        self.fate == Fate::Alive && !self.deleting && !self.gone
    }

    /// There, not ended and asked to end.
    pub(crate) fn is_terminating(&self) -> bool {
        self.fate == Fate::Alive && self.deleting && !self.gone
    }
}

/// A Pod as a sync is shown it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ViewedPod {
    pub(crate) uid: Arc<str>,
    pub(crate) fate: Fate,
    pub(crate) deleting: bool,
    pub(crate) tracked: bool,
    /// Owned, or to be adopted.
    pub(crate) claimed: bool,
    pub(crate) index: i64,
    pub(crate) finished_at: Timestamp,
}

impl ViewedPod {
    pub(crate) fn new(facts: &PodFacts, job_deleting: bool) -> Self {
        let adopted = facts.claim == Claim::Orphan && !facts.deleting && !job_deleting;
        ViewedPod {
            uid: facts.pod.uid().into(),
            fate: Fate::of(facts.phase),
            deleting: facts.deleting,
            tracked: facts.has_finalizer || adopted && !facts.references_job,
            claimed: facts.claim == Claim::Owned || adopted,
            index: facts.index,
            finished_at: facts.finished_at,
        }
    }

    pub(crate) fn is_active(&self) -> bool {
        self.fate == Fate::Alive && !self.deleting
    }
}
