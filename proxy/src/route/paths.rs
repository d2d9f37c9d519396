//! The paths of one host: exact over longest prefix.

use std::collections::HashMap;

use crate::config::PathMatch;

/// From path conditions to entries.
#[derive(Debug, Clone, Default)]
pub(super) struct Paths {
    exact: HashMap<String, usize>,
    prefixes: HashMap<String, usize>,
    /// No prefix is longer: nothing longer is looked up, however long and full of slashes a path is.
    longest_prefix: usize,
}

impl Paths {
    /// Enters a condition; of two equal ones, which no configuration has, the first stays.
    pub(super) fn insert(&mut self, path: &PathMatch, entry: usize) {
        match path {
            PathMatch::Exact(path) => drop(self.exact.entry(path.clone()).or_insert(entry)),
            PathMatch::Prefix(path) => {
                self.longest_prefix = self.longest_prefix.max(path.len());
                self.prefixes.entry(path.clone()).or_insert(entry);
            }
        }
    }

    /// The entry for a normalised path.
    pub(super) fn find(&self, path: &str) -> Option<usize> {
        let exact = self.exact.get(path).copied();
        exact.or_else(|| self.longest_prefix_of(path))
    }

    fn longest_prefix_of(&self, path: &str) -> Option<usize> {
        let mut prefix = path;
        while !prefix.is_empty() {
            if prefix.len() <= self.longest_prefix
                && let Some(entry) = self.prefixes.get(prefix)
            {
                return Some(*entry);
            }
            // The next shorter prefix ends in front of the last slash.
            prefix = prefix
                .rfind('/')
                .and_then(|slash| prefix.get(..slash))
                .unwrap_or_default();
        }
        // `*` and the like are no paths.
        self.prefixes.get("/").copied().filter(|_| path.starts_with('/'))
    }
}
