//! Where rule text and data files come from: a narrow trait, so that the engine itself opens no file.

use std::collections::BTreeMap;

/// Why a rule file could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// No file of that name.
    #[error("{path}: no such file")]
    NotFound {
        /// The name as it was asked for.
        path: String,
    },
    /// The file exists but cannot be read.
    #[error("{path}: {reason}")]
    Unreadable {
        /// The name as it was asked for.
        path: String,
        /// The cause in the source's own words.
        reason: String,
    },
}

/// Gives the bytes behind the names that rules use (`Include`, `@pmFromFile`, `@ipMatchFromFile`).
///
/// Names are `/`-separated. The engine resolves a relative name against the folder of the file that
/// uses it before it asks.
pub trait RuleSource {
    /// The content of one file.
    fn read(&self, path: &str) -> Result<Vec<u8>, SourceError>;

    /// The files that a name with `*` or `?` in its last component stands for, sorted. A name without
    /// wildcards stands for itself.
    fn list(&self, pattern: &str) -> Result<Vec<String>, SourceError>;
}

/// Rule text kept in memory: for generated configuration and for tests.
#[derive(Debug, Clone, Default)]
pub struct MemorySource {
    files: BTreeMap<String, Vec<u8>>,
}

impl MemorySource {
    /// An empty source.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces a file.
    pub fn insert(&mut self, path: impl Into<String>, content: impl Into<Vec<u8>>) -> &mut Self {
        self.files.insert(path.into(), content.into());
        self
    }
}

impl RuleSource for MemorySource {
    fn read(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        self.files
            .get(path)
            .cloned()
            .ok_or_else(|| SourceError::NotFound {
                path: path.to_owned(),
            })
    }

    fn list(&self, pattern: &str) -> Result<Vec<String>, SourceError> {
        let names: Vec<String> = self
            .files
            .keys()
            .filter(|name| glob_matches(pattern, name))
            .cloned()
            .collect();
        if names.is_empty() && !pattern.contains(['*', '?']) {
            return Err(SourceError::NotFound {
                path: pattern.to_owned(),
            });
        }
        Ok(names)
    }
}

/// The folder of a file, without a trailing `/`; empty for a bare name.
pub fn folder_of(path: &str) -> &str {
    path.rsplit_once('/')
        .map_or("", |(folder, _)| if folder.is_empty() { "/" } else { folder })
}

/// A name as a file in `folder` means it: names that begin with `/` stand for themselves, `.` and `..`
/// are resolved as far as the text allows.
pub fn resolve(folder: &str, name: &str) -> String {
    let absolute = name.starts_with('/') || (!name.is_empty() && folder.starts_with('/'));
    let whole = if name.starts_with('/') {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            // Nothing is above the root.
            ".." if absolute => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    if absolute { format!("/{joined}") } else { joined }
}

/// Whether `name` is what the wildcard `pattern` stands for: `*` and `?` never cross a `/`.
pub fn glob_matches(pattern: &str, name: &str) -> bool {
    fn matches(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) => {
                matches(rest, name)
                    || name
                        .split_first()
                        .is_some_and(|(byte, tail)| *byte != b'/' && matches(pattern, tail))
            }
            (Some((b'?', rest)), Some((byte, tail))) => *byte != b'/' && matches(rest, tail),
            (Some((wanted, rest)), Some((byte, tail))) => wanted == byte && matches(rest, tail),
            _ => false,
        }
    }
    matches(pattern.as_bytes(), name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stay_within_one_folder() {
        assert!(glob_matches("rules/*.conf", "rules/REQUEST-901.conf"));
        assert!(!glob_matches("rules/*.conf", "rules/deep/REQUEST-901.conf"));
        assert!(glob_matches("a?c", "abc"));
        assert!(!glob_matches("a?c", "a/c"));
    }

    #[test]
    fn names_are_resolved_against_the_folder_of_their_file() {
        let table = [
            ("", "a.conf", "a.conf"),
            ("rules", "a.conf", "rules/a.conf"),
            ("rules", "../x/./a.conf", "x/a.conf"),
            ("rules", "/etc/a.conf", "/etc/a.conf"),
            ("/etc/crs", "rules/*.conf", "/etc/crs/rules/*.conf"),
            ("", "../a.conf", "../a.conf"),
            ("/", "../a.conf", "/a.conf"),
        ];
        for (folder, name, expected) in table {
            assert_eq!(resolve(folder, name), expected, "{folder} {name}");
        }
        assert_eq!(folder_of("rules/a.conf"), "rules");
        assert_eq!(folder_of("a.conf"), "");
        assert_eq!(folder_of("/a.conf"), "/");
    }

    #[test]
    fn an_absent_file_is_named() {
        let error = MemorySource::new().read("rules/x.conf").unwrap_err();
        assert_eq!(error.to_string(), "rules/x.conf: no such file");
    }
}
