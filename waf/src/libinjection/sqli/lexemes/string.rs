//! Strings and their many prefixes.

use memchr::memchr;

use super::super::super::search::pair;
use super::super::token::{Kind, Token};
use super::{Lexeme, word};

/// A string between quotes.
pub(in super::super) fn string(rest: &[u8], quote: u8) -> Lexeme<'_> {
    quoted(rest, 1, quote)
}

/// The rest of a string that began before the value.
pub(in super::super) fn rest_of_string(rest: &[u8], quote: u8) -> Lexeme<'_> {
    quoted(rest, 0, quote)
}

/// A string whose inside begins at `start`, after the quote unless that is 0.
pub(super) fn quoted(rest: &[u8], start: usize, quote: u8) -> Lexeme<'_> {
    let inside = rest.get(start..).unwrap_or_default();
    let open = if start > 0 { quote } else { 0 };
    match end_of_string(inside, quote) {
        Some(end) => {
            let token = Token::new(Kind::String, inside.get(..end).unwrap_or(inside)).between(open, quote);
            Lexeme::of(token, start + end + 1)
        }
        None => Lexeme::of(Token::new(Kind::String, inside).between(open, 0), rest.len()),
    }
}

/// The first quote that is neither behind a backslash nor doubled.
fn end_of_string(inside: &[u8], quote: u8) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + memchr(quote, inside.get(from..)?)?;
        let (before, after) = inside.split_at_checked(at)?;
        if is_escaped(before) {
            from = at + 1;
        } else if after.get(1) == Some(&quote) {
            from = at + 2;
        } else {
            return Some(at);
        }
    }
}

/// Whether what follows `before` is behind an odd number of backslashes.
fn is_escaped(before: &[u8]) -> bool {
    before.iter().rev().take_while(|&&byte| byte == b'\\').count() % 2 == 1
}

/// `e'...'`: the escaped string of PostgreSQL.
pub(in super::super) fn escaped_string_or_word(rest: &[u8]) -> Lexeme<'_> {
    match rest {
        [_, b'\'', _, ..] => quoted(rest, 2, b'\''),
        _ => word(rest),
    }
}

/// `n'...'`: a string in the national character set, or Oracle's `nq'...'`.
pub(in super::super) fn national_string_or_word(rest: &[u8]) -> Lexeme<'_> {
    match rest {
        [_, b'\'', _, ..] => quoted(rest, 2, b'\''),
        _ => oracle_string(rest, 1).unwrap_or_else(|| word(rest)),
    }
}

/// `q'[...]'`: Oracle's string with a delimiter of its own.
pub(in super::super) fn oracle_string_or_word(rest: &[u8]) -> Lexeme<'_> {
    oracle_string(rest, 0).unwrap_or_else(|| word(rest))
}

/// Oracle's string if the `q` stands after `prefix` bytes.
fn oracle_string(rest: &[u8], prefix: usize) -> Option<Lexeme<'_>> {
    let [b'q' | b'Q', b'\'', delimiter @ 33..=127, inside @ ..] = rest.get(prefix..)? else {
        return None;
    };
    let end = pair(inside, closing(*delimiter), b'\'');
    let (text, close, length) = match end.and_then(|end| inside.get(..end)) {
        Some(text) => (text, b'q', prefix + 3 + text.len() + 2),
        None => (inside, 0, rest.len()),
    };
    Some(Lexeme::of(
        Token::new(Kind::String, text).between(b'q', close),
        length,
    ))
}

fn closing(delimiter: u8) -> u8 {
    match delimiter {
        b'(' => b')',
        b'[' => b']',
        b'{' => b'}',
        b'<' => b'>',
        same => same,
    }
}

/// `u&'...'`: a string with Unicode escapes.
pub(in super::super) fn unicode_string_or_word(rest: &[u8]) -> Lexeme<'_> {
    let [_, b'&', from_quote @ ..] = rest else {
        return word(rest);
    };
    if from_quote.first() != Some(&b'\'') {
        return word(rest);
    }
    let Lexeme { token, length } = quoted(from_quote, 1, b'\'');
    let token = token.map(|token| token.between(b'u', if token.close == 0 { 0 } else { b'u' }));
    Lexeme {
        token,
        length: length + 2,
    }
}
