//! The client's side of one stage: bytes out, an answer's head back.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::harness::{Tls, tls_client};

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// An answer that an HTTP client understands.
    Answer {
        /// Its status.
        status: u16,
        /// What of its body came along.
        body: Vec<u8>,
    },
    /// The connection ended without one.
    None,
}

/// How long an answer may take; go-ftw waits as long.
const PATIENCE: Duration = Duration::from_secs(10);
/// Below the ports that the kernel gives away by itself.
const FIRST_PORT: u16 = 10_000;
const LAST_PORT: u16 = 32_000;

/// Sends from a port of its own each time.
pub(super) struct Client {
    edge: SocketAddr,
    tls: TlsConnector,
    next_port: AtomicU16,
}

impl Client {
    pub(super) fn new(edge: SocketAddr) -> Self {
        Self {
            edge,
            tls: TlsConnector::from(Arc::new(tls_client(&Tls::default()))),
            next_port: AtomicU16::new(FIRST_PORT),
        }
    }

    /// Sends the bytes over TLS; returns the port they came from, and the reply.
    pub(super) async fn send(&self, wire: &[u8]) -> io::Result<(u16, Reply)> {
        let (port, tcp) = self.connect().await?;
        let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
        let exchange = async {
            let mut stream = self.tls.connect(name, tcp).await?;
            // The edge may answer and close before it has read all.
            let _ = stream.write_all(wire).await;
            let _ = stream.flush().await;
            Ok(reply(&mut stream).await)
        };
        match tokio::time::timeout(PATIENCE, exchange).await {
            Ok(reply) => reply.map(|reply| (port, reply)),
            Err(_) => Ok((port, Reply::None)),
        }
    }

    /// A port that somebody else uses is passed over.
    async fn connect(&self) -> io::Result<(u16, TcpStream)> {
        loop {
            let port = self.next_port.fetch_add(1, Ordering::Relaxed);
            if port > LAST_PORT {
                return Err(io::Error::other("no source port is left"));
            }
            let socket = TcpSocket::new_v4()?;
            socket.set_reuseaddr(true)?;
            let own = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
            if socket.bind(own.into()).is_err() {
                continue;
            }
            match socket.connect(self.edge).await {
                Ok(stream) => return Ok((port, stream)),
                Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Reads until the body is there as far as its length says, or the edge closes.
async fn reply(stream: &mut TlsStream<TcpStream>) -> Reply {
    let mut read = Vec::new();
    while !is_whole(&read) {
        match stream.read_buf(&mut read).await {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
    }
    parsed(&read).unwrap_or(Reply::None)
}

fn parsed(read: &[u8]) -> Option<Reply> {
    let (head, body) = split(read)?;
    let line = head.lines().next()?;
    let mut parts = line.split(' ');
    let status = parts
        .next()
        .filter(|version| version.starts_with("HTTP/1."))
        .and(parts.next())?;
    Some(Reply::Answer {
        status: status.parse().ok()?,
        body: body.to_vec(),
    })
}

fn is_whole(read: &[u8]) -> bool {
    split(read).is_some_and(|(head, body)| {
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse::<usize>().ok())?
        });
        length.is_some_and(|length| body.len() >= length)
    })
}

fn split(read: &[u8]) -> Option<(String, &[u8])> {
    let end = read.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some((
        String::from_utf8_lossy(&read[..end]).into_owned(),
        &read[end + 4..],
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_head_of_http() {
        let table: [(&str, Option<u16>); 4] = [
            ("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", Some(400)),
            ("HTTP/1.0 200\r\n\r\nabc", Some(200)),
            ("<html>simple</html>\r\n\r\n", None),
            ("", None),
        ];
        for (read, expected) in table {
            let status = match parsed(read.as_bytes()) {
                Some(Reply::Answer { status, .. }) => Some(status),
                _ => None,
            };
            assert_eq!(status, expected, "{read:?}");
        }
    }

    #[test]
    fn a_body_is_whole_at_its_length() {
        for (read, expected) in [
            ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab", false),
            ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc", true),
            ("HTTP/1.1 200 OK\r\n\r\nabc", false),
            ("HTTP/1.1 200 OK\r\n", false),
        ] {
            assert_eq!(is_whole(read.as_bytes()), expected, "{read:?}");
        }
    }
}
