//! Peers that do not speak HTTP well, or not at all.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::Journal;
use super::journal::Seen;

/// A port that refuses connections and that nobody else can take.
pub struct DeadPort {
    socket: TcpSocket,
    address: SocketAddr,
}

impl DeadPort {
    /// Bound, never listening.
    pub fn new() -> Self {
        Self::at("127.0.0.1:0".parse().unwrap())
    }

    /// The same at this address.
    pub fn at(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(address).unwrap();
        let address = socket.local_addr().unwrap();
        DeadPort { socket, address }
    }

    /// As a backend in a configuration.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where nobody listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn listen(self) -> TcpListener {
        self.socket.listen(64).unwrap()
    }
}

impl Default for DeadPort {
    fn default() -> Self {
        Self::new()
    }
}

/// A port that does not even answer a SYN: its backlog is full and nobody accepts.
pub struct SilentPort {
    _listener: TcpListener,
    _backlog: Vec<TcpStream>,
    address: SocketAddr,
}

impl SilentPort {
    /// Fills the backlog until a connection attempt hangs.
    pub async fn new() -> Self {
        Self::at("127.0.0.1:0".parse().unwrap()).await
    }

    /// The same at this address.
    pub async fn at(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(address).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut backlog = Vec::new();
        let patience = std::time::Duration::from_millis(300);
        while let Ok(Ok(stream)) = tokio::time::timeout(patience, TcpStream::connect(address)).await {
            backlog.push(stream);
            assert!(backlog.len() < 64, "the backlog does not fill");
        }
        SilentPort {
            _listener: listener,
            _backlog: backlog,
            address,
        }
    }

    /// As a backend in a configuration.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Reads the head of a request, answers with `bytes`, closes.
pub(super) async fn broken(mut stream: TcpStream, journal: Journal, bytes: Vec<u8>) {
    let mut head = Vec::new();
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        if !matches!(stream.read_buf(&mut head).await, Ok(count) if count > 0) {
            return;
        }
    }
    journal.seen(seen(&head));
    stream.write_all(&bytes).await.ok();
    stream.shutdown().await.ok();
}

fn seen(head: &[u8]) -> Seen {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    Seen {
        method: words.next().unwrap_or_default(),
        uri: words.next().unwrap_or_default(),
        headers,
    }
}
