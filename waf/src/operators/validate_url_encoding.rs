//! `@validateUrlEncoding`: a `%` in the value is not followed by two hexadecimal digits.
//!
//! Argument: none.
//!
//! Example: `SecRule REQUEST_URI_RAW "@validateUrlEncoding" "id:1,deny"`
//!
//! Source: SecLang reference, validateUrlEncoding.

use std::sync::Arc;

use super::{Build, Captures, Evaluate, OperatorError};
use crate::macros::Lookup;
use crate::prefilter::{ByteSet, Requirement};

/// `@validateUrlEncoding`.
#[derive(Debug)]
pub struct ValidateUrlEncoding;

impl Evaluate for ValidateUrlEncoding {
    fn build(_name: &'static str, _argument: &str, _build: &Build<'_>) -> Result<Self, OperatorError> {
        Ok(Self)
    }

    fn matches(&self, input: &[u8], _lookup: &dyn Lookup, _captures: Option<&mut Captures>) -> bool {
        memchr::memchr_iter(b'%', input).any(|place| match input.get(place + 1..place + 3) {
            Some(digits) => !digits.iter().all(u8::is_ascii_hexdigit),
            None => true,
        })
    }

    fn requirement(&self) -> Option<Arc<Requirement>> {
        Some(Arc::new(Requirement::any_byte(ByteSet::of(b"%"))))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn wrong_escapes_match() {
        check(
            "validateUrlEncoding",
            &[
                ("", b"", false),
                ("", b"plain", false),
                ("", b"%41%fF", false),
                ("", b"%", true),
                ("", b"%4", true),
                ("", b"a%4", true),
                ("", b"%4g", true),
                ("", b"%u0041", true),
                ("", b"%%41", true),
                ("", b"%41%", true),
            ],
        );
    }
}
