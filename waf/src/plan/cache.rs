//! Operators that rule sets share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use sha1::{Digest, Sha1};

use crate::operators::{Build, Operator, OperatorError};
use crate::source::{RuleSource, SourceError};

/// Remembers operators, so that rule sets built with the same cache share compiled patterns: profiles
/// that differ in a threshold differ in nothing else, and a reload compiles what changed.
///
/// It holds no operator alive: what no rule set uses any more is gone.
#[derive(Debug, Clone, Default)]
pub struct OperatorCache {
    known: Arc<Mutex<HashMap<Key, Vec<Known>>>>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    /// Lower case.
    name: String,
    argument: String,
}

#[derive(Debug)]
struct Known {
    operator: Weak<Operator>,
    /// The folder its files were looked for in; of no meaning if it read none.
    folder: String,
    files: Vec<FileRead>,
}

/// A file an operator asked for while it was made, and what it got.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FileRead {
    path: String,
    /// `None`: it could not be read.
    content: Option<[u8; 20]>,
}

impl OperatorCache {
    /// An empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    /// The operator, made now or before.
    pub(super) fn operator(
        &self,
        name: &str,
        argument: &str,
        build: &Build<'_>,
    ) -> Result<Arc<Operator>, OperatorError> {
        let key = Key {
            name: name.to_ascii_lowercase(),
            argument: argument.to_owned(),
        };
        if let Some(operator) = self.find(&key, build) {
            return Ok(operator);
        }
        let recorder = Recorder {
            source: build.source,
            files: Mutex::default(),
        };
        let operator = Operator::build(
            name,
            argument,
            &Build {
                source: &recorder,
                folder: build.folder,
            },
        )?;
        let files = recorder
            .files
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let known = Known {
            operator: Arc::downgrade(&operator),
            folder: build.folder.to_owned(),
            files,
        };
        self.lock().entry(key).or_default().push(known);
        Ok(operator)
    }

    /// Forgets operators that nobody uses any more.
    pub(super) fn sweep(&self) {
        self.lock().retain(|_, known| {
            known.retain(|known| known.operator.strong_count() > 0);
            !known.is_empty()
        });
    }

    fn find(&self, key: &Key, build: &Build<'_>) -> Option<Arc<Operator>> {
        let known = self.lock();
        let mut fitting = known.get(key)?.iter().filter(|known| known.fits(build));
        fitting.find_map(|known| known.operator.upgrade())
    }

    /// The map is whole after every change of it, also if a panic interrupts its user.
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Vec<Known>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Whether the operator would be made of the same bytes again.
    fn fits(&self, build: &Build<'_>) -> bool {
        self.files.is_empty()
            || (self.folder == build.folder
                && self
                    .files
                    .iter()
                    .all(|file| digest(&build.source.read(&file.path)) == file.content))
    }
}

/// Passes files on and notes what they were.
struct Recorder<'a> {
    source: &'a dyn RuleSource,
    files: Mutex<Vec<FileRead>>,
}

impl RuleSource for Recorder<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        let bytes = self.source.read(path);
        let read = FileRead {
            path: path.to_owned(),
            content: digest(&bytes),
        };
        self.files
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(read);
        bytes
    }

    fn list(&self, pattern: &str) -> Result<Vec<String>, SourceError> {
        self.source.list(pattern)
    }
}

fn digest(bytes: &Result<Vec<u8>, SourceError>) -> Option<[u8; 20]> {
    bytes.as_ref().ok().map(|bytes| Sha1::digest(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemorySource;

    fn make(cache: &OperatorCache, name: &str, argument: &str, folder: &str, words: &str) -> Arc<Operator> {
        let mut source = MemorySource::new();
        source.insert("a/words.data", words).insert("b/words.data", words);
        cache
            .operator(
                name,
                argument,
                &Build {
                    source: &source,
                    folder,
                },
            )
            .unwrap()
    }

    #[test]
    fn the_same_operator_is_made_once() {
        let cache = OperatorCache::new();
        let one = make(&cache, "rx", "^a", "a", "");
        assert!(Arc::ptr_eq(&one, &make(&cache.clone(), "RX", "^a", "b", "")));
        assert!(!Arc::ptr_eq(&one, &make(&cache, "rx", "^A", "a", "")));
        assert!(!Arc::ptr_eq(
            &one,
            &make(&OperatorCache::new(), "rx", "^a", "a", "")
        ));
    }

    #[test]
    fn a_changed_file_makes_another_operator() {
        let cache = OperatorCache::new();
        let one = make(&cache, "pmFromFile", "words.data", "a", "one");
        assert!(Arc::ptr_eq(
            &one,
            &make(&cache, "pmFromFile", "words.data", "a", "one")
        ));
        let two = make(&cache, "pmFromFile", "words.data", "a", "two");
        assert!(!Arc::ptr_eq(&one, &two));
        // The same name in another folder is another file.
        assert!(!Arc::ptr_eq(
            &one,
            &make(&cache, "pmFromFile", "words.data", "b", "one")
        ));
    }

    #[test]
    fn what_nobody_uses_is_forgotten() {
        let cache = OperatorCache::new();
        let kept = make(&cache, "rx", "a", "", "");
        drop(make(&cache, "rx", "b", "", ""));
        cache.sweep();
        assert_eq!(cache.lock().len(), 1);
        assert!(Arc::ptr_eq(&kept, &make(&cache, "rx", "a", "", "")));
    }
}
