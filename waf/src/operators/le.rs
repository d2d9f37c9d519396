//! `@le NUMBER`: the value is the number or less.
//!
//! Both sides are read like C's `atoi`: what is no number is 0.
//!
//! Argument: a whole number, or text with macros that expands to one.
//!
//! Example: `SecRule REQUEST_HEADERS:Content-Length "@le 0" "id:1,deny"`
//!
//! Source: SecLang reference, le.

use super::argument::{Number, atoi};
use super::{Build, Captures, Comparison, Evaluate, OperatorError};
use crate::macros::Lookup;

/// `@le`.
#[derive(Debug)]
pub struct Le(Number);

impl Evaluate for Le {
    fn build(name: &'static str, argument: &str, _build: &Build<'_>) -> Result<Self, OperatorError> {
        Number::parse(name, argument).map(Self)
    }

    fn comparison(&self) -> Option<(Comparison, i64)> {
        Some((Comparison::LessOrEqual, self.0.fixed()?))
    }

    fn matches(&self, input: &[u8], lookup: &dyn Lookup, _captures: Option<&mut Captures>) -> bool {
        Comparison::LessOrEqual.holds(atoi(input), self.0.value(lookup))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, matches_expanded};

    #[test]
    fn numbers_are_compared() {
        check(
            "le",
            &[
                ("5", b"5", true),
                ("5", b"6", false),
                ("5", b"4", true),
                ("0", b"", true),
            ],
        );
        assert!(matches_expanded("le", "5", b"5"));
    }
}
