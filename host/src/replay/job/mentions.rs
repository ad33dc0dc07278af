//! In which order a sync found its Pods.
//!
//! Upstream lists them in the order of a Go map. Where a decision depends on it (whose failure is named, which of two
//! equal Pods goes first), the order is one in which Pods come as the writes that follow name them.

use crate::replay::writes::{Change, Write};
use policy_core::job::PodRef;
use policy_core::spec::JobStatus;
use std::collections::{HashMap, HashSet};

/// Where a Pod is named: the place of the write, and the place within it.
type Mention = (usize, usize);

/// Where Pods are named, by UID and in order.
#[derive(Default)]
pub(super) struct Mentions<'w> {
    by_uid: HashMap<&'w str, Vec<Mention>>,
}

impl<'w> Mentions<'w> {
    /// The mentions of these Pods, each given by UID and name.
    pub(super) fn of(writes: &[Write<'w>], pods: &HashMap<&'w str, &'w str>) -> Self {
        let mut mentions = Mentions::default();
        let mut messages: HashSet<&str> = HashSet::new();
        for (place, write) in writes.iter().enumerate() {
            let Change::JobStatus(status) = write.change else {
                mentions.add(&write.version.uid, (place, 0));
                continue;
            };
            for condition in status.conditions.iter().filter(|c| messages.insert(&c.message)) {
                let named = pods.iter().filter(|(_, name)| condition.message.contains(**name));
                named.for_each(|(uid, _)| mentions.add(uid, (place, 0)));
            }
            mentions.add_uncounted(place, status);
        }
        mentions
    }

    fn add(&mut self, uid: &'w str, at: Mention) {
        self.by_uid.entry(uid).or_default().push(at);
    }

    fn add_uncounted(&mut self, place: usize, status: &'w JobStatus) {
        let lists = status.uncounted_terminated_pods.iter();
        let uids = lists.flat_map(|lists| lists.succeeded.iter().chain(lists.failed.iter()));
        for (number, uid) in uids.enumerate() {
            self.add(uid, (place, number + 1));
        }
    }

    /// When the Pod is first named by the writes from place `next` on. Pods that are not come last, in their order.
    pub(super) fn rank(&self, pod: &PodRef, next: usize) -> Mention {
        let mentions = self.by_uid.get(pod.uid()).map_or(&[][..], |mentions| mentions);
        let first = mentions.partition_point(|(place, _)| *place < next);
        mentions.get(first).copied().unwrap_or((usize::MAX, 0))
    }
}
