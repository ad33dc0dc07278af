//! In which order a sync found its Pods.
//!
//! Upstream lists them in the order of a Go map. Where a decision depends on it (whose failure is named, which of two
//! equal Pods goes first), the order is one in which Pods come as the writes that follow name them.

use crate::replay::writes::{Change, Write};
use policy_core::job::PodRef;
use policy_core::spec::JobStatus;
use std::collections::HashMap;

/// Where Pods are named, each as the place of the write and the place within it.
pub(super) struct Mentions {
    by_name: HashMap<String, Vec<(usize, usize)>>,
    messages: Vec<(usize, String)>,
}

impl Mentions {
    pub(super) fn of(writes: &[Write<'_>]) -> Self {
        let mut mentions = Mentions { by_name: HashMap::new(), messages: Vec::new() };
        for (place, write) in writes.iter().enumerate() {
            match write.change {
                Change::JobStatus(status) => mentions.add_status(place, status),
                _ => mentions.add(&write.version.uid, (place, 0)),
            }
        }
        mentions
    }

    fn add(&mut self, name: &str, at: (usize, usize)) {
        self.by_name.entry(name.to_owned()).or_default().push(at);
    }

    fn add_status(&mut self, place: usize, status: &JobStatus) {
        let messages = status.conditions.iter().map(|condition| &condition.message);
        self.messages.extend(messages.map(|message| (place, message.clone())));
        let lists = status.uncounted_terminated_pods.iter();
        let uids = lists.flat_map(|lists| lists.succeeded.iter().chain(&lists.failed));
        for (number, uid) in uids.enumerate() {
            self.add(uid, (place, number + 1));
        }
    }

    /// When the Pod is first named by the writes from place `next` on. Pods that are not come last, in their order.
    pub(super) fn rank(&self, pod: &PodRef, next: usize) -> (usize, usize) {
        let by_uid = self.by_name.get(&*pod.uid).and_then(|places| places.iter().find(|(at, _)| *at >= next));
        let by_name = self.messages.iter().find(|(at, message)| *at >= next && message.contains(&*pod.name));
        let by_name = by_name.map(|(at, _)| (*at, 0));
        by_uid.copied().into_iter().chain(by_name).min().unwrap_or((usize::MAX, 0))
    }
}
