//! The head of a request as the caller tells it, before anything is made of it.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::SocketAddr;
use std::sync::LazyLock;

use crate::text::{push, pushed};

/// Texts one behind the other, each after its length: the request line's three, then name and value of each header.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard {
    bytes: Vec<u8>,
}

/// What stands for a request's head, its client and its server: two hashes of 64 bits with keys that are secrets of the
/// process. Nobody is shown a hash, so nobody can look for another request with the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Fingerprint(pub(super) u64, pub(super) u64);

static KEYS: LazyLock<(RandomState, RandomState)> = LazyLock::new(Default::default);

impl Heard {
    /// No head, in memory that was one's before.
    pub(super) fn within(mut bytes: Vec<u8>) -> Self {
        bytes.clear();
        Self { bytes }
    }

    /// The memory, without what was heard: there may be credentials in it.
    pub(super) fn into_memory(mut self) -> Vec<u8> {
        self.bytes.fill(0);
        self.bytes
    }

    /// Takes the request line; `false` if it does not come first.
    pub(super) fn line(&mut self, method: &[u8], uri: &[u8], protocol: &[u8]) -> bool {
        let first = self.bytes.is_empty();
        if first {
            [method, uri, protocol]
                .into_iter()
                .for_each(|part| push(&mut self.bytes, part));
        }
        first
    }

    /// Takes a header; `false` if there is no request line yet.
    pub(super) fn header(&mut self, name: &[u8], value: &[u8]) -> bool {
        let behind = !self.bytes.is_empty();
        if behind {
            push(&mut self.bytes, name);
            push(&mut self.bytes, value);
        }
        behind
    }

    /// Everything, in its order.
    pub(super) fn texts(&self) -> impl Iterator<Item = &[u8]> {
        pushed(&self.bytes)
    }

    /// Lengths are part of it, so that no two heads come to the same bytes.
    pub(super) fn fingerprint(&self, client: Option<SocketAddr>, server: Option<SocketAddr>) -> Fingerprint {
        let hash = |key: &RandomState| {
            let mut hasher = key.build_hasher();
            // The client's port is another with each connection; who reads it is not recalled.
            hash_address(client.map(|client| (client, 0)), &mut hasher);
            hash_address(server.map(|server| (server, server.port())), &mut hasher);
            hasher.write(&self.bytes);
            hasher.finish()
        };
        Fingerprint(hash(&KEYS.0), hash(&KEYS.1))
    }
}

fn hash_address(address: Option<(SocketAddr, u16)>, hasher: &mut impl Hasher) {
    match address.map(|(address, port)| (address.ip().to_canonical(), port)) {
        None => hasher.write_u8(0),
        Some((std::net::IpAddr::V4(v4), port)) => {
            hasher.write_u8(4);
            hasher.write(&v4.octets());
            hasher.write_u16(port);
        }
        Some((std::net::IpAddr::V6(v6), port)) => {
            hasher.write_u8(6);
            hasher.write(&v6.octets());
            hasher.write_u16(port);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(line: [&str; 3], headers: &[(&str, &str)]) -> Heard {
        let mut heard = Heard::default();
        assert!(heard.line(line[0].as_bytes(), line[1].as_bytes(), line[2].as_bytes()));
        for (name, value) in headers {
            assert!(heard.header(name.as_bytes(), value.as_bytes()));
        }
        heard
    }

    #[test]
    fn what_was_told_comes_back_in_its_order() {
        let heard = heard(["GET", "/a?b", ""], &[("Host", "a.test"), ("X", "")]);
        let texts: Vec<_> = heard.texts().collect();
        assert_eq!(texts, [&b"GET"[..], b"/a?b", b"", b"Host", b"a.test", b"X", b""]);
        let mut heard = Heard::default();
        assert!(!heard.header(b"Host", b"a"));
        assert!(heard.line(b"GET", b"/", b"HTTP/1.1") && !heard.line(b"GET", b"/", b"HTTP/1.1"));
    }

    #[test]
    fn a_fingerprint_tells_all_apart_but_the_clients_port() {
        let client = |text: &str| Some(text.parse::<SocketAddr>().unwrap());
        let line = ["GET", "/a", "HTTP/1.1"];
        let same = heard(line, &[("A", "b"), ("C", "d")]);
        let print = same.fingerprint(client("192.0.2.1:5"), client("192.0.2.2:443"));
        assert_eq!(
            print,
            same.fingerprint(client("[::ffff:192.0.2.1]:6"), client("192.0.2.2:443"))
        );
        for (client, server) in [
            (client("192.0.2.3:5"), client("192.0.2.2:443")),
            (client("192.0.2.1:5"), client("192.0.2.2:444")),
            (client("192.0.2.2:5"), client("192.0.2.1:443")),
            (None, client("192.0.2.2:443")),
            (client("192.0.2.1:5"), None),
        ] {
            assert_ne!(print, same.fingerprint(client, server), "{client:?} {server:?}");
        }
        for other in [
            heard(["GET", "/a", "HTTP/1.0"], &[("A", "b"), ("C", "d")]),
            heard(["GE", "T/a", "HTTP/1.1"], &[("A", "b"), ("C", "d")]),
            heard(line, &[("C", "d"), ("A", "b")]),
            heard(line, &[("A", "b"), ("C", "D")]),
            heard(line, &[("a", "b"), ("C", "d")]),
            heard(line, &[("Ab", ""), ("C", "d")]),
            heard(line, &[("A", "b")]),
            heard(line, &[("A", "b"), ("C", "d"), ("", "")]),
        ] {
            let other = other.fingerprint(client("192.0.2.1:5"), client("192.0.2.2:443"));
            assert_ne!(print, other);
        }
    }
}
