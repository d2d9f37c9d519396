//! Which addresses may stand in public DNS. Pure.
//!
//! A method that tells another address than the home's own is worse than one that tells none: the name would lead
//! somewhere else. So each range that cannot be a home's public address is refused, with the reason in words that
//! say what to do.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Serialize;

/// A family of addresses, and so a type of record: A or AAAA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

/// Why an address is not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Rejection {
    /// The other family.
    #[error("of the other family: this method was asked over the wrong network")]
    OtherFamily,
    /// `0.0.0.0/8`, `::`.
    #[error("unspecified: it means no address, so the link is down")]
    Unspecified,
    /// `127.0.0.0/8`, `::1`.
    #[error("loopback: it means this host only")]
    Loopback,
    /// `10/8`, `172.16/12`, `192.168/16` (RFC 1918).
    #[error("private: there is another router between this one and the internet (double NAT)")]
    Private,
    /// `100.64.0.0/10` (RFC 6598).
    #[error(
        "carrier-grade NAT: the provider shares one address among customers, so port forwarding cannot work; ask it \
         for an address of your own, or use IPv6 or a tunnel"
    )]
    SharedByProvider,
    /// `169.254/16`, `fe80::/10`.
    #[error("link-local: it holds on one cable only, so no address was assigned")]
    LinkLocal,
    /// `fc00::/7` (RFC 4193), and `fec0::/10`, which it replaced.
    #[error("unique local: IPv6's private addresses, not reachable from the internet")]
    UniqueLocal,
    /// RFC 5737, RFC 3849, RFC 9637.
    #[error("reserved for documentation: an example that was not replaced")]
    Documentation,
    /// `198.18.0.0/15` (RFC 2544), `2001:2::/48` (RFC 5180).
    #[error("reserved for benchmarks of networks; some VPN clients answer with it in place of names")]
    Benchmarking,
    /// `224.0.0.0/4`, `ff00::/8`.
    #[error("multicast: it means a group, not a host")]
    Multicast,
    /// `255.255.255.255`.
    #[error("broadcast: it means every host of a link")]
    Broadcast,
    /// `192.0.0.0/24` (DS-Lite and 464XLAT use it at the customer's end), `240.0.0.0/4`, and what is no `2000::/3`.
    #[error("reserved: not assigned to anyone's host")]
    Reserved,
    /// `::ffff:0:0/96`, and the older `::/96`.
    #[error("an IPv4 address in the form of IPv6: it belongs into an A record, not AAAA")]
    Ipv4InIpv6,
    /// `2001::/32`, `2002::/16`, `64:ff9b::/96`, `64:ff9b:1::/48`, `192.88.99.0/24`.
    #[error("of a transition mechanism (6to4, Teredo, NAT64): others do not reach this host by it")]
    Transition,
    /// Cloudflare's own.
    #[error("Cloudflare's own: the question went through its proxy or WARP, not out of this line")]
    Cloudflare,
}

/// What was sent is not an address that could be looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// `fe80::1%eth0`.
    #[error("{0:?} is an address with a zone, which means something on one link only")]
    Zone(String),
    /// Anything else.
    #[error("{0:?} is no address")]
    NoAddress(String),
}

/// How much of what a stranger sent is repeated in an error.
const SHOWN: usize = 64;

/// Reads an address that somebody sent.
pub fn read(text: &str) -> Result<IpAddr, Unreadable> {
    let text = text.trim();
    text.parse().map_err(|_| {
        let shown: String = text.chars().take(SHOWN).collect();
        match text.split_once('%') {
            Some((address, _)) if address.parse::<Ipv6Addr>().is_ok() => Unreadable::Zone(shown),
            _ => Unreadable::NoAddress(shown),
        }
    })
}

