//! Collections that outlive a transaction (`initcol`): `IP`, `GLOBAL`, `SESSION`, `USER`, `RESOURCE`.
//!
//! Kept in the memory of one process, bounded, and shared by all rule sets that are built with the same
//! [`PersistentCollections`]. Replicas do not share them: a counter counts what one process has seen.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::plan::RuleSet;
use crate::transaction::Facts;
use crate::variables::Variable;

/// Values that one record may hold. Rules name them, so there are few; dynamic names could be many.
const VALUES_PER_RECORD: usize = 100;
/// Bytes of one value. Counters and flags are short; a request's own data must not fill the memory.
const VALUE_BYTES: usize = 4096;

/// The store, shared by clones.
#[derive(Debug, Clone, Default)]
pub struct PersistentCollections {
    shelves: Arc<Mutex<HashMap<Variable, Shelf>>>,
}

/// One record: a collection and the key it was opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) collection: Variable,
    pub(crate) key: Vec<u8>,
}

/// The rules of the house for one access.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// Now, in seconds since 1970.
    pub(crate) now: u64,
    /// Seconds after which a record that nobody writes to is forgotten.
    pub(crate) timeout: u64,
    /// Records per collection; a new one past it takes the place of the one longest not written to.
    pub(crate) records: usize,
}

impl Terms {
    /// The terms of a rule set at the time of a request.
    pub(crate) fn of(rules: &RuleSet, facts: &Facts) -> Self {
        Self {
            now: facts.origin.unix_micros / 1_000_000,
            timeout: rules.settings().collection_timeout,
            records: rules.limits().persistent_entries,
        }
    }
}

impl PersistentCollections {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes sure that a record exists (`initcol`).
    pub(crate) fn open(&self, binding: &Binding, terms: Terms) {
        let mut shelves = self.lock();
        shelves
            .entry(binding.collection)
            .or_default()
            .record(&binding.key, terms);
    }

    /// All values of a record that have not expired.
    pub(crate) fn values(&self, binding: &Binding, now: u64) -> Vec<(Vec<u8>, Vec<u8>)> {
        let shelves = self.lock();
        let record = shelves
            .get(&binding.collection)
            .and_then(|shelf| shelf.records.get(&binding.key));
        let values = record
            .filter(|record| record.expires > now)
            .into_iter()
            .flat_map(|record| &record.values);
        let alive = values.filter(|(_, value)| value.expires > now);
        alive
            .map(|(name, value)| (name.clone(), value.bytes.clone()))
            .collect()
    }

    /// Changes one value in one step, so that two requests at once count as two. `None` removes it.
    pub(crate) fn update(
        &self,
        binding: &Binding,
        name: &[u8],
        terms: Terms,
        change: impl FnOnce(Option<&[u8]>) -> Option<Vec<u8>>,
    ) {
        let mut shelves = self.lock();
        let record = shelves
            .entry(binding.collection)
            .or_default()
            .record(&binding.key, terms);
        let name = name.to_ascii_lowercase();
        let old = record.values.get(&name).filter(|value| value.expires > terms.now);
        let expires = old.map_or(u64::MAX, |value| value.expires);
        match change(old.map(|value| value.bytes.as_slice())) {
            None => {
                record.values.remove(&name);
            }
            Some(mut bytes) => {
                bytes.truncate(VALUE_BYTES);
                if record.values.len() < VALUES_PER_RECORD || record.values.contains_key(&name) {
                    record.values.insert(name, Value { bytes, expires });
                }
            }
        }
    }

    /// Lets one value expire (`expirevar`).
    pub(crate) fn expire(&self, binding: &Binding, name: &[u8], at: u64) {
        let mut shelves = self.lock();
        let record = shelves
            .get_mut(&binding.collection)
            .and_then(|shelf| shelf.records.get_mut(&binding.key));
        if let Some(value) = record.and_then(|record| record.values.get_mut(&name.to_ascii_lowercase())) {
            value.expires = at;
        }
    }

