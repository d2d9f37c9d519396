//! Comments.

use memchr::memchr;

use super::super::super::search::pair;
use super::super::charset::is_white;
use super::super::token::{Kind, Token};
use super::{Lexeme, single_operator};

/// `--` before white space or the end is a comment for every database.
pub(in super::super) fn is_comment_everywhere(rest: &[u8]) -> bool {
    match rest {
        [b'-', b'-', next, ..] => is_white(*next),
        [b'-', b'-'] => true,
        _ => false,
    }
}

/// A comment as long as the line; the line feed belongs to it, but not to its text.
pub(in super::super) fn comment_to_end_of_line(rest: &[u8]) -> Lexeme<'_> {
    match memchr(b'\n', rest) {
        Some(end) => Lexeme::of(
            Token::new(Kind::Comment, rest.get(..end).unwrap_or(rest)),
            end + 1,
        ),
        None => Lexeme::whole(Kind::Comment, rest, rest.len()),
    }
}

/// `/* */`, or division. Comments that PostgreSQL would nest and the conditional comments of MySQL, whose inside
/// is executed, cannot be read for all databases at once: they are evil.
pub(in super::super) fn slash(rest: &[u8]) -> Lexeme<'_> {
    let [b'/', b'*', inside @ ..] = rest else {
        return single_operator(rest);
    };
    let end = pair(inside, b'*', b'/');
    // One byte of the end counts as inside: "/*/*/" nests.
    let nests = end.is_some_and(|end| {
        inside
            .get(..=end)
            .is_some_and(|inside| pair(inside, b'/', b'*').is_some())
    });
    let kind = if nests || inside.first() == Some(&b'!') {
        Kind::Evil
    } else {
        Kind::Comment
    };
    Lexeme::whole(kind, rest, end.map_or(rest.len(), |end| end + 4))
}
