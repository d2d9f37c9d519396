//! One accepted connection: the door, socket options, TLS under a total deadline, then HTTP.

use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::Duration;

use pingora_core::protocols::l4::socket::SocketAddr as AnyAddress;
use pingora_core::protocols::l4::stream::Stream as L4Stream;
use pingora_core::protocols::tls::TlsStream;
use pingora_core::protocols::tls::server::handshake_with_callback;
use pingora_core::protocols::{GetSocketDigest, SocketDigest, Stream};
use pingora_error::{ErrorType, OrErr};
use tokio::net::TcpStream;

use super::ServerTls;
use super::client_auth::ClientAuth;
use super::door::{Admitted, DoorError};
use super::tls::Told;

/// What is spoken below HTTP on a listener.
#[derive(Clone)]
pub enum Transport {
    /// Nothing.
    Plain,
    /// TLS, with the whole handshake within the deadline.
    Tls(ServerTls, Duration, ClientAuth),
}

/// Why a connection came to nothing before HTTP.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectionError {
    #[error(transparent)]
    Door(#[from] DoorError),
    #[error("TLS handshake failed: {0}")]
    Handshake(Box<pingora_error::Error>),
    #[error("TLS handshake not done within {0:?}")]
    HandshakeTimeout(Duration),
}

/// Makes the stream that HTTP is spoken on.
pub(super) async fn establish(
    socket: TcpStream,
    admitted: &Admitted,
    transport: &Transport,
) -> Result<Stream, ConnectionError> {
    let stream = l4_stream(socket, admitted);
    match transport {
        Transport::Plain => Ok(Box::new(stream)),
        Transport::Tls(acceptor, deadline, auth) => {
            match tokio::time::timeout(*deadline, handshake(stream, acceptor, auth)).await {
                Ok(Ok(stream)) => Ok(Box::new(stream)),
                Ok(Err(error)) => Err(ConnectionError::Handshake(error)),
                Err(_) => Err(ConnectionError::HandshakeTimeout(*deadline)),
            }
        }
    }
}

/// Asks for a certificate where the host wants one.
async fn handshake(
    mut stream: L4Stream,
    acceptor: &ServerTls,
    auth: &ClientAuth,
) -> pingora_error::Result<TlsStream<L4Stream>> {
    let Some(trust) = auth.wanted(&mut stream).await else {
        return handshake_with_callback(acceptor, stream, &Told(None)).await;
    };
    let asking = auth.acceptor(&trust);
    let acceptor = asking.or_err(
        ErrorType::TLSHandshakeFailure,
        "no configuration that asks for certificates",
    )?;
    handshake_with_callback(&acceptor, stream, &Told(Some(trust))).await
}

fn l4_stream(socket: TcpStream, admitted: &Admitted) -> L4Stream {
    let digest = SocketDigest::from_raw_fd(socket.as_raw_fd());
    // Known from accept: spares a system call per request that asks for it.
    let _ = digest.peer_addr.set(Some(AnyAddress::Inet(admitted.peer)));
    if let Some(destination) = admitted.destination {
        let _ = digest.local_addr.set(Some(AnyAddress::Inet(destination)));
    }
    let mut stream = L4Stream::from(socket);
    // Without it the last small segment of an answer waits for the client's delayed ACK.
    let _ = stream.set_nodelay();
    stream.set_socket_digest(digest);
    stream
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Transport::Plain => "Plain",
            Transport::Tls(..) => "Tls",
        })
    }
}

/// Kept so that the accept loop need not name Pingora's types.
pub(super) type Http =
    Arc<dyn Fn(Stream, SocketAddr) -> futures_util::future::BoxFuture<'static, ()> + Send + Sync>;
