//! `t:trim`: removes white space (C's `isspace`) from both ends.
//!
//! Example: ` a ` becomes `a`.
//!
//! Source: SecLang reference, trim.

use std::borrow::Cow;

use super::{trim_left, trim_right};

/// Trims `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    Cow::Borrowed(trim_right::trimmed(trim_left::trimmed(input)))
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn both_ends_lose_their_white_space() {
        table::check(
            Transformation::Trim,
            &[
                (b"", b""),
                (b" \t a b \r\n", b"a b"),
                (b"a", b"a"),
                (b"   ", b""),
                (b"\x0b\x0ca\x00 ", b"a\x00"),
            ],
        );
    }
}
