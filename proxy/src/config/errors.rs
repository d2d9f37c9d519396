//! What is wrong with a configuration: every fault with its place, what stands there, what was expected
//! and, for a near miss, the likely word.

use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A place in a file. Lines and columns (in characters) count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The file, as it was named.
    pub file: Arc<Path>,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// One fault.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// Where.
    pub place: Place,
    /// What.
    pub problem: Problem,
    /// The offending text, shortened to one line; `None` where something is missing.
    pub found: Option<String>,
    /// What would be right.
    pub expected: Option<String>,
    /// What its author probably meant.
    pub suggestion: Option<String>,
}

/// The kinds of fault.
#[derive(Debug, Clone)]
pub enum Problem {
    /// A file could not be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: Arc<io::Error>,
    },
    /// An include pattern matches no file.
    NothingIncluded,
    /// Not TOML.
    Syntax(String),
    /// A key that nothing reads.
    UnknownKey {
        /// The table that holds it, as in `server`; empty at the top level.
        table: String,
    },
    /// A key that has no default.
    MissingKey {
        /// The table that lacks it.
        table: String,
        /// The key.
        key: String,
    },
    /// A value of another TOML type.
    WrongType {
        /// The key, with its table.
        key: String,
        /// The type that was found, with its article.
        found: &'static str,
    },
    /// A value of the right type that cannot be.
    BadValue {
        /// The key, with its table.
        key: String,
        /// Why not.
        reason: String,
    },
    /// The same thing twice.
    Duplicate {
        /// What, as in "the route name `blog`".
        what: String,
        /// Where it stands first.
        first: Place,
    },
    /// Two options that exclude each other, or one without the other it needs.
    Contradiction(String),
}

/// Everything that is wrong with a configuration.
#[derive(Debug, Default)]
pub struct ConfigErrors {
    diagnostics: Vec<Diagnostic>,
}

impl ConfigErrors {
    /// The faults, by file in the order of reading, then by place.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for diagnostic in &self.diagnostics {
            writeln!(f, "{diagnostic}")?;
        }
        match self.diagnostics.len() {
            1 => f.write_str("1 error in the configuration"),
            count => write!(f, "{count} errors in the configuration"),
        }
    }
}

impl std::error::Error for ConfigErrors {}

/// On one line, whatever the file holds.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = format!("{}: {}", self.place, self.problem);
        for (before, text, after) in [
            ("; found `", &self.found, "`"),
            ("; expected ", &self.expected, ""),
            ("; did you mean `", &self.suggestion, "`?"),
        ] {
            if let Some(text) = text {
                line.extend([before, text, after]);
            }
        }
        for c in line.chars() {
            if c.is_control() {
                write!(f, "{}", c.escape_default())?
            } else {
                f.write_char(c)?
            }
        }
        Ok(())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.display(), self.line, self.column)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, cause } => write!(f, "cannot read {}: {cause}", path.display()),
            Self::NothingIncluded => f.write_str("no file matches this include"),
            Self::Syntax(description) => write!(f, "not valid TOML: {description}"),
            Self::UnknownKey { table } if table.is_empty() => f.write_str("unknown key at the top level"),
            Self::UnknownKey { table } => write!(f, "unknown key in {table}"),
            Self::MissingKey { table, key } if table.is_empty() => write!(f, "{key} is missing"),
            Self::MissingKey { table, key } => write!(f, "{table} lacks {key}"),
            Self::WrongType { key, found } => write!(f, "{key} is {found}"),
            Self::BadValue { key, reason } => write!(f, "{key}: {reason}"),
            Self::Duplicate { what, first } => write!(f, "{what} already stands at {first}"),
            Self::Contradiction(reason) => f.write_str(reason),
        }
    }
}

/// Where faults are gathered while a configuration is read.
#[derive(Debug, Default)]
pub(super) struct Report {
    diagnostics: RefCell<Vec<Diagnostic>>,
}

impl Report {
    /// Adds a fault.
    pub(super) fn add(&self, diagnostic: Diagnostic) {
        self.diagnostics.borrow_mut().push(diagnostic);
    }

    /// Adds a fault of two or more places together, found after the values themselves were read.
    pub(super) fn problem(&self, place: &Place, problem: Problem) {
        self.add(Diagnostic {
            place: place.clone(),
            problem,
            found: None,
            expected: None,
            suggestion: None,
        });
    }

    /// Adds a file that could not be read, at the place that names it.
    pub(super) fn unreadable(&self, place: &Place, path: &Path, cause: io::Error) {
        let path = path.to_owned();
        self.problem(
            place,
            Problem::Unreadable {
                path,
                cause: Arc::new(cause),
            },
        );
    }

    /// Whether nothing was wrong so far.
    pub(super) fn is_empty(&self) -> bool {
        self.diagnostics.borrow().is_empty()
    }

    /// The faults in the order of `files`, if there are any.
    pub(super) fn into_errors(self, files: &[PathBuf]) -> Option<ConfigErrors> {
        let mut diagnostics = self.diagnostics.into_inner();
        let rank = |place: &Place| files.iter().position(|file| **file == *place.file);
        diagnostics.sort_by_key(|found| (rank(&found.place), found.place.line, found.place.column));
        (!diagnostics.is_empty()).then_some(ConfigErrors { diagnostics })
    }
}

/// The word of `known` that `word` was probably meant to be: within a third of its letters and three at
/// most, or one of the two begins with the other.
pub(super) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    // Far longer than any word of ours, and the distance costs the product of both lengths.
    if word.len() > 64 {
        return None;
    }
    let word = word.to_ascii_lowercase().replace('-', "_");
    let distance = |candidate: &str| {
        let candidate = candidate.to_ascii_lowercase().replace('-', "_");
        let apart = strsim::osa_distance(&word, &candidate);
        let part = word.len() >= 4 && (candidate.starts_with(&word) || word.starts_with(&candidate));
        let allowed = (word.chars().count() / 3).clamp(1, 3);
        (apart <= allowed || part).then_some(apart)
    };
    known
        .into_iter()
        .filter_map(|candidate| Some((distance(candidate)?, candidate)))
        .min_by_key(|(apart, _)| *apart)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_a_slip_of_the_pen_away() {
        let known = ["grace", "workers", "data_dir", "detection-only"];
        for (word, expected) in [
            ("graec", Some("grace")),
            ("worker", Some("workers")),
            ("data-dir", Some("data_dir")),
            ("Detection", Some("detection-only")),
            ("threads", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
    }
}
