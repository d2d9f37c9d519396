//! Fingerprints, and which of them only attacks have.

use std::fmt;

use super::token::Kind;

/// The most tokens of a fingerprint.
pub(super) const LONGEST: usize = 5;

/// The kinds of up to five tokens, a letter each.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    letters: [u8; LONGEST],
    length: u8,
    /// The kinds as a number, five bits each.
    code: u32,
}

impl Fingerprint {
    /// The letters.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.letters
            .get(..usize::from(self.length))
            .unwrap_or(&self.letters)
    }

    /// The letters as text; all of them are ASCII.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// Evil outdoes everything else, even in the place after the last.
    pub(super) fn of(kinds: impl Iterator<Item = Kind>) -> Self {
        let mut fingerprint = Self {
            letters: [0; LONGEST],
            length: 0,
            code: 0,
        };
        for kind in kinds {
            if kind == Kind::Evil {
                return Self {
                    letters: [kind.letter(), 0, 0, 0, 0],
                    length: 1,
                    code: symbol(kind),
                };
            }
            if let Some(place) = fingerprint.letters.get_mut(usize::from(fingerprint.length)) {
                *place = kind.letter();
                fingerprint.length += 1;
                fingerprint.code = fingerprint.code << BITS | symbol(kind);
            }
        }
        fingerprint
    }

    pub(super) fn is_evil(&self) -> bool {
        self.code == Kind::Evil as u32
    }

    /// Whether it is one of those that hardly anything but attacks has.
    pub(super) fn is_suspicious(&self) -> bool {
        HEADS.last_symbols(self.code >> BITS) >> (self.code & LAST) & 1 == 1
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Fingerprint")
            .field(&self.as_str())
            .finish()
    }
}

/// Bits of a symbol in a code.
const BITS: u32 = 5;
const LAST: u32 = (1 << BITS) - 1;

/// The table knows no difference between upper and lower case, hence none between the two letters T.
const fn symbol(kind: Kind) -> u32 {
    match kind {
        Kind::TransactSql => Kind::SqlType as u32,
        kind => kind as u32,
    }
}

static HEADS: Heads = Heads::new(include_bytes!("fingerprints.txt"));

/// Fingerprints, grouped by all but the last letter: a hash table from these to a set of last symbols.
struct Heads {
    slots: [Slot; SLOTS],
}

/// At least twice the number of groups.
const SLOTS: usize = 8192;

#[derive(Clone, Copy)]
struct Slot {
    head: u32,
    /// Empty if nothing is here.
    last_symbols: u32,
}

impl Heads {
    /// Reads a file: in each line a head, a space, the letters that make a fingerprint of it.
    const fn new(text: &[u8]) -> Self {
        let mut slots = [Slot {
            head: 0,
            last_symbols: 0,
        }; SLOTS];
        let (mut head, mut last_symbols, mut is_head) = (0, 0, true);
        let mut at = 0;
        while at < text.len() {
            match text[at] {
                b'\n' => {
                    slots[free_slot(&slots, head)] = Slot { head, last_symbols };
                    (head, last_symbols, is_head) = (0, 0, true);
                }
                b' ' => is_head = false,
                letter if is_head => head = head << BITS | symbol_of_upper(letter),
                letter => last_symbols |= 1 << symbol_of_upper(letter),
            }
            at += 1;
        }
        Self { slots }
    }

    /// The set of symbols with which `head` makes a fingerprint of the table.
    #[inline]
    fn last_symbols(&self, head: u32) -> u32 {
        let mut at = place(head);
        // Ends: at least half of the slots are empty.
        loop {
            let slot = &self.slots[at % SLOTS];
            if slot.head == head || slot.last_symbols == 0 {
                return slot.last_symbols;
            }
            at += 1;
        }
    }
}

const fn free_slot(slots: &[Slot; SLOTS], head: u32) -> usize {
    let mut at = place(head);
    while slots[at].last_symbols != 0 {
        at = (at + 1) % SLOTS;
    }
    at
}

const fn place(head: u32) -> usize {
    (head.wrapping_mul(0x9e37_79b1) >> 19) as usize % SLOTS
}

/// The symbol of a letter of the table, all of which are in upper case.
const fn symbol_of_upper(letter: u8) -> u32 {
    let kind = match letter {
        b'U' | b'B' | b'E' | b'A' | b'X' => Kind::of_letter(letter),
        letter => Kind::of_letter(letter.to_ascii_lowercase()),
    };
    symbol(kind)
}

#[cfg(test)]
mod tests {
    use super::{Fingerprint, Kind};

    fn of(letters: &[u8]) -> Fingerprint {
        Fingerprint::of(letters.iter().map(|&letter| Kind::of_letter(letter)))
    }

    /// In the spelling of tokens rather than of the table.
    fn as_tokens(upper: u8) -> u8 {
        if b"UBEAX".contains(&upper) {
            upper
        } else {
            upper.to_ascii_lowercase()
        }
    }

    #[test]
    fn exactly_the_fingerprints_of_the_table_are_suspicious() {
        let mut listed = std::collections::HashSet::new();
        for line in include_str!("fingerprints.txt").lines() {
            let (head, lasts) = line.split_once(' ').unwrap();
            for last in lasts.bytes() {
                listed.insert(head.bytes().chain([last]).map(as_tokens).collect::<Vec<u8>>());
            }
        }
        assert_eq!(listed.len(), 8367);
        assert!(listed.iter().all(|letters| of(letters).is_suspicious()));
        let kinds = b"kUBEtfn1vso&cA(){}.,:;?\\";
        let suspicious = sequences(kinds, 4)
            .filter(|letters| of(letters).is_suspicious())
            .count();
        assert_eq!(
            suspicious,
            listed
                .iter()
                .filter(|letters| letters.len() < 5 && letters[0] != b'X')
                .count()
        );
    }

    /// All sequences of these letters with at most so many.
    fn sequences(letters: &[u8], longest: u32) -> impl Iterator<Item = Vec<u8>> {
        let base = letters.len();
        (1..=longest).flat_map(move |length| {
            (0..base.pow(length)).map(move |number| {
                (0..length)
                    .map(|place| letters[number / base.pow(place) % base])
                    .collect()
            })
        })
    }

    #[test]
    fn letters_are_those_of_the_kinds() {
        assert_eq!(of(b"s&1oT").as_str(), "s&1oT");
        assert_eq!(of(b"sX").as_str(), "X");
        assert_eq!(of(b"").as_str(), "");
        assert!(!of(b"").is_suspicious());
    }
}
