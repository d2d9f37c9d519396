//! Named values in the order they were first set: the collections that rules write to.

use crate::hash;
use crate::operators::Captures;

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
    name: Vec<u8>,
    value: Option<Vec<u8>>,
}

/// What is no place in `entries`.
const EMPTY: u32 = u32::MAX;

impl Named {
    /// The name as it was first written, and the value.
    pub(crate) fn named_value(&self, name: &[u8]) -> Option<(&[u8], &[u8])> {
        let entry = self.entries.get(self.find(hash::without_case(name), name)?)?;
        Some((entry.name.as_slice(), entry.value.as_deref()?))
    }

    /// Sets a value; `false` if a new name would pass the limit.
    pub(crate) fn set(&mut self, name: &[u8], value: Vec<u8>, limit: usize) -> bool {
        let hash = hash::without_case(name);
        if let Some(entry) = self
            .find(hash, name)
            .and_then(|place| self.entries.get_mut(place))
        {
            entry.value = Some(value);
            return true;
        }
        if self.entries.len() >= limit {
            return false;
        }
        self.entries.push(Entry {
            hash,
            name: name.to_vec(),
            value: Some(value),
        });
        self.note_last();
        true
    }

    pub(crate) fn remove(&mut self, name: &[u8]) {
        let place = self.find(hash::without_case(name), name);
        if let Some(entry) = place.and_then(|place| self.entries.get_mut(place)) {
            entry.value = None;
        }
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
            if entry.hash == hash && entry.name.eq_ignore_ascii_case(name) {
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
    captures: [Option<Vec<u8>>; 10],
    /// A name was left out because there were too many.
    pub(crate) overflowed: bool,
}

const DIGITS: [&[u8]; 10] = [b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8", b"9"];

impl Tx {
    pub(crate) fn named_value(&self, name: &[u8]) -> Option<(&[u8], &[u8])> {
        match slot(name) {
            Some(slot) => Some((DIGITS[slot], self.captures[slot].as_deref()?)),
            None => self.named.named_value(name),
        }
    }

    pub(crate) fn set(&mut self, name: &[u8], value: Vec<u8>, limit: usize) {
        match slot(name) {
            Some(slot) => self.captures[slot] = Some(value),
            None => self.overflowed |= !self.named.set(name, value, limit),
        }
    }

    pub(crate) fn remove(&mut self, name: &[u8]) {
        match slot(name) {
            Some(slot) => self.captures[slot] = None,
            None => self.named.remove(name),
        }
    }

    /// Takes what an operator captured; the captures of earlier rules go.
    pub(crate) fn capture(&mut self, captures: &Captures) {
        self.captures = Default::default();
        for (slot, value) in captures.iter() {
            self.captures[slot] = Some(value.to_vec());
        }
    }

    /// The named members, then the captures.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let captures = DIGITS.iter().zip(&self.captures);
        self.named
            .iter()
            .chain(captures.filter_map(|(&name, value)| Some((name, value.as_deref()?))))
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
        assert!(named.set(b"Score", b"1".to_vec(), 9));
        assert!(named.set(b"SCORE", b"2".to_vec(), 9));
        assert_eq!(named.named_value(b"score"), Some((&b"Score"[..], &b"2"[..])));
        assert_eq!(named.iter().count(), 1);
    }

    #[test]
    fn a_removed_name_is_absent_and_can_come_back_past_the_limit() {
        let mut named = Named::default();
        assert!(named.set(b"a", b"1".to_vec(), 1));
        assert!(!named.set(b"b", b"1".to_vec(), 1));
        named.remove(b"A");
        assert_eq!(named.named_value(b"a"), None);
        assert!(named.set(b"a", b"3".to_vec(), 1));
        assert_eq!(named.named_value(b"a"), Some((&b"a"[..], &b"3"[..])));
    }

    #[test]
    fn a_capture_replaces_all_ten_slots() {
        let mut tx = Tx::default();
        tx.set(b"9", b"old".to_vec(), 9);
        let mut captures = Captures::new();
        captures.set(0, b"all");
        captures.set(2, b"two");
        tx.capture(&captures);
        let members: Vec<_> = tx.iter().collect();
        assert_eq!(members, [(&b"0"[..], &b"all"[..]), (b"2", b"two")]);
        assert_eq!(tx.named_value(b"1"), None);
    }
}
