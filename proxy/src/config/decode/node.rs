//! One value: its type, its place, what is wrong with it.

use std::ops::Range;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{At, Fault, Scope, Table};
use crate::config::errors::{Diagnostic, Place, Problem};
use crate::config::ready::SecretSource;

/// A value that waits to be decoded.
#[derive(Clone)]
pub(in crate::config) struct Node<'a> {
    scope: Scope<'a>,
    key: String,
    value: &'a Spanned<DeValue<'a>>,
}

impl<'a> Node<'a> {
    pub(super) fn new(scope: Scope<'a>, key: String, value: &'a Spanned<DeValue<'a>>) -> Self {
        Self { scope, key, value }
    }

    /// A string.
    pub(in crate::config) fn text(&self, expected: &str) -> Option<&'a str> {
        let text = self.value.get_ref().as_str();
        if text.is_none() {
            self.wrong_type(expected, None);
        }
        text
    }

    /// A string that `parse` accepts.
    pub(in crate::config) fn parse<T>(
        &self,
        expected: &str,
        parse: impl FnOnce(&str) -> Result<T, Fault>,
    ) -> Option<T> {
        parse(self.text(expected)?)
            .map_err(|fault| self.bad_value(expected, fault))
            .ok()
    }

    /// The TOML value itself, for what may be of several types.
    pub(in crate::config) fn value(&self) -> &'a DeValue<'a> {
        self.value.get_ref()
    }

    /// The value as it was written.
    pub(in crate::config) fn written(&self) -> Option<String> {
        self.scope.document.excerpt(&self.value.span())
    }

    /// Where the value stands in its document.
    pub(super) fn span(&self) -> Range<usize> {
        self.value.span()
    }

    /// The items, if the value is an array.
    pub(super) fn items(&self) -> Option<impl ExactSizeIterator<Item = Node<'a>> + use<'a>> {
        let (scope, key) = (self.scope, self.key.clone());
        let array = self.value.get_ref().as_array()?;
        Some(array.iter().map(move |value| Node {
            scope,
            key: key.clone(),
            value,
        }))
    }

    /// A table and its span.
    pub(in crate::config) fn table(&self) -> Option<(&'a DeTable<'a>, Range<usize>)> {
        let table = self.value.get_ref().as_table();
        if table.is_none() {
            self.wrong_type("a table", None);
        }
        Some((table?, self.value.span()))
    }

    /// The entries of a table whose keys are the file's own.
    pub(in crate::config) fn entries(&self) -> Option<Vec<(&'a str, Node<'a>)>> {
        let (entries, _) = self.table()?;
        let entry = |(key, value): (&'a Spanned<std::borrow::Cow<'a, str>>, &'a Spanned<DeValue<'a>>)| {
            let name: &'a str = key.get_ref();
            let node = Node::new(self.scope, format!("{}.{name}", self.key), value);
            (name, node)
        };
        Some(entries.iter().map(entry).collect())
    }

    /// The value as a table of its own keys.
    pub(in crate::config) fn open<T>(&self, read: impl FnOnce(&mut Table<'a>) -> Option<T>) -> Option<T> {
        let (entries, span) = self.table()?;
        let mut table = Table::named(self.scope, self.key.clone(), entries, span);
        let value = read(&mut table);
        table.finish();
        value
    }

    /// A path, relative to the folder of its file.
    pub(in crate::config) fn path(&self) -> Option<At<PathBuf>> {
        let document = self.scope.document;
        let parse = |text: &str| match text {
            "" => Err(Fault::new("an empty path")),
            text if text.contains('\0') => Err(Fault::new("a path cannot hold a NUL")),
            text => Ok(document.resolve(text)),
        };
        Some(self.at(self.parse("a path", parse)?))
    }

    /// Where a secret is kept. What stands there may be the secret itself, by mistake: it is not shown.
    pub(in crate::config) fn secret(
        &self,
        expected: &str,
        parse: impl FnOnce(&str) -> Result<SecretSource, Fault>,
    ) -> Option<SecretSource> {
        match self.hidden(expected, parse)? {
            SecretSource::File(path) => {
                let path = self.scope.document.resolve(&path.to_string_lossy());
                Some(SecretSource::File(path))
            }
            source => Some(source),
        }
    }

    /// A string that `parse` accepts, and that is shown to nobody.
    pub(in crate::config) fn hidden<T>(
        &self,
        expected: &str,
        parse: impl FnOnce(&str) -> Result<T, Fault>,
    ) -> Option<T> {
        let text = self.value.get_ref().as_str();
        let value = text.ok_or_else(|| Fault::new("not a string")).and_then(parse);
        let fault = match value {
            Ok(value) => return Some(value),
            Err(fault) => fault,
        };
        self.scope.add(Diagnostic {
            place: self.place(),
            problem: Problem::BadValue {
                key: self.key.clone(),
                reason: fault.reason,
            },
            found: None,
            expected: Some(expected.to_owned()),
            suggestion: None,
        });
        None
    }

    /// A path of a file that can be read now.
    pub(in crate::config) fn readable(&self) -> Option<At<PathBuf>> {
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

    /// A file that is read now, by `parse`; what is wrong in it is told with its own lines (from 1), and none of its
    /// text: it may hold secrets.
    pub(in crate::config) fn file<T>(
        &self,
        parse: impl FnOnce(&str) -> Result<T, Vec<(usize, Fault)>>,
    ) -> Option<(PathBuf, T)> {
        /// The first faults of a file say enough.
        const TOLD: usize = 10;
        let path = self.path()?.value;
        let text = match self.scope.files.read(&path) {
            Ok(text) => text,
            Err(cause) => {
                let cause = cause.into();
                self.report(Problem::Unreadable { path, cause }, None, None);
                return None;
            }
        };
        let faults = match parse(&text) {
            Ok(value) => return Some((path, value)),
            Err(faults) => faults,
        };
        for (line, fault) in faults.into_iter().take(TOLD) {
            self.scope.report.add(Diagnostic {
                place: Place {
                    file: path.as_path().into(),
                    line,
                    column: 1,
                },
                problem: Problem::BadValue {
                    key: self.key.clone(),
                    reason: fault.reason,
                },
                found: None,
                expected: None,
                suggestion: None,
            });
        }
        None
    }

    /// `value` with this node's place.
    pub(in crate::config) fn at<T>(&self, value: T) -> At<T> {
        At {
            value,
            place: self.place(),
        }
    }

    /// Reports another type than expected.
    pub(in crate::config) fn wrong_type(&self, expected: &str, suggestion: Option<String>) {
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
    pub(in crate::config) fn bad_value(&self, expected: &str, fault: Fault) {
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
