//! `t:compressWhitespace`: turns every run of white space into one space.
//!
//! White space is C's `isspace`, and the no-break space (as UTF-8, or alone as the Latin-1 byte 0xa0) and
//! next line (U+0085) as UTF-8.
//!
//! Example: `union \t\n select` becomes `union select`.
//!
//! Source: SecLang reference, compressWhitespace. The no-break space as Coraza: the byte 0xa0 inside
//! another UTF-8 character is left alone.

use std::borrow::Cow;

use super::whitespace::{NO_BREAK_SPACE, is_space};

/// Compresses `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    if input.is_ascii() && is_compressed(input) {
        return Cow::Borrowed(input);
    }
    let mut out = Compressed {
        bytes: Vec::with_capacity(input.len()),
        in_space: false,
    };
    for chunk in input.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\t'..='\r' | ' ' | '\u{85}' | '\u{a0}' => out.space(),
                other => out.text(other.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        for byte in chunk.invalid() {
            match *byte {
                NO_BREAK_SPACE => out.space(),
                _ => out.text(&[*byte]),
            }
        }
    }
    Cow::Owned(out.bytes)
}

/// Whether all white space of an ASCII text is single spaces.
fn is_compressed(input: &[u8]) -> bool {
    let mut compressed = true;
    let mut before = b'x';
    for byte in input {
        // Without a branch for each byte.
        compressed &= !(is_space(*byte) & (*byte != b' ')) & !((before == b' ') & (*byte == b' '));
        before = *byte;
    }
    compressed
}

struct Compressed {
    bytes: Vec<u8>,
    in_space: bool,
}

impl Compressed {
    fn space(&mut self) {
        if !self.in_space {
            self.bytes.push(b' ');
        }
        self.in_space = true;
    }

    fn text(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.in_space = false;
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn runs_become_one_space() {
        table::check(
            Transformation::CompressWhitespace,
            &[
                (b"", b""),
                (b"a b", b"a b"),
                (b"a\tb", b"a b"),
                (b"union \t\n\x0b\x0c\r select", b"union select"),
                (b"  a  ", b" a "),
                ("a\u{a0}\u{85} b".as_bytes(), b"a b"),
                (b"a\xa0b", b"a b"),
                ("à la".as_bytes(), "à la".as_bytes()),
                (b"\xc3\xa0  \xff", b"\xc3\xa0 \xff"),
                (b"a\x00 \x00", b"a\x00 \x00"),
            ],
        );
    }
}
