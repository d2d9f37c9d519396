//! `@unconditionalMatch`: every value matches.
//!
//! Argument: none.
//!
//! Example: `SecRule REMOTE_ADDR "@unconditionalMatch" "id:1,pass,setvar:tx.seen=1"`
//!
//! Source: SecLang reference, unconditionalMatch.

use super::{Build, Captures, Evaluate, OperatorError};
use crate::macros::Lookup;

/// `@unconditionalMatch`.
#[derive(Debug)]
pub struct UnconditionalMatch;

impl Evaluate for UnconditionalMatch {
    fn build(_name: &'static str, _argument: &str, _build: &Build<'_>) -> Result<Self, OperatorError> {
        Ok(Self)
    }

    fn matches(&self, _input: &[u8], _lookup: &dyn Lookup, _captures: Option<&mut Captures>) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn everything_matches() {
        check("unconditionalMatch", &[("", b"", true), ("whatever", b"x", true)]);
    }
}
