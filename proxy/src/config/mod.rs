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
pub use values::path::normalized_path;

use decode::{Scope, Table};
use document::Document;
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
    let report = Report::default();
    let mut read = vec![entry.to_owned()];
    let config =
        read_entry(entry, files, &report, &mut read).map(|raw| build::config(raw, &report, read.clone()));
    match (report.into_errors(&read), config) {
        (None, Some(config)) => Ok(config),
        (Some(errors), _) => Err(errors),
        (None, None) => Err(ConfigErrors::default()),
    }
}

fn read_entry(
    entry: &Path,
    files: &dyn FileSource,
    report: &Report,
    read: &mut Vec<PathBuf>,
) -> Option<raw::Config> {
    let document = open(entry, files, report)?;
    let tree = document.parse(report);
    let scope = Scope {
        document: &document,
        report,
        files,
        broken_from: tree.broken_from,
    };
    let mut table = Table::root(scope, &tree.root);
    let (mut raw, patterns) = schema::entry(&mut table);
    let included = include::files(&patterns, &document, files, report);
    for path in included {
        raw.routes.extend(read_included(&path, files, report));
        read.push(path);
    }
    if raw.routes.is_empty() && report.is_empty() {
        table.missing("routes", "at least one [[routes]], here or in an included file");
    }
    table.finish();
    Some(raw)
}

fn read_included(path: &Path, files: &dyn FileSource, report: &Report) -> Vec<raw::Route> {
    let Some(document) = open(path, files, report) else {
        return Vec::new();
    };
    let tree = document.parse(report);
    let scope = Scope {
        document: &document,
        report,
        files,
        broken_from: tree.broken_from,
    };
    let mut table = Table::root(scope, &tree.root);
    let routes = schema::included(&mut table);
    table.finish();
    routes
}

fn open(path: &Path, files: &dyn FileSource, report: &Report) -> Option<Document> {
    match files.read(path) {
        Ok(text) => Some(Document::new(path, text)),
        Err(cause) => {
            let place = Place {
                file: path.into(),
                line: 1,
                column: 1,
            };
            report.problem(
                &place,
                Problem::Unreadable {
                    path: path.to_owned(),
                    cause: cause.into(),
                },
            );
            None
        }
    }
}
