//! Who may come in, and for whom: the first steps of a connection, before a byte of TLS.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;

use super::proxy_protocol::{self, Origin, ProxyProtocolError};
use crate::config::{AddressSet, Listen};
use crate::limit::{ClientConnection, ClientConnections};

/// A client of whom a proxy tells no address. It is none of a network that anybody trusts or lets in, and all such clients
/// are one to limits.
const NOBODY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// A proxy that speaks for itself: then it has no port, and its forwarding headers are nobody's.
fn for_itself(proxy: SocketAddr) -> SocketAddr {
    SocketAddr::new(proxy.ip(), 0)
}

/// What a public listener asks of each connection.
#[derive(Clone, Debug)]
pub struct Door {
    trusted: AddressSet,
    /// The time for a PROXY protocol header, where trusted proxies send one.
    proxy_protocol: Option<Duration>,
    clients: ClientConnections,
}

/// A connection that may go on.
#[derive(Debug)]
pub(super) struct Admitted {
    /// The client, or the trusted proxy if that speaks for itself or tells in headers for whom it speaks.
    pub(super) peer: SocketAddr,
    /// Where the client asked, if a PROXY protocol header says so.
    pub(super) destination: Option<SocketAddr>,
    /// Counts it; none for trusted proxies.
    pub(super) counted: Option<ClientConnection>,
}

impl Admitted {
    /// One that nothing is asked of.
    pub(super) fn unasked(peer: SocketAddr) -> Self {
        Self {
            peer,
            destination: None,
            counted: None,
        }
    }
}

/// Why a connection may not.
#[derive(Debug, thiserror::Error)]
pub(super) enum DoorError {
    #[error("the client has too many connections open")]
    TooMany,
    #[error("{0}")]
    ProxyProtocol(ProxyProtocolError),
    #[error("PROXY protocol header not there within {0:?}")]
    ProxyProtocolTimeout(Duration),
}

impl DoorError {
    /// The word for it in metrics.
    pub(super) fn label(&self) -> &'static str {
        match self {
            DoorError::TooMany => "client_connections",
            DoorError::ProxyProtocol(_) | DoorError::ProxyProtocolTimeout(_) => "proxy_protocol",
        }
    }
}

impl Door {
    /// As the configuration says; all listeners of an edge share `clients`.
    pub fn new(listen: &Listen, clients: ClientConnections) -> Self {
        Self {
            trusted: listen.trusted_proxies.clone(),
            proxy_protocol: listen.proxy_protocol.then_some(listen.proxy_protocol_timeout),
            clients,
        }
    }

    /// Finds out who it is, and whether there is room.
    pub(super) async fn admit(
        &self,
        socket: &mut TcpStream,
        peer: SocketAddr,
    ) -> Result<Admitted, DoorError> {
        let mut admitted = Admitted::unasked(peer);
        if let Some(time) = self.proxy_protocol
            && self.trusted.contains(peer.ip())
        {
            let header = tokio::time::timeout(time, proxy_protocol::read(socket)).await;
            let origin = header
                .map_err(|_| DoorError::ProxyProtocolTimeout(time))?
                .map_err(DoorError::ProxyProtocol)?;
            admitted.peer = match origin {
                Origin::Client { source, destination } => {
                    admitted.destination = Some(destination);
                    source
                }
                Origin::Proxy => for_itself(peer),
                Origin::Unknown => NOBODY,
            };
        }
        let client = admitted.peer.ip();
        if !self.trusted.contains(client) {
            admitted.counted = Some(self.clients.open(client).ok_or(DoorError::TooMany)?);
        }
        Ok(admitted)
    }
}
