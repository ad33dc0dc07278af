//! Which events are new, which are repeated and which are too many (client-go `EventCorrelator`).

use super::{Recorded, Subject};
use policy_core::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Events about one object that may go out at once, and how long it takes until one more may (client-go
/// `defaultSpamBurst`, `defaultSpamQPS`).
const SPAM_BURST: f64 = 25.0;
const SPAM_INTERVAL_SECONDS: f64 = 300.0;
/// So many events that differ in their message only are told apart (client-go `defaultAggregateMaxEvents`), within
/// this time of each other.
const MAX_SIMILAR: usize = 10;
const SIMILAR_SECONDS: i64 = 600;
/// How many objects and events are remembered (client-go `maxLruCacheEntries`).
const REMEMBERED: usize = 4096;

/// What is to be done about an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing: there are too many about this object.
    Dropped,
    /// It is written.
    New { key: Box<EventKey>, message: String },
    /// It was written before under this name, and is counted up.
    Again { key: Box<EventKey>, name: String, message: String, count: u32 },
}

/// Events that differ in their message only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct SimilarKey {
    component: &'static str,
    subject: Subject,
    kind: &'static str,
    reason: String,
}

/// Events that are the same but for the time; the message is empty where many similar ones were put together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EventKey {
    similar: SimilarKey,
    message: String,
}

/// What is remembered of events.
#[derive(Debug, Default)]
pub(super) struct Correlator {
    budgets: BTreeMap<(&'static str, Subject), Budget>,
    similar: BTreeMap<SimilarKey, Similar>,
    written: BTreeMap<EventKey, Written>,
}

#[derive(Debug)]
struct Budget {
    tokens: f64,
    at: Timestamp,
}

#[derive(Debug)]
struct Similar {
    messages: BTreeSet<String>,
    at: Timestamp,
}

#[derive(Debug)]
struct Written {
    name: String,
    count: u32,
    at: Timestamp,
}

impl Correlator {
    /// Looks at an event that is to go out.
    pub(super) fn look(&mut self, recorded: &Recorded) -> Verdict {
        // The same object at another version is the same object.
        let subject = Subject { resource_version: String::new(), ..recorded.subject.clone() };
        self.forget_oldest();
        let at = recorded.at;
        if !self.has_budget(recorded.component, &subject, at) {
            return Verdict::Dropped;
        }
        let event = &recorded.event;
        let similar = SimilarKey {
            component: recorded.component,
            subject,
            kind: event.kind,
            reason: event.reason.clone(),
        };
        let combined = self.is_one_of_many(&similar, &event.message, at);
        let (message, of_key) = if combined {
            (format!("(combined from similar events): {}", event.message), String::new())
        } else {
            (event.message.clone(), event.message.clone())
        };
        let key = Box::new(EventKey { similar, message: of_key });
        match self.written.get_mut(&*key) {
            Some(written) => {
                (written.count, written.at) = (written.count.saturating_add(1), at);
                Verdict::Again { key, name: written.name.clone(), message, count: written.count }
            }
            None => Verdict::New { key, message },
        }
    }

    /// An event was created under this name.
    pub(super) fn created(&mut self, key: EventKey, name: String, at: Timestamp) {
        self.written.insert(key, Written { name, count: 1, at });
    }

    fn has_budget(&mut self, component: &'static str, subject: &Subject, at: Timestamp) -> bool {
        let fresh = || Budget { tokens: SPAM_BURST, at };
        let budget = self.budgets.entry((component, subject.clone())).or_insert_with(fresh);
        let passed_seconds = at.nanos_since(budget.at).max(0) as f64 / 1e9;
        budget.tokens = (budget.tokens + passed_seconds / SPAM_INTERVAL_SECONDS).min(SPAM_BURST);
        budget.at = at;
        if budget.tokens < 1.0 {
            return false;
        }
        budget.tokens -= 1.0;
        true
    }

    fn is_one_of_many(&mut self, key: &SimilarKey, message: &str, at: Timestamp) -> bool {
        let fresh = || Similar { messages: BTreeSet::new(), at };
        let similar = self.similar.entry(key.clone()).or_insert_with(fresh);
        if at.nanos_since(similar.at) / 1_000_000_000 > SIMILAR_SECONDS {
            similar.messages.clear();
        }
        similar.at = at;
        similar.messages.insert(message.into());
        let is_one_of_many = similar.messages.len() >= MAX_SIMILAR;
        if is_one_of_many {
            similar.messages.remove(message);
        }
        is_one_of_many
    }

    fn forget_oldest(&mut self) {
        while self.budgets.len() > REMEMBERED {
            let oldest = self.budgets.iter().min_by_key(|(_, budget)| budget.at).map(|(key, _)| key.clone());
            oldest.and_then(|key| self.budgets.remove(&key));
        }
        while self.similar.len() > REMEMBERED {
            let oldest =
                self.similar.iter().min_by_key(|(_, similar)| similar.at).map(|(key, _)| key.clone());
            oldest.and_then(|key| self.similar.remove(&key));
        }
        while self.written.len() > REMEMBERED {
            let oldest =
                self.written.iter().min_by_key(|(_, written)| written.at).map(|(key, _)| key.clone());
            oldest.and_then(|key| self.written.remove(&key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy_core::step::Event;

    fn recorded(name: &str, message: &str, seconds: i64) -> Recorded {
        let subject = Subject {
            kind: "Job",
            namespace: "n".into(),
            name: name.into(),
            uid: "u".into(),
            resource_version: seconds.to_string(),
        };
        let at = Timestamp::from_unix(1_767_225_600 + seconds, 0).unwrap();
        Recorded { component: "job-controller", subject, event: Event::normal("R", message), at }
    }

    fn write(correlator: &mut Correlator, recorded: &Recorded) -> Verdict {
        let verdict = correlator.look(recorded);
        if let Verdict::New { key, message } = &verdict {
            correlator.created((**key).clone(), message.clone(), recorded.at);
        }
        verdict
    }

    #[test]
    fn the_same_event_is_counted_up() {
        let mut correlator = Correlator::default();
        assert!(matches!(write(&mut correlator, &recorded("j", "m", 0)), Verdict::New { .. }));
        let again = write(&mut correlator, &recorded("j", "m", 1));
        assert!(matches!(again, Verdict::Again { count: 2, .. }), "{again:?}");
        assert!(matches!(write(&mut correlator, &recorded("k", "m", 1)), Verdict::New { .. }));
    }

    #[test]
    fn similar_events_are_put_together_and_too_many_dropped() {
        let mut correlator = Correlator::default();
        let verdicts: Vec<Verdict> =
            (0..26).map(|n| write(&mut correlator, &recorded("j", &format!("pod {n}"), 0))).collect();
        let combined = |verdict: &Verdict| match verdict {
            Verdict::New { message, .. } | Verdict::Again { message, .. } => message.starts_with("(combined"),
            Verdict::Dropped => false,
        };
        assert_eq!(verdicts.iter().filter(|verdict| combined(verdict)).count(), 16);
        assert!(matches!(verdicts[10], Verdict::Again { .. }));
        assert_eq!(verdicts[25], Verdict::Dropped);
        let later = write(&mut correlator, &recorded("j", "pod 27", 301));
        assert!(combined(&later), "{later:?}");
    }
}
