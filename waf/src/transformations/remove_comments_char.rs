//! `t:removeCommentsChar`: removes the marks of comments: `/*`, `*/`, `<!--`, `-->`, `--`, `#`. What stands
//! between them stays.
//!
//! Example: `un/*x*/ion -- y` becomes `unxion  y`.
//!
//! Source: SecLang reference, removeCommentsChar.

use std::borrow::Cow;

/// In the order they are tried: `-->` before `--`.
const MARKS: [&[u8]; 6] = [b"/*", b"*/", b"<!--", b"-->", b"--", b"#"];

/// Removes marks from `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Vec::with_capacity(input.len());
    let mut rest = input;
    while let Some((byte, after)) = rest.split_first() {
        if let Some(mark) = MARKS.iter().find(|mark| rest.starts_with(mark)) {
            rest = &rest[mark.len()..];
        } else {
            out.push(*byte);
            rest = after;
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn marks_go_and_text_stays() {
        table::check(
            Transformation::RemoveCommentsChar,
            &[
                (b"", b""),
                (b"plain - /", b"plain - /"),
                (b"un/*x*/ion -- y", b"unxion  y"),
                (b"<!--a-->b#c", b"abc"),
                (b"a---b", b"a-b"),
                (b"/*/", b"/"),
                (b"/**/", b""),
            ],
        );
    }
}
