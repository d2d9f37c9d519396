//! `@lt NUMBER`: the value is less than the number.
//!
//! Both sides are read like C's `atoi`: what is no number is 0.
//!
//! Argument: a whole number, or text with macros that expands to one.
//!
//! Example: `SecRule TX:DETECTION_PARANOIA_LEVEL "@lt 2" "id:1,pass,skipAfter:END"`
//!
//! Source: SecLang reference, lt.

use super::argument::{Number, atoi};
use super::{Build, Captures, Comparison, Evaluate, OperatorError};
use crate::macros::Lookup;

/// `@lt`.
#[derive(Debug)]
pub struct Lt(Number);

impl Evaluate for Lt {
    fn build(name: &'static str, argument: &str, _build: &Build<'_>) -> Result<Self, OperatorError> {
        Number::parse(name, argument).map(Self)
    }

    fn comparison(&self) -> Option<(Comparison, i64)> {
        Some((Comparison::Less, self.0.fixed()?))
    }

    fn matches(&self, input: &[u8], lookup: &dyn Lookup, _captures: Option<&mut Captures>) -> bool {
        Comparison::Less.holds(atoi(input), self.0.value(lookup))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, matches_expanded};

    #[test]
    fn numbers_are_compared() {
        check(
            "lt",
            &[
                ("2", b"1", true),
                ("2", b"2", false),
                ("2", b"3", false),
                ("1", b"", true),
            ],
        );
        assert!(matches_expanded("lt", "5", b"4"));
        assert!(!matches_expanded("lt", "", b"0"));
    }
}
