//! Stories about whole configurations, read from memory.

mod faults;
pub(super) mod schema;
mod stories;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::{Config, FileSource, load};

/// Files in memory. A file that is not there is not found; a text `!` cannot be read.
#[derive(Default)]
pub(super) struct MemoryFiles(BTreeMap<PathBuf, String>);

impl MemoryFiles {
    pub(super) fn with(mut self, path: &str, text: &str) -> Self {
        self.0.insert(path.into(), text.to_owned());
        self
    }
}

impl FileSource for MemoryFiles {
    fn read(&self, path: &Path) -> io::Result<String> {
        match self.0.get(path).map(String::as_str) {
            Some("!") => Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "permission denied",
            )),
            Some(text) => Ok(text.to_owned()),
            None => Err(io::Error::new(io::ErrorKind::NotFound, "no such file")),
        }
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        let names: Vec<String> = self
            .0
            .keys()
            .filter(|path| path.parent() == Some(folder))
            .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
            .rev()
            .collect();
        if names.is_empty() {
            Err(io::Error::new(io::ErrorKind::NotFound, "no such folder"))
        } else {
            Ok(names)
        }
    }

    fn readable(&self, path: &Path) -> io::Result<()> {
        self.read(path).map(drop)
    }
}

/// The configuration of one file `p.toml`.
fn one(text: &str) -> Result<Config, String> {
    all(MemoryFiles::default().with("p.toml", text))
}

/// The configuration that begins with `p.toml`; the errors as they are shown, without the count.
fn all(files: MemoryFiles) -> Result<Config, String> {
    load(Path::new("p.toml"), &files).map_err(|errors| {
        let shown = errors.to_string();
        let (lines, count) = shown.rsplit_once('\n').expect("a count line");
        let total = errors.diagnostics().len();
        assert!(count.starts_with(&format!("{total} error")), "{count}");
        assert_eq!(lines.lines().count(), total, "one line each: {lines}");
        lines.to_owned()
    })
}
