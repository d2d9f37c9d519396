//! The kernel's queue of connections that wait for an accept. The loops of all workers take from the same one.

use std::io;
use std::net::{SocketAddr, TcpListener};

use rustix::net::{SocketFlags, acceptfrom_with};
use tokio::io::Interest;
use tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};
use tokio::net::TcpStream;

/// A listening socket, as one worker waits at it.
pub(super) struct Queue(AsyncFd<TcpListener>);

/// There was a connection in the queue.
pub(super) struct Waiting<'q>(AsyncFdReadyGuard<'q, TcpListener>);

impl Queue {
    /// The socket must not block.
    #[allow(
        deprecated,
        reason = "its successor is unsafe, for types that do not keep their descriptor as a listener does"
    )]
    pub(super) fn new(listener: TcpListener) -> io::Result<Self> {
        AsyncFd::with_interest(listener, Interest::READABLE).map(Self)
    }

    /// Until there is a connection. Nothing is taken yet: what has no room here waits on in the kernel, where others
    /// still find it.
    pub(super) async fn waiting(&self) -> io::Result<Waiting<'_>> {
        self.0.readable().await.map(Waiting)
    }
}

impl Waiting<'_> {
    /// Takes the connection; none if somebody else was faster.
    pub(super) fn take(mut self) -> Option<io::Result<(TcpStream, SocketAddr)>> {
        self.0.try_io(|queue| accept(queue.get_ref())).ok()
    }
}

/// As tokio accepts: one system call.
fn accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (socket, peer) = acceptfrom_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC)?;
    let peer = peer.ok_or(io::ErrorKind::NotConnected)?;
    let socket = TcpStream::from_std(std::net::TcpStream::from(socket))?;
    Ok((socket, SocketAddr::try_from(peer)?))
}
