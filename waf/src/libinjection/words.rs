//! Tables of words, built by the compiler from text files, asked without regard to case.
//!
//! A file has one word per line: a letter for what the word means, a space, the word in upper case.

/// What a slot of the table knows of its word.
#[derive(Clone, Copy)]
struct Slot {
    hash: u32,
    start: u16,
    /// 0: the slot is empty.
    length: u8,
    meaning: u8,
}

const EMPTY: Slot = Slot {
    hash: 0,
    start: 0,
    length: 0,
    meaning: 0,
};

/// A hash table of words with open addressing; `SLOTS` is a power of two, at least twice the words.
pub(super) struct WordTable<const SLOTS: usize> {
    text: &'static [u8],
    slots: [Slot; SLOTS],
}

/// Set in the meaning of a word with which a longer phrase of the table begins.
pub(super) const BEGINS_PHRASE: u8 = 0x80;

impl<const SLOTS: usize> WordTable<SLOTS> {
    /// Reads a file; the meaning of a word is its letter.
    pub(super) const fn new(text: &'static [u8]) -> Self {
        let mut table = Self {
            text,
            slots: [EMPTY; SLOTS],
        };
        let mut line = 0;
        while line < text.len() {
            let end = end_of_line(text, line);
            table.add(line + 2, end, text[line]);
            line = end + 1;
        }
        table
    }

    /// Marks every beginning of a phrase ("NOT" and "NOT SIMILAR" of "NOT SIMILAR TO"). Those that are no words
    /// of their own are added with no meaning but the mark.
    pub(super) const fn with_phrases(mut self) -> Self {
        let text = self.text;
        let mut line = 0;
        while line < text.len() {
            let end = end_of_line(text, line);
            let mut at = line + 2;
            while at < end {
                if text[at] == b' ' {
                    self.add(line + 2, at, BEGINS_PHRASE);
                }
                at += 1;
            }
            line = end + 1;
        }
        self
    }

    /// Adds to the word's meaning.
    const fn add(&mut self, start: usize, end: usize, meaning: u8) {
        let (_, rest) = self.text.split_at(start);
        let (word, _) = rest.split_at(end - start);
        let hash = hash(word);
        let mut at = hash as usize % SLOTS;
        while self.slots[at].length != 0 {
            if self.slots[at].hash == hash && self.holds(at, word) {
                self.slots[at].meaning |= meaning;
                return;
            }
            at = (at + 1) % SLOTS;
        }
        self.slots[at] = Slot {
            hash,
            start: start as u16,
            length: word.len() as u8,
            meaning,
        };
    }

    /// Whether the slot holds this word, byte for byte.
    const fn holds(&self, at: usize, word: &[u8]) -> bool {
        let slot = self.slots[at];
        let mut offset = 0;
        while offset < word.len() && word[offset] == self.text[slot.start as usize + offset] {
            offset += 1;
        }
        offset == word.len() && slot.length as usize == word.len()
    }

    /// The meaning of `word`, in whatever case.
    #[inline]
    pub(super) fn meaning(&self, word: &[u8]) -> Option<u8> {
        let hash = hash(word);
        let mut at = hash as usize % SLOTS;
        // Ends: at least half of the slots are empty.
        loop {
            let slot = &self.slots[at];
            if slot.length == 0 {
                return None;
            }
            if slot.hash == hash && self.word(slot).eq_ignore_ascii_case(word) {
                return Some(slot.meaning);
            }
            at = (at + 1) % SLOTS;
        }
    }

    fn word(&self, slot: &Slot) -> &'static [u8] {
        let start = usize::from(slot.start);
        self.text
            .get(start..start + usize::from(slot.length))
            .unwrap_or_default()
    }
}

const fn end_of_line(text: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < text.len() && text[at] != b'\n' {
        at += 1;
    }
    at
}

/// A hash of a word's length, its first and its last eight bytes, blind to the bit that tells "a" from "A". It
/// takes other bytes for equal, too: who hits a slot compares.
#[inline]
const fn hash(word: &[u8]) -> u32 {
    let (first, last) = match (word.first_chunk::<8>(), word.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => ends_of_short(word),
    };
    let first = (first & CASELESS).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let last = ((last & CASELESS) ^ (word.len() as u64)).wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    let mixed = first ^ last.rotate_left(29);
    (mixed ^ (mixed >> 32)) as u32
}

const CASELESS: u64 = 0xdfdf_dfdf_dfdf_dfdf;

/// Stand-ins for the first and the last eight bytes of a word that is shorter.
#[inline]
const fn ends_of_short(word: &[u8]) -> (u64, u64) {
    if let (Some(first), Some(last)) = (word.first_chunk::<4>(), word.last_chunk::<4>()) {
        (
            u32::from_le_bytes(*first) as u64,
            u32::from_le_bytes(*last) as u64,
        )
    } else if let [first, .., last] = word {
        (*first as u64 | (word[word.len() / 2] as u64) << 8, *last as u64)
    } else if let [only] = word {
        (*only as u64, 0)
    } else {
        (0, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::{BEGINS_PHRASE, WordTable};

    static FEW: WordTable<16> = WordTable::new(b"k NOT\nk NOT SIMILAR TO\nn X\nf ASCII\n").with_phrases();

    #[test]
    fn words_are_found_in_any_case() {
        for (word, meaning) in [
            (&b"ascii"[..], Some(b'f')),
            (b"AsCiI", Some(b'f')),
            (b"x", Some(b'n')),
            (b"not", Some(b'k' | BEGINS_PHRASE)),
            (b"not similar", Some(BEGINS_PHRASE)),
            (b"not similar to", Some(b'k')),
            (b"not  similar", None),
            (b"asci", None),
            (b"asciii", None),
            // The hash takes NUL for a space; the comparison does not.
            (b"not\0similar", None),
            (b"", None),
        ] {
            assert_eq!(
                FEW.meaning(word),
                meaning,
                "{:?}",
                word.escape_ascii().to_string()
            );
        }
    }
}
