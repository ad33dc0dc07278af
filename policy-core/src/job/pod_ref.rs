//! How calls name a Pod.

use alloc::string::String;
use alloc::sync::Arc;
use core::cmp::Ordering;
use core::fmt;

/// Which calls name a Pod by: its name, and its UID for what is remembered about it.
///
/// One shared text, because a wave names hundreds of Pods and each is handed on several times.
///
/// ```
/// use policy_core::job::PodRef;
/// let pod = PodRef::new("pi-x7k2p", "6f0c");
/// assert_eq!((pod.name(), pod.uid()), ("pi-x7k2p", "6f0c"));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PodRef {
    /// The name, then the UID.
    text: Arc<str>,
    name_len: usize,
}

impl PodRef {
    /// Names a Pod.
    pub fn new(name: &str, uid: &str) -> Self {
        let mut text = String::with_capacity(name.len().saturating_add(uid.len()));
        text.push_str(name);
        text.push_str(uid);
        PodRef { text: text.into(), name_len: name.len() }
    }

    /// The name.
    #[inline]
    pub fn name(&self) -> &str {
        self.text.get(..self.name_len).unwrap_or_default()
    }

    /// The UID.
    #[inline]
    pub fn uid(&self) -> &str {
        self.text.get(self.name_len..).unwrap_or_default()
    }
}

impl PartialOrd for PodRef {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PodRef {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.name(), self.uid()).cmp(&(other.name(), other.uid()))
    }
}

impl fmt::Debug for PodRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PodRef").field("name", &self.name()).field("uid", &self.uid()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_uid_are_told_apart() {
        assert_ne!(PodRef::new("ab", "c"), PodRef::new("a", "bc"));
        assert!(PodRef::new("a", "z") < PodRef::new("ab", "c"));
        assert_eq!(PodRef::new("é", "").uid(), "");
    }
}
