//! `t:normalisePathWin` (also `normalizePathWin`): turns every `\` into `/`, then does what `normalisePath`
//! does.
//!
//! Example: `C:\www\..\boot.ini` becomes `C:/boot.ini`.
//!
//! Source: SecLang reference, normalisePathWin. Coraza also strips trailing dots and the names of alternate
//! data streams; that is not in the reference and not done here.

use std::borrow::Cow;

use super::normalise_path;

/// Normalises `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', input).is_none() {
        return normalise_path::apply(input);
    }
    let slashes: Vec<u8> = input
        .iter()
        .map(|byte| if *byte == b'\\' { b'/' } else { *byte })
        .collect();
    Cow::Owned(normalise_path::apply(&slashes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn backslashes_are_slashes() {
        table::check(
            Transformation::NormalisePathWin,
            &[
                (b"", b""),
                (b"C:\\www\\..\\boot.ini", b"C:/boot.ini"),
                (b"\\\\server\\share\\", b"/server/share/"),
                (b"..\\..\\x", b"../../x"),
                (b"/a/.\\..\\b", b"/b"),
                (b"/a/b", b"/a/b"),
            ],
        );
    }
}
