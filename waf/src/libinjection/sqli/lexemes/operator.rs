//! Operators, punctuation and white space.

use super::super::super::search::span;
use super::super::token::Kind;
use super::Lexeme;

/// How much white space there is; every control character counts.
#[inline]
pub(in super::super) fn white(rest: &[u8]) -> usize {
    span(rest, |byte| byte <= b' ' || byte == 0x7f || byte == 0xa0)
}

/// An operator of one byte.
pub(in super::super) fn single_operator(rest: &[u8]) -> Lexeme<'_> {
    Lexeme::whole(Kind::Operator, rest, 1)
}

/// An operator of up to three bytes.
pub(in super::super) fn operator(rest: &[u8]) -> Lexeme<'_> {
    match rest {
        [b'<', b'=', b'>', ..] => Lexeme::whole(Kind::Operator, rest, 3),
        [b'&', b'&', ..] | [b'|', b'|', ..] => Lexeme::whole(Kind::Logic, rest, 2),
        [first, second, ..] if is_pair(*first, *second) => Lexeme::whole(Kind::Operator, rest, 2),
        [b':', _, ..] => Lexeme::whole(Kind::Colon, rest, 1),
        // A colon at the very end, too.
        _ => single_operator(rest),
    }
}

fn is_pair(first: u8, second: u8) -> bool {
    matches!(
        (first, second),
        (b'!', b'!' | b'<' | b'=' | b'>')
            | (b'&' | b'*', b'=')
            | (b':', b':' | b'=')
            | (b'<', b'<' | b'=' | b'>' | b'@')
            | (b'>', b'=' | b'>')
            | (b'|', b'/' | b'=')
    )
}

/// A byte that means nothing but itself.
pub(in super::super) fn punctuation(rest: &[u8], byte: u8) -> Lexeme<'_> {
    let kind = match byte {
        b'?' | b']' => Kind::Unknown,
        _ => Kind::of_letter(byte),
    };
    Lexeme::whole(kind, rest, 1)
}

/// `\N`, which is NULL to MySQL, or a backslash.
pub(in super::super) fn backslash(rest: &[u8]) -> Lexeme<'_> {
    match rest {
        [_, b'N', ..] => Lexeme::whole(Kind::Number, rest, 2),
        _ => Lexeme::whole(Kind::Backslash, rest, 1),
    }
}
