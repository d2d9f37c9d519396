//! `@verifySVNR PATTERN`: the pattern finds an Austrian social insurance number with a right check digit.
//!
//! Argument: a pattern that finds candidates.
//!
//! Captures: slot 0 is the number.
//!
//! Example: `SecRule ARGS "@verifySVNR \d{4} ?\d{6}" "id:1,capture,deny"`
//!
//! Source: SecLang reference, verifySVNR (ModSecurity v3).

use super::checked_number::{CheckedNumber, all_equal, digits};
use super::{Build, Captures, Evaluate, OperatorError};
use crate::macros::Lookup;

/// The weight of each digit; the fourth is the check digit.
const WEIGHTS: [u32; 10] = [3, 7, 9, 0, 5, 8, 4, 2, 1, 6];

/// `@verifySVNR`.
#[derive(Debug)]
pub struct VerifySvnr(CheckedNumber);

impl Evaluate for VerifySvnr {
    fn build(name: &'static str, argument: &str, _build: &Build<'_>) -> Result<Self, OperatorError> {
        CheckedNumber::new(name, argument, valid).map(Self)
    }

    fn matches(&self, input: &[u8], _lookup: &dyn Lookup, captures: Option<&mut Captures>) -> bool {
        self.0.matches(input, captures)
    }
}

/// Ten digits; the weighted sum modulo 11 is the fourth one. ModSecurity takes 10 for 0; such numbers are
/// not given out, but a filter rather finds one too many.
fn valid(text: &[u8]) -> bool {
    let digits = digits(text);
    if digits.len() != 10 || all_equal(&digits) || counts_up(&digits) {
        return false;
    }
    let sum: u32 = digits
        .iter()
        .zip(WEIGHTS)
        .map(|(digit, weight)| digit * weight)
        .sum();
    digits[3] == sum % 11 % 10
}

fn counts_up(digits: &[u32]) -> bool {
    digits == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] || digits == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]
}

#[cfg(test)]
mod tests {
    use super::super::testing::{captured, check};

    #[test]
    fn right_numbers_match() {
        let pattern = r"\d{4} ?\d{6}";
        check(
            "verifySVNR",
            &[
                (pattern, b"svnr 1237 010180", true),
                (pattern, b"1237010180", true),
                (pattern, b"1238 010180", false),
                (pattern, b"0000000000", false),
                (pattern, b"1234567890", false),
                (r"\d+", b"123701018", false),
                (pattern, b"", false),
            ],
        );
        assert_eq!(
            captured("verifySVNR", pattern, b"x1237010180").unwrap(),
            [(0, "1237010180".to_owned())]
        );
    }
}
