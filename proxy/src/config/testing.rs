//! For the tests of this room and others: configurations from memory.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::{Config, FileSource, load};

/// The configuration that a text says; its files are not there.
pub(crate) fn config(text: &str) -> Config {
    let files = MemoryFiles::default().with("palisade.toml", text);
    load(Path::new("palisade.toml"), &files).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The user that a text `name:hash` says.
pub(crate) fn user(text: &str) -> (String, super::PasswordHash) {
    super::values::password::parse_user(text).unwrap_or_else(|fault| panic!("{}", fault.reason))
}

/// Files in memory. A file that is not there is not found; a text `!` cannot be read.
#[derive(Default)]
pub(crate) struct MemoryFiles(BTreeMap<PathBuf, String>);

impl MemoryFiles {
    pub(crate) fn with(mut self, path: &str, text: &str) -> Self {
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
