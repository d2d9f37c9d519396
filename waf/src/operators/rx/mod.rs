//! `@rx PATTERN`: the value matches the regular expression. It is the operator of a rule that names none.
//!
//! The pattern is PCRE's, over bytes: see [`super::pattern`] for what is taken and what is refused.
//!
//! Argument: a pattern. `%{...}` in it is expanded, unescaped, for every value; a pattern that is wrong
//! only after expansion matches nothing, as in ModSecurity v3.
//!
//! Captures: slot 0 is the whole match, slots 1 to 9 the groups. A group that took no part leaves its slot
//! empty.
//!
//! Example: `SecRule REQUEST_HEADERS:User-Agent "@rx ^nikto/([\d.]+)" "id:1,capture,deny"`
//!
//! Source: SecLang reference, rx.

mod from_starts;

use std::collections::VecDeque;
use std::ops::Deref;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use regex::bytes::Regex;

use super::argument::refuse;
use super::{Build, Captures, Evaluate, OperatorError, pattern};
use crate::macros::{Lookup, Macro};
use crate::prefilter::{self, Places, Requirement, Starts};
use from_starts::FromStarts;

/// Expanded patterns that one operator keeps compiled.
const KEPT: usize = 16;

/// `@rx`.
#[derive(Debug)]
pub struct Rx {
    pattern: Pattern,
    /// `None` for a pattern that changes from request to request.
    requirement: Option<Arc<Requirement>>,
    /// What matches begin with, if that is not everywhere.
    starts: Option<Starts>,
    /// Made when it is first needed: most patterns are never asked about a long value.
    from_starts: OnceLock<Option<Box<FromStarts>>>,
}

impl Evaluate for Rx {
    fn build(name: &'static str, argument: &str, _build: &Build<'_>) -> Result<Self, OperatorError> {
        let pattern = Pattern::parse(name, argument)?;
        let (requirement, starts) = match &pattern {
            Pattern::Fixed(regex) => {
                let (requirement, starts) = prefilter::of_pattern(regex.as_str());
                (Some(requirement), starts)
            }
            Pattern::Everything(_) => (Some(Requirement::unknown()), None),
            Pattern::Expanded { .. } => (None, None),
        };
        Ok(Self {
            pattern,
            requirement: requirement.map(Arc::new),
            starts,
            from_starts: OnceLock::new(),
        })
    }

    fn matches(&self, input: &[u8], lookup: &dyn Lookup, captures: Option<&mut Captures>) -> bool {
        let Some(regex) = self.pattern.regex(lookup) else {
            return false;
        };
        if matches!(self.pattern, Pattern::Everything(_)) {
            if let Some(captures) = captures {
                captures.set(0, input);
            }
            return true;
        }
        // Hardly any value matches, and a search for groups costs several times one without.
        if !regex.is_match(input) {
            return false;
        }
        capture(&regex, input, captures);
        true
    }

    fn matches_from(
        &self,
        input: &[u8],
        places: Places<'_>,
        lookup: &dyn Lookup,
        captures: Option<&mut Captures>,
    ) -> bool {
        let Pattern::Fixed(regex) = &self.pattern else {
            return self.matches(input, lookup, captures);
        };
        // As most values: nothing is made for them.
        if places.iter().next().is_none() {
            return false;
        }
        let from_starts = self
            .from_starts
            .get_or_init(|| FromStarts::of(regex.as_str()).map(Box::new));
        let told = from_starts
            .as_ref()
            .and_then(|pattern| pattern.matches(input, places));
        match told {
            Some(true) => capture(regex, input, captures),
            Some(false) => return false,
            None => return self.matches(input, lookup, captures),
        }
        true
    }

    fn requirement(&self) -> Option<Arc<Requirement>> {
        self.requirement.clone()
    }

    fn starts(&self) -> Option<&Starts> {
        self.starts.as_ref()
    }
}

/// Writes the groups of a value that matches, if they are asked for.
fn capture(regex: &Regex, input: &[u8], captures: Option<&mut Captures>) {
    let Some(captures) = captures else { return };
    let groups = regex.captures(input);
    let groups = groups.iter().flat_map(|groups| groups.iter()).enumerate();
    for (slot, group) in groups.take(10) {
        if let Some(group) = group {
            captures.set(slot, group.as_bytes());
        }
    }
}

