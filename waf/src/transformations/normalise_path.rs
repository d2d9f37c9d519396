//! `t:normalisePath` (also `normalizePath`): removes repeated slashes, `.` segments, and `..` segments
//! with the segment before them.
//!
//! A path that begins with `/` cannot leave the root; a relative one keeps the `..` at its beginning. A
//! trailing `/` is kept, none is added.
//!
//! Example: `/var/./www//../../etc/passwd` becomes `/etc/passwd`.
//!
//! Source: SecLang reference, normalisePath.

use std::borrow::Cow;

/// Normalises `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    if input != b"." && memchr::memchr(b'/', input).is_none() {
        return Cow::Borrowed(input);
    }
    let absolute = input.starts_with(b"/");
    let segments = segments(input, absolute);
    let mut out = Vec::with_capacity(input.len());
    for (place, segment) in segments.iter().enumerate() {
        if absolute || place > 0 {
            out.push(b'/');
        }
        out.extend_from_slice(segment);
    }
    let root = absolute && segments.is_empty();
    if root || (input.ends_with(b"/") && !segments.is_empty()) {
        out.push(b'/');
    }
    Cow::Owned(out)
}

fn segments(input: &[u8], absolute: bool) -> Vec<&[u8]> {
    let mut kept: Vec<&[u8]> = Vec::new();
    for segment in input.split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => match kept.last() {
                Some(&b"..") => kept.push(segment),
                Some(_) => {
                    kept.pop();
                }
                None if absolute => {}
                None => kept.push(segment),
            },
            _ => kept.push(segment),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn paths_are_normalised() {
        table::check(
            Transformation::NormalisePath,
            &[
                (b"", b""),
                (b"/", b"/"),
                (b"//", b"/"),
                (b".", b""),
                (b"./", b""),
                (b"..", b".."),
                (b"../", b"../"),
                (b"../../x", b"../../x"),
                (b"a/../../x", b"../x"),
                (b"/..", b"/"),
                (b"/../../etc/passwd", b"/etc/passwd"),
                (b"/var/./www//../../etc/passwd", b"/etc/passwd"),
                (b"/foo/bar/..", b"/foo"),
                (b"/foo/bar/../", b"/foo/"),
                (b"/foo/.", b"/foo"),
                (b"/foo//bar///", b"/foo/bar/"),
                (b"a/..", b""),
                (b"/foo/...", b"/foo/..."),
                (b"/foo/.bar", b"/foo/.bar"),
                (b"index.php", b"index.php"),
                (b"\\..\\x", b"\\..\\x"),
                (b"/a\x00/../b", b"/b"),
            ],
        );
    }
}
