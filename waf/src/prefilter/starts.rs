//! Where matches may start: what they begin with, and one reading of a value that tells it for many patterns.
//!
//! A value that holds what a pattern needs still seldom matches: in prose there is a `;`, and somewhere the name of a
//! command. Read from there and not from its beginning, the value is given up after a byte or two.

use std::collections::{BTreeMap, BTreeSet};

use regex_syntax::hir::literal::{ExtractKind, Extractor};
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, HirKind, Look, Repetition};

use super::ByteSet;
use super::classes::{CLASSES, COMMONNESS, PAIRS, class, pair};

/// Bytes of a text that matches begin with, as many as two pairs tell.
const LONGEST: usize = 4;

/// Texts for one pattern, and bytes of a class that is multiplied out for them.
const MOST_TEXTS: usize = 2000;
const LARGEST_CLASS: usize = 16;

/// Matches that begin with so few bytes, capitals and small letters counted both, the `regex` crate finds as quickly.
const FEW_BYTES: usize = 3;

/// What the matches of a pattern begin with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Starts {
    /// In small letters, none empty, each once, sorted.
    texts: Box<[Text]>,
    /// Whatever a match at the beginning of a value begins with.
    first: bool,
}

/// What a match begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Text {
    bytes: [u8; LONGEST],
    length: u8,
}

impl Text {
    fn new(text: &[u8]) -> Self {
        let length = text.len().min(LONGEST);
        let mut bytes = [0; LONGEST];
        bytes[..length].copy_from_slice(&text[..length]);
        Self {
            bytes,
            length: length as u8,
        }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl Starts {
    /// Of a pattern's tree; `None` if it is not worth knowing.
    pub(super) fn of(tree: &Hir) -> Option<Self> {
        let mut first = false;
        let tree = beginning(tree, &mut first);
        let mut extractor = Extractor::new();
        extractor
            .kind(ExtractKind::Prefix)
            .limit_literal_len(LONGEST)
            .limit_class(LARGEST_CLASS)
            .limit_total(MOST_TEXTS);
        let texts = extractor.extract(&tree);
        let texts = texts.literals()?.iter();
        let texts: BTreeSet<_> = texts.map(|text| Text::new(text.as_bytes())).collect();
        let mut bytes = ByteSet::EMPTY;
        for text in &texts {
            bytes.insert(*text.as_bytes().first()?);
        }
        let count = |byte: u8| 1 + usize::from(byte.is_ascii_lowercase());
        let texts = texts.into_iter().collect();
        let starts = Self { texts, first };
        (bytes.iter().map(count).sum::<usize>() > FEW_BYTES).then_some(starts)
    }

    /// The texts that one pair tells, and those that need two.
    fn halves(&self) -> [impl Iterator<Item = &[u8]>; 2] {
        let texts = || self.texts.iter().map(Text::as_bytes);
        let half = |long| texts().filter(move |text| (text.len() > 2) == long);
        [half(false), half(true)]
    }

    /// At how many of sixty places of an ordinary value a [`Finder`] says that a match may start.
    fn commonness(&self) -> f64 {
        let commonness = |pairs: &[bool]| {
            let common = pairs.iter().zip(COMMONNESS.iter());
            common
                .filter(|(is_one, _)| **is_one)
                .map(|(_, common)| common)
                .sum::<f64>()
        };
        let halves = self.halves().map(|texts| {
            let mut pairs = [[false; PAIRS]; 2];
            for text in texts {
                each_pair(text, |half, pair| pairs[half][pair] = true);
            }
            let [begins, goes_on] = pairs.map(|pairs| commonness(&pairs) / PLACES);
            begins * (goes_on / PLACES).min(1.0)
        });
        halves.iter().sum()
    }
}

/// Of how many places [`COMMONNESS`] tells how often something is there.
const PLACES: f64 = 60.0;

/// The pairs that a text may begin with, and those that may go on with it: with one that is shorter goes on whatever
/// comes behind it.
fn each_pair(text: &[u8], mut visit: impl FnMut(usize, usize)) {
    let mut bytes = text.iter().map(|byte| class(*byte)..class(*byte) + 1);
    let mut next = || bytes.next().unwrap_or(0..CLASSES);
    for half in 0..2 {
        let (one, other) = (next(), next());
        for first in one {
            for second in other.clone() {
                visit(half, pair(first, second));
            }
        }
    }
}

/// The tree with small letters for capitals, as far as a match's first bytes come of it, and without what matches only
/// at the beginning of a value: `first` says whether there was any.
fn beginning(tree: &Hir, first: &mut bool) -> Hir {
    match tree.kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Look(Look::Start) => {
            *first = true;
            Hir::fail()
        }
        HirKind::Look(_) => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0.to_ascii_lowercase()),
        HirKind::Class(Class::Bytes(class)) => Hir::class(Class::Bytes(without_capitals(class))),
        HirKind::Class(Class::Unicode(_)) => tree.clone(),
        HirKind::Repetition(repetition) => Hir::repetition(Repetition {
            sub: Box::new(beginning(&repetition.sub, first)),
            ..repetition.clone()
        }),
        HirKind::Capture(capture) => beginning(&capture.sub, first),
        HirKind::Concat(parts) => {
            let mut length = 0;
            let parts = parts.iter().take_while(|part| {
                let needed = length < LONGEST;
                // Without one it never matches, or only by not being there.
                length += part.properties().minimum_len().unwrap_or(0);
                needed
            });
            Hir::concat(parts.map(|part| beginning(part, first)).collect())
        }
        HirKind::Alternation(parts) => {
            Hir::alternation(parts.iter().map(|part| beginning(part, first)).collect())
        }
    }
}

