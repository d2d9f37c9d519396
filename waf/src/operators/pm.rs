//! `@pm PHRASE...`: one of the phrases is somewhere in the value, without regard to ASCII case.
//!
//! Argument: phrases with white space between them. Bytes may be written as Snort does: `A|42 43|D` is
//! `ABCD`; `\` before `:`, `;`, `\` and `"` makes them literal. A phrase that is wrong in either way is
//! taken as it is written. Quotes around the whole argument are dropped.
//!
//! Captures: slot 0 is the first phrase found, as the value has it; the next ones follow up to slot 9.
//!
//! Example: `SecRule REQUEST_HEADERS:User-Agent "@pm WebZIP WebCopier" "id:1,capture,deny"`
//!
//! Source: SecLang reference, pm. The further captures are Coraza's; hexadecimal spaces end no phrase.

use std::sync::Arc;

use super::phrases::Phrases;
use super::{Build, Captures, Evaluate, OperatorError};
use crate::macros::Lookup;
use crate::prefilter::Requirement;

/// `@pm`.
#[derive(Debug)]
pub struct Pm(Phrases);

impl Evaluate for Pm {
    fn build(name: &'static str, argument: &str, _build: &Build<'_>) -> Result<Self, OperatorError> {
        Phrases::new(name, &phrases(argument)).map(Self)
    }

    fn matches(&self, input: &[u8], _lookup: &dyn Lookup, captures: Option<&mut Captures>) -> bool {
        self.0.matches(input, captures)
    }

    fn requirement(&self) -> Option<Arc<Requirement>> {
        Some(self.0.requirement())
    }
}

fn phrases(argument: &str) -> Vec<Vec<u8>> {
    let argument = argument.trim();
    let unquoted = argument.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    split(unquoted.unwrap_or(argument))
        .into_iter()
        .map(|phrase| decode(phrase).unwrap_or_else(|| phrase.as_bytes().to_vec()))
        .collect()
}

/// Splits at white space, but for that between two bars of one phrase.
fn split(argument: &str) -> Vec<&str> {
    let mut phrases = Vec::new();
    let mut rest = argument.trim_start();
    while !rest.is_empty() {
        let length = phrase_length(rest);
        phrases.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    phrases
}

fn phrase_length(text: &str) -> usize {
    let plain = text.find(char::is_whitespace).unwrap_or(text.len());
    if text[..plain].matches('|').count().is_multiple_of(2) {
        return plain;
    }
    // An odd number of bars: the phrase goes on to the closing one if all between is hexadecimal.
    let open = text[..plain].rfind('|').unwrap_or(0);
    let Some(close) = text[open + 1..].find('|').map(|place| open + 1 + place) else {
        return plain;
    };
    if !is_hexadecimal(&text[open + 1..close]) {
        return plain;
    }
    close
        + 1
        + text[close + 1..]
            .find(char::is_whitespace)
            .unwrap_or(text.len() - close - 1)
}

/// Pairs of digits, with spaces between them or not: `42 43`, `4243`.
fn is_hexadecimal(text: &str) -> bool {
    let mut pairs = text.split(' ').filter(|part| !part.is_empty()).peekable();
    pairs.peek().is_some()
        && pairs.all(|part| part.len().is_multiple_of(2) && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The bytes of a phrase; `None` if it is no phrase in Snort's notation.
fn decode(phrase: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for (place, part) in phrase.split('|').enumerate() {
        if place % 2 == 0 {
            unescape(part.as_bytes(), &mut out)?;
        } else {
            hexadecimal(part, &mut out)?;
        }
    }
    let closed = phrase.matches('|').count().is_multiple_of(2);
    (closed && !out.is_empty()).then_some(out)
}

fn unescape(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => out.push(
                *bytes
                    .next()
                    .filter(|byte| matches!(byte, b':' | b';' | b'\\' | b'"'))?,
            ),
            byte => out.push(*byte),
        }
    }
    Some(())
}

fn hexadecimal(text: &str, out: &mut Vec<u8>) -> Option<()> {
    if !is_hexadecimal(text) {
        return None;
    }
    for part in text.split(' ') {
        for pair in part.as_bytes().chunks_exact(2) {
            let digits = std::str::from_utf8(pair).ok()?;
            out.push(u8::from_str_radix(digits, 16).ok()?);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{build, captured, check};
    use super::phrases;

    #[test]
    fn phrases_match_in_any_case() {
        check(
            "pm",
            &[
                ("WebZIP WebCopier", b"Mozilla webzip/7", true),
                ("WebZIP WebCopier", b"Mozilla", false),
                ("a\tb  c", b"xxC", true),
                ("?>", b"<?php ?>", true),
                ("( )", b"f()", true),
                ("É", "é".as_bytes(), false),
                ("a", b"", false),
            ],
        );
    }

    #[test]
    fn slot_0_is_the_first_phrase_as_the_value_has_it() {
        assert_eq!(
            captured("pm", "union select", b"1 UNION all Select").unwrap(),
            [(0, "UNION".to_owned()), (1, "Select".to_owned())]
        );
        assert_eq!(
            captured("pm", "ab abc", b"xABCd").unwrap(),
            [(0, "ABC".to_owned())]
        );
        assert_eq!(captured("pm", "a", &[b'a'; 40]).unwrap().len(), 10);
        assert_eq!(captured("pm", "a", b"b"), None);
    }

    #[test]
    fn snort_notation_is_read() {
        let rows: &[(&str, &[&[u8]])] = &[
            ("A|42|C|44|F", &[b"ABCDF"]),
            ("a|20|b |00 ff|c d", &[b"a b", b"\x00\xffc", b"d"]),
            (r#"a\:b c\;\\\" "#, &[b"a:b", b"c;\\\""]),
            (r"\d \", &[b"\\d", b"\\"]),
            (
                "|| && | |zz| |4| a|b",
                &[b"||", b"&&", b"|", b"|zz|", b"|4|", b"a|b"],
            ),
            ("a|b c|d", &[b"a|b", b"c|d"]),
            ("\"quoted phrase\"", &[b"quoted", b"phrase"]),
        ];
        for (argument, expected) in rows {
            assert_eq!(phrases(argument), *expected, "{argument}");
        }
    }

    #[test]
    fn no_phrase_is_an_error() {
        assert_eq!(
            build("pm", "  ").unwrap_err().to_string(),
            "@pm: no phrase to look for"
        );
    }
}
