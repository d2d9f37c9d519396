//! `@streq TEXT`: the value is exactly the text.
//!
//! Argument: text with macros.
//!
//! Example: `SecRule ARGS:foo "!@streq bar" "id:1,deny"`
//!
//! Source: SecLang reference, streq.

use std::sync::Arc;

use super::argument::Text;
use super::{Build, Captures, Evaluate, OperatorError};
use crate::macros::Lookup;
use crate::prefilter::Requirement;

/// `@streq`.
#[derive(Debug)]
pub struct StrEq(Text);

impl Evaluate for StrEq {
    fn build(name: &'static str, argument: &str, _build: &Build<'_>) -> Result<Self, OperatorError> {
        Text::parse(name, argument).map(Self)
    }

    fn matches(&self, input: &[u8], lookup: &dyn Lookup, _captures: Option<&mut Captures>) -> bool {
        input == self.0.value(lookup).as_ref()
    }

    fn requirement(&self) -> Option<Arc<Requirement>> {
        self.0.requirement()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, matches_expanded};

    #[test]
    fn equal_text_matches() {
        check(
            "streq",
            &[
                ("bar", b"bar", true),
                ("bar", b"Bar", false),
                ("bar", b"bar ", false),
                ("", b"", true),
                ("", b"x", false),
            ],
        );
        assert!(matches_expanded("streq", "abc", b"abc"));
        assert!(!matches_expanded("streq", "ab", b"abc"));
    }
}
