//! `@within TEXT`: the value is somewhere in the text: the other way round than `@contains`.
//!
//! There is no word boundary, so lists are written with one: `|GET| |POST|`, with `|%{MATCHED_VAR}|` asked.
//! An empty value is within everything.
//!
//! Argument: text with macros.
//!
//! Example: `SecRule REQUEST_METHOD "!@within %{tx.allowed_methods}" "id:1,deny"`
//!
//! Source: SecLang reference, within. ModSecurity v3 and Coraza agree on the empty value.

use memchr::memchr_iter;

use super::argument::Text;
use super::{Build, Captures, Evaluate, OperatorError};
use crate::macros::Lookup;

/// `@within`.
#[derive(Debug)]
pub struct Within(Text);

impl Evaluate for Within {
    fn build(name: &'static str, argument: &str, _build: &Build<'_>) -> Result<Self, OperatorError> {
        Text::parse(name, argument).map(Self)
    }

    fn matches(&self, input: &[u8], lookup: &dyn Lookup, _captures: Option<&mut Captures>) -> bool {
        is_within(input, &self.0.value(lookup))
    }
}

/// Arguments are short and differ from request to request: what is prepared for a search would be used once.
fn is_within(input: &[u8], argument: &[u8]) -> bool {
    // The first and the last byte are what stands between all words of the argument.
    let middle = input.len() / 2;
    let Some(byte) = input.get(middle) else {
        return true;
    };
    let mut places = memchr_iter(*byte, argument);
    places.any(|place| place >= middle && argument[place - middle..].starts_with(input))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, matches_expanded};

    #[test]
    fn the_value_is_looked_for_in_the_argument() {
        check(
            "within",
            &[
                ("GET HEAD POST", b"HEAD", true),
                ("GET HEAD POST", b"EA", true),
                ("GET HEAD POST", b"head", false),
                ("GET", b"GET HEAD", false),
                ("GET", b"", true),
                ("", b"", true),
                ("", b"x", false),
            ],
        );
        assert!(matches_expanded("within", "GET POST", b"POST"));
        assert!(!matches_expanded("within", "GET POST", b"PUT"));
    }
}
