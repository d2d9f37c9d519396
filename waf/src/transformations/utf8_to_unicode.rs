//! `t:utf8toUnicode`: writes every character past ASCII as `%uHHHH`, for `t:urlDecodeUni` to fold.
//!
//! Overlong encodings and surrogates count as what they stand for: that is how they are used to hide text.
//! A byte that belongs to no UTF-8 character stays. Characters past U+FFFF get five or six digits.
//!
//! Example: `é<` becomes `%u00e9<`.
//!
//! Source: SecLang reference, utf8toUnicode. ModSecurity v3 drops some wrong bytes and doubles others,
//! Coraza writes `%ufffd` for each.

use std::borrow::Cow;

/// Encodes `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    if input.is_ascii() {
        return Cow::Borrowed(input);
    }
    let mut out = Vec::with_capacity(input.len() * 2);
    let mut rest = input;
    while let Some((byte, after)) = rest.split_first() {
        match character(rest) {
            Some((code, length)) => {
                out.extend_from_slice(format!("%u{code:04x}").as_bytes());
                rest = &rest[length..];
            }
            None => {
                out.push(*byte);
                rest = after;
            }
        }
    }
    Cow::Owned(out)
}

/// The number and length of the character past ASCII that `input` begins with, by its form alone.
fn character(input: &[u8]) -> Option<(u32, usize)> {
    let (lead, length) = match *input.first()? {
        byte @ 0xc0..=0xdf => (byte & 0x1f, 2),
        byte @ 0xe0..=0xef => (byte & 0x0f, 3),
        byte @ 0xf0..=0xf4 => (byte & 0x07, 4),
        _ => return None,
    };
    let mut code = u32::from(lead);
    for byte in input.get(1..length)? {
        if byte & 0xc0 != 0x80 {
            return None;
        }
        code = code << 6 | u32::from(byte & 0x3f);
    }
    (code <= 0x10_ffff).then_some((code, length))
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn characters_become_escapes() {
        table::check(
            Transformation::Utf8ToUnicode,
            &[
                (b"", b""),
                (b"plain \x00", b"plain \x00"),
                ("é<".as_bytes(), b"%u00e9<"),
                ("＜".as_bytes(), b"%uff1c"),
                ("😀".as_bytes(), b"%u1f600"),
                (b"\xc0\xbc", b"%u003c"),
                (b"\xe0\x80\xbc", b"%u003c"),
                (b"\xed\xa0\x80", b"%ud800"),
                (b"\xf4\x90\x80\x80", b"\xf4\x90\x80\x80"),
                (b"a\xff\x80\xc3", b"a\xff\x80\xc3"),
                (b"\xc3<", b"\xc3<"),
            ],
        );
    }
}
