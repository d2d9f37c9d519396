//! Routes x zones x addresses -> what should be there, zone by zone. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::registry::RESOURCE;
use super::{Host, Kind, Note, Wants, Wish};
use crate::config::{Dns, DnsTarget, HostId, HostPattern, Route, Zone, is_within};

/// What should be there in one zone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Desired {
    /// The zone.
    pub zone: String,
    /// Its hosts, by name.
    pub hosts: BTreeMap<String, Host>,
    /// What whoever runs this should know.
    pub notes: Vec<Note>,
}

/// The home's addresses, each family by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// IPv4.
    pub v4: Found<Ipv4Addr>,
    /// IPv6.
    pub v6: Found<Ipv6Addr>,
}

/// An address of the home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<T> {
    /// This one.
    Known(T),
    /// There is one, and it is not known now.
    Unknown,
    /// Nobody looks for one: records of this family are none of our business.
    None,
}

impl Addresses {
    /// Those of another host behind the same IPv6 prefix; of IPv4 a home has one.
    fn of_host(self, id: Option<HostId>) -> Self {
        match id {
            Some(id) => Self {
                v6: self.v6.and_then(|home| Some(id.behind(home))),
                ..self
            },
            None => self,
        }
    }
}

impl<T> Found<T> {
    /// Another form of a known address; one that has none is not known.
    pub fn and_then<U>(self, form: impl FnOnce(T) -> Option<U>) -> Found<U> {
        match self {
            Self::Known(address) => form(address).map_or(Found::Unknown, Found::Known),
            Self::Unknown => Found::Unknown,
            Self::None => Found::None,
        }
    }
}

/// What should be there: a set for each zone whose records are looked after, even if it is empty.
pub fn desired(routes: &[Arc<Route>], zones: &[Zone], dns: &Dns, found: &Addresses) -> Vec<Desired> {
    let mut all: BTreeMap<&str, Desired> = zones
        .iter()
        .filter(|zone| zone.records)
        .map(|zone| (zone.name.as_str(), empty(zone)))
        .collect();
    for route in routes.iter().filter(|route| route.dns.enabled != Some(false)) {
        for host in &route.hosts {
            let name = host.to_string();
            // The most specific zone, even if its records are not looked after: they are in no other.
            let zone = zone_of(host, zones).and_then(|zone| all.get_mut(zone.name.as_str()));
            if let Some(desired) = zone {
                desired.add(name, route, dns, found);
            }
        }
    }
    all.into_values()
        .map(|desired| desired.with_unknown(found))
        .collect()
}

impl Desired {
    fn add(&mut self, name: String, route: &Route, dns: &Dns, found: &Addresses) {
        let found = &found.of_host(route.dns.ipv6_host_id.or(dns.ipv6_host_id));
        let targets = match route.dns.targets.as_slice() {
            [] => dns.targets.as_slice(),
            targets => targets,
        };
        let mut host = Host {
            resource: format!("{RESOURCE}{}", route.name),
            wants: wants(targets, found),
            ttl: route.dns.ttl,
            proxied: route.dns.proxied,
        };
        // The name that others point to: it is looked after elsewhere, and it stays.
        if host.wants == Wants::Name(name.clone()) {
            host.wants = Wants::Addresses {
                v4: Wish::Alone,
                v6: Wish::Alone,
            };
            self.notes.push(Note::Itself { host: name.clone() });
        }
        match self.hosts.get(&name) {
            None => drop(self.hosts.insert(name, host)),
            Some(first) if first.same_records(&host) => {}
            Some(first) => {
                let first = first.resource.trim_start_matches(RESOURCE).to_owned();
                self.notes.push(Note::Differ {
                    host: name,
                    first,
                    other: route.name.clone(),
                });
            }
        }
    }

    /// Tells once what is not known, if a host waits for it.
    fn with_unknown(mut self, found: &Addresses) -> Self {
        let waits = |kind: Kind| {
            let wishes = self.hosts.values().map(|host| &host.wants);
            wishes.into_iter().any(|wants| match (wants, kind) {
                (Wants::Addresses { v4, .. }, Kind::A) => *v4 == Wish::Unknown,
                (Wants::Addresses { v6, .. }, Kind::Aaaa) => *v6 == Wish::Unknown,
                _ => false,
            })
        };
        let unknown = [
            (Kind::A, found.v4 == Found::Unknown),
            (Kind::Aaaa, found.v6 == Found::Unknown),
        ];
        let notes: Vec<Note> = unknown
            .into_iter()
            .filter(|(kind, unknown)| *unknown && waits(*kind))
            .map(|(kind, _)| Note::AddressUnknown { kind })
            .collect();
        self.notes.extend(notes);
        self
    }
}

impl Host {
    fn same_records(&self, other: &Self) -> bool {
        (&self.wants, self.ttl, self.proxied) == (&other.wants, other.ttl, other.proxied)
    }
}

impl<T: Ord> Found<T> {
    fn wish(self) -> Wish<T> {
        match self {
            Self::Known(address) => Wish::Targets(BTreeSet::from([address])),
            Self::Unknown => Wish::Unknown,
            Self::None => Wish::Alone,
        }
    }
}

fn empty(zone: &Zone) -> Desired {
    Desired {
        zone: zone.name.clone(),
        ..Desired::default()
    }
}

fn zone_of<'z>(host: &HostPattern, zones: &'z [Zone]) -> Option<&'z Zone> {
    // `*.example.com` is a record of the zone that example.com is in.
    let (HostPattern::Exact(name) | HostPattern::Wildcard(name)) = host;
    let of = zones.iter().filter(|zone| is_within(name, &zone.name));
    of.max_by_key(|zone| zone.name.len())
}

/// Explicit targets are the whole truth: a family that is not among them is not wanted.
fn wants(targets: &[DnsTarget], found: &Addresses) -> Wants {
    let (mut v4, mut v6) = (BTreeSet::new(), BTreeSet::new());
    for target in targets {
        match target {
            DnsTarget::Name(name) => return Wants::Name(name.clone()),
            DnsTarget::Address(IpAddr::V4(address)) => drop(v4.insert(*address)),
            DnsTarget::Address(IpAddr::V6(address)) => drop(v6.insert(*address)),
        }
    }
    match targets {
        [] => Wants::Addresses {
            v4: found.v4.wish(),
            v6: found.v6.wish(),
        },
        _ => Wants::Addresses {
            v4: Wish::Targets(v4),
            v6: Wish::Targets(v6),
        },
    }
}
