//! From TOML's tree to values, one key at a time. A decoder returns its value, or reports what is wrong and
//! returns nothing, so that reading goes on and every fault is found in one go.
//!
//! `None` therefore means absent or wrong; what must tell them apart (a required key) asks the table.

use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::FileSource;
use super::document::Document;
use super::errors::{Diagnostic, Place, Problem, Report, nearest};

/// A value and the place it was written at, for faults that show only later.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// Why a text is not the value it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) reason: String,
    pub(super) suggestion: Option<String>,
}

impl Fault {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            suggestion: None,
        }
    }

    /// With what was probably meant.
    pub(super) fn suggesting(self, suggestion: impl Into<String>) -> Self {
        Self {
            suggestion: Some(suggestion.into()).filter(|text| !text.is_empty()),
            ..self
        }
    }
}

/// What all nodes of one document share.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) document: &'a Document,
    pub(super) report: &'a Report,
    pub(super) files: &'a dyn FileSource,
    /// From this line on the tree may not be what its author wrote: nothing is reported about it.
    pub(super) broken_from: Option<usize>,
}

impl Scope<'_> {
    fn add(&self, diagnostic: Diagnostic) {
        let trusted = self.broken_from.is_none_or(|line| diagnostic.place.line < line);
        if trusted {
            self.report.add(diagnostic);
        }
    }
}

/// A table whose keys are taken one after another; what nobody took is unknown.
pub(super) struct Table<'a> {
    scope: Scope<'a>,
    name: String,
    entries: Option<&'a DeTable<'a>>,
    span: Range<usize>,
    known: Vec<&'static str>,
}

impl<'a> Table<'a> {
    /// The top level of a document.
    pub(super) fn root(scope: Scope<'a>, entries: &'a DeTable<'a>) -> Self {
        Self {
            scope,
            name: String::new(),
            entries: Some(entries),
            span: 0..0,
            known: Vec::new(),
        }
    }

    /// The value of `key`, if it is there and right.
    pub(super) fn take<T>(
        &mut self,
        key: &'static str,
        decode: impl FnOnce(Node<'a>) -> Option<T>,
    ) -> Option<T> {
        self.known.push(key);
        decode(self.node(key)?)
    }

    /// The value of `key`, which must be there.
    pub(super) fn require<T>(
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
    pub(super) fn section<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Table<'a>) -> T) -> T {
        self.known.push(key);
        let entries = self.node(key).and_then(|node| node.table());
        let mut table = self.child(key, entries);
        let value = read(&mut table);
        table.finish();
        value
    }

    /// Every table of the array `key`: `[[key]]`, or an array of inline tables.
    pub(super) fn sections<T>(
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
    pub(super) fn has(&self, key: &str) -> bool {
        self.node(key).is_some()
    }

    /// How many items the array `key` has, right or wrong.
    pub(super) fn count(&self, key: &str) -> usize {
        self.node(key)
            .and_then(|node| node.value().as_array().map(|array| array.len()))
            .unwrap_or(0)
    }

    /// Where `key` stands, or else the table.
    pub(super) fn place_of(&self, key: &str) -> Place {
        let at = self
            .node(key)
            .map_or(self.span.start, |node| node.value.span().start);
        self.scope.document.place(at)
    }

    /// The table's own place.
    pub(super) fn place(&self) -> Place {
        self.scope.document.place(self.span.start)
    }

    /// Reports that `key` is not there.
    pub(super) fn missing(&self, key: &str, expected: &str) {
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
    pub(super) fn contradiction(&self, key: &str, reason: impl Into<String>) {
        self.scope.add(Diagnostic {
            place: self.place_of(key),
            problem: Problem::Contradiction(reason.into()),
            found: None,
            expected: None,
            suggestion: None,
        });
    }

    /// Reports every key that nobody took.
    pub(super) fn finish(self) {
        for (key, value) in self.entries.into_iter().flat_map(DeTable::iter) {
            if !self.known.contains(&key.get_ref().as_ref()) {
                self.unknown(key.get_ref(), key.span(), value);
            }
        }
        #[cfg(test)]
        super::tests::schema::record(&self.name, &self.known, self.entries);
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
        Some(Node {
            scope: self.scope,
            key: self.path(key),
            value,
        })
    }

    fn path(&self, key: &str) -> String {
        if self.name.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.name)
        }
    }
}

/// A value that waits to be decoded.
pub(super) struct Node<'a> {
    scope: Scope<'a>,
    key: String,
    value: &'a Spanned<DeValue<'a>>,
}

