//! Numbers with a check digit, found by a pattern.

use regex::bytes::{Match, Regex};

use super::argument::refuse;
use super::{Captures, OperatorError, pattern};

/// Bytes that overlapping candidates may take together. A pattern without an end would make the search
/// quadratic; past this each next candidate begins where the last one ended.
const OVERLAPPING_BYTES: usize = 1024 * 1024;

/// A pattern for candidates and the check that makes one a match.
#[derive(Debug)]
pub(super) struct CheckedNumber {
    pattern: Regex,
    valid: fn(&[u8]) -> bool,
}

impl CheckedNumber {
    pub(super) fn new(
        name: &'static str,
        pattern: &str,
        valid: fn(&[u8]) -> bool,
    ) -> Result<Self, OperatorError> {
        if pattern.is_empty() {
            return Err(refuse(name, "expected a pattern that finds candidates"));
        }
        let pattern = pattern::compile(pattern).map_err(|cause| OperatorError::Pattern { name, cause })?;
        Ok(Self { pattern, valid })
    }

    /// Slot 0 is the first candidate that passes the check. Candidates may overlap: a longer run of digits
    /// hides no number.
    pub(super) fn matches(&self, input: &[u8], captures: Option<&mut Captures>) -> bool {
        let mut start = 0;
        let mut looked_at = 0;
        while let Some(found) = self.candidate(input, start) {
            if (self.valid)(found.as_bytes()) {
                if let Some(captures) = captures {
                    captures.set(0, found.as_bytes());
                }
                return true;
            }
            looked_at += found.end() - start;
            start = found.start() + 1;
            if looked_at > OVERLAPPING_BYTES {
                start = start.max(found.end());
            }
        }
        false
    }

    fn candidate<'i>(&self, input: &'i [u8], start: usize) -> Option<Match<'i>> {
        (start <= input.len())
            .then(|| self.pattern.find_at(input, start))
            .flatten()
    }
}

/// The decimal digits in a text, as numbers.
pub(super) fn digits(text: &[u8]) -> Vec<u32> {
    text.iter()
        .filter(|byte| byte.is_ascii_digit())
        .map(|byte| u32::from(byte - b'0'))
        .collect()
}

/// Whether all digits are the same.
pub(super) fn all_equal(digits: &[u32]) -> bool {
    digits.windows(2).all(|pair| pair[0] == pair[1])
}

/// Whether each digit is the one before it plus one.
pub(super) fn ascending(digits: &[u32]) -> bool {
    digits.windows(2).all(|pair| pair[0] + 1 == pair[1])
}
