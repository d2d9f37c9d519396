//! A table, key by key.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Node, Scope, list};
use crate::config::errors::{Diagnostic, Place, Problem, nearest};

/// A table whose keys are taken one after another; what nobody took is unknown.
pub(in crate::config) struct Table<'a> {
    scope: Scope<'a>,
    name: String,
    entries: Option<&'a DeTable<'a>>,
    span: Range<usize>,
    known: Vec<&'static str>,
}

impl<'a> Table<'a> {
    /// The top level of a document.
    pub(in crate::config) fn root(scope: Scope<'a>, entries: &'a DeTable<'a>) -> Self {
        Self::named(scope, String::new(), entries, 0..0)
    }

    /// The value of `key`, if it is there and right.
    pub(in crate::config) fn take<T>(
        &mut self,
        key: &'static str,
        decode: impl FnOnce(Node<'a>) -> Option<T>,
    ) -> Option<T> {
        self.known.push(key);
        decode(self.node(key)?)
    }

    /// The value of `key`, which must be there.
    pub(in crate::config) fn require<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        decode: impl FnOnce(Node<'a>) -> Option<T>,
    ) -> Option<T> {
        if !self.has(key) {
            self.missing(key, expected);
        }
        self.take(key, decode)
    }

    /// The table of `key`; an absent one is read as an empty one, so that its defaults stand in one place.
    pub(in crate::config) fn section<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Table<'a>) -> T,
    ) -> T {
        self.known.push(key);
        let entries = self.node(key).and_then(|node| node.table());
        let mut table = self.child(key, entries);
        let value = read(&mut table);
        table.finish();
        value
    }

    /// Every table of the array `key`: `[[key]]`, or an array of inline tables.
    pub(in crate::config) fn sections<T>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(&mut Table<'a>) -> Option<T>,
    ) -> Vec<T> {
        let tables = self
            .take(key, list("tables", |node| node.table()))
            .unwrap_or_default();
        let mut values = Vec::with_capacity(tables.len());
        for entries in tables {
            let mut table = self.child(key, Some(entries));
            values.extend(read(&mut table));
            table.finish();
        }
        values
    }

    /// Whether `key` stands in the file, right or wrong.
    pub(in crate::config) fn has(&self, key: &str) -> bool {
        self.node(key).is_some()
    }

    /// How many items the array `key` has, right or wrong.
    pub(in crate::config) fn count(&self, key: &str) -> usize {
        self.node(key)
            .and_then(|node| node.items())
            .map_or(0, |items| items.len())
    }

    /// Where `key` stands, or else the table.
    pub(in crate::config) fn place_of(&self, key: &str) -> Place {
        let at = self.node(key).map_or(self.span.start, |node| node.span().start);
        self.scope.document.place(at)
    }

    /// The table's own place.
    pub(in crate::config) fn place(&self) -> Place {
        self.scope.document.place(self.span.start)
    }

    /// Reports that `key` is not there.
    pub(in crate::config) fn missing(&self, key: &str, expected: &str) {
        // After a syntax error nobody knows what else was in the table.
        if self.scope.broken_from.is_none() {
            self.scope.add(Diagnostic {
                place: self.place(),
                problem: Problem::MissingKey {
                    table: self.name.clone(),
                    key: key.to_owned(),
                },
                found: None,
                expected: Some(expected.to_owned()),
                suggestion: None,
            });
        }
    }

    /// Reports that keys of this table do not go together.
    pub(in crate::config) fn contradiction(&self, key: &str, reason: impl Into<String>) {
        self.scope.add(Diagnostic {
            place: self.place_of(key),
            problem: Problem::Contradiction(reason.into()),
            found: None,
            expected: None,
            suggestion: None,
        });
    }

    /// Reports every key that nobody took.
    pub(in crate::config) fn finish(self) {
        for (key, value) in self.entries.into_iter().flat_map(DeTable::iter) {
            if !self.known.contains(&key.get_ref().as_ref()) {
                self.unknown(key.get_ref(), key.span(), value);
            }
        }
        #[cfg(test)]
        crate::config::tests::schema::record(&self.name, &self.known, self.entries);
    }

    fn unknown(&self, key: &str, span: Range<usize>, value: &Spanned<DeValue<'_>>) {
        let near = nearest(key, self.known.iter().copied());
        let all = || match self.known.as_slice() {
            [only] => format!("only {only}"),
            known => format!("one of {}", known.join(", ")),
        };
        // An unknown table is shown as it was written, with its brackets.
        let shown = if value.get_ref().is_table() && value.span().contains(&span.start) {
            value.span()
        } else {
            span
        };
        self.scope.add(Diagnostic {
            place: self.scope.document.place(shown.start),
            problem: Problem::UnknownKey {
                table: self.name.clone(),
            },
            found: self.scope.document.excerpt(&shown),
            expected: near.is_none().then(all),
            suggestion: near.map(str::to_owned),
        });
    }

    /// The table `entries`, called `name`.
    pub(super) fn named(
        scope: Scope<'a>,
        name: String,
        entries: &'a DeTable<'a>,
        span: Range<usize>,
    ) -> Self {
        Self {
            scope,
            name,
            entries: Some(entries),
            span,
            known: Vec::new(),
        }
    }

    fn child(&self, key: &str, found: Option<(&'a DeTable<'a>, Range<usize>)>) -> Table<'a> {
        let (entries, span) = found.unzip();
        Table {
            scope: self.scope,
            name: self.path(key),
            entries,
            span: span.unwrap_or_else(|| self.span.clone()),
            known: Vec::new(),
        }
    }

    fn node(&self, key: &str) -> Option<Node<'a>> {
        let value = self.entries?.get(key)?;
        Some(Node::new(self.scope, self.path(key), value))
    }

    fn path(&self, key: &str) -> String {
        if self.name.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.name)
        }
    }
}
