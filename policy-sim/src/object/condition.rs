//! Conditions of Pods. Their texts are the same for most Pods, so they are kept once.

use policy_core::Timestamp;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

/// A condition of a Pod: what it says is read through it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    text: Arc<ConditionText>,
    /// When the status last changed.
    pub since: Timestamp,
}

/// What a condition says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionText {
    /// Its type.
    pub kind: Arc<str>,
    /// `True`, `False` or `Unknown`.
    pub status: &'static str,
    /// One word for machines.
    pub reason: Arc<str>,
    /// Words for people.
    pub message: Arc<str>,
}

impl Deref for Condition {
    type Target = ConditionText;

    fn deref(&self) -> &ConditionText {
        &self.text
    }
}

/// The most texts that are kept to be shared; what users make up must not fill memory.
const KEPT: usize = 4_096;

/// Texts by a hash of them.
#[derive(Default)]
struct Texts {
    by_hash: BTreeMap<u64, Vec<Arc<ConditionText>>>,
    count: usize,
}

thread_local! {
    static TEXTS: RefCell<Texts> = RefCell::default();
}

impl Condition {
    /// A condition that has this status since `since`.
    pub fn new(kind: &str, status: &'static str, reason: &str, message: &str, since: Timestamp) -> Self {
        let text = TEXTS.with_borrow_mut(|texts| texts.shared(kind, status, reason, message));
        Condition { text, since }
    }

    /// The same condition with another status, since `now`.
    pub fn with_status(&self, status: &'static str, now: Timestamp) -> Self {
        Condition::new(&self.kind, status, &self.reason, &self.message, now)
    }
}

impl Texts {
    fn shared(
        &mut self,
        kind: &str,
        status: &'static str,
        reason: &str,
        message: &str,
    ) -> Arc<ConditionText> {
        let same = |text: &&Arc<ConditionText>| {
            *text.kind == *kind
                && text.status == status
                && *text.reason == *reason
                && *text.message == *message
        };
        let hash = hash([kind, status, reason, message]);
        if let Some(found) = self.by_hash.get(&hash).and_then(|texts| texts.iter().find(same)) {
            return found.clone();
        }
        let (kind, reason, message) = (kind.into(), reason.into(), message.into());
        let new = Arc::new(ConditionText { kind, status, reason, message });
        if self.count < KEPT {
            self.by_hash.entry(hash).or_default().push(new.clone());
            self.count += 1;
        }
        new
    }
}

/// FNV-1a, with an end after each part.
fn hash(parts: [&str; 4]) -> u64 {
    let bytes = parts.into_iter().flat_map(|part| part.bytes().chain([0xff]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_one() {
        let now = Timestamp::ZERO;
        let (a, b) =
            (Condition::new("Ready", "True", "", "", now), Condition::new("Ready", "True", "", "", now));
        assert!(Arc::ptr_eq(&a.text, &b.text));
        let c = a.with_status("False", now);
        assert_eq!((&*c.kind, c.status), ("Ready", "False"));
        assert_ne!(a, c);
        assert!(size_of::<Condition>() <= 24);
    }
}
