//! The value of an action, taken as what the action expects.

use super::super::error::{Problem, excerpt};
use crate::macros::Macro;
use crate::rule::{AllowScope, Severity};

/// What stands behind the colon of an action, if there is one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'a> {
    pub(super) action: &'static str,
    pub(super) text: Option<&'a str>,
}

impl<'a> Value<'a> {
    /// A value that is not empty.
    pub(super) fn some(&self, expected: &'static str) -> Result<&'a str, Problem> {
        self.text
            .filter(|text| !text.is_empty())
            .ok_or_else(|| self.wrong(expected))
    }

    /// A text with macros.
    pub(super) fn expanded(&self, expected: &'static str) -> Result<Macro, Problem> {
        Ok(Macro::parse(self.some(expected)?)?)
    }

    /// "expected ..., found `...`".
    pub(super) fn wrong(&self, expected: &'static str) -> Problem {
        Problem::ActionValue {
            action: self.action,
            expected,
            found: self.text.map(excerpt),
        }
    }

    pub(super) fn alone<T>(&self, meaning: T) -> Result<T, Problem> {
        match self.text {
            None => Ok(meaning),
            Some(_) => Err(self.wrong("no value")),
        }
    }

    pub(super) fn flag(&self, meaning: bool) -> Result<Option<bool>, Problem> {
        self.alone(Some(meaning))
    }

    pub(super) fn one_to_nine(&self) -> Result<u8, Problem> {
        const EXPECTED: &str = "a number from 1 to 9";
        match self.some(EXPECTED)?.parse() {
            Ok(number @ 1..=9) => Ok(number),
            _ => Err(self.wrong(EXPECTED)),
        }
    }

    pub(super) fn at_least_one(&self) -> Result<usize, Problem> {
        const EXPECTED: &str = "a number of rules above 0";
        match self.some(EXPECTED)?.parse() {
            Ok(number) if number > 0 => Ok(number),
            _ => Err(self.wrong(EXPECTED)),
        }
    }

    pub(super) fn status(&self) -> Result<u16, Problem> {
        const EXPECTED: &str = "an HTTP status from 100 to 599";
        match self.some(EXPECTED)?.parse() {
            Ok(status @ 100..=599) => Ok(status),
            _ => Err(self.wrong(EXPECTED)),
        }
    }

    pub(super) fn allow_scope(&self) -> Result<AllowScope, Problem> {
        match self.text.map(str::to_ascii_lowercase).as_deref() {
            None => Ok(AllowScope::Transaction),
            Some("phase") => Ok(AllowScope::Phase),
            Some("request") => Ok(AllowScope::Request),
            Some(_) => Err(self.wrong("nothing, `phase` or `request`")),
        }
    }

    pub(super) fn severity(&self) -> Result<Severity, Problem> {
        const EXPECTED: &str = "a number from 0 to 7 or a name from EMERGENCY to DEBUG";
        Severity::from_name(self.some(EXPECTED)?).ok_or_else(|| self.wrong(EXPECTED))
    }
}
