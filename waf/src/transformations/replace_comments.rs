//! `t:replaceComments`: turns each `/* ... */` into one space.
//!
//! A comment that does not end becomes a space as well; a `*/` without a beginning stays.
//!
//! Example: `union/* x */select` becomes `union select`.
//!
//! Source: SecLang reference, replaceComments.

use std::borrow::Cow;

use memchr::memmem;

/// Replaces comments in `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    let mut begin = memmem::find(input, b"/*");
    if begin.is_none() {
        return Cow::Borrowed(input);
    }
    let mut out = Vec::with_capacity(input.len());
    let mut rest = input;
    while let Some(before) = begin {
        out.extend_from_slice(&rest[..before]);
        out.push(b' ');
        let inside = &rest[before + 2..];
        rest = memmem::find(inside, b"*/").map_or(&[], |end| &inside[end + 2..]);
        begin = memmem::find(rest, b"/*");
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn comments_become_spaces() {
        table::check(
            Transformation::ReplaceComments,
            &[
                (b"", b""),
                (b"plain / *", b"plain / *"),
                (b"union/* x */select", b"union select"),
                (b"a/**//**/b", b"a  b"),
                (b"a/* open", b"a "),
                (b"a/*/b", b"a "),
                (b"a*/b", b"a*/b"),
                (b"/**/", b" "),
            ],
        );
    }
}
