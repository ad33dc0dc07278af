//! Sets of completion indexes, as Kubernetes writes them (`0,2-4`).
//!
//! The status of a Job may hold any text, so these sets are not always ordered; what upstream makes of such texts
//! is mirrored.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

/// Indexes from `first` to `last`, both included (upstream `interval`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// The lowest index.
    pub first: i64,
    /// The highest index.
    pub last: i64,
}

/// A list of intervals (upstream `orderedIntervals`).
///
/// ```
/// use policy_core::job::Intervals;
/// let done = Intervals::parse("0,2-4,9", 8);
/// assert_eq!(done.total(), 4);
/// assert!(done.has(3) && !done.has(1));
/// assert_eq!(done.with_ordered([1, 6]).to_text(), "0-4,6");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Intervals(Vec<Interval>);

impl Intervals {
    /// Reads a list like `0,2-4`, cut at `completions`; parts that are not numbers are skipped (upstream
    /// `parseIndexesFromString`).
    pub fn parse(text: &str, completions: i64) -> Self {
        let mut result: Vec<Interval> = Vec::new();
        if text.is_empty() {
            return Intervals(result);
        }
        for part in text.split(',') {
            let mut limits = part.split('-');
            let Some(first) = limits.next().and_then(parse_go_int) else { continue };
            if first >= completions {
                break;
            }
            let last = match limits.next() {
                None => first,
                Some(limit) => match parse_go_int(limit) {
                    Some(last) => last.min(completions.saturating_sub(1)),
                    None => continue,
                },
            };
            match result.last_mut() {
                Some(previous) if previous.last == first.wrapping_sub(1) => previous.last = last,
                _ => result.push(Interval { first, last }),
            }
        }
        Intervals(result)
    }

    /// The intervals in order.
    pub fn as_slice(&self) -> &[Interval] {
        &self.0
    }

    /// Whether there are no intervals.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many indexes there are (upstream `total`).
    pub fn total(&self) -> i64 {
        self.0.iter().fold(0_i64, |sum, i| sum.wrapping_add(i.last.wrapping_sub(i.first).wrapping_add(1)))
    }

    /// Whether `index` is among them (upstream `has`: a binary search, also in lists that are out of order).
    pub fn has(&self, index: i64) -> bool {
        let position = self.0.partition_point(|interval| interval.last < index);
        self.0.get(position).is_some_and(|interval| interval.first <= index)
    }

    /// This set with `indexes` added, which come in ascending order (upstream `withOrderedIndexes`).
    #[must_use]
    pub fn with_ordered(&self, indexes: impl IntoIterator<Item = i64>) -> Self {
        self.merged(indexes.into_iter().map(|index| Interval { first: index, last: index }))
    }

    /// The union of two sets (upstream `merge`).
    #[must_use]
    pub fn merge(&self, other: &Intervals) -> Self {
        self.merged(other.0.iter().copied())
    }

    fn merged(&self, other: impl Iterator<Item = Interval>) -> Self {
        let mut result = Intervals(Vec::with_capacity(self.0.len()));
        let mut mine = self.0.iter().copied().peekable();
        let mut theirs = other.peekable();
        loop {
            let next = match (mine.peek(), theirs.peek()) {
                (Some(a), Some(b)) if a.first < b.first => mine.next(),
                (_, Some(_)) => theirs.next(),
                (_, None) => mine.next(),
            };
            let Some(interval) = next else { return result };
            result.append_or_extend(interval);
        }
    }

    fn append_or_extend(&mut self, interval: Interval) {
        match self.0.last_mut() {
            Some(last) if interval.first <= last.last.wrapping_add(1) => {
                last.last = last.last.max(interval.last);
            }
            _ => self.0.push(interval),
        }
    }

    /// The list as the status holds it; pairs of neighbours are written `1,2` and not `1-2` (upstream `String`).
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for interval in &self.0 {
            if !text.is_empty() {
                text.push(',');
            }
            push_int(&mut text, interval.first);
            if interval.last > interval.first {
                let neighbours = interval.last == interval.first.wrapping_add(1);
                text.push(if neighbours { ',' } else { '-' });
                push_int(&mut text, interval.last);
            }
        }
        text
    }

    /// The lowest `count` indexes below `completions` that are not in this set (from upstream
    /// `firstPendingIndexes`).
    pub fn first_missing(&self, count: usize, completions: i64) -> Vec<i64> {
        let mut result = Vec::with_capacity(count.min(4096));
        let mut candidate = 0_i64;
        for interval in &self.0 {
            while candidate < completions.min(interval.first) && result.len() < count {
                result.push(candidate);
                candidate = candidate.wrapping_add(1);
            }
            candidate = candidate.max(interval.last.wrapping_add(1));
        }
        while candidate < completions && result.len() < count {
            result.push(candidate);
            candidate = candidate.wrapping_add(1);
        }
        result
    }
}

fn push_int(text: &mut String, value: i64) {
    // Writing to a String cannot fail.
    let _ = write!(text, "{value}");
}

/// Go's `strconv.Atoi`: a sign is allowed, also `+`, and leading zeros are.
pub(crate) fn parse_go_int(text: &str) -> Option<i64> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_upstream_reads() {
        for (text, completions, expected) in [
            ("", 10, ""),
            ("1-3,5", 4, "1-3"),
            ("0-9", 5, "0-4"),
            ("a,2,3-x,+4,05", 10, "2,4,5"),
            ("0,1,2", 10, "0-2"),
            ("-1,2", 10, "2"),
            ("1-2-9,4", 10, "1,2,4"),
        ] {
            assert_eq!(Intervals::parse(text, completions).to_text(), expected, "{text}");
        }
    }

    #[test]
    fn pending_indexes_fill_the_gaps() {
        let busy = Intervals::parse("1,3-5", 10);
        assert_eq!(busy.first_missing(4, 10), [0, 2, 6, 7]);
        assert_eq!(busy.first_missing(9, 7), [0, 2, 6]);
        assert!(busy.first_missing(0, 10).is_empty());
    }

    proptest! {
        #[test]
        fn a_set_survives_being_written_and_read(indexes in prop::collection::btree_set(0_i64..200, 0..60)) {
            let set = Intervals::default().with_ordered(indexes.iter().copied());
            prop_assert_eq!(&Intervals::parse(&set.to_text(), 200), &set);
            prop_assert_eq!(set.total(), indexes.len() as i64);
            for index in 0..200 {
                prop_assert_eq!(set.has(index), indexes.contains(&index));
            }
        }

        #[test]
        fn merging_is_union(a in prop::collection::btree_set(0_i64..99, 0..40),
                            b in prop::collection::btree_set(0_i64..99, 0..40)) {
            let of = |s: &std::collections::BTreeSet<i64>| Intervals::default().with_ordered(s.iter().copied());
            let union = a.union(&b).copied().collect();
            prop_assert_eq!(of(&a).merge(&of(&b)), of(&union));
        }

        #[test]
        fn any_text_is_read_without_panic(text in ".{0,40}", completions in any::<i32>()) {
            let set = Intervals::parse(&text, completions.into());
            let _ = (set.total(), set.has(3), set.to_text(), set.first_missing(5, completions.into()));
        }
    }
}
