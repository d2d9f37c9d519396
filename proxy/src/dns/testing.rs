//! A zone in memory, for the tests of this room.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Desired, Guard, Host, Kind, Options, Plan, Registry, Wants, Wish, plan};
use crate::cloudflare::{NewRecord, Record, RecordType};
use crate::config::{DnsPolicy, TxtNames};

pub(super) const ZONE: &str = "ex.com";

/// What is there, and what a plan makes of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Model {
    pub(super) records: Vec<Record>,
    next: usize,
}

impl Model {
    /// A record per line: `A www 203.0.113.5`, with `ttl=60`, `proxied`, `comment=text` behind it; a mark as
    /// `MARK a-www OWNER`, with `for=palisade/r` behind it if another than `r` made it.
    pub(super) fn of(text: &str) -> Self {
        let mut model = Self::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            model.add(parse(line));
        }
        model
    }

    pub(super) fn add(&mut self, record: NewRecord) {
        self.next += 1;
        let proxied = record.proxied.unwrap_or_default();
        self.records.push(Record {
            id: format!("id{:04}", self.next),
            name: record.name,
            kind: record.kind,
            content: record.content,
            // As Cloudflare does it.
            ttl: if proxied { 1 } else { record.ttl },
            proxied,
            comment: record.comment,
            tags: Vec::new(),
            raw: None,
        });
    }

    /// Carries a plan out in the order of a batch.
    pub(super) fn apply(&mut self, plan: &Plan) {
        for delete in &plan.deletes {
            let before = self.records.len();
            self.records.retain(|record| record.id != delete.before.id);
            assert_eq!(
                self.records.len() + 1,
                before,
                "deleted twice or unknown: {delete}"
            );
        }
        for update in &plan.updates {
            let mut records = self.records.iter_mut();
            let record = records.find(|record| record.id == update.before.id).unwrap();
            let patch = update.patch.clone();
            record.content = patch.content.unwrap_or(record.content.clone());
            record.proxied = patch.proxied.unwrap_or(record.proxied);
            record.ttl = if record.proxied {
                1
            } else {
                patch.ttl.unwrap_or(record.ttl)
            };
        }
        for create in &plan.creates {
            self.refuse_conflicts(&create.record);
            self.add(create.record.clone());
        }
    }

    /// What the API refuses: a CNAME in company, and a record that is there.
    fn refuse_conflicts(&self, new: &NewRecord) {
        for old in self.records.iter().filter(|old| old.name == new.name) {
            assert!(
                old.kind != new.kind || old.content != new.content,
                "81058: {new:?}"
            );
            let kinds = Kind::of(old).zip(kind_of(&new.kind));
            assert!(
                !kinds.is_some_and(|(old, new)| old.excludes(new)),
                "81053: {new:?}"
            );
        }
    }

    pub(super) fn plan(&self, desired: &Desired, options: &Options) -> Plan {
        plan(desired, &self.records, options)
    }

    /// The records as `of` reads them, without their identifiers.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .records
            .iter()
            .map(|record| {
                let proxied = if record.proxied { " proxied" } else { "" };
                let comment = record.comment.as_deref().map(|text| format!(" comment={text}"));
                format!(
                    "{} {} {} ttl={}{proxied}{}",
                    record.kind,
                    record.name,
                    record.content,
                    record.ttl,
                    comment.unwrap_or_default()
                )
            })
            .collect();
        lines.sort();
        lines
    }
}

fn kind_of(kind: &RecordType) -> Option<Kind> {
    Kind::ALL.into_iter().find(|known| known.record_type() == *kind)
}

fn parse(line: &str) -> NewRecord {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [kind, name, content, rest @ ..] = words.as_slice() else {
        panic!("{line}");
    };
    let option = |key: &str| rest.iter().find_map(|word| word.strip_prefix(key));
    let (kind, content) = match *kind {
        "MARK" => (RecordType::Txt, mark(content, option("for=").unwrap_or("r"))),
        kind => (RecordType::from(kind), (*content).to_owned()),
    };
    NewRecord {
        name: full(name),
        kind,
        content,
        ttl: option("ttl=").map_or(1, |ttl| ttl.parse().unwrap()),
        proxied: Some(rest.contains(&"proxied")),
        comment: option("comment=").map(str::to_owned),
    }
}

fn mark(owner: &str, resource: &str) -> String {
    format!("\"heritage=external-dns,external-dns/owner={owner},external-dns/resource={resource}\"")
}

pub(super) fn full(name: &str) -> String {
    match name {
        "@" => ZONE.to_owned(),
        name => format!("{name}.{ZONE}"),
    }
}

pub(super) fn options() -> Options {
    Options {
        policy: DnsPolicy::Sync,
        registry: Registry::new("me", &TxtNames::default()),
        ttl: 1,
        proxied: false,
        guard: Guard {
            max_deletes: 10,
            max_percent: 100,
            open: false,
        },
    }
}

/// A host that should have these: `203.0.113.5 2001:db8::1`, or `?` and `-` for an IPv4 family that is not known or
/// none of our business, `6?` and `6-` for IPv6; or a name.
pub(super) fn host(targets: &str) -> Host {
    let (mut v4, mut v6) = (Wish::Targets([].into()), Wish::Targets([].into()));
    let mut name = None;
    for word in targets.split_whitespace() {
        match word {
            "?" => v4 = Wish::Unknown,
            "-" => v4 = Wish::Alone,
            "6?" => v6 = Wish::Unknown,
            "6-" => v6 = Wish::Alone,
            word => match (word.parse(), &mut v4, &mut v6) {
                (Ok(IpAddr::V4(address)), Wish::Targets(v4), _) => drop(v4.insert(address)),
                (Ok(IpAddr::V6(address)), _, Wish::Targets(v6)) => drop(v6.insert(address)),
                _ => name = Some(word.to_owned()),
            },
        }
    }
    Host {
        resource: "palisade/r".to_owned(),
        wants: name.map_or(Wants::Addresses { v4, v6 }, Wants::Name),
        ttl: None,
        proxied: None,
    }
}

/// `www: 203.0.113.5` per line.
pub(super) fn wanted(text: &str) -> Desired {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let hosts = lines.map(|line| {
        let (name, targets) = line.split_once(": ").unwrap();
        (full(name), host(targets))
    });
    Desired {
        zone: ZONE.to_owned(),
        hosts: hosts.collect::<BTreeMap<_, _>>(),
        notes: Vec::new(),
    }
}
