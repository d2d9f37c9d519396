//! `@validateNid COUNTRY PATTERN`: the pattern finds a valid national identification number.
//!
//! Argument: `cl` (RUT of Chile, with check digit) or `us` (social security number), and a pattern that
//! finds candidates.
//!
//! Captures: of the first ten candidates the valid ones, each in the slot of its number.
//!
//! Example: `SecRule ARGS "@validateNid us \d{3}-?\d{2}-?\d{4}" "id:1,capture,deny"`
//!
//! Source: Coraza's documentation, validateNid.

use regex::bytes::Regex;

use super::argument::refuse;
use super::{Build, Captures, Evaluate, OperatorError, pattern, verify_ssn};
use crate::macros::Lookup;

/// `@validateNid`.
#[derive(Debug)]
pub struct ValidateNid {
    pattern: Regex,
    valid: fn(&[u8]) -> bool,
}

impl Evaluate for ValidateNid {
    fn build(name: &'static str, argument: &str, _build: &Build<'_>) -> Result<Self, OperatorError> {
        let (country, candidates) = argument
            .trim()
            .split_once(char::is_whitespace)
            .ok_or_else(|| refuse(name, "expected a country (cl or us) and a pattern"))?;
        let valid = match country {
            "cl" => valid_rut,
            "us" => verify_ssn::valid,
            other => return Err(refuse(name, format!("the country \"{other}\" is not cl or us"))),
        };
        let pattern =
            pattern::compile(candidates.trim()).map_err(|cause| OperatorError::Pattern { name, cause })?;
        Ok(Self { pattern, valid })
    }

    fn matches(&self, input: &[u8], _lookup: &dyn Lookup, mut captures: Option<&mut Captures>) -> bool {
        let mut matched = false;
        for (slot, found) in self.pattern.find_iter(input).take(10).enumerate() {
            if (self.valid)(found.as_bytes()) {
                matched = true;
                if let Some(captures) = &mut captures {
                    captures.set(slot, found.as_bytes());
                }
            }
        }
        matched
    }
}

/// A RUT: digits and a check digit (0-9 or k), modulo 11 with the weights 2 to 7 from the right.
fn valid_rut(text: &[u8]) -> bool {
    let mut symbols: Vec<u8> = text
        .iter()
        .map(u8::to_ascii_lowercase)
        .filter(|byte| byte.is_ascii_digit() || *byte == b'k')
        .collect();
    let Some(check) = symbols.pop() else {
        return false;
    };
    if symbols.len() < 6 || symbols.len() > 9 || symbols.contains(&b'k') {
        return false;
    }
    let weights = (2u32..=7).cycle();
    let sum: u32 = symbols
        .iter()
        .rev()
        .zip(weights)
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    let expected = match sum % 11 {
        0 => b'0',
        1 => b'k',
        rest => b'0' + (11 - rest) as u8,
    };
    check == expected
}

#[cfg(test)]
mod tests {
    use super::super::testing::{build, captured, check};

    #[test]
    fn valid_numbers_match() {
        check(
            "validateNid",
            &[
                (r"cl \d{1,2}\.?\d{3}\.?\d{3}-?[\dkK]", b"rut 12.345.678-5", true),
                (r"cl \d{1,2}\.?\d{3}\.?\d{3}-?[\dkK]", b"rut 12345678-6", false),
                (r"cl \d{1,2}\.?\d{3}\.?\d{3}-?[\dkK]", b"11111112-K", true),
                (r"us \d{3}-?\d{2}-?\d{4}", b"219-09-9999", true),
                (r"us \d{3}-?\d{2}-?\d{4}", b"666-09-9999", false),
                (r"us \d+", b"", false),
            ],
        );
        assert_eq!(
            captured("validateNid", r"us \d{9}", b"123456789 219099999").unwrap(),
            [(1, "219099999".to_owned())]
        );
    }

    #[test]
    fn a_wrong_argument_is_refused() {
        for argument in ["", "us", "de \\d+", "us (", "\\d+"] {
            assert!(build("validateNid", argument).is_err(), "{argument}");
        }
    }
}
