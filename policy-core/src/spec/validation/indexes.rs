//! Lists of completion indexes like `0,2-4` (`validateIndexesFormat` and its kin).

use crate::cron::go_text::quote;
use alloc::format;
use alloc::string::String;

/// One part of a list: its first and last index.
type Interval = (i64, i64);

/// Checks a list against the number of completions and counts its indexes.
///
/// # Errors
/// Upstream's words.
pub(super) fn count(list: &str, completions: i64) -> Result<i64, String> {
    let mut last: Option<i64> = None;
    let mut total: i64 = 0;
    if list.is_empty() {
        return Ok(0);
    }
    for part in list.split(',') {
        let (first, end) = interval(part, completions)?;
        if let Some(last) = last.filter(|last| *last >= first) {
            return Err(format!("non-increasing order, previous: {last}, current: {first}"));
        }
        total = total.saturating_add(end.saturating_sub(first)).saturating_add(1);
        last = Some(end);
    }
    Ok(total)
}

/// Checks that no failed index is a completed one, too; parts that cannot be read are passed over.
///
/// # Errors
/// Upstream's words, naming the first common index.
pub(super) fn disjoint(completed: &str, failed: &str, completions: i64) -> Result<(), String> {
    if completed.is_empty() || failed.is_empty() {
        return Ok(());
    }
    let readable = |list: &'_ str| -> alloc::vec::Vec<Interval> {
        list.split(',').filter_map(|part| interval(part, completions).ok()).collect()
    };
    let (completed, failed) = (readable(completed), readable(failed));
    let (mut completed, mut failed) = (completed.iter().peekable(), failed.iter().peekable());
    while let (Some(&&(c_first, c_last)), Some(&&(f_first, f_last))) = (completed.peek(), failed.peek()) {
        if c_first <= f_last && f_first <= c_last {
            let common = c_first.max(f_first);
            return Err(format!("failedIndexes and completedIndexes overlap at index: {common}"));
        }
        if c_first <= f_first {
            completed.next()
        } else {
            failed.next()
        };
    }
    Ok(())
}

/// `parseIndexInterval`.
fn interval(part: &str, completions: i64) -> Result<Interval, String> {
    let (first, last) = match part.split_once('-') {
        None => (part, None),
        Some((_, last)) if last.contains('-') => {
            return Err(format!(
                "the fragment {} violates the requirement that an index interval can have at most two parts separated by '-'",
                quote(part)
            ));
        }
        Some((first, last)) => (first, Some(last)),
    };
    let first = index(first, completions)?;
    let Some(last) = last else { return Ok((first, first)) };
    let last = index(last, completions)?;
    if first >= last {
        return Err(format!("non-increasing order, previous: {first}, current: {last}"));
    }
    Ok((first, last))
}

fn index(text: &str, completions: i64) -> Result<i64, String> {
    // `strconv.Atoi` and `str::parse` take the same: an optional sign and decimal digits.
    let index: i64 =
        text.parse().map_err(|_| format!("cannot convert string to integer for index: {}", quote(text)))?;
    if index >= completions {
        return Err(format!("too large index: {}", quote(text)));
    }
    Ok(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_indexes() {
        assert_eq!(count("", 5), Ok(0));
        assert_eq!(count("0,2-4", 5), Ok(4));
        assert_eq!(count("+1", 5), Ok(1));
    }

    #[test]
    fn refuses_in_upstreams_words() {
        for (list, error) in [
            ("5", "too large index: \"5\""),
            ("a", "cannot convert string to integer for index: \"a\""),
            ("1,", "cannot convert string to integer for index: \"\""),
            ("1,1", "non-increasing order, previous: 1, current: 1"),
            ("2-1", "non-increasing order, previous: 2, current: 1"),
            ("-1", "cannot convert string to integer for index: \"\""),
        ] {
            assert_eq!(count(list, 5).unwrap_err(), error, "{list}");
        }
        assert!(count("1-2-3", 5).unwrap_err().starts_with("the fragment \"1-2-3\" violates"));
    }

    #[test]
    fn finds_the_first_common_index() {
        assert_eq!(disjoint("0,2", "1,3", 5), Ok(()));
        assert_eq!(
            disjoint("0-2,x", "y,2", 5).unwrap_err(),
            "failedIndexes and completedIndexes overlap at index: 2"
        );
    }
}
