//! When an Indexed Job counts as successful before all of its indexes are.

use super::indexes::Intervals;
use crate::spec::SuccessPolicy;

/// The place of the first rule that the succeeded indexes of a Job of so many `completions` satisfy (upstream
/// `matchSuccessPolicy`). A rule whose indexes are all beyond `completions`, or not readable, is skipped.
pub fn matched_rule(policy: &SuccessPolicy, completions: i64, succeeded: &Intervals) -> Option<usize> {
    if succeeded.is_empty() {
        return None;
    }
    policy.rules.iter().position(|rule| {
        let count = rule.succeeded_count.map(i64::from);
        match &rule.succeeded_indexes {
            Some(text) => {
                let required = Intervals::parse(text, completions);
                !required.is_empty() && indexes_satisfied(&required, succeeded, count)
            }
            None => count.is_some_and(|count| succeeded.total() >= count),
        }
    })
}

/// Upstream `matchSucceededIndexesRule`: all of the required indexes, or `count` of them.
fn indexes_satisfied(required: &Intervals, succeeded: &Intervals, count: Option<i64>) -> bool {
    let mut contained = 0_i64;
    let mut rules = required.as_slice().iter().peekable();
    let mut done = succeeded.as_slice().iter().peekable();
    while let (Some(rule), Some(success)) = (rules.peek(), done.peek()) {
        let (first, last) = (rule.first.max(success.first), rule.last.min(success.last));
        let overlap = last.wrapping_sub(first).wrapping_add(1);
        if overlap > 0 {
            contained = contained.wrapping_add(overlap);
        }
        let (rule_last, success_last) = (rule.last, success.last);
        if success_last <= rule_last {
            done.next();
        }
        if rule_last <= success_last {
            rules.next();
        }
    }
    contained == required.total() || count.is_some_and(|count| contained >= count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::SuccessPolicyRule;

    fn rule(indexes: Option<&str>, count: Option<i32>) -> SuccessPolicyRule {
        SuccessPolicyRule { succeeded_indexes: indexes.map(Into::into), succeeded_count: count }
    }

    #[test]
    fn rules_are_tried_in_order() {
        let done = Intervals::parse("0-2,5", 10);
        for (rules, expected) in [
            (alloc::vec![rule(Some("0-2"), None)], Some(0)),
            (alloc::vec![rule(Some("0-3"), None), rule(None, Some(4))], Some(1)),
            (alloc::vec![rule(Some("0-9"), Some(4))], Some(0)),
            (alloc::vec![rule(Some("3,4"), Some(1))], None),
            (alloc::vec![rule(Some("20-30"), Some(0)), rule(None, Some(5))], None),
            (alloc::vec![rule(None, None)], None),
        ] {
            assert_eq!(
                matched_rule(&SuccessPolicy { rules: rules.clone() }, 10, &done),
                expected,
                "{rules:?}"
            );
        }
        assert_eq!(
            matched_rule(
                &SuccessPolicy { rules: alloc::vec![rule(None, Some(0))] },
                10,
                &Intervals::default()
            ),
            None
        );
    }
}
