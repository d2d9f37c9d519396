//! What a value must hold for an operator to match it at all, and one scan that tells it for all operators.
//!
//! Hardly any value matches hardly any rule. Each operator says at load what it needs ([`Requirement`]): some
//! of a set of literals, some of a set of bytes. A scanner reads a value once and answers for every
//! operator together whether its needs are met; only then the operator itself is asked. It errs on one side
//! alone: an operator that matches is always among the candidates. For patterns that are often asked in vain a second
//! reading tells where their matches may start.

mod bytes;
mod classes;
mod literals;
mod rarity;
mod requirement;
mod scanner;
mod starts;
mod windows;

use regex_syntax::ParserBuilder;
use regex_syntax::hir::Hir;

pub use bytes::ByteSet;
pub(crate) use bytes::append_kept;
pub use requirement::{Clause, Requirement};
pub(crate) use scanner::{Room, Scanner, ScannerBuilder};
pub(crate) use starts::{Finder, FinderBuilder, Place, Places, Sought, Starts};

/// Operators that are asked less often need not be quick: what is known of their matches takes time at load.
const SELDOM_ASKED: f64 = 0.002;

/// What every match of a pattern holds, and what matches begin with, where that is worth knowing. The pattern is one
/// that the `regex` crate takes, over bytes, `.` matching everything.
pub(crate) fn of_pattern(pattern: &str) -> (Requirement, Option<Starts>) {
    // It was compiled before: what cannot be read here needs nothing that is known.
    let Some(tree) = parse(pattern) else {
        return (Requirement::unknown(), None);
    };
    let requirement = literals::of(&tree);
    let is_asked = requirement.commonness() > SELDOM_ASKED;
    let starts = is_asked.then(|| Starts::of(&tree)).flatten();
    (requirement, starts)
}

/// The tree of a pattern as the `regex` crate has it.
fn parse(pattern: &str) -> Option<Hir> {
    ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .dot_matches_new_line(true)
        .build()
        .parse(pattern)
        .ok()
}
