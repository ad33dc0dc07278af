//! Conditions of Pods. Their texts are the same for most Pods, so they are kept once.

use crate::interner::Interner;
use policy_core::Timestamp;
use std::cell::RefCell;
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

thread_local! {
    static TEXTS: RefCell<Interner<ConditionText>> = RefCell::default();
}

impl Condition {
    /// A condition that has this status since `since`.
    pub fn new(kind: &str, status: &'static str, reason: &str, message: &str, since: Timestamp) -> Self {
        let same = |text: &ConditionText| {
            *text.kind == *kind
                && text.status == status
                && *text.reason == *reason
                && *text.message == *message
        };
        let make =
            || ConditionText { kind: kind.into(), status, reason: reason.into(), message: message.into() };
        let text = TEXTS.with_borrow_mut(|texts| texts.shared([kind, status, reason, message], same, make));
        Condition { text, since }
    }

    /// The same condition with another status, since `now`.
    pub fn with_status(&self, status: &'static str, now: Timestamp) -> Self {
        Condition::new(&self.kind, status, &self.reason, &self.message, now)
    }
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
