//! Marks come with their records and go with them.

use super::host::deleted;
use super::{Create, Note, Part, Planner, Subject};
use crate::cloudflare::{NewRecord, RecordType};
use crate::config::DnsPolicy;
use crate::dns::{Kind, Typed};

impl Planner<'_> {
    /// Makes the mark of a record set, unless it is there.
    pub(super) fn mark(&mut self, name: &str, kind: Kind, resource: &str) {
        if !self.actual.marks(name, Typed::Kind(kind)).is_empty() {
            return;
        }
        let registry = &self.options.registry;
        // A record that an old mark proves ours may be one that has no new mark; it goes on with the old one.
        let Ok(mark) = registry.mark_name(name, kind, &self.desired.zone) else {
            return;
        };
        let record = NewRecord {
            name: mark,
            kind: RecordType::Txt,
            content: registry.content(resource),
            ttl: 1,
            proxied: None,
            comment: None,
        };
        let subject = Subject::new(name, kind, Part::Mark);
        self.plan.creates.push(Create { subject, record });
    }

    /// Deletes our marks without a type at a name that has no record any more that they could speak for.
    pub(super) fn remove_legacy_marks(&mut self, name: &str, replaced: bool) {
        if !self.actual.others(name).is_empty() {
            return;
        }
        let subject = Subject::new(name, Kind::A, Part::Mark);
        // A record that is ours by its typed mark may have old ones of others beside it.
        let marks = self.actual.marks(name, Typed::Legacy).iter();
        let ours = marks.filter(|mark| self.actual.is_ours(mark));
        let gone = ours.map(|mark| deleted(subject.clone(), mark.record)).collect();
        self.delete(gone, replaced);
    }

    /// Finds marks of ours without a record: whoever made a record of that name by hand would find it ours. Only what
    /// an edge wrote, under the name that it would write today: any other name may be read wrongly, and the mark be
    /// that of a record which is there.
    pub(super) fn dangling_marks(&mut self) {
        if self.options.policy != DnsPolicy::Sync {
            return;
        }
        let mut dangling = Vec::new();
        for (name, typed, mark) in self.actual.our_marks() {
            // Without a type, the name says nothing that could be checked.
            let Typed::Kind(kind) = typed else { continue };
            let written = self.options.registry.mark_name(name, kind, &self.desired.zone);
            let by_us = mark.is_of_an_edge() && written.as_ref() == Ok(&mark.record.name);
            // What looks like `www`'s mark may be an old one of a record that is called `a-www`.
            let called_so = |kind| !self.actual.set(&mark.record.name, kind).is_empty();
            let own = [Kind::A, Kind::Cname].into_iter().any(called_so);
            if by_us && !own && self.is_needless(name, kind) && !self.misses_marks(kind) {
                dangling.push(deleted(Subject::new(name, kind, Part::Mark), mark.record));
            }
        }
        self.dangling = dangling;
    }

    /// Whether a host that we are to look after has records of this kind that nobody's mark speaks for: so it looks
    /// where `txt_prefix`, `txt_suffix` or the wildcard's replacement were changed, and what seems to be a mark of
    /// nothing is theirs.
    fn misses_marks(&self, kind: Kind) -> bool {
        let mut notes = self.plan.notes.iter();
        notes.any(|note| matches!(note, Note::NotOurs { kind: of, owner: None, .. } if *of == kind))
    }

    /// Whether there is no record of this kind, and none should come.
    fn is_needless(&self, name: &str, kind: Kind) -> bool {
        let wanted = match self.desired.hosts.get(name) {
            Some(host) => host.targets(kind).is_none_or(|targets| !targets.is_empty()),
            None => false,
        };
        !wanted && self.actual.set(name, kind).is_empty()
    }
}
