//! Sockets, bound before anything else can fail half-way.

use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

/// The kernel's queue of connections that wait for an accept.
const BACKLOG: i32 = 4096;

/// A socket could not be bound.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}{hint}")]
pub struct BindError {
    /// The address asked for.
    pub address: SocketAddr,
    /// The cause.
    pub source: std::io::Error,
    hint: &'static str,
}

/// Listens on `address`. An IPv6 wildcard takes IPv4 too, as `[::]` reads to most people.
pub fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    try_bind(address).map_err(|source| BindError {
        address,
        hint: hint(&source, address.port()),
        source,
    })
}

fn try_bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if let SocketAddr::V6(v6) = address {
        socket.set_only_v6(!v6.ip().is_unspecified())?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn hint(error: &std::io::Error, port: u16) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied if port < 1024 => {
            " (ports below 1024 need the capability NET_BIND_SERVICE)"
        }
        std::io::ErrorKind::AddrInUse => " (another process listens there: `ss -ltnp` names it)",
        _ => "",
    }
}
