//! What binds a request to a backend: a key that is hashed, or the edge's own cookie.

use std::net::IpAddr;

use http::header;
use pingora_http::RequestHeader;

use crate::config::{Balance, Balancing, HashKey};
use crate::upstream;

/// What binds a request to a backend.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Affinity {
    /// Of what the route hashes.
    pub(super) key: Option<u64>,
    /// The value of the edge's cookie.
    pub(super) cookie: Option<String>,
}

/// What binds this request. A request without the header or cookie that is hashed is bound to nothing.
pub(super) fn of(head: &RequestHeader, client: IpAddr, policy: &Balancing) -> Affinity {
    let key = match &policy.balance {
        Balance::RoundRobin | Balance::LeastRequests => None,
        Balance::Hash(HashKey::Address) => Some(address_key(client)),
        Balance::Hash(HashKey::Header(name)) => head
            .headers
            .get(name)
            .map(|value| upstream::key(value.as_bytes())),
        Balance::Hash(HashKey::Cookie(name)) => {
            cookie(head, name).map(|value| upstream::key(value.as_bytes()))
        }
    };
    let sticky = policy.sticky.as_ref();
    Affinity {
        key,
        cookie: sticky
            .and_then(|sticky| cookie(head, &sticky.cookie))
            .map(str::to_owned),
    }
}

/// An address's own bytes; IPv6 clients change the lower half of theirs every day.
fn address_key(client: IpAddr) -> u64 {
    match client {
        IpAddr::V4(address) => upstream::key(&address.octets()),
        IpAddr::V6(address) => upstream::key(address.octets().get(..8).unwrap_or_default()),
    }
}

/// The value of the first cookie of this name (RFC 6265 section 5.4: the most specific comes first).
fn cookie<'h>(head: &'h RequestHeader, name: &str) -> Option<&'h str> {
    let lines = head.headers.get_all(header::COOKIE).iter();
    let pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'));
    pairs
        .filter_map(|pair| pair.split_once('='))
        .find(|(known, _)| known.trim() == name)
        .map(|(_, value)| value.trim().trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_by_name() {
        let mut head = RequestHeader::build("GET", b"/", None).unwrap();
        head.append_header("Cookie", "a=1; edge=\"two\"; edgeless=3;edge=4")
            .unwrap();
        head.append_header("Cookie", "late=5=6").unwrap();
        for (name, expected) in [
            ("a", Some("1")),
            ("edge", Some("two")),
            ("late", Some("5=6")),
            ("edg", None),
            ("A", None),
        ] {
            assert_eq!(cookie(&head, name), expected, "{name}");
        }
    }

    #[test]
    fn a_client_of_ipv6_is_its_network() {
        let key = |text: &str| address_key(text.parse().unwrap());
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:aaaa:bbbb:cccc:dddd"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    }
}
