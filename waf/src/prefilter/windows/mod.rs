//! Many literals looked for at once: the rarest four bytes of each, by pairs of bytes, then the literal itself.
//!
//! A dense automaton over some seven thousand literals takes megabytes and misses the caches. Here each byte of a value
//! costs one look-up in a table of 16 KiB: what windows begin with this pair of bytes, and what windows go on with it. Where
//! both agree, two bytes apart, the window itself is looked up; of an ordinary value few are.

mod groups;

use super::classes::{PAIRS, class, pair};
use super::{ByteSet, rarity};
use groups::{FOUR, GATES, GROUPS, THREE, TWO, gates_of, grouped, mask};

/// A literal's number.
pub(super) type AtomId = u32;

/// Literals, ready to be looked for. They and the values are compared with ASCII capitals as small letters.
#[derive(Debug)]
pub(super) struct Windows {
    /// By a pair of classes: in the lower half a bit for each group with a window that begins with the pair, in the
    /// upper half one for each group with a window that goes on with it.
    pairs: Box<[u32; PAIRS]>,
    /// What a value needs for the literals of each kind to tell anything.
    gates: [ByteSet; GATES],
    /// Open addressing over the windows of all lengths.
    places: Vec<u32>,
    entries: Vec<Entry>,
    atoms: Vec<Atom>,
    text: Vec<u8>,
    literals: usize,
}

/// Room to work in: a bit for each literal that was found.
#[derive(Debug, Default)]
pub(super) struct Reading(Vec<u64>);

#[derive(Debug)]
struct Entry {
    key: Key,
    /// The atoms of this window: `atoms[first..end]`.
    first: u32,
    end: u32,
}

/// The bytes of a window, the first one lowest, and above them how many they are.
type Key = u64;

#[derive(Debug, Clone, Copy)]
struct Atom {
    id: AtomId,
    start: u32,
    length: u32,
    /// How many bytes of the literal stand before its window.
    before: u32,
}

/// What is no entry.
const NONE: u32 = u32::MAX;

impl Windows {
    /// The literals, each with at least two bytes and without ASCII capitals; a literal's number is its place. With
    /// each of them bytes: without any of those in a value it need not be found there.
    pub(super) fn new(literals: &[(&[u8], ByteSet)]) -> Self {
        let gates = gates_of(literals);
        let (mut windows, mut text) = (Vec::with_capacity(literals.len()), Vec::new());
        for (id, (literal, gate)) in (0..).zip(literals) {
            let (window, before) = window_of(literal);
            let atom = Atom {
                id,
                start: text.len() as u32,
                length: literal.len() as u32,
                before: before as u32,
            };
            let gate = gates.iter().position(|known| gate.union(*known) == *known);
            windows.push((key_of(window), atom, gate.unwrap_or(GATES - 1)));
            text.extend_from_slice(literal);
        }
        windows.sort_unstable_by_key(|(key, atom, _)| (*key, atom.id));
        let mut built = Self {
            pairs: grouped(&windows),
            gates,
            places: vec![NONE; (windows.len() * 2).next_power_of_two().max(2)],
            entries: Vec::new(),
            atoms: Vec::new(),
            text,
            literals: literals.len(),
        };
        for (key, atom, _) in windows {
            built.add(key, atom);
        }
        built
    }

    fn add(&mut self, key: Key, atom: Atom) {
        let place = self.atoms.len() as u32;
        match self.entries.last_mut() {
            Some(last) if last.key == key => last.end = place + 1,
            _ => self.add_entry(key, place),
        }
        self.atoms.push(atom);
    }

    fn add_entry(&mut self, key: Key, place: u32) {
        let entry = self.entries.len() as u32;
        self.entries.push(Entry {
            key,
            first: place,
            end: place + 1,
        });
        let mask = self.places.len() - 1;
        let mut at = hash(key) & mask;
        while self.places[at] != NONE {
            at = (at + 1) & mask;
        }
        self.places[at] = entry;
    }

    /// Whether there is nothing to look for.
    pub(super) fn is_empty(&self) -> bool {
        self.atoms.is_empty()
    }