impl<'a> Node<'a> {
    /// A string.
    pub(super) fn text(&self, expected: &str) -> Option<&'a str> {
        let text = self.value.get_ref().as_str();
        if text.is_none() {
            self.wrong_type(expected, None);
        }
        text
    }

    /// A string that `parse` accepts.
    pub(super) fn parse<T>(&self, expected: &str, parse: impl FnOnce(&str) -> Result<T, Fault>) -> Option<T> {
        parse(self.text(expected)?)
            .map_err(|fault| self.bad_value(expected, fault))
            .ok()
    }

    /// The TOML value itself, for what may be of several types.
    pub(super) fn value(&self) -> &'a DeValue<'a> {
        self.value.get_ref()
    }

    /// The value as it was written.
    pub(super) fn written(&self) -> Option<String> {
        self.scope.document.excerpt(&self.value.span())
    }

    /// A table and its span.
    pub(super) fn table(&self) -> Option<(&'a DeTable<'a>, Range<usize>)> {
        let table = self.value.get_ref().as_table();
        if table.is_none() {
            self.wrong_type("a table", None);
        }
        Some((table?, self.value.span()))
    }

    /// The value as a table of its own keys.
    pub(super) fn open<T>(&self, read: impl FnOnce(&mut Table<'a>) -> Option<T>) -> Option<T> {
        let (entries, span) = self.table()?;
        let mut table = Table {
            scope: self.scope,
            name: self.key.clone(),
            entries: Some(entries),
            span,
            known: Vec::new(),
        };
        let value = read(&mut table);
        table.finish();
        value
    }

    /// A path, relative to the folder of its file.
    pub(super) fn path(&self) -> Option<At<std::path::PathBuf>> {
        let document = self.scope.document;
        let parse = |text: &str| match text {
            "" => Err(Fault::new("an empty path")),
            text if text.contains('\0') => Err(Fault::new("a path cannot hold a NUL")),
            text => Ok(document.resolve(text)),
        };
        Some(self.at(self.parse("a path", parse)?))
    }

    /// A path of a file that can be read now.
    pub(super) fn readable(&self) -> Option<At<std::path::PathBuf>> {
        let path = self.path()?;
        match self.scope.files.readable(&path.value) {
            Ok(()) => Some(path),
            Err(cause) => {
                let problem = Problem::Unreadable {
                    path: path.value,
                    cause: cause.into(),
                };
                self.report(problem, None, None);
                None
            }
        }
    }

    /// `value` with this node's place.
    pub(super) fn at<T>(&self, value: T) -> At<T> {
        At {
            value,
            place: self.place(),
        }
    }

    /// Reports another type than expected.
    pub(super) fn wrong_type(&self, expected: &str, suggestion: Option<String>) {
        let found = match self.value.get_ref().type_str() {
            "integer" => "an integer",
            "array" => "an array",
            "string" => "a string",
            "float" => "a float",
            "boolean" => "a boolean",
            "datetime" => "a date",
            _ => "a table",
        };
        self.report(
            Problem::WrongType {
                key: self.key.clone(),
                found,
            },
            Some(expected),
            suggestion,
        );
    }

    /// Reports a value that cannot be.
    pub(super) fn bad_value(&self, expected: &str, fault: Fault) {
        let problem = Problem::BadValue {
            key: self.key.clone(),
            reason: fault.reason,
        };
        self.report(
            problem,
            Some(expected),
            fault.suggestion.map(|text| format!("\"{text}\"")),
        );
    }

    fn report(&self, problem: Problem, expected: Option<&str>, suggestion: Option<String>) {
        self.scope.add(Diagnostic {
            place: self.place(),
            problem,
            found: self.written(),
            expected: expected.map(str::to_owned),
            suggestion,
        });
    }

    fn place(&self) -> Place {
        self.scope.document.place(self.value.span().start)
    }
}

