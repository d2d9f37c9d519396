//! Many literals looked for at once: short windows of them in three bitmaps, then the literal itself.
//!
//! A dense automaton over some seven thousand literals takes megabytes and misses the caches. Here each byte of
//! a value costs three look-ups in bitmaps of 8 KiB; of an ordinary value hardly a window is in them.

use super::rarity;

/// A literal's number.
pub(super) type AtomId = u32;

/// Literals, ready to be looked for. They and the values are compared with ASCII capitals as small letters.
#[derive(Debug)]
pub(super) struct Windows {
    /// The literals of two bytes, of three, and the rarest four bytes of each longer one.
    pairs: Bitmap,
    triples: Bitmap,
    quads: Bitmap,
    /// Open addressing over the windows of all lengths.
    places: Vec<u32>,
    entries: Vec<Entry>,
    atoms: Vec<Atom>,
    text: Vec<u8>,
}

/// Which windows a value needs not be asked for again: room to work in.
pub(super) type Seen = Vec<u64>;

#[derive(Debug)]
struct Entry {
    key: Key,
    /// The atoms of this window: `atoms[first..end]`.
    first: u32,
    end: u32,
}

/// The bytes of a window, and above them how many they are.
type Key = u64;

#[derive(Debug)]
struct Atom {
    id: AtomId,
    start: u32,
    length: u32,
    /// How many bytes of the literal stand behind its window.
    behind: u32,
    /// The first of them.
    next: u8,
}

/// Each byte, capitals as small letters.
static FOLDED: [u8; 256] = {
    let mut folded = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        folded[byte] = (byte as u8).to_ascii_lowercase();
        byte += 1;
    }
    folded
};

/// What is no entry.
const NONE: u32 = u32::MAX;

const PAIR: Key = 2 << 32;
const TRIPLE: Key = 3 << 32;
const QUAD: Key = 4 << 32;

impl Windows {
    /// The literals, each with at least two bytes and without ASCII capitals; a literal's number is its place.
    pub(super) fn new(literals: &[&[u8]]) -> Self {
        let mut windows: Vec<(Key, usize, AtomId)> = Vec::with_capacity(literals.len());
        for (id, literal) in (0..).zip(literals) {
            let (key, end) = window_of(literal);
            windows.push((key, end, id));
        }
        windows.sort_unstable();
        let mut built = Self {
            pairs: Bitmap::new(),
            triples: Bitmap::new(),
            quads: Bitmap::new(),
            places: vec![NONE; (windows.len() * 2).next_power_of_two().max(2)],
            entries: Vec::new(),
            atoms: Vec::new(),
            text: Vec::new(),
        };
        for (key, end, id) in windows {
            built.add(key, end, id, literals[id as usize]);
        }
        built
    }

