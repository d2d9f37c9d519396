//! `[...]`: every member is written so that the crate cannot read a set operation into it.

use super::PatternError;
use super::escape::{Escape, Place};
use super::translate::{Translator, push_literal};

const POSIX: [&[u8]; 14] = [
    b"alnum", b"alpha", b"ascii", b"blank", b"cntrl", b"digit", b"graph", b"lower", b"print", b"punct",
    b"space", b"upper", b"word", b"xdigit",
];

/// One member of a class.
enum Item {
    Byte(u8),
    /// In the crate's syntax.
    Set(String),
    /// `\Q`, `\E`.
    Nothing,
    /// The closing bracket.
    End,
}

impl Translator<'_> {
    /// Reads the class whose `[` was just taken.
    pub(super) fn class(&mut self) -> Result<(), PatternError> {
        let start = self.at - 1;
        self.out.push('[');
        if self.peek() == Some(b'^') {
            self.at += 1;
            self.out.push('^');
        }
        // A bracket that comes first is a member: no class is empty.
        let mut first = true;
        loop {
            match self.item(first, start)? {
                Item::Byte(low) => self.range(low, start)?,
                Item::Set(text) => self.set(&text),
                Item::Nothing => continue,
                Item::End => break,
            }
            first = false;
        }
        self.out.push(']');
        Ok(())
    }

    /// A set; a `-` right after it is a literal that begins no range.
    fn set(&mut self, text: &str) {
        self.out.push_str(text);
        if !self.quoted && self.peek() == Some(b'-') {
            self.at += 1;
            push_literal(&mut self.out, b'-');
        }
    }

    /// A byte, or the range that begins with it. A `-` before the end or before a set is a literal.
    fn range(&mut self, low: u8, start: usize) -> Result<(), PatternError> {
        push_literal(&mut self.out, low);
        if self.quoted || self.peek() != Some(b'-') {
            return Ok(());
        }
        let hyphen = self.at;
        self.at += 1;
        match self.item(false, start)? {
            Item::Byte(high) if high < low => Err(self.malformed("a range out of order in a class", hyphen)),
            Item::Byte(high) => {
                self.out.push('-');
                push_literal(&mut self.out, high);
                Ok(())
            }
            Item::Set(text) => {
                push_literal(&mut self.out, b'-');
                self.set(&text);
                Ok(())
            }
            Item::Nothing | Item::End => {
                push_literal(&mut self.out, b'-');
                self.at = hyphen + 1;
                self.quoted = false;
                Ok(())
            }
        }
    }

    fn item(&mut self, first: bool, start: usize) -> Result<Item, PatternError> {
        let Some(byte) = self.next() else {
            return Err(self.malformed("a class without its closing bracket", start));
        };
        if self.quoted {
            if byte == b'\\' && self.peek() == Some(b'E') {
                self.at += 1;
                self.quoted = false;
                return Ok(Item::Nothing);
            }
            return Ok(Item::Byte(byte));
        }
        match byte {
            b']' if !first => Ok(Item::End),
            b'[' => self.posix(),
            b'\\' => match self.escape(Place::Class)? {
                Escape::Byte(byte) => Ok(Item::Byte(byte)),
                Escape::Set(text) => Ok(Item::Set(text.to_owned())),
                Escape::Nothing => Ok(Item::Nothing),
                Escape::Character(_) => Err(self.unsupported("a character past 0xFF in a class", start)),
                Escape::Assertion(_) => Err(self.malformed("an assertion inside a class", start)),
            },
            byte => Ok(Item::Byte(byte)),
        }
    }

    /// `[:name:]`; any other `[` is a member.
    fn posix(&mut self) -> Result<Item, PatternError> {
        let offset = self.at - 1;
        let Some((kind, length)) = posix_length(self.rest()) else {
            return Ok(Item::Byte(b'['));
        };
        if kind != b':' {
            return Err(self.unsupported("a collating element", offset));
        }
        let body = &self.rest()[1..length - 2];
        let (negated, name) = body.strip_prefix(b"^").map_or((false, body), |name| (true, name));
        self.at += length;
        let name = POSIX
            .iter()
            .find(|known| **known == name)
            .and_then(|known| std::str::from_utf8(known).ok())
            .ok_or_else(|| self.malformed("an unknown POSIX class", offset))?;
        Ok(Item::Set(format!("[:{}{name}:]", if negated { "^" } else { "" })))
    }
}

/// The kind (`:`, `.` or `=`) and length of a POSIX element after its `[`, if one stands there.
fn posix_length(input: &[u8]) -> Option<(u8, usize)> {
    let kind = *input.first().filter(|byte| matches!(byte, b':' | b'.' | b'='))?;
    let body = input[1..]
        .iter()
        .take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'^')
        .count();
    let closed = input.get(1 + body..3 + body) == Some(&[kind, b']']);
    closed.then_some((kind, body + 3))
}
