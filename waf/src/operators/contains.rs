//! `@contains TEXT`: the text is somewhere in the value.
//!
//! Argument: text with macros; an empty one is in everything.
//!
//! Example: `SecRule REQUEST_LINE "@contains .php" "id:1,deny"`
//!
//! Source: SecLang reference, contains.

use std::sync::Arc;

use memchr::memmem;

use super::argument::Text;
use super::{Build, Captures, Evaluate, OperatorError};
use crate::macros::Lookup;
use crate::prefilter::Requirement;

/// `@contains`.
#[derive(Debug)]
pub struct Contains(Text);

impl Evaluate for Contains {
    fn build(name: &'static str, argument: &str, _build: &Build<'_>) -> Result<Self, OperatorError> {
        Text::parse(name, argument).map(Self)
    }

    fn matches(&self, input: &[u8], lookup: &dyn Lookup, _captures: Option<&mut Captures>) -> bool {
        memmem::find(input, &self.0.value(lookup)).is_some()
    }

    fn requirement(&self) -> Option<Arc<Requirement>> {
        self.0.requirement()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, matches_expanded};

    #[test]
    fn a_part_matches() {
        check(
            "contains",
            &[
                ("bc", b"abcd", true),
                ("BC", b"abcd", false),
                ("abcd", b"abc", false),
                ("\u{0}", b"a\x00b", true),
                ("", b"", true),
                ("x", b"", false),
            ],
        );
        assert!(matches_expanded("contains", "b", b"abc"));
        assert!(!matches_expanded("contains", "x", b"abc"));
    }
}
