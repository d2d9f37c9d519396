//! `@containsWord TEXT`: the text is in the value, with a word boundary on both sides.
//!
//! Letters, digits and `_` make words.
//!
//! Argument: text with macros; an empty one is in everything.
//!
//! Example: `SecRule ARGS "@containsWord select" "id:1,deny"` finds `union select 1`, not `selected`.
//!
//! Source: SecLang reference, containsWord. As ModSecurity v2; v3 counts digits and `_` as boundaries.

use std::sync::Arc;

use memchr::memmem;

use super::argument::Text;
use super::{Build, Captures, Evaluate, OperatorError};
use crate::macros::Lookup;
use crate::prefilter::Requirement;

/// `@containsWord`.
#[derive(Debug)]
pub struct ContainsWord(Text);

impl Evaluate for ContainsWord {
    fn build(name: &'static str, argument: &str, _build: &Build<'_>) -> Result<Self, OperatorError> {
        Text::parse(name, argument).map(Self)
    }

    fn matches(&self, input: &[u8], lookup: &dyn Lookup, _captures: Option<&mut Captures>) -> bool {
        let word = self.0.value(lookup);
        if word.is_empty() {
            return true;
        }
        let finder = memmem::Finder::new(word.as_ref());
        let mut start = 0;
        while let Some(found) = input.get(start..).and_then(|rest| finder.find(rest)) {
            let begin = start + found;
            let before = begin.checked_sub(1).and_then(|place| input.get(place));
            let after = input.get(begin + word.len());
            if !before.is_some_and(is_word) && !after.is_some_and(is_word) {
                return true;
            }
            start = begin + 1;
        }
        false
    }

    fn requirement(&self) -> Option<Arc<Requirement>> {
        self.0.requirement()
    }
}

fn is_word(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, matches_expanded};

    #[test]
    fn whole_words_match() {
        check(
            "containsWord",
            &[
                ("select", b"select", true),
                ("select", b"union select 1", true),
                ("select", b"(select)", true),
                ("select", b"selected", false),
                ("select", b"xselect", false),
                ("select", b"select1 _select", false),
                ("select", b"selected select", true),
                ("a", b"aa a", true),
                ("aa", b"aaa", false),
                ("", b"", true),
                ("x", b"", false),
            ],
        );
        assert!(matches_expanded("containsWord", "b", b"a b c"));
    }
}
