//! The paths of one host: exact, then regular expressions, then the longest prefix.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use super::request::Asked;
use crate::config::{Conditions, PathMatch, Pattern, RoutePath};

/// From path conditions to entries.
#[derive(Debug, Clone, Default)]
pub(super) struct Paths {
    exact: HashMap<String, Slot>,
    /// The longest expression first.
    regexes: Vec<(Pattern, Slot)>,
    prefixes: HashMap<String, Slot>,
    /// No prefix is longer: nothing longer is looked up, however long and full of slashes a path is.
    longest_prefix: usize,
}

/// Who shares a path.
#[derive(Debug, Clone, Default)]
struct Slot {
    /// The narrowest first.
    conditional: Vec<(Arc<Conditions>, usize)>,
    /// Who takes the rest.
    plain: Option<usize>,
}

impl Paths {
    /// Enters a condition; of two equal ones, which no configuration has, the first stays.
    pub(super) fn insert(&mut self, path: &RoutePath, conditions: &Arc<Conditions>, entry: usize) {
        let slot = match path {
            RoutePath::Plain(PathMatch::Exact(path)) => self.exact.entry(path.clone()).or_default(),
            RoutePath::Plain(PathMatch::Prefix(path)) => {
                self.longest_prefix = self.longest_prefix.max(path.len());
                self.prefixes.entry(path.clone()).or_default()
            }
            RoutePath::Regex(pattern) => self.regex(pattern),
        };
        slot.insert(conditions, entry);
    }

    /// The entry for a request with this normalised path.
    pub(super) fn find(&self, path: &str, asked: &Asked<'_>) -> Option<usize> {
        let exact = self.exact.get(path).and_then(|slot| slot.find(asked));
        exact
            .or_else(|| self.first_regex(path, asked))
            .or_else(|| self.longest_prefix_of(path, asked))
    }

    fn first_regex(&self, path: &str, asked: &Asked<'_>) -> Option<usize> {
        let matching = self.regexes.iter().filter(|(pattern, _)| pattern.is_match(path));
        matching.into_iter().find_map(|(_, slot)| slot.find(asked))
    }

    fn longest_prefix_of(&self, path: &str, asked: &Asked<'_>) -> Option<usize> {
        let mut prefix = path;
        while !prefix.is_empty() {
            if prefix.len() <= self.longest_prefix
                && let Some(entry) = self.prefixes.get(prefix).and_then(|slot| slot.find(asked))
            {
                return Some(entry);
            }
            // The next shorter prefix ends in front of the last slash.
            prefix = prefix
                .rfind('/')
                .and_then(|slash| prefix.get(..slash))
                .unwrap_or_default();
        }
        // `*` and the like are no paths.
        let root = self.prefixes.get("/").filter(|_| path.starts_with('/'))?;
        root.find(asked)
    }

    /// The slot of an expression, made in front of the first shorter one if there is none.
    fn regex(&mut self, pattern: &Pattern) -> &mut Slot {
        let known = self.regexes.iter().position(|(known, _)| known == pattern);
        let length = pattern.as_str().len();
        let at = known.unwrap_or_else(|| {
            let at = self
                .regexes
                .partition_point(|(other, _)| other.as_str().len() >= length);
            self.regexes.insert(at, (pattern.clone(), Slot::default()));
            at
        });
        &mut self.regexes[at].1
    }
}

impl Slot {
    fn insert(&mut self, conditions: &Arc<Conditions>, entry: usize) {
        if conditions.is_empty() {
            self.plain.get_or_insert(entry);
            return;
        }
        let rank = rank(conditions);
        let at = self
            .conditional
            .partition_point(|(other, _)| self::rank(other) <= rank);
        self.conditional.insert(at, (Arc::clone(conditions), entry));
    }

    fn find(&self, asked: &Asked<'_>) -> Option<usize> {
        if self.conditional.is_empty() {
            return self.plain;
        }
        let met = self
            .conditional
            .iter()
            .find(|(conditions, _)| asked.meets(conditions));
        met.map(|(_, entry)| *entry).or(self.plain)
    }
}

/// The Gateway API's order of what shares a path: a method, then most headers, then most parameters. Among equals the
/// first in the configuration.
pub(super) fn rank(conditions: &Conditions) -> Reverse<(bool, usize, usize)> {
    let Conditions {
        methods,
        headers,
        query,
    } = conditions;
    Reverse((!methods.is_empty(), headers.len(), query.len()))
}
