//! Configurations from text: what is measured went through the same validation as what serves.

use std::io;
use std::path::Path;

use palisade::config::{Config, ConfigErrors, FileSource, load};

/// The configuration that a text says.
pub fn from_text(text: &str) -> Result<Config, ConfigErrors> {
    load(Path::new("palisade.toml"), &OneText(text))
}

struct OneText<'a>(&'a str);

impl FileSource for OneText<'_> {
    fn read(&self, path: &Path) -> io::Result<String> {
        self.readable(path).map(|()| self.0.to_owned())
    }

    fn names(&self, _folder: &Path) -> io::Result<Vec<String>> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn readable(&self, path: &Path) -> io::Result<()> {
        let known = path.ends_with("palisade.toml");
        known.then_some(()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}
