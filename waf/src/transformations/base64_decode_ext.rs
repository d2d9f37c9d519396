//! `t:base64DecodeExt`: decodes Base64 as forgivingly as PHP does: bytes outside the alphabet are skipped.
//!
//! The URL alphabet (`-` and `_`, RFC 4648 section 5) counts as well. `=` ends nothing: PHP's
//! `base64_decode` and ModSecurity go on after it, and an attacker would hide text behind it.
//!
//! Example: `P.HNjcmlwdD4=` becomes `<script>`.
//!
//! Source: SecLang reference, base64DecodeExt.

use std::borrow::Cow;

use super::base64_decode::{decode, symbol};

/// Decodes `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    let symbols = input.iter().filter_map(|byte| match byte {
        b'-' => Some(62),
        b'_' => Some(63),
        byte => symbol(*byte),
    });
    Cow::Owned(decode(symbols, input.len()))
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn skips_what_is_not_base64() {
        table::check(
            Transformation::Base64DecodeExt,
            &[
                (b"", b""),
                (b"PHNjcmlwdD4=", b"<script>"),
                (b"P.HNjcmlwdD4=", b"<script>"),
                (b"PHNj cm\tlw\x00dD4", b"<script>"),
                (b"=PHNjcmlwdD4", b"<script>"),
                (b"-_8", b"\xfb\xff"),
                (b"!!!", b""),
            ],
        );
    }
}
