//! `t:cssDecode`: decodes CSS escapes: `\` and one to six hexadecimal digits, or `\` and a character.
//!
//! One white space after the digits belongs to the escape. `\` before a newline disappears with it, a
//! `\` at the end disappears. Full-width ASCII becomes ASCII.
//!
//! Example: `ja\vasc\72 ipt` becomes `javascript`.
//!
//! Source: SecLang reference, cssDecode; CSS Syntax Module Level 3, section 4.3.7. As Coraza the whole
//! number counts; ModSecurity v3 keeps the low byte only, so that `\13c` (an L with cedilla) would be `<`.

use std::borrow::Cow;

use super::digits::{fold_full_width, hex, push_character};
use super::whitespace::is_space;

/// Decodes `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(b'\\', input) else {
        return Cow::Borrowed(input);
    };
    let mut out = Vec::with_capacity(input.len());
    out.extend_from_slice(&input[..first]);
    let mut rest = &input[first..];
    while let Some((byte, after)) = rest.split_first() {
        if *byte == b'\\' {
            rest = decode_escape(after, &mut out);
        } else {
            out.push(*byte);
            rest = after;
        }
    }
    Cow::Owned(out)
}

/// Decodes what follows a backslash and returns what comes after the escape.
fn decode_escape<'a>(input: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let mut code = 0;
    let mut rest = input;
    for _ in 0..6 {
        let Some((digit, after)) = rest
            .split_first()
            .and_then(|(byte, after)| Some((hex(*byte)?, after)))
        else {
            break;
        };
        code = code << 4 | u32::from(digit);
        rest = after;
    }
    if rest.len() < input.len() {
        push_character(out, fold_full_width(code));
        return match rest.split_first() {
            Some((byte, after)) if is_space(*byte) => after,
            _ => rest,
        };
    }
    match input.split_first() {
        None => input,
        Some((b'\n', after)) => after,
        Some((byte, after)) => {
            out.push(*byte);
            after
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn escapes_are_decoded() {
        table::check(
            Transformation::CssDecode,
            &[
                (b"", b""),
                (b"plain", b"plain"),
                (b"ja\\vasc\\72 ipt", b"javascript"),
                (b"\\6a\\00061\\000076 a", b"java"),
                (b"\\3c\\3E", b"<>"),
                (b"\\00003cx", b"<x"),
                (b"\\0000003c", b"\x003c"),
                (b"\\ff1c", b"<"),
                (b"\\00ff1c", b"<"),
                (b"\\13c", "\u{13c}".as_bytes()),
                (b"\\d800", "\u{fffd}".as_bytes()),
                (b"\\ffffff", "\u{fffd}".as_bytes()),
                (b"\\0", b"\x00"),
                (b"a\\\nb", b"ab"),
                (b"a\\", b"a"),
                (b"\\\\", b"\\"),
                (b"\\zx", b"zx"),
                (b"\\41\t\tB", b"A\tB"),
                (b"\\\xff", b"\xff"),
            ],
        );
    }
}
