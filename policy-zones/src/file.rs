//! The file of zones: names, then the data of each zone, in numbers of variable length.

use crate::rule::{Rule, YearlyChange};

/// What the file begins with: its form.
const FORM: &[u8] = b"zones 1\n";

/// A change of the clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The first second after it, since the Unix epoch.
    pub at: i64,
    /// Local time less UTC from then on, in seconds.
    pub offset_seconds: i32,
}

/// A zone's changes: those that are listed, and the rule by which they go on.
#[derive(Debug)]
pub(crate) struct Zone {
    pub(crate) first_offset: i32,
    pub(crate) changes: Vec<Change>,
    pub(crate) rule: Option<Rule>,
}

/// All zones.
#[derive(Debug, Default)]
pub(crate) struct Zones {
    /// In order, each with the place of its data; many names share one.
    names: Vec<(Box<str>, usize)>,
    zones: Vec<Zone>,
}

impl Zones {
    /// Reads the file; none when it is no such file.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader { bytes: bytes.strip_prefix(FORM)? };
        let text = reader.text()?;
        let names =
            text.lines().map(|name| Some((name.into(), reader.size()?))).collect::<Option<Vec<_>>>()?;
        let count = reader.size()?;
        let zones = (0..count).map(|_| reader.zone()).collect::<Option<Vec<_>>>()?;
        let sound = reader.bytes.is_empty()
            && names.is_sorted_by(|(a, _), (b, _)| a < b)
            && names.iter().all(|(_, zone)| *zone < zones.len());
        sound.then_some(Zones { names, zones })
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|(name, _)| &**name)
    }

    /// The number of a name.
    pub(crate) fn find(&self, name: &str) -> Option<u32> {
        let place = self.names.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
        u32::try_from(place).ok()
    }

    /// The data for the number of a name.
    pub(crate) fn zone(&self, number: u32) -> Option<&Zone> {
        let (_, zone) = self.names.get(usize::try_from(number).ok()?)?;
        self.zones.get(*zone)
    }
}

struct Reader<'b> {
    bytes: &'b [u8],
}

impl<'b> Reader<'b> {
    fn text(&mut self) -> Option<&'b str> {
        let length = self.size()?;
        let (text, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        std::str::from_utf8(text).ok()
    }

    /// Seven bits a byte, the lowest first; the highest bit says that there are more.
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.bytes.split_first()?;
            self.bytes = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// The sign is the lowest bit.
    fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        i64::try_from(number >> 1).ok().map(|half| if number & 1 == 0 { half } else { -half - 1 })
    }

    fn size(&mut self) -> Option<usize> {
        // No more than there are bytes, so that no number asks for room that is not needed.
        self.number()?.try_into().ok().filter(|size| *size <= self.bytes.len())
    }

    fn offset(&mut self) -> Option<i32> {
        self.signed()?.try_into().ok()
    }

    fn zone(&mut self) -> Option<Zone> {
        let first_offset = self.offset()?;
        let count = self.size()?;
        let (mut changes, mut at) = (Vec::with_capacity(count), 0i64);
        for _ in 0..count {
            at = at.checked_add(self.signed()?)?;
            changes.push(Change { at, offset_seconds: self.offset()? });
        }
        let sorted = changes.is_sorted_by(|a, b| a.at < b.at);
        let since = i32::try_from(self.number()?).ok()?;
        let rule = if since == 0 { None } else { Some(self.rule(since)?) };
        sorted.then_some(Zone { first_offset, changes, rule })
    }

    fn rule(&mut self, since: i32) -> Option<Rule> {
        let count = self.size()?;
        let changes = (0..count).map(|_| {
            Some(YearlyChange {
                days: self.number()?.try_into().ok()?,
                weekday: self.number()?.try_into().ok().filter(|day| *day < 7)?,
                second: self.number()?.try_into().ok()?,
                offset_seconds: self.offset()?,
            })
        });
        Some(Rule { since, changes: changes.collect::<Option<_>>()? })
    }
}
