//! `t:base64Encode`: encodes as Base64 with padding.
//!
//! Example: `attack` becomes `YXR0YWNr`.
//!
//! Source: SecLang reference, base64Encode.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Encodes `input`.
pub(super) fn apply(input: &[u8]) -> Cow<'_, [u8]> {
    Cow::Owned(STANDARD.encode(input).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::{Transformation, table};

    #[test]
    fn pads() {
        table::check(
            Transformation::Base64Encode,
            &[
                (b"", b""),
                (b"attack", b"YXR0YWNr"),
                (b"attacks", b"YXR0YWNrcw=="),
                (b"\xff\xef", b"/+8="),
            ],
        );
    }
}
