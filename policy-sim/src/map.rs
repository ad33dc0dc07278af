//! Maps, sets and lists of which a copy costs little: they are kept in chunks that copies share until one of them changes
//! one. A session keeps many copies of a world, to go back to.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// Entries of a chunk at most; one that is full becomes two.
const CHUNK: usize = 64;

/// A map.
#[derive(Clone)]
pub struct Map<K, V> {
    /// Not empty, each with entries in order and before those of the next.
    chunks: Vec<Arc<Vec<(K, V)>>>,
    len: usize,
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Map { chunks: Vec::new(), len: 0 }
    }
}

impl<K, V> Map<K, V> {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The entries, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.chunks.iter().flat_map(|chunk| chunk.iter().map(|(key, value)| (key, value)))
    }

    /// The keys, in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// The values, in the order of the keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// The entry with the lowest key.
    pub fn first(&self) -> Option<(&K, &V)> {
        self.chunks.first()?.first().map(|(key, value)| (key, value))
    }

    /// The chunk and the place in it of a key, or where it would be.
    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> (usize, Result<usize, usize>)
    where
        K: Borrow<Q>,
    {
        let after = self
            .chunks
            .partition_point(|chunk| chunk.first().is_some_and(|(first, _)| first.borrow() <= key));
        let place = after.saturating_sub(1);
        let found = self
            .chunks
            .get(place)
            .map_or(Err(0), |chunk| chunk.binary_search_by(|(known, _)| known.borrow().cmp(key)));
        (place, found)
    }

    /// A key's value.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let (chunk, place) = self.find(key);
        self.chunks.get(chunk)?.get(place.ok()?).map(|(_, value)| value)
    }

    /// Whether there is that key.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.find(key).1.is_ok()
    }
}

impl<K: Ord + Clone, V: Clone> Map<K, V> {
    /// A key's value, to be changed.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let (chunk, place) = self.find(key);
        let chunk = Arc::make_mut(self.chunks.get_mut(chunk)?);
        chunk.get_mut(place.ok()?).map(|(_, value)| value)
    }

    /// The entries, their values to be changed, in order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.chunks
            .iter_mut()
            .flat_map(|chunk| Arc::make_mut(chunk).iter_mut().map(|(key, value)| (&*key, value)))
    }

    /// The values, to be changed, in the order of the keys.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.iter_mut().map(|(_, value)| value)
    }

    /// Sets a key's value; returns the one before.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.find(&key) {
            (chunk, Ok(place)) => {
                let (_, known) = Arc::make_mut(self.chunks.get_mut(chunk)?).get_mut(place)?;
                Some(std::mem::replace(known, value))
            }
            (chunk, Err(place)) => {
                self.put(chunk, place, key, value);
                None
            }
        }
    }

    /// A key's value, to be changed; it is made first if there is none.
    pub fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        let (chunk, place) = match self.find(&key) {
            (chunk, Ok(place)) => (chunk, place),
            (chunk, Err(place)) => self.put(chunk, place, key, make()),
        };
        &mut Arc::make_mut(&mut self.chunks[chunk])[place].1
    }

    /// As [`Map::get_or_insert_with`], with a default.
    pub fn get_or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        self.get_or_insert_with(key, V::default)
    }

    /// Puts a new entry at its place, as found; returns where it is then.
    fn put(&mut self, chunk: usize, place: usize, key: K, value: V) -> (usize, usize) {
        self.len += 1;
        let Some(shared) = self.chunks.get_mut(chunk) else {
            self.chunks.push(Arc::new(vec![(key, value)]));
            return (0, 0);
        };
        let entries = Arc::make_mut(shared);
        if entries.len() < CHUNK {
            entries.insert(place, (key, value));
            return (chunk, place);
        }
        // What grows at its end leaves full chunks behind; anything else halves.
        let middle = if place == CHUNK { CHUNK } else { CHUNK / 2 };
        let mut upper = entries.split_off(middle);
        let in_upper = place >= middle;
        if in_upper {
            upper.insert(place - middle, (key, value));
        } else {
            entries.insert(place, (key, value));
        }
        self.chunks.insert(chunk + 1, Arc::new(upper));
        if in_upper { (chunk + 1, place - middle) } else { (chunk, place) }
    }

    /// Takes a key out; returns its value.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let (chunk, place) = self.find(key);
        let entries = Arc::make_mut(self.chunks.get_mut(chunk)?);
        let (_, value) = entries.remove(place.ok()?);
        if entries.is_empty() {
            self.chunks.remove(chunk);
        }
        self.len -= 1;
        Some(value)
    }

    /// Keeps the entries for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &V) -> bool) {
        for chunk in &mut self.chunks {
            Arc::make_mut(chunk).retain(|(key, value)| keep(key, value));
        }
        self.chunks.retain(|chunk| !chunk.is_empty());
        self.len = self.chunks.iter().map(|chunk| chunk.len()).sum();
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Map<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// A set.
#[derive(Clone)]
pub struct Set<K> {
    map: Map<K, ()>,
}

