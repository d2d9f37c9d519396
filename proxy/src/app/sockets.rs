//! Where the sockets come from: the edge that runs, systemd, or the kernel.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use super::StartError;
use crate::config::{Listen, Server};
use crate::handover::{HandoverError, Predecessor, Purpose, Socket};
use crate::listen;

/// Where the edge listens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses {
    /// TLS.
    pub https: Vec<SocketAddr>,
    /// Plain; redirects only.
    pub http: Vec<SocketAddr>,
    /// Health and metrics.
    pub admin: Option<SocketAddr>,
}

/// Bound sockets.
pub(super) struct Sockets {
    pub(super) https: Vec<TcpListener>,
    pub(super) http: Vec<TcpListener>,
    pub(super) admin: Option<TcpListener>,
    pub(super) echo: TcpListener,
}

/// Sockets that somebody has bound already.
#[derive(Debug, Default)]
pub(super) struct Inherited {
    /// The edge that this one follows.
    pub(super) predecessor: Option<Predecessor>,
    /// By systemd (sd_listen_fds(3)).
    activated: Vec<TcpListener>,
}

impl Inherited {
    /// What systemd passed on; and with `upgrade` those of the edge that runs.
    pub(super) fn new(server: &Server, upgrade: bool) -> Result<Self, StartError> {
        let predecessor = match (&server.upgrade_socket, upgrade) {
            (_, false) => None,
            (None, true) => return Err(HandoverError::SwitchedOff.into()),
            (Some(path), true) => Some(Predecessor::ask(path)?),
        };
        Ok(Self {
            predecessor,
            activated: activated().map_err(StartError::Activation)?,
        })
    }

    fn socket(&mut self, purpose: Purpose, address: SocketAddr) -> Result<TcpListener, StartError> {
        let predecessor = self.predecessor.as_mut();
        if let Some(socket) = predecessor.and_then(|edge| edge.socket(purpose, address)) {
            return Ok(socket);
        }
        if let Some(place) = self.activated.iter().position(|socket| local(socket) == address) {
            return Ok(self.activated.swap_remove(place));
        }
        Ok(listen::bind(address)?)
    }
}

impl Sockets {
    /// The sockets of `listen`: inherited ones where there are any, and new ones.
    pub(super) fn open(listen: &Listen, inherited: &mut Inherited) -> Result<Self, StartError> {
        let mut all = |purpose, addresses: &[SocketAddr]| {
            let sockets = addresses
                .iter()
                .map(|address| inherited.socket(purpose, *address));
            sockets.collect::<Result<Vec<_>, _>>()
        };
        let sockets = Self {
            https: all(Purpose::Https, &listen.https)?,
            http: all(Purpose::Http, &listen.http)?,
            admin: all(Purpose::Admin, listen.admin.as_slice())?.pop(),
            echo: listen::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?,
        };
        match inherited.activated.first() {
            Some(socket) => Err(StartError::Unnamed(local(socket))),
            None => Ok(sockets),
        }
    }

    pub(super) fn addresses(&self) -> Addresses {
        Addresses {
            https: self.https.iter().map(local).collect(),
            http: self.http.iter().map(local).collect(),
            admin: self.admin.as_ref().map(local),
        }
    }

    /// The same sockets once more, for a successor.
    pub(super) fn offered(&self, listen: &Listen) -> std::io::Result<Vec<Socket>> {
        let named = |purpose, addresses: &[SocketAddr], sockets: &[TcpListener]| {
            let pairs = addresses.iter().zip(sockets);
            let sockets = pairs.map(|(address, socket)| {
                Ok(Socket {
                    purpose,
                    address: *address,
                    listener: socket.try_clone()?,
                })
            });
            sockets.collect::<std::io::Result<Vec<_>>>()
        };
        let mut offered = named(Purpose::Https, &listen.https, &self.https)?;
        offered.extend(named(Purpose::Http, &listen.http, &self.http)?);
        offered.extend(named(
            Purpose::Admin,
            listen.admin.as_slice(),
            self.admin.as_slice(),
        )?);
        Ok(offered)
    }
}

fn activated() -> std::io::Result<Vec<TcpListener>> {
    let mut passed = listenfd::ListenFd::from_env();
    let mut sockets = Vec::new();
    for place in 0..passed.len() {
        if let Some(socket) = passed.take_tcp_listener(place)? {
            socket.set_nonblocking(true)?;
            sockets.push(socket);
        }
    }
    Ok(sockets)
}

pub(super) fn local(listener: &TcpListener) -> SocketAddr {
    listener
        .local_addr()
        .unwrap_or_else(|_| SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)))
}
