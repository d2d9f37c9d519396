//! `@ipMatch ADDRESS,...`: the value is one of the addresses, or in one of the networks.
//!
//! A value that is no address matches nothing. An IPv4 address in IPv6 form (`::ffff:192.0.2.1`) is the
//! IPv4 address.
//!
//! Argument: IPv4 and IPv6 addresses and networks (`192.0.2.0/24`), with commas between them.
//!
//! Example: `SecRule REMOTE_ADDR "@ipMatch 127.0.0.1,::1,10.0.0.0/8" "id:1,pass,ctl:ruleEngine=Off"`
//!
//! Source: SecLang reference, ipMatch. Coraza skips what it cannot read; here it is an error.

use std::net::IpAddr;

use super::argument::refuse;
use super::{Build, Captures, Evaluate, OperatorError};
use crate::macros::Lookup;

/// `@ipMatch`.
#[derive(Debug)]
pub struct IpMatch(Networks);

impl Evaluate for IpMatch {
    fn build(name: &'static str, argument: &str, _build: &Build<'_>) -> Result<Self, OperatorError> {
        Networks::parse(name, argument.split(',')).map(Self)
    }

    fn matches(&self, input: &[u8], _lookup: &dyn Lookup, _captures: Option<&mut Captures>) -> bool {
        self.0.contain(input)
    }
}

/// Sets of addresses as sorted ranges, so that a long list costs a binary search.
#[derive(Debug)]
pub(super) struct Networks {
    v4: Vec<(u128, u128)>,
    v6: Vec<(u128, u128)>,
}

impl Networks {
    pub(super) fn parse<'a>(
        name: &'static str,
        networks: impl Iterator<Item = &'a str>,
    ) -> Result<Self, OperatorError> {
        let mut ranges = Self {
            v4: Vec::new(),
            v6: Vec::new(),
        };
        for network in networks.map(str::trim).filter(|network| !network.is_empty()) {
            let (address, first, last) = range(network)
                .ok_or_else(|| refuse(name, format!("\"{network}\" is no address and no network")))?;
            match address {
                IpAddr::V4(_) => ranges.v4.push((first, last)),
                IpAddr::V6(_) => ranges.v6.push((first, last)),
            }
        }
        if ranges.v4.is_empty() && ranges.v6.is_empty() {
            return Err(refuse(name, "expected addresses or networks"));
        }
        ranges.v4 = merged(ranges.v4);
        ranges.v6 = merged(ranges.v6);
        Ok(ranges)
    }

    pub(super) fn contain(&self, input: &[u8]) -> bool {
        let address = std::str::from_utf8(input)
            .ok()
            .and_then(|text| text.trim().parse::<IpAddr>().ok());
        let Some(address) = address.map(|address| address.to_canonical()) else {
            return false;
        };
        let (ranges, number) = match address {
            IpAddr::V4(address) => (&self.v4, u128::from(address.to_bits())),
            IpAddr::V6(address) => (&self.v6, address.to_bits()),
        };
        let after = ranges.partition_point(|(first, _)| *first <= number);
        after > 0 && ranges[after - 1].1 >= number
    }
}

/// The first and last address of a network; its bits past the prefix do not count.
fn range(network: &str) -> Option<(IpAddr, u128, u128)> {
    let (address, prefix) = match network.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix.parse::<u32>().ok()?)),
        None => (network, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let (number, bits) = match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    let host_bits = bits
        - prefix
            .filter(|prefix| *prefix <= bits)
            .or(prefix.is_none().then_some(bits))?;
    let host = 1u128.checked_shl(host_bits).map_or(u128::MAX, |size| size - 1);
    Some((address, number & !host, number | host))
}

/// Sorts ranges and joins those that overlap.
fn merged(mut ranges: Vec<(u128, u128)>) -> Vec<(u128, u128)> {
    ranges.sort_unstable();
    let mut joined: Vec<(u128, u128)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match joined.last_mut() {
            Some(before) if first <= before.1 => before.1 = before.1.max(last),
            _ => joined.push((first, last)),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::super::testing::{build, check};

    #[test]
    fn addresses_and_networks_match() {
        let list = "192.0.2.7, 10.0.0.0/8,10.1.0.0/16,2001:db8::/32,::1,203.0.113.77/28";
        check(
            "ipMatch",
            &[
                (list, b"192.0.2.7", true),
                (list, b"192.0.2.8", false),
                (list, b"10.255.255.255", true),
                (list, b"11.0.0.0", false),
                (list, b"9.255.255.255", false),
                (list, b"203.0.113.64", true),
                (list, b"203.0.113.80", false),
                (list, b"2001:db8:ffff::1", true),
                (list, b"2001:db9::", false),
                (list, b"::1", true),
                (list, b"::ffff:10.0.0.1", true),
                (list, b"0.0.0.1", false),
                (list, b"", false),
                (list, b"localhost", false),
                (list, b"\xff", false),
                ("0.0.0.0/0", b"1.2.3.4", true),
                ("0.0.0.0/0", b"::1", false),
                ("::/0", b"::1", true),
                ("::/0", b"1.2.3.4", false),
                ("255.255.255.255", b"255.255.255.255", true),
            ],
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for (argument, reason) in [
            ("10.0.0.0/33", "\"10.0.0.0/33\" is no address and no network"),
            ("::/129", "\"::/129\" is no address and no network"),
            ("10.0.0", "\"10.0.0\" is no address and no network"),
            (
                "1.2.3.4,example.com",
                "\"example.com\" is no address and no network",
            ),
            ("1.2.3.4/", "\"1.2.3.4/\" is no address and no network"),
            (" , ", "expected addresses or networks"),
        ] {
            assert_eq!(
                build("ipMatch", argument).unwrap_err().to_string(),
                format!("@ipMatch: {reason}")
            );
        }
    }
}