/// `true` or `false`.
pub(super) fn boolean(node: Node<'_>) -> Option<bool> {
    let value = node.value().as_bool();
    if value.is_none() {
        let spoken = node
            .value()
            .as_str()
            .and_then(|text| match text.to_ascii_lowercase().as_str() {
                "true" | "on" | "yes" => Some("true".to_owned()),
                "false" | "off" | "no" => Some("false".to_owned()),
                _ => None,
            });
        node.wrong_type("true or false", spoken);
    }
    value
}

/// A whole number within `range`.
pub(super) fn integer<T>(range: RangeInclusive<T>) -> impl Fn(Node<'_>) -> Option<T>
where
    T: Copy + PartialOrd + TryFrom<i64> + std::fmt::Display,
{
    move |node| {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        let Some(number) = node.value().as_integer() else {
            node.wrong_type(&expected, None);
            return None;
        };
        let value = i64::from_str_radix(number.as_str(), number.radix())
            .ok()
            .and_then(|value| T::try_from(value).ok())
            .filter(|value| range.contains(value));
        if value.is_none() {
            node.bad_value(&expected, Fault::new("out of range"));
        }
        value
    }
}

/// One word of a fixed set.
pub(super) fn one_of<T: Copy>(words: &'static [(&'static str, T)]) -> impl Fn(Node<'_>) -> Option<T> {
    move |node| {
        let quoted: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        node.parse(&quoted.join(" or "), |text| {
            let word = words.iter().find(|(word, _)| *word == text);
            word.map(|(_, value)| *value).ok_or_else(|| Fault {
                reason: "unknown word".to_owned(),
                suggestion: nearest(text, words.iter().map(|(word, _)| *word)).map(str::to_owned),
            })
        })
    }
}

/// An array, each of its items by `item`; wrong items are reported and left out.
pub(super) fn list<'a, T>(
    of: &'static str,
    item: impl Fn(Node<'a>) -> Option<T>,
) -> impl Fn(Node<'a>) -> Option<Vec<T>> {
    move |node| {
        let Some(array) = node.value().as_array() else {
            let single = node.value().is_str() || node.value().is_table();
            let wrapped = single.then(|| node.written().map(|text| format!("[{text}]")));
            node.wrong_type(&format!("an array of {of}"), wrapped.flatten());
            return None;
        };
        let nodes = array.iter().map(|value| Node {
            scope: node.scope,
            key: node.key.clone(),
            value,
        });
        Some(nodes.filter_map(&item).collect())
    }
}

/// A [`list`] with at least one item.
pub(super) fn some<'a, T>(
    of: &'static str,
    item: impl Fn(Node<'a>) -> Option<T>,
) -> impl Fn(Node<'a>) -> Option<Vec<T>> {
    let decode = list(of, item);
    move |node| {
        if node.value().as_array().is_some_and(|array| array.is_empty()) {
            node.bad_value(&format!("an array of {of}, at least one"), Fault::new("empty"));
        }
        decode(node)
    }
}

/// A string that `parse` accepts, with its place.
pub(super) fn parsed<T>(
    expected: &'static str,
    parse: impl Fn(&str) -> Result<T, Fault>,
) -> impl Fn(Node<'_>) -> Option<At<T>> {
    move |node| Some(node.at(node.parse(expected, &parse)?))
}
