//! What to do about one host.

use std::collections::BTreeSet;

use super::{Create, Delete, Note, Part, Planner, Subject, Update};
use crate::cloudflare::{NewRecord, Record, RecordPatch, RecordType};
use crate::config::DnsPolicy;
use crate::dns::actual::Owner;
use crate::dns::record::target;
use crate::dns::{Host, Kind, Typed};

/// What happens to the records of one kind.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    /// Nothing.
    Keep,
    /// They come. What is missing of them is in here.
    Create(BTreeSet<String>),
    /// They become these.
    Update(BTreeSet<String>),
    /// They go.
    Remove,
    /// They should come or change, and cannot.
    Blocked(Note),
}

type Steps = [(Kind, Step); 3];

impl<'p> Planner<'p> {
    /// Plans the records of a host, and their marks.
    pub(super) fn host(&mut self, name: &str) {
        let host = self.desired.hosts.get(name);
        let steps = self.steps(name, host);
        let replaced = |kind: Kind| {
            let creates = |(by, step): &(Kind, Step)| matches!(step, Step::Create(_)) && by.excludes(kind);
            steps.iter().any(creates)
        };
        for (kind, step) in &steps {
            match (step, host) {
                (Step::Blocked(note), _) => self.note(note.clone()),
                (Step::Create(targets) | Step::Update(targets), Some(host)) => {
                    self.set(name, *kind, host, targets, &steps);
                }
                (Step::Remove, _) => self.remove(name, *kind, replaced(*kind)),
                _ => {}
            }
            if self.actual.owner(name, *kind) == Owner::Ours {
                self.ours += self.actual.set(name, *kind).len();
            }
        }
        let leaves = |kind: Kind| match steps.iter().find(|(of, _)| *of == kind) {
            Some((_, Step::Create(_) | Step::Update(_))) => true,
            Some((_, Step::Remove)) | None => false,
            Some(_) => !self.actual.set(name, kind).is_empty(),
        };
        if steps.iter().any(|(_, step)| *step == Step::Remove) && !leaves(Kind::A) && !leaves(Kind::Cname) {
            self.remove_legacy_marks(name, replaced(Kind::A) || replaced(Kind::Cname));
        }
    }

    fn steps(&self, name: &str, host: Option<&Host>) -> Steps {
        let mut steps = Kind::ALL.map(|kind| (kind, self.step(name, kind, host)));
        let first = steps.clone();
        for (kind, step) in &mut steps {
            if let (Step::Create(_), Some(note)) = (&*step, self.hindrance(name, *kind, &first)) {
                *step = Step::Blocked(note);
            }
        }
        // A host that cannot have what it should keeps what it has.
        let lives = |(_, step): &(Kind, Step)| matches!(step, Step::Create(_) | Step::Update(_));
        let blocked = |(_, step): &(Kind, Step)| matches!(step, Step::Blocked(_));
        if steps.iter().any(blocked) && !steps.iter().any(lives) {
            for (_, step) in steps.iter_mut().filter(|(_, step)| *step == Step::Remove) {
                *step = Step::Keep;
            }
        }
        steps
    }

    /// What one kind asks for, as if it were alone.
    fn step(&self, name: &str, kind: Kind, host: Option<&Host>) -> Step {
        let wanted = match host {
            Some(host) => host.targets(kind),
            None => Some(BTreeSet::new()),
        };
        let there = !self.actual.set(name, kind).is_empty();
        let policy = self.options.policy;
        match (wanted, self.actual.owner(name, kind)) {
            (None, _) => Step::Keep,
            (Some(wanted), Owner::Ours) if there && wanted.is_empty() => match policy {
                DnsPolicy::Sync => Step::Remove,
                DnsPolicy::UpsertOnly | DnsPolicy::CreateOnly => Step::Keep,
            },
            (Some(wanted), _) if wanted.is_empty() => Step::Keep,
            (Some(wanted), Owner::Ours) if there => match policy {
                DnsPolicy::Sync | DnsPolicy::UpsertOnly => Step::Update(wanted),
                DnsPolicy::CreateOnly => Step::Keep,
            },
            (Some(wanted), Owner::Nobody | Owner::Ours) if !there => Step::Create(wanted),
            (Some(_), owner) => Step::Blocked(Note::NotOurs {
                host: name.to_owned(),
                kind,
                owner: match owner {
                    Owner::Other(owner) if !owner.is_empty() => Some(owner),
                    _ => None,
                },
            }),
        }
    }

    /// Why records of a kind cannot come to a name.
    fn hindrance(&self, name: &str, kind: Kind, steps: &Steps) -> Option<Note> {
        let host = name.to_owned();
        let zone = &self.desired.zone;
        let delegation = RecordType::Other("NS".to_owned());
        if name != zone
            && self
                .actual
                .others(name)
                .iter()
                .any(|other| other.kind == delegation)
        {
            return Some(Note::Delegated { host, kind });
        }
        let others = steps.iter().filter(|(other, _)| *other != kind);
        for (by, step) in others.filter(|(other, _)| !self.actual.set(name, *other).is_empty()) {
            let (host, by) = (host.clone(), *by);
            if self.actual.owner(name, by) != Owner::Ours {
                return Some(Note::Taken { host, kind, by });
            }
            if kind.excludes(by) && *step != Step::Remove {
                return Some(Note::Kept { host, kind, by });
            }
        }
        let problem = self.options.registry.mark_name(name, kind, zone).err()?;
        Some(Note::Unmarkable { host, kind, problem })
    }

    /// Makes the records of a kind what they should be.
    fn set(&mut self, name: &str, kind: Kind, host: &Host, targets: &BTreeSet<String>, steps: &Steps) {
        let there = self.actual.set(name, kind).to_vec();
        let mut missing: Vec<&String> = targets.iter().collect();
        let mut surplus = Vec::new();
        let mut kept = Vec::new();
        for record in &there {
            match missing
                .iter()
                .position(|text| **text == target(kind, &record.content))
            {
                Some(at) => {
                    missing.swap_remove(at);
                    kept.push((*record, None));
                }
                None => surplus.push(*record),
            }
        }
        missing.sort();
        // A record that is changed keeps its comment and its tags.
        let changed = missing.len().min(surplus.len());
        kept.extend(surplus.drain(..changed).zip(missing.drain(..changed).map(Some)));
        let subject = Subject::new(name, kind, Part::Record);
        for (record, content) in kept {
            self.update(&subject, record, patch(host, record, content.cloned()));
        }
        let surplus = surplus.into_iter().map(|record| deleted(subject.clone(), record));
        self.losses.extend(surplus);
        let model = there.first().copied().or_else(|| self.replaced(name, steps));
        for content in missing {
            let record = self.record(name, kind, host, content, model);
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
    fn replaced(&self, name: &str, steps: &Steps) -> Option<&'p Record> {
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
