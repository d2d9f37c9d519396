//! What a pattern needs: literals and bytes that are in every match, read off its syntax tree.

use std::collections::BTreeSet;

use regex_syntax::ParserBuilder;
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

/// What every match of the pattern holds. The pattern is one that the `regex` crate takes, over bytes, `.`
/// matching everything.
pub(crate) fn of_pattern(pattern: &str) -> Requirement {
    let parser = ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .dot_matches_new_line(true)
        .build()
        .parse(pattern);
    // It was compiled before: what cannot be read here needs nothing that is known.
    let Ok(tree) = parser else {
        return Requirement::unknown();
    };
    let mut clauses = Reader::default().clauses(&tree);
    if clauses.iter().all(|clause| clause.commonness() > COMMON) {
        clauses.extend(Reader::squeezing().clauses(&tree));
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
/// a literal again. What may stand between the letters and needs a rare byte (`$`) becomes a guard: a value
/// with such a byte meets each clause.
#[derive(Default)]
struct Reader {
    squeeze: bool,
    guards: ByteSet,
}

impl Reader {
    fn squeezing() -> Self {
        Self {
            squeeze: true,
            guards: ByteSet::EMPTY,
        }
    }

    fn clauses(mut self, tree: &Hir) -> Vec<Clause> {
        let part = self.read(tree);
        let guards = self.guards;
        let clauses = self.into_clauses(part).into_iter();
        clauses
            .map(|clause| clause.or(Clause::any_byte(guards)))
            .collect()
    }

    fn into_clauses(&self, part: Part) -> Vec<Clause> {
        match part {
            Part::Texts(texts) => self.any_text(texts).into_iter().collect(),
            Part::Needs(clauses) => clauses,
        }
    }

    fn any_text(&self, texts: BTreeSet<Vec<u8>>) -> Option<Clause> {
        if self.squeeze {
            Clause::any_squeezed(texts)
        } else {
            Clause::any_text(texts)
        }
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

    fn read_literal(&self, literal: &[u8]) -> Part {
        let kept = literal.iter().filter(|byte| self.keeps(**byte));
        Part::Texts(BTreeSet::from([kept.map(u8::to_ascii_lowercase).collect()]))
    }

    fn keeps(&self, byte: u8) -> bool {
        !self.squeeze || byte.is_ascii_alphanumeric()
    }

    fn read_class(&self, class: &Class) -> Part {
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
        let text = |byte: u8| if self.keeps(byte) { vec![byte] } else { Vec::new() };
        let texts: BTreeSet<_> = folded.iter().map(text).collect();
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
            && texts.iter().all(Vec::is_empty)
        {
            return Part::nothing();
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
        let clauses = plain.into_clauses(part).into_iter();
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
            all = product(&all, texts)?;
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
                Part::Texts(texts) => match product(&run, &texts) {
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
        let needs: Vec<_> = parts.into_iter().map(|part| self.into_clauses(part)).collect();
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
fn product(first: &BTreeSet<Vec<u8>>, second: &BTreeSet<Vec<u8>>) -> Option<BTreeSet<Vec<u8>>> {
    if first.len() * second.len() > MOST_TEXTS {
        return None;
    }
    let pairs = first
        .iter()
        .flat_map(|start| second.iter().map(move |end| [start.as_slice(), end].concat()));
    let all: BTreeSet<_> = pairs.collect();
    all.iter().all(|text| text.len() <= LONGEST).then_some(all)
}

#[cfg(test)]
mod tests {
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
        of_pattern(pattern).clauses().iter().map(show).collect()
    }

    #[test]
    fn literals_that_every_match_holds_are_found() {
        for (pattern, expected) in [
            ("select", &["select[]"][..]),
            ("(?i)SeLect", &["select[]"]),
            (r"(?i)\bunion\b.*?\bselect\b", &["select[]", "union[]"]),
            (
                "(?:insert|update).{2,8}(?:into|set)",
                &["insert|update[]", "into|set[]"],
            ),
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
        let requirement = of_pattern(&pattern);
        let clause = &requirement.clauses()[0];
        assert_eq!(clause.squeezed(), [b"cat".to_vec(), b"nohup".to_vec()]);
        assert_eq!(clause.bytes(), ByteSet::of(b"$"));
    }

    #[test]
    fn many_alternatives_stay_bounded() {
        let words: Vec<_> = (0..1000).map(|number| format!("word{number}x[a-z]")).collect();
        let clauses = shown(&words.join("|"));
        assert_eq!(clauses.len(), 1);
    }
}