    /// Names each literal that occurs in the value, in which these bytes are present.
    #[inline]
    pub(super) fn find(
        &self,
        value: &[u8],
        present: &ByteSet,
        reading: &mut Reading,
        found: &mut impl FnMut(AtomId),
    ) {
        let Some((first, rest)) = value.split_first() else {
            return;
        };
        if self.is_empty() {
            return;
        }
        reading.0.clear();
        reading.0.resize(self.literals.div_ceil(64), 0);
        let mut pairs = Pairs {
            table: &self.pairs,
            open: self.open(present),
            last: class(*first),
            begun: 0,
            before: 0,
        };
        let (twos, rest) = rest.as_chunks::<2>();
        // Windows of two and three bytes may end with the value: whatever comes behind it.
        let end = rest.iter().chain(&[0, 0]);
        // Where windows begin of which the second pair ends with the first of the two bytes.
        let mut start = usize::MAX - 1;
        for [one, other] in twos {
            let groups = [pairs.next(*one), pairs.next(*other)];
            if groups[0] != 0 {
                self.verify(groups[0], start, value, reading, found);
            }
            if groups[1] != 0 {
                self.verify(groups[1], start.wrapping_add(1), value, reading, found);
            }
            start = start.wrapping_add(2);
        }
        for byte in end {
            let groups = pairs.next(*byte);
            if groups != 0 {
                self.verify(groups, start, value, reading, found);
            }
            start = start.wrapping_add(1);
        }
    }

    /// The groups whose literals tell something of a value with these bytes.
    fn open(&self, present: &ByteSet) -> u32 {
        let gates = self.gates.iter().zip(&GROUPS);
        let open = gates.filter(|(gate, _)| gate.intersects(present));
        open.flat_map(|(_, groups)| groups)
            .fold(0, |open, groups| open | mask(groups.clone()))
    }

    /// `start` is where windows of these groups may stand.
    #[inline(never)]
    fn verify(
        &self,
        groups: u32,
        start: usize,
        value: &[u8],
        reading: &mut Reading,
        found: &mut impl FnMut(AtomId),
    ) {
        let Some((window, length)) = window_at(value, start) else {
            return;
        };
        if groups & FOUR != 0 && length >= 4 {
            self.verify_window(4, window, start, value, reading, found);
        }
        if groups & THREE != 0 && length >= 3 {
            self.verify_window(3, window & 0x00ff_ffff, start, value, reading, found);
        }
        if groups & TWO != 0 && length >= 2 {
            self.verify_window(2, window & 0xffff, start, value, reading, found);
        }
    }

    #[inline(always)]
    fn verify_window(
        &self,
        size: Key,
        window: u32,
        start: usize,
        value: &[u8],
        reading: &mut Reading,
        found: &mut impl FnMut(AtomId),
    ) {
        let Some(entry) = self.entry(size << 32 | Key::from(window)) else {
            return;
        };
        for atom in &self.atoms[entry.first as usize..entry.end as usize] {
            let (word, bit) = (atom.id as usize / 64, 1 << (atom.id % 64));
            if reading.0[word] & bit == 0 && self.occurs(atom, value, start) {
                reading.0[word] |= bit;
                found(atom.id);
            }
        }
    }

    #[inline]
    fn entry(&self, key: Key) -> Option<&Entry> {
        let mask = self.places.len() - 1;
        let mut at = hash(key) & mask;
        loop {
            let place = self.places[at] as usize;
            let entry = self.entries.get(place)?;
            if entry.key == key {
                return Some(entry);
            }
            at = (at + 1) & mask;
        }
    }

    /// `start` is where the atom's window stands.
    #[inline]
    fn occurs(&self, atom: &Atom, value: &[u8], start: usize) -> bool {
        let text = &self.text[atom.start as usize..(atom.start + atom.length) as usize];
        let part = start
            .checked_sub(atom.before as usize)
            .and_then(|start| value.get(start..start + text.len()));
        part.is_some_and(|part| part.eq_ignore_ascii_case(text))
    }
}

/// The pairs of a value, one after another.
struct Pairs<'w> {
    table: &'w [u32; PAIRS],
    /// The groups that matter.
    open: u32,
    /// The class of the byte before.
    last: usize,
    /// What the table has of the pair before the last one, and of the last one.
    begun: u32,
    before: u32,
}

impl Pairs<'_> {
    /// The groups of which a window may begin two bytes before the pair that ends with this byte.
    #[inline(always)]
    fn next(&mut self, byte: u8) -> u32 {
        let class = class(byte);
        let here = self.table[pair(self.last, class)];
        let groups = self.begun & here >> 16 & self.open;
        (self.last, self.begun, self.before) = (class, self.before, here);
        groups
    }
}

/// Four bytes of the value from here on in small letters, the first one lowest, or as many as there are.
#[inline]
fn window_at(value: &[u8], start: usize) -> Option<(u32, usize)> {
    let rest = value.get(start..)?;
    let (bytes, length) = match rest.first_chunk::<4>() {
        Some(bytes) => (u32::from_le_bytes(*bytes), 4),
        None => {
            let bytes = rest.iter().rev();
            (
                bytes.fold(0, |window, byte| window << 8 | u32::from(*byte)),
                rest.len(),
            )
        }
    };
    Some((in_small_letters(bytes), length))
}

