//! The Content-Disposition of a part: its name and, for a file, the file's name.

use memchr::memmem;

use super::{Findings, Part, shown};
use crate::body::urlencoded::{decode_path, hex_pair};

/// ModSecurity's number for what is wrong with the header; its error text shows it.
type Code = i8;

/// Reads the header into the part. A wrong parameter is an error, and the ones behind it are read all the
/// same.
pub(super) fn apply(value: &[u8], part: &mut Part, findings: &mut Findings) {
    let mut reader = Reader {
        rest: value,
        previous: b' ',
        invalid_quoting: false,
        code: None,
        name: None,
        filename: None,
        extended: None,
    };
    reader.read();
    findings.flags.invalid_quoting |= reader.invalid_quoting;
    if let Some(code) = reader.code {
        findings.error(|| {
            format!(
                "Multipart: Invalid Content-Disposition header ({code}): {}",
                shown(value)
            )
        });
    }
    let filename = reader.filename.filter(|filename| !filename.is_empty());
    // Crude parsers look for exactly these letters.
    if filename.is_some() && memmem::find(value, b"filename=").is_none() {
        findings.error(|| "Multipart: Invalid Content-Disposition header (filename).".into());
    }
    part.name = reader.name.unwrap_or_default();
    (part.filename, part.filename_extended) = match filename {
        Some(filename) => (Some(filename), reader.extended),
        None => (reader.extended, None),
    };
}

struct Reader<'a> {
    rest: &'a [u8],
    /// The byte before `rest`.
    previous: u8,
    invalid_quoting: bool,
    /// The first error.
    code: Option<Code>,
    name: Option<Vec<u8>>,
    filename: Option<Vec<u8>>,
    extended: Option<Vec<u8>>,
}

/// A parameter's value, and the quote around it.
struct Value {
    text: Vec<u8>,
    quote: Option<u8>,
}

impl<'a> Reader<'a> {
    fn read(&mut self) {
        if !self.rest.starts_with(b"form-data") {
            self.flag(-1);
            self.pass_to_semicolon();
        } else {
            self.skip(b"form-data".len());
            self.blanks();
            if !matches!(self.rest.first(), None | Some(b';')) {
                self.flag(-2);
                self.pass_to_semicolon();
            }
        }
        while self.rest.first() == Some(&b';') {
            self.skip(1);
            if self.rest.is_empty() {
                break;
            }
            if let Err(code) = self.parameter() {
                self.flag(code);
                self.pass_to_semicolon();
            }
        }
        if self.extended.is_some() && self.filename.as_ref().is_none_or(Vec::is_empty) {
            self.flag(-21);
        }
    }

    fn parameter(&mut self) -> Result<(), Code> {
        self.blanks();
        self.need(-3)?;
        let name = self.take_while(|byte| !matches!(byte, b'=' | b'\t' | b' ' | b';'));
        self.need(-4)?;
        self.blanks();
        self.need(-5)?;
        if self.rest.first() != Some(&b'=') {
            return Err(-13);
        }
        self.skip(1);
        self.blanks();
        self.need(-6)?;
        // In capitals, some applications know these names and some do not.
        if name.iter().any(u8::is_ascii_uppercase) {
            self.flag(-11);
        }
        if name.eq_ignore_ascii_case(b"filename*") {
            self.extended_filename()?;
        } else {
            let value = self.value()?;
            self.keep(name, value)?;
        }
        self.end()
    }

    /// Between one parameter's value and the next parameter.
    fn end(&mut self) -> Result<(), Code> {
        self.blanks();
        if matches!(self.rest.first(), None | Some(b';')) {
            return Ok(());
        }
        self.invalid_quoting |= matches!(self.previous, b'\'' | b'"');
        Err(-12)
    }

