//! `@detectSQLi`: libinjection takes the value for SQL injection.
//!
//! Argument: none.
//!
//! Captures: slot 0 is libinjection's fingerprint of the value.
//!
//! Example: `SecRule ARGS "@detectSQLi" "id:1,capture,deny"`
//!
//! Source: SecLang reference, detectSQLi; [`crate::libinjection`].

use std::sync::Arc;

use super::{Build, Captures, Evaluate, OperatorError};
use crate::libinjection::{needed_by_sqli, sqli};
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
        let fingerprint = sqli(input);
        if let (Some(captures), Some(fingerprint)) = (captures, &fingerprint) {
            captures.set(0, fingerprint.as_bytes());
        }
        fingerprint.is_some()
    }

    fn requirement(&self) -> Option<Arc<Requirement>> {
        Some(Arc::new(Requirement::any_byte(needed_by_sqli())))
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
