//! `@detectSQLi`: libinjection takes the value for SQL injection.
//!
//! Argument: none.
//!
//! Captures: slot 0 is libinjection's fingerprint of the value.
//!
//! Example: `SecRule ARGS "@detectSQLi" "id:1,capture,deny"`
//!
//! Source: SecLang reference, detectSQLi; the `libinjectionrs` port of libinjection.

use std::panic::catch_unwind;

use super::{Build, Captures, Evaluate, OperatorError};
use crate::macros::Lookup;
use crate::prefilter::Requirement;

/// `@detectSQLi`.
#[derive(Debug)]
pub struct DetectSqli;

impl Evaluate for DetectSqli {
    fn build(_name: &'static str, _argument: &str, _build: &Build<'_>) -> Result<Self, OperatorError> {
        Ok(Self)
    }

    fn matches(&self, input: &[u8], _lookup: &dyn Lookup, captures: Option<&mut Captures>) -> bool {
        // The port indexes its buffers unchecked by hand-kept positions. Should one be wrong, the request
        // must not take the worker with it, and must not pass either: such input was made to confuse.
        let Ok(result) = catch_unwind(|| libinjectionrs::detect_sqli(input)) else {
            return true;
        };
        if let (true, Some(captures), Some(fingerprint)) =
            (result.is_injection(), captures, &result.fingerprint)
        {
            captures.set(0, fingerprint.as_str().as_bytes());
        }
        result.is_injection()
    }

    fn requirement(&self) -> Option<Requirement> {
        Some(Requirement::unknown())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{captured, check};

    #[test]
    fn injections_are_found_and_fingerprinted() {
        check(
            "detectSQLi",
            &[
                ("", b"1' OR '1'='1", true),
                ("", b"-1 UNION SELECT 1,2,3 --", true),
                ("", b"hello world", false),
                ("", b"O'Brien", false),
                ("", b"", false),
                ("", b"\xff\x00\xfe", false),
            ],
        );
        assert_eq!(
            captured("detectSQLi", "", b"1 UNION SELECT 1").unwrap(),
            [(0, "1UE1".to_owned())]
        );
        assert_eq!(captured("detectSQLi", "", b"hello"), None);
    }
}
