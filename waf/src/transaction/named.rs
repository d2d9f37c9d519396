//! Named values in the order they were first set: the collections that rules write to.

use crate::hash;
use crate::operators::{Captures, atoi};
use crate::plan::{Index, NumberAsk};
use crate::text::ShortBytes;

/// A collection with names compared without case. A name keeps the spelling it was first given.
#[derive(Debug, Default)]
pub(crate) struct Named {
    entries: Vec<Entry>,
    /// Open addressing over the entries by the hash of their names; its length is a power of two.
    places: Vec<u32>,
}

#[derive(Debug)]
struct Entry {
    hash: u64,
    name: ShortBytes,
    value: Option<ShortBytes>,
    /// The value as a number.
    number: i64,
}

impl Entry {
    fn copied(&self) -> Self {
        Self {
            hash: self.hash,
            name: ShortBytes::from_slice(&self.name),
            value: self.value.as_deref().map(ShortBytes::from_slice),
            number: self.number,
        }
    }
}

/// What is no place in `entries`.
const EMPTY: u32 = u32::MAX;

impl Named {
    /// The name as it was first written, and the value.
    pub(crate) fn named_value(&self, name: &[u8]) -> Option<(&[u8], &[u8])> {
        let entry = self.entries.get(self.find(hash::without_case(name), name)?)?;
        Some((entry.name.as_slice(), entry.value.as_deref()?))
    }

    /// Where the name stands: a place stays a name's.
    fn place(&self, name: &[u8]) -> u32 {
        let place = self.find(hash::without_case(name), name);
        place.map_or(EMPTY, |place| place as u32)
    }

    #[inline]
    fn number_at(&self, place: u32) -> Option<i64> {
        let entry = self.entries.get(place as usize)?;
        entry.value.is_some().then_some(entry.number)
    }

    /// Sets a value; `false` if a new name would pass the limit.
    pub(crate) fn set(&mut self, name: &[u8], value: ShortBytes, limit: usize) -> bool {
        self.update(name, limit, |_| Some(value))
    }

    /// Sets a value to what comes of the old one, or removes it; `false` if a new name would pass the limit.
    pub(crate) fn update(
        &mut self,
        name: &[u8],
        limit: usize,
        change: impl FnOnce(Option<&[u8]>) -> Option<ShortBytes>,
    ) -> bool {
        let hash = hash::without_case(name);
        if let Some(entry) = self
            .find(hash, name)
            .and_then(|place| self.entries.get_mut(place))
        {
            entry.value = change(entry.value.as_deref());
            entry.number = entry.value.as_deref().map_or(0, atoi);
            return true;
        }
        let Some(value) = change(None) else { return true };
        if self.entries.len() >= limit {
            return false;
        }
        self.entries.push(Entry {
            hash,
            name: ShortBytes::from_slice(name),
            number: atoi(&value),
            value: Some(value),
        });
        self.note_last();
        true
    }

    /// Takes these entries of another one, ascending; those that are here are the same otherwise.
    fn take(&mut self, other: &Self, entries: &[usize]) {
        for place in entries {
            let entry = other.entries[*place].copied();
            match self.entries.get_mut(*place) {
                Some(known) => *known = entry,
                None => self.entries.push(entry),
            }
        }
        self.places.clone_from(&other.places);
    }

    /// Forgets all, and keeps the room.
    fn clear(&mut self) {
        self.entries.clear();
        self.places.fill(EMPTY);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let entries = self.entries.iter();
        entries.filter_map(|entry| Some((entry.name.as_slice(), entry.value.as_deref()?)))
    }

    fn find(&self, hash: u64, name: &[u8]) -> Option<usize> {
        let mask = self.places.len().wrapping_sub(1);
        let mut at = hash as usize & mask;
        loop {
            let place = *self.places.get(at)? as usize;
            let entry = self.entries.get(place)?;
            if entry.hash == hash && (*entry.name == *name || entry.name.eq_ignore_ascii_case(name)) {
                return Some(place);
            }
            at = (at + 1) & mask;
        }
    }

    fn note_last(&mut self) {
        if self.entries.len() * 2 > self.places.len() {
            self.places = vec![EMPTY; (self.places.len() * 2).max(256)];
            for place in 0..self.entries.len() {
                self.note(place);
            }
        } else {
            self.note(self.entries.len() - 1);
        }
    }

    fn note(&mut self, place: usize) {
        let mask = self.places.len() - 1;
        let mut at = self.entries[place].hash as usize & mask;
        while self.places[at] != EMPTY {
            at = (at + 1) & mask;
        }
        self.places[at] = place as u32;
    }
}

/// `TX`: named values, and the captures as its members `0` to `9`.
#[derive(Debug, Default)]
pub(crate) struct Tx {
    named: Named,
    captures: Captures,
    /// Where the names of [`Index::tx_names`] stand among the members, as far as they were looked up.
    known: Vec<u32>,
    /// A name was left out because there were too many.
    pub(crate) overflowed: bool,
    /// How many of the phase's openings have filled it, and whether anything else has written to it.
    opened: usize,
    written: bool,
}

