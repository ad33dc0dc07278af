//! Why the status has to be written.

use crate::explain::Rule;

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
