//! Regular expressions.

use regex::RegexBuilder;

use crate::config::decode::Fault;
use crate::config::ready::Pattern;

/// What [`parse_pattern`] reads.
pub(in crate::config) const PATTERN: &str = "a regular expression such as \"^/v[0-9]+/\"";

/// A compiled expression costs memory by its size: `\pL{500}` and its like are slips of the pen.
const SIZE_LIMIT: usize = 1 << 20;

/// A regular expression in the syntax of the crate `regex`.
pub(in crate::config) fn parse_pattern(text: &str) -> Result<Pattern, Fault> {
    if text.is_empty() {
        return Err(Fault::new("an empty expression matches everything"));
    }
    let compiled = RegexBuilder::new(text).size_limit(SIZE_LIMIT).build();
    compiled.map(Pattern::new).map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => Fault::new("too large when compiled"),
        // The library draws a picture above its last line.
        other => {
            let told = other.to_string();
            let last = told.lines().last().unwrap_or_default();
            Fault::new(last.strip_prefix("error: ").unwrap_or(last))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_fit_on_a_line() {
        for (text, reason) in [
            ("", "an empty expression matches everything"),
            ("(", "unclosed group"),
            ("\\pL{500}\\pL{500}", "too large when compiled"),
        ] {
            assert_eq!(parse_pattern(text).unwrap_err().reason, reason, "{text}");
        }
        assert!(parse_pattern("^/v[0-9]+/").unwrap().is_match("/v12/x"));
    }
}
