//! Marks come with their records and go with them.

use super::host::deleted;
use super::{Create, Part, Planner, Subject};
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
        let marks = self.actual.marks(name, Typed::Legacy).iter();
        let gone = marks.map(|mark| deleted(subject.clone(), mark.record)).collect();
        self.delete(gone, replaced);
    }

    /// Deletes marks of ours without a record: whoever made a record of that name by hand would find it ours.
    pub(super) fn dangling_marks(&mut self) {
        if self.options.policy != DnsPolicy::Sync {
            return;
        }
        let mut dangling = Vec::new();
        for (name, typed, mark) in self.actual.our_marks() {
            let kinds: &[Kind] = match typed {
                Typed::Kind(Kind::A) => &[Kind::A],
                Typed::Kind(Kind::Aaaa) => &[Kind::Aaaa],
                Typed::Kind(Kind::Cname) => &[Kind::Cname],
                Typed::Legacy if self.actual.others(name).is_empty() => &[Kind::A, Kind::Cname],
                Typed::Legacy | Typed::Other => continue,
            };
            // What looks like `www`'s mark may be an old one of a record that is called `a-www`.
            let called_so = |kind| !self.actual.set(&mark.record.name, kind).is_empty();
            let own = typed != Typed::Legacy && [Kind::A, Kind::Cname].into_iter().any(called_so);
            if !own && kinds.iter().all(|kind| self.is_needless(name, *kind)) {
                let kind = kinds.first().copied().unwrap_or(Kind::A);
                dangling.push(deleted(Subject::new(name, kind, Part::Mark), mark.record));
            }
        }
        self.plan.deletes.extend(dangling);
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
