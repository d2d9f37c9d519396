//! `@verifySSN PATTERN`: the pattern finds a possible United States social security number.
//!
//! Nine digits; no part is zero, the area is below 740 and not 666, the digits are not all equal and do not
//! simply count up.
//!
//! Argument: a pattern that finds candidates.
//!
//! Captures: slot 0 is the number.
//!
//! Example: `SecRule ARGS "@verifySSN \d{3}-?\d{2}-?\d{4}" "id:1,capture,deny"`
//!
//! Source: SecLang reference, verifySSN.

use super::checked_number::{CheckedNumber, all_equal, ascending, digits};
use super::{Build, Captures, Evaluate, OperatorError};
use crate::macros::Lookup;

/// `@verifySSN`.
#[derive(Debug)]
pub struct VerifySsn(CheckedNumber);

impl Evaluate for VerifySsn {
    fn build(name: &'static str, argument: &str, _build: &Build<'_>) -> Result<Self, OperatorError> {
        CheckedNumber::new(name, argument, valid).map(Self)
    }

    fn matches(&self, input: &[u8], _lookup: &dyn Lookup, captures: Option<&mut Captures>) -> bool {
        self.0.matches(input, captures)
    }
}

/// Whether the digits in a text are a possible number.
pub(super) fn valid(text: &[u8]) -> bool {
    let digits = digits(text);
    if digits.len() != 9 || all_equal(&digits) || ascending(&digits) {
        return false;
    }
    let number = |part: &[u32]| part.iter().fold(0, |value, digit| value * 10 + digit);
    let (area, group, serial) = (number(&digits[..3]), number(&digits[3..5]), number(&digits[5..]));
    area != 0 && group != 0 && serial != 0 && area < 740 && area != 666
}

#[cfg(test)]
mod tests {
    use super::super::testing::{captured, check};

    #[test]
    fn possible_numbers_match() {
        let pattern = r"\d{3}-?\d{2}-?\d{4}";
        check(
            "verifySSN",
            &[
                (pattern, b"ssn 219-09-9999", true),
                (pattern, b"219099999", true),
                (pattern, b"000-09-9999", false),
                (pattern, b"219-00-9999", false),
                (pattern, b"219-09-0000", false),
                (pattern, b"666-09-9999", false),
                (pattern, b"740-09-9999", false),
                (pattern, b"123-45-6789", false),
                (pattern, b"111-11-1111", false),
                (r"\d+", b"2190999991", true),
                (pattern, b"", false),
            ],
        );
        assert_eq!(
            captured("verifySSN", pattern, b"x219-09-9999").unwrap(),
            [(0, "219-09-9999".to_owned())]
        );
    }
}