const DIGITS: [&[u8]; 10] = [b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8", b"9"];

impl Tx {
    pub(crate) fn named_value(&self, name: &[u8]) -> Option<(&[u8], &[u8])> {
        match slot(name) {
            Some(slot) => Some((DIGITS[slot], self.captures.get(slot)?)),
            None => self.named.named_value(name),
        }
    }

    /// Whether a link that compares a member with a number matches.
    #[inline]
    pub(crate) fn holds(&mut self, ask: &NumberAsk, index: &Index) -> bool {
        let mut place = self.known.get(ask.name).copied().unwrap_or(EMPTY);
        if place == EMPTY {
            place = self.look_up(ask.name, index);
        }
        ask.holds(self.named.number_at(place))
    }

    #[inline(never)]
    fn look_up(&mut self, name: usize, index: &Index) -> u32 {
        self.known.resize(index.tx_names().len(), EMPTY);
        self.known[name] = self.named.place(&index.tx_names()[name]);
        self.known[name]
    }

    /// Whether it is as so many openings leave it.
    pub(super) fn is_opened(&self, openings: usize) -> bool {
        !self.written && self.opened == openings
    }

    /// So many openings have run, and left it like this.
    pub(super) fn note_opened(&mut self, openings: usize) {
        (self.opened, self.written) = (openings, false);
    }

    /// A copy.
    pub(super) fn copied(&self) -> Self {
        let mut copy = Self::default();
        copy.become_like(self, &(0..self.named.entries.len()).collect::<Vec<_>>());
        copy
    }

    /// The members that are not as they are in another one, which has no others behind them.
    pub(super) fn differences(&self, other: &Self) -> Vec<usize> {
        let entries = self.named.entries.iter().enumerate();
        let differ = |(place, entry): &(usize, &Entry)| {
            let known = other.named.entries.get(*place);
            known.is_none_or(|known| (&known.name, &known.value) != (&entry.name, &entry.value))
        };
        entries.filter(differ).map(|(place, _)| place).collect()
    }

    /// Becomes like another one, of which only these members differ.
    pub(super) fn become_like(&mut self, other: &Self, differences: &[usize]) {
        self.named.take(&other.named, differences);
        self.captures.clone_from(&other.captures);
        self.known.clone_from(&other.known);
        (self.overflowed, self.opened, self.written) = (other.overflowed, other.opened, other.written);
    }

    /// Sets a member to what comes of its old value, or removes it.
    pub(crate) fn update(
        &mut self,
        name: &[u8],
        limit: usize,
        change: impl FnOnce(Option<&[u8]>) -> Option<ShortBytes>,
    ) {
        self.written = true;
        match slot(name) {
            Some(slot) => {
                let value = change(self.captures.get(slot));
                self.captures.change(slot, value.as_deref());
            }
            None => self.overflowed |= !self.named.update(name, limit, change),
        }
    }

    /// Forgets all, and keeps the room.
    pub(super) fn clear(&mut self) {
        self.named.clear();
        self.captures.clear();
        self.known.fill(EMPTY);
        (self.overflowed, self.opened, self.written) = (false, 0, false);
    }

    /// Bytes of memory that are held for members.
    pub(super) fn held(&self) -> usize {
        size_of_val(&self.named.entries[..]) + size_of_val(&self.named.places[..])
    }

    /// Takes what an operator captured; the captures of earlier rules go.
    pub(crate) fn capture(&mut self, captures: Captures) {
        self.written = true;
        self.captures = captures;
    }

    /// The named members, then the captures.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let captures = self.captures.iter();
        self.named
            .iter()
            .chain(captures.map(|(slot, value)| (DIGITS[slot], value)))
    }
}

fn slot(name: &[u8]) -> Option<usize> {
    match name {
        [digit @ b'0'..=b'9'] => Some(usize::from(digit - b'0')),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_keep_their_first_spelling() {
        let mut named = Named::default();
        assert!(named.set(b"Score", ShortBytes::from_slice(b"1"), 9));
        assert!(named.set(b"SCORE", ShortBytes::from_slice(b"2"), 9));
        assert_eq!(named.named_value(b"score"), Some((&b"Score"[..], &b"2"[..])));
        assert_eq!(named.iter().count(), 1);
    }

    #[test]
    fn a_removed_name_is_absent_and_can_come_back_past_the_limit() {
        let mut named = Named::default();
        assert!(named.set(b"a", ShortBytes::from_slice(b"1"), 1));
        assert!(!named.set(b"b", ShortBytes::from_slice(b"1"), 1));
        assert!(named.update(b"A", 1, |_| None));
        assert_eq!(named.named_value(b"a"), None);
        assert!(named.set(b"a", ShortBytes::from_slice(b"3"), 1));
        assert_eq!(named.named_value(b"a"), Some((&b"a"[..], &b"3"[..])));
    }

    #[test]
    fn a_capture_replaces_all_ten_slots() {
        let mut tx = Tx::default();
        tx.update(b"9", 9, |_| Some(ShortBytes::from_slice(b"old")));
        let mut captures = Captures::new();
        captures.set(0, b"all");
        captures.set(2, b"two");
        tx.capture(captures);
        let members: Vec<_> = tx.iter().collect();
        assert_eq!(members, [(&b"0"[..], &b"all"[..]), (b"2", b"two")]);
        assert_eq!(tx.named_value(b"1"), None);
    }
}
