//! How a route's backends are connected to: an address -> the peer that Pingora connects to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use pingora_core::connectors::L4Connect;
use pingora_core::protocols::ALPN;
use pingora_core::upstreams::peer::{H1UpgradePolicy, HttpPeer};

use super::race::Race;
use super::trust::{Ca, ClientCertificate, UpstreamError};
use crate::config::{Backend, Scheme, Upstream};

/// Streams at once on one connection of HTTP/2: what servers allow (RFC 9113 section 6.5.2 recommends no less).
const H2_STREAMS: usize = 100;

/// What a backend may send ahead on one stream, and on all of a connection together, while clients read slowly: as much is
/// held here for each. Pingora's own would be 8 MiB.
const H2_STREAM_WINDOW: u32 = 512 * 1024;
const H2_CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;

/// A connection of HTTP/2 is asked this often whether anybody is still there: it may have no request for hours and then
/// a hundred.
const H2_PING: Duration = Duration::from_secs(30);

/// Tells connections that are not to be shared from those of the pool.
const FRESH: u64 = 0x9e37_79b9_7f4a_7c15;

/// What a request is to the connection that it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Any request.
    #[default]
    Ordinary,
    /// It asks for a WebSocket.
    WebSocket,
    /// It asks for another protocol.
    OtherUpgrade,
    /// A call of gRPC, which needs HTTP/2.
    Grpc,
}

/// What is needed to connect to backends of one route.
#[derive(Debug, Clone, PartialEq)]
pub struct Dialer {
    upstream: Upstream,
    ca: Option<Ca>,
    client: Option<ClientCertificate>,
}

impl Dialer {
    /// Reads the files that the configuration names.
    pub fn new(upstream: &Upstream) -> Result<Self, UpstreamError> {
        let ca = upstream.tls.ca.as_deref().map(Ca::read).transpose()?;
        let client = upstream.tls.certificate.as_ref();
        let client = client.map(ClientCertificate::read).transpose()?;
        Ok(Self {
            upstream: upstream.clone(),
            ca,
            client,
        })
    }

    /// What the configuration says.
    pub(super) fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// The peer for one attempt at one address of a backend.
    pub fn peer(&self, backend: &Backend, address: SocketAddr, kind: Kind) -> HttpPeer {
        let upstream = &self.upstream;
        let server_name = upstream
            .tls
            .server_name
            .clone()
            .unwrap_or_else(|| backend.host.clone());
        let mut peer = HttpPeer::new(address, backend.tls(), server_name);
        let options = &mut peer.options;
        options.connection_timeout = Some(upstream.connect_timeout);
        options.total_connection_timeout = Some(upstream.connect_timeout);
        // Pingora has one read timeout for the first byte and for the pauses after it: this is the one for
        // pauses; the flow holds the first byte to its own deadline.
        options.read_timeout = Some(upstream.idle_timeout.max(upstream.first_byte_timeout));
        options.write_timeout = Some(upstream.idle_timeout);
        options.idle_timeout = Some(upstream.keepalive_timeout);
        options.verify_cert = upstream.tls.verify;
        options.verify_hostname = upstream.tls.verify;
        options.ca = self.ca.as_ref().map(Ca::certificates);
        options.alpn = alpn(backend.scheme, upstream.http2, kind);
        if options.alpn != ALPN::H1 {
            options.max_h2_streams = H2_STREAMS;
            options.h2_stream_window_size = Some(H2_STREAM_WINDOW);
            options.h2_connection_window_size = Some(H2_CONNECTION_WINDOW);
            options.h2_ping_interval = Some(H2_PING);
        }
        if kind == Kind::OtherUpgrade {
            // Pingora joins and cleans WebSocket's fields only; the flow does it for others.
            options.http_upstream_request_policy.h1_upgrade = H1UpgradePolicy::Preserve;
        }
        // The pool does not tell CAs and client certificates apart by itself: a connection that was verified under one
        // is none for a route that trusts another.
        peer.group_key =
            self.ca.as_ref().map_or(0, Ca::key) ^ self.client.as_ref().map_or(0, |client| client.key());
        peer.client_cert_key = self
            .client
            .as_ref()
            .map(ClientCertificate::certificate)
            .filter(|_| backend.tls());
        peer
    }

    /// The same where the backend has another address to fall back on.
    pub fn racing(&self, mut peer: HttpPeer, race: &Arc<Race>) -> HttpPeer {
        peer.options.custom_l4 = Some(Arc::clone(race) as Arc<dyn L4Connect + Send + Sync>);
        peer
    }

