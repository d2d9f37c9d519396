//! `t:trimLeft`: removes white space (C's `isspace`) from the beginning.
//!
//! Example: ` a ` becomes `a `.
//!
//! Source: SecLang reference, trimLeft.

use std::borrow::Cow;

use super::whitespace::is_space;

/// Trims `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    Cow::Borrowed(trimmed(input))
}

/// `input` from its first byte that is not white space.
pub(super) fn trimmed(input: &[u8]) -> &[u8] {
    let start = input.iter().position(|byte| !is_space(*byte));
    &input[start.unwrap_or(input.len())..]
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn the_beginning_loses_its_white_space() {
        table::check(
            Transformation::TrimLeft,
            &[(b"", b""), (b" \t a b ", b"a b "), (b"a", b"a"), (b"   ", b"")],
        );
    }
}
