//! The success policy of an Indexed Job (`validateSuccessPolicy`).

use super::error::Errors;
use super::field::Field;
use super::{indexes, names};
use alloc::format;

/// `maxSuccessPolicyRule`.
const MAX_RULES: usize = 20;
/// `maxJobSuccessPolicySucceededIndexesLimit`, in bytes.
const MAX_SUCCEEDED_INDEXES: usize = 64 * 1024;

/// Checks the rules against the number of completions.
///
/// Without completions upstream dereferences nil in `validateSuccessPolicyRule`, and the request ends in a
/// panic. Here that is the error that completions are required, which is reported already; what would need them
/// is not checked.
pub(super) fn success_policy(policy: &Field<'_, '_>, completions: Option<i64>, errors: &mut Errors) {
    let rules = policy.child("rules");
    if rules.items_len() == 0 {
        errors.required(&rules, "at least one rules must be specified when the successPolicy is specified");
    }
    if rules.items_len() > MAX_RULES {
        errors.too_many(&rules, MAX_RULES);
    }
    for rule in rules.items() {
        let (indexes, count) = (rule.child("succeededIndexes"), rule.child("succeededCount"));
        if !indexes.is_set() && !count.is_set() {
            errors.required(&rule, "at least one of succeededCount or succeededIndexes must be specified");
        }
        let listed = succeeded_indexes(&indexes, completions, errors);
        succeeded_count(&count, completions, listed, errors);
    }
}

/// Checks the indexes, if set, and counts them; malformed ones count as none.
fn succeeded_indexes(indexes: &Field<'_, '_>, completions: Option<i64>, errors: &mut Errors) -> Option<i64> {
    let list = indexes.opt_text()?;
    if list.len() > MAX_SUCCEEDED_INDEXES {
        errors.too_long(indexes, MAX_SUCCEEDED_INDEXES);
    }
    match indexes::count(list, completions?) {
        Ok(count) => Some(count),
        Err(error) => {
            errors.invalid(indexes, format!("error parsing succeededIndexes: {error}"));
            Some(0)
        }
    }
}

fn succeeded_count(
    count: &Field<'_, '_>,
    completions: Option<i64>,
    listed: Option<i64>,
    errors: &mut Errors,
) {
    names::non_negative(count, errors);
    let limits = [
        (completions, "(the number of specified completions)"),
        (listed, "(the number of indexes in the specified succeededIndexes field)"),
    ];
    for (limit, what) in limits {
        if let (Some(count_value), Some(limit)) = (count.int(), limit)
            && count_value > limit
        {
            errors.invalid(count, format!("must be less than or equal to {limit} {what}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::expect_job_errors;

    #[test]
    fn rules() {
        expect_job_errors(&[
            (
                r#"{"spec":{"successPolicy":{"rules":[]},"completionMode":"Indexed","completions":3}}"#,
                &[
                    "spec.successPolicy.rules: Required value: at least one rules must be specified when the successPolicy is specified",
                ],
            ),
            (
                r#"{"spec":{"successPolicy":{"rules":[{}]},"completionMode":"Indexed","completions":3}}"#,
                &[
                    "spec.successPolicy.rules[0]: Required value: at least one of succeededCount or succeededIndexes must be specified",
                ],
            ),
            (
                r#"{"spec":{"successPolicy":{"rules":[{"succeededIndexes":"2-1"},{"succeededIndexes":"0-9"},{"succeededCount":4},{"succeededIndexes":"0-1","succeededCount":3}]},"completionMode":"Indexed","completions":3}}"#,
                &[
                    r#"spec.successPolicy.rules[0].succeededIndexes: Invalid value: "2-1": error parsing succeededIndexes: non-increasing order, previous: 2, current: 1"#,
                    r#"spec.successPolicy.rules[1].succeededIndexes: Invalid value: "0-9": error parsing succeededIndexes: too large index: "9""#,
                    "spec.successPolicy.rules[2].succeededCount: Invalid value: 4: must be less than or equal to 3 (the number of specified completions)",
                    "spec.successPolicy.rules[3].succeededCount: Invalid value: 3: must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)",
                ],
            ),
            (
                r#"{"spec":{"successPolicy":{"rules":[{"succeededIndexes":"0"}]},"completionMode":"Indexed"}}"#,
                &[],
            ),
        ]);
    }
}
