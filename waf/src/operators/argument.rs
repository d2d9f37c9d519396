//! Arguments: text and numbers that may hold macros.

use std::borrow::Cow;
use std::sync::Arc;

use super::OperatorError;
use crate::macros::{Lookup, Macro};
use crate::prefilter::Requirement;
use crate::variables::Variable;

/// A text argument; `%{...}` in it is expanded for every value.
#[derive(Debug)]
pub(super) struct Text(Macro);

impl Text {
    pub(super) fn parse(name: &'static str, argument: &str) -> Result<Self, OperatorError> {
        Macro::parse(argument)
            .map(Self)
            .map_err(|error| refuse(name, error))
    }

    /// What a value holds that holds the text; `None` if the text changes from request to request.
    pub(super) fn requirement(&self) -> Option<Arc<Requirement>> {
        let text = self.0.as_literal()?;
        Some(Arc::new(Requirement::any_text([text])))
    }

    pub(super) fn value<'a>(&'a self, lookup: &'a dyn Lookup) -> Cow<'a, [u8]> {
        if let Some(literal) = self.0.as_literal() {
            return Cow::Borrowed(literal);
        }
        let member = match self.0.as_reference() {
            Some((Variable::Tx, Some(name))) => lookup.tx(name),
            _ => None,
        };
        member.map_or_else(|| Cow::Owned(self.0.to_bytes(lookup)), Cow::Borrowed)
    }
}

/// A number argument, read like C's `atoi` after expansion.
#[derive(Debug)]
pub(super) enum Number {
    Fixed(i64),
    Expanded(Macro),
}

impl Number {
    pub(super) fn parse(name: &'static str, argument: &str) -> Result<Self, OperatorError> {
        let parsed = Macro::parse(argument).map_err(|error| refuse(name, error))?;
        Ok(match parsed.as_literal() {
            Some(literal) => Self::Fixed(atoi(literal)),
            None => Self::Expanded(parsed),
        })
    }

    /// The number, if it is the same for every value.
    pub(super) fn fixed(&self) -> Option<i64> {
        match self {
            Self::Fixed(number) => Some(*number),
            Self::Expanded(_) => None,
        }
    }

    pub(super) fn value(&self, lookup: &dyn Lookup) -> i64 {
        match self {
            Self::Fixed(number) => *number,
            Self::Expanded(text) => atoi(&text.to_bytes(lookup)),
        }
    }
}

/// The number that `text` begins with, after white space: 0 if there is none, the nearest bound if it is
/// out of range.
pub(crate) fn atoi(text: &[u8]) -> i64 {
    let start = text.iter().position(|byte| !matches!(byte, b' ' | b'\t'..=b'\r'));
    let text = &text[start.unwrap_or(text.len())..];
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let magnitude = digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .fold(0i64, |value, byte| {
            value.saturating_mul(10).saturating_add(i64::from(byte - b'0'))
        });
    if negative { -magnitude } else { magnitude }
}

/// The error of an argument that is not what the operator takes.
pub(super) fn refuse(name: &'static str, reason: impl ToString) -> OperatorError {
    OperatorError::Argument {
        name,
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::atoi;

    #[test]
    fn numbers_are_read_as_c_reads_them() {
        let rows: &[(&[u8], i64)] = &[
            (b"", 0),
            (b"5", 5),
            (b" \t\n42", 42),
            (b"-7", -7),
            (b"+7", 7),
            (b"--7", 0),
            (b"12abc", 12),
            (b"abc", 0),
            (b"1.9", 1),
            (b"0x10", 0),
            (b"99999999999999999999", i64::MAX),
            (b"-99999999999999999999", -i64::MAX),
            (b"\xff", 0),
        ];
        for (text, expected) in rows {
            assert_eq!(atoi(text), *expected, "{}", text.escape_ascii());
        }
    }
}
