//! One scan of a value for all operators.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::windows::{Reading, Windows};
use super::{ByteSet, Clause, Requirement, append_kept};

/// Clauses of one operator that are looked at: the most telling ones. Each takes a plane of bits, one bit for
/// each operator; an operator is a candidate if its bit is set in all of them.
const PLANES: usize = 3;

const ALPHANUMERIC: ByteSet = ByteSet::range(b'0', b'9')
    .union(ByteSet::range(b'A', b'Z'))
    .union(ByteSet::range(b'a', b'z'));

/// Tells which operators may match a value.
#[derive(Debug)]
pub(crate) struct Scanner {
    /// Words of one plane.
    words: usize,
    /// The planes before anything was seen: set for those that have no clause there.
    blank: Vec<u64>,
    /// The byte values whose presence sets a bit.
    telling: ByteSet,
    /// For each byte value the bits that its presence sets: `rows[first..end]`.
    places: Box<[(u32, u32); 256]>,
    rows: Vec<Mark>,
    literals: Literals,
    /// To be looked for among letters and digits alone, where something of the noise is between them; without it
    /// they are literals like the others. Most scanners have none.
    squeezed: Option<Literals>,
    noise: ByteSet,
    /// What each byte is to squeezed words.
    parts: Box<[Part; 256]>,
}

/// What a byte is to words of letters, digits and noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Word,
    Noise,
    Between,
}

/// Literals and what they tell.
#[derive(Debug)]
struct Literals {
    windows: Windows,
    /// For each literal the bits that it sets: `marks[first..end]`.
    found: Vec<(u32, u32)>,
    marks: Vec<Mark>,
}

/// Room to work in.
#[derive(Debug, Default)]
pub(crate) struct Room {
    planes: Vec<u64>,
    squeezed: Vec<u8>,
    reading: Reading,
}

/// One bit of one word of the planes, or some of them.
#[derive(Debug, Clone, Copy)]
struct Mark {
    word: u32,
    bit: u64,
}

/// Gathers the operators of some scanners, and gives each a bit that is the same in all of them.
#[derive(Debug, Default)]
pub(crate) struct ScannerBuilder {
    requirements: Vec<Arc<Requirement>>,
}

impl ScannerBuilder {
    /// Adds an operator and says which bit is its.
    pub(crate) fn add(&mut self, requirement: Arc<Requirement>) -> usize {
        self.requirements.push(requirement);
        self.requirements.len() - 1
    }

    /// A scanner for some of the operators; of the others it knows nothing, and they are never candidates.
    pub(crate) fn build(&self, members: &BTreeSet<usize>) -> Scanner {
        let words = self.requirements.len().div_ceil(64);
        let mut planes = Planes {
            words,
            blank: vec![0; PLANES * words],
            rows: vec![0; 256 * PLANES * words],
            atoms: HashMap::new(),
            gates: HashMap::new(),
            squeezed: HashMap::new(),
            noise: ByteSet::EMPTY,
        };
        for slot in members {
            let clauses = self
                .requirements
                .get(*slot)
                .map_or(&[][..], |needs| needs.clauses());
            let clauses = &clauses[..clauses.len().min(PLANES)];
            let gate = gate_of(clauses);
            for plane in 0..PLANES {
                planes.set(plane, *slot, clauses.get(plane), gate);
            }
        }
        planes.finish()
    }
}

/// A scanner in the making.
struct Planes<'r> {
    words: usize,
    blank: Vec<u64>,
    rows: Vec<u64>,
    atoms: Marks<'r>,
    /// For each of them what a value needs for it to tell anything.
    gates: HashMap<&'r [u8], ByteSet>,
    squeezed: Marks<'r>,
    noise: ByteSet,
}

/// Literals with the bits that they set.
type Marks<'r> = HashMap<&'r [u8], Vec<Mark>>;

/// Bytes that ordinary values mostly lack.
const UNCOMMON: ByteSet = ByteSet::of(b"()<>{}[]`$;|'\"&^\\\n\r=*#");

impl<'r> Planes<'r> {
    fn set(&mut self, plane: usize, slot: usize, clause: Option<&'r Clause>, gate: ByteSet) {
        let (word, bit) = (plane * self.words + slot / 64, 1 << (slot % 64));
        let Some(clause) = clause else {
            self.blank[word] |= bit;
            return;
        };
        for byte in clause.bytes().iter() {
            self.rows[usize::from(byte) * PLANES * self.words + word] |= bit;
        }
        let mark = Mark {
            word: word as u32,
            bit,
        };
        for atom in clause.atoms().iter().chain(clause.squeezed()) {
            self.atoms.entry(atom.as_slice()).or_default().push(mark);
            let known = self.gates.entry(atom.as_slice()).or_default();
            *known = known.union(gate);
        }
        for atom in clause.squeezed() {
            self.squeezed.entry(atom.as_slice()).or_default().push(mark);
        }
        self.noise = self.noise.union(clause.noise());
    }

