//! `@verifyCC PATTERN`: the pattern finds a credit card number, right by Luhn's check digit.
//!
//! Argument: a pattern that finds candidates.
//!
//! Captures: slot 0 is the number.
//!
//! Example: `SecRule ARGS "@verifyCC \d{13,16}" "id:1,capture,deny"`
//!
//! Source: SecLang reference, verifyCC; ISO/IEC 7812-1, annex B.

use super::checked_number::{CheckedNumber, digits};
use super::{Build, Captures, Evaluate, OperatorError};
use crate::macros::Lookup;

/// `@verifyCC`.
#[derive(Debug)]
pub struct VerifyCc(CheckedNumber);

impl Evaluate for VerifyCc {
    fn build(name: &'static str, argument: &str, _build: &Build<'_>) -> Result<Self, OperatorError> {
        CheckedNumber::new(name, argument, valid).map(Self)
    }

    fn matches(&self, input: &[u8], _lookup: &dyn Lookup, captures: Option<&mut Captures>) -> bool {
        self.0.matches(input, captures)
    }
}

/// Luhn: every second digit from the right is doubled, its digits added; the sum ends in 0.
fn valid(text: &[u8]) -> bool {
    let digits = digits(text);
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => *digit,
            (_, doubled) if doubled > 9 => doubled - 9,
            (_, doubled) => doubled,
        })
        .sum();
    !digits.is_empty() && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{build, captured, check};

    #[test]
    fn right_numbers_match() {
        let pattern = r"\d{4}-?\d{4}-?\d{4}-?\d{4}";
        check(
            "verifyCC",
            &[
                (pattern, b"card 4111-1111-1111-1111.", true),
                (pattern, b"card 4111111111111112", false),
                (pattern, b"4111111111111112 5555555555554444", true),
                (pattern, b"9994111111111111111", true),
                (pattern, b"", false),
                ("x", b"xxx", false),
            ],
        );
        assert_eq!(
            captured("verifyCC", pattern, b"99 5555555555554444").unwrap(),
            [(0, "5555555555554444".to_owned())]
        );
        assert!(build("verifyCC", "").is_err());
    }

    #[test]
    fn a_pattern_without_end_takes_linear_time() {
        let input = vec![b'1'; 200_000];
        check(
            "verifyCC",
            &[(r"\d+x?", &input, true), (r"[a-z]*", &vec![b'a'; 200_000], false)],
        );
    }
}
