//! A zone as one name server sees it at one time: which names exist, and what is there (RFC 1034, RFC 4592).

use hickory_proto::rr::rdata::{NS, SOA};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use super::content;
use crate::cloudflare::content::is_within;
use crate::cloudflare::zone::{Version, Zone};

/// How long the absence of a name may be remembered.
const NEGATIVE_TTL: u32 = 60;

/// What is at a name.
#[derive(Debug)]
pub(super) struct Entry {
    name: String,
    pub ttl: u32,
    /// None for types that the fake does not serve.
    pub data: Option<RData>,
}

/// The zone.
#[derive(Debug)]
pub(super) struct View {
    pub zone: String,
    serial: u32,
    entries: Vec<Entry>,
}

impl View {
    pub(super) fn new(zone: &Zone, version: Version) -> Self {
        let mut view = View {
            zone: zone.name.clone(),
            serial: version.serial,
            entries: Vec::new(),
        };
        view.push(&zone.name, 3600, Some(view.soa_data()));
        for index in 0..zone.name_servers {
            let host = format!("ns{}.{}", index + 1, zone.name);
            let target = content::name(&host).map(|name| RData::NS(NS(name)));
            view.push(&zone.name, 86_400, target);
            view.push(
                &host,
                86_400,
                Some(content::address(super::address(index).into())),
            );
        }
        for record in version.records.iter() {
            let ttl = content::ttl(record);
            let mut data = content::data(record);
            if data.is_empty() {
                view.push(&record.name, ttl, None);
            }
            for data in data.drain(..) {
                view.push(&record.name, ttl, Some(data));
            }
        }
        view
    }

    /// Whether the name is this zone's.
    pub(super) fn holds(&self, name: &str) -> bool {
        is_within(name, &self.zone)
    }

    /// What is at the name, perhaps by a wildcard. Nothing means that the name does not exist; an empty list, that
    /// it does, and has no data.
    pub(super) fn find(&self, name: &str) -> Option<Vec<&Entry>> {
        if self.exists(name) {
            return Some(self.at(name));
        }
        let mut encloser = name;
        while let Some((_, parent)) = encloser.split_once('.') {
            encloser = parent;
            if self.exists(encloser) {
                break;
            }
        }
        let wildcard = self.at(&format!("*.{encloser}"));
        (!wildcard.is_empty()).then_some(wildcard)
    }

    /// The delegation at or above the name, without the zone's own name servers.
    pub(super) fn delegation(&self, name: &str) -> Vec<Record> {
        let is_cut = |entry: &&Entry| {
            matches!(entry.data, Some(RData::NS(_)))
                && entry.name != self.zone
                && is_within(name, &entry.name)
        };
        let cut = self
            .entries
            .iter()
            .filter(is_cut)
            .min_by_key(|entry| entry.name.len());
        let Some(cut) = cut.and_then(|cut| content::name(&cut.name)) else {
            return Vec::new();
        };
        let servers = self.entries.iter().filter(is_cut);
        let servers = servers.filter(|entry| content::name(&entry.name).as_ref() == Some(&cut));
        servers.filter_map(|entry| entry.record(&cut)).collect()
    }

    /// For answers that nothing is there.
    pub(super) fn soa(&self) -> Option<Record> {
        let name = content::name(&self.zone)?;
        Some(Record::from_rdata(name, NEGATIVE_TTL, self.soa_data()))
    }

    fn soa_data(&self) -> RData {
        let name = |text: String| content::name(&text).unwrap();
        let (server, contact) = (format!("ns1.{}", self.zone), format!("dns.{}", self.zone));
        let soa = SOA::new(
            name(server),
            name(contact),
            self.serial,
            10_000,
            2_400,
            604_800,
            NEGATIVE_TTL,
        );
        RData::SOA(soa)
    }

    fn exists(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| is_within(&entry.name, name))
    }

    fn at(&self, name: &str) -> Vec<&Entry> {
        self.entries.iter().filter(|entry| entry.name == name).collect()
    }

    fn push(&mut self, name: &str, ttl: u32, data: Option<RData>) {
        self.entries.push(Entry {
            name: name.to_owned(),
            ttl,
            data,
        });
    }
}

impl Entry {
    /// As a record of this name.
    pub(super) fn record(&self, name: &Name) -> Option<Record> {
        let data = self.data.clone()?;
        Some(Record::from_rdata(name.clone(), self.ttl, data))
    }

    /// Whether a question of this type is for it.
    pub(super) fn is(&self, kind: RecordType) -> bool {
        let own = self.data.as_ref().map(RData::record_type);
        own.is_some_and(|own| kind == own || kind == RecordType::ANY)
    }
}

/// In lower case, without the dot at its end.
pub(super) fn lower(name: &Name) -> String {
    let text = name.to_ascii().to_ascii_lowercase();
    text.strip_suffix('.').unwrap_or(&text).to_owned()
}