    fn add(&mut self, key: Key, end: usize, id: AtomId, literal: &[u8]) {
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
            next: literal.get(end).copied().unwrap_or(0),
        });
        self.text.extend_from_slice(literal);
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
            TRIPLE => self.triples.insert(scattered(window << 8)),
            _ => self.quads.insert(scattered(window)),
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

    /// Names each literal that occurs in the value, some of them more than once.
    #[inline]
    pub(super) fn find(&self, value: &[u8], seen: &mut Seen, found: &mut impl FnMut(AtomId)) {
        if self.is_empty() {
            return;
        }
        seen.clear();
        seen.resize(self.entries.len().div_ceil(64), 0);
        let (pairs, triples, quads) = (&self.pairs, &self.triples, &self.quads);
        let mut window = 0_u32;
        for (place, byte) in value.iter().enumerate() {
            window = window << 8 | u32::from(FOLDED[usize::from(*byte)]);
            let pair = pairs.contains(window & 0xffff);
            let triple = triples.contains(scattered(window << 8));
            let quad = quads.contains(scattered(window));
            if pair | triple | quad {
                self.verify(
                    [(pair, 2), (triple, 3), (quad, 4)],
                    window,
                    value,
                    place + 1,
                    seen,
                    found,
                );
            }
        }
    }

    /// `end` is where the windows end in the value.
    #[inline(never)]
    fn verify(
        &self,
        hits: [(bool, u32); 3],
        window: u32,
        value: &[u8],
        end: usize,
        seen: &mut Seen,
        found: &mut impl FnMut(AtomId),
    ) {
        for (_, length) in hits.into_iter().filter(|(hit, _)| *hit) {
            let key = Key::from(length) << 32 | Key::from(window & (u32::MAX >> (32 - 8 * length)));
            let Some(place) = self.entry(key) else { continue };
            if seen[place / 64] >> (place % 64) & 1 == 0 {
                let all = self.verify_atoms(&self.entries[place], value, end, found);
                seen[place / 64] |= u64::from(all) << (place % 64);
            }
        }
    }

    /// Whether all atoms of the entry were found.
    fn verify_atoms(&self, entry: &Entry, value: &[u8], end: usize, found: &mut impl FnMut(AtomId)) -> bool {
        let next = value.get(end).map_or(0, |byte| FOLDED[usize::from(*byte)]);
        let mut all = true;
        for atom in &self.atoms[entry.first as usize..entry.end as usize] {
            let may = atom.behind == 0 || atom.next == next;
            if may && self.occurs(atom, value, end) {
                found(atom.id);
            } else {
                all = false;
            }
        }
        all
    }

    fn entry(&self, key: Key) -> Option<usize> {
        let mask = self.places.len() - 1;
        let mut at = hash(key) & mask;
        loop {
            let place = self.places[at] as usize;
            if self.entries.get(place)?.key == key {
                return Some(place);
            }
            at = (at + 1) & mask;
        }
    }

    fn occurs(&self, atom: &Atom, value: &[u8], end: usize) -> bool {
        let end = end + atom.behind as usize;
        let Some(start) = end.checked_sub(atom.length as usize) else {
            return false;
        };
        if atom.length <= 4 && atom.behind == 0 {
            // The window is all there is of it.
            return true;
        }
        let text = &self.text[atom.start as usize..(atom.start + atom.length) as usize];
        value
            .get(start..end)
            .is_some_and(|part| part.eq_ignore_ascii_case(text))
    }
}

/// The window of a literal, and where it ends in it.
fn window_of(literal: &[u8]) -> (Key, usize) {
    let number = |window: &[u8]| window.iter().fold(0, |key, byte| key << 8 | Key::from(*byte));
    match literal.len() {
        2 => (PAIR | number(literal), 2),
        3 => (TRIPLE | number(literal), 3),
        _ => {
            let rarity = |window: &[u8]| rarity::of_text(window);
            let windows = literal.windows(4).enumerate();
            let rarest = windows.min_by(|(_, a), (_, b)| rarity(a).total_cmp(&rarity(b)));
            let (start, window) = rarest.unwrap_or((0, literal));
            (QUAD | number(window), start + 4)
        }
    }
}

fn hash(key: Key) -> usize {
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize
}

#[inline(always)]
fn scattered(window: u32) -> u32 {
    window.wrapping_mul(0x9e37_79b1) >> 16
}

/// A bit for each number of 16 bits. Windows of more bytes share them: a bit that is set may mean another.
#[derive(Debug)]
struct Bitmap(Box<[u64; 1024]>);

impl Bitmap {
    fn new() -> Self {
        Self(Box::new([0; 1024]))
    }

    fn insert(&mut self, number: u32) {
        self.0[(number >> 6) as usize & 1023] |= 1 << (number & 63);
    }

    #[inline(always)]
    fn contains(&self, number: u32) -> bool {
        self.0[(number >> 6) as usize & 1023] >> (number & 63) & 1 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(literals: &[&str], value: &[u8]) -> Vec<AtomId> {
        let literals: Vec<_> = literals.iter().map(|text| text.as_bytes()).collect();
        let mut found = Vec::new();
        Windows::new(&literals).find(value, &mut Seen::new(), &mut |id| found.push(id));
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
        let borrowed: Vec<_> = literals.iter().map(Vec::as_slice).collect();
        let windows = Windows::new(&borrowed);
        for number in 0..4096 {
            let value: Vec<u8> = word(number, 6).iter().map(u8::to_ascii_uppercase).collect();
            let folded = value.to_ascii_lowercase();
            let mut seen = vec![false; literals.len()];
            windows.find(&value, &mut Seen::new(), &mut |id| seen[id as usize] = true);
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
