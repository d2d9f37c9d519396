//! `t:urlDecode`: decodes `%HH` and `+`.
//!
//! A `%` without two hexadecimal digits stays.
//!
//! Example: `%3Cscript%3e+x` becomes `<script> x`.
//!
//! Source: SecLang reference, urlDecode.

use std::borrow::Cow;

use super::digits::hex_pair;

/// Decodes `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr2(b'%', b'+', input) else {
        return Cow::Borrowed(input);
    };
    let mut out = Vec::with_capacity(input.len());
    out.extend_from_slice(&input[..first]);
    let mut rest = &input[first..];
    while let Some((byte, after)) = rest.split_first() {
        let (decoded, taken) = match byte {
            b'+' => (b' ', 0),
            b'%' => hex_pair(after).map_or((b'%', 0), |value| (value, 2)),
            byte => (*byte, 0),
        };
        out.push(decoded);
        rest = &after[taken..];
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn escapes_are_decoded_once() {
        table::check(
            Transformation::UrlDecode,
            &[
                (b"", b""),
                (b"plain", b"plain"),
                (b"%3Cscript%3e+x", b"<script> x"),
                (b"%253c", b"%3c"),
                (b"%zz%1%", b"%zz%1%"),
                (b"%%41", b"%A"),
                (b"%00%ff", b"\x00\xff"),
                (b"%u003c", b"%u003c"),
            ],
        );
    }
}
