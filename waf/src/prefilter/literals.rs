//! What a pattern needs: literals and bytes that are in every match, read off its syntax tree.

use std::collections::BTreeSet;

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use super::{ByteSet, Clause, Requirement};

/// Texts that are put together at most: beyond it the pieces are looked for one by one.
const MOST_TEXTS: usize = 128;

/// Bytes of one text.
const LONGEST: usize = 24;

/// A class of more bytes is looked for by its bytes, and not multiplied out.
const SMALL_CLASS: usize = 8;

/// A clause that is met more often than this is worth a second kind of look.
const COMMON: f64 = 0.2;

/// What every match of a pattern with this tree holds.
pub(super) fn of(tree: &Hir) -> Requirement {
    let mut clauses = Reader::default().clauses(tree);
    if clauses.iter().all(|clause| clause.commonness() > COMMON) {
        clauses.extend(Reader::squeezing().clauses(tree));
    }
    Requirement::all_of(clauses)
}

/// What is known of a part of the pattern.
enum Part {
    /// It matches these texts and no others.
    Texts(BTreeSet<Vec<u8>>),
    /// Each match of it meets all of these.
    Needs(Vec<Clause>),
}

impl Part {
    fn nothing() -> Self {
        Self::Texts(BTreeSet::from([Vec::new()]))
    }
}

/// Reads a tree for what its matches hold.
///
/// Patterns against evasion allow quotes and backslashes between the letters of a word: `c["'\\]*a["'\\]*t`.
/// Squeezing reads a pattern as it is for values without all that is no letter and no digit: there the word is
/// a literal again. In its texts a gap stands for what is left out; what may be in the gaps between the letters is
/// known of each clause. What may stand there and needs a rare byte (`$`) becomes a guard: a value with such a byte
/// meets each clause.
#[derive(Default)]
struct Reader {
    squeeze: bool,
    guards: ByteSet,
    /// What may be left out at the gaps, by their numbers: any of the bytes, any number of times.
    gaps: Vec<ByteSet>,
}

/// The first gap, as a byte of a text; texts that are squeezed have ASCII letters and digits besides.
const GAP: u8 = 0x80;

/// Kinds of gaps that are told apart.
const MOST_GAPS: usize = 0x80;

/// Kinds of bytes in a gap. Of wider ones every value is full; texts end there.
const WIDEST_GAP: usize = 12;

const ALPHANUMERIC: ByteSet = ByteSet::range(b'0', b'9')
    .union(ByteSet::range(b'A', b'Z'))
    .union(ByteSet::range(b'a', b'z'));

impl Reader {
    fn squeezing() -> Self {
        Self {
            squeeze: true,
            ..Self::default()
        }
    }

    fn clauses(mut self, tree: &Hir) -> Vec<Clause> {
        let part = self.read(tree);
        let guards = self.guards;
        let clauses = self.clauses_of(part).into_iter();
        clauses
            .map(|clause| clause.or(Clause::any_byte(guards)))
            .collect()
    }

    fn clauses_of(&self, part: Part) -> Vec<Clause> {
        match part {
            Part::Texts(texts) => self.any_text(texts).into_iter().collect(),
            Part::Needs(clauses) => clauses,
        }
    }

    fn any_text(&self, texts: BTreeSet<Vec<u8>>) -> Option<Clause> {
        if !self.squeeze {
            return Clause::any_text(texts);
        }
        let (mut squeezed, mut noise) = (BTreeSet::new(), ByteSet::EMPTY);
        for text in texts {
            let is_letter = |byte: &u8| *byte < GAP;
            let first = text.iter().position(is_letter)?;
            let last = text.iter().rposition(is_letter)?;
            // Gaps at the ends are none: nothing of the text is beyond them.
            for byte in &text[first..=last] {
                noise = noise.union(self.gap(*byte));
            }
            squeezed.insert(text.into_iter().filter(is_letter).collect::<Vec<_>>());
        }
        Clause::any_squeezed(squeezed, noise)
    }

    /// What may be left out at a byte of a text: nothing at a letter.
    fn gap(&self, byte: u8) -> ByteSet {
        let gap = byte.checked_sub(GAP).map(usize::from);
        gap.and_then(|gap| self.gaps.get(gap))
            .copied()
            .unwrap_or_default()
    }

