//! `t:lowercase`: lowers ASCII letters; other bytes stay.
//!
//! Example: `SeLeCT` becomes `select`.
//!
//! Source: SecLang reference, lowercase.

use std::borrow::Cow;

/// Changes `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    if input.iter().any(u8::is_ascii_uppercase) {
        Cow::Owned(input.to_ascii_lowercase())
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
            Transformation::Lowercase,
            &[
                (b"", b""),
                (b"SeLeCT 1", b"select 1"),
                (b"abc", b"abc"),
                ("É".as_bytes(), "É".as_bytes()),
            ],
        );
    }
}