    /// A panic elsewhere cannot leave a record half written, so a poisoned lock is as good as new.
    fn lock(&self) -> MutexGuard<'_, HashMap<Variable, Shelf>> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The records of one collection.
#[derive(Debug, Default)]
struct Shelf {
    records: HashMap<Vec<u8>, Record>,
    /// From the write longest ago to the latest.
    by_age: BTreeMap<u64, Vec<u8>>,
    writes: u64,
}

#[derive(Debug, Default)]
struct Record {
    values: BTreeMap<Vec<u8>, Value>,
    expires: u64,
    written: u64,
}

#[derive(Debug)]
struct Value {
    bytes: Vec<u8>,
    expires: u64,
}

impl Shelf {
    /// The record for writing: made if absent, emptied if expired, marked as the latest.
    fn record(&mut self, key: &[u8], terms: Terms) -> &mut Record {
        if !self.records.contains_key(key) && self.records.len() >= terms.records.max(1) {
            self.forget_oldest();
        }
        self.writes += 1;
        let record = self.records.entry(key.to_vec()).or_default();
        self.by_age.remove(&record.written);
        self.by_age.insert(self.writes, key.to_vec());
        if record.expires <= terms.now {
            record.values.clear();
        }
        record.written = self.writes;
        record.expires = terms.now.saturating_add(terms.timeout);
        record
    }

    fn forget_oldest(&mut self) {
        if let Some((_, key)) = self.by_age.pop_first() {
            self.records.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: Terms = Terms {
        now: 1000,
        timeout: 60,
        records: 2,
    };

    fn ip(key: &str) -> Binding {
        Binding {
            collection: Variable::Ip,
            key: key.as_bytes().to_vec(),
        }
    }

    fn set(store: &PersistentCollections, binding: &Binding, name: &str, value: &str, terms: Terms) {
        store.update(binding, name.as_bytes(), terms, |_| {
            Some(value.as_bytes().to_vec())
        });
    }

    fn read(store: &PersistentCollections, binding: &Binding, now: u64) -> Vec<String> {
        let values = store.values(binding, now).into_iter();
        values
            .map(|(name, value)| String::from_utf8([name, value].join(&b'=')).unwrap())
            .collect()
    }

    #[test]
    fn clones_see_the_same_values_in_any_case() {
        let store = PersistentCollections::new();
        set(&store.clone(), &ip("a"), "Hits", "1", TERMS);
        store.update(&ip("a"), b"HITS", TERMS, |old| {
            Some([old.unwrap(), b"1"].concat())
        });
        assert_eq!(read(&store, &ip("a"), 1001), ["hits=11"]);
        assert!(read(&store, &ip("b"), 1001).is_empty());
    }

    #[test]
    fn a_record_nobody_writes_to_is_forgotten_after_its_timeout() {
        let store = PersistentCollections::new();
        set(&store, &ip("a"), "hits", "1", TERMS);
        assert_eq!(read(&store, &ip("a"), 1059).len(), 1);
        assert!(read(&store, &ip("a"), 1060).is_empty());
        store.open(&ip("a"), Terms { now: 1061, ..TERMS });
        assert!(read(&store, &ip("a"), 1061).is_empty());
    }

    #[test]
    fn a_single_value_expires_by_itself() {
        let store = PersistentCollections::new();
        set(&store, &ip("a"), "blocked", "1", TERMS);
        set(&store, &ip("a"), "hits", "9", TERMS);
        store.expire(&ip("a"), b"BLOCKED", 1010);
        assert_eq!(read(&store, &ip("a"), 1009), ["blocked=1", "hits=9"]);
        assert_eq!(read(&store, &ip("a"), 1010), ["hits=9"]);
    }

    #[test]
    fn a_full_collection_forgets_the_record_longest_not_written_to() {
        let store = PersistentCollections::new();
        for key in ["a", "b", "a", "c"] {
            set(&store, &ip(key), "hits", "1", TERMS);
        }
        assert!(read(&store, &ip("b"), 1001).is_empty());
        assert_eq!(read(&store, &ip("a"), 1001).len(), 1);
        assert_eq!(read(&store, &ip("c"), 1001).len(), 1);
    }

    #[test]
    fn a_record_and_a_value_are_bounded() {
        let store = PersistentCollections::new();
        for number in 0..500 {
            set(&store, &ip("a"), &number.to_string(), &"x".repeat(10_000), TERMS);
        }
        let values = store.values(&ip("a"), 1001);
        assert_eq!(values.len(), VALUES_PER_RECORD);
        assert!(values.iter().all(|(_, value)| value.len() == VALUE_BYTES));
    }
}
