//! Texts that most Pods have in common are kept once.

use crate::map::Map;
use std::sync::Arc;

/// The most values that are kept to be shared; what users make up must not fill memory.
const KEPT: usize = 4_096;

/// Values by a hash of them.
pub(crate) struct Interner<T> {
    by_hash: Map<u64, Vec<Arc<T>>>,
    count: usize,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Interner { by_hash: Map::default(), count: 0 }
    }
}

impl<T> Interner<T> {
    /// The value that is the `same`, or one that is made; `parts` are the texts in it.
    pub(crate) fn shared<const N: usize>(
        &mut self,
        parts: [&str; N],
        same: impl Fn(&T) -> bool,
        make: impl FnOnce() -> T,
    ) -> Arc<T> {
        let hash = hash(parts);
        if let Some(found) = self.by_hash.get(&hash).and_then(|known| known.iter().find(|value| same(value)))
        {
            return found.clone();
        }
        let new = Arc::new(make());
        if self.count < KEPT {
            self.by_hash.get_or_default(hash).push(new.clone());
            self.count += 1;
        }
        new
    }
}

/// FNV-1a, with an end after each part.
fn hash<const N: usize>(parts: [&str; N]) -> u64 {
    let bytes = parts.into_iter().flat_map(|part| part.bytes().chain([0xff]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