    /// The same on a connection that nobody used before and nobody will after.
    pub fn fresh(&self, mut peer: HttpPeer) -> HttpPeer {
        // Each its own: Pingora's clock leaves one in the pool for some milliseconds. Of a bounded number, as Pingora
        // remembers by this key who spoke no HTTP/2.
        peer.group_key ^= FRESH ^ u64::from(rand::random::<u16>());
        peer.options.idle_timeout = Some(Duration::ZERO);
        peer
    }

    /// The peer for one check: as for a request, on a connection of its own.
    pub(super) fn probing_peer(&self, backend: &Backend, address: SocketAddr, kind: Kind) -> HttpPeer {
        let mut peer = self.peer(backend, address, kind);
        peer.options.max_h2_streams = 1;
        peer.options.h2_ping_interval = None;
        peer
    }
}

fn alpn(scheme: Scheme, http2: bool, kind: Kind) -> ALPN {
    match (scheme, kind) {
        (Scheme::H2c, _) => ALPN::H2,
        // An upgrade is something of HTTP/1.1.
        (Scheme::Http, _) | (_, Kind::WebSocket | Kind::OtherUpgrade) => ALPN::H1,
        (Scheme::Https, Kind::Grpc) => ALPN::H2H1,
        (Scheme::Https, Kind::Ordinary) if http2 => ALPN::H2H1,
        (Scheme::Https, Kind::Ordinary) => ALPN::H1,
    }
}

#[cfg(test)]
mod tests {
    use pingora_core::upstreams::peer::Peer;

    use super::*;
    use crate::config::testing::config;

    fn upstream() -> Upstream {
        let config = config(
            "waf.mode = \"off\"\n[[routes]]\nname = \"app\"\nhosts = [\"app.example\"]\n\
             backends = [\"https://app.internal\"]\n",
        );
        config.routes[0].upstream.clone()
    }

    fn key(upstream: &Upstream, ca: Option<&Ca>, client: Option<&ClientCertificate>) -> u64 {
        let dialer = Dialer {
            upstream: upstream.clone(),
            ca: ca.cloned(),
            client: client.cloned(),
        };
        let backend = Backend {
            scheme: Scheme::Https,
            host: "app.internal".to_owned(),
            port: 443,
        };
        let address = SocketAddr::from(([192, 0, 2, 1], 443));
        dialer.peer(&backend, address, Kind::Ordinary).reuse_hash()
    }

    #[test]
    fn connections_are_shared_only_under_the_same_trust() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (Ca::made(&folder, "one"), Ca::made(&folder, "other"));
        let reloaded = Ca::read(&folder.path().join("one.pem")).unwrap();
        let (me, you) = (
            ClientCertificate::made(&folder, "me"),
            ClientCertificate::made(&folder, "you"),
        );
        let mut upstream = upstream();
        let trusted = key(&upstream, Some(&one), None);
        assert_eq!(trusted, key(&upstream, Some(&reloaded), None));
        assert_ne!(trusted, key(&upstream, Some(&other), None));
        assert_ne!(trusted, key(&upstream, None, None));
        assert_ne!(trusted, key(&upstream, Some(&one), Some(&me)));
        assert_ne!(
            key(&upstream, Some(&one), Some(&you)),
            key(&upstream, Some(&one), Some(&me))
        );
        upstream.tls.verify = false;
        assert_ne!(trusted, key(&upstream, Some(&one), None));
    }

    #[test]
    fn what_is_spoken() {
        for (scheme, http2, kind, expected) in [
            (Scheme::Http, true, Kind::Ordinary, ALPN::H1),
            (Scheme::Http, true, Kind::Grpc, ALPN::H1),
            (Scheme::H2c, false, Kind::Ordinary, ALPN::H2),
            (Scheme::Https, false, Kind::Ordinary, ALPN::H1),
            (Scheme::Https, true, Kind::Ordinary, ALPN::H2H1),
            (Scheme::Https, false, Kind::Grpc, ALPN::H2H1),
            (Scheme::Https, true, Kind::WebSocket, ALPN::H1),
            (Scheme::Https, true, Kind::OtherUpgrade, ALPN::H1),
        ] {
            assert_eq!(alpn(scheme, http2, kind), expected, "{scheme:?} {http2} {kind:?}");
        }
    }
}
