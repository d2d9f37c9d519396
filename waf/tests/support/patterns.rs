//! Patterns out of chance, and texts that patterns match.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

use super::dice::Dice;

/// Texts written along the tree of the pattern: nearly all of them match it, but for what it demands of their
/// neighbours. None if it is not in the notation of the `regex` crate.
pub fn texts_of(pattern: &str, count: usize, dice: &mut Dice) -> Vec<Vec<u8>> {
    let mut parser = ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .dot_matches_new_line(true)
        .build();
    let Ok(tree) = parser.parse(pattern) else {
        return Vec::new();
    };
    let mut text = || {
        let mut out = Vec::new();
        write(&tree, dice, &mut out);
        out.truncate(2000);
        out
    };
    (0..count).map(|_| text()).collect()
}

fn write(tree: &Hir, dice: &mut Dice, out: &mut Vec<u8>) {
    match tree.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.extend_from_slice(&literal.0),
        HirKind::Class(class) => out.extend(byte_of(class, dice)),
        HirKind::Capture(capture) => write(&capture.sub, dice, out),
        HirKind::Concat(parts) => parts.iter().for_each(|part| write(part, dice, out)),
        HirKind::Alternation(parts) => write(&parts[dice.below(parts.len())], dice, out),
        HirKind::Repetition(repetition) => {
            let least = repetition.min as usize;
            let most = repetition.max.map_or(least + 3, |max| max as usize);
            let times = least + dice.below((most - least).min(3) + 1);
            for _ in 0..times.min(300) {
                write(&repetition.sub, dice, out);
            }
        }
    }
}

fn byte_of(class: &Class, dice: &mut Dice) -> Option<u8> {
    let Class::Bytes(class) = class else { return None };
    let range = class.ranges().get(dice.below(class.ranges().len().max(1)))?;
    let width = usize::from(range.end() - range.start()) + 1;
    Some(range.start() + dice.below(width) as u8)
}

#[rustfmt::skip]
const PIECES: &[&str] = &[
    "select", "UNION", "a", "Q", "<", "\\x3c", "0x", "on", "é", "k", "s", "\\.", "\\$", "'", "[a-z]", "[^a-z]", "[xyz]", "[^<>]", "\\d",
    "\\w", "\\W", "\\s", "[\\x80-\\xff]", ".", "[A-Fa-f0-9]", "['\\\\]*", "n['\"]*o['\"]*h['\"]*u['\"]*p", "c\\$?a\\$?t",
    "(?:i['^]*d|l(?:\\$[a-z]*)?s)",
];

/// A pattern.
pub fn pattern(dice: &mut Dice) -> String {
    let mut pattern = String::from(dice.one_of(&["", "", "(?i)"]));
    alternatives(3, dice, &mut pattern);
    pattern
}

fn alternatives(depth: usize, dice: &mut Dice, out: &mut String) {
    let count = if dice.once_in(2) { 1 } else { 1 + dice.below(4) };
    for number in 0..count {
        if number > 0 {
            out.push('|');
        }
        sequence(depth, dice, out);
    }
}

fn sequence(depth: usize, dice: &mut Dice, out: &mut String) {
    for _ in 0..dice.below(4) + usize::from(!dice.once_in(12)) {
        if dice.once_in(10) {
            out.push_str(dice.one_of(&["\\b", "^", "$", "\\B"]));
            continue;
        }
        if depth > 0 && dice.once_in(3) {
            out.push_str(dice.one_of(&["(?:", "(", "(?i:", "(?-i:"]));
            alternatives(depth - 1, dice, out);
            out.push(')');
        } else {
            // One piece, whatever stands behind it.
            out.push_str(&format!("(?:{})", dice.one_of(PIECES)));
        }
        out.push_str(dice.one_of(&[
            "", "", "", "", "?", "*", "+", "{2}", "{1,3}", "{0,2}", "{3,}", "+?",
        ]));
    }
}
