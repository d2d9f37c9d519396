//! Rule files from a directory.

use std::fs;
use std::io;
use std::path::PathBuf;

use palisade_waf::source::glob_matches;
use palisade_waf::{RuleSource, SourceError};

/// Reads what lies under one root.
#[derive(Debug, Clone)]
pub struct Directory {
    root: PathBuf,
}

impl Directory {
    /// Names given to the source are relative to `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }
}

impl RuleSource for Directory {
    fn read(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        fs::read(self.root.join(path)).map_err(|cause| failure(path, &cause))
    }

    fn list(&self, pattern: &str) -> Result<Vec<String>, SourceError> {
        if !pattern.contains(['*', '?']) {
            return Ok(vec![pattern.to_owned()]);
        }
        let folder = pattern.rsplit_once('/').map_or("", |(folder, _)| folder);
        let entries = fs::read_dir(self.root.join(folder)).map_err(|cause| failure(folder, &cause))?;
        let mut names: Vec<String> = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .map(|name| {
                if folder.is_empty() {
                    name
                } else {
                    format!("{folder}/{name}")
                }
            })
            .filter(|name| glob_matches(pattern, name))
            .collect();
        names.sort();
        Ok(names)
    }
}

fn failure(path: &str, cause: &io::Error) -> SourceError {
    let path = path.to_owned();
    if cause.kind() == io::ErrorKind::NotFound {
        return SourceError::NotFound { path };
    }
    SourceError::Unreadable {
        path,
        reason: cause.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_give_sorted_names() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("rules")).unwrap();
        for name in ["b.conf", "a.conf", "c.data"] {
            fs::write(root.path().join("rules").join(name), name).unwrap();
        }
        let source = Directory::new(root.path());
        assert_eq!(
            source.list("rules/*.conf").unwrap(),
            ["rules/a.conf", "rules/b.conf"]
        );
        assert_eq!(source.read("rules/c.data").unwrap(), b"c.data");
        assert!(matches!(
            source.read("rules/x"),
            Err(SourceError::NotFound { .. })
        ));
    }
}
