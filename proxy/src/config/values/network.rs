//! Networks: an address, or an address and the length of its prefix.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::config::decode::Fault;

/// What a network looks like.
pub(in crate::config) const NETWORK: &str = "an address or a network such as \"10.0.0.0/8\" or \"fd00::1\"";

/// A network whose host bits are zero; a single address is one of itself.
pub(in crate::config) fn parse_network(text: &str) -> Result<IpNet, Fault> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(IpNet::from(address.to_canonical()));
    }
    let network: IpNet = text.parse().map_err(|_| Fault::new("not a network"))?;
    let truncated = network.trunc();
    if truncated == network {
        Ok(network)
    } else {
        Err(Fault::new("bits are set behind the prefix").suggesting(truncated.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_of_a_file() {
        for (text, expected) in [
            ("10.0.0.0/8", Ok("10.0.0.0/8")),
            ("10.1.2.3", Ok("10.1.2.3/32")),
            ("::ffff:10.1.2.3", Ok("10.1.2.3/32")),
            ("fd00::/8", Ok("fd00::/8")),
            ("::1", Ok("::1/128")),
            ("10.0.0.1/8", Err(Some("10.0.0.0/8"))),
            ("10.0.0.0/33", Err(None)),
            ("localhost", Err(None)),
            ("", Err(None)),
        ] {
            let found = parse_network(text).map(|network| network.to_string());
            let expected = expected
                .map(str::to_owned)
                .map_err(|hint: Option<&str>| hint.map(str::to_owned));
            assert_eq!(found.map_err(|fault| fault.suggestion), expected, "{text}");
        }
    }
}
