//! Many literals looked for at once: the rarest four bytes of each, by pairs of bytes, then the literal itself.
//!
//! A dense automaton over some seven thousand literals takes megabytes and misses the caches. Here each byte of a value
//! costs one look-up in a table of 16 KiB: what windows begin with this pair of bytes, and what windows go on with it. Where
//! both agree, two bytes apart, the window itself is looked up; of an ordinary value few are.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use super::{ByteSet, rarity};

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

/// Classes of bytes: letters, digits and most marks have one of their own, and share none with others.
const CLASSES: usize = 64;
const PAIRS: usize = CLASSES * CLASSES;

const MARKS: &[u8; 27] = b" _/-.\\<%:@'\"[]`$(){}&;,+=*|";

/// That of all other bytes.
const OTHERS: u8 = 0;

const CLASS: [u8; 256] = classes();

/// Literals of other gates, and those that have none, share the last one.
const GATES: usize = 3;

/// For each gate the groups of windows of two bytes, of three, and of four.
const GROUPS: [[Range<u32>; 3]; GATES] = [[0..1, 3..4, 7..10], [1..2, 4..5, 10..12], [2..3, 5..7, 12..16]];

const TWO: u32 = mask(0..3);
const THREE: u32 = mask(3..7);
const FOUR: u32 = mask(7..16);

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

/// Windows of one length by what they begin with. A group's first and second pairs go together in any way: groups are to
/// have few of either.
struct Groups {
    groups: Range<u32>,
    /// The second pairs of each first one.
    firsts: BTreeMap<usize, Vec<Range<usize>>>,
}

/// What a group has so far.
struct Group {
    bit: u32,
    /// How common its first pairs are, and its second ones.
    first: f64,
    second: f64,
    seconds: Vec<bool>,
}

impl Groups {
    fn new(groups: Range<u32>) -> Self {
        Self {
            groups,
            firsts: BTreeMap::new(),
        }
    }

    fn add(&mut self, first: usize, second: Range<usize>) {
        self.firsts.entry(first).or_default().push(second);
    }

    /// Puts each first pair with its second ones into the group where that adds least to what is met in vain; those with
    /// most of them first.
    fn spread(self, pairs: &mut [u32; PAIRS]) {
        let mut firsts: Vec<_> = self.firsts.into_iter().collect();
        firsts.sort_by_key(|(first, seconds)| (Reverse(seconds.len()), *first));
        let groups = self.groups.map(|group| Group {
            bit: 1 << group,
            first: 0.0,
            second: 0.0,
            seconds: vec![false; PAIRS],
        });
        let mut groups: Vec<_> = groups.collect();
        for (first, seconds) in firsts {
            // With one group there is nothing to choose.
            let best = match groups.len() {
                1 => Some(0),
                count => (0..count).min_by(|one, other| {
                    let [one, other] = [one, other].map(|place| groups[*place].growth(first, &seconds));
                    one.total_cmp(&other)
                }),
            };
            let Some(group) = best.and_then(|place| groups.get_mut(place)) else {
                return;
            };
            group.first += COMMONNESS[first];
            pairs[first] |= group.bit;
            for pair in seconds.into_iter().flatten() {
                if !std::mem::replace(&mut group.seconds[pair], true) {
                    group.second += COMMONNESS[pair];
                    pairs[pair] |= group.bit << 16;
                }
            }
        }
    }
}

impl Group {
    /// How much more would be met in vain with these pairs.
    fn growth(&self, first: usize, seconds: &[Range<usize>]) -> f64 {
        let new = seconds
            .iter()
            .cloned()
            .flatten()
            .filter(|pair| !self.seconds[*pair]);
        let second = self.second + new.map(|pair| COMMONNESS[pair]).sum::<f64>();
        (self.first + COMMONNESS[first]) * second - self.first * self.second
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

const fn mask(groups: Range<u32>) -> u32 {
    (1 << groups.end) - (1 << groups.start)
}

/// The table of pairs.
fn grouped(windows: &[(Key, Atom, usize)]) -> Box<[u32; PAIRS]> {
    let mut all = GROUPS.map(|groups| groups.map(Groups::new));
    for (key, _, gate) in windows {
        let [first, second, third, fourth] = (*key as u32).to_le_bytes().map(class);
        let begins = pair(first, second);
        let [two, three, four] = &mut all[*gate];
        match key >> 32 {
            2 => two.add(begins, 0..PAIRS),
            3 => three.add(begins, pair(third, 0)..pair(third, 0) + CLASSES),
            _ => four.add(begins, pair(third, fourth)..pair(third, fourth) + 1),
        }
    }
    let mut pairs = Box::new([0; PAIRS]);
    for groups in all.into_iter().flatten() {
        groups.spread(&mut pairs);
    }
    pairs
}

/// The gate that most literals have, all others that are closed in ordinary values, and the open one.
fn gates_of(literals: &[(&[u8], ByteSet)]) -> [ByteSet; GATES] {
    let mut counts: BTreeMap<ByteSet, usize> = BTreeMap::new();
    for (_, gate) in literals.iter().filter(|(_, gate)| *gate != ByteSet::ALL) {
        *counts.entry(*gate).or_default() += 1;
    }
    let most = counts.iter().max_by_key(|(_, count)| **count);
    let most = most.map_or(ByteSet::EMPTY, |(gate, _)| *gate);
    let others = counts.keys().fold(ByteSet::EMPTY, |all, gate| all.union(*gate));
    [most, others, ByteSet::ALL]
}

/// How common each pair of classes is in ordinary values.
static COMMONNESS: LazyLock<Box<[f64; PAIRS]>> = LazyLock::new(|| {
    let mut classes = [rarity::of_byte(b'#'); CLASSES];
    for byte in (0..=u8::MAX).filter(|byte| class(*byte) != usize::from(OTHERS)) {
        classes[class(byte)] = rarity::of_byte(byte);
    }
    let mut commonness = Box::new([0.0; PAIRS]);
    for (pair, common) in commonness.iter_mut().enumerate() {
        *common = classes[pair / CLASSES] * classes[pair % CLASSES];
    }
    commonness
});

#[inline(always)]
fn class(byte: u8) -> usize {
    usize::from(CLASS[usize::from(byte)])
}

#[inline(always)]
const fn pair(first: usize, second: usize) -> usize {
    (first * CLASSES + second) & (PAIRS - 1)
}

const fn classes() -> [u8; 256] {
    let mut classes = [OTHERS; 256];
    let mut place = 0;
    while place < 26 {
        classes[b'a' as usize + place] = 1 + place as u8;
        classes[b'A' as usize + place] = 1 + place as u8;
        place += 1;
    }
    place = 0;
    while place < 10 {
        classes[b'0' as usize + place] = 27 + place as u8;
        place += 1;
    }
    place = 0;
    while place < MARKS.len() {
        classes[MARKS[place] as usize] = 37 + place as u8;
        place += 1;
    }
    classes
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
