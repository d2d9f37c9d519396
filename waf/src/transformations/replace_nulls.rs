//! `t:replaceNulls`: turns NUL bytes into spaces.
//!
//! Example: `a\0b` becomes `a b`.
//!
//! Source: SecLang reference, replaceNulls.

use std::borrow::Cow;

/// Replaces NUL bytes in `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(0, input).is_none() {
        return Cow::Borrowed(input);
    }
    let replaced = input.iter().map(|byte| if *byte == 0 { b' ' } else { *byte });
    Cow::Owned(replaced.collect())
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn nulls_become_spaces() {
        table::check(
            Transformation::ReplaceNulls,
            &[(b"", b""), (b"a\0\0b", b"a  b"), (b"a", b"a")],
        );
    }
}
