//! Events. Runs have several for each Pod, so what they share is kept once.

use crate::interner::Interner;
use policy_core::Timestamp;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;

/// Stands for the Pod's name in shared texts. No text of a cluster holds it; one that does is not shared.
const NAME: char = '\u{1}';

/// An event, as `kubectl get events` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRecord {
    /// When it happened.
    pub at: Timestamp,
    text: Arc<EventText>,
    /// The Pod whose name goes into the text.
    pod: Option<Arc<str>>,
}

/// What an event says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct EventText {
    kind: &'static str,
    reason: Box<str>,
    object: Box<str>,
    message: Box<str>,
    component: &'static str,
}

thread_local! {
    static TEXTS: RefCell<Interner<EventText>> = RefCell::default();
}

impl EventRecord {
    /// An event about `object`, which is `Kind/name`. `pod` is the Pod that it or the message names, if there is one.
    pub(crate) fn new(
        at: Timestamp,
        (kind, component): (&'static str, &'static str),
        reason: &str,
        (object, message): (&str, &str),
        pod: Option<&Arc<str>>,
    ) -> Self {
        let pod = pod.filter(|pod| !pod.is_empty() && !object.contains(NAME) && !message.contains(NAME));
        let shared = |text: &str| match pod {
            Some(pod) => text.replacen(&**pod, NAME.encode_utf8(&mut [0; 4]), 1),
            None => text.to_owned(),
        };
        let (object, message) = (shared(object), shared(message));
        let same = |text: &EventText| {
            (text.kind, text.component) == (kind, component)
                && *text.reason == *reason
                && *text.object == *object
                && *text.message == *message
        };
        let make = || EventText {
            kind,
            reason: reason.into(),
            object: object.as_str().into(),
            message: message.as_str().into(),
            component,
        };
        let parts = [kind, component, reason, &object, &message];
        let text = TEXTS.with_borrow_mut(|texts| texts.shared(parts, same, make));
        EventRecord { at, text, pod: pod.cloned() }
    }

    /// `Normal` or `Warning`.
    pub fn kind(&self) -> &'static str {
        self.text.kind
    }

    /// One word for machines.
    pub fn reason(&self) -> &str {
        &self.text.reason
    }

    /// What it is about, as `Kind/name`.
    pub fn object(&self) -> Cow<'_, str> {
        self.whole(&self.text.object)
    }

    /// Words for people.
    pub fn message(&self) -> Cow<'_, str> {
        self.whole(&self.text.message)
    }

    /// The component that reported it.
    pub fn component(&self) -> &'static str {
        self.text.component
    }

    /// Whether it says the same as another, at whatever time.
    pub fn repeats(&self, other: &EventRecord) -> bool {
        (&self.text, &self.pod) == (&other.text, &other.pod)
    }

    fn whole<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match &self.pod {
            Some(pod) if text.contains(NAME) => text.replacen(NAME, pod, 1).into(),
            _ => text.into(),
        }
    }
}

impl Serialize for EventRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut event = serializer.serialize_struct("event", 6)?;
        event.serialize_field("at", &self.at)?;
        event.serialize_field("kind", self.kind())?;
        event.serialize_field("reason", self.reason())?;
        event.serialize_field("object", &self.object())?;
        event.serialize_field("message", &self.message())?;
        event.serialize_field("component", self.component())?;
        event.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn created(pod: &str, given: Option<&str>) -> EventRecord {
        let message = format!("Created pod: {pod}");
        let given: Option<Arc<str>> = given.map(Into::into);
        EventRecord::new(
            Timestamp::ZERO,
            ("Normal", "job-controller"),
            "SuccessfulCreate",
            ("Job/j", &message),
            given.as_ref(),
        )
    }

    #[test]
    fn texts_are_shared_and_come_back_whole() {
        let (a, b) = (created("j-aaaaa", Some("j-aaaaa")), created("j-bbbbb", Some("j-bbbbb")));
        assert!(Arc::ptr_eq(&a.text, &b.text));
        assert!(!a.repeats(&b) && a.repeats(&created("j-aaaaa", Some("j-aaaaa"))));
        assert_eq!((&*a.object(), &*a.message()), ("Job/j", "Created pod: j-aaaaa"));
        assert_eq!(created("j-aaaaa", None).message(), "Created pod: j-aaaaa");
        assert!(size_of::<EventRecord>() <= 40);
    }

    #[test]
    fn a_text_with_the_mark_in_it_is_kept_as_it_is() {
        let odd = created("\u{1}", Some("\u{1}"));
        assert_eq!(odd.message(), "Created pod: \u{1}");
    }
}