impl<K> Default for Set<K> {
    fn default() -> Self {
        Set { map: Map::default() }
    }
}

impl<K> Set<K> {
    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// The keys, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.map.keys()
    }

    /// The lowest key.
    pub fn first(&self) -> Option<&K> {
        self.map.first().map(|(key, ())| key)
    }

    /// Whether there is that key.
    pub fn contains<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.map.contains_key(key)
    }
}

impl<K: Ord + Clone> Set<K> {
    /// Puts a key in; tells whether it is new.
    pub fn insert(&mut self, key: K) -> bool {
        self.map.insert(key, ()).is_none()
    }

    /// Takes a key out; tells whether it was there.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.map.remove(key).is_some()
    }
}

impl<K: Ord + Clone> Extend<K> for Set<K> {
    fn extend<I: IntoIterator<Item = K>>(&mut self, keys: I) {
        for key in keys {
            self.insert(key);
        }
    }
}

impl<K: Ord + Clone> FromIterator<K> for Set<K> {
    fn from_iter<I: IntoIterator<Item = K>>(keys: I) -> Self {
        let mut set = Set::default();
        set.extend(keys);
        set
    }
}

impl<K: fmt::Debug> fmt::Debug for Set<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// A list that grows at its end.
#[derive(Clone)]
pub struct List<T> {
    /// All full but the last.
    chunks: Vec<Arc<Vec<T>>>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        List { chunks: Vec::new() }
    }
}

impl<T> List<T> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.chunks.last().map_or(0, |last| (self.chunks.len() - 1) * CHUNK + last.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }

    /// Those from a place on.
    pub fn from(&self, place: usize) -> impl Iterator<Item = &T> {
        let chunks = self.chunks.get(place / CHUNK..).unwrap_or_default();
        chunks.iter().flat_map(|chunk| chunk.iter()).skip(place % CHUNK)
    }

    /// The one at a place.
    pub fn get(&self, place: usize) -> Option<&T> {
        self.chunks.get(place / CHUNK)?.get(place % CHUNK)
    }
}

impl<T: Clone> List<T> {
    /// The one at a place, to be changed.
    pub fn get_mut(&mut self, place: usize) -> Option<&mut T> {
        Arc::make_mut(self.chunks.get_mut(place / CHUNK)?).get_mut(place % CHUNK)
    }

    /// Adds one at the end.
    pub fn push(&mut self, item: T) {
        match self.chunks.last_mut().filter(|last| last.len() < CHUNK) {
            Some(last) => Arc::make_mut(last).push(item),
            None => self.chunks.push(Arc::new(vec![item])),
        }
    }

    /// Adds some at the end, until there are so many.
    pub fn grow_with(&mut self, len: usize, make: impl Fn() -> T) {
        while self.len() < len {
            self.push(make());
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_is_a_map_in_order(steps in prop::collection::vec((0u16..400, any::<bool>()), 0..2000)) {
            let (mut ours, mut known) = (Map::default(), BTreeMap::new());
            for (number, (key, put)) in steps.into_iter().enumerate() {
                if put {
                    prop_assert_eq!(ours.insert(key, number), known.insert(key, number));
                } else {
                    prop_assert_eq!(ours.remove(&key), known.remove(&key));
                }
                prop_assert_eq!(ours.len(), known.len());
                prop_assert_eq!(ours.get(&key), known.get(&key));
            }
            prop_assert!(ours.iter().eq(known.iter()));
            prop_assert_eq!(ours.first(), known.first_key_value());
            ours.retain(|key, _| key % 3 == 0);
            known.retain(|key, _| key % 3 == 0);
            prop_assert!(ours.iter().rev().eq(known.iter().rev()));
            *ours.get_or_default(7) += 1;
            *known.entry(7).or_default() += 1;
            prop_assert!(ours.iter().eq(known.iter()));
        }
    }

    #[test]
    fn a_copy_does_not_see_what_comes_later() {
        let mut set: Set<u32> = (0..1000).collect();
        let copy = set.clone();
        set.remove(&500);
        set.insert(5000);
        assert!(copy.contains(&500) && !copy.contains(&5000));
        assert_eq!((copy.len(), set.len()), (1000, 1000));
    }

    #[test]
    fn a_list_is_a_list() {
        let mut list = List::default();
        list.grow_with(200, || 0);
        let copy = list.clone();
        list.push(1);
        *list.get_mut(70).unwrap() = 7;
        assert_eq!((list.len(), list.iter().sum::<i32>(), list.from(70).sum::<i32>()), (201, 8, 8));
        assert_eq!((copy.len(), copy.iter().sum::<i32>(), list.from(71).count()), (200, 0, 130));
        assert_eq!((list.get(200), list.get(201), copy.get(200)), (Some(&1), None, None));
    }
}
