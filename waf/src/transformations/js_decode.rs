//! `t:jsDecode`: decodes JavaScript's escapes: `\uHHHH`, `\u{H...}`, `\xHH`, `\OOO` and single characters.
//!
//! Of a code point the low byte counts, and full-width ASCII becomes ASCII. The backslash of any other escape
//! disappears; one at the very end stays.
//!
//! Example: `\u0061l\x65rt\50 1\51` becomes `alert( 1)`.
//!
//! Source: SecLang reference, jsDecode, and ECMA-262, 12.9.4, for `\u{H...}`: ModSecurity knows JavaScript as it
//! was before 2015, while browsers run `\u{61}lert(1)`. Coraza reads it too, with up to six digits.

use std::borrow::Cow;

use super::digits::{fold_full_width, hex_pair, hex_quad, octal};

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
    let (byte, after) = input.split_first()?;
    let simple = match byte {
        b'u' => match hex_quad(after) {
            Some(code) => return Some((fold_full_width(u32::from(code)) as u8, 5)),
            None => match code_point(after) {
                Some((code, length)) => return Some((fold_full_width(code) as u8, 1 + length)),
                None => b'u',
            },
        },
        b'x' => match hex_pair(after) {
            Some(value) => return Some((value, 3)),
            None => b'x',
        },
        b'0'..=b'7' => return octal(input).map(byte_of_octal),
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        other => *other,
    };
    Some((simple, 1))
}

/// `{H...}`: any number of digits, as long as the value is a code point.
fn code_point(input: &[u8]) -> Option<(u32, usize)> {
    let digits = input.strip_prefix(b"{")?;
    let length = digits.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    if length == 0 || digits.get(length) != Some(&b'}') {
        return None;
    }
    let code = digits[..length].iter().try_fold(0_u32, |code, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(code * 16 + digit).filter(|code| *code <= 0x10_ffff)
    })?;
    Some((code, length + 2))
}

/// `\400` and above are an escape of two digits and a digit: the value is one byte.
fn byte_of_octal((value, length): (u16, usize)) -> (u8, usize) {
    match u8::try_from(value) {
        Ok(value) => (value, length),
        Err(_) => ((value >> 3) as u8, length - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn escapes_are_decoded() {
        table::check(
            Transformation::JsDecode,
            &[
                (b"", b""),
                (b"plain", b"plain"),
                (b"\\u0061l\\x65rt\\50 1\\51", b"alert( 1)"),
                (b"\\uff1c\\uFF1E", b"<>"),
                (b"\\u013c", b"<"),
                (b"\\u{61}l\\u{000000065}rt", b"alert"),
                (b"\\u{ff1c}\\u{10ffff}", b"<\xff"),
                (b"\\u{}\\u{110000}\\u{6g}\\u{61", b"u{}u{110000}u{6g}u{61"),
                (b"\\uff00\\uff5f", b"\x00\x5f"),
                (b"\\u00zz\\x", b"u00zzx"),
                (b"\\101\\0\\377\\400", b"A\x00\xff 0"),
                (b"\\7\\78", b"\x07\x078"),
                (b"\\a\\b\\f\\n\\r\\t\\v", b"\x07\x08\x0c\n\r\t\x0b"),
                (b"\\'\\\"\\\\\\/", b"'\"\\/"),
                (b"end\\", b"end\\"),
            ],
        );
    }
}
