//! The states within a tag.

use memchr::memchr;

use super::super::token::{Kind, Token};
use super::{State, Tokenizer, ends_attribute_name, is_white};

impl<'a> Tokenizer<'a> {
    pub(super) fn before_attribute_name(&mut self) -> Option<Token<'a>> {
        loop {
            match self.peek_after_white()? {
                b'/' => {
                    self.at += 1;
                    if self.peek()? == b'>' {
                        return self.after_slash();
                    }
                }
                b'>' => return Some(self.token(Kind::TagEnd, 1, 0, State::Text)),
                _ => return Some(self.attribute_name()),
            }
        }
    }

    pub(super) fn after_slash(&mut self) -> Option<Token<'a>> {
        match self.peek()? {
            b'>' => Some(self.token(Kind::TagEnd, 1, 0, State::Text)),
            _ => self.before_attribute_name(),
        }
    }

    /// The first byte belongs to the name whatever it is.
    fn attribute_name(&mut self) -> Token<'a> {
        let rest = self.rest();
        let tail = rest.get(1..).unwrap_or_default();
        let Some(end) = tail.iter().position(|&byte| ends_attribute_name(byte)) else {
            return self.last(Kind::AttributeName);
        };
        let length = end + 1;
        let (skipped, state) = match rest.get(length) {
            Some(b'/') => (1, State::AfterSlash),
            Some(b'=') => (1, State::BeforeAttributeValue),
            Some(b'>') => (0, State::AtTagEnd),
            _ => (1, State::AfterAttributeName),
        };
        self.token(Kind::AttributeName, length, skipped, state)
    }

    pub(super) fn after_attribute_name(&mut self) -> Option<Token<'a>> {
        match self.peek_after_white()? {
            b'/' => {
                self.at += 1;
                self.after_slash()
            }
            b'=' => {
                self.at += 1;
                self.before_attribute_value()
            }
            b'>' => self.at_tag_end(),
            _ => Some(self.attribute_name()),
        }
    }

    pub(super) fn before_attribute_value(&mut self) -> Option<Token<'a>> {
        match self.peek_after_white()? {
            quote @ (b'"' | b'\'' | b'`') => {
                self.at += 1;
                self.in_value(quote)
            }
            _ => Some(self.bare_value()),
        }
    }

    pub(super) fn in_value(&mut self, quote: u8) -> Option<Token<'a>> {
        Some(match memchr(quote, self.rest()) {
            Some(length) => self.token(Kind::AttributeValue, length, 1, State::AfterQuotedValue),
            None => self.last(Kind::AttributeValue),
        })
    }

    fn bare_value(&mut self) -> Token<'a> {
        let end = self
            .rest()
            .iter()
            .position(|&byte| is_white(byte) || byte == b'>');
        let Some(length) = end else {
            return self.last(Kind::AttributeValue);
        };
        if self.input.get(self.at + length) == Some(&b'>') {
            self.token(Kind::AttributeValue, length, 0, State::AtTagEnd)
        } else {
            self.token(Kind::AttributeValue, length, 1, State::BeforeAttributeName)
        }
    }

    pub(super) fn after_quoted_value(&mut self) -> Option<Token<'a>> {
        match self.peek()? {
            b'/' => {
                self.at += 1;
                self.after_slash()
            }
            b'>' => Some(self.token(Kind::TagEnd, 1, 0, State::Text)),
            _ => self.before_attribute_name(),
        }
    }
}
