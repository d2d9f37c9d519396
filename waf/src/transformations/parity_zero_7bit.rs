//! `t:parityZero7bit`: clears the eighth bit of every byte.
//!
//! Example: the byte 0xc1 becomes `A`.
//!
//! Source: SecLang reference, parityZero7bit.

use std::borrow::Cow;

/// Changes `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    if input.is_ascii() {
        return Cow::Borrowed(input);
    }
    Cow::Owned(input.iter().map(|byte| byte & 0x7f).collect())
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn the_eighth_bit_goes() {
        table::check(
            Transformation::ParityZero7bit,
            &[(b"", b""), (b"AC", b"AC"), (b"\xc1\x80\xff", b"A\x00\x7f")],
        );
    }
}
