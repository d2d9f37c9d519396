//! Numbers: decimal, hexadecimal, binary and sums of money.

use super::super::super::search::{pair, span};
use super::super::charset::is_white;
use super::super::token::{Kind, Token};
use super::{Lexeme, word};

/// `0x1F`, `0b10`, `12`, `1.5e-3`, or a full stop that begins no number.
pub(in super::super) fn number(rest: &[u8]) -> Lexeme<'_> {
    match rest {
        [b'0', b'x' | b'X', digits @ ..] => prefixed(rest, span(digits, |byte| byte.is_ascii_hexdigit())),
        [b'0', b'b' | b'B', digits @ ..] => prefixed(rest, span(digits, |byte| matches!(byte, b'0' | b'1'))),
        _ => decimal(rest),
    }
}

fn prefixed(rest: &[u8], digits: usize) -> Lexeme<'_> {
    let kind = if digits == 0 { Kind::BareWord } else { Kind::Number };
    Lexeme::whole(kind, rest, 2 + digits)
}

fn decimal(rest: &[u8]) -> Lexeme<'_> {
    let mut length = digits(rest, 0);
    if rest.get(length) == Some(&b'.') {
        length += 1;
        length += digits(rest, length);
        if length == 1 {
            return Lexeme::whole(Kind::Dot, rest, 1);
        }
    }
    let (exponent, is_complete) = exponent(rest, length);
    length += exponent;
    length += usize::from(has_suffix(rest, length));
    if is_complete {
        Lexeme::whole(Kind::Number, rest, length)
    } else {
        // MySQL reads over `1.e` as if it were not there.
        Lexeme::skip(length)
    }
}

fn digits(rest: &[u8], from: usize) -> usize {
    span(rest.get(from..).unwrap_or_default(), |byte| byte.is_ascii_digit())
}

/// The length of the exponent at `from`, and whether it has digits if there is one.
fn exponent(rest: &[u8], from: usize) -> (usize, bool) {
    let (mark, sign) = match rest.get(from..).unwrap_or_default() {
        [b'e' | b'E', b'+' | b'-', ..] => (1, 1),
        [b'e' | b'E', ..] => (1, 0),
        _ => return (0, true),
    };
    let digits = digits(rest, from + mark + sign);
    (mark + sign + digits, digits > 0)
}

/// Oracle ends a float with `f` or `d`. Before other letters it is the first of a word, but "1fUNION" is not
/// meant to hide "UNION".
fn has_suffix(rest: &[u8], at: usize) -> bool {
    match rest.get(at..).unwrap_or_default() {
        [b'd' | b'D' | b'f' | b'F'] => true,
        [b'd' | b'D' | b'f' | b'F', next, ..] => is_white(*next) || matches!(next, b';' | b'u' | b'U'),
        _ => false,
    }
}

/// `x'1F'`.
pub(in super::super) fn hexadecimal_or_word(rest: &[u8]) -> Lexeme<'_> {
    quoted_or_word(rest, |byte| byte.is_ascii_hexdigit())
}

/// `b'10'`.
pub(in super::super) fn binary_or_word(rest: &[u8]) -> Lexeme<'_> {
    quoted_or_word(rest, |byte| matches!(byte, b'0' | b'1'))
}

fn quoted_or_word(rest: &[u8], is_digit: impl Fn(u8) -> bool) -> Lexeme<'_> {
    if let [_, b'\'', quoted @ ..] = rest {
        let digits = span(quoted, is_digit);
        if quoted.get(digits) == Some(&b'\'') {
            return Lexeme::whole(Kind::Number, rest, digits + 3);
        }
    }
    word(rest)
}

/// `$1,000.00`, a string between `$$` or `$name$`, or a dollar sign.
pub(in super::super) fn money(rest: &[u8]) -> Lexeme<'_> {
    let after = rest.get(1..).unwrap_or_default();
    match (
        span(after, |byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',')),
        after,
    ) {
        (0, [b'$', body @ ..]) => dollar_string(body, pair(body, b'$', b'$'), 2),
        (0, _) => named_dollar_string(rest, after),
        (1, [b'.', ..]) => word(rest),
        (digits, _) => Lexeme::whole(Kind::Number, rest, digits + 1),
    }
}

fn named_dollar_string<'a>(rest: &'a [u8], after: &'a [u8]) -> Lexeme<'a> {
    let name = span(after, |byte| byte.is_ascii_alphabetic());
    let Some((mark, body)) = rest
        .split_at_checked(name + 2)
        .filter(|(mark, _)| name > 0 && mark.ends_with(b"$"))
    else {
        return Lexeme::whole(Kind::BareWord, rest, 1);
    };
    dollar_string(body, memchr::memmem::find(body, mark), mark.len())
}

/// A string that ends at `end` of `body`, or not at all; `mark` is the length of what is before and after it.
fn dollar_string(body: &[u8], end: Option<usize>, mark: usize) -> Lexeme<'_> {
    let (text, close, length) = match end.and_then(|end| body.get(..end)) {
        Some(text) => (text, b'$', mark + text.len() + mark),
        None => (body, 0, mark + body.len()),
    };
    Lexeme::of(Token::new(Kind::String, text).between(b'$', close), length)
}
