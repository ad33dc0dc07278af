//! The calls of a decision in words. There may be several for each Pod, so words are made when they are asked for.

use serde::{Serialize, Serializer};
use std::sync::Arc;

/// Calls in the order of their numbers, like `create Pod/job`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls(Vec<Same>);

/// A call that is made several times on end.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Same {
    words: Words,
    times: u32,
    name: Arc<str>,
}

/// What a call does, and to which kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    verb: Verb,
    of: Of,
}

/// The verbs of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Create,
    Update,
    Patch,
    Delete,
}

/// The kinds of objects that calls are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    Job,
    CronJob,
    Pod,
}

impl Words {
    pub(crate) fn new(verb: Verb, of: Of) -> Self {
        Words { verb, of }
    }

    /// The verb as authorization has it.
    pub(crate) fn verb(self) -> &'static str {
        match self.verb {
            Verb::Get => "get",
            Verb::Create => "create",
            Verb::Update => "update",
            Verb::Patch => "patch",
            Verb::Delete => "delete",
        }
    }

    /// The kind as manifests write it.
    pub(crate) fn kind(self) -> &'static str {
        match self.of {
            Of::Job => "Job",
            Of::CronJob => "CronJob",
            Of::Pod => "Pod",
        }
    }
}

impl Calls {
    /// Adds a call.
    pub(crate) fn add(&mut self, words: Words, name: &Arc<str>) {
        match self.0.last_mut().filter(|last| last.words == words && last.name == *name) {
            Some(last) => last.times = last.times.saturating_add(1),
            None => self.0.push(Same { words, times: 1, name: name.clone() }),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The calls in words.
    pub fn iter(&self) -> impl Iterator<Item = String> {
        self.0.iter().flat_map(|same| {
            let told = format!("{} {}/{}", same.words.verb(), same.words.kind(), same.name);
            std::iter::repeat_n(told, same.times as usize)
        })
    }

    /// Takes no more room than it needs.
    pub(crate) fn shrunk(mut self) -> Self {
        self.0.shrink_to_fit();
        self
    }
}

impl Serialize for Calls {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_come_back_one_by_one() {
        let (job, pod): (Arc<str>, Arc<str>) = ("j".into(), "j-0".into());
        let mut calls = Calls::default();
        assert!(calls.is_empty());
        calls.add(Words::new(Verb::Create, Of::Pod), &job);
        calls.add(Words::new(Verb::Create, Of::Pod), &job);
        calls.add(Words::new(Verb::Patch, Of::Pod), &pod);
        assert_eq!(calls.0.len(), 2);
        assert_eq!(calls.iter().collect::<Vec<_>>(), ["create Pod/j", "create Pod/j", "patch Pod/j-0"]);
    }
}
