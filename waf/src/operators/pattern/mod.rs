//! Patterns: PCRE's text as the `regex` crate reads it.
//!
//! ModSecurity runs PCRE over bytes, with `.` matching newlines and `$` only the very end; SecLang rules are
//! written for that. Here PCRE's syntax is translated piece by piece, so that nothing keeps its letters and
//! changes its meaning: a class that the `regex` crate would read as a set operation, `\<` (a literal in
//! PCRE), `\v` (a class), `a++` (possessive). What only a backtracking engine can do is an error that names
//! it. In return no pattern can be made slow by its input.
//!
//! Source: pcre2pattern(3); `regex::bytes`, "Syntax".

mod class;
mod escape;
mod group;
mod translate;

#[cfg(test)]
mod tests;

use regex::bytes::{Regex, RegexBuilder};

/// Bytes that one compiled pattern may take. The largest of the CRS takes a twentieth of it; a pattern that
/// repeats large things large numbers of times is stopped here, at load.
const COMPILED_BYTES: usize = 32 * 1024 * 1024;

/// The same for patterns that are put together while a request is served.
const COMPILED_BYTES_AT_RUN_TIME: usize = 1024 * 1024;

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// A construct of PCRE that needs backtracking, or has no counterpart.
    #[error(
        "{construct} at offset {offset} cannot be matched in linear time, or not on bytes, and is not supported"
    )]
    Unsupported {
        /// What it is called.
        construct: &'static str,
        /// Where it begins.
        offset: usize,
    },
    /// PCRE would refuse it as well.
    #[error("{problem} at offset {offset}")]
    Malformed {
        /// What is wrong.
        problem: &'static str,
        /// Where.
        offset: usize,
    },
    /// Compiled it would take more memory than a pattern may.
    #[error("the compiled pattern would take more than {limit} bytes")]
    TooLarge {
        /// The bound.
        limit: usize,
    },
    /// The `regex` crate's objection to the translated pattern.
    #[error("{reason}")]
    Rejected {
        /// In its own words, on one line.
        reason: String,
    },
}

/// Compiles a pattern of a rule: over bytes, `.` matches everything, `$` only the very end.
pub fn compile(pattern: &str) -> Result<Regex, PatternError> {
    compile_within(pattern.as_bytes(), COMPILED_BYTES)
}

/// Compiles a pattern over names (`ARGS:/^id_/`): the same, without case.
pub fn compile_without_case(pattern: &str) -> Result<Regex, PatternError> {
    build(&translate::translate(pattern.as_bytes())?, COMPILED_BYTES, true)
}

/// Compiles a pattern that was put together while a request is served.
pub(super) fn compile_at_run_time(pattern: &[u8]) -> Result<Regex, PatternError> {
    compile_within(pattern, COMPILED_BYTES_AT_RUN_TIME)
}

/// The text as the `regex` crate's syntax for itself.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        translate::push_literal(&mut out, byte);
    }
    out
}

fn compile_within(pattern: &[u8], limit: usize) -> Result<Regex, PatternError> {
    compile_translated(&translate::translate(pattern)?, limit)
}

fn compile_translated(pattern: &str, limit: usize) -> Result<Regex, PatternError> {
    build(pattern, limit, false)
}

fn build(pattern: &str, limit: usize, without_case: bool) -> Result<Regex, PatternError> {
    RegexBuilder::new(pattern)
        .unicode(false)
        .case_insensitive(without_case)
        .dot_matches_new_line(true)
        .size_limit(limit)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(limit) => PatternError::TooLarge { limit },
            error => PatternError::Rejected {
                reason: last_line(&error.to_string()),
            },
        })
}

/// The crate draws the pattern and an arrow over several lines; the last one says what it is.
fn last_line(message: &str) -> String {
    let line = message.lines().last().unwrap_or_default().trim();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}
