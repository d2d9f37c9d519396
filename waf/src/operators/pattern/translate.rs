//! The walk through a pattern: literals, quantifiers, what the crate takes as it is.

use super::PatternError;
use super::escape::{Escape, Place};

/// PCRE's text as the `regex` crate's.
pub(super) fn translate(pattern: &[u8]) -> Result<String, PatternError> {
    let mut translator = Translator::new(pattern);
    translator.run()?;
    Ok(translator.out)
}

/// Appends a byte that stands for itself, inside and outside of a class.
pub(super) fn push_literal(out: &mut String, byte: u8) {
    match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b' ' => out.push(char::from(byte)),
        b'!' | b'"' | b'%' | b'\'' | b',' | b'/' | b':' | b';' | b'<' | b'=' | b'>' | b'@' | b'`' => {
            out.push(char::from(byte));
        }
        0x21..=0x7e => {
            out.push('\\');
            out.push(char::from(byte));
        }
        _ => out.push_str(&format!("\\x{byte:02X}")),
    }
}

/// A pattern, the place in it, and what came of it so far.
pub(super) struct Translator<'p> {
    pub(super) pattern: &'p [u8],
    pub(super) at: usize,
    pub(super) out: String,
    /// Inside `\Q...\E`.
    pub(super) quoted: bool,
    /// Under `(?x)`: white space and comments mean nothing.
    pub(super) extended: bool,
    /// What `extended` was before each open group.
    pub(super) open: Vec<bool>,
    /// Capturing groups opened so far.
    pub(super) captures: u32,
}

impl<'p> Translator<'p> {
    fn new(pattern: &'p [u8]) -> Self {
        Self {
            pattern,
            at: 0,
            out: String::with_capacity(pattern.len() + pattern.len() / 4),
            quoted: false,
            extended: false,
            open: Vec::new(),
            captures: 0,
        }
    }

    fn run(&mut self) -> Result<(), PatternError> {
        while let Some(byte) = self.next() {
            if self.quoted {
                self.quoted_byte(byte);
            } else if !(self.extended && self.ignored(byte)) {
                self.byte(byte)?;
            }
        }
        if self.open.is_empty() {
            Ok(())
        } else {
            Err(self.malformed("a missing closing parenthesis", self.at))
        }
    }

    fn byte(&mut self, byte: u8) -> Result<(), PatternError> {
        match byte {
            b'\\' => self.escape_outside()?,
            b'[' => self.class()?,
            b'(' => self.open_group()?,
            b')' => self.close_group()?,
            b'.' | b'^' | b'$' | b'|' => self.out.push(char::from(byte)),
            b'*' | b'+' | b'?' => {
                self.out.push(char::from(byte));
                self.after_quantifier()?;
            }
            b'{' => self.brace()?,
            byte => push_literal(&mut self.out, byte),
        }
        Ok(())
    }

    fn quoted_byte(&mut self, byte: u8) {
        if byte == b'\\' && self.peek() == Some(b'E') {
            self.at += 1;
            self.quoted = false;
        } else {
            push_literal(&mut self.out, byte);
        }
    }

    fn escape_outside(&mut self) -> Result<(), PatternError> {
        match self.escape(Place::Pattern)? {
            Escape::Byte(byte) => push_literal(&mut self.out, byte),
            Escape::Character(character) => {
                self.out.push_str("(?:");
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    push_literal(&mut self.out, byte);
                }
                self.out.push(')');
            }
            Escape::Set(text) | Escape::Assertion(text) => self.out.push_str(text),
            Escape::Nothing => {}
        }
        Ok(())
    }

    /// `{` begins a quantifier only where a whole one stands; else it is a literal.
    fn brace(&mut self) -> Result<(), PatternError> {
        match quantifier_length(&self.pattern[self.at..]) {
            Some(length) => {
                let body = &self.pattern[self.at..self.at + length];
                self.out.push('{');
                self.out.extend(body.iter().map(|byte| char::from(*byte)));
                self.at += length;
                self.after_quantifier()
            }
            // A quantifier since PCRE2 10.43, a literal before.
            None if is_quantifier_without_low(self.rest()) => Err(self.unsupported(
                "{,n}, which some versions of PCRE read as a quantifier,",
                self.at - 1,
            )),
            None => {
                push_literal(&mut self.out, b'{');
                Ok(())
            }
        }
    }

    /// `?` after a quantifier makes it lazy; `+` would make it possessive.
    fn after_quantifier(&mut self) -> Result<(), PatternError> {
        if self.extended {
            while let Some(byte) = self.peek() {
                self.at += 1;
                if !self.ignored(byte) {
                    self.at -= 1;
                    break;
                }
            }
        }
        match self.peek() {
            Some(b'?') => {
                self.at += 1;
                self.out.push('?');
                Ok(())
            }
            Some(b'+') => Err(self.unsupported("a possessive quantifier", self.at)),
            _ => Ok(()),
        }
    }

    /// Whether a byte just taken means nothing under `(?x)`; a comment is taken whole.
    fn ignored(&mut self, byte: u8) -> bool {
        match byte {
            b' ' | b'\t'..=b'\r' => true,
            b'#' => {
                while self.next().is_some_and(|byte| byte != b'\n') {}
                true
            }
            _ => false,
        }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.pattern.get(self.at).copied()
    }

    pub(super) fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    pub(super) fn rest(&self) -> &'p [u8] {
        self.pattern.get(self.at..).unwrap_or_default()
    }

    pub(super) fn malformed(&self, problem: &'static str, offset: usize) -> PatternError {
        PatternError::Malformed { problem, offset }
    }

    pub(super) fn unsupported(&self, construct: &'static str, offset: usize) -> PatternError {
        PatternError::Unsupported { construct, offset }
    }
}

/// The length of `n}`, `n,}` or `n,m}` that `input` begins with.
fn quantifier_length(input: &[u8]) -> Option<usize> {
    let end = memchr::memchr(b'}', input)?;
    let mut bounds = input[..end].split(|byte| *byte == b',');
    let low = bounds.next()?;
    let high = bounds.next();
    let is_number = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let well_formed = is_number(low)
        && high.is_none_or(|high| high.is_empty() || is_number(high))
        && bounds.next().is_none();
    well_formed.then_some(end + 1)
}

/// Whether `input` begins with `,m}`.
fn is_quantifier_without_low(input: &[u8]) -> bool {
    let digits = |rest: &[u8]| rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match input {
        [b',', rest @ ..] => digits(rest) > 0 && rest.get(digits(rest)) == Some(&b'}'),
        _ => false,
    }
}
