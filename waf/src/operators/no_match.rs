//! `@noMatch`: no value matches.
//!
//! Argument: none.
//!
//! Example: `SecRule ARGS "@noMatch" "id:1,deny"`
//!
//! Source: SecLang reference, noMatch.

use super::{Build, Captures, Evaluate, OperatorError};
use crate::macros::Lookup;

/// `@noMatch`.
#[derive(Debug)]
pub struct NoMatch;

impl Evaluate for NoMatch {
    fn build(_name: &'static str, _argument: &str, _build: &Build<'_>) -> Result<Self, OperatorError> {
        Ok(Self)
    }

    fn matches(&self, _input: &[u8], _lookup: &dyn Lookup, _captures: Option<&mut Captures>) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn nothing_matches() {
        check("noMatch", &[("", b"", false), ("whatever", b"x", false)]);
    }
}
