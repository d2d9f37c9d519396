//! `@ge NUMBER`: the value is the number or more.
//!
//! Both sides are read like C's `atoi`: what is no number is 0.
//!
//! Argument: a whole number, or text with macros that expands to one.
//!
//! Example: `SecRule TX:score "@ge %{tx.threshold}" "id:1,deny"`
//!
//! Source: SecLang reference, ge.

use super::argument::{Number, atoi};
use super::{Build, Captures, Comparison, Evaluate, OperatorError};
use crate::macros::Lookup;

/// `@ge`.
#[derive(Debug)]
pub struct Ge(Number);

impl Evaluate for Ge {
    fn build(name: &'static str, argument: &str, _build: &Build<'_>) -> Result<Self, OperatorError> {
        Number::parse(name, argument).map(Self)
    }

    fn comparison(&self) -> Option<(Comparison, i64)> {
        Some((Comparison::GreaterOrEqual, self.0.fixed()?))
    }

    fn matches(&self, input: &[u8], lookup: &dyn Lookup, _captures: Option<&mut Captures>) -> bool {
        Comparison::GreaterOrEqual.holds(atoi(input), self.0.value(lookup))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, matches_expanded};

    #[test]
    fn numbers_are_compared() {
        check(
            "ge",
            &[
                ("5", b"5", true),
                ("5", b"6", true),
                ("5", b"4", false),
                ("0", b"", true),
                ("1", b"x", false),
            ],
        );
        assert!(matches_expanded("ge", "5", b"10"));
        assert!(!matches_expanded("ge", "5", b"4"));
    }
}