/// Whether the address may be published in a record of this family.
pub fn check(family: Family, address: IpAddr) -> Result<(), Rejection> {
    let rejection = match (family, address) {
        (Family::Ipv4, IpAddr::V4(address)) => ipv4(address),
        (Family::Ipv6, IpAddr::V6(address)) => ipv6(address),
        _ => Some(Rejection::OtherFamily),
    };
    rejection.map_or(Ok(()), Err)
}

fn ipv4(address: Ipv4Addr) -> Option<Rejection> {
    let number = u32::from(address);
    IPV4.iter()
        .find(|(range, bits, _)| same(number.into(), u32::from(*range).into(), 32, *bits))
        .map(|(_, _, rejection)| *rejection)
}

fn ipv6(address: Ipv6Addr) -> Option<Rejection> {
    let number = u128::from(address);
    IPV6.iter()
        .find(|(range, bits, _)| same(number, u128::from(*range), 128, *bits))
        .map(|(_, _, rejection)| *rejection)
        .or((address.segments()[0] & 0xe000 != 0x2000).then_some(Rejection::Reserved))
}

/// Whether two numbers of `width` bits agree in their first `bits`; `bits` is never 0.
fn same(one: u128, other: u128, width: u32, bits: u32) -> bool {
    (one ^ other) >> (width - bits) == 0
}

/// The first that fits counts.
const IPV4: &[(Ipv4Addr, u32, Rejection)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8, Rejection::Unspecified),
    (Ipv4Addr::new(10, 0, 0, 0), 8, Rejection::Private),
    (Ipv4Addr::new(100, 64, 0, 0), 10, Rejection::SharedByProvider),
    (Ipv4Addr::new(127, 0, 0, 0), 8, Rejection::Loopback),
    (Ipv4Addr::new(169, 254, 0, 0), 16, Rejection::LinkLocal),
    (Ipv4Addr::new(172, 16, 0, 0), 12, Rejection::Private),
    (Ipv4Addr::new(192, 0, 0, 0), 24, Rejection::Reserved),
    (Ipv4Addr::new(192, 0, 2, 0), 24, Rejection::Documentation),
    (Ipv4Addr::new(192, 88, 99, 0), 24, Rejection::Transition),
    (Ipv4Addr::new(192, 168, 0, 0), 16, Rejection::Private),
    (Ipv4Addr::new(198, 18, 0, 0), 15, Rejection::Benchmarking),
    (Ipv4Addr::new(198, 51, 100, 0), 24, Rejection::Documentation),
    (Ipv4Addr::new(203, 0, 113, 0), 24, Rejection::Documentation),
    (Ipv4Addr::new(224, 0, 0, 0), 4, Rejection::Multicast),
    (Ipv4Addr::BROADCAST, 32, Rejection::Broadcast),
    (Ipv4Addr::new(240, 0, 0, 0), 4, Rejection::Reserved),
    // https://www.cloudflare.com/ips-v4, and the ranges of 1.1.1.1.
    (Ipv4Addr::new(1, 0, 0, 0), 24, Rejection::Cloudflare),
    (Ipv4Addr::new(1, 1, 1, 0), 24, Rejection::Cloudflare),
    (Ipv4Addr::new(103, 21, 244, 0), 22, Rejection::Cloudflare),
    (Ipv4Addr::new(103, 22, 200, 0), 22, Rejection::Cloudflare),
    (Ipv4Addr::new(103, 31, 4, 0), 22, Rejection::Cloudflare),
    // The list has 104.16/13 and 104.24/14; WARP leaves from the rest of the same allocation.
    (Ipv4Addr::new(104, 16, 0, 0), 12, Rejection::Cloudflare),
    (Ipv4Addr::new(108, 162, 192, 0), 18, Rejection::Cloudflare),
    (Ipv4Addr::new(131, 0, 72, 0), 22, Rejection::Cloudflare),
    (Ipv4Addr::new(141, 101, 64, 0), 18, Rejection::Cloudflare),
    (Ipv4Addr::new(162, 158, 0, 0), 15, Rejection::Cloudflare),
    (Ipv4Addr::new(172, 64, 0, 0), 13, Rejection::Cloudflare),
    (Ipv4Addr::new(173, 245, 48, 0), 20, Rejection::Cloudflare),
    (Ipv4Addr::new(188, 114, 96, 0), 20, Rejection::Cloudflare),
    (Ipv4Addr::new(190, 93, 240, 0), 20, Rejection::Cloudflare),
    (Ipv4Addr::new(197, 234, 240, 0), 22, Rejection::Cloudflare),
    (Ipv4Addr::new(198, 41, 128, 0), 17, Rejection::Cloudflare),
];

