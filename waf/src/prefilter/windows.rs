//! Many literals looked for at once: short windows of them in three bitmaps, then the literal itself.
//!
//! A dense automaton over some seven thousand literals takes megabytes and misses the caches. Here two bytes of a
//! value cost four look-ups in bitmaps that stay in the first cache; of an ordinary value few windows are in them.
//! A value is read at every second byte: a literal that is long enough has a window at each of two places side by
//! side, and one of them is where the value is read.

use super::rarity;

/// A literal's number.
pub(super) type AtomId = u32;

/// Literals, ready to be looked for. They and the values are compared with ASCII capitals as small letters.
#[derive(Debug)]
pub(super) struct Windows {
    /// Of literals of two and three bytes the rarest two. Read at each byte.
    pairs: Bitmap<1024>,
    /// Both windows of three bytes of the literals of four bytes.
    triples: Bitmap<1024>,
    /// Two windows of four bytes, side by side, of each longer literal: the rarest ones.
    quads: Bitmap<2048>,
    /// Open addressing over the windows of all lengths.
    places: Vec<u32>,
    entries: Vec<Entry>,
    atoms: Vec<Atom>,
    text: Vec<u8>,
    literals: usize,
}

/// Room to work in.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// The value with small letters, and some zeros behind it.
    folded: Vec<u8>,
    /// The literals that were found.
    seen: Vec<u64>,
}

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
    /// Its first four bytes, or as many as it has; all others 0.
    head: u32,
    /// Which bytes of `head` are its.
    mask: u32,
}

/// What is no entry.
const NONE: u32 = u32::MAX;

const PAIR: Key = 2 << 32;
const TRIPLE: Key = 3 << 32;
const QUAD: Key = 4 << 32;

/// Zeros behind a value: windows begin up to two bytes before its end.
const MARGIN: usize = 4;

