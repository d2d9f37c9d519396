//! `t:parityOdd7bit`: sets the eighth bit of every byte so that the number of its set bits is odd.
//!
//! Example: `A` (two bits) becomes the byte 0xc1.
//!
//! Source: SecLang reference, parityOdd7bit. ModSecurity v3 counts an eighth bit that is already set.

use std::borrow::Cow;

use super::parity_even_7bit::with_parity;

/// Changes `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    Cow::Owned(input.iter().map(|byte| with_parity(*byte, 1)).collect())
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn the_eighth_bit_makes_odd() {
        table::check(
            Transformation::ParityOdd7bit,
            &[
                (b"", b""),
                (b"A", b"\xc1"),
                (b"C", b"C"),
                (b"\xc3", b"C"),
                (b"\x00", b"\x80"),
            ],
        );
    }
}