fn without_capitals(class: &ClassBytes) -> ClassBytes {
    let bytes = class.iter().flat_map(|range| range.start()..=range.end());
    ClassBytes::new(bytes.map(|byte| {
        let byte = byte.to_ascii_lowercase();
        ClassBytesRange::new(byte, byte)
    }))
}

/// Bits of what is looked for. Of one kind of starts the texts of one pair have a bit and those of two another: what
/// follows the first says nothing of the second.
type Bits = u64;

/// Reads a value for the places where matches may start.
#[derive(Debug)]
pub(crate) struct Finder {
    /// By a pair of classes: the bits of texts that begin with the pair, and of those that go on with it.
    pairs: Box<[[Bits; 2]; PAIRS]>,
    /// Those whose matches may begin with anything at the beginning of a value.
    first: Bits,
}

/// What a [`Finder`] tells of one kind of starts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sought(Bits);

/// Where matches may start, and of what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    bits: Bits,
    at: usize,
}

/// The places of one kind of starts in a value, ascending.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places<'p> {
    pub(crate) all: &'p [Place],
    pub(crate) sought: Sought,
}

impl Places<'_> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        let mine = move |place: &&Place| place.bits & self.sought.0 != 0;
        self.all.iter().filter(mine).map(|place| place.at)
    }
}

/// Gathers what a [`Finder`] is to look for.
#[derive(Debug, Default)]
pub(crate) struct FinderBuilder {
    /// With each how often its operators are asked: its value for them.
    kinds: BTreeMap<Starts, f64>,
}

/// What each place in sixty costs, in a value's whole reading: to find it, and to read on from it.
const COST_OF_PLACE: f64 = 1.0 / 20.0;

impl FinderBuilder {
    /// Adds an operator with its matches' starts. `commonness`: how often it is asked, that of its
    /// requirement.
    pub(crate) fn add(&mut self, starts: &Starts, commonness: f64) {
        *self.kinds.entry(starts.clone()).or_default() += commonness;
    }

    /// With the finder what it tells of each kind of starts that is worth looking for.
    pub(crate) fn build(self) -> (Finder, BTreeMap<Starts, Sought>) {
        let worth = |starts: &Starts, asked: f64| asked - starts.commonness() * COST_OF_PLACE;
        let kinds = self.kinds.into_iter();
        let kinds = kinds.map(|(starts, asked)| (worth(&starts, asked), starts));
        let mut kinds: Vec<_> = kinds.filter(|(worth, _)| *worth > 0.0).collect();
        kinds.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        let (mut finder, mut sought) = (Finder::default(), BTreeMap::new());
        for (number, (_, starts)) in (0..Bits::BITS / 2).zip(kinds) {
            let bits = [1 << (2 * number), 2 << (2 * number)];
            for (texts, bit) in starts.halves().into_iter().zip(bits) {
                for text in texts {
                    each_pair(text, |half, pair| finder.pairs[pair][half] |= bit);
                }
            }
            if starts.first {
                finder.first |= bits[0];
            }
            sought.insert(starts, Sought(bits[0] | bits[1]));
        }
        (finder, sought)
    }
}

impl Default for Finder {
    fn default() -> Self {
        Self {
            pairs: Box::new([[0; 2]; PAIRS]),
            first: 0,
        }
    }
}