    fn finish(self) -> Scanner {
        let width = (PLANES * self.words).max(1);
        let (mut telling, mut places, mut rows) = (ByteSet::EMPTY, Box::new([(0, 0); 256]), Vec::new());
        for (byte, row) in (0..=u8::MAX).zip(self.rows.chunks_exact(width)) {
            let first = rows.len() as u32;
            let words = (0..).zip(row).filter(|(_, bits)| **bits != 0);
            rows.extend(words.map(|(word, bits)| Mark { word, bit: *bits }));
            places[usize::from(byte)] = (first, rows.len() as u32);
            if rows.len() as u32 != first {
                telling.insert(byte);
            }
        }
        Scanner {
            words: self.words,
            blank: self.blank,
            telling,
            places,
            rows,
            literals: Literals::new(self.atoms, &self.gates),
            squeezed: (!self.squeezed.is_empty()).then(|| Literals::new(self.squeezed, &self.gates)),
            noise: self.noise,
            parts: parts(self.noise),
        }
    }
}

fn parts(noise: ByteSet) -> Box<[Part; 256]> {
    let mut parts = Box::new([Part::Between; 256]);
    for (byte, part) in (0..=u8::MAX).zip(parts.iter_mut()) {
        if ALPHANUMERIC.contains(byte) {
            *part = Part::Word;
        } else if noise.contains(byte) {
            *part = Part::Noise;
        }
    }
    parts
}

/// What a value has some of wherever all of the clauses are met, if ordinary values seldom have it; else all bytes.
fn gate_of(clauses: &[Clause]) -> ByteSet {
    let bytes = clauses
        .iter()
        .filter(|clause| clause.is_of_bytes())
        .map(Clause::bytes);
    let gates = bytes.filter(|bytes| bytes.intersection(UNCOMMON) == *bytes);
    gates.min_by_key(ByteSet::len).unwrap_or(ByteSet::ALL)
}

impl Literals {
    fn new(atoms: Marks<'_>, gates: &HashMap<&[u8], ByteSet>) -> Self {
        let mut atoms: Vec<_> = atoms.into_iter().collect();
        // An order of its own: two loads of the same rules do the same work.
        atoms.sort_unstable_by_key(|(literal, _)| *literal);
        let (mut literals, mut found, mut marks) = (Vec::new(), Vec::new(), Vec::new());
        for (literal, mut its_marks) in atoms {
            let first = marks.len() as u32;
            marks.append(&mut its_marks);
            literals.push((literal, gates.get(literal).copied().unwrap_or(ByteSet::ALL)));
            found.push((first, marks.len() as u32));
        }
        Self {
            windows: Windows::new(&literals),
            found,
            marks,
        }
    }

    #[inline]
    fn mark(&self, value: &[u8], present: &ByteSet, reading: &mut Reading, planes: &mut [u64]) {
        self.windows.find(value, present, reading, &mut |atom| {
            let (first, end) = self.found[atom as usize];
            for mark in &self.marks[first as usize..end as usize] {
                planes[mark.word as usize] |= mark.bit;
            }
        });
    }
}

impl Scanner {
    /// Words of a set of candidates.
    pub(crate) fn words(&self) -> usize {
        self.words
    }

    /// Appends the candidates for a value: a bit for each operator that may match it. `present` are the bytes
    /// that occur in the value.
    pub(crate) fn scan(&self, value: &[u8], present: &ByteSet, room: &mut Room, out: &mut Vec<u64>) {
        let Room {
            planes,
            squeezed,
            reading,
        } = room;
        planes.clear();
        planes.extend_from_slice(&self.blank);
        self.mark_bytes(present, planes);
        self.literals.mark(value, present, reading, planes);
        if let Some(literals) = &self.squeezed
            && present.intersects(&self.noise)
        {
            squeezed.clear();
            squeeze(value, &self.parts, squeezed);
            literals.mark(squeezed, present, reading, planes);
        }
        let (first, rest) = planes.split_at(self.words);
        let (second, third) = rest.split_at(self.words);
        let words = first.iter().zip(second).zip(third);
        out.extend(words.map(|((a, b), c)| a & b & c));
    }

    fn mark_bytes(&self, present: &ByteSet, planes: &mut [u64]) {
        for byte in present.with_small_letters().intersection(self.telling).iter() {
            let (first, end) = self.places[usize::from(byte)];
            for mark in &self.rows[first as usize..end as usize] {
                planes[mark.word as usize] |= mark.bit;
            }
        }
    }
}