/// Likewise. What is not in `2000::/3` is reserved anyway; its ranges are here where the reason helps.
const IPV6: &[(Ipv6Addr, u32, Rejection)] = &[
    (Ipv6Addr::UNSPECIFIED, 128, Rejection::Unspecified),
    (Ipv6Addr::LOCALHOST, 128, Rejection::Loopback),
    (Ipv6Addr::UNSPECIFIED, 96, Rejection::Ipv4InIpv6),
    (
        Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0),
        96,
        Rejection::Ipv4InIpv6,
    ),
    (
        Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0),
        96,
        Rejection::Transition,
    ),
    (
        Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0),
        48,
        Rejection::Transition,
    ),
    (
        Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0),
        32,
        Rejection::Transition,
    ),
    (
        Ipv6Addr::new(0x2001, 2, 0, 0, 0, 0, 0, 0),
        48,
        Rejection::Benchmarking,
    ),
    (
        Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0),
        32,
        Rejection::Documentation,
    ),
    (
        Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0),
        16,
        Rejection::Transition,
    ),
    (
        Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0),
        20,
        Rejection::Documentation,
    ),
    (
        Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0),
        7,
        Rejection::UniqueLocal,
    ),
    (
        Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0),
        10,
        Rejection::LinkLocal,
    ),
    (
        Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0),
        10,
        Rejection::UniqueLocal,
    ),
    (
        Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0),
        8,
        Rejection::Multicast,
    ),
    // https://www.cloudflare.com/ips-v6
    (
        Ipv6Addr::new(0x2400, 0xcb00, 0, 0, 0, 0, 0, 0),
        32,
        Rejection::Cloudflare,
    ),
    (
        Ipv6Addr::new(0x2405, 0x8100, 0, 0, 0, 0, 0, 0),
        32,
        Rejection::Cloudflare,
    ),
    (
        Ipv6Addr::new(0x2405, 0xb500, 0, 0, 0, 0, 0, 0),
        32,
        Rejection::Cloudflare,
    ),
    (
        Ipv6Addr::new(0x2606, 0x4700, 0, 0, 0, 0, 0, 0),
        32,
        Rejection::Cloudflare,
    ),
    (
        Ipv6Addr::new(0x2803, 0xf800, 0, 0, 0, 0, 0, 0),
        32,
        Rejection::Cloudflare,
    ),
    (
        Ipv6Addr::new(0x2a06, 0x98c0, 0, 0, 0, 0, 0, 0),
        29,
        Rejection::Cloudflare,
    ),
    // WARP leaves from here; not in the list.
    (
        Ipv6Addr::new(0x2a09, 0xbac0, 0, 0, 0, 0, 0, 0),
        29,
        Rejection::Cloudflare,
    ),
    (
        Ipv6Addr::new(0x2c0f, 0xf248, 0, 0, 0, 0, 0, 0),
        32,
        Rejection::Cloudflare,
    ),
];