impl Windows {
    /// The literals, each with at least two bytes and without ASCII capitals; a literal's number is its place.
    pub(super) fn new(literals: &[&[u8]]) -> Self {
        let (mut windows, mut text) = (Vec::with_capacity(literals.len() * 2), Vec::new());
        for (id, literal) in (0..).zip(literals) {
            for (key, before) in windows_of(literal) {
                let atom = Atom {
                    id,
                    start: text.len() as u32,
                    length: literal.len() as u32,
                    before: before as u32,
                    head: head_of(literal),
                    mask: u32::MAX >> (32 - 8 * literal.len().min(4)),
                };
                windows.push((key, atom));
            }
            text.extend_from_slice(literal);
        }
        windows.sort_unstable_by_key(|(key, atom)| (*key, atom.id, atom.before));
        let mut built = Self {
            pairs: Bitmap::new(),
            triples: Bitmap::new(),
            quads: Bitmap::new(),
            places: vec![NONE; (windows.len() * 2).next_power_of_two().max(2)],
            entries: Vec::new(),
            atoms: Vec::new(),
            text,
            literals: literals.len(),
        };
        for (key, atom) in windows {
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
        let window = key as u32;
        match key - Key::from(window) {
            PAIR => self.pairs.insert(window),
            TRIPLE => self.triples.insert(self.triples.scattered(window)),
            _ => self.quads.insert(self.quads.scattered(window)),
        }
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

    /// Names each literal that occurs in the value.
    #[inline]
    pub(super) fn find(&self, value: &[u8], reading: &mut Reading, found: &mut impl FnMut(AtomId)) {
        if self.is_empty() {
            return;
        }
        let Reading { folded, seen } = reading;
        seen.clear();
        seen.resize(self.literals.div_ceil(64), 0);
        folded.clear();
        folded.extend(value.iter().map(u8::to_ascii_lowercase));
        folded.extend([0; MARGIN]);
        let (pairs, triples, quads) = (&self.pairs, &self.triples, &self.quads);
        let mut window = 0_u32;
        for (place, bytes) in folded.as_chunks::<2>().0.iter().enumerate() {
            window = window >> 16 | u32::from(u16::from_le_bytes(*bytes)) << 16;
            let hits = pairs.has(window & 0xffff)
                | pairs.has(window >> 8 & 0xffff) << 1
                | triples.has(triples.scattered(window & 0x00ff_ffff)) << 2
                | quads.has(quads.scattered(window)) << 3;
            // The window of the first two bytes begins before the value.
            if hits != 0 && place > 0 {
                self.verify(hits, window, 2 * (place - 1), folded, seen, found);
            }
        }
    }

    /// `start` is where the window stands in the value.
    #[inline(never)]
    fn verify(
        &self,
        mut hits: u64,
        window: u32,
        start: usize,
        folded: &[u8],
        seen: &mut [u64],
        found: &mut impl FnMut(AtomId),
    ) {
        while hits != 0 {
            let (key, start) = match hits.trailing_zeros() {
                0 => (PAIR | Key::from(window & 0xffff), start),
                1 => (PAIR | Key::from(window >> 8 & 0xffff), start + 1),
                2 => (TRIPLE | Key::from(window & 0x00ff_ffff), start),
                _ => (QUAD | Key::from(window), start),
            };
            hits &= hits - 1;
            let Some(entry) = self.entry(key) else { continue };
            for atom in &self.atoms[entry.first as usize..entry.end as usize] {
                let (word, bit) = (atom.id as usize / 64, 1 << (atom.id % 64));
                if seen[word] & bit == 0 && self.occurs(atom, folded, start) {
                    seen[word] |= bit;
                    found(atom.id);
                }
            }
        }
    }

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
    fn occurs(&self, atom: &Atom, folded: &[u8], start: usize) -> bool {
        let Some(start) = start.checked_sub(atom.before as usize) else {
            return false;
        };
        // Behind its end there are zeros, which are none of the value.
        let (end, value) = (start + atom.length as usize, folded.len() - MARGIN);
        let head = folded.get(start..).and_then(|rest| rest.first_chunk::<4>());
        if end > value || head.is_none_or(|head| u32::from_le_bytes(*head) & atom.mask != atom.head) {
            return false;
        }
        let text = &self.text[atom.start as usize..(atom.start + atom.length) as usize];
        atom.length <= 4 || folded[start..end] == *text
    }
}

/// The first four bytes of a literal, the first one lowest.
fn head_of(literal: &[u8]) -> u32 {
    let bytes = literal.iter().take(4).rev();
    bytes.fold(0, |head, byte| head << 8 | u32::from(*byte))
}

/// The windows of a literal, and how many of its bytes stand before them.
fn windows_of(literal: &[u8]) -> impl Iterator<Item = (Key, usize)> {
    let (size, kind, side_by_side) = match literal.len() {
        ..=3 => (2, PAIR, 1),
        4 => (3, TRIPLE, 2),
        _ => (4, QUAD, 2),
    };
    // Of windows side by side the commoner one tells how often they are met.
    let commonness = |start: usize| {
        let windows =
            (start..start + side_by_side).map(|start| rarity::of_text(&literal[start..start + size]));
        windows.fold(0.0, f64::max)
    };
    let starts = 0..=literal.len() - size + 1 - side_by_side;
    let rarest = starts.min_by(|a, b| commonness(*a).total_cmp(&commonness(*b)));
    let first = rarest.unwrap_or(0);
    (first..first + side_by_side).map(move |start| {
        let bytes = literal[start..start + size].iter().rev();
        (
            kind | bytes.fold(0, |key, byte| key << 8 | Key::from(*byte)),
            start,
        )
    })
}

fn hash(key: Key) -> usize {
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize
}

/// Bits for numbers, 64 a word; a power of two of words. Windows of more bytes share bits: one that is set may mean
/// another.
#[derive(Debug)]
struct Bitmap<const WORDS: usize>(Box<[u64; WORDS]>);

impl<const WORDS: usize> Bitmap<WORDS> {
    /// How far to shift a hash of 32 bits.
    const SHIFT: u32 = 32 - 6 - WORDS.trailing_zeros();

    fn new() -> Self {
        Self(Box::new([0; WORDS]))
    }

    fn insert(&mut self, number: u32) {
        self.0[(number >> 6) as usize & (WORDS - 1)] |= 1 << (number & 63);
    }

    #[inline(always)]
    fn has(&self, number: u32) -> u64 {
        self.0[(number >> 6) as usize & (WORDS - 1)] >> (number & 63) & 1
    }

    #[inline(always)]
    fn scattered(&self, window: u32) -> u32 {
        window.wrapping_mul(0x9e37_79b1) >> Self::SHIFT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(literals: &[&str], value: &[u8]) -> Vec<AtomId> {
        let literals: Vec<_> = literals.iter().map(|text| text.as_bytes()).collect();
        let mut found = Vec::new();
        Windows::new(&literals).find(value, &mut Reading::default(), &mut |id| found.push(id));
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
        let borrowed: Vec<_> = literals.iter().map(Vec::as_slice).collect();
        let windows = Windows::new(&borrowed);
        for number in 0..4096 {
            let value: Vec<u8> = word(number, 6).iter().map(u8::to_ascii_uppercase).collect();
            let folded = value.to_ascii_lowercase();
            let mut seen = vec![false; literals.len()];
            windows.find(&value, &mut Reading::default(), &mut |id| {
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
