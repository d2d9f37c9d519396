//! What follows a backslash.

use super::PatternError;
use super::translate::Translator;

/// Where an escape stands: some mean other things inside a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Pattern,
    Class,
}

/// What an escape stands for.
pub(super) enum Escape {
    /// One byte.
    Byte(u8),
    /// A character past one byte: its UTF-8.
    Character(char),
    /// A set of bytes, in the crate's syntax, good inside and outside of a class.
    Set(&'static str),
    /// A place or a sequence, in the crate's syntax, good outside of a class.
    Assertion(&'static str),
    /// `\Q` or `\E`: a change of mode.
    Nothing,
}

impl Translator<'_> {
    /// Reads the escape whose backslash was just taken.
    pub(super) fn escape(&mut self, place: Place) -> Result<Escape, PatternError> {
        let start = self.at - 1;
        let Some(byte) = self.next() else {
            return Err(self.malformed("a backslash at the end", start));
        };
        if !byte.is_ascii_alphanumeric() {
            return Ok(Escape::Byte(byte));
        }
        if let Some(set) = set(byte) {
            return self.checked_set(byte, set, place, start);
        }
        match byte {
            b'a' => Ok(Escape::Byte(0x07)),
            b'e' => Ok(Escape::Byte(0x1b)),
            b'f' => Ok(Escape::Byte(0x0c)),
            b'n' => Ok(Escape::Byte(b'\n')),
            b'r' => Ok(Escape::Byte(b'\r')),
            b't' => Ok(Escape::Byte(b'\t')),
            b'c' => self.control(start),
            b'x' => self.hexadecimal(start),
            b'o' => self.braced_octal(start),
            b'0'..=b'9' => self.number(byte, place, start),
            b'Q' => {
                self.quoted = true;
                Ok(Escape::Nothing)
            }
            b'E' => Ok(Escape::Nothing),
            b'b' if place == Place::Class => Ok(Escape::Byte(0x08)),
            b'A' | b'B' | b'R' | b'Z' | b'b' | b'z' if place == Place::Pattern => Ok(assertion(byte)),
            _ => Err(self.refused(byte, start)),
        }
    }

    fn checked_set(
        &self,
        byte: u8,
        set: &'static str,
        place: Place,
        start: usize,
    ) -> Result<Escape, PatternError> {
        match byte {
            b'N' if place == Place::Class => Err(self.malformed("\\N inside a class", start)),
            b'N' if self.rest().starts_with(b"{U") => Err(self.unsupported("\\N{U+...}", start)),
            _ => Ok(Escape::Set(set)),
        }
    }

    /// `\cX`.
    fn control(&mut self, start: usize) -> Result<Escape, PatternError> {
        match self.next() {
            Some(byte @ b' '..=b'~') => Ok(Escape::Byte(byte.to_ascii_uppercase() ^ 0x40)),
            _ => Err(self.malformed("\\c without a printable character", start)),
        }
    }

    /// `\xHH` with no, one or two digits, or `\x{...}`.
    fn hexadecimal(&mut self, start: usize) -> Result<Escape, PatternError> {
        if self.peek() == Some(b'{') {
            return self.braced(16, start);
        }
        let digits = self.digits(2, 16);
        Ok(Escape::Byte(digits as u8))
    }

    fn braced_octal(&mut self, start: usize) -> Result<Escape, PatternError> {
        if self.peek() == Some(b'{') {
            return self.braced(8, start);
        }
        Err(self.malformed("\\o without a brace", start))
    }

    /// `{digits}`: a byte up to 0xFF. PCRE on bytes refuses more; here it is the character's UTF-8, which
    /// is what such a pattern wants to find.
    fn braced(&mut self, base: u32, start: usize) -> Result<Escape, PatternError> {
        self.at += 1;
        let digits_start = self.at;
        let code = self.digits(8, base);
        if self.at == digits_start || self.next() != Some(b'}') {
            return Err(self.malformed("a character number that is not a number in braces", start));
        }
        match u8::try_from(code) {
            Ok(byte) => Ok(Escape::Byte(byte)),
            Err(_) => char::from_u32(code)
                .map(Escape::Character)
                .ok_or_else(|| self.malformed("a number of no character", start)),
        }
    }

    /// `\1` and up is a back reference; `\0`, and what cannot be a back reference, an octal number.
    fn number(&mut self, first: u8, place: Place, start: usize) -> Result<Escape, PatternError> {
        self.at -= 1;
        if place == Place::Pattern && first != b'0' {
            let length = self
                .rest()
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            let group = self.rest()[..length].iter().fold(0u32, |value, byte| {
                value.saturating_mul(10).saturating_add(u32::from(byte - b'0'))
            });
            if group < 10 || group <= self.captures {
                return Err(self.unsupported("a back reference", start));
            }
        }
        if matches!(first, b'8' | b'9') {
            self.at += 1;
            return Ok(Escape::Byte(first));
        }
        match u8::try_from(self.digits(3, 8)) {
            Ok(byte) => Ok(Escape::Byte(byte)),
            Err(_) => Err(self.malformed("an octal number above 377", start)),
        }
    }

    /// The number that the next digits, `most` at most, make; 0 if there is none.
    fn digits(&mut self, most: usize, base: u32) -> u32 {
        let mut value = 0u32;
        for _ in 0..most {
            let Some(digit) = self.peek().and_then(|byte| char::from(byte).to_digit(base)) else {
                break;
            };
            value = value.saturating_mul(base).saturating_add(digit);
            self.at += 1;
        }
        value
    }

    fn refused(&self, byte: u8, start: usize) -> PatternError {
        match byte {
            b'K' => self.unsupported("\\K", start),
            b'G' => self.unsupported("\\G", start),
            b'X' => self.unsupported("\\X", start),
            b'p' | b'P' => self.unsupported("a Unicode property", start),
            b'g' | b'k' => self.unsupported("a back reference", start),
            b'A' | b'B' | b'R' | b'Z' | b'z' => self.malformed("an assertion inside a class", start),
            _ => self.malformed("an unknown escape", start),
        }
    }
}

/// The escapes that stand for sets of bytes. `\v` is PCRE's class of line ends, not the vertical tab alone.
fn set(byte: u8) -> Option<&'static str> {
    Some(match byte {
        b'd' => r"\d",
        b'D' => r"\D",
        b'w' => r"\w",
        b'W' => r"\W",
        b's' => r"\s",
        b'S' => r"\S",
        b'h' => r"[\t\x20\xA0]",
        b'H' => r"[^\t\x20\xA0]",
        b'v' => r"[\n\x0B\x0C\r\x85]",
        b'V' => r"[^\n\x0B\x0C\r\x85]",
        b'N' => r"[^\n]",
        b'C' => r"[\x00-\xFF]",
        _ => return None,
    })
}

/// `\Z` may stand before a last newline; without lookahead it takes that newline into the match. `\R` may
/// give its newline back where PCRE's, an atomic group, may not.
fn assertion(byte: u8) -> Escape {
    Escape::Assertion(match byte {
        b'A' => r"\A",
        b'B' => r"\B",
        b'R' => r"(?:\r\n|[\n\x0B\x0C\r\x85])",
        b'Z' => r"(?:\n?\z)",
        b'b' => r"\b",
        _ => r"\z",
    })
}