    fn keep(&mut self, name: &[u8], value: Value) -> Result<(), Code> {
        let (place, duplicate) = match name.to_ascii_lowercase().as_slice() {
            b"name" => (&mut self.name, -14),
            b"filename" => (&mut self.filename, -15),
            _ => return Err(-11),
        };
        // In double quotes, a single quote is only a character.
        self.invalid_quoting |= value.quote == Some(b'\'');
        self.invalid_quoting |= value.quote != Some(b'"') && value.text.contains(&b'\'');
        if place.as_ref().is_some_and(|earlier| !earlier.is_empty()) {
            return Err(duplicate);
        }
        *place = Some(value.text);
        Ok(())
    }

    fn value(&mut self) -> Result<Value, Code> {
        let quote = self
            .rest
            .first()
            .copied()
            .filter(|byte| matches!(byte, b'"' | b'\''));
        let text = match quote {
            Some(quote) => self.quoted(quote)?,
            None => self.take_while(is_token).to_vec(),
        };
        Ok(Value { text, quote })
    }

    /// Inside quotes, a backslash escapes a quote and itself; anywhere else it stays, for the sake of
    /// browsers that sent whole Windows paths.
    fn quoted(&mut self, quote: u8) -> Result<Vec<u8>, Code> {
        self.skip(1);
        self.need(-7)?;
        let mut text = Vec::new();
        loop {
            text.extend_from_slice(self.take_while(|byte| byte != b'\\' && byte != quote));
            match self.rest {
                [b'\\'] => return Err(-8),
                [b'\\', escaped, ..] if *escaped == quote || *escaped == b'\\' => {
                    text.push(*escaped);
                    self.skip(2);
                }
                [b'\\', ..] => {
                    text.push(b'\\');
                    self.skip(1);
                }
                [] => {
                    // The quote is never closed. What stands in it is the value to some.
                    self.flag(-7);
                    return Ok(text);
                }
                _ => {
                    self.skip(1);
                    return Ok(text);
                }
            }
        }
    }

    /// `filename*=charset'language'percent-encoded` (RFC 5987).
    fn extended_filename(&mut self) -> Result<(), Code> {
        let value = self.take_while(|byte| byte != b';');
        let (text, code) = extended_value(value);
        if self.extended.is_some() {
            return Err(-20);
        }
        self.extended = Some(decode_path(text).0);
        match code {
            Some(code) => Err(code),
            None => Ok(()),
        }
    }

    fn flag(&mut self, code: Code) {
        self.code.get_or_insert(code);
    }

    /// The header must not end here.
    fn need(&self, code: Code) -> Result<(), Code> {
        match self.rest {
            [] => Err(code),
            _ => Ok(()),
        }
    }

    fn blanks(&mut self) {
        let blanks = self
            .rest
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        self.rest = &self.rest[blanks..];
    }

    fn pass_to_semicolon(&mut self) {
        self.take_while(|byte| byte != b';');
    }

    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let length = self.rest.iter().take_while(|byte| wanted(**byte)).count();
        let taken = &self.rest[..length];
        self.skip(length);
        taken
    }

    fn skip(&mut self, length: usize) {
        let (taken, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.previous = taken.last().copied().unwrap_or(self.previous);
        self.rest = rest;
    }
}

/// The encoded text of an extended value, and what is wrong with the value.
fn extended_value(value: &[u8]) -> (&[u8], Option<Code>) {
    let charset = value.iter().take_while(|byte| is_charset(**byte)).count();
    let Some(b'\'') = value.get(charset).filter(|_| charset > 0) else {
        return (value, Some(-16));
    };
    let after_charset = &value[charset + 1..];
    let Some(language) = memchr::memchr(b'\'', after_charset) else {
        return (after_charset, Some(-17));
    };
    let text = &after_charset[language + 1..];
    (text, encoding_fault(text))
}

fn encoding_fault(text: &[u8]) -> Option<Code> {
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = match first {
            b'%' if hex_pair(tail).is_some() => &tail[2..],
            b'%' => return Some(-18),
            byte if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`~".contains(byte) => tail,
            _ => return Some(-19),
        };
    }
    None
}

fn is_charset(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&+-^_`{}~".contains(&byte)
}

/// A character of a token (RFC 2045, 5.1).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&byte)
}
