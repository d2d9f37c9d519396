//! `@eq NUMBER`: the value is the number.
//!
//! Both sides are read like C's `atoi`: what is no number is 0.
//!
//! Argument: a whole number, or text with macros that expands to one.
//!
//! Example: `SecRule &REQUEST_HEADERS:Host "@eq 0" "id:1,deny"`
//!
//! Source: SecLang reference, eq.

use super::argument::{Number, atoi};
use super::{Build, Captures, Comparison, Evaluate, OperatorError};
use crate::macros::Lookup;

/// `@eq`.
#[derive(Debug)]
pub struct Eq(Number);

impl Evaluate for Eq {
    fn build(name: &'static str, argument: &str, _build: &Build<'_>) -> Result<Self, OperatorError> {
        Number::parse(name, argument).map(Self)
    }

    fn comparison(&self) -> Option<(Comparison, i64)> {
        Some((Comparison::Equal, self.0.fixed()?))
    }

    fn matches(&self, input: &[u8], lookup: &dyn Lookup, _captures: Option<&mut Captures>) -> bool {
        Comparison::Equal.holds(atoi(input), self.0.value(lookup))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, matches_expanded};

    #[test]
    fn numbers_are_compared() {
        check(
            "eq",
            &[
                ("0", b"0", true),
                ("5", b"05 apples", true),
                ("5", b"6", false),
                ("0", b"", true),
                ("0", b"abc", true),
                ("abc", b"0", true),
                ("-1", b"-1", true),
            ],
        );
        assert!(matches_expanded("eq", "15", b"15"));
        assert!(matches_expanded("eq", "", b"0"));
    }
}
