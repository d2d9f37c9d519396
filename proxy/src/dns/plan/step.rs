//! What may be done to the records of each kind at a host: what is wanted, whose they are, what the policy lets.

use std::collections::BTreeSet;

use super::{Note, Planner};
use crate::cloudflare::RecordType;
use crate::config::DnsPolicy;
use crate::dns::actual::Owner;
use crate::dns::{Host, Kind};

/// What happens to the records of one kind.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// Nothing.
    Keep,
    /// These come.
    Create(BTreeSet<String>),
    /// They become these.
    Update(BTreeSet<String>),
    /// They go.
    Remove,
    /// They should come or change, and cannot.
    Blocked(Note),
}

/// Every kind, and what happens to it.
pub(super) type Steps = [(Kind, Step); 3];

impl Planner<'_> {
    /// What happens to each kind at a host.
    pub(super) fn steps(&self, name: &str, host: Option<&Host>) -> Steps {
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
        let Some(wanted) = wanted else {
            return Step::Keep;
        };
        let there = !self.actual.set(name, kind).is_empty();
        let policy = self.options.policy;
        match self.actual.owner(name, kind) {
            Owner::Ours if there && wanted.is_empty() && policy == DnsPolicy::Sync => Step::Remove,
            _ if wanted.is_empty() => Step::Keep,
            Owner::Ours if there && policy == DnsPolicy::CreateOnly => Step::Keep,
            Owner::Ours if there => Step::Update(wanted),
            Owner::Nobody | Owner::Ours if !there => Step::Create(wanted),
            owner => Step::Blocked(Note::NotOurs {
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
        let mut beside = self.actual.others(name).iter();
        if name != zone && beside.any(|record| record.kind == delegation) {
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
}
