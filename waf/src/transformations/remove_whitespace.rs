//! `t:removeWhitespace`: removes white space.
//!
//! White space is C's `isspace` and Unicode's White_Space in UTF-8 (no-break space, ideographic space and
//! their like), and the byte 0xa0 where it stands alone.
//!
//! Example: `al ert\t(1)` becomes `alert(1)`.
//!
//! Source: SecLang reference, removeWhitespace. As Coraza; ModSecurity v3 removes every byte 0xa0 and 0xc2,
//! also out of other characters.

use std::borrow::Cow;

use crate::prefilter::append_kept;

use super::whitespace::{NO_BREAK_SPACE, is_space};

/// Removes white space from `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    if input.is_ascii() && !input.iter().any(|byte| is_space(*byte)) {
        return Cow::Borrowed(input);
    }
    let mut out = Vec::with_capacity(input.len());
    if input.is_ascii() {
        append_kept(input, |byte| !is_space(byte), &mut out);
        return Cow::Owned(out);
    }
    for chunk in input.utf8_chunks() {
        for text in chunk.valid().split(char::is_whitespace) {
            out.extend_from_slice(text.as_bytes());
        }
        out.extend(chunk.invalid().iter().filter(|byte| **byte != NO_BREAK_SPACE));
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn white_space_goes() {
        table::check(
            Transformation::RemoveWhitespace,
            &[
                (b"", b""),
                (b"alert(1)", b"alert(1)"),
                (b"al ert\t\n\x0b\x0c\r(1) ", b"alert(1)"),
                ("a\u{a0}b\u{3000}c\u{85}d".as_bytes(), b"abcd"),
                (b"a\xa0b", b"ab"),
                ("à".as_bytes(), "à".as_bytes()),
                (b"\xff \xfe", b"\xff\xfe"),
            ],
        );
    }
}
