//! Hostnames: IDNA to lower-case ASCII, addresses as a Host header writes them, `*.suffix`.

use std::net::{Ipv4Addr, Ipv6Addr};

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use crate::config::decode::Fault;
use crate::config::ready::HostPattern;

/// What [`parse_pattern`] reads.
pub(in crate::config) const PATTERN: &str = "a hostname such as \"blog.example.com\" or \"*.example.com\"";
/// What [`parse_name`] reads.
pub(in crate::config) const NAME: &str = "a hostname or an IP address";
/// What [`parse_authority`] reads.
pub(in crate::config) const AUTHORITY: &str = "\"preserve\", or a hostname, with a port if need be";

/// A hostname, or `*.` in front of one.
pub(in crate::config) fn parse_pattern(text: &str) -> Result<HostPattern, Fault> {
    match text.strip_prefix("*.") {
        Some(suffix) if address(suffix).is_some() => Err(Fault::new("an address has no subdomains")),
        Some(suffix) => parse_name(suffix)
            .map(HostPattern::Wildcard)
            .map_err(|fault| Fault {
                suggestion: fault.suggestion.map(|name| format!("*.{name}")),
                ..fault
            }),
        None if text == "*" => Err(Fault::new(
            "a route names the hosts it serves; other hosts get 404",
        )),
        None => parse_name(text).map(HostPattern::Exact),
    }
}

/// A hostname or an IP address (IPv6 in brackets), in its canonical form.
pub(in crate::config) fn parse_name(text: &str) -> Result<String, Fault> {
    if text.contains('_') && !text.contains(['/', ':']) {
        let fault = Fault::new("a hostname holds letters, digits and `-`");
        return Err(fault.suggesting(text.replace('_', "-")));
    }
    name(text, AsciiDenyList::STD3)
}

/// The name of an upstream: an address without brackets, or a hostname, where container networks also
/// allow `_`.
pub(in crate::config) fn parse_upstream(text: &str) -> Result<String, Fault> {
    let name = name(text, AsciiDenyList::new(true, "!\"#$%&'()*+,/:;<=>?@[\\]^`{|}~"))?;
    Ok(name.trim_matches(['[', ']']).to_owned())
}

/// A hostname with an optional port, for a Host header.
pub(in crate::config) fn parse_authority(text: &str) -> Result<String, Fault> {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') && !text.contains("://") => (name, Some(port)),
        _ => (text, None),
    };
    let name = parse_upstream(name)?;
    let name = if name.contains(':') {
        format!("[{name}]")
    } else {
        name
    };
    match port.map(str::parse::<u16>) {
        None => Ok(name),
        Some(Ok(port)) if port > 0 => Ok(format!("{name}:{port}")),
        Some(_) => Err(Fault::new("a port is a number from 1 to 65535")),
    }
}

fn name(text: &str, denied: AsciiDenyList) -> Result<String, Fault> {
    if let Some(address) = address(text) {
        return Ok(address);
    }
    if let Some(misread) = misread(text) {
        return Err(misread);
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    Uts46::new()
        .to_ascii(
            name.as_bytes(),
            denied,
            Hyphens::CheckFirstLast,
            DnsLength::Verify,
        )
        .map(|ascii| ascii.into_owned())
        .map_err(|_| Fault::new("not a hostname"))
}

/// The canonical text of an address, IPv6 in brackets; `None` for what is a name.
fn address(text: &str) -> Option<String> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    match bare.unwrap_or(text).parse::<Ipv6Addr>() {
        Ok(address) => Some(format!("[{address}]")),
        Err(_) if bare.is_none() => text.parse::<Ipv4Addr>().ok().map(|address| address.to_string()),
        Err(_) => None,
    }
}

/// The mistakes worth a word of their own.
fn misread(text: &str) -> Option<Fault> {
    if text.is_empty() {
        return Some(Fault::new("empty"));
    }
    if let Some((_, rest)) = text.split_once("://") {
        let host = rest.split(['/', ':', '?']).next().unwrap_or_default();
        return Some(Fault::new("a URL where a hostname belongs").suggesting(host));
    }
    if let Some((host, _)) = text.split_once('/') {
        return Some(Fault::new("a hostname has no path").suggesting(host));
    }
    if let Some((host, port)) = text.rsplit_once(':') {
        let is_port = !host.contains(':') && port.bytes().all(|byte| byte.is_ascii_digit());
        return is_port.then(|| Fault::new("a port where only a hostname belongs").suggesting(host));
    }
    text.contains('*')
        .then(|| Fault::new("`*` stands for whole labels at the front only"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostnames_become_lower_case_ascii() {
        for (text, expected) in [
            ("Blog.Example.COM", "blog.example.com"),
            ("blog.example.com.", "blog.example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("BÜCHER.example", "xn--bcher-kva.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("r3---sn.example", "r3---sn.example"),
            ("localhost", "localhost"),
            ("10.0.0.5", "10.0.0.5"),
            ("[0:0::1]", "[::1]"),
            ("::1", "[::1]"),
        ] {
            assert_eq!(
                parse_pattern(text),
                Ok(HostPattern::Exact(expected.to_owned())),
                "{text}"
            );
        }
        let wildcard = parse_pattern("*.Bücher.example");
        assert_eq!(
            wildcard,
            Ok(HostPattern::Wildcard("xn--bcher-kva.example".to_owned()))
        );
    }

    #[test]
    fn what_is_no_hostname() {
        let long = "a".repeat(64);
        for (text, reason, suggestion) in [
            ("", "empty", None),
            (
                "*",
                "a route names the hosts it serves; other hosts get 404",
                None,
            ),
            ("*.", "empty", None),
            ("*.10.0.0.1", "an address has no subdomains", None),
            (
                "a.*.example",
                "`*` stands for whole labels at the front only",
                None,
            ),
            (
                "https://a.example/x",
                "a URL where a hostname belongs",
                Some("a.example"),
            ),
            ("a.example/x", "a hostname has no path", Some("a.example")),
            (
                "a.example:443",
                "a port where only a hostname belongs",
                Some("a.example"),
            ),
            (
                "*.a.example:443",
                "a port where only a hostname belongs",
                Some("*.a.example"),
            ),
            (
                "my_app.example",
                "a hostname holds letters, digits and `-`",
                Some("my-app.example"),
            ),
            ("a..example", "not a hostname", None),
            ("-a.example", "not a hostname", None),
            ("a b.example", "not a hostname", None),
            ("a\n.example", "not a hostname", None),
            (&long, "not a hostname", None),
            ("[::1", "not a hostname", None),
        ] {
            let fault = parse_pattern(text).expect_err(text);
            assert_eq!(
                (fault.reason.as_str(), fault.suggestion.as_deref()),
                (reason, suggestion),
                "{text}"
            );
        }
    }

    #[test]
    fn a_host_header_may_name_a_port() {
        for (text, expected) in [
            ("Intern.example:8443", Some("intern.example:8443")),
            ("intern.example", Some("intern.example")),
            ("[::1]:80", Some("[::1]:80")),
            ("my_app:80", Some("my_app:80")),
            ("[::1]", Some("[::1]")),
            ("intern.example:0", None),
            ("intern.example:", None),
            ("intern.example:99999", None),
            ("http://intern.example", None),
            ("", None),
        ] {
            assert_eq!(parse_authority(text).ok().as_deref(), expected, "{text}");
        }
    }
}