impl Finder {
    /// Appends the places of a value; `None`, and nothing is appended, if they are so many that all of the value may as
    /// well be read.
    pub(crate) fn find(&self, value: &[u8], out: &mut Vec<Place>) -> Option<()> {
        let begin = out.len();
        let (byte, rest) = value.split_first()?;
        let mut last = class(*byte);
        let (mut begun, mut before) = (0, 0);
        let most = begin + value.len() / 4;
        // The last pair of a text ends with this byte, the first one two bytes before.
        let mut read = |end: usize, byte: u8| {
            let class = class(byte);
            let [begins, goes_on] = self.pairs[pair(last, class)];
            let bits = begun & goes_on;
            (last, begun, before) = (class, before, begins);
            if bits != 0 {
                let at = end - (LONGEST - 1);
                out.push(Place { bits, at });
            }
            out.len() <= most
        };
        let behind = (value.len()..value.len() + LONGEST - 1).map(|end| (end, 0));
        let bytes = (1..).zip(rest.iter().copied()).chain(behind);
        let are_few = { bytes }.all(|(end, byte)| read(end, byte));
        if self.first != 0 {
            let (bits, at) = (self.first, 0);
            match out.get_mut(begin).filter(|place| place.at == at) {
                Some(place) => place.bits |= bits,
                None => out.insert(begin, Place { bits, at }),
            }
        }
        if !are_few || out.len() > most {
            out.truncate(begin);
            return None;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::of_pattern;
    use super::*;

    impl Starts {
        /// A finder for these alone.
        pub(crate) fn finder(&self) -> (Finder, Sought) {
            let mut builder = FinderBuilder::default();
            builder.add(self, f64::MAX);
            let (finder, known) = builder.build();
            (finder, known[self])
        }
    }

    fn texts(pattern: &str) -> Option<(Vec<String>, bool)> {
        let starts = of_pattern(pattern).1?;
        let texts = starts
            .texts
            .iter()
            .map(|text| text.as_bytes().escape_ascii().to_string());
        Some((texts.collect(), starts.first))
    }

    fn places(pattern: &str, value: &str) -> Vec<usize> {
        let starts = of_pattern(pattern).1.unwrap();
        let (finder, sought) = starts.finder();
        let mut all = Vec::new();
        finder.find(value.as_bytes(), &mut all).unwrap();
        Places { all: &all, sought }.iter().collect()
    }

    #[test]
    fn matches_begin_with_the_first_bytes_of_the_pattern() {
        for (pattern, expected) in [
            ("(?i)[;|&<]x", &["&x", ";x", "<x", "|x"][..]),
            ("(?i)(?:SELECT|Union|or)\\s", &["or\\t", "or ", "sele", "unio"]),
            (
                "[;|]\\s*(?:cat|ls)|or<",
                &[";\\t", "; ", ";cat", ";ls", "or<", "|\\t", "| ", "|cat", "|ls"],
            ),
        ] {
            let pattern = pattern.replace("\\s", "[ \\t]");
            assert_eq!(
                texts(&pattern).unwrap(),
                (expected.iter().map(|text| text.to_string()).collect(), false),
                "{pattern}"
            );
        }
    }

    #[test]
    fn what_never_matches_may_be_absent() {
        // The class has no byte.
        let (texts, _) = texts(r"(?:[;|&<][^\x00-\xff]?[a-z ]+){2}").unwrap();
        assert_eq!(texts, ["&", ";", "<", "|"]);
    }

    #[test]
    fn what_matches_at_the_beginning_alone_is_no_text() {
        let (texts, first) = texts("(?:^|[;|&<])(?:cat|ls)").unwrap();
        assert_eq!(
            texts
                .iter()
                .map(|text| text.as_bytes()[0])
                .collect::<BTreeSet<_>>(),
            BTreeSet::from(*b"&;<|")
        );
        assert!(first);
    }

    #[test]
    fn what_is_not_worth_knowing_is_not_known() {
        for pattern in [
            // Matches may begin anywhere, or with nothing.
            r"[a-z]+\(",
            "(?:[;|&<]x)?",
            // Quickly found without.
            "^select",
            ";[a-z]",
            "(?i)<script",
            // Seldom asked.
            r"(?:xxqzj\{\$|zzjqk\|\^|kkjqx\(\))\d",
        ] {
            assert_eq!(texts(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn places_are_where_texts_stand() {
        let pattern = "(?i)(?:[;|]|time|in )[a-z ]*\\(";
        for (value, expected) in [
            ("one; two|three", &[3, 8][..]),
            ("TIMES of time", &[0, 9]),
            ("within it, in", &[4]),
            ("tim;", &[3]),
            ("no such thing", &[]),
            ("", &[]),
        ] {
            let found = if value.is_empty() {
                Vec::new()
            } else {
                places(pattern, value)
            };
            assert_eq!(found, expected, "{value}");
        }
        assert_eq!(places("(?:^x|[;|&<]y)[a-z]*\\(", "abc;y and more"), [0, 3]);
    }

    #[test]
    fn a_value_full_of_them_has_none() {
        let starts = of_pattern("[;|&<]x*\\(").1.unwrap();
        let (finder, _) = starts.finder();
        let (mut all, value) = (Vec::new(), ";x".repeat(50));
        assert_eq!(finder.find(value.as_bytes(), &mut all), None);
        assert!(all.is_empty());
    }
}
