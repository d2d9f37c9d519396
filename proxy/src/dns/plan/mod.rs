//! Desired x actual -> changes, as data. Pure: a dry run prints what a run would do.

mod guard;
mod host;
mod marks;
mod note;
mod show;
mod step;

use std::collections::BTreeSet;

pub use guard::{Guard, Limit, Refusal};
pub use note::Note;

use super::actual::Actual;
use super::{Desired, Kind, Registry};
use crate::cloudflare::{NewRecord, Record, RecordPatch};
use crate::config::{Dns, DnsPolicy};

/// What new zones of the smallest plan hold.
const QUOTA: usize = 200;
/// From here on it is told.
const NEAR_QUOTA: usize = 180;

/// What there is to do in a zone, and what is left undone and why. Sorted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// The zone.
    pub zone: String,
    /// Records to make.
    pub creates: Vec<Create>,
    /// Records to change.
    pub updates: Vec<Update>,
    /// Records to delete.
    pub deletes: Vec<Delete>,
    /// What whoever runs this should know.
    pub notes: Vec<Note>,
    /// What the guard held back; it is not among the rest, of which only updates are left then.
    pub refusal: Option<Refusal>,
}

/// A record to make.
#[derive(Debug, Clone, PartialEq)]
pub struct Create {
    /// What it is part of.
    pub subject: Subject,
    /// The record.
    pub record: NewRecord,
}

/// A record to change.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// What it is part of.
    pub subject: Subject,
    /// As it is.
    pub before: Record,
    /// What changes.
    pub patch: RecordPatch,
}

/// A record to delete.
#[derive(Debug, Clone, PartialEq)]
pub struct Delete {
    /// What it is part of.
    pub subject: Subject,
    /// As it is.
    pub before: Record,
}

/// What a change is part of: the records of a kind at a host.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject {
    /// The name.
    pub host: String,
    /// The kind.
    pub kind: Kind,
    /// The records themselves, or what marks them as ours.
    pub part: Part,
}

/// A record, or what marks it as ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// The TXT record that says whose it is.
    Mark,
    /// The record.
    Record,
}

/// How to plan.
#[derive(Debug, Clone)]
pub struct Options {
    /// What may be changed.
    pub policy: DnsPolicy,
    /// Whose records are whose.
    pub registry: Registry,
    /// Of what is newly made.
    pub ttl: u32,
    /// Of what is newly made.
    pub proxied: bool,
    /// How much may be deleted.
    pub guard: Guard,
}

impl Options {
    /// As the configuration says; `allow_deletes` opens the guard.
    pub fn new(dns: &Dns, allow_deletes: bool) -> Self {
        Self {
            policy: dns.policy,
            registry: Registry::new(&dns.owner, &dns.txt),
            ttl: dns.ttl,
            proxied: dns.proxied,
            guard: Guard {
                max_deletes: dns.max_deletes,
                max_percent: dns.max_delete_percent,
                open: allow_deletes,
            },
        }
    }
}

/// What to do so that what is there becomes what should be.
pub fn plan(desired: &Desired, records: &[Record], options: &Options) -> Plan {
    let mut planner = Planner {
        desired,
        options,
        actual: Actual::read(records, &options.registry),
        losses: Vec::new(),
        dangling: Vec::new(),
        ours: 0,
        plan: Plan {
            zone: desired.zone.clone(),
            notes: desired.notes.clone(),
            ..Plan::default()
        },
    };
    for host in planner.hosts() {
        planner.host(&host);
    }
    planner.dangling_marks();
    planner.finish(records.len())
}

/// A plan in the making.
struct Planner<'p> {
    desired: &'p Desired,
    options: &'p Options,
    actual: Actual<'p>,
    plan: Plan,
    /// Deletions that nothing comes in the place of, with their marks: what the guard decides on.
    losses: Vec<Delete>,
    /// Marks of ours that no record goes with: for the guard to decide on as well.
    dangling: Vec<Delete>,
    /// Records of ours that are there.
    ours: usize,
}

impl Planner<'_> {
    fn hosts(&self) -> BTreeSet<String> {
        let desired = self.desired.hosts.keys().map(String::as_str);
        desired.chain(self.actual.managed()).map(str::to_owned).collect()
    }

    fn note(&mut self, note: Note) {
        self.plan.notes.push(note);
    }

    fn finish(mut self, before: usize) -> Plan {
        self.guard();
        let records = (before + self.plan.creates.len()).saturating_sub(self.plan.deletes.len());
        // Whoever has more has a larger quota.
        if before <= QUOTA && records >= NEAR_QUOTA {
            self.note(Note::NearQuota {
                records,
                quota: QUOTA,
            });
        }
        self.plan.notes.sort();
        self.plan.notes.dedup();
        self.plan
    }
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.creates.is_empty() && self.updates.is_empty() && self.deletes.is_empty()
    }

    /// By name, kind, part, and what is stable about each: the same plan is printed and carried out in the same way.
    fn sort(&mut self) {
        self.creates
            .sort_by(|a, b| (&a.subject, &a.record.content).cmp(&(&b.subject, &b.record.content)));
        self.updates
            .sort_by(|a, b| (&a.subject, &a.before.id).cmp(&(&b.subject, &b.before.id)));
        self.deletes
            .sort_by(|a, b| (&a.subject, &a.before.id).cmp(&(&b.subject, &b.before.id)));
    }
}

impl Subject {
    fn new(host: &str, kind: Kind, part: Part) -> Self {
        Self {
            host: host.to_owned(),
            kind,
            part,
        }
    }
}
