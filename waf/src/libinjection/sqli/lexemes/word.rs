//! Words: keywords, names, and names between backticks or brackets.

use memchr::memchr;

use super::super::super::search::span;
use super::super::charset::{ends_word, span_of_word};
use super::super::keywords::{Word, look_up};
use super::super::token::{Kind, TEXT_LIMIT, Token};
use super::{Lexeme, string};

/// A keyword or a name. A name may hold full stops and backticks, but no keyword before one: "SELECT.1" and
/// "SELECT`name`" are keywords and something else.
pub(in super::super) fn word(rest: &[u8]) -> Lexeme<'_> {
    // Only the beginning until it is known whether the word goes on: "select.select.select" is a word of the
    // whole value each time, and reading it to its end each time would take quadratic time.
    let beginning = rest.get(..=TEXT_LIMIT).unwrap_or(rest);
    let (length, has_mark) = span_of_word(beginning);
    let text = rest.get(..length.min(TEXT_LIMIT)).unwrap_or(rest);
    if has_mark && let Some(keyword) = keyword_before_mark(text) {
        return keyword;
    }
    if length > TEXT_LIMIT {
        let length = span(rest, |byte| !ends_word(byte));
        return Lexeme::of(Token::new(Kind::BareWord, text), length);
    }
    Lexeme::of(named(text, look_up(text)), length)
}

/// The keyword before a full stop or backtick.
fn keyword_before_mark(text: &[u8]) -> Option<Lexeme<'_>> {
    let marks = text
        .iter()
        .enumerate()
        .filter(|&(_, byte)| matches!(byte, b'.' | b'`'));
    for (at, _) in marks {
        let before = text.get(..at)?;
        let word = look_up(before);
        if !matches!(word.kind, Kind::None | Kind::BareWord) {
            return Some(Lexeme::of(named(before, word), at));
        }
    }
    None
}

fn named<'a>(text: &'a [u8], word: Word) -> Token<'a> {
    let kind = if word.kind == Kind::None {
        Kind::BareWord
    } else {
        word.kind
    };
    Token::new(kind, text).known_as(kind, word.begins_phrase)
}

/// A name between backticks, as MySQL has them. It may be a function's, but no other keyword.
pub(in super::super) fn backticked(rest: &[u8]) -> Lexeme<'_> {
    let Lexeme { token, length } = string(rest, b'`');
    let token = token.map(|token| {
        let word = look_up(token.text);
        let kind = if word.kind == Kind::Function {
            Kind::Function
        } else {
            Kind::BareWord
        };
        token.known_as(kind, word.begins_phrase)
    });
    Lexeme { token, length }
}

/// A name between brackets, as SQL Server has them.
pub(in super::super) fn bracketed(rest: &[u8]) -> Lexeme<'_> {
    let length = memchr(b']', rest).map_or(rest.len(), |end| end + 1);
    Lexeme::whole(Kind::BareWord, rest, length)
}
