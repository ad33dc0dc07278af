//! Why the status has to be written.

use crate::explain::{EvidenceList, Rule};
use crate::spec::JobStatus;
use alloc::format;
use alloc::string::String;

/// Why the status has to be written. Each bit is a rule, cited when the write goes out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FlushCauses(u16);

impl FlushCauses {
    const RULES: [Rule; 14] = [
        Rule::ActiveCountChanged,
        Rule::ReadyCountChanged,
        Rule::TerminatingCountChanged,
        Rule::JobSuspendedRecorded,
        Rule::JobResumedRecorded,
        Rule::UncountedPodsSettled,
        Rule::PodSuccessRecorded,
        Rule::PodFailureRecorded,
        Rule::IndexSucceeded,
        Rule::CompletedIndexesRewritten,
        Rule::FailedIndexesRewritten,
        Rule::FailureTargetAdded,
        Rule::SuccessCriteriaAdded,
        Rule::JobEnded,
    ];

    pub(crate) fn add(&mut self, rule: Rule) {
        for (bit, known) in (0_u32..).zip(Self::RULES) {
            if known == rule {
                self.0 |= 1_u16.wrapping_shl(bit);
            }
        }
    }

    pub(crate) fn add_if(&mut self, held: bool, rule: Rule) {
        if held {
            self.add(rule);
        }
    }

    pub(crate) fn any(self) -> bool {
        self.0 != 0
    }

    pub(crate) fn rules(self) -> impl Iterator<Item = Rule> {
        let held = move |bit: u32| self.0 & 1_u16.wrapping_shl(bit) != 0;
        (0_u32..).zip(Self::RULES).filter(move |(bit, _)| held(*bit)).map(|(_, rule)| rule)
    }
}

/// What a cause is about, before the sync and as it is written.
pub(crate) fn compare(rule: Rule, before: &JobStatus, after: &JobStatus, evidence: &mut EvidenceList) {
    match rule {
        Rule::ActiveCountChanged => {
            evidence.compared("status.active", before.active, after.active);
        }
        Rule::ReadyCountChanged => {
            evidence.compared("status.ready", count(before.ready), count(after.ready));
        }
        Rule::TerminatingCountChanged => {
            evidence.compared("status.terminating", count(before.terminating), count(after.terminating));
        }
        Rule::UncountedPodsSettled => {
            evidence.compared("status.succeeded", before.succeeded, after.succeeded);
            evidence.compared("status.failed", before.failed, after.failed);
        }
        Rule::PodSuccessRecorded | Rule::PodFailureRecorded => {
            evidence.compared("status.uncountedTerminatedPods", uncounted(before), uncounted(after));
        }
        Rule::IndexSucceeded | Rule::CompletedIndexesRewritten => {
            let (before, after) = (&before.completed_indexes, &after.completed_indexes);
            evidence.compared("status.completedIndexes", indexes(Some(before)), indexes(Some(after)));
        }
        Rule::FailedIndexesRewritten => {
            let (before, after) = (before.failed_indexes.as_deref(), after.failed_indexes.as_deref());
            evidence.compared("status.failedIndexes", indexes(before), indexes(after));
        }
        _ => {
            evidence.compared("status.conditions", conditions(before), conditions(after));
        }
    }
}

fn count(count: Option<i32>) -> String {
    count.map_or("not set".into(), |count| format!("{count}"))
}

fn indexes(text: Option<&str>) -> &str {
    match text {
        None => "not set",
        Some("") => "none",
        Some(text) => text,
    }
}

fn uncounted(status: &JobStatus) -> usize {
    let lists = status.uncounted_terminated_pods.as_ref();
    lists.map_or(0, |lists| lists.succeeded.len().saturating_add(lists.failed.len()))
}

fn conditions(status: &JobStatus) -> String {
    let mut text = String::new();
    for condition in &status.conditions {
        text.push_str(if text.is_empty() { "" } else { " " });
        text.push_str(&format!("{}={}", condition.kind, condition.status));
    }
    if text.is_empty() { "none".into() } else { text }
}
