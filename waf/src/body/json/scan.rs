//! The tokens of JSON: scalars and names, decoded.

use super::JsonErrorKind;
use crate::body::urlencoded::hex_digit;
use crate::body::work::spend;

/// What a lone surrogate becomes, and bytes that cannot be shown.
const REPLACEMENT: char = '\u{fffd}';

pub(super) struct Scanner<'a> {
    body: &'a [u8],
    at: usize,
    /// The first error and its place.
    pub(super) fault: Option<(JsonErrorKind, usize)>,
}

impl<'a> Scanner<'a> {
    /// A byte order mark is passed over: RFC 8259 (8.1) lets a receiver ignore it, and many do.
    pub(super) fn new(body: &'a [u8]) -> Self {
        let at = if body.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Self {
            body,
            at,
            fault: None,
        }
    }

    /// Remembers an error that does not end the reading, unless there was one before.
    pub(super) fn flag(&mut self, kind: JsonErrorKind) {
        self.fault.get_or_insert((kind, self.at));
    }

    /// The next byte that is no white space.
    pub(super) fn peek(&mut self) -> Option<u8> {
        self.skip_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
        self.current()
    }

    /// Past the byte that [`Self::peek`] has shown.
    pub(super) fn advance(&mut self) {
        self.at += 1;
    }

    /// A string, number or word, appended to `text`.
    pub(super) fn scalar(&mut self, text: &mut Vec<u8>) -> Result<(), JsonErrorKind> {
        match self.peek().ok_or(JsonErrorKind::Premature)? {
            b'"' => self.string(text),
            b'-' | b'0'..=b'9' => self.number(text),
            b't' => self.word(b"true", b"true", text),
            b'f' => self.word(b"false", b"false", text),
            b'n' => self.word(b"null", b"", text),
            b'/' => Err(JsonErrorKind::Comment),
            b',' | b':' | b']' | b'}' => Err(JsonErrorKind::UnallowedToken),
            _ => Err(JsonErrorKind::InvalidCharacter),
        }
    }

    /// A member's name and the colon; the name is appended to `path`.
    pub(super) fn key(&mut self, path: &mut Vec<u8>) -> Result<(), JsonErrorKind> {
        match self.peek() {
            None => return Err(JsonErrorKind::Premature),
            Some(b'"') => self.string(path)?,
            Some(_) => return Err(JsonErrorKind::KeyIsNoString),
        }
        match self.peek() {
            None => Err(JsonErrorKind::Premature),
            Some(b':') => {
                self.advance();
                Ok(())
            }
            Some(_) => Err(JsonErrorKind::ColonMissing),
        }
    }

    fn current(&self) -> Option<u8> {
        self.body.get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.body.get(self.at..).unwrap_or_default()
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) {
        let skipped = self.rest().iter().take_while(|byte| wanted(**byte)).count();
        spend(skipped + 1);
        self.at += skipped;
    }

    fn word(&mut self, word: &[u8], meaning: &[u8], text: &mut Vec<u8>) -> Result<(), JsonErrorKind> {
        let rest = self.rest();
        if rest.starts_with(word) {
            self.at += word.len();
            text.extend_from_slice(meaning);
            return Ok(());
        }
        match word.starts_with(rest) {
            true => Err(JsonErrorKind::Premature),
            false => Err(JsonErrorKind::InvalidWord),
        }
    }

    /// A number stays as it is written: what it means to the application is not known here.
    fn number(&mut self, text: &mut Vec<u8>) -> Result<(), JsonErrorKind> {
        let start = self.at;
        if self.current() == Some(b'-') {
            self.at += 1;
        }
        match self.current() {
            Some(b'0') => self.at += 1,
            _ => self.digits(JsonErrorKind::NumberAfterMinus)?,
        }
        if self.current() == Some(b'.') {
            self.at += 1;
            self.digits(JsonErrorKind::NumberAfterPoint)?;
        }
        if matches!(self.current(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.current(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits(JsonErrorKind::NumberAfterExponent)?;
        }
        text.extend_from_slice(self.body.get(start..self.at).unwrap_or_default());
        Ok(())
    }

    fn digits(&mut self, missing: JsonErrorKind) -> Result<(), JsonErrorKind> {
        let start = self.at;
        self.skip_while(|byte| byte.is_ascii_digit());
        match self.current() {
            _ if self.at > start => Ok(()),
            None => Err(JsonErrorKind::Premature),
            Some(_) => Err(missing),
        }
    }

    /// A string, without its quotes, appended to `text`. Whatever is wrong inside is kept as it stands: the
    /// closing quote still says where the string ends.
    fn string(&mut self, text: &mut Vec<u8>) -> Result<(), JsonErrorKind> {
        self.advance();
        loop {
            let rest = self.rest();
            let Some(length) = memchr::memchr2(b'"', b'\\', rest) else {
                self.plain(rest, text);
                return Err(JsonErrorKind::Premature);
            };
            self.plain(&rest[..length], text);
            match self.current() {
                Some(b'"') => {
                    self.advance();
                    return Ok(());
                }
                _ => self.escape(text)?,
            }
        }
    }

    /// A run without quotes and escapes.
    fn plain(&mut self, run: &[u8], text: &mut Vec<u8>) {
        if run.iter().any(|byte| *byte < b' ') {
            self.flag(JsonErrorKind::ControlCharacter);
        }
        if std::str::from_utf8(run).is_err() {
            self.flag(JsonErrorKind::InvalidUtf8);
        }
        spend(run.len());
        text.extend_from_slice(run);
        self.at += run.len();
    }

    /// What stands at a backslash.
    fn escape(&mut self, text: &mut Vec<u8>) -> Result<(), JsonErrorKind> {
        self.advance();
        let letter = self.current().ok_or(JsonErrorKind::Premature)?;
        let plain = match letter {
            b'"' | b'\\' | b'/' => letter,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                self.advance();
                self.unicode_escape(text);
                return Ok(());
            }
            _ => {
                self.flag(JsonErrorKind::InvalidEscape);
                text.push(b'\\');
                return Ok(());
            }
        };
        self.advance();
        text.push(plain);
        Ok(())
    }

    /// What stands after `\u`: a character, or the first half of one that continues in a second escape.
    fn unicode_escape(&mut self, text: &mut Vec<u8>) {
        let Some(unit) = self.hex_unit() else {
            self.flag(JsonErrorKind::InvalidHexEscape);
            text.extend_from_slice(b"\\u");
            return;
        };
        self.at += 4;
        let code_point = match self.low_surrogate() {
            Some(low) if (0xd800..0xdc00).contains(&unit) => {
                self.at += 6;
                0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00)
            }
            _ => unit,
        };
        let character = char::from_u32(code_point).unwrap_or(REPLACEMENT);
        text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn low_surrogate(&self) -> Option<u32> {
        let rest = self.rest().strip_prefix(b"\\u")?;
        hex_unit(rest).filter(|unit| (0xdc00..0xe000).contains(unit))
    }

    fn hex_unit(&self) -> Option<u32> {
        hex_unit(self.rest())
    }
}

/// The number that the first four characters spell in hexadecimal.
fn hex_unit(text: &[u8]) -> Option<u32> {
    let digits = text.get(..4)?;
    digits
        .iter()
        .try_fold(0, |unit, digit| Some(unit << 4 | u32::from(hex_digit(*digit)?)))
}
