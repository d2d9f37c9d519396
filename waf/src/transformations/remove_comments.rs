//! `t:removeComments`: removes comments: `/* ... */`, `<!-- ... -->`, and everything from `--` or `#` on.
//!
//! A comment that does not end becomes one space.
//!
//! Example: `un/* x */ion -- rest` becomes `union `.
//!
//! Source: SecLang reference, removeComments. ModSecurity v3 and Coraza copy the byte after a comment
//! unread, so that of two adjacent comments the second stays; here it goes.

use std::borrow::Cow;

/// Removes comments from `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Vec::with_capacity(input.len());
    let mut rest = input;
    while let Some((byte, after)) = rest.split_first() {
        if rest.starts_with(b"/*") {
            rest = skip_comment(&rest[2..], &mut out);
        } else if rest.starts_with(b"<!--") {
            rest = skip_comment(&rest[4..], &mut out);
        } else if rest.starts_with(b"--") || *byte == b'#' {
            break;
        } else {
            out.push(*byte);
            rest = after;
        }
    }
    Cow::Owned(out)
}

/// Both ends close both kinds of comment, as in ModSecurity.
fn skip_comment<'a>(input: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let mut rest = input;
    while let Some((_, after)) = rest.split_first() {
        if rest.starts_with(b"*/") {
            return &rest[2..];
        }
        if rest.starts_with(b"-->") {
            return &rest[3..];
        }
        rest = after;
    }
    out.push(b' ');
    rest
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn comments_go() {
        table::check(
            Transformation::RemoveComments,
            &[
                (b"", b""),
                (b"plain", b"plain"),
                (b"un/* x */ion", b"union"),
                (b"a/**//**/b", b"ab"),
                (b"a<!-- x -->b", b"ab"),
                (b"a/* x -->b", b"ab"),
                (b"a/* open", b"a "),
                (b"a/*", b"a "),
                (b"a<!--", b"a "),
                (b"select 1 -- rest", b"select 1 "),
                (b"select 1 # rest", b"select 1 "),
                (b"a-b/c<!-d", b"a-b/c<!-d"),
                (b"/*a*/", b""),
            ],
        );
    }
}
