//! `t:base64Decode`: decodes Base64, and keeps what it got where the text ends being Base64.
//!
//! Padding may be absent. CR and LF are skipped; `=` and any other byte outside the alphabet end the text.
//!
//! Example: `YXR0YWNr` becomes `attack`; `YXR0YWNr;x` too.
//!
//! Source: SecLang reference, base64Decode. As Coraza; ModSecurity v3 gives nothing at all for text with
//! a wrong byte in it, which would hide the part before it.

use std::borrow::Cow;

/// Decodes `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    let symbols = input
        .iter()
        .filter(|byte| !matches!(byte, b'\r' | b'\n'))
        .map_while(|byte| symbol(*byte));
    Cow::Owned(decode(symbols, input.len()))
}

/// The six bits that a byte of the standard alphabet stands for.
pub(super) fn symbol(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// The whole bytes that a run of six-bit symbols holds; bits left over are dropped.
pub(super) fn decode(symbols: impl Iterator<Item = u8>, encoded_length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(encoded_length / 4 * 3 + 3);
    let mut bits: u32 = 0;
    let mut held = 0;
    for symbol in symbols {
        bits = bits << 6 | u32::from(symbol);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn decodes_up_to_the_first_wrong_byte() {
        table::check(
            Transformation::Base64Decode,
            &[
                (b"", b""),
                (b"YXR0YWNr", b"attack"),
                (b"YXR0YWNrcw==", b"attacks"),
                (b"YXR0YWNrcw", b"attacks"),
                (b"YXR0\r\nYWNr", b"attack"),
                (b"YXR0YWNr;YWJj", b"attack"),
                (b"YXR0 YWNr", b"att"),
                (b"YXR0Y", b"att"),
                (b"Y", b""),
                (b"/+8=", b"\xff\xef"),
                (b"-_8=", b""),
                (b"<script>", b""),
            ],
        );
    }
}
