//! The stages of a decision: headings under which rules are shown.

use super::Rule;

/// The first rule of each stage; rules are declared in the order in which the controllers come to them.
const STAGES: [(Rule, &str); 15] = [
    (Rule::OwnWritesNotSeenYet, "whether to decide"),
    (Rule::PodReleased, "claiming Pods"),
    (Rule::PodFailurePolicyRuleMatched, "counting Pods"),
    (Rule::SuccessCriteriaAlreadyMet, "whether the Job is to end"),
    (Rule::ExpectationsUnsatisfied, "creating and deleting Pods"),
    (Rule::CompletionsReached, "whether the Job is complete or suspended"),
    (Rule::ActiveCountChanged, "recording Pods in the status"),
    (Rule::FinalizerKeptForIndex, "removing finalizers"),
    (Rule::EndWaitsForUncountedPods, "declaring the end"),
    (Rule::TtlDoesNotApply, "time to live"),
    (Rule::OrphanOfAnotherKind, "finalizers of orphans"),
    (Rule::SuccessfulJobsHistoryLimit, "cleaning up"),
    (Rule::ChildNotInActiveList, "following Jobs"),
    (Rule::CronJobDeleting, "whether a run is due"),
    (Rule::ForbidConcurrent, "starting a run"),
];

impl Rule {
    /// The stage of its decision to which the rule belongs, in words for people.
    ///
    /// ```
    /// use policy_core::explain::Rule;
    /// assert_eq!(Rule::CreationWaitsForBackoff.stage(), "creating and deleting Pods");
    /// ```
    pub fn stage(self) -> &'static str {
        STAGES.iter().rev().find(|(first, _)| *first <= self).map_or("", |(_, stage)| stage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_in_order_and_within_one_domain() {
        assert!(STAGES.is_sorted_by_key(|(first, _)| *first));
        for pair in Rule::ALL.windows(2) {
            let (before, after) = (pair[0], pair[1]);
            assert!(before.domain() == after.domain() || before.stage() != after.stage(), "{before} {after}");
            assert!(!before.stage().is_empty());
        }
    }
}