/// Appends the words of a value that have some noise in them, without it, and a space behind each. A word is made of
/// letters, digits and noise.
fn squeeze(value: &[u8], parts: &[Part; 256], out: &mut Vec<u8>) {
    let part = |byte: &u8| parts[usize::from(*byte)];
    let mut rest = value;
    // Few words have any.
    while let Some(place) = rest.iter().position(|byte| part(byte) == Part::Noise) {
        let (before, behind) = rest.split_at(place);
        let begin = before.iter().rposition(|byte| part(byte) == Part::Between);
        let length = behind.iter().position(|byte| part(byte) == Part::Between);
        let (begin, end) = (
            begin.map_or(0, |last| last + 1),
            place + length.unwrap_or(behind.len()),
        );
        append_kept(&rest[begin..end], |byte| byte.is_ascii_alphanumeric(), out);
        out.push(b' ');
        rest = &rest[end..];
    }
}

impl ByteSet {
    /// The set, and the small letters of its capitals.
    fn with_small_letters(mut self) -> Self {
        const CAPITALS: u64 = 0x07ff_fffe;
        let words = self.words_mut();
        words[1] |= (words[1] & CAPITALS) << 32;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(requirements: &[Requirement], value: &str) -> Vec<usize> {
        let mut builder = ScannerBuilder::default();
        for requirement in requirements {
            builder.add(Arc::new(requirement.clone()));
        }
        let mut present = ByteSet::EMPTY;
        present.extend(value.bytes());
        let mut out = Vec::new();
        builder.build(&(0..requirements.len()).collect()).scan(
            value.as_bytes(),
            &present,
            &mut Room::default(),
            &mut out,
        );
        (0..requirements.len())
            .filter(|slot| out[slot / 64] >> (slot % 64) & 1 != 0)
            .collect()
    }

    #[test]
    fn an_operator_is_a_candidate_if_all_its_clauses_are_met() {
        let both = [
            Clause::any_text(["union"]),
            Clause::any_text(["select", "distinct"]),
        ];
        let requirements = [
            Requirement::all_of(both.into_iter().flatten()),
            Requirement::unknown(),
            Requirement::any_byte(ByteSet::of(b"<>")),
            Requirement::any_text(["Q", "script"]),
        ];
        for (value, expected) in [
            ("", &[1][..]),
            ("union all", &[1]),
            ("DISTINCT UNION", &[0, 1]),
            ("a<b", &[1, 2]),
            ("javaSCRIPT", &[1, 3]),
            ("sequel: Q", &[1, 3]),
        ] {
            assert_eq!(candidates(&requirements, value), expected, "{value}");
        }
    }

    #[test]
    fn a_literal_is_looked_for_if_what_else_its_operators_need_may_be_there() {
        let with = |byte: &[u8]| Clause::any_byte(ByteSet::of(byte));
        let text = |texts: &[&str]| Clause::any_text(texts).unwrap();
        let requirements = [
            Requirement::all_of([text(&["system", "exec"]), with(b"(")]),
            Requirement::all_of([text(&["system"]), with(b"`$")]),
            Requirement::all_of([text(&["exec"])]),
            Requirement::all_of([text(&["eval("])]),
        ];
        for (value, expected) in [
            ("system", &[][..]),
            ("exec", &[2]),
            ("EXEC (", &[0, 2]),
            ("system `x`", &[1]),
            ("system ($)", &[0, 1]),
            ("eval(", &[3]),
            ("(", &[]),
        ] {
            assert_eq!(candidates(&requirements, value), expected, "{value}");
        }
    }

    #[test]
    fn words_are_found_with_noise_between_their_letters() {
        let noise = ByteSet::of(b"'\"\\");
        let clause = Clause::any_squeezed(["cat", "passwd"], noise);
        let requirements = [Requirement::all_of(clause)];
        for (value, expected) in [
            ("cat", true),
            ("the CAT sat", true),
            ("run c'a'\"t now", true),
            ("/etc/p\\ass'wd", true),
            ("'c'a't'", true),
            ("c-a-t", false),
            ("don't c a t", false),
            ("p'a s's w'd", false),
        ] {
            assert_eq!(!candidates(&requirements, value).is_empty(), expected, "{value}");
        }
    }

    #[test]
    fn there_may_be_many_operators() {
        let requirements: Vec<_> = (0..200)
            .map(|number| Requirement::any_text([format!("word{number:03}")]))
            .collect();
        assert_eq!(candidates(&requirements, "a WORD077 and word199"), [77, 199]);
    }
}
