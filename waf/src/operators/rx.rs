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

use std::collections::VecDeque;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use regex::bytes::Regex;

use super::argument::refuse;
use super::{Build, Captures, Evaluate, OperatorError, pattern};
use crate::macros::{Lookup, Macro};
use crate::prefilter::{self, Requirement};

/// Expanded patterns that one operator keeps compiled.
const KEPT: usize = 16;

/// `@rx`.
#[derive(Debug)]
pub struct Rx {
    pattern: Pattern,
    /// `None` for a pattern that changes from request to request.
    requirement: Option<Arc<Requirement>>,
}

impl Evaluate for Rx {
    fn build(name: &'static str, argument: &str, _build: &Build<'_>) -> Result<Self, OperatorError> {
        let pattern = Pattern::parse(name, argument)?;
        let requirement = match &pattern {
            Pattern::Fixed(regex) => Some(prefilter::of_pattern(regex.as_str())),
            Pattern::Everything(_) => Some(Requirement::unknown()),
            Pattern::Expanded { .. } => None,
        };
        Ok(Self {
            pattern,
            requirement: requirement.map(Arc::new),
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
        let Some((captures, found)) = captures.zip(regex.captures(input)) else {
            return true;
        };
        for (slot, group) in found.iter().enumerate().take(10) {
            if let Some(group) = group {
                captures.set(slot, group.as_bytes());
            }
        }
        true
    }

    fn requirement(&self) -> Option<Arc<Requirement>> {
        self.requirement.clone()
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