impl Family {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Ipv4, Self::Ipv6];

    /// The address that a socket of this family alone is bound to.
    pub fn any(self) -> IpAddr {
        match self {
            Self::Ipv4 => Ipv4Addr::UNSPECIFIED.into(),
            Self::Ipv6 => Ipv6Addr::UNSPECIFIED.into(),
        }
    }

    /// Whether the address is of this family.
    pub fn holds(self, address: IpAddr) -> bool {
        address.is_ipv6() == (self == Self::Ipv6)
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ddns_what_is_no_homes_address_is_refused_for_its_reason() {
        use Rejection::*;
        let table = [
            ("0.0.0.0", Unspecified),
            ("0.1.2.3", Unspecified),
            ("10.255.255.255", Private),
            ("100.64.0.0", SharedByProvider),
            ("100.127.255.255", SharedByProvider),
            ("127.0.0.53", Loopback),
            ("169.254.1.1", LinkLocal),
            ("172.16.0.1", Private),
            ("172.31.255.255", Private),
            ("192.0.0.2", Reserved),
            ("192.0.2.1", Documentation),
            ("192.88.99.1", Transition),
            ("192.168.178.1", Private),
            ("198.19.255.255", Benchmarking),
            ("198.51.100.7", Documentation),
            ("203.0.113.7", Documentation),
            ("224.0.0.251", Multicast),
            ("239.255.255.250", Multicast),
            ("240.0.0.1", Reserved),
            ("255.255.255.255", Broadcast),
            ("1.1.1.1", Cloudflare),
            ("104.16.132.229", Cloudflare),
            ("104.28.0.1", Cloudflare),
            ("172.71.255.255", Cloudflare),
            ("::", Unspecified),
            ("::1", Loopback),
            ("::198.51.100.7", Ipv4InIpv6),
            ("::ffff:8.8.8.8", Ipv4InIpv6),
            ("64:ff9b::808:808", Transition),
            ("64:ff9b:1::1", Transition),
            ("2001::1", Transition),
            ("2002:808:808::1", Transition),
            ("2001:2::1", Benchmarking),
            ("2001:db8::1", Documentation),
            ("3fff::1", Documentation),
            ("fc00::1", UniqueLocal),
            ("fd12:3456::1", UniqueLocal),
            ("fe80::1", LinkLocal),
            ("febf::1", LinkLocal),
            ("fec0::1", UniqueLocal),
            ("ff02::1", Multicast),
            ("100::1", Reserved),
            ("4000::1", Reserved),
            ("2606:4700:4700::1111", Cloudflare),
            ("2a06:98c7::1", Cloudflare),
        ];
        for (text, rejection) in table {
            let address = read(text).unwrap();
            let family = if address.is_ipv4() {
                Family::Ipv4
            } else {
                Family::Ipv6
            };
            assert_eq!(check(family, address), Err(rejection), "{text}");
        }
    }

    #[test]
    fn ddns_neighbours_of_refused_ranges_are_published() {
        let table = [
            "1.0.1.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "104.32.0.1",
            "128.0.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "172.72.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:1::1",
            "2001:4860:4860::8888",
            "2003:dead::1",
            "2a02:908::1",
            "2a06:98c8::1",
            "3ffe::1",
        ];
        for text in table {
            let address = read(text).unwrap();
            let family = if address.is_ipv4() {
                Family::Ipv4
            } else {
                Family::Ipv6
            };
            assert_eq!(check(family, address), Ok(()), "{text}");
            let other = if address.is_ipv4() {
                Family::Ipv6
            } else {
                Family::Ipv4
            };
            assert_eq!(check(other, address), Err(Rejection::OtherFamily), "{text}");
        }
    }

    #[test]
    fn ddns_what_is_read_is_an_address_and_nothing_else() {
        assert_eq!(read(" 8.8.8.8\n").unwrap(), IpAddr::from([8, 8, 8, 8]));
        let zone = read("fe80::1%eth0").unwrap_err().to_string();
        assert!(zone.contains("one link only"), "{zone}");
        for text in ["", "8.8.8", "08.8.8.8", "8.8.8.8:80", "[::1]", "<html>", "eth0%1"] {
            assert!(matches!(read(text), Err(Unreadable::NoAddress(_))), "{text}");
        }
        let long = read(&"\u{1b}[31m".repeat(1000)).unwrap_err().to_string();
        assert!(long.len() < 400 && !long.contains('\u{1b}'), "{long}");
    }
}
