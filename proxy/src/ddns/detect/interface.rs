//! An interface of this host that has the public address itself: always so with IPv6, and with IPv4 where the host is
//! the router.

use std::cmp::Reverse;
use std::net::{IpAddr, Ipv6Addr};

use if_addrs::get_if_addrs;

use super::DetectError;
use super::routes::default_route;
use crate::ddns::address::{Family, check};

/// Flags of an IPv6 address (linux/if_addr.h).
const TEMPORARY: u8 = 0x01;
const DUPLICATE: u8 = 0x08;
const DEPRECATED: u8 = 0x20;
const TENTATIVE: u8 = 0x40;
const PERMANENT: u8 = 0x80;

/// The address of the interface with this name, or else of the default route's. One that may be published is preferred
/// to one that may not.
pub fn detect(family: Family, name: Option<&str>) -> Result<IpAddr, DetectError> {
    let route = || default_route(family).map(|route| route.interface);
    let name = match name.map(str::to_owned).or_else(route) {
        Some(name) => name,
        None => return Err(DetectError::NoRoute(family)),
    };
    let address = match family {
        Family::Ipv4 => ipv4(&name)?,
        Family::Ipv6 => {
            let text = std::fs::read_to_string("/proc/self/net/if_inet6").unwrap_or_default();
            ipv6(&text, &name).map(IpAddr::V6)
        }
    };
    address.ok_or(DetectError::NoAddress { name, family })
}

fn ipv4(name: &str) -> Result<Option<IpAddr>, DetectError> {
    let interfaces = get_if_addrs().map_err(DetectError::Interfaces)?;
    let addresses = interfaces
        .iter()
        .filter(|interface| interface.name == name)
        .map(|interface| interface.ip())
        .filter(|address| address.is_ipv4());
    Ok(addresses.min_by_key(|address| (check(Family::Ipv4, *address).is_err(), *address)))
}

/// Of the lines `address index prefix scope flags name`. A temporary address is gone tomorrow, a deprecated one is no
/// longer used for what is new; one that somebody assigned by hand is meant.
fn ipv6(text: &str, name: &str) -> Option<Ipv6Addr> {
    let addresses = text.lines().filter_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let [address, _, _, _, flags, interface] = columns.as_slice() else {
            return None;
        };
        let address = Ipv6Addr::from(u128::from_str_radix(address, 16).ok()?);
        let flags = u8::from_str_radix(flags, 16).ok()?;
        let usable = *interface == name && flags & (DUPLICATE | TENTATIVE) == 0;
        usable.then_some((address, flags))
    });
    let best = addresses.min_by_key(|(address, flags)| {
        (
            check(Family::Ipv6, (*address).into()).is_err(),
            flags & DEPRECATED,
            flags & TEMPORARY,
            Reverse(flags & PERMANENT),
            *address,
        )
    });
    best.map(|(address, _)| address)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = "\
20014860000000010000000000000001 02 40 00 01     eth0
20014860000000010000000000000002 02 40 00 21     eth0
20014860000000010000000000000003 02 40 00 20     eth0
20014860000000010000000000000004 02 40 00 00     eth0
20014860000000010000000000000000 02 40 00 c0     eth0
fd000000000000000000000000000002 02 40 00 80     eth0
fe800000000000000000000000000001 02 40 20 80     eth0
20014860000000020000000000000001 03 40 00 00     eth1
20014860000000020000000000000002 03 40 00 80     eth1
fd000000000000000000000000000003 04 40 00 80     lan0
fe800000000000000000000000000001 04 40 20 80     lan0
20014860000000030000000000000001 05 40 00 40     new0
";

    #[test]
    fn ddns_interface_prefers_addresses_that_last() {
        let table = [
            ("eth0", Some("2001:4860:0:1::4")),
            ("eth1", Some("2001:4860:0:2::2")),
            ("lan0", Some("fd00::3")),
            ("new0", None),
            ("eth", None),
        ];
        for (name, expected) in table {
            let expected = expected.map(|text| text.parse().unwrap());
            assert_eq!(ipv6(LINES, name), expected, "{name}");
        }
    }

    #[test]
    fn ddns_interface_is_read_from_this_host() {
        assert_eq!(
            detect(Family::Ipv4, Some("lo")).unwrap(),
            IpAddr::from([127, 0, 0, 1])
        );
        let told = detect(Family::Ipv4, Some("none0")).unwrap_err().to_string();
        assert_eq!(told, "none0 has no IPv4 address");
    }
}
