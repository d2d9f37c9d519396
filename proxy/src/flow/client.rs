//! Who asks: the socket's peer, or for whom a trusted proxy says that it asks. Logs, limits, the WAF and upstreams all see
//! this one.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::config::{AddressSet, ForwardingHeaders, Listen};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// No chain of proxies is longer.
const LONGEST_CHAIN: usize = 64;

/// What trusted proxies say of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// `http` or `https`, as the client spoke it.
    pub(super) scheme: Option<&'static str>,
    /// The host that the client asked for.
    pub(super) host: Option<HeaderValue>,
}

/// The client, and what else trusted proxies say. The chain is followed from its near end: each proxy adds whom it
/// heard, so that the first address that is not a trusted proxy is the client, and what stands in front of it the
/// client's own invention.
pub(super) fn client(peer: SocketAddr, headers: &HeaderMap, listen: &Listen) -> (SocketAddr, Told) {
    let trusted = &listen.trusted_proxies;
    // Without a port it is a proxy that says by the PROXY protocol that it speaks for itself.
    let is_believed = !trusted.is_empty() && peer.port() != 0 && trusted.contains(peer.ip());
    if !is_believed {
        return (peer, Told::default());
    }
    match listen.forwarding_headers {
        ForwardingHeaders::XForwarded => x_forwarded(peer, headers, trusted),
        ForwardingHeaders::Forwarded => forwarded(peer, headers, trusted),
        ForwardingHeaders::None => (peer, Told::default()),
    }
}

fn x_forwarded(peer: SocketAddr, headers: &HeaderMap, trusted: &AddressSet) -> (SocketAddr, Told) {
    let mut client = peer;
    for hop in from_the_end(headers, &X_FORWARDED_FOR).take(LONGEST_CHAIN) {
        // Whoever wrote what is no address is not believed in what stands before it.
        let Some(address) = node(hop) else { break };
        client = address;
        if !trusted.contains(address.ip()) {
            break;
        }
    }
    let last = |name| from_the_end(headers, name).next();
    let told = Told {
        scheme: last(&X_FORWARDED_PROTO).and_then(scheme),
        host: last(&X_FORWARDED_HOST).and_then(host),
    };
    (client, told)
}

/// RFC 7239. Elements are told apart at their commas, quoted or not: a trusted proxy writes none into its own, and
/// whatever a client quotes stands before those.
fn forwarded(peer: SocketAddr, headers: &HeaderMap, trusted: &AddressSet) -> (SocketAddr, Told) {
    let mut found = (peer, Told::default());
    for element in from_the_end(headers, &header::FORWARDED).take(LONGEST_CHAIN) {
        let Some(address) = parameter(element, "for").and_then(node) else {
            break;
        };
        let told = Told {
            scheme: parameter(element, "proto").and_then(scheme),
            host: parameter(element, "host").and_then(host),
        };
        found = (address, told);
        if !trusted.contains(address.ip()) {
            break;
        }
    }
    found
}

/// The members of a list field, the last one first.
fn from_the_end<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    let lines = headers.get_all(name).iter().rev();
    lines.flat_map(|line| line.to_str().unwrap_or("-").rsplit(',').map(str::trim))
}

/// One parameter of an element, without its quotes; a name that comes twice is nobody's.
fn parameter<'e>(element: &'e str, name: &str) -> Option<&'e str> {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(key, _)| key.trim().eq_ignore_ascii_case(name));
    let (_, value) = values.next()?;
    if values.next().is_some() {
        return None;
    }
    let value = value.trim();
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    Some(inner.unwrap_or(value)).filter(|value| !value.contains(['"', '\\']))
}

/// An address with or without a port, IPv6 with or without brackets; port 0 if none is told.
fn node(text: &str) -> Option<SocketAddr> {
    let bare = |text: &str| text.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, 0));
    let bracketed = |text: &str| bare(text.strip_prefix('[')?.strip_suffix(']')?);
    let found = bare(text)
        .or_else(|| text.parse().ok())
        .or_else(|| bracketed(text))?;
    Some(SocketAddr::new(found.ip().to_canonical(), found.port()))
}

fn scheme(text: &str) -> Option<&'static str> {
    ["https", "http"]
        .into_iter()
        .find(|known| text.eq_ignore_ascii_case(known))
}