/// Four bytes with ASCII capitals as small letters: those between `A` and `Z` are found in all of them at once.
#[inline]
fn in_small_letters(bytes: u32) -> u32 {
    const EACH: u32 = 0x0101_0101;
    let low = bytes & (0x7f * EACH);
    let from_a = low + (0x80 - b'A' as u32) * EACH;
    let behind_z = low + (0x7f - b'Z' as u32) * EACH;
    bytes | (from_a & !behind_z & !bytes & (0x80 * EACH)) >> 2
}

/// The window of a literal, its rarest one, and how many of its bytes stand before it.
fn window_of(literal: &[u8]) -> (&[u8], usize) {
    let size = literal.len().min(4);
    let starts = 0..=literal.len() - size;
    let window = |start: usize| &literal[start..start + size];
    let commonness = |start: &usize| rarity::of_text(window(*start));
    let rarest = starts.min_by(|a, b| commonness(a).total_cmp(&commonness(b)));
    let start = rarest.unwrap_or(0);
    (window(start), start)
}

fn key_of(window: &[u8]) -> Key {
    let bytes = window.iter().rev();
    (window.len() as Key) << 32 | bytes.fold(0, |key, byte| key << 8 | Key::from(*byte))
}

fn hash(key: Key) -> usize {
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(literals: &[&str], value: &[u8]) -> Vec<AtomId> {
        let literals = literals.iter().map(|text| (text.as_bytes(), ByteSet::ALL));
        let literals: Vec<_> = literals.collect();
        let mut found = Vec::new();
        let windows = Windows::new(&literals);
        windows.find(value, &ByteSet::ALL, &mut Reading::default(), &mut |id| {
            found.push(id)
        });
        found.sort_unstable();
        found.dedup();
        found
    }

    #[test]
    fn literals_are_found_wherever_they_stand_and_in_any_case() {
        let literals = ["select", "sel", "--", "ab", "abc", "/etc/passwd", "\u{e9}x"];
        for (value, expected) in [
            (&b"SELECT"[..], &[0, 1][..]),
            (b"xx--sElx", &[1, 2]),
            (b"ab", &[3]),
            (b"aBc", &[3, 4]),
            (b"cat /etc/passwd", &[5]),
            (b"cat /etc/passw", &[]),
            ("\u{e9}X".as_bytes(), &[6]),
            (b"", &[]),
            (b"-", &[]),
        ] {
            assert_eq!(found(&literals, value), expected, "{}", value.escape_ascii());
        }
    }

    #[test]
    fn nothing_is_found_behind_the_end() {
        let literals = ["\0\0", "\0\0\0", "x\0\0\0", "\0\0\0\0\0", "y\0"];
        for value in ["", "x", "ab", "x\0", "abx\0", "x\0\0", "y"] {
            let expected = literals.iter().position(|literal| value.contains(literal));
            let expected: Vec<_> = expected.map(|place| place as AtomId).into_iter().collect();
            assert_eq!(found(&literals, value.as_bytes()), expected, "{value:?}");
        }
    }

    /// Held against the obvious way.
    #[test]
    fn nothing_is_missed() {
        let alphabet = b"ab<C";
        let word = |mut number: usize, length: usize| -> Vec<u8> {
            let mut word = Vec::new();
            for _ in 0..length {
                word.push(alphabet[number % 4].to_ascii_lowercase());
                number /= 4;
            }
            word
        };
        let literals: Vec<_> = (0..64).map(|number| word(number * 37, 2 + number % 5)).collect();
        let borrowed: Vec<_> = literals.iter().map(|text| (&text[..], ByteSet::ALL)).collect();
        let windows = Windows::new(&borrowed);
        for number in 0..4096 {
            let value: Vec<u8> = word(number, 6).iter().map(u8::to_ascii_uppercase).collect();
            let folded = value.to_ascii_lowercase();
            let mut seen = vec![false; literals.len()];
            windows.find(&value, &ByteSet::ALL, &mut Reading::default(), &mut |id| {
                seen[id as usize] = true
            });
            for (literal, seen) in literals.iter().zip(seen) {
                let occurs = folded.windows(literal.len()).any(|part| part == literal);
                assert_eq!(
                    seen,
                    occurs,
                    "{} in {}",
                    literal.escape_ascii(),
                    value.escape_ascii()
                );
            }
        }
    }
}