    /// A gap where any of the bytes may be left out.
    fn new_gap(&mut self, bytes: ByteSet) -> u8 {
        let known = self.gaps.iter().position(|gap| *gap == bytes);
        let gap = known.unwrap_or_else(|| {
            if self.gaps.len() < MOST_GAPS {
                self.gaps.push(bytes);
            } else if let Some(last) = self.gaps.last_mut() {
                // Gaps of many kinds share the last one.
                *last = last.union(bytes);
            }
            self.gaps.len() - 1
        });
        GAP + gap as u8
    }

    /// Texts that have no letters, as one gap.
    fn one_gap(&mut self, texts: &BTreeSet<Vec<u8>>) -> Part {
        let gaps = texts
            .iter()
            .flatten()
            .fold(ByteSet::EMPTY, |gaps, byte| gaps.union(self.gap(*byte)));
        if gaps == ByteSet::EMPTY {
            return Part::nothing();
        }
        if gaps.len() > WIDEST_GAP {
            return Part::Needs(Vec::new());
        }
        Part::Texts(BTreeSet::from([vec![self.new_gap(gaps)]]))
    }

    fn read(&mut self, tree: &Hir) -> Part {
        match tree.kind() {
            HirKind::Empty | HirKind::Look(_) => Part::nothing(),
            HirKind::Literal(literal) => self.read_literal(&literal.0),
            HirKind::Class(class) => self.read_class(class),
            HirKind::Capture(capture) => self.read(&capture.sub),
            HirKind::Repetition(repetition) => self.read_repetition(repetition),
            HirKind::Concat(parts) => self.read_concat(parts),
            HirKind::Alternation(parts) => self.read_alternation(parts),
        }
    }

    fn read_literal(&mut self, literal: &[u8]) -> Part {
        let read = |byte: &u8| match self.keeps(*byte) {
            true => byte.to_ascii_lowercase(),
            false => self.new_gap(ByteSet::of(&[*byte])),
        };
        Part::Texts(BTreeSet::from([literal.iter().map(read).collect()]))
    }

    /// Bytes of one text, and a gap for each where there are gaps.
    fn longest(&self) -> usize {
        if self.squeeze { 2 * LONGEST } else { LONGEST }
    }

    fn keeps(&self, byte: u8) -> bool {
        !self.squeeze || byte.is_ascii_alphanumeric()
    }

    fn read_class(&mut self, class: &Class) -> Part {
        let mut bytes = ByteSet::EMPTY;
        match class {
            Class::Bytes(class) => {
                for range in class.iter() {
                    bytes.extend(range.start()..=range.end());
                }
            }
            // Without Unicode there are classes of bytes alone.
            Class::Unicode(_) => return Part::Needs(Vec::new()),
        }
        let folded = bytes.folded();
        let kept = folded.iter().filter(|byte| self.keeps(*byte));
        let mut texts: BTreeSet<_> = kept.map(|byte| vec![byte]).collect();
        let left_out = folded.intersection(ALPHANUMERIC.complement());
        if self.squeeze && left_out.len() > WIDEST_GAP {
            return Part::Needs(vec![Clause::any_byte(folded)]);
        }
        if self.squeeze && left_out != ByteSet::EMPTY {
            texts.insert(vec![self.new_gap(left_out)]);
        }
        if texts.len() <= SMALL_CLASS {
            return Part::Texts(texts);
        }
        Part::Needs(vec![Clause::any_byte(folded)])
    }

    fn read_repetition(&mut self, repetition: &Repetition) -> Part {
        if repetition.min == 0 && self.squeeze && self.guard(&repetition.sub) {
            return Part::nothing();
        }
        let part = self.read(&repetition.sub);
        if let Part::Texts(texts) = &part
            && texts.iter().flatten().all(|byte| self.squeeze && *byte >= GAP)
        {
            return self.one_gap(texts);
        }
        match (repetition.min, repetition.max, part) {
            (0, Some(1), Part::Texts(mut texts)) => {
                texts.insert(Vec::new());
                Part::Texts(texts)
            }
            (0, _, _) => Part::Needs(Vec::new()),
            (1, Some(1), part) => part,
            (min, max, Part::Texts(texts)) => self
                .repeated(&texts, min, max)
                .unwrap_or_else(|| Part::Needs(self.any_text(texts).into_iter().collect())),
            (_, _, part) => part,
        }
    }

