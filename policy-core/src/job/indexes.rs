//! Sets of completion indexes, as Kubernetes writes them (`0,2-4`).
//!
//! The status of a Job may hold any text, so these sets are not always ordered; what upstream makes of such texts
//! is mirrored.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::{self, Write};

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
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Intervals {
    /// Shared, since a sync keeps the lists of the cache for as long as it goes on; `None` when there are none.
    list: Option<Arc<Vec<Interval>>>,
}

impl fmt::Debug for Intervals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.as_slice()).finish()
    }
}

impl From<Vec<Interval>> for Intervals {
    fn from(list: Vec<Interval>) -> Self {
        Intervals { list: (!list.is_empty()).then(|| Arc::new(list)) }
    }
}

impl Intervals {
    /// Reads a list like `0,2-4`, cut at `completions`; parts that are not numbers are skipped (upstream
    /// `parseIndexesFromString`).
    pub fn parse(text: &str, completions: i64) -> Self {
        let mut result: Vec<Interval> = Vec::new();
        if text.is_empty() {
            return Intervals::default();
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
        result.into()
    }

    /// The intervals in order.
    pub fn as_slice(&self) -> &[Interval] {
        self.list.as_ref().map_or(&[], |list| list.as_slice())
    }

    /// Whether there are no intervals.
    pub fn is_empty(&self) -> bool {
        self.list.is_none()
    }

    /// Whether the intervals ascend with gaps between them, as in every list that a controller has written.
    pub(crate) fn is_ordered(&self) -> bool {
        let list = self.as_slice();
        list.iter().all(|i| i.first <= i.last)
            && list.is_sorted_by(|a, b| a.last.checked_add(1).is_some_and(|next| next < b.first))
    }

    /// How many indexes there are (upstream `total`).
    pub fn total(&self) -> i64 {
        self.as_slice()
            .iter()
            .fold(0_i64, |sum, i| sum.wrapping_add(i.last.wrapping_sub(i.first).wrapping_add(1)))
    }

    /// Whether `index` is among them (upstream `has`: a binary search, also in lists that are out of order).
    pub fn has(&self, index: i64) -> bool {
        let list = self.as_slice();
        let position = list.partition_point(|interval| interval.last < index);
        list.get(position).is_some_and(|interval| interval.first <= index)
    }

    /// This set with `indexes` added, which come in ascending order (upstream `withOrderedIndexes`).
    #[must_use]
    pub fn with_ordered(&self, indexes: impl IntoIterator<Item = i64>) -> Self {
        self.merged(indexes.into_iter().map(|index| Interval { first: index, last: index }))
    }

    /// The union of two sets (upstream `merge`).
    #[must_use]
    pub fn merge(&self, other: &Intervals) -> Self {
        self.merged(other.as_slice().iter().copied())
    }

    fn merged(&self, other: impl Iterator<Item = Interval>) -> Self {
        let mut theirs = other.peekable();
        if theirs.peek().is_none() && self.is_ordered() {
            return self.clone();
        }
        let mut result = Vec::with_capacity(self.as_slice().len());
        let mut mine = self.as_slice().iter().copied().peekable();
        loop {
            let next = match (mine.peek(), theirs.peek()) {
                (Some(a), Some(b)) if a.first < b.first => mine.next(),
                (_, Some(_)) => theirs.next(),
                (_, None) => mine.next(),
            };
            let Some(interval) = next else { return result.into() };
            append_or_extend(&mut result, interval);
        }
    }

    /// The highest index below `bound`, in a list that is ordered.
    pub(crate) fn last_below(&self, bound: i64) -> Option<i64> {
        let list = self.as_slice();
        let below = list.partition_point(|interval| interval.first < bound);
        let last = below.checked_sub(1).and_then(|place| list.get(place))?.last;
        Some(last.min(bound.wrapping_sub(1)))
    }

    /// Adds an index to a list that is ordered; tells whether it is new.
    pub(crate) fn insert(&mut self, index: i64) -> bool {
        let list = Arc::make_mut(self.list.get_or_insert_default());
        let at = list.partition_point(|interval| interval.last < index);
        if list.get(at).is_some_and(|interval| interval.first <= index) {
            return false;
        }
        let touches = |a: i64, b: i64| a.checked_add(1) == Some(b);
        let extends = at.checked_sub(1).filter(|p| list.get(*p).is_some_and(|i| touches(i.last, index)));
        let precedes = list.get(at).filter(|next| touches(index, next.first)).map(|next| next.last);
        match (extends.and_then(|place| list.get_mut(place)), precedes) {
            (Some(previous), None) => previous.last = index,
            (Some(previous), Some(last)) => {
                previous.last = last;
                list.remove(at);
            }
            (None, Some(last)) => {
                if let Some(next) = list.get_mut(at) {
                    *next = Interval { first: index, last };
                }
            }
            (None, None) => list.insert(at, Interval { first: index, last: index }),
        }
        true
    }

    /// Takes an index out of a list that is ordered; tells whether it was there.
    pub(crate) fn remove(&mut self, index: i64) -> bool {
        let Some(shared) = &mut self.list else { return false };
        let list = Arc::make_mut(shared);
        let at = list.partition_point(|interval| interval.last < index);
        let Some(found) = list.get_mut(at).filter(|interval| interval.first <= index) else { return false };
        let Interval { first, last } = *found;
        if first < index {
            found.last = index.wrapping_sub(1);
            if index < last {
                list.insert(at.saturating_add(1), Interval { first: index.wrapping_add(1), last });
            }
        } else if index < last {
            found.first = index.wrapping_add(1);
        } else {
            list.remove(at);
        }
        if list.is_empty() {
            self.list = None;
        }
        true
    }

    /// The list as the status holds it; pairs of neighbours are written `1,2` and not `1-2` (upstream `String`).
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut text);
        text
    }

    /// Whether the status holds the list as this text; nothing is written for it.
    pub(crate) fn is_text(&self, text: &str) -> bool {
        let mut rest = Rest(text);
        self.write(&mut rest).is_ok() && rest.0.is_empty()
    }

    fn write(&self, out: &mut impl Write) -> fmt::Result {
        for (place, interval) in self.as_slice().iter().enumerate() {
            if place > 0 {
                out.write_char(',')?;
            }
            write!(out, "{}", interval.first)?;
            if interval.last > interval.first {
                let neighbours = interval.last == interval.first.wrapping_add(1);
                out.write_char(if neighbours { ',' } else { '-' })?;
                write!(out, "{}", interval.last)?;
            }
        }
        Ok(())
    }

    /// The lowest `count` indexes below `completions` that are not in this set (from upstream
    /// `firstPendingIndexes`).
    pub fn first_missing(&self, count: usize, completions: i64) -> Vec<i64> {
        first_missing_in_all(&[self], count, completions)
    }
}