/// A pattern that is compiled at load, or, where it holds a macro, when it is needed.
#[derive(Debug)]
pub(super) enum Pattern {
    /// Without macros.
    Fixed(Regex),
    /// `^.*$`, which rules write to capture a value: nothing needs to be searched.
    Everything(Regex),
    /// With macros; the last expansions stay compiled, the wrong ones as `None`.
    Expanded {
        text: Macro,
        compiled: Mutex<VecDeque<Expansion>>,
    },
}

/// An expanded text and its pattern; `None` if it is none.
type Expansion = (Vec<u8>, Option<Arc<Regex>>);

/// A pattern in use: a copy of a `Regex` itself would begin with empty caches.
pub(super) enum InUse<'p> {
    Fixed(&'p Regex),
    Kept(Arc<Regex>),
}

impl Deref for InUse<'_> {
    type Target = Regex;

    fn deref(&self) -> &Regex {
        match self {
            Self::Fixed(regex) => regex,
            Self::Kept(regex) => regex,
        }
    }
}

impl Pattern {
    pub(super) fn parse(name: &'static str, argument: &str) -> Result<Self, OperatorError> {
        let text = match Macro::parse(argument) {
            Ok(text) if text.as_literal().is_none() => text,
            Err(error) if is_identifier(&error.name) => return Err(refuse(name, error)),
            // `%{2}` and `%{[^}]` are a percent sign and what a pattern does with it.
            Ok(_) | Err(_) => {
                let kind = if argument == "^.*$" {
                    Self::Everything
                } else {
                    Self::Fixed
                };
                return pattern::compile(argument)
                    .map(kind)
                    .map_err(|cause| OperatorError::Pattern { name, cause });
            }
        };
        Ok(Self::Expanded {
            text,
            compiled: Mutex::default(),
        })
    }

    /// The pattern to use now; `None` if its expansion is no pattern.
    pub(super) fn regex(&self, lookup: &dyn Lookup) -> Option<InUse<'_>> {
        match self {
            Self::Fixed(regex) | Self::Everything(regex) => Some(InUse::Fixed(regex)),
            Self::Expanded { text, compiled } => expanded(text.to_bytes(lookup), compiled).map(InUse::Kept),
        }
    }
}

