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
    Requirement::all_of(read(&tree).into_clauses())
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

    fn into_clauses(self) -> Vec<Clause> {
        match self {
            Self::Texts(texts) => Clause::any_text(texts).into_iter().collect(),
            Self::Needs(clauses) => clauses,
        }
    }
}

fn read(tree: &Hir) -> Part {
    match tree.kind() {
        HirKind::Empty | HirKind::Look(_) => Part::nothing(),
        HirKind::Literal(literal) => Part::Texts(BTreeSet::from([literal.0.to_ascii_lowercase()])),
        HirKind::Class(class) => read_class(class),
        HirKind::Capture(capture) => read(&capture.sub),
        HirKind::Repetition(repetition) => read_repetition(repetition),
        HirKind::Concat(parts) => read_concat(parts),
        HirKind::Alternation(parts) => read_alternation(parts),
    }
}

fn read_class(class: &Class) -> Part {
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
    if folded.len() <= SMALL_CLASS {
        return Part::Texts(folded.iter().map(|byte| vec![byte]).collect());
    }
    Part::Needs(vec![Clause::any_byte(folded)])
}

fn read_repetition(repetition: &Repetition) -> Part {
    let part = read(&repetition.sub);
    match (repetition.min, repetition.max, part) {
        (0, Some(1), Part::Texts(mut texts)) => {
            texts.insert(Vec::new());
            Part::Texts(texts)
        }
        (0, _, _) => Part::Needs(Vec::new()),
        (1, Some(1), part) => part,
        (min, max, Part::Texts(texts)) => {
            repeated(&texts, min, max).unwrap_or_else(|| Part::Needs(Part::Texts(texts).into_clauses()))
        }
        (_, _, part) => part,
    }
}

/// A few repetitions of few texts, multiplied out; what may go on is needed at least that often.
fn repeated(texts: &BTreeSet<Vec<u8>>, min: u32, max: Option<u32>) -> Option<Part> {
    let mut all = BTreeSet::from([Vec::new()]);
    for _ in 0..min {
        all = product(&all, texts)?;
    }
    let texts = Part::Texts(all);
    Some(match max {
        Some(max) if max == min => texts,
        _ => Part::Needs(texts.into_clauses()),
    })
}

/// One part after another: texts side by side become longer texts.
fn read_concat(parts: &[Hir]) -> Part {
    let mut run = BTreeSet::from([Vec::new()]);
    let mut clauses = Vec::new();
    let mut whole = true;
    for part in parts.iter().map(read) {
        match part {
            Part::Texts(texts) => match product(&run, &texts) {
                Some(longer) => run = longer,
                None => {
                    whole = false;
                    clauses.extend(Clause::any_text(std::mem::replace(&mut run, texts)));
                }
            },
            Part::Needs(needs) => {
                whole = false;
                clauses.extend(needs);
                clauses.extend(Clause::any_text(std::mem::replace(
                    &mut run,
                    BTreeSet::from([Vec::new()]),
                )));
            }
        }
    }
    if whole {
        return Part::Texts(run);
    }
    clauses.extend(Clause::any_text(run));
    Part::Needs(clauses)
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

/// One of the parts: the most telling need of each.
fn read_alternation(parts: &[Hir]) -> Part {
    let parts: Vec<_> = parts.iter().map(read).collect();
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
    let needs: Option<Vec<Clause>> = parts.into_iter().map(most_telling).collect();
    let either = needs.and_then(|needs| needs.into_iter().reduce(Clause::or));
    Part::Needs(either.into_iter().collect())
}

fn most_telling(part: Part) -> Option<Clause> {
    let clauses = part.into_clauses().into_iter();
    clauses.min_by(|a, b| a.commonness().total_cmp(&b.commonness()))
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
            ("(?:insert|update).{2,8}(?:into|set)", &["insert|update[]", "into|set[]"]),
            ("sel(?:ect|f)", &["select|self[]"]),
            ("https?://", &["http://|https://[]"]),
            ("a[xyz]b", &["axb|ayb|azb[]"]),
            ("<|script", &["script[<]"]),
            ("^.*<[a-z]", &["[<]"]),
            (r"0x[0-9a-f]{4}", &["0x[]"]),
            ("(?:ab){2}", &["abab[]"]),
            ("(?:<x)+>", &["<x[]", "[>]"]),
        ] {
            assert_eq!(shown(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn what_may_be_absent_is_not_needed() {
        for pattern in ["(?:select)?", "a*", "", "^$", r"\w+", "(?:select|)", "(?:union|[a-z])", "."] {
            assert_eq!(shown(pattern), [] as [String; 0], "{pattern}");
        }
    }

    #[test]
    fn many_alternatives_stay_bounded() {
        let words: Vec<_> = (0..1000).map(|number| format!("word{number}x[a-z]")).collect();
        let clauses = shown(&words.join("|"));
        assert_eq!(clauses.len(), 1);
    }
}
