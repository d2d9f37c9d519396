//! `@strmatch TEXT`: the text is somewhere in the value; another name for `@contains`.
//!
//! ModSecurity has it as the fast variant (Boyer-Moore-Horspool); here both are equally fast.
//!
//! Argument: text with macros.
//!
//! Example: `SecRule REQUEST_HEADERS:User-Agent "@strmatch WebZIP" "id:1,deny"`
//!
//! Source: SecLang reference, strmatch.

use std::sync::Arc;

use memchr::memmem;

use super::argument::Text;
use super::{Build, Captures, Evaluate, OperatorError};
use crate::macros::Lookup;
use crate::prefilter::Requirement;

/// `@strmatch`.
#[derive(Debug)]
pub struct StrMatch(Text);

impl Evaluate for StrMatch {
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
            "strmatch",
            &[
                ("WebZIP", b"x WebZIP/7", true),
                ("WebZIP", b"webzip", false),
                ("", b"", true),
            ],
        );
        assert!(matches_expanded("strmatch", "b", b"abc"));
    }
}
