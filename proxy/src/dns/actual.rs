//! A zone's records, sorted by name and by whose they are.

use std::collections::BTreeMap;

use super::registry::RESOURCE;
use super::{Kind, Labels, Registry, Typed};
use crate::cloudflare::{Record, RecordType};

/// What is there.
pub(super) struct Actual<'r> {
    names: BTreeMap<&'r str, Name<'r>>,
    marks: BTreeMap<(String, Typed), Vec<Mark<'r>>>,
    owner: &'r str,
}

/// What is there at one name.
#[derive(Default)]
struct Name<'r> {
    sets: BTreeMap<Kind, Vec<&'r Record>>,
    others: Vec<&'r Record>,
}

/// A mark, of whomever.
pub(super) struct Mark<'r> {
    pub(super) record: &'r Record,
    labels: Labels,
}

/// Whose a record set is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owner {
    Ours,
    Other(String),
    Nobody,
}

impl<'r> Actual<'r> {
    pub(super) fn read(records: &'r [Record], registry: &'r Registry) -> Self {
        let mut actual = Self {
            names: BTreeMap::new(),
            marks: BTreeMap::new(),
            owner: registry.owner(),
        };
        for record in records {
            actual.enter(record, registry);
        }
        actual
    }

    /// Names with records of a managed kind.
    pub(super) fn managed(&self) -> impl Iterator<Item = &'r str> {
        let names = self.names.iter().filter(|(_, name)| !name.sets.is_empty());
        names.map(|(name, _)| *name)
    }

    /// The records of a kind at a name.
    pub(super) fn set(&self, name: &str, kind: Kind) -> &[&'r Record] {
        let sets = self.names.get(name).map(|name| &name.sets);
        sets.and_then(|sets| sets.get(&kind)).map_or(&[], Vec::as_slice)
    }

    /// Records at a name that are neither managed nor TXT.
    pub(super) fn others(&self, name: &str) -> &[&'r Record] {
        self.names.get(name).map_or(&[], |name| name.others.as_slice())
    }

    /// Whose the records of a kind at a name are, or would be.
    pub(super) fn owner(&self, name: &str, kind: Kind) -> Owner {
        let typed = self.claim(self.marks(name, Typed::Kind(kind)));
        match typed {
            // There were no AAAA marks without a type.
            Owner::Nobody if kind != Kind::Aaaa => self.claim(self.marks(name, Typed::Legacy)),
            typed => typed,
        }
    }

    /// Marks for a name.
    pub(super) fn marks(&self, name: &str, typed: Typed) -> &[Mark<'r>] {
        let key = (name.to_owned(), typed);
        self.marks.get(&key).map_or(&[], Vec::as_slice)
    }

    /// What marks of ours there are, and for what.
    pub(super) fn our_marks(&self) -> impl Iterator<Item = (&str, Typed, &Mark<'r>)> {
        let marks = self.marks.iter();
        marks.flat_map(|((name, typed), marks)| {
            let ours = marks.iter().filter(|mark| self.is_ours(mark));
            ours.map(|mark| (name.as_str(), *typed, mark))
        })
    }

    /// Whether a mark is one of ours.
    pub(super) fn is_ours(&self, mark: &Mark<'_>) -> bool {
        mark.labels.owner == self.owner
    }

    /// Two marks that contradict one another make nobody's record ours.
    fn claim(&self, marks: &[Mark<'_>]) -> Owner {
        match marks.iter().find(|mark| !self.is_ours(mark)) {
            Some(other) => Owner::Other(other.labels.owner.clone()),
            None if marks.is_empty() => Owner::Nobody,
            None => Owner::Ours,
        }
    }

    fn enter(&mut self, record: &'r Record, registry: &Registry) {
        if record.kind == RecordType::Txt {
            let labels = Labels::read(&record.content);
            if let (Some(labels), Some(subject)) = (labels, registry.subject(&record.name)) {
                self.marks
                    .entry(subject)
                    .or_default()
                    .push(Mark { record, labels });
            }
            return;
        }
        let name = self.names.entry(record.name.as_str()).or_default();
        match Kind::of(record) {
            Some(kind) => name.sets.entry(kind).or_default().push(record),
            None => name.others.push(record),
        }
    }
}

impl Mark<'_> {
    /// Whether it was written by an edge, and not by what had the zone before.
    pub(super) fn is_of_an_edge(&self) -> bool {
        let resource = self.labels.resource.as_deref();
        resource.is_some_and(|resource| resource.starts_with(RESOURCE))
    }
}