fn host(text: &str) -> Option<HeaderValue> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    if text.is_empty() || !text.bytes().all(known) {
        return None;
    }
    HeaderValue::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: &str = "10.0.0.1:5000";

    fn found(peer: &str, kind: ForwardingHeaders, fields: &[(&str, &str)]) -> (String, Told) {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        let networks = ["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().unwrap());
        let trusted = AddressSet::new(networks);
        let peer: SocketAddr = peer.parse().unwrap();
        let (client, told) = match kind {
            _ if !trusted.contains(peer.ip()) => (peer, Told::default()),
            ForwardingHeaders::Forwarded => forwarded(peer, &headers, &trusted),
            _ => x_forwarded(peer, &headers, &trusted),
        };
        (client.to_string(), told)
    }

    #[test]
    fn the_client_is_the_rightmost_that_is_not_trusted() {
        for (lines, wanted) in [
            (&[][..], PROXY),
            (&["192.0.2.1"], "192.0.2.1:0"),
            (&["6.6.6.6, 192.0.2.1"], "192.0.2.1:0"),
            (&["6.6.6.6", "192.0.2.1"], "192.0.2.1:0"),
            (&["192.0.2.1, 10.9.9.9"], "192.0.2.1:0"),
            (&["192.0.2.1", "10.9.9.9, 10.8.8.8"], "192.0.2.1:0"),
            (&["10.9.9.9, 10.8.8.8"], "10.9.9.9:0"),
            (&["6.6.6.6, not an address"], PROXY),
            (&["6.6.6.6, unknown, 10.9.9.9"], "10.9.9.9:0"),
            (&["6.6.6.6,"], PROXY),
            (&["192.0.2.1:1234"], "192.0.2.1:1234"),
            (&["2001:db8::1"], "[2001:db8::1]:0"),
            (&["[2001:db8::1]:1234"], "[2001:db8::1]:1234"),
            (&["[2001:db8::1]"], "[2001:db8::1]:0"),
            (&["::ffff:192.0.2.1"], "192.0.2.1:0"),
            (&["192.0.2.1, fd00::1, ::ffff:10.1.1.1"], "192.0.2.1:0"),
        ] {
            let fields: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
            let (client, _) = found(PROXY, ForwardingHeaders::XForwarded, &fields);
            assert_eq!(client, wanted, "{lines:?}");
            let (client, _) = found("203.0.113.9:1", ForwardingHeaders::XForwarded, &fields);
            assert_eq!(client, "203.0.113.9:1");
        }
    }

    #[test]
    fn forwarded_is_read_by_elements() {
        for (line, wanted) in [
            ("for=192.0.2.1", "192.0.2.1:0"),
            ("For=\"192.0.2.1:1234\"; Proto=https", "192.0.2.1:1234"),
            ("for=\"[2001:db8::1]:80\"", "[2001:db8::1]:80"),
            (
                "for=6.6.6.6, for=192.0.2.1, for=10.2.2.2;by=10.0.0.1",
                "192.0.2.1:0",
            ),
            ("for=\"6.6.6.6, for=192.0.2.1", "192.0.2.1:0"),
            ("for=6.6.6.6, for=_hidden", PROXY),
            ("for=unknown", PROXY),
            ("for=192.0.2.1;for=6.6.6.6", PROXY),
            ("proto=https", PROXY),
            ("for=\"192.0.2.1\\\"\"", PROXY),
        ] {
            let (client, _) = found(PROXY, ForwardingHeaders::Forwarded, &[("forwarded", line)]);
            assert_eq!(client, wanted, "{line}");
        }
        let line = "for=6.6.6.6;host=evil, for=192.0.2.1;proto=http;host=\"a.example:8080\"";
        let (_, told) = found(PROXY, ForwardingHeaders::Forwarded, &[("forwarded", line)]);
        assert_eq!(told.scheme, Some("http"));
        assert_eq!(told.host.unwrap(), "a.example:8080");
    }

    #[test]
    fn scheme_and_host_are_those_of_the_nearest_proxy() {
        let fields = [
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-proto", "https, HTTP"),
            ("x-forwarded-host", "evil/, a.example"),
        ];
        let (_, told) = found(PROXY, ForwardingHeaders::XForwarded, &fields);
        assert_eq!(told.scheme, Some("http"));
        assert_eq!(told.host.unwrap(), "a.example");
        let fields = [("x-forwarded-proto", "gopher"), ("x-forwarded-host", "a b")];
        let (_, told) = found(PROXY, ForwardingHeaders::XForwarded, &fields);
        assert_eq!(told, Told::default());
        let (_, told) = found("203.0.113.9:1", ForwardingHeaders::XForwarded, &fields);
        assert_eq!(told, Told::default());
    }
}
