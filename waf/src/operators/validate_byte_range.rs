//! `@validateByteRange RANGE,...`: a byte of the value is outside of all ranges.
//!
//! An empty value has no byte outside.
//!
//! Argument: byte numbers and ranges of them, with commas between them.
//!
//! Example: `SecRule ARGS "@validateByteRange 9,10,13,32-126" "id:1,deny"`
//!
//! Source: SecLang reference, validateByteRange.

use std::sync::Arc;

use super::argument::refuse;
use super::{Build, Captures, Evaluate, OperatorError};
use crate::macros::Lookup;
use crate::prefilter::{ByteSet, Requirement};

/// `@validateByteRange`.
#[derive(Debug)]
pub struct ValidateByteRange {
    /// One bit per byte value: set if the byte is allowed.
    allowed: [u64; 4],
}

impl Evaluate for ValidateByteRange {
    fn build(name: &'static str, argument: &str, _build: &Build<'_>) -> Result<Self, OperatorError> {
        let mut allowed = [0; 4];
        for range in argument.split(',') {
            let (first, last) = parse_range(range.trim()).ok_or_else(|| {
                refuse(
                    name,
                    format!("\"{range}\" is no byte (0-255) and no range of bytes (32-126)"),
                )
            })?;
            for byte in first..=last {
                allowed[usize::from(byte / 64)] |= 1 << (byte % 64);
            }
        }
        Ok(Self { allowed })
    }

    fn matches(&self, input: &[u8], _lookup: &dyn Lookup, _captures: Option<&mut Captures>) -> bool {
        input
            .iter()
            .any(|byte| self.allowed[usize::from(byte / 64)] & 1 << (byte % 64) == 0)
    }

    fn requirement(&self) -> Option<Arc<Requirement>> {
        Some(Arc::new(Requirement::any_byte(self.refused())))
    }
}

impl ValidateByteRange {
    fn refused(&self) -> ByteSet {
        let mut refused = ByteSet::EMPTY;
        refused.extend(
            (0..=u8::MAX).filter(|byte| self.allowed[usize::from(byte / 64)] & 1 << (byte % 64) == 0),
        );
        refused
    }
}

fn parse_range(range: &str) -> Option<(u8, u8)> {
    let (first, last) = match range.split_once('-') {
        Some((first, last)) => (first.trim().parse().ok()?, last.trim().parse().ok()?),
        None => {
            let byte = range.parse().ok()?;
            (byte, byte)
        }
    };
    (first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{build, check};

    #[test]
    fn a_byte_outside_matches() {
        check(
            "validateByteRange",
            &[
                ("1-255", b"abc\xff", false),
                ("1-255", b"a\x00", true),
                ("9, 10,13 , 32 - 126", b"a\tb\r\n~ ", false),
                ("9,10,13,32-126", b"\x7f", true),
                ("9,10,13,32-126", b"\x1f", true),
                ("0-255", b"\x00\xff", false),
                ("64,128", b"\x40\x80", false),
                ("64,128", b"\x41", true),
                ("65", b"", false),
            ],
        );
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for argument in ["", "256", "1-256", "9-1", "a", "1,", "-1", "1-2-3"] {
            assert!(build("validateByteRange", argument).is_err(), "{argument}");
        }
        assert_eq!(
            build("validateByteRange", "1-300").unwrap_err().to_string(),
            "@validateByteRange: \"1-300\" is no byte (0-255) and no range of bytes (32-126)"
        );
    }
}
