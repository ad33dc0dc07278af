//! Where the facts are kept: in slots that are used again.

use crate::job::facts::PodFacts;
use alloc::vec::Vec;

/// Slots are kept in pieces of this size, so that growing moves nothing and wastes little.
const CHUNK: usize = 256;

/// The facts about a Pod, and its place in the order of the view.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) facts: PodFacts,
    /// Rises with every Pod that is new.
    pub(crate) seq: u64,
}

/// Pods by slot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slab {
    chunks: Vec<Vec<Option<Entry>>>,
    free: Vec<u32>,
    next_seq: u64,
}

impl Slab {
    pub(crate) fn get(&self, slot: u32) -> Option<&Entry> {
        self.chunks.get(slot as usize / CHUNK)?.get(slot as usize % CHUNK)?.as_ref()
    }

    pub(crate) fn facts(&self, slot: u32) -> Option<&PodFacts> {
        self.get(slot).map(|entry| &entry.facts)
    }

    /// Puts a new Pod in a slot of its own.
    pub(crate) fn add(&mut self, facts: PodFacts) -> u32 {
        let entry = Some(Entry { facts, seq: self.next_seq });
        self.next_seq = self.next_seq.wrapping_add(1);
        if let Some(slot) = self.free.pop() {
            self.put(slot, entry);
            return slot;
        }
        if self.chunks.last().is_none_or(|chunk| chunk.len() >= CHUNK) {
            // A Job of a few Pods takes the room of a few.
            let capacity = if self.chunks.is_empty() { 0 } else { CHUNK };
            self.chunks.push(Vec::with_capacity(capacity));
        }
        let full = self.chunks.len().saturating_sub(1).saturating_mul(CHUNK);
        let Some(chunk) = self.chunks.last_mut() else { return 0 };
        let slot = full.saturating_add(chunk.len());
        chunk.push(entry);
        // Four thousand million Pods at once do not fit in memory.
        u32::try_from(slot).unwrap_or(u32::MAX)
    }

    /// Replaces the facts in a slot.
    pub(crate) fn replace(&mut self, slot: u32, facts: PodFacts) -> Option<PodFacts> {
        let entry = self.at(slot)?.as_mut()?;
        Some(core::mem::replace(&mut entry.facts, facts))
    }

    /// Empties a slot.
    pub(crate) fn take(&mut self, slot: u32) -> Option<PodFacts> {
        let entry = self.at(slot)?.take()?;
        self.free.push(slot);
        Some(entry.facts)
    }

    fn put(&mut self, slot: u32, entry: Option<Entry>) {
        if let Some(place) = self.at(slot) {
            *place = entry;
        }
    }

    fn at(&mut self, slot: u32) -> Option<&mut Option<Entry>> {
        self.chunks.get_mut(slot as usize / CHUNK)?.get_mut(slot as usize % CHUNK)
    }
}
