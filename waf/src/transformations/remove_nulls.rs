//! `t:removeNulls`: removes NUL bytes.
//!
//! Example: `scr\0ipt` becomes `script`.
//!
//! Source: SecLang reference, removeNulls.

use std::borrow::Cow;

/// Removes NUL bytes from `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(0, input).is_none() {
        return Cow::Borrowed(input);
    }
    Cow::Owned(input.iter().copied().filter(|byte| *byte != 0).collect())
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn nulls_go() {
        table::check(
            Transformation::RemoveNulls,
            &[(b"", b""), (b"scr\0ipt\0", b"script"), (b"a", b"a"), (b"\0", b"")],
        );
    }
}