/// The lowest `count` indexes below `completions` that are in none of these lists, each of which ascends by the first
/// index of its intervals. What lies beyond the last index found is not looked at.
pub(crate) fn first_missing_in_all(lists: &[&Intervals], count: usize, completions: i64) -> Vec<i64> {
    let mut result = Vec::with_capacity(count.min(4096));
    let mut rest: Vec<&[Interval]> = lists.iter().map(|list| list.as_slice()).collect();
    let mut candidate = 0_i64;
    while candidate < completions && result.len() < count {
        // The interval that starts next, of any list.
        let next =
            rest.iter_mut().filter(|list| !list.is_empty()).min_by_key(|list| list.first().map(|i| i.first));
        let taken = next.and_then(|list| list.split_off_first()).copied();
        let end = taken.map_or(completions, |interval| completions.min(interval.first));
        while candidate < end && result.len() < count {
            result.push(candidate);
            candidate = candidate.wrapping_add(1);
        }
        if let Some(interval) = taken {
            candidate = candidate.max(interval.last.wrapping_add(1));
        }
    }
    result
}

/// Adds an interval that starts no earlier than the last one, or so upstream takes it (from upstream `merge`).
fn append_or_extend(list: &mut Vec<Interval>, interval: Interval) {
    match list.last_mut() {
        Some(last) if interval.first <= last.last.wrapping_add(1) => {
            last.last = last.last.max(interval.last);
        }
        _ => list.push(interval),
    }
}

/// The part of a text that is still to come; writing anything else fails.
struct Rest<'t>(&'t str);

impl Write for Rest<'_> {
    fn write_str(&mut self, written: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(written).ok_or(fmt::Error)?;
        Ok(())
    }
}

/// Gathers indexes that mostly come in ascending order.
#[derive(Debug, Default)]
pub(crate) struct IndexCollector {
    ordered: Vec<Interval>,
    others: Vec<i64>,
}

impl IndexCollector {
    pub(crate) fn push(&mut self, index: i64) {
        match self.ordered.last_mut() {
            Some(last) if index.checked_sub(1) == Some(last.last) => last.last = index,
            Some(last) if index <= last.last => self.others.push(index),
            _ => self.ordered.push(Interval { first: index, last: index }),
        }
    }

    pub(crate) fn into_intervals(mut self) -> Intervals {
        let ordered = Intervals::from(self.ordered);
        if self.others.is_empty() {
            return ordered;
        }
        self.others.sort_unstable();
        ordered.with_ordered(self.others)
    }
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
        fn indexes_come_and_go(changes in prop::collection::vec((0_i64..40, any::<bool>()), 0..200)) {
            let mut set = Intervals::default();
            let mut known = std::collections::BTreeSet::new();
            for (index, comes) in changes {
                if comes {
                    prop_assert_eq!(set.insert(index), known.insert(index));
                } else {
                    prop_assert_eq!(set.remove(index), known.remove(&index));
                }
                prop_assert_eq!(&set, &Intervals::default().with_ordered(known.iter().copied()));
                prop_assert!(set.is_ordered() && set.is_text(&set.to_text()));
                prop_assert!(!set.is_text(&(set.to_text() + "0")));
            }
        }

        #[test]
        fn indexes_are_collected_in_any_order(indexes in prop::collection::vec(0_i64..60, 0..60)) {
            let mut collector = IndexCollector::default();
            indexes.iter().for_each(|index| collector.push(*index));
            let sorted: std::collections::BTreeSet<i64> = indexes.into_iter().collect();
            prop_assert_eq!(collector.into_intervals(), Intervals::default().with_ordered(sorted));
        }

        /// What the cache relies on: a run of indexes merges as its indexes one by one, whatever the list.
        #[test]
        fn runs_merge_as_their_indexes(text in "([0-9]{1,2}(-[0-9]{1,2})?,){0,8}",
                                       b in prop::collection::btree_set(0_i64..99, 0..40)) {
            let list = Intervals::parse(&text, 99);
            let runs = Intervals::default().with_ordered(b.iter().copied());
            prop_assert_eq!(list.merge(&runs), list.with_ordered(b));
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
