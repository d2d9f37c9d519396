//! `t:length`: the number of bytes, in decimal.
//!
//! Example: `attack` becomes `6`.
//!
//! Source: SecLang reference, length.

use std::borrow::Cow;

/// Counts `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    Cow::Owned(input.len().to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn counts_bytes() {
        table::check(
            Transformation::Length,
            &[(b"", b"0"), (b"attack", b"6"), ("é".as_bytes(), b"2")],
        );
    }
}
