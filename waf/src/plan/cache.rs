//! What rule sets share: operators, scanners, and rules that are the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use sha1::{Digest, Sha1};

use super::scanners::{Needs, Scanners};
use crate::operators::{Build, Operator, OperatorError};
use crate::rule::{Rule, RuleId};
use crate::source::{RuleSource, SourceError};

/// Remembers operators, the scanners over them and rules, so that rule sets built with the same cache share what is
/// the same: profiles that differ in a threshold or an exclusion differ in little else, and a reload compiles what
/// changed.
///
/// It holds nothing alive: what no rule set uses any more is gone.
#[derive(Debug, Clone, Default)]
pub struct OperatorCache {
    known: Arc<Mutex<HashMap<Key, Vec<Known>>>>,
    scanners: Arc<Mutex<Vec<Weak<Scanners>>>>,
    rules: Arc<Mutex<HashMap<RuleId, Vec<Weak<Rule>>>>>,
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

    /// The rule, or one of another rule set that is the same.
    pub(super) fn rule(&self, rule: Rule) -> Arc<Rule> {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let known = rules.entry(rule.id).or_default();
        let mut alive = known.iter().filter_map(Weak::upgrade);
        if let Some(same) = alive.find(|known| **known == rule) {
            return same;
        }
        let rule = Arc::new(rule);
        known.push(Arc::downgrade(&rule));
        rule
    }

    /// Scanners that tell what is asked for, made now or before.
    pub(super) fn scanners(&self, needs: Needs) -> Arc<Scanners> {
        let mut known = self.scanners.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|scanners| scanners.strong_count() > 0);
        let mut alive = known.iter().filter_map(Weak::upgrade);
        if let Some(scanners) = alive.find(|scanners| scanners.cover(&needs)) {
            return scanners;
        }
        let scanners = Arc::new(Scanners::new(needs));
        known.push(Arc::downgrade(&scanners));
        scanners
    }

    /// Forgets what nobody uses any more.
    pub(super) fn sweep(&self) {
        self.lock().retain(|_, known| {
            known.retain(|known| known.operator.strong_count() > 0);
            !known.is_empty()
        });
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        rules.retain(|_, known| {
            known.retain(|known| known.strong_count() > 0);
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
    use crate::{MemorySource, RequestOrigin, RuleSet};

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

    fn rules(cache: &OperatorCache, text: &str) -> RuleSet {
        let builder = RuleSet::builder().operators(cache);
        let text = format!("SecRuleEngine On\n{text}");
        builder.text("a.conf", text).build(&MemorySource::new()).unwrap()
    }

    fn matched(rules: &RuleSet, uri: &str) -> Vec<RuleId> {
        let mut transaction = rules.transaction(RequestOrigin {
            id: String::new(),
            unix_micros: 0,
            utc_offset_seconds: 0,
        });
        transaction.request_line(b"GET", uri.as_bytes(), b"HTTP/1.1");
        let _ = transaction.request_headers();
        transaction.matched_rules().iter().map(|rule| rule.id).collect()
    }

    const RULES: &str = "SecRule ARGS \"@rx union\" \"id:1,phase:1,pass,log\"\n\
                         SecRule ARGS \"@pm select from\" \"id:2,phase:1,pass,log,t:removeWhitespace\"\n";

    #[test]
    fn rule_sets_share_the_rules_and_scanners_that_are_the_same() {
        let cache = OperatorCache::new();
        let whole = rules(&cache, RULES);
        let changed = rules(&cache, &format!("{RULES}SecRuleUpdateTargetById 1 \"!ARGS:q\""));
        let without = rules(&cache, &format!("{RULES}SecRuleRemoveById 1"));
        let same = |set: &RuleSet, id| Arc::ptr_eq(whole.rule(id).unwrap(), set.rule(id).unwrap());
        assert!(same(&changed, 2) && same(&without, 2) && !same(&changed, 1));
        assert_eq!(cache.scanners.lock().unwrap().len(), 1);
        let uri = "/?q=union&r=sel%20ect";
        assert_eq!(matched(&whole, uri), [1, 2]);
        assert_eq!(matched(&changed, uri), [2]);
        assert_eq!(matched(&without, uri), [2]);
    }

    #[test]
    fn a_rule_set_that_asks_more_has_scanners_of_its_own() {
        let cache = OperatorCache::new();
        let first = rules(&cache, RULES);
        let more = rules(
            &cache,
            &format!("{RULES}SecRule ARGS \"@streq three\" \"id:3,phase:1,pass,log\""),
        );
        assert_eq!(cache.scanners.lock().unwrap().len(), 2);
        assert_eq!(matched(&first, "/?q=three"), [] as [RuleId; 0]);
        assert_eq!(matched(&more, "/?q=three&r=union"), [1, 3]);
        drop((first, more));
        cache.sweep();
        assert!(cache.rules.lock().unwrap().is_empty());
    }
}
