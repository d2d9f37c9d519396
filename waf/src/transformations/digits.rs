//! Digits in bytes, as the decoders read them.

/// The value of a hexadecimal digit.
pub(super) fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// The value of the two hexadecimal digits that `input` begins with.
pub(super) fn hex_pair(input: &[u8]) -> Option<u8> {
    match input {
        [high, low, ..] => Some(hex(*high)? << 4 | hex(*low)?),
        _ => None,
    }
}

/// The value of the four hexadecimal digits that `input` begins with.
pub(super) fn hex_quad(input: &[u8]) -> Option<u16> {
    let high = hex_pair(input)?;
    let low = hex_pair(&input[2..])?;
    Some(u16::from_be_bytes([high, low]))
}

/// The value and length of the octal digits, three at most, that `input` begins with.
pub(super) fn octal(input: &[u8]) -> Option<(u16, usize)> {
    let length = input
        .iter()
        .take(3)
        .take_while(|byte| matches!(byte, b'0'..=b'7'))
        .count();
    let value = input[..length]
        .iter()
        .fold(0, |value, byte| value * 8 + u16::from(byte - b'0'));
    (length > 0).then_some((value, length))
}

/// Full-width ASCII (U+FF01 to U+FF5E) as ASCII: servers of the Windows family take one for the other.
pub(super) fn fold_full_width(code: u32) -> u32 {
    match code {
        0xff01..=0xff5e => code - 0xfee0,
        _ => code,
    }
}

/// Appends a character given by its number: UTF-8 from U+0080, U+FFFD for what is no character.
///
/// NUL stays a NUL byte, where HTML and CSS read U+FFFD: the rules remove NUL bytes afterwards, and
/// older browsers skipped them.
pub(super) fn push_character(out: &mut Vec<u8>, code: u32) {
    let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}
