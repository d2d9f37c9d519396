//! `@endsWith TEXT`: the value ends with the text.
//!
//! Argument: text with macros; an empty one is the end of everything.
//!
//! Example: `SecRule REQUEST_BASENAME "@endsWith .php" "id:1,deny"`
//!
//! Source: SecLang reference, endsWith.

use std::sync::Arc;

use super::argument::Text;
use super::{Build, Captures, Evaluate, OperatorError};
use crate::macros::Lookup;
use crate::prefilter::Requirement;

/// `@endsWith`.
#[derive(Debug)]
pub struct EndsWith(Text);

impl Evaluate for EndsWith {
    fn build(name: &'static str, argument: &str, _build: &Build<'_>) -> Result<Self, OperatorError> {
        Text::parse(name, argument).map(Self)
    }

    fn matches(&self, input: &[u8], lookup: &dyn Lookup, _captures: Option<&mut Captures>) -> bool {
        input.ends_with(&self.0.value(lookup))
    }

    fn requirement(&self) -> Option<Arc<Requirement>> {
        self.0.requirement()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, matches_expanded};

    #[test]
    fn endings_match() {
        check(
            "endsWith",
            &[
                (".php", b"index.php", true),
                (".php", b"index.PHP", false),
                (".php", b"php", false),
                (".php", b"a.php5", false),
                ("", b"", true),
                ("x", b"", false),
            ],
        );
        assert!(matches_expanded("endsWith", "bc", b"abc"));
        assert!(!matches_expanded("endsWith", "b", b"abc"));
    }
}
