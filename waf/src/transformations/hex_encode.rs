//! `t:hexEncode`: writes every byte as two lower-case hexadecimal digits.
//!
//! Example: `<a` becomes `3c61`.
//!
//! Source: SecLang reference, hexEncode.

use std::borrow::Cow;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Encodes `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    Cow::Owned(input.iter().flat_map(|byte| digits(*byte)).collect())
}

/// A byte as two digits.
pub(super) fn digits(byte: u8) -> [u8; 2] {
    [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn every_byte_becomes_two_digits() {
        table::check(
            Transformation::HexEncode,
            &[(b"", b""), (b"<a", b"3c61"), (b"\x00\xff", b"00ff")],
        );
    }
}
