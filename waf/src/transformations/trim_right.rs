//! `t:trimRight`: removes white space (C's `isspace`) from the end.
//!
//! Example: ` a ` becomes ` a`.
//!
//! Source: SecLang reference, trimRight.

use std::borrow::Cow;

use super::whitespace::is_space;

/// Trims `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    Cow::Borrowed(trimmed(input))
}

/// `input` up to its last byte that is not white space.
pub(super) fn trimmed(input: &[u8]) -> &[u8] {
    let last = input.iter().rposition(|byte| !is_space(*byte));
    &input[..last.map_or(0, |last| last + 1)]
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn the_end_loses_its_white_space() {
        table::check(
            Transformation::TrimRight,
            &[(b"", b""), (b" a b \r\n", b" a b"), (b"a", b"a"), (b"   ", b"")],
        );
    }
}
