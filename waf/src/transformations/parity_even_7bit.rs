//! `t:parityEven7bit`: sets the eighth bit of every byte so that the number of its set bits is even.
//!
//! Example: `C` (three bits) becomes the byte 0xc3.
//!
//! Source: SecLang reference, parityEven7bit. ModSecurity v3 counts an eighth bit that is already set.

use std::borrow::Cow;

/// Changes `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    Cow::Owned(input.iter().map(|byte| with_parity(*byte, 0)).collect())
}

/// The byte's seven bits, and the eighth so that the number of set bits modulo 2 is `wanted`.
pub(super) fn with_parity(byte: u8, wanted: u32) -> u8 {
    let seven = byte & 0x7f;
    if seven.count_ones() % 2 == wanted {
        seven
    } else {
        seven | 0x80
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn the_eighth_bit_evens() {
        table::check(
            Transformation::ParityEven7bit,
            &[
                (b"", b""),
                (b"A", b"A"),
                (b"C", b"\xc3"),
                (b"\xc1", b"A"),
                (b"\xff", b"\xff"),
            ],
        );
    }
}
