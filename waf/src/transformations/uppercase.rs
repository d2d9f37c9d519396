//! `t:uppercase`: raises ASCII letters; other bytes stay.
//!
//! Example: `SeLeCT` becomes `SELECT`.
//!
//! Source: SecLang reference, uppercase.

use std::borrow::Cow;

/// Changes `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    if input.iter().any(u8::is_ascii_lowercase) {
        Cow::Owned(input.to_ascii_uppercase())
    } else {
        Cow::Borrowed(input)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn only_ascii_letters_change() {
        table::check(
            Transformation::Uppercase,
            &[
                (b"", b""),
                (b"SeLeCT 1", b"SELECT 1"),
                (b"ABC", b"ABC"),
                ("é".as_bytes(), "é".as_bytes()),
            ],
        );
    }
}
