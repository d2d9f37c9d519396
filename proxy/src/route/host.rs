//! The hostname in a request, in the form that routes name it.

use std::borrow::Cow;
use std::net::Ipv6Addr;

/// No name in the DNS is longer, so no route has a longer one.
const LONGEST: usize = 253;

/// The host as a client sent it, without port and trailing dot, in lower case; `None` for what cannot be the
/// name of a route. An ordinary host is returned as it is, without allocation.
pub(super) fn normalized(sent: &str) -> Option<Cow<'_, str>> {
    if let Some(rest) = sent.strip_prefix('[') {
        // One address has many spellings; routes have the canonical one.
        let (address, port) = rest.split_once(']')?;
        let address: Ipv6Addr = address.parse().ok()?;
        return is_port(port).then(|| Cow::Owned(format!("[{address}]")));
    }
    let (name, port) = sent.split_at(sent.find(':').unwrap_or(sent.len()));
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.is_empty() || name.len() > LONGEST || !is_port(port) {
        return None;
    }
    Some(match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(name.to_ascii_lowercase()),
        false => Cow::Borrowed(name),
    })
}

/// `:8443`, or nothing; RFC 3986 allows the digits to be absent.
fn is_port(text: &str) -> bool {
    text.is_empty()
        || text
            .strip_prefix(':')
            .is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_as_clients_send_them() {
        let long = "a".repeat(254);
        for (sent, expected) in [
            ("a.example", Some("a.example")),
            ("A.Example", Some("a.example")),
            ("a.example.", Some("a.example")),
            ("a.example:8443", Some("a.example")),
            ("a.example.:8443", Some("a.example")),
            ("a.example:", Some("a.example")),
            ("[::1]", Some("[::1]")),
            ("[0:0::01]:8443", Some("[::1]")),
            ("10.0.0.1:80", Some("10.0.0.1")),
            ("a.example:80x", None),
            ("a.example:80:80", None),
            ("[::1]x", None),
            ("[::1", None),
            ("[a.example]", None),
            ("", None),
            (".", None),
            (":80", None),
            (&long, None),
        ] {
            assert_eq!(normalized(sent).as_deref(), expected, "{sent}");
        }
        assert!(matches!(normalized("a.example:8443"), Some(Cow::Borrowed(_))));
    }
}
