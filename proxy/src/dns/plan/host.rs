//! What to do about one host: records that come, change and go.

use std::collections::BTreeSet;

use super::step::{Step, Steps};
use super::{Create, Delete, Part, Planner, Subject, Update};
use crate::cloudflare::{NewRecord, Record, RecordPatch};
use crate::dns::actual::Owner;
use crate::dns::record::target;
use crate::dns::{Host, Kind, Typed};

impl<'p> Planner<'p> {
    /// Plans the records of a host, and their marks.
    pub(super) fn host(&mut self, name: &str) {
        let host = self.desired.hosts.get(name);
        let steps = self.steps(name, host);
        for (kind, step) in &steps {
            match (step, host) {
                (Step::Blocked(note), _) => self.note(note.clone()),
                (Step::Create(targets) | Step::Update(targets), Some(host)) => {
                    self.set(name, *kind, host, targets, &steps);
                }
                (Step::Remove, _) => self.remove(name, *kind, replaced(*kind, &steps)),
                _ => {}
            }
            if self.actual.owner(name, *kind) == Owner::Ours {
                self.ours += self.actual.set(name, *kind).len();
            }
        }
        // AAAA never had such marks, so its end is none of theirs.
        let removes = |(kind, step): &(Kind, Step)| *kind != Kind::Aaaa && *step == Step::Remove;
        if steps.iter().any(removes)
            && ![Kind::A, Kind::Cname]
                .into_iter()
                .any(|kind| self.stays(name, kind, &steps))
        {
            self.remove_legacy_marks(name, replaced(Kind::Cname, &steps));
        }
    }

    /// Whether a kind has records at a name once the steps are taken.
    fn stays(&self, name: &str, kind: Kind, steps: &Steps) -> bool {
        match steps.iter().find(|(of, _)| *of == kind) {
            Some((_, Step::Create(_) | Step::Update(_))) => true,
            Some((_, Step::Remove)) | None => false,
            Some((_, Step::Keep | Step::Blocked(_))) => !self.actual.set(name, kind).is_empty(),
        }
    }

    /// Makes the records of a kind what they should be.
    fn set(&mut self, name: &str, kind: Kind, host: &Host, targets: &BTreeSet<String>, steps: &Steps) {
        let there = self.actual.set(name, kind).to_vec();
        let (mut kept, mut surplus, mut missing) = matched(kind, &there, targets);
        // A record that is changed keeps its comment and its tags.
        let changed = missing.len().min(surplus.len());
        kept.extend(surplus.drain(..changed).zip(missing.drain(..changed).map(Some)));
        let subject = Subject::new(name, kind, Part::Record);
        for (record, content) in kept {
            self.update(&subject, record, patch(host, record, content));
        }
        let surplus = surplus.into_iter().map(|record| deleted(subject.clone(), record));
        self.losses.extend(surplus);
        let model = there.first().copied().or_else(|| self.predecessor(name, steps));
        for content in missing {
            let record = self.record(name, kind, host, &content, model);
            let subject = subject.clone();
            self.plan.creates.push(Create { subject, record });
        }
        self.mark(name, kind, &host.resource);
    }

    fn update(&mut self, subject: &Subject, record: &Record, patch: RecordPatch) {
        if !patch.is_empty() {
            self.plan.updates.push(Update {
                subject: subject.clone(),
                before: record.clone(),
                patch,
            });
        }
    }

    /// A record of ours that another kind takes the place of: what somebody set at it goes on.
    fn predecessor(&self, name: &str, steps: &Steps) -> Option<&'p Record> {
        let removed = steps.iter().filter(|(_, step)| *step == Step::Remove);
        removed
            .filter_map(|(kind, _)| self.actual.set(name, *kind).first().copied())
            .next()
    }

    fn record(
        &self,
        name: &str,
        kind: Kind,
        host: &Host,
        content: &str,
        model: Option<&Record>,
    ) -> NewRecord {
        let default = model.map_or(self.options.proxied, |model| model.proxied);
        let proxied = host.proxied.unwrap_or(default);
        let ttl = host
            .ttl
            .unwrap_or(model.map_or(self.options.ttl, |model| model.ttl));
        NewRecord {
            name: name.to_owned(),
            kind: kind.record_type(),
            content: content.to_owned(),
            // What is proxied has no TTL of its own.
            ttl: if proxied { 1 } else { ttl },
            proxied: Some(proxied),
            comment: model.and_then(|model| model.comment.clone()),
        }
    }

    fn remove(&mut self, name: &str, kind: Kind, replaced: bool) {
        let subject = Subject::new(name, kind, Part::Record);
        let records = self.actual.set(name, kind).iter();
        let mut gone: Vec<Delete> = records.map(|record| deleted(subject.clone(), record)).collect();
        let subject = Subject::new(name, kind, Part::Mark);
        let marks = self.actual.marks(name, Typed::Kind(kind)).iter();
        gone.extend(marks.map(|mark| deleted(subject.clone(), mark.record)));
        self.delete(gone, replaced);
    }

    /// Deletes what another record takes the place of; what goes for good is for the guard to decide.
    pub(super) fn delete(&mut self, gone: Vec<Delete>, replaced: bool) {
        match replaced {
            true => self.plan.deletes.extend(gone),
            false => self.losses.extend(gone),
        }
    }
}

/// Whether another kind takes the place of this one.
fn replaced(kind: Kind, steps: &Steps) -> bool {
    let creates = |(by, step): &(Kind, Step)| matches!(step, Step::Create(_)) && by.excludes(kind);
    steps.iter().any(creates)
}

/// What a record that stays has to change.
fn patch(host: &Host, record: &Record, content: Option<String>) -> RecordPatch {
    let proxied = host.proxied.unwrap_or(record.proxied);
    let ttl = match proxied {
        true => 1,
        false => host.ttl.unwrap_or(record.ttl),
    };
    RecordPatch {
        content,
        ttl: (ttl != record.ttl).then_some(ttl),
        proxied: (proxied != record.proxied).then_some(proxied),
    }
}

pub(super) fn deleted(subject: Subject, record: &Record) -> Delete {
    Delete {
        subject,
        before: record.clone(),
    }
}

/// A record that stays, and what its content becomes if that changes.
type Kept<'r> = (&'r Record, Option<String>);

/// Records that have what they should, those that have not, and targets that none has.
fn matched<'r>(
    kind: Kind,
    there: &[&'r Record],
    targets: &BTreeSet<String>,
) -> (Vec<Kept<'r>>, Vec<&'r Record>, Vec<String>) {
    let mut missing = targets.clone();
    let (mut kept, mut surplus) = (Vec::new(), Vec::new());
    for record in there {
        match missing.remove(&target(kind, &record.content)) {
            true => kept.push((*record, None)),
            false => surplus.push(*record),
        }
    }
    (kept, surplus, missing.into_iter().collect())
}
