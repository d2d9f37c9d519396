//! `t:escapeSeqDecode`: decodes the escapes of ANSI C: `\a \b \f \n \r \t \v \\ \? \' \"`, `\xHH` and
//! `\OOO`.
//!
//! The backslash of any other escape disappears; one at the very end stays.
//!
//! Example: `\x63at \057etc` becomes `cat /etc`.
//!
//! Source: SecLang reference, escapeSeqDecode. ModSecurity v3 and Coraza agree; of an octal number above
//! 377 the low byte is taken, as ModSecurity does.

use std::borrow::Cow;

use super::digits::{hex_pair, octal};

/// Decodes `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(b'\\', input) else {
        return Cow::Borrowed(input);
    };
    let mut out = Vec::with_capacity(input.len());
    out.extend_from_slice(&input[..first]);
    let mut rest = &input[first..];
    while let Some((byte, after)) = rest.split_first() {
        let (decoded, taken) = match byte {
            b'\\' => escape(after).unwrap_or((*byte, 0)),
            byte => (*byte, 0),
        };
        out.push(decoded);
        rest = &after[taken..];
    }
    Cow::Owned(out)
}

/// The byte an escape stands for and its length without the backslash; `None` at the end of the text.
fn escape(input: &[u8]) -> Option<(u8, usize)> {
    let byte = *input.first()?;
    let simple = match byte {
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        b'x' | b'X' => return Some(hex_pair(&input[1..]).map_or((byte, 1), |value| (value, 3))),
        b'0'..=b'7' => return octal(input).map(|(value, length)| (value as u8, length)),
        other => other,
    };
    Some((simple, 1))
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn escapes_are_decoded() {
        table::check(
            Transformation::EscapeSeqDecode,
            &[
                (b"", b""),
                (b"plain", b"plain"),
                (b"\\a\\b\\f\\n\\r\\t\\v", b"\x07\x08\x0c\n\r\t\x0b"),
                (b"\\\\\\?\\'\\\"", b"\\?'\""),
                (b"\\x63\\X41t \\057etc", b"cAt /etc"),
                (b"\\0\\7\\07\\1234", b"\x00\x07\x07S4"),
                (b"\\777", b"\xff"),
                (b"\\8", b"8"),
                (b"\\xzz\\x1", b"xzzx1"),
                (b"\\z", b"z"),
                (b"end\\", b"end\\"),
            ],
        );
    }
}
