//! HTML as a sequence of tokens, after the tokenizer of HTML 5 (12.2.5), with the liberties that browsers have
//! taken: NULs in names, backticks as quotes, `<% %>` as a comment.
//!
//! A method per state. Each reads on from where the one before stopped and yields a token, or nothing at the end
//! of the value; `state` is where to go on after that.

mod attribute;
mod comment;

use memchr::memchr;

use super::Place;
use super::token::{Kind, Token};

#[derive(Clone, Copy)]
enum State {
    Text,
    AfterLessThan,
    AtTagEnd,
    BeforeAttributeName,
    AfterAttributeName,
    AfterSlash,
    BeforeAttributeValue,
    InValue(u8),
    AfterQuotedValue,
    End,
}

/// Reads tokens off a value.
pub(super) struct Tokenizer<'a> {
    input: &'a [u8],
    at: usize,
    state: State,
    /// Within a closing tag. The reference forgets to end it after `</>` and where white space or a slash follows
    /// the name; so do we.
    closing: bool,
}

impl<'a> Tokenizer<'a> {
    pub(super) fn new(input: &'a [u8], place: Place) -> Self {
        let state = match place {
            Place::Text => State::Text,
            Place::Tag => State::BeforeAttributeName,
            Place::Value(quote) => State::InValue(quote),
        };
        Self {
            input,
            at: 0,
            state,
            closing: false,
        }
    }

    /// The next token.
    pub(super) fn next(&mut self) -> Option<Token<'a>> {
        match self.state {
            State::Text => self.text(),
            State::AfterLessThan => self.after_less_than(),
            State::AtTagEnd => self.at_tag_end(),
            State::BeforeAttributeName => self.before_attribute_name(),
            State::AfterAttributeName => self.after_attribute_name(),
            State::AfterSlash => self.after_slash(),
            State::BeforeAttributeValue => self.before_attribute_value(),
            State::InValue(quote) => self.in_value(quote),
            State::AfterQuotedValue => self.after_quoted_value(),
            State::End => None,
        }
    }

    fn text(&mut self) -> Option<Token<'a>> {
        let rest = self.rest();
        match memchr(b'<', rest) {
            Some(0) => {
                self.at += 1;
                self.after_less_than()
            }
            Some(length) => Some(self.token(Kind::Text, length, 1, State::AfterLessThan)),
            None if rest.is_empty() => None,
            None => Some(self.last(Kind::Text)),
        }
    }

    fn after_less_than(&mut self) -> Option<Token<'a>> {
        match self.peek()? {
            b'!' => {
                self.at += 1;
                Some(self.declaration())
            }
            b'/' => {
                self.at += 1;
                self.closing = true;
                self.after_less_than_slash()
            }
            b'?' => {
                self.at += 1;
                Some(self.comment_to_greater_than())
            }
            b'%' => {
                self.at += 1;
                Some(self.comment_to_percent())
            }
            0 => Some(self.tag_name()),
            letter if letter.is_ascii_alphabetic() => Some(self.tag_name()),
            // The less-than sign was text.
            _ => {
                self.at -= 1;
                Some(self.token(Kind::Text, 1, 0, State::Text))
            }
        }
    }

    fn after_less_than_slash(&mut self) -> Option<Token<'a>> {
        match self.peek()? {
            b'>' => self.text(),
            letter if letter.is_ascii_alphabetic() => Some(self.tag_name()),
            _ => {
                self.closing = false;
                Some(self.comment_to_greater_than())
            }
        }
    }

    fn tag_name(&mut self) -> Token<'a> {
        let end = self.rest().iter().position(|&byte| ends_tag_name(byte));
        let Some(length) = end else {
            return self.last(Kind::TagName);
        };
        match self.input.get(self.at + length) {
            Some(b'/') => self.token(Kind::TagName, length, 1, State::AfterSlash),
            Some(b'>') if self.closing => {
                self.closing = false;
                self.token(Kind::ClosingTag, length, 1, State::Text)
            }
            Some(b'>') => self.token(Kind::TagName, length, 0, State::AtTagEnd),
            _ => self.token(Kind::TagName, length, 1, State::BeforeAttributeName),
        }
    }

    /// At the greater-than sign that ends a tag.
    fn at_tag_end(&mut self) -> Option<Token<'a>> {
        self.closing = false;
        Some(self.token(Kind::TagEnd, 1, 0, State::Text))
    }

    fn rest(&self) -> &'a [u8] {
        self.input.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.input.get(self.at).copied()
    }

    /// The next byte after white space.
    fn peek_after_white(&mut self) -> Option<u8> {
        let rest = self.rest();
        let white = rest
            .iter()
            .position(|&byte| !is_white(byte) && byte != 0)
            .unwrap_or(rest.len());
        self.at += white;
        self.peek()
    }

    /// A token of `length` bytes; `skipped` ones after it are read, too.
    fn token(&mut self, kind: Kind, length: usize, skipped: usize, state: State) -> Token<'a> {
        let rest = self.rest();
        self.at += length + skipped;
        self.state = state;
        Token {
            kind,
            text: rest.get(..length).unwrap_or(rest),
        }
    }

    /// A token of all that is left.
    fn last(&mut self, kind: Kind) -> Token<'a> {
        let length = self.rest().len();
        self.token(kind, length, 0, State::End)
    }
}

#[inline]
fn is_white(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & WHITE != 0
}

/// Ends the name of a tag.
#[inline]
fn ends_tag_name(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & (WHITE | SLASH_OR_END) != 0
}

/// Ends the name of an attribute.
#[inline]
fn ends_attribute_name(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & (WHITE | SLASH_OR_END | EQUALS) != 0
}

const WHITE: u8 = 1;
const SLASH_OR_END: u8 = 2;
const EQUALS: u8 = 4;

static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r' => WHITE,
            b'/' | b'>' => SLASH_OR_END,
            b'=' => EQUALS,
            _ => 0,
        };
        byte += 1;
    }
    classes
};
