//! The Pods of a view: a plain list, or the roll that a cache keeps.

use super::census::Kept;
use super::facts::{Claim, PodFacts};
use core::fmt;

/// The digested Pods that a decision looks at, in the order of the view: a list of them, or those of a
/// [`JobCache`](crate::JobCache).
///
/// The order matters where upstream takes the first that fits. Decisions about a cache's Pods are those about a list of
/// the same Pods in the same order; they only come faster.
///
/// ```
/// use policy_core::job::{PodFacts, Pods};
/// let list: Vec<PodFacts> = Vec::new();
/// assert!(Pods::from(&list).is_empty());
/// ```
#[derive(Clone, Copy)]
pub struct Pods<'a>(pub(crate) Source<'a>);

/// Who knows the Pods.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    Listed(&'a [PodFacts]),
    Kept(&'a Kept),
}

impl<'a> Pods<'a> {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self.0 {
            Source::Listed(pods) => pods.len(),
            Source::Kept(kept) => kept.roll.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &'a PodFacts> + use<'a> {
        let (listed, kept) = match self.0 {
            Source::Listed(pods) => (pods, None),
            Source::Kept(kept) => (&[][..], Some(kept)),
        };
        let kept =
            kept.into_iter().flat_map(|kept| kept.roll.slots().filter_map(|slot| kept.roll.facts(slot)));
        listed.iter().chain(kept)
    }

    /// The Pod at a place, which only the source knows the meaning of.
    pub(crate) fn pod(&self, place: u32) -> Option<&'a PodFacts> {
        match self.0 {
            Source::Listed(pods) => pods.get(place as usize),
            Source::Kept(kept) => kept.roll.facts(place),
        }
    }

    /// The places of Pods that are not the Job's own, in order.
    pub(crate) fn not_owned(&self) -> impl Iterator<Item = (u32, &'a PodFacts)> + use<'a> {
        let (listed, kept) = match self.0 {
            Source::Listed(pods) => (pods, None),
            Source::Kept(kept) => (&[][..], Some(&kept.roll)),
        };
        let listed = (0_u32..).zip(listed).filter(|(_, pod)| pod.claim != Claim::Owned);
        let kept = kept.into_iter().flat_map(|roll| {
            roll.not_owned.values().filter_map(|slot| roll.facts(*slot).map(|pod| (*slot, pod)))
        });
        listed.chain(kept)
    }
}

impl<'a> From<&'a [PodFacts]> for Pods<'a> {
    fn from(pods: &'a [PodFacts]) -> Self {
        Pods(Source::Listed(pods))
    }
}

impl<'a> From<&'a alloc::vec::Vec<PodFacts>> for Pods<'a> {
    fn from(pods: &'a alloc::vec::Vec<PodFacts>) -> Self {
        Pods(Source::Listed(pods))
    }
}

impl<'a, const N: usize> From<&'a [PodFacts; N]> for Pods<'a> {
    fn from(pods: &'a [PodFacts; N]) -> Self {
        Pods(Source::Listed(pods))
    }
}

impl fmt::Debug for Pods<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
