//! Lists of UIDs.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

/// A list of UIDs as one text: a status lists up to hundreds of them, and is read, compared and written as a whole.
///
/// ```
/// use policy_core::spec::UidList;
/// let mut uids: UidList = ["a1", "b2", "c3"].into_iter().collect();
/// uids.retain(|uid| uid != "b2");
/// assert!(uids.iter().eq(["a1", "c3"]));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct UidList {
    text: String,
    /// Where each ends.
    ends: Vec<usize>,
}

impl UidList {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The UIDs in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let uid = self.text.get(start..*end).unwrap_or_default();
            start = *end;
            uid
        })
    }

    /// Whether a UID is among them.
    pub fn contains(&self, uid: &str) -> bool {
        self.iter().any(|known| known == uid)
    }

    /// Adds a UID at the end.
    pub fn push(&mut self, uid: &str) {
        self.text.push_str(uid);
        self.ends.push(self.text.len());
    }

    /// Moves the UIDs of another list to the end of this one.
    pub fn append(&mut self, other: &mut UidList) {
        if self.is_empty() {
            core::mem::swap(self, other);
        } else {
            self.extend(other.iter());
        }
        other.clear();
    }

    /// Keeps the UIDs that `stays` says, in order.
    pub fn retain(&mut self, mut stays: impl FnMut(&str) -> bool) {
        let mut kept = UidList::default();
        self.iter().filter(|uid| stays(uid)).for_each(|uid| kept.push(uid));
        *self = kept;
    }

    /// Empties the list.
    pub fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }
}

impl<S: AsRef<str>> Extend<S> for UidList {
    fn extend<T: IntoIterator<Item = S>>(&mut self, uids: T) {
        uids.into_iter().for_each(|uid| self.push(uid.as_ref()));
    }
}

impl<S: AsRef<str>> FromIterator<S> for UidList {
    fn from_iter<T: IntoIterator<Item = S>>(uids: T) -> Self {
        let mut list = UidList::default();
        list.extend(uids);
        list
    }
}

impl fmt::Debug for UidList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Serialize for UidList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for UidList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = UidList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<UidList, A::Error> {
        let mut list = UidList::default();
        while let Some(uid) = seq.next_element::<String>()? {
            list.push(&uid);
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn is_written_and_read_as_a_list_of_texts() {
        for text in ["[]", r#"["a"]"#, r#"["","b","é",""]"#] {
            let list: UidList = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&list).unwrap(), text);
        }
        let error = serde_json::from_str::<UidList>("[1]").unwrap_err().to_string();
        assert_eq!(error, serde_json::from_str::<Vec<String>>("[1]").unwrap_err().to_string());
        let error = serde_json::from_str::<UidList>("{}").unwrap_err().to_string();
        assert_eq!(error, serde_json::from_str::<Vec<String>>("{}").unwrap_err().to_string());
    }

    #[test]
    fn lists_are_joined_and_thinned_out() {
        let of = |uids: &[&str]| uids.iter().collect::<UidList>();
        let (mut a, mut b) = (of(&["a", "bb"]), of(&["", "c"]));
        a.append(&mut b);
        assert_eq!((a.clone(), b.is_empty()), (of(&["a", "bb", "", "c"]), true));
        a.retain(|uid| uid.len() == 1);
        assert_eq!(a, of(&["a", "c"]));
        b.append(&mut a);
        assert!(b.contains("c") && a.is_empty() && !b.contains("bb"));
    }
}
