//! What is wanted: the types that are managed, and what a host should point to.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::cloudflare::{Record, RecordType};

/// The types of records that are managed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// An IPv4 address.
    A,
    /// An IPv6 address.
    Aaaa,
    /// Another name; alone at its own.
    Cname,
}

/// What one family of addresses should be. Not to know it, to have nothing to do with it, and to want none are three
/// things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish<T> {
    /// These. None of them: records of ours go.
    Targets(BTreeSet<T>),
    /// Not known now: what is there stays.
    Unknown,
    /// None of our business: what is there stays.
    Alone,
}

/// What a host should point to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wants {
    /// Addresses, each family by itself.
    Addresses {
        /// A records.
        v4: Wish<Ipv4Addr>,
        /// AAAA records.
        v6: Wish<Ipv6Addr>,
    },
    /// Another name.
    Name(String),
}

/// A name that should be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// For whom, as its mark says: `palisade/<route>`.
    pub resource: String,
    /// What it points to.
    pub wants: Wants,
    /// Where the route has one of its own: then it is held. The default is only for what is newly made.
    pub ttl: Option<u32>,
    /// Likewise.
    pub proxied: Option<bool>,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::A, Self::Aaaa, Self::Cname];

    /// The kind of a record, if it is one that is managed.
    pub fn of(record: &Record) -> Option<Self> {
        match record.kind {
            RecordType::A => Some(Self::A),
            RecordType::Aaaa => Some(Self::Aaaa),
            RecordType::Cname => Some(Self::Cname),
            RecordType::Txt | RecordType::Other(_) => None,
        }
    }

    /// As the API names it.
    pub fn record_type(self) -> RecordType {
        match self {
            Self::A => RecordType::A,
            Self::Aaaa => RecordType::Aaaa,
            Self::Cname => RecordType::Cname,
        }
    }

    /// Whether the two cannot be at one name (RFC 1034, section 3.6.2).
    pub fn excludes(self, other: Self) -> bool {
        self != other && (self == Self::Cname || other == Self::Cname)
    }
}

impl Host {
    /// What of a kind should be there; `None` to leave what is.
    pub fn targets(&self, kind: Kind) -> Option<BTreeSet<String>> {
        match (&self.wants, kind) {
            (Wants::Name(name), Kind::Cname) => Some(BTreeSet::from([target(Kind::Cname, name)])),
            (Wants::Name(_), _) => Some(BTreeSet::new()),
            (Wants::Addresses { v4, .. }, Kind::A) => v4.texts(),
            (Wants::Addresses { v6, .. }, Kind::Aaaa) => v6.texts(),
            (Wants::Addresses { v4, v6 }, Kind::Cname) => {
                // A name in the way goes when something comes in its place, or when nothing should be there.
                let families = [v4.texts(), v6.texts()];
                let comes = families.iter().flatten().any(|texts| !texts.is_empty());
                let none = families.iter().all(Option::is_some);
                (comes || none).then(BTreeSet::new)
            }
        }
    }
}

impl<T: fmt::Display> Wish<T> {
    fn texts(&self) -> Option<BTreeSet<String>> {
        match self {
            Self::Targets(targets) => Some(targets.iter().map(T::to_string).collect()),
            Self::Unknown | Self::Alone => None,
        }
    }
}

/// A record's content in the one form in which it is compared.
pub(super) fn target(kind: Kind, content: &str) -> String {
    let canonical = match kind {
        Kind::A => content
            .parse::<Ipv4Addr>()
            .map(|address| address.to_string())
            .ok(),
        Kind::Aaaa => content
            .parse::<Ipv6Addr>()
            .map(|address| address.to_string())
            .ok(),
        Kind::Cname => None,
    };
    canonical.unwrap_or_else(|| content.trim_end_matches('.').to_ascii_lowercase())
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.record_type().as_str())
    }
}
