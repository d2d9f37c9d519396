//! From a record of the API to what the DNS has for it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hickory_proto::rr::rdata::{A, AAAA, CAA, CNAME, MX, NS, TXT};
use hickory_proto::rr::{Name, RData};

use crate::cloudflare::content::txt_strings;
use crate::cloudflare::record::Record;

/// What the DNS shows for a record that the proxy serves.
const PROXY: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(104, 16, 0, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2606, 0x4700, 0, 0, 0, 0, 0x6810, 1)),
];

/// What 1 (automatic) means.
const AUTOMATIC_TTL: u32 = 300;

/// The TTL in the DNS.
pub(super) fn ttl(record: &Record) -> u32 {
    match record.ttl {
        1 => AUTOMATIC_TTL,
        ttl => ttl,
    }
}

/// The data in the DNS; empty for types that the fake does not serve, whose names exist all the same.
pub(super) fn data(record: &Record) -> Vec<RData> {
    if record.proxied {
        return PROXY.map(address).to_vec();
    }
    let content = record.content.as_str();
    let data = match record.kind.as_str() {
        "A" | "AAAA" => content.parse().ok().map(address),
        "CNAME" => name(content).map(|target| RData::CNAME(CNAME(target))),
        "NS" => name(content).map(|target| RData::NS(NS(target))),
        "MX" => name(content).map(|target| RData::MX(MX::new(record.priority.unwrap_or(0), target))),
        "TXT" => Some(txt(content)),
        "CAA" => caa(record),
        _ => None,
    };
    data.into_iter().collect()
}

/// A name without a dot at its end.
pub(super) fn name(text: &str) -> Option<Name> {
    Name::from_ascii(format!("{text}.")).ok()
}

pub(super) fn address(address: IpAddr) -> RData {
    match address {
        IpAddr::V4(address) => RData::A(A(address)),
        IpAddr::V6(address) => RData::AAAA(AAAA(address)),
    }
}

fn txt(content: &str) -> RData {
    let strings = txt_strings(content);
    RData::TXT(TXT::from_bytes(strings.iter().map(Vec::as_slice).collect()))
}

fn caa(record: &Record) -> Option<RData> {
    let data = record.data.as_ref()?;
    let flags = data["flags"].as_u64()?;
    let mut caa = CAA::new_issue(flags & 128 != 0, None, Vec::new());
    caa.tag = data["tag"].as_str()?.to_owned();
    caa.value = data["value"].as_str()?.as_bytes().to_vec();
    Some(RData::CAA(caa))
}
