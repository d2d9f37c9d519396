//! A set of addresses.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

/// Addresses, as ranges that neither touch nor overlap: a list of a hundred thousand networks is looked up in seventeen
/// steps. IPv4 addresses stand in it in their IPv6 form, as one kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct AddressSet(Vec<(u128, u128)>);

impl AddressSet {
    /// The addresses of these networks.
    pub fn new(networks: impl IntoIterator<Item = IpNet>) -> Self {
        Self::joined(
            networks
                .into_iter()
                .map(|net| (number(net.network()), number(net.broadcast())))
                .collect(),
        )
    }

    /// Whether an address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = number(address);
        let after = self.0.partition_point(|(first, _)| *first <= address);
        let range = after.checked_sub(1).and_then(|at| self.0.get(at));
        range.is_some_and(|(_, last)| address <= *last)
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// With the addresses of another one.
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        Self::joined(self.0)
    }

    fn joined(mut ranges: Vec<(u128, u128)>) -> Self {
        ranges.sort_unstable();
        let mut joined: Vec<(u128, u128)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match joined.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
                _ => joined.push((first, last)),
            }
        }
        Self(joined)
    }
}

fn number(address: IpAddr) -> u128 {
    let address: Ipv6Addr = match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    };
    address.to_bits()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn network(bits: u32, prefix: u8) -> IpNet {
        IpNet::new(std::net::Ipv4Addr::from_bits(bits).into(), prefix).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// The same answers as one network after another gives.
        #[test]
        fn a_set_holds_what_its_networks_hold(
            networks in prop::collection::vec((0u32..1 << 16, 14u8..=32), 0..20),
            asked in prop::collection::vec(0u32..1 << 17, 1..100),
        ) {
            let networks: Vec<IpNet> = networks.into_iter().map(|(bits, prefix)| network(bits, prefix)).collect();
            let (some, rest) = networks.split_at(networks.len() / 2);
            let set = AddressSet::new(some.to_vec()).and(AddressSet::new(rest.to_vec()));
            for bits in asked {
                let address: IpAddr = std::net::Ipv4Addr::from_bits(bits).into();
                let expected = networks.iter().any(|network| network.contains(&address));
                prop_assert_eq!(set.contains(address), expected);
                let mapped: IpAddr = std::net::Ipv4Addr::from_bits(bits).to_ipv6_mapped().into();
                prop_assert_eq!(set.contains(mapped), expected);
            }
        }
    }

    #[test]
    fn both_ends_of_the_world() {
        let everything = AddressSet::new(["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()]);
        for address in [
            "0.0.0.0",
            "255.255.255.255",
            "::",
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        ] {
            assert!(everything.contains(address.parse().unwrap()), "{address}");
        }
        assert!(!AddressSet::default().contains("::".parse().unwrap()));
        let v4 = AddressSet::new(["0.0.0.0/0".parse().unwrap()]);
        assert!(!v4.contains("2001:db8::1".parse().unwrap()));
    }
}