    /// Whether a part matches only with some rare byte that is squeezed out; it is a guard from now on.
    fn guard(&mut self, tree: &Hir) -> bool {
        let mut plain = Self::default();
        let part = plain.read(tree);
        let clauses = plain.clauses_of(part).into_iter();
        let rare = clauses
            .filter(|clause| clause.atoms().is_empty() && !clause.bytes().iter().any(|byte| self.keeps(byte)))
            .min_by(|a, b| a.commonness().total_cmp(&b.commonness()))
            .filter(|clause| clause.commonness() < COMMON);
        self.guards = self
            .guards
            .union(rare.as_ref().map_or(ByteSet::EMPTY, Clause::bytes));
        rare.is_some()
    }

    /// A few repetitions of few texts, multiplied out; what may go on is needed at least that often.
    fn repeated(&self, texts: &BTreeSet<Vec<u8>>, min: u32, max: Option<u32>) -> Option<Part> {
        let mut all = BTreeSet::from([Vec::new()]);
        for _ in 0..min {
            all = product(&all, texts, self.longest())?;
        }
        Some(match max {
            Some(max) if max == min => Part::Texts(all),
            _ => Part::Needs(self.any_text(all).into_iter().collect()),
        })
    }

    /// One part after another: texts side by side become longer texts.
    fn read_concat(&mut self, parts: &[Hir]) -> Part {
        let nothing = || BTreeSet::from([Vec::new()]);
        let (mut run, mut clauses, mut whole) = (nothing(), Vec::new(), true);
        for part in parts {
            let ended = match self.read(part) {
                Part::Texts(texts) => match product(&run, &texts, self.longest()) {
                    Some(longer) => {
                        run = longer;
                        continue;
                    }
                    None => std::mem::replace(&mut run, texts),
                },
                Part::Needs(needs) => {
                    clauses.extend(needs);
                    std::mem::replace(&mut run, nothing())
                }
            };
            whole = false;
            clauses.extend(self.any_text(ended));
        }
        if whole {
            return Part::Texts(run);
        }
        clauses.extend(self.any_text(run));
        Part::Needs(clauses)
    }

    /// One of the parts: the most telling need of each, and, besides, what each needs of single bytes.
    fn read_alternation(&mut self, parts: &[Hir]) -> Part {
        let parts: Vec<_> = parts.iter().map(|part| self.read(part)).collect();
        let texts: Option<Vec<_>> = parts
            .iter()
            .map(|part| match part {
                Part::Texts(texts) => Some(texts),
                Part::Needs(_) => None,
            })
            .collect();
        if let Some(texts) = texts
            && texts.iter().map(|texts| texts.len()).sum::<usize>() <= MOST_TEXTS
        {
            return Part::Texts(texts.into_iter().flatten().cloned().collect());
        }
        let needs: Vec<_> = parts.into_iter().map(|part| self.clauses_of(part)).collect();
        let telling = either(&needs, |_| true);
        let bytes = either(&needs, Clause::is_of_bytes);
        Part::Needs(telling.into_iter().chain(bytes).collect())
    }
}

/// The most telling need of each part, of those that will do.
fn either(parts: &[Vec<Clause>], will_do: impl Fn(&Clause) -> bool) -> Option<Clause> {
    let best = |needs: &Vec<Clause>| {
        let needs = needs.iter().filter(|clause| will_do(clause));
        needs
            .min_by(|a, b| a.commonness().total_cmp(&b.commonness()))
            .cloned()
    };
    let needs: Option<Vec<Clause>> = parts.iter().map(best).collect();
    needs.and_then(|needs| needs.into_iter().reduce(Clause::or))
}

