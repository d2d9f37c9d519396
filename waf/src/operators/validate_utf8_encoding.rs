//! `@validateUtf8Encoding`: the value is not valid UTF-8.
//!
//! Not valid are: characters cut short, wrong continuation bytes, overlong forms, surrogates, and numbers
//! past U+10FFFF (RFC 3629).
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@validateUtf8Encoding" "id:1,deny"`
//!
//! Source: SecLang reference, validateUtf8Encoding.

use std::sync::Arc;

use super::{Build, Captures, Evaluate, OperatorError};
use crate::macros::Lookup;
use crate::prefilter::{ByteSet, Requirement};

/// `@validateUtf8Encoding`.
#[derive(Debug)]
pub struct ValidateUtf8Encoding;

impl Evaluate for ValidateUtf8Encoding {
    fn build(_name: &'static str, _argument: &str, _build: &Build<'_>) -> Result<Self, OperatorError> {
        Ok(Self)
    }

    fn matches(&self, input: &[u8], _lookup: &dyn Lookup, _captures: Option<&mut Captures>) -> bool {
        std::str::from_utf8(input).is_err()
    }

    fn requirement(&self) -> Option<Arc<Requirement>> {
        Some(Arc::new(Requirement::any_byte(ByteSet::range(0x80, 0xff))))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn wrong_encodings_match() {
        check(
            "validateUtf8Encoding",
            &[
                ("", b"", false),
                ("", b"plain \x00", false),
                ("", "é😀\u{fffd}".as_bytes(), false),
                ("", b"\xc3", true),
                ("", b"\xc3x", true),
                ("", b"\x80", true),
                ("", b"\xc0\xbc", true),
                ("", b"\xe0\x80\xbc", true),
                ("", b"\xed\xa0\x80", true),
                ("", b"\xf4\x90\x80\x80", true),
                ("", b"\xff", true),
            ],
        );
    }
}
