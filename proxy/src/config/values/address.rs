//! Addresses and networks, one by one and in files.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::config::decode::Fault;
use crate::config::ready::AddressSet;

/// What [`parse_network`] reads.
pub(in crate::config) const NETWORK: &str =
    "an IP address or a network such as \"192.0.2.0/24\" or \"2001:db8::/32\"";

/// An address or a network. Bits behind the prefix are a slip of the pen in a configuration.
pub(in crate::config) fn parse_network(text: &str) -> Result<IpNet, Fault> {
    let network = lenient(text).ok_or_else(|| Fault::new("neither an address nor a network"))?;
    if network.addr() != network.network() {
        let fault = Fault::new("bits are set behind the prefix");
        return Err(fault.suggesting(network.trunc().to_string()));
    }
    Ok(network)
}

/// A list as they are published: one address or network a line, `#` and `;` begin a comment, what follows the first word
/// is one too. Faults by line, from 1.
pub(in crate::config) fn parse_list(text: &str) -> Result<AddressSet, Vec<(usize, Fault)>> {
    let (mut networks, mut faults) = (Vec::new(), Vec::new());
    for (line, text) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let word = text
            .split(['#', ';'])
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .next();
        let Some(word) = word else { continue };
        match lenient(word) {
            Some(network) => networks.push(network),
            None => faults.push((line + 1, Fault::new(format!("expected {NETWORK}")))),
        }
    }
    match faults.is_empty() {
        true => Ok(AddressSet::new(networks)),
        false => Err(faults),
    }
}

/// IPv4 in IPv6 form is IPv4: so are clients.
fn lenient(text: &str) -> Option<IpNet> {
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text.parse().ok()?,
    };
    match network {
        IpNet::V6(v6) if v6.prefix_len() >= 96 => match v6.addr().to_ipv4_mapped() {
            Some(v4) => IpNet::new(v4.into(), v6.prefix_len() - 96).ok(),
            None => Some(network),
        },
        _ => Some(network),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_and_addresses() {
        for (text, expected) in [
            ("192.0.2.0/24", Ok("192.0.2.0/24")),
            ("192.0.2.1", Ok("192.0.2.1/32")),
            ("2001:db8::/32", Ok("2001:db8::/32")),
            ("::1", Ok("::1/128")),
            ("::ffff:192.0.2.0/120", Ok("192.0.2.0/24")),
            ("0.0.0.0/0", Ok("0.0.0.0/0")),
            ("192.0.2.1/24", Err(Some("192.0.2.0/24"))),
            ("192.0.2.0/33", Err(None)),
            ("192.0.2", Err(None)),
            ("example.com", Err(None)),
            ("", Err(None)),
        ] {
            let found = parse_network(text).map(|network| network.to_string());
            let expected = expected
                .map(str::to_owned)
                .map_err(|suggestion: Option<&str>| suggestion.map(str::to_owned));
            assert_eq!(found.map_err(|fault| fault.suggestion), expected, "{text}");
        }
    }

    #[test]
    fn lists_as_they_are_published() {
        let list = "# friends\n192.0.2.1\n\n198.51.100.7/24 ; SBL1\n2001:db8::/32 anna # home\r\n";
        let set = parse_list(list).unwrap();
        for (address, expected) in [
            ("192.0.2.1", true),
            ("192.0.2.2", false),
            ("198.51.100.200", true),
            ("2001:db8:1::1", true),
        ] {
            assert_eq!(set.contains(address.parse().unwrap()), expected, "{address}");
        }
        let faults = parse_list("192.0.2.1\n<html>\n1.2.3\n").unwrap_err();
        assert_eq!(faults.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3]);
    }
}
