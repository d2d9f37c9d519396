//! `t:sqlHexDecode`: decodes SQL's hexadecimal literals.
//!
//! Example: `0x3c73` becomes `<s`.
//!
//! Source: SecLang reference, sqlHexDecode (ModSecurity).

use std::borrow::Cow;

use super::digits::hex_pair;

/// Decodes `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Vec::with_capacity(input.len());
    let mut rest = input;
    while let Some((byte, after)) = rest.split_first() {
        match rest {
            [b'0', b'x' | b'X', digits @ ..] if hex_pair(digits).is_some() => {
                rest = digits;
                while let Some(value) = hex_pair(rest) {
                    out.push(value);
                    rest = &rest[2..];
                }
            }
            _ => {
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
    fn literals_are_decoded() {
        table::check(
            Transformation::SqlHexDecode,
            &[
                (b"", b""),
                (b"plain 0", b"plain 0"),
                (b"0x3c73", b"<s"),
                (b"a 0X3C737 b", b"a <s7 b"),
                (b"0x", b"0x"),
                (b"0x3", b"0x3"),
                (b"0xzz", b"0xzz"),
                (b"00x41", b"0A"),
                (b"0x41,0x42", b"A,B"),
            ],
        );
    }
}
