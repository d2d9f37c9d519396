//! `@gt NUMBER`: the value is more than the number.
//!
//! Both sides are read like C's `atoi`: what is no number is 0.
//!
//! Argument: a whole number, or text with macros that expands to one.
//!
//! Example: `SecRule ARGS_COMBINED_SIZE "@gt 64000" "id:1,deny"`
//!
//! Source: SecLang reference, gt.

use super::argument::{Number, atoi};
use super::{Build, Captures, Comparison, Evaluate, OperatorError};
use crate::macros::Lookup;

/// `@gt`.
#[derive(Debug)]
pub struct Gt(Number);

impl Evaluate for Gt {
    fn build(name: &'static str, argument: &str, _build: &Build<'_>) -> Result<Self, OperatorError> {
        Number::parse(name, argument).map(Self)
    }

    fn comparison(&self) -> Option<(Comparison, i64)> {
        Some((Comparison::Greater, self.0.fixed()?))
    }

    fn matches(&self, input: &[u8], lookup: &dyn Lookup, _captures: Option<&mut Captures>) -> bool {
        Comparison::Greater.holds(atoi(input), self.0.value(lookup))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, matches_expanded};

    #[test]
    fn numbers_are_compared() {
        check(
            "gt",
            &[
                ("5", b"5", false),
                ("5", b"6", true),
                ("5", b"40", true),
                ("0", b"", false),
                ("-1", b"", true),
                ("1", b"99999999999999999999999", true),
            ],
        );
        assert!(matches_expanded("gt", "5", b"10"));
    }
}
