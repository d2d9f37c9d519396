//! Many literals looked for at once: short windows of them in two bitmaps, then the literal itself.
//!
//! A dense automaton over some five thousand literals takes megabytes and misses the caches. Here each byte of
//! a value costs two look-ups in bitmaps of 8 KiB; of an ordinary value hardly a window is in them.

use super::rarity;

/// A literal's number.
pub(super) type AtomId = u32;

/// Literals, ready to be looked for. They and the values are compared with ASCII capitals as small letters.
#[derive(Debug)]
pub(super) struct Windows {
    /// The literals that are two bytes long.
    pairs: Bitmap,
    /// The rarest three bytes of each longer one.
    triples: Bitmap,
    /// Open addressing over the windows of both kinds.
    places: Vec<u32>,
    entries: Vec<Entry>,
    atoms: Vec<Atom>,
    text: Vec<u8>,
}

#[derive(Debug)]
struct Entry {
    key: u32,
    /// The atoms of this window: `atoms[first..end]`.
    first: u32,
    end: u32,
}

#[derive(Debug)]
struct Atom {
    id: AtomId,
    start: u32,
    length: u32,
    /// How many bytes of the literal stand behind its window.
    behind: u32,
}

/// What no window is.
const NONE: u32 = u32::MAX;

/// Tells the windows of two bytes from those of three.
const PAIR: u32 = 1 << 24;

impl Windows {
    /// The literals, each with at least two bytes and without ASCII capitals; a literal's number is its place.
    pub(super) fn new(literals: &[Vec<u8>]) -> Self {
        let mut windows: Vec<(u32, usize, AtomId)> = Vec::with_capacity(literals.len());
        for (id, literal) in (0..).zip(literals) {
            let (key, end) = window_of(literal);
            windows.push((key, end, id));
        }
        windows.sort_unstable();
        let mut built = Self {
            pairs: Bitmap::new(),
            triples: Bitmap::new(),
            places: vec![NONE; (windows.len() * 2).next_power_of_two().max(2)],
            entries: Vec::new(),
            atoms: Vec::new(),
            text: Vec::new(),
        };
        for (key, end, id) in windows {
            built.add(key, end, id, &literals[id as usize]);
        }
        built
    }

    fn add(&mut self, key: u32, end: usize, id: AtomId, literal: &[u8]) {
        let place = self.atoms.len() as u32;
        match self.entries.last_mut() {
            Some(last) if last.key == key => last.end = place + 1,
            _ => self.add_entry(key, place),
        }
        self.atoms.push(Atom {
            id,
            start: self.text.len() as u32,
            length: literal.len() as u32,
            behind: (literal.len() - end) as u32,
        });
        self.text.extend_from_slice(literal);
    }

    fn add_entry(&mut self, key: u32, place: u32) {
        let entry = self.entries.len() as u32;
        self.entries.push(Entry {
            key,
            first: place,
            end: place + 1,
        });
        match key & PAIR {
            0 => self.triples.insert(key),
            _ => self.pairs.insert(key),
        }
        let mask = self.places.len() - 1;
        let mut at = hash(key) as usize & mask;
        while self.places[at] != NONE {
            at = (at + 1) & mask;
        }
        self.places[at] = entry;
    }

    /// Names each literal that occurs in the value, some of them more than once.
    #[inline]
    pub(super) fn find(&self, value: &[u8], found: &mut impl FnMut(AtomId)) {
        let mut window = 0_u32;
        for (place, byte) in value.iter().enumerate() {
            window = (window << 8 | u32::from(byte.to_ascii_lowercase())) & 0x00ff_ffff;
            let pair = window & 0xffff | PAIR;
            let (triple_hits, pair_hits) = (self.triples.contains(window), self.pairs.contains(pair));
            if triple_hits | pair_hits {
                if triple_hits {
                    self.verify(window, value, place + 1, found);
                }
                if pair_hits {
                    self.verify(pair, value, place + 1, found);
                }
            }
        }
    }

    /// `end` is where the window ends in the value.
    #[inline(never)]
    fn verify(&self, key: u32, value: &[u8], end: usize, found: &mut impl FnMut(AtomId)) {
        let Some(entry) = self.entry(key) else { return };
        for atom in &self.atoms[entry.first as usize..entry.end as usize] {
            if self.occurs(atom, value, end) {
                found(atom.id);
            }
        }
    }

    fn entry(&self, key: u32) -> Option<&Entry> {
        let mask = self.places.len() - 1;
        let mut at = hash(key) as usize & mask;
        loop {
            let entry = self.entries.get(self.places[at] as usize)?;
            if entry.key == key {
                return Some(entry);
            }
            at = (at + 1) & mask;
        }
    }

    fn occurs(&self, atom: &Atom, value: &[u8], end: usize) -> bool {
        let end = end + atom.behind as usize;
        let Some(start) = end.checked_sub(atom.length as usize) else {
            return false;
        };
        let text = &self.text[atom.start as usize..(atom.start + atom.length) as usize];
        value
            .get(start..end)
            .is_some_and(|part| part.eq_ignore_ascii_case(text))
    }
}

/// The window of a literal, and where it ends in it.
fn window_of(literal: &[u8]) -> (u32, usize) {
    if let [first, second] = literal {
        return (PAIR | u32::from(*first) << 8 | u32::from(*second), 2);
    }
    let rarity = |window: &[u8]| rarity::of_text(window);
    let rarest = literal
        .windows(3)
        .enumerate()
        .min_by(|(_, a), (_, b)| rarity(a).total_cmp(&rarity(b)));
    let (start, window) = rarest.unwrap_or((0, literal));
    let key = window.iter().fold(0, |key, byte| key << 8 | u32::from(*byte));
    (key, start + 3)
}

fn hash(key: u32) -> u32 {
    key.wrapping_mul(0x9e37_79b1) >> 16 ^ key >> 20
}

/// 65,536 bits. Keys share them: a bit that is set may mean another key.
#[derive(Debug)]
struct Bitmap(Box<[u64; 1024]>);

impl Bitmap {
    fn new() -> Self {
        Self(Box::new([0; 1024]))
    }

    fn insert(&mut self, key: u32) {
        let (word, bit) = Self::place(key);
        self.0[word] |= 1 << bit;
    }

    #[inline(always)]
    fn contains(&self, key: u32) -> bool {
        let (word, bit) = Self::place(key);
        self.0[word] >> bit & 1 != 0
    }

    #[inline(always)]
    fn place(key: u32) -> (usize, u32) {
        let hash = key.wrapping_mul(0x9e37_79b1) >> 16;
        ((hash >> 6) as usize & 1023, hash & 63)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(literals: &[&str], value: &[u8]) -> Vec<AtomId> {
        let literals: Vec<_> = literals.iter().map(|text| text.as_bytes().to_vec()).collect();
        let mut found = Vec::new();
        Windows::new(&literals).find(value, &mut |id| found.push(id));
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
        let windows = Windows::new(&literals);
        for number in 0..4096 {
            let value: Vec<u8> = word(number, 6).iter().map(u8::to_ascii_uppercase).collect();
            let folded = value.to_ascii_lowercase();
            let mut seen = vec![false; literals.len()];
            windows.find(&value, &mut |id| seen[id as usize] = true);
            for (literal, seen) in literals.iter().zip(seen) {
                let occurs = folded.windows(literal.len()).any(|part| part == literal);
                assert_eq!(seen, occurs, "{} in {}", literal.escape_ascii(), value.escape_ascii());
            }
        }
    }
}
