//! `@restpath TEMPLATE`: the path has the form of the template.
//!
//! A placeholder `{name}` stands for one path segment or a part of it: one or more bytes but `/` and `?`.
//! All else stands for itself. The template may match anywhere in the value, as in Coraza.
//!
//! Argument: a path with placeholders.
//!
//! Captures: slot 0 is what matched, slots 1 to 9 the placeholders in order. (Coraza sets `ARGS_PATH`.)
//!
//! Example: `SecRule REQUEST_FILENAME "@restpath /user-{id}/{action}" "id:1,capture,pass"`
//!
//! Source: Coraza's documentation, restpath.

use regex::bytes::Regex;

use super::argument::refuse;
use super::{Build, Captures, Evaluate, OperatorError, pattern};
use crate::macros::Lookup;

/// `@restpath`.
#[derive(Debug)]
pub struct RestPath(Regex);

impl Evaluate for RestPath {
    fn build(name: &'static str, argument: &str, _build: &Build<'_>) -> Result<Self, OperatorError> {
        if argument.is_empty() {
            return Err(refuse(name, "expected a path with placeholders"));
        }
        pattern::compile(&translated(argument))
            .map(Self)
            .map_err(|error| refuse(name, error))
    }

    fn matches(&self, input: &[u8], _lookup: &dyn Lookup, captures: Option<&mut Captures>) -> bool {
        let Some(captures) = captures else {
            return self.0.is_match(input);
        };
        let Some(found) = self.0.captures(input) else {
            return false;
        };
        for (slot, group) in found.iter().enumerate() {
            if let Some(group) = group {
                captures.set(slot, group.as_bytes());
            }
        }
        true
    }
}

fn translated(template: &str) -> String {
    let mut pattern = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        match after.split_once('}') {
            Some((name, after)) if !name.is_empty() => {
                pattern.push_str(&pattern::quote(before));
                pattern.push_str("([^?/]+)");
                rest = after;
            }
            _ => break,
        }
    }
    pattern.push_str(&pattern::quote(rest));
    pattern
}

#[cfg(test)]
mod tests {
    use super::super::testing::{build, captured, check};

    #[test]
    fn paths_of_the_form_match() {
        let template = "/user-{id}/{action}.json";
        check(
            "restpath",
            &[
                (template, b"/user-12/edit.json", true),
                (template, b"/user-12/edit-json", false),
                (template, b"/user-/edit.json", false),
                (template, b"/user-12//edit.json", false),
                (template, b"", false),
                ("/a{}/{b", b"/a{}/{b", true),
                ("/\u{e9}+", "/\u{e9}+".as_bytes(), true),
            ],
        );
        let slots = captured("restpath", template, b"/api/user-12/edit.json?x").unwrap();
        let expected = [(0, "/user-12/edit.json"), (1, "12"), (2, "edit")];
        assert_eq!(slots, expected.map(|(slot, text)| (slot, text.to_owned())));
        assert!(build("restpath", "").is_err());
    }
}
