//! SQL injection: is this value the middle of somebody's statement?
//!
//! A value is read as if it stood bare in a statement, and, where it holds the quote, as if it stood within
//! single or double quotes. Where the databases disagree on what is a comment, it is read in both ways.

mod charset;
mod fingerprint;
mod fold;
mod gate;
mod keywords;
mod lexemes;
mod lexer;
mod token;
mod whitelist;

#[cfg(test)]
mod tests;

use memchr::{memchr, memchr2};

pub(in crate::libinjection) use charset::is_plain;
pub use fingerprint::Fingerprint;
use fold::Row;
use lexer::{Dialect, Lexer};
use whitelist::is_harmless;

/// The fingerprint of `input` if it is an SQL injection.
#[inline]
#[must_use]
pub fn sqli(input: &[u8]) -> Option<Fingerprint> {
    if gate::is_one_word(input) {
        return None;
    }
    sqli_ungated(input)
}

/// [`sqli()`] without the gate in front, which must make no difference: for the comparisons that show it.
#[must_use]
pub fn sqli_ungated(input: &[u8]) -> Option<Fingerprint> {
    in_either_dialect(input, None).or_else(|| memchr2(b'\'', b'"', input).and_then(|_| within_quotes(input)))
}

/// As if the value stood within the quotes that it holds.
fn within_quotes(input: &[u8]) -> Option<Fingerprint> {
    let single = memchr(b'\'', input).and_then(|_| in_either_dialect(input, Some(b'\'')));
    single.or_else(|| memchr(b'"', input).and_then(|_| read(input, Some(b'"'), Dialect::MySql).injection))
}

/// As ANSI SQL, and as MySQL if that could make a difference.
fn in_either_dialect(input: &[u8], quote: Option<u8>) -> Option<Fingerprint> {
    let ansi = read(input, quote, Dialect::Ansi);
    if ansi.injection.is_none() && ansi.depends_on_dialect {
        return read(input, quote, Dialect::MySql).injection;
    }
    ansi.injection
}

/// What comes of reading a value in one way.
struct Reading {
    /// The fingerprint if only attacks have it, and this one is not an exception.
    injection: Option<Fingerprint>,
    depends_on_dialect: bool,
}

fn read(input: &[u8], quote: Option<u8>, dialect: Dialect) -> Reading {
    let mut row = Row::new(Lexer::new(input, quote, dialect));
    row.fold();
    let fingerprint = row.fingerprint();
    let is_injection = fingerprint.is_suspicious() && !is_harmless(&fingerprint, &row, input);
    Reading {
        injection: is_injection.then_some(fingerprint),
        depends_on_dialect: row.lexer.depends_on_dialect,
    }
}
