//! UIDs and generated names: random as upstream's, and the same for the same seed.

/// The letters of generated names (upstream `rand.SafeEncodeString`): no vowels, nothing that looks alike.
const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
/// How many letters are appended (upstream `names.randomLength`).
const SUFFIX_LENGTH: usize = 5;

/// Makes UIDs and name suffixes.
#[derive(Clone, Debug)]
pub(crate) struct Identities(fastrand::Rng);

impl Default for Identities {
    fn default() -> Self {
        Identities::new(0)
    }
}

impl Identities {
    /// The store has a generator of its own, so that names do not depend on what other parts of the world draw.
    pub(crate) fn new(seed: u64) -> Self {
        Identities(fastrand::Rng::with_seed(seed ^ 0x6a6f_6270_6f6c_6963))
    }

    /// A UID in the form of a random UUID.
    pub(crate) fn uid(&mut self) -> String {
        let (high, low) = (self.0.u64(..), self.0.u64(..));
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            (low >> 48) & 0x3fff | 0x8000,
            low & 0xffff_ffff_ffff
        )
    }

    /// What is appended to `generateName`.
    pub(crate) fn suffix(&mut self) -> String {
        // Not drawn as `usize`: that gives other letters on machines of 32 bits, WebAssembly among them.
        let letter = |number: u64| ALPHABET.get(usize::try_from(number).unwrap_or(0)).copied();
        let drawn = (0..SUFFIX_LENGTH).filter_map(|_| letter(self.0.u64(..ALPHABET.len() as u64)));
        drawn.map(char::from).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_names_and_uuids() {
        let mut first = Identities::new(7);
        let mut second = Identities::new(7);
        assert_eq!((first.uid(), first.suffix()), (second.uid(), second.suffix()));
        let uid = Identities::new(8).uid();
        assert_eq!(uid.len(), 36);
        assert_eq!(uid.as_bytes()[14], b'4');
        assert_ne!(uid, Identities::new(7).uid());
    }
}
