//! `@detectXSS`: libinjection takes the value for cross-site scripting.
//!
//! Argument: none.
//!
//! Captures: none, as in Coraza and ModSecurity v3.
//!
//! Example: `SecRule ARGS "@detectXSS" "id:1,deny"`
//!
//! Source: SecLang reference, detectXSS; [`crate::libinjection`].

use std::sync::Arc;

use super::{Build, Captures, Evaluate, OperatorError};
use crate::libinjection::{needed_by_xss, xss};
use crate::macros::Lookup;
use crate::prefilter::Requirement;

/// `@detectXSS`.
#[derive(Debug)]
pub struct DetectXss;

impl Evaluate for DetectXss {
    fn build(_name: &'static str, _argument: &str, _build: &Build<'_>) -> Result<Self, OperatorError> {
        Ok(Self)
    }

    fn matches(&self, input: &[u8], _lookup: &dyn Lookup, _captures: Option<&mut Captures>) -> bool {
        xss(input)
    }

    fn requirement(&self) -> Option<Arc<Requirement>> {
        Some(Arc::new(Requirement::any_byte(needed_by_xss())))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn scripts_are_found() {
        check(
            "detectXSS",
            &[
                ("", b"<script>alert(1)</script>", true),
                ("", b"<img src=x onerror=alert(1)>", true),
                ("", b"\"><svg onload=alert(1)>", true),
                ("", b"hello world", false),
                ("", b"1 < 2", false),
                ("", b"", false),
            ],
        );
    }
}
