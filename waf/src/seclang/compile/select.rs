//! Which rules are meant: ids and ranges, a tag, a message.

use super::super::error::{Problem, excerpt};
use crate::macros::Macro;
use crate::operators::pattern;
use crate::rule::{RuleId, TextMatch};

/// `1-5 9` or `1,2`: inclusive ranges; `None` if it is anything else.
pub(super) fn id_ranges(text: &str) -> Option<Vec<(RuleId, RuleId)>> {
    let ranges: Vec<_> = text
        .split(|next: char| next == ',' || next.is_ascii_whitespace())
        .filter(|part| !part.is_empty())
        .map(id_range)
        .collect::<Option<_>>()?;
    (!ranges.is_empty()).then_some(ranges)
}

fn id_range(text: &str) -> Option<(RuleId, RuleId)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (id(first)?, id(last)?);
    (first <= last).then_some((first, last))
}

fn id(text: &str) -> Option<RuleId> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// A whole text, or a `/pattern/`.
pub(super) fn text_match(text: &str) -> Result<TextMatch, Problem> {
    let inner = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
    if let Some(inner) = inner.filter(|inner| !inner.is_empty()) {
        let compiled = pattern::compile(inner).map_err(|cause| Problem::Pattern {
            pattern: excerpt(inner),
            cause,
        })?;
        return Ok(TextMatch::Pattern(compiled));
    }
    // Rules keep their messages as macros, whose names have one spelling.
    let spelled = Macro::parse(text).map_or_else(|_| text.to_owned(), |parsed| parsed.to_string());
    Ok(TextMatch::Exact(spelled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_numbers_and_ranges() {
        assert_eq!(id_ranges("1-5 9"), Some(vec![(1, 5), (9, 9)]));
        assert_eq!(id_ranges("1,2"), Some(vec![(1, 1), (2, 2)]));
        for wrong in ["", "x", "5-1", "-1", "1-", "1-2-3", "+1", "99999999999999999999"] {
            assert_eq!(id_ranges(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn texts_are_compared_as_a_whole_unless_they_are_a_pattern() {
        assert!(text_match("attack-sqli").unwrap().matches("attack-sqli"));
        assert!(!text_match("attack").unwrap().matches("attack-sqli"));
        assert!(text_match("/^attack-/").unwrap().matches("attack-sqli"));
        assert!(text_match("/(/").is_err());
    }
}
