//! `t:urlDecodeUni`: decodes `%HH`, `+`, and Microsoft's `%uHHHH`.
//!
//! A `%uHHHH` becomes one byte: what the best-fit map of the US-ASCII code page makes of the character,
//! ASCII for full-width ASCII, else the low byte. What is not a whole escape stays.
//!
//! Example: `%u003cscript%uff1e%3b` becomes `<script>;`.
//!
//! Source: SecLang reference, urlDecodeUni, with `SecUnicodeMapFile unicode.mapping 20127` as the CRS sets
//! it up; Coraza has the map built in, too.

use std::borrow::Cow;

use super::best_fit;
use super::digits::{hex_pair, hex_quad};

/// Decodes `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr2(b'%', b'+', input) else {
        return Cow::Borrowed(input);
    };
    let mut out = Vec::with_capacity(input.len());
    out.extend_from_slice(&input[..first]);
    let mut rest = &input[first..];
    loop {
        let end = memchr::memchr(b'%', rest).unwrap_or(rest.len());
        out.extend(
            rest[..end]
                .iter()
                .map(|byte| if *byte == b'+' { b' ' } else { *byte }),
        );
        let Some(after) = rest.get(end + 1..) else {
            return Cow::Owned(out);
        };
        let (decoded, taken) = escape(after).unwrap_or((b'%', 0));
        out.push(decoded);
        rest = &after[taken..];
    }
}

/// The byte that the escape after a `%` stands for, and the escape's length without the `%`.
fn escape(input: &[u8]) -> Option<(u8, usize)> {
    match input {
        [b'u' | b'U', digits @ ..] => hex_quad(digits).map(|code| (one_byte(code), 5)),
        _ => hex_pair(input).map(|value| (value, 2)),
    }
}

fn one_byte(code: u16) -> u8 {
    best_fit::to_ascii(code).unwrap_or(code as u8)
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn escapes_of_both_kinds_are_decoded_once() {
        table::check(
            Transformation::UrlDecodeUni,
            &[
                (b"", b""),
                (b"plain", b"plain"),
                (b"%3Cscript%3e+x", b"<script> x"),
                (b"%u003cscript%U003E", b"<script>"),
                (b"%uff1cscript%uFF1e%uff5e%uff01", b"<script>~!"),
                (b"%uff00%uff5f", b"\x00\x5f"),
                (b"%u2018%u02b9%u2032", b"'''"),
                (b"%u00e9%u0107", b"ec"),
                (b"%u013c", b"l"),
                (b"%u0441", b"A"),
                (b"%u12", b"%u12"),
                (b"%uzzzz%41", b"%uzzzzA"),
                (b"%%u0041", b"%A"),
                (b"%u%41", b"%uA"),
                (b"%zz%1%", b"%zz%1%"),
            ],
        );
    }
}