fn expanded(text: Vec<u8>, compiled: &Mutex<VecDeque<Expansion>>) -> Option<Arc<Regex>> {
    let known = |kept: &VecDeque<Expansion>| {
        kept.iter()
            .find(|(known, _)| *known == text)
            .map(|(_, regex)| regex.clone())
    };
    if let Some(regex) = known(&compiled.lock().unwrap_or_else(PoisonError::into_inner)) {
        return regex;
    }
    // Compiled without the lock: other requests must not wait for it.
    let regex = pattern::compile_at_run_time(&text).ok().map(Arc::new);
    let mut kept = compiled.lock().unwrap_or_else(PoisonError::into_inner);
    kept.truncate(KEPT - 1);
    kept.push_front((text, regex.clone()));
    regex
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .chars()
            .all(|each| each.is_ascii_alphanumeric() || "_-.:".contains(each))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Wanted, build, captured, check, matches_expanded};
    use super::*;
    use crate::macros::NoVariables;

    #[test]
    fn patterns_match() {
        check(
            "rx",
            &[
                ("^ab?c$", b"ac", true),
                ("^ab?c$", b"ac\n", false),
                ("b", b"abc", true),
                ("B", b"abc", false),
                ("", b"", true),
                ("", b"x", true),
                ("%{2}", b"%%", true),
                ("^%{[^}]+}", b"%{x}", true),
                ("a%{", b"a%{", true),
            ],
        );
    }

    #[test]
    fn groups_keep_their_numbers() {
        assert_eq!(
            captured("rx", "(a)|(b)(c)?", b"xb").unwrap(),
            [(0, "b".to_owned()), (2, "b".to_owned())]
        );
        assert_eq!(captured("rx", "(a)", b"x"), None);
        let many = captured("rx", "(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)", b"abcdefghijk").unwrap();
        assert_eq!(many.len(), 10);
        assert_eq!(many[9], (9, "i".to_owned()));
        assert_eq!(
            captured("rx", "(?:a)()", b"a").unwrap(),
            [(0, "a".to_owned()), (1, String::new())]
        );
    }

    #[test]
    fn macros_are_expanded_for_every_value() {
        let operator = build("rx", "^%{TX.wanted}$").unwrap();
        assert!(operator.matches(b"aab", &Wanted("a+b"), None));
        assert!(!operator.matches(b"aab", &Wanted("b"), None));
        assert!(operator.matches(b"aab", &Wanted("a+b"), None));
        assert!(operator.matches(b"", &NoVariables, None));
        assert!(!matches_expanded("rx", "(", b"("));
    }

    #[test]
    fn the_compiled_expansions_are_bounded() {
        let compiled = Mutex::default();
        for number in 0..100 {
            assert!(expanded(format!("a{number}").into_bytes(), &compiled).is_some());
        }
        assert_eq!(compiled.lock().unwrap().len(), KEPT);
    }

    /// Held against the whole search, over values made of what the patterns are made of.
    #[test]
    fn matches_are_found_from_their_starts() {
        let patterns = [
            r"(?i)(?:[;|&<]|\btime\b)\s*(?:cat|ls)\b",
            r"(?:^|[;|<\n]\s*)(?:cat|ls)(?:\s|$)",
            r"(?i)(?:c['\\]*a['\\]*t|t['\\]*i['\\]*m['\\]*e)[\s;].*ls",
            // A class without a byte never matches, and may be absent.
            r"(?:[;|&<][^\x00-\xff]?[a-z ]+){2}",
            r"[;|&<]+$|\Bls\B;|(?:time|cat)\b.\bls",
        ];
        let pieces = [
            "cat", "LS", "time", ";", "|", " ", "\n", "'", "x", "tim", "^", "&&",
        ];
        let mut state = 1_u64;
        let mut random = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below as u64) as usize
        };
        for pattern in patterns {
            let operator = build("rx", pattern).unwrap();
            let starts = operator.starts().unwrap();
            let (finder, sought) = starts.finder();
            let (mut matched, mut not_matched) = (0, 0);
            for _ in 0..3000 {
                let value: String = (0..random(24)).map(|_| pieces[random(pieces.len())]).collect();
                let value = value.as_bytes();
                let mut all = Vec::new();
                if finder.find(value, &mut all).is_none() {
                    continue;
                }
                let (mut one, mut other) = (Captures::new(), Captures::new());
                let places = Places { all: &all, sought };
                let told = operator.matches_from(value, places, &NoVariables, Some(&mut one));
                let expected = operator.matches(value, &NoVariables, Some(&mut other));
                assert_eq!(told, expected, "{pattern} on {}", value.escape_ascii());
                assert_eq!(one.iter().collect::<Vec<_>>(), other.iter().collect::<Vec<_>>());
                *(if told { &mut matched } else { &mut not_matched }) += 1;
            }
            assert!(
                matched > 50 && not_matched > 50,
                "{pattern}: {matched}, {not_matched}"
            );
        }
    }

    #[test]
    fn reading_from_starts_costs_no_more_than_a_search() {
        let pattern = FromStarts::of(r"[;|&<].*(?:cat|ls)").unwrap();
        let value = "; x and no more, ".repeat(100);
        let starts = prefilter::of_pattern(r"[;|&<].*(?:cat|ls)").1.unwrap();
        let (finder, sought) = starts.finder();
        let mut all = Vec::new();
        // Each of them would be read to the end.
        assert!(finder.find(value.as_bytes(), &mut all).is_some() && all.len() == 100);
        assert_eq!(
            pattern.matches(value.as_bytes(), Places { all: &all, sought }),
            None
        );
    }

    #[test]
    fn a_wrong_pattern_is_refused_at_load() {
        assert_eq!(
            build("rx", "a(?!b)").unwrap_err().to_string(),
            "@rx: a lookahead at offset 1 cannot be matched in linear time, or not on bytes, and is not supported"
        );
        assert_eq!(
            build("rx", "^%{no_such.thing}").unwrap_err().to_string(),
            "@rx: unknown variable in the macro %{no_such.thing}"
        );
    }
}
