//! Happy Eyeballs (RFC 8305): where a name has several addresses, a second one is tried while the first keeps silent, and
//! who takes the connection first has the request. A family that a network loses packets of costs a request a quarter
//! of a second instead of its whole time for connecting.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use pingora_core::connectors::L4Connect;
use pingora_core::protocols::l4::ext::connect;
use pingora_core::protocols::l4::socket::SocketAddr as Address;
use pingora_core::protocols::l4::stream::Stream;
use pingora_error::{Error, ErrorType, Result};
use tokio::net::TcpStream;

use super::endpoint::{Endpoint, Lease};

/// How long the first has the field for itself (RFC 8305 section 8, "Connection Attempt Delay").
const HEAD_START: Duration = Duration::from_millis(250);

/// An attempt to connect that has another address to fall back on.
#[derive(Debug)]
pub struct Race {
    other: Arc<Endpoint>,
    other_won: AtomicBool,
}

impl Race {
    pub(super) fn new(other: Arc<Endpoint>) -> Self {
        Self {
            other,
            other_won: AtomicBool::new(false),
        }
    }

    /// Whether the connection is one to the other address.
    pub fn is_lost(&self) -> bool {
        self.other_won.load(Ordering::Relaxed)
    }

    /// The request at the other address. The connection is made: one more than it may have is better than one that is
    /// lost.
    pub fn lease(&self) -> Lease {
        Lease::unbounded(&self.other)
    }

    async fn run(&self, first: SocketAddr) -> Result<TcpStream> {
        let mut first = std::pin::pin!(connect(&first, None));
        // One that fails at once is for the request to see: it goes elsewhere by itself.
        tokio::select! {
            connected = &mut first => return connected,
            () = tokio::time::sleep(HEAD_START) => {}
        }
        let address = self.other.address();
        let mut other = std::pin::pin!(connect(&address, None));
        tokio::select! {
            connected = &mut first => match connected {
                Ok(stream) => return Ok(stream),
                Err(error) => if let Ok(stream) = other.await {
                    return Ok(self.won(stream));
                } else {
                    return Err(error);
                }
            },
            connected = &mut other => if let Ok(stream) = connected {
                return Ok(self.won(stream));
            },
        }
        first.await
    }

    fn won(&self, stream: TcpStream) -> TcpStream {
        self.other_won.store(true, Ordering::Relaxed);
        stream
    }
}

#[async_trait]
impl L4Connect for Race {
    async fn connect(&self, first: &Address) -> Result<Stream> {
        let Some(first) = first.as_inet() else {
            return Error::e_explain(ErrorType::InternalError, "not an internet address");
        };
        // As Pingora tells its own failures: what the edge lacks is no failure of the backend.
        self.run(*first)
            .await
            .map(Stream::from)
            .map_err(|error| match error.etype() {
                ErrorType::SocketError | ErrorType::BindError => {
                    Error::because(ErrorType::InternalError, "no socket", error)
                }
                _ => error,
            })
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpListener;

    use super::*;
    use crate::config::{Backend, Scheme};
    use crate::upstream::seats::Hall;

    /// TEST-NET-1 (RFC 5737): nobody is there, and nobody says so where the network just drops packets.
    const NOWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9);

    async fn raced(first: SocketAddr, other: SocketAddr) -> (Race, Result<SocketAddr>) {
        let backend = Arc::new(Backend {
            scheme: Scheme::Http,
            host: "app.internal".to_owned(),
            port: 80,
        });
        let now = std::time::Instant::now();
        let race = Race::new(Arc::new(Endpoint::new(&backend, other, &Hall::default(), now)));
        let stream = race.run(first).await;
        let peer = stream.map(|stream| stream.peer_addr().unwrap());
        (race, peer)
    }

    #[tokio::test]
    async fn the_first_wins_where_it_answers() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (race, peer) = raced(address, NOWHERE).await;
        assert_eq!(peer.unwrap(), address);
        assert!(!race.is_lost());
    }

    #[tokio::test]
    async fn one_that_is_refused_is_told_at_once() {
        let nobody = TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap()
            .local_addr()
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (race, peer) = raced(nobody, listener.local_addr().unwrap()).await;
        assert_eq!(*peer.unwrap_err().etype(), ErrorType::ConnectRefused);
        assert!(!race.is_lost());
    }

    #[tokio::test]
    async fn the_other_wins_where_the_first_keeps_silent() {
        // A port whose backlog is full takes no connection and refuses none.
        let silent = tokio::net::TcpSocket::new_v4().unwrap();
        silent.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let silent = silent.listen(1).unwrap();
        let first = silent.local_addr().unwrap();
        let mut held = Vec::new();
        while let Ok(Ok(stream)) =
            tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(first)).await
        {
            held.push(stream);
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let other = listener.local_addr().unwrap();
        let (race, peer) = raced(first, other).await;
        assert_eq!(peer.unwrap(), other);
        assert!(race.is_lost());
        assert_eq!(race.lease().endpoint().address(), other);
    }
}
