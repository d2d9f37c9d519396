//! `@beginsWith TEXT`: the value begins with the text.
//!
//! Argument: text with macros; an empty one is the beginning of everything.
//!
//! Example: `SecRule REQUEST_LINE "!@beginsWith GET" "id:1,deny"`
//!
//! Source: SecLang reference, beginsWith.

use std::sync::Arc;

use super::argument::Text;
use super::{Build, Captures, Evaluate, OperatorError};
use crate::macros::Lookup;
use crate::prefilter::Requirement;

/// `@beginsWith`.
#[derive(Debug)]
pub struct BeginsWith(Text);

impl Evaluate for BeginsWith {
    fn build(name: &'static str, argument: &str, _build: &Build<'_>) -> Result<Self, OperatorError> {
        Text::parse(name, argument).map(Self)
    }

    fn matches(&self, input: &[u8], lookup: &dyn Lookup, _captures: Option<&mut Captures>) -> bool {
        input.starts_with(&self.0.value(lookup))
    }

    fn requirement(&self) -> Option<Arc<Requirement>> {
        self.0.requirement()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, matches_expanded};

    #[test]
    fn beginnings_match() {
        check(
            "beginsWith",
            &[
                ("GET", b"GET / HTTP/1.1", true),
                ("GET", b"get /", false),
                ("GET", b"GE", false),
                ("GET", b" GET", false),
                ("", b"", true),
                ("", b"x", true),
                ("x", b"", false),
            ],
        );
        assert!(matches_expanded("beginsWith", "ab", b"abc"));
        assert!(!matches_expanded("beginsWith", "b", b"abc"));
    }
}
