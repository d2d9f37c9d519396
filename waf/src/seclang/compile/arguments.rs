//! The words of a directive, taken as what the directive expects.

use super::super::ast::Word;
use super::super::error::{Problem, excerpt};

/// The words behind a directive's name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arguments<'a> {
    /// The directive's name as documented.
    pub(super) directive: &'static str,
    pub(super) words: &'a [Word],
}

impl<'a> Arguments<'a> {
    /// The only word.
    pub(super) fn one(&self, expected: &'static str) -> Result<&'a Word, Problem> {
        match self.words {
            [word] => Ok(word),
            _ => Err(self.count(expected)),
        }
    }

    /// At least one word.
    pub(super) fn some(&self, expected: &'static str) -> Result<&'a [Word], Problem> {
        if self.words.is_empty() {
            return Err(self.count(expected));
        }
        Ok(self.words)
    }

    /// `On` or `Off`.
    pub(super) fn switch(&self) -> Result<bool, Problem> {
        self.choice("On or Off", &[("On", true), ("Off", false)])
    }

    /// One of a few names, in any case.
    pub(super) fn choice<T: Copy>(
        &self,
        expected: &'static str,
        choices: &[(&str, T)],
    ) -> Result<T, Problem> {
        let word = self.one(expected)?;
        choices
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(&word.text))
            .map(|(_, value)| *value)
            .ok_or_else(|| self.value(expected, &word.text))
    }

    /// A whole number.
    pub(super) fn number<N: std::str::FromStr>(&self) -> Result<N, Problem> {
        const EXPECTED: &str = "a number";
        let word = self.one(EXPECTED)?;
        // `parse` would take a sign.
        if !word.text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(self.value(EXPECTED, &word.text));
        }
        word.text.parse().map_err(|_| self.value(EXPECTED, &word.text))
    }

    /// A number above zero.
    pub(super) fn positive(&self) -> Result<usize, Problem> {
        match self.number()? {
            0 => Err(self.value("a number above 0", "0")),
            number => Ok(number),
        }
    }

    /// "expected ..., found N arguments".
    pub(super) fn count(&self, expected: &'static str) -> Problem {
        Problem::ArgumentCount {
            directive: self.directive,
            expected,
            found: self.words.len(),
        }
    }

    /// "expected ..., found `...`".
    pub(super) fn value(&self, expected: &'static str, found: &str) -> Problem {
        Problem::Value {
            directive: self.directive,
            expected,
            found: excerpt(found),
        }
    }
}
