//! `@rxGlobal PATTERN`: like `@rx`, and captures from every match, not from the first alone.
//!
//! Argument: as of `@rx`.
//!
//! Captures: slot 0 is the first match, its groups follow, then the second match, its groups, and so on up
//! to slot 9.
//!
//! Example: `SecRule ARGS "@rxGlobal \d+" "id:1,capture,pass"`: of `1 22 333` TX:0 is `1`, TX:1 `22`, TX:2 `333`.
//!
//! Source: SecLang reference, rxGlobal (ModSecurity v3).

use super::rx::Pattern;
use super::{Build, Captures, Evaluate, OperatorError};
use crate::macros::Lookup;

/// `@rxGlobal`.
#[derive(Debug)]
pub struct RxGlobal(Pattern);

impl Evaluate for RxGlobal {
    fn build(name: &'static str, argument: &str, _build: &Build<'_>) -> Result<Self, OperatorError> {
        Pattern::parse(name, argument).map(Self)
    }

    fn matches(&self, input: &[u8], lookup: &dyn Lookup, captures: Option<&mut Captures>) -> bool {
        let Some(regex) = self.0.regex(lookup) else {
            return false;
        };
        let Some(captures) = captures else {
            return regex.is_match(input);
        };
        let mut slot = 0;
        for found in regex.captures_iter(input).take(10) {
            for group in found.iter() {
                if let Some(group) = group {
                    captures.set(slot, group.as_bytes());
                }
                slot += 1;
            }
        }
        slot > 0
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{captured, check};

    #[test]
    fn every_match_is_captured() {
        check(
            "rxGlobal",
            &[(r"\d", b"a1", true), (r"\d", b"a", false), ("", b"", true)],
        );
        let slots = captured("rxGlobal", r"(\d)(x)?", b"1 2x").unwrap();
        let expected = [(0, "1"), (1, "1"), (3, "2x"), (4, "2"), (5, "x")];
        assert_eq!(slots, expected.map(|(slot, text)| (slot, text.to_owned())));
        assert_eq!(captured("rxGlobal", "a", &[b'a'; 30]).unwrap().len(), 10);
        assert_eq!(captured("rxGlobal", "a", b"b"), None);
    }
}
