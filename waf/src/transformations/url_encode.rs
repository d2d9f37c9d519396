//! `t:urlEncode`: writes every byte but letters, digits and `*` as `%hh`, and a space as `+`.
//!
//! Example: `<a b>` becomes `%3ca+b%3e`.
//!
//! Source: SecLang reference, urlEncode.

use std::borrow::Cow;

use super::hex_encode::digits;

/// Encodes `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Vec::with_capacity(input.len());
    for byte in input {
        match byte {
            b' ' => out.push(b'+'),
            b'*' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => out.push(*byte),
            byte => {
                out.push(b'%');
                out.extend(digits(*byte));
            }
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn little_stays_as_it_is() {
        table::check(
            Transformation::UrlEncode,
            &[
                (b"", b""),
                (b"aZ09*", b"aZ09*"),
                (b"<a b>", b"%3ca+b%3e"),
                (b"-_.~\x00\xff", b"%2d%5f%2e%7e%00%ff"),
            ],
        );
    }
}
