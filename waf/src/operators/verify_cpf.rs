//! `@verifyCPF PATTERN`: the pattern finds a Brazilian CPF number with right check digits.
//!
//! Argument: a pattern that finds candidates.
//!
//! Captures: slot 0 is the number.
//!
//! Example: `SecRule ARGS "@verifyCPF \d{3}\.?\d{3}\.?\d{3}-?\d{2}" "id:1,capture,deny"`
//!
//! Source: SecLang reference, verifyCPF.

use super::checked_number::{CheckedNumber, all_equal, digits};
use super::{Build, Captures, Evaluate, OperatorError};
use crate::macros::Lookup;

/// `@verifyCPF`.
#[derive(Debug)]
pub struct VerifyCpf(CheckedNumber);

impl Evaluate for VerifyCpf {
    fn build(name: &'static str, argument: &str, _build: &Build<'_>) -> Result<Self, OperatorError> {
        CheckedNumber::new(name, argument, valid).map(Self)
    }

    fn matches(&self, input: &[u8], _lookup: &dyn Lookup, captures: Option<&mut Captures>) -> bool {
        self.0.matches(input, captures)
    }
}

/// Eleven digits; the last two are each a sum, weighted from 2 up from the right, modulo 11. Numbers of
/// one digit pass the sums and are given to no one, nor is the one that counts up.
fn valid(text: &[u8]) -> bool {
    let digits = digits(text);
    digits.len() == 11
        && !all_equal(&digits)
        && digits != [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0]
        && check_digit(&digits[..9]) == digits[9]
        && check_digit(&digits[..10]) == digits[10]
}

fn check_digit(digits: &[u32]) -> u32 {
    let sum: u32 = digits
        .iter()
        .rev()
        .zip(2..)
        .map(|(digit, weight)| digit * weight)
        .sum();
    match sum % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{captured, check};

    #[test]
    fn right_numbers_match() {
        let pattern = r"\d{3}\.?\d{3}\.?\d{3}-?\d{2}";
        check(
            "verifyCPF",
            &[
                (pattern, b"cpf 529.982.247-25", true),
                (pattern, b"52998224725", true),
                (pattern, b"529.982.247-26", false),
                (pattern, b"529.982.247-15", false),
                (pattern, b"111.111.111-11", false),
                (pattern, b"01234567890", false),
                (r"\d+", b"5299822472", false),
                (pattern, b"", false),
            ],
        );
        assert_eq!(
            captured("verifyCPF", pattern, b"x52998224725").unwrap(),
            [(0, "52998224725".to_owned())]
        );
    }
}
