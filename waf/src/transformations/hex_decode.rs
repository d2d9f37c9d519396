//! `t:hexDecode`: decodes pairs of hexadecimal digits.
//!
//! A byte that is not part of a pair is kept as it is, so that a stray byte hides nothing.
//!
//! Example: `3c736372` becomes `<scr`.
//!
//! Source: SecLang reference, hexDecode. For text that is not hexadecimal ModSecurity v3 computes
//! meaningless bytes and Coraza leaves everything as it was.

use std::borrow::Cow;

use super::digits::hex_pair;

/// Decodes `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Vec::with_capacity(input.len() / 2 + 1);
    let mut rest = input;
    while let Some((byte, after)) = rest.split_first() {
        match hex_pair(rest) {
            Some(value) => {
                out.push(value);
                rest = &rest[2..];
            }
            None => {
                out.push(*byte);
                rest = after;
            }
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn pairs_are_decoded() {
        table::check(
            Transformation::HexDecode,
            &[
                (b"", b""),
                (b"3c736372", b"<scr"),
                (b"3C00fF", b"<\x00\xff"),
                (b"3c7", b"<7"),
                (b"3c;3c", b"<;<"),
                (b"xyz", b"xyz"),
            ],
        );
    }
}