/// Each text of the first followed by each of the second; `None` if that is too many or too long.
fn product(
    first: &BTreeSet<Vec<u8>>,
    second: &BTreeSet<Vec<u8>>,
    longest: usize,
) -> Option<BTreeSet<Vec<u8>>> {
    if first.len() * second.len() > MOST_TEXTS {
        return None;
    }
    let pairs = first
        .iter()
        .flat_map(|start| second.iter().map(move |end| [start.as_slice(), end].concat()));
    let all: BTreeSet<_> = pairs.collect();
    all.iter().all(|text| text.len() <= longest).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    /// The clauses as text: atoms with `|` between them, then bytes in brackets.
    fn shown(pattern: &str) -> Vec<String> {
        let show = |clause: &Clause| {
            let atoms: Vec<_> = clause
                .atoms()
                .iter()
                .map(|atom| atom.escape_ascii().to_string())
                .collect();
            let bytes: Vec<u8> = clause.bytes().iter().collect();
            format!("{}[{}]", atoms.join("|"), bytes.escape_ascii())
        };
        of(&parse(pattern).unwrap()).clauses().iter().map(show).collect()
    }

    #[test]
    fn literals_that_every_match_holds_are_found() {
        for (pattern, expected) in [
            ("select", &["select[]"][..]),
            ("(?i)SeLect", &["select[]"]),
            // One rare literal tells enough; of common ones more are looked for.
            (r"(?i)\bunion\b.*?\bselect\b", &["select[]"]),
            (r"(?i)\bls\b.*?\bid\b", &["ls[]", "id[]"]),
            ("(?:insert|update).{2,8}(?:into|set)", &["insert|update[]"]),
            ("sel(?:ect|f)", &["select|self[]"]),
            ("https?://", &["http://|https://[]"]),
            ("a[xyz]b", &["axb|ayb|azb[]"]),
            ("<|script", &["script[<]"]),
            ("^.*<[a-z]", &["[<]"]),
            (r"0x[0-9a-f]{4}", &["0x[]"]),
            ("(?:ab){2}", &["abab[]"]),
            ("(?:<x)+>", &["<x[]", "[>]"]),
            ("(?:a[0-9]+<|b[0-9]+>)", &["[<>]"]),
        ] {
            assert_eq!(shown(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn what_may_be_absent_is_not_needed() {
        for pattern in [
            "(?:select)?",
            "a*",
            "",
            "^$",
            r"\w+",
            "(?:select|)",
            "(?:union|[a-z])",
            ".",
        ] {
            assert_eq!(shown(pattern), [] as [String; 0], "{pattern}");
        }
    }

    #[test]
    fn words_with_quotes_between_their_letters_are_found_without_them() {
        let between = r#"['"\\]*(?:\$[a-z]*)?"#;
        let word = |word: &str| {
            word.split("")
                .filter(|letter| !letter.is_empty())
                .collect::<Vec<_>>()
                .join(between)
        };
        let pattern = format!("(?:{}|{})", word("cat"), word("nohup"));
        let requirement = of(&parse(&pattern).unwrap());
        let clause = &requirement.clauses()[0];
        assert_eq!(clause.squeezed(), [b"cat".to_vec(), b"nohup".to_vec()]);
        assert_eq!(clause.bytes(), ByteSet::of(b"$"));
    }

    #[test]
    fn only_what_may_stand_between_letters_is_noise() {
        for (pattern, noise) in [
            // Not what stands before and behind the word.
            (r#"[\s;]*c['"]*a['"\\]*t[\s<>]"#, r#""'\"#),
            // A rare byte is a guard instead.
            (r"\ba\^?t\^?c", ""),
            // In each of the words, and between two that belong together.
            (r#"(?:a'?x|b"?x)-{1,3}q"#, r#"'"-"#),
            (r"s\.s", "."),
        ] {
            let clauses = Reader::squeezing().clauses(&parse(pattern).unwrap());
            let all = clauses
                .iter()
                .fold(ByteSet::EMPTY, |all, clause| all.union(clause.noise()));
            assert_eq!(all, ByteSet::of(noise.as_bytes()), "{pattern}");
        }
    }

    #[test]
    fn many_alternatives_stay_bounded() {
        let words: Vec<_> = (0..1000).map(|number| format!("word{number}x[a-z]")).collect();
        let clauses = shown(&words.join("|"));
        assert_eq!(clauses.len(), 1);
    }
}
