//! Configuration: what the files say (raw), then what is true (ready). Pure: files arrive through
//! [`FileSource`]; every fault is reported at once with its place.
//!
//! `config/palisade.toml` shows every option with its default and the reason for it.

mod build;
mod decode;
mod document;
mod errors;
mod include;
mod raw;
mod ready;
mod schema;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod values;

use std::io;
use std::path::{Path, PathBuf};

pub use errors::{ConfigErrors, Diagnostic, Place, Problem};
pub use ready::*;
pub use values::path::{normalized_path, resolved_path};

use decode::{At, Scope, Table};
use document::{Document, Tree};
use errors::Report;

/// Where files come from: the disk (`crate::config_files`), or a test's memory.
pub trait FileSource {
    /// The text of a file.
    fn read(&self, path: &Path) -> io::Result<String>;

    /// The names of the files in a folder (links to files included), in any order.
    fn names(&self, folder: &Path) -> io::Result<Vec<String>>;

    /// Whether a file could be read now. For files that others read: keys, SecLang.
    fn readable(&self, path: &Path) -> io::Result<()>;
}

/// Reads the configuration that begins with the file `entry`: the configuration, or all that is wrong with
/// it.
pub fn load(entry: &Path, files: &dyn FileSource) -> Result<Config, ConfigErrors> {
    let mut reading = Reading {
        files,
        report: Report::default(),
        read: vec![entry.to_owned()],
    };
    let raw = reading.entry(entry);
    let Reading { report, read, .. } = reading;
    let config = raw.map(|raw| build::config(raw, &report, read.clone()));
    match (report.into_errors(&read), config) {
        (None, Some(config)) => Ok(config),
        (errors, _) => Err(errors.unwrap_or_default()),
    }
}

/// The files of one configuration being read.
struct Reading<'f> {
    files: &'f dyn FileSource,
    report: Report,
    read: Vec<PathBuf>,
}

impl Reading<'_> {
    fn entry(&mut self, path: &Path) -> Option<raw::Config> {
        let start = Place {
            file: path.into(),
            line: 1,
            column: 1,
        };
        let document = self.open(path, &start)?;
        let tree = document.parse(&self.report);
        let scope = self.scope(&document, &tree);
        let mut table = Table::root(scope, &tree.root);
        let (mut raw, patterns) = schema::entry(&mut table);
        let mut read = Vec::new();
        for file in include::files(&patterns, &document, self.files, &self.report) {
            raw.routes.extend(self.included(&file));
            read.push(file.value);
        }
        if raw.routes.is_empty() && self.report.is_empty() {
            table.missing("routes", "at least one [[routes]], here or in an included file");
        }
        table.finish();
        self.read.extend(read);
        Some(raw)
    }

    fn included(&self, file: &At<PathBuf>) -> Vec<raw::Route> {
        let Some(document) = self.open(&file.value, &file.place) else {
            return Vec::new();
        };
        let tree = document.parse(&self.report);
        let mut table = Table::root(self.scope(&document, &tree), &tree.root);
        let routes = schema::included(&mut table);
        table.finish();
        routes
    }

    fn open(&self, path: &Path, named_at: &Place) -> Option<Document> {
        let text = self.files.read(path);
        text.map(|text| Document::new(path, text))
            .map_err(|cause| self.report.unreadable(named_at, path, cause))
            .ok()
    }

    fn scope<'a>(&'a self, document: &'a Document, tree: &Tree<'_>) -> Scope<'a> {
        Scope {
            document,
            report: &self.report,
            files: self.files,
            broken_from: tree.broken_from,
        }
    }
}
