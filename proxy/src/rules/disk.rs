//! Rule text for the engine: the verified rule set, and the SecLang files that the configuration names.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use palisade_waf::source::glob_matches;
use palisade_waf::{RuleSource, SourceError};

use super::manifest::sha256;
use super::verify::InstalledRules;

/// A word list or rule file of an operator; the largest list of CRS has 70 kB.
const MAX_OWN_FILE_BYTES: u64 = 16 << 20;

/// Reads from the verified rule set (relative names, from memory) and from the folders of the SecLang files
/// that the configuration names (absolute names, from disk): `@pmFromFile` and `Include` in them reach their
/// own folder and what is below it, nothing else.
#[derive(Debug)]
pub struct DiskSource<'a> {
    rules: &'a InstalledRules,
    folders: Vec<PathBuf>,
    stamps: Mutex<Vec<FileStamp>>,
}

/// What a file from disk held when it was read: tells whether what was compiled from it is still right.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileStamp {
    path: PathBuf,
    /// `None` if it could not be read.
    hash: Option<String>,
}

impl FileStamp {
    /// Whether the file still is as it was.
    pub fn is_current(&self) -> bool {
        *self == Self::of(&self.path)
    }

    fn of(path: &Path) -> Self {
        let hash = fs::read(path).ok().map(|content| sha256(&content));
        Self {
            path: path.to_path_buf(),
            hash,
        }
    }
}

impl<'a> DiskSource<'a> {
    /// A source of `rules` and of the folders of these SecLang files, whose names must be absolute.
    pub fn new<'p>(rules: &'a InstalledRules, seclang: impl IntoIterator<Item = &'p PathBuf>) -> Self {
        let folders = seclang
            .into_iter()
            .filter_map(|file| fs::canonicalize(file.parent()?).ok())
            .collect();
        Self {
            rules,
            folders,
            stamps: Mutex::new(Vec::new()),
        }
    }

    /// The files that were read from disk so far.
    pub fn stamps(&self) -> Vec<FileStamp> {
        self.stamps
            .lock()
            .map(|stamps| stamps.clone())
            .unwrap_or_default()
    }

    /// The real path of an absolute name, if it is within one of the folders.
    fn confined(&self, path: &str) -> Result<PathBuf, SourceError> {
        let real = fs::canonicalize(path).map_err(|error| unreadable(path, &error))?;
        if self.folders.iter().any(|folder| real.starts_with(folder)) {
            return Ok(real);
        }
        Err(SourceError::Unreadable {
            path: path.to_owned(),
            reason: "outside of the folders of the configured SecLang files".to_owned(),
        })
    }
}

impl RuleSource for DiskSource<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        if !path.starts_with('/') {
            let content = self.rules.content(path).map(<[u8]>::to_vec);
            return content.ok_or_else(|| SourceError::NotFound {
                path: path.to_owned(),
            });
        }
        let real = self.confined(path)?;
        let length = fs::metadata(&real)
            .map_err(|error| unreadable(path, &error))?
            .len();
        if length > MAX_OWN_FILE_BYTES {
            let reason = format!("larger than {MAX_OWN_FILE_BYTES} bytes");
            return Err(SourceError::Unreadable {
                path: path.to_owned(),
                reason,
            });
        }
        let content = fs::read(&real).map_err(|error| unreadable(path, &error))?;
        if let Ok(mut stamps) = self.stamps.lock() {
            stamps.push(FileStamp {
                path: real,
                hash: Some(sha256(&content)),
            });
        }
        Ok(content)
    }

    fn list(&self, pattern: &str) -> Result<Vec<String>, SourceError> {
        if !pattern.contains(['*', '?']) {
            return Ok(vec![pattern.to_owned()]);
        }
        if !pattern.starts_with('/') {
            let names = self.rules.names().filter(|name| glob_matches(pattern, name));
            return Ok(names.map(str::to_owned).collect());
        }
        let folder = pattern.rsplit_once('/').map_or("/", |(folder, _)| folder);
        let mut names: Vec<String> = fs::read_dir(self.confined(folder)?)
            .map_err(|error| unreadable(folder, &error))?
            .filter_map(|entry| Some(format!("{folder}/{}", entry.ok()?.file_name().to_str()?)))
            .filter(|name| glob_matches(pattern, name))
            .collect();
        names.sort();
        Ok(names)
    }
}

fn unreadable(path: &str, error: &std::io::Error) -> SourceError {
    match error.kind() {
        std::io::ErrorKind::NotFound => SourceError::NotFound {
            path: path.to_owned(),
        },
        _ => SourceError::Unreadable {
            path: path.to_owned(),
            reason: error.to_string(),
        },
    }
}
